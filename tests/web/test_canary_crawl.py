"""A crawl with canaries: invented addresses, numbers and a reporter's name that nobody may find without a grant.

One message holds them in every field that can tell where somebody is or who reported. It comes in by the real door,
is linked, protected, assessed and handed over. Then every role reads every page that it can reach, in its own region
and in another; a partner reads his offer, the sender what he was told; and the database, the logs and the answers of
the API are searched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.database import Db
from core.staff import ROLES
from intake import senders
from intake.sample import sample_json
from radar.casework import handover, invite
from radar.casework.handover_kinds import KINDS
from radar.protection import grants, whereabouts
from tests.radar.canaries import tables_with
from tests.radar.desk import assess
from tests.radar.test_letters import words
from tests.web.conftest import OURS, TestClient, World
from web.app import create_app
from workers import work

WHEREABOUTS = ("Kanariepietlaan", "9797ZQ", "Geheimerveen", "0687654391", "De Gele Kanarie", "Kanarieschool")
REPORTER = ("Melderman", "Kanarie-Jansen", "0612398745", "melderman@politie.example")
BSN = "999993653"
SECRETS = (*WHEREABOUTS, *REPORTER)
MOTHER = {
    "rol": {"tekst": "ouder met gezag"},
    "bsn": BSN,
    "naam": {"voornamen": "Xanthippe", "geslachtsnaam": "Voorbeeld"},
    "geslacht": "V",
    "geboortedatum": {"tekst": "19860412", "indicatie": "V"},
    "telefoonnummers": ["0687654391"],
    "adressen": [
        {
            "soort": "feitelijk",
            "gebied": "binnenland",
            "woonplaats": "Geheimerveen",
            "straat": "Kanariepietlaan",
            "postcode": "9797ZQ",
            "huisnummer": "77",
        }
    ],
    "aanvullendeInformatie": "Verblijft aan de Kanariepietlaan 77 in Geheimerveen, bel 0687654391.",
}
CHANGES: dict[str, Any] = {
    "bericht": {"referentienummer": "kanarie-1", "zender": {"gebruiker": "Melderman"}},
    "melding": {
        "kenmerk": "KANARIE-1",
        "contact": {
            "naam": "Agent Kanarie-Jansen",
            "telefoonnummers": ["0612398745"],
            "emails": ["melderman@politie.example"],
        },
    },
    "incident": {
        "locatie": "Kanariepietlaan 77, Geheimerveen",
        "omschrijving": "De buren hoorden geschreeuw aan de Kanariepietlaan 77. Moeder is bereikbaar op 0687654391.",
    },
    "betrokkenen": [MOTHER],
}


@dataclass
class Planted:
    """What was planted, and where somebody starts reading."""

    world: World
    report: UUID
    mention: UUID
    token: str


@pytest.fixture
def client(database_url: str) -> Iterator[TestClient]:
    """A browser on the whole application, with the feed's own connections open."""
    with TestClient(create_app(), base_url="https://testserver", follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def planted(world: World, client: Any, db: Db) -> Planted:
    with db.transaction():
        token = senders.add(db, world.region, "00000099000000001000", "Politie eenheid Kanarie", "politie")
    body = sample_json(CHANGES)
    body["bericht"]["ontvanger"]["oin"] = f"0000009900000020{world.number:04}"
    answer = client.post("/api/v1/meldingen", json=body, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 202, answer.text
    jobs(db)
    row = db.execute("SELECT r.id, m.id AS mention FROM report r JOIN mention m ON m.report_id = r.id").fetchone()
    assert row is not None
    found = Planted(world, row["id"], row["mention"], token)
    at = datetime.now(UTC)
    with db.transaction():
        whereabouts.protect(db, found.mention, "Zij is gevlucht.", by="bram", at=at)
    assess(db, found.report, "handover", team=world.local_team, at=at)
    with db.transaction():
        handover.offer(
            db,
            found.report,
            kind="direct",
            team_id=world.local_team,
            shares=KINDS["direct"].shares,
            content={field.name: "Verzonnen afspraak." for field in KINDS["direct"].fields},
            afterwards="monitor",
            days=5,
            by="bram",
            role="assessor",
            at=at,
        )
    jobs(db)
    return found


def jobs(db: Db) -> None:
    """All background work that is due."""
    while row := db.execute("SELECT id FROM job WHERE state = 'new' AND due_at <= now() LIMIT 1").fetchone():
        work.carry_out(row["id"])


def text_of(answer: Any) -> str:
    """The answer as somebody could read it, a PDF as a reading program says it, and its headers."""
    body: bytes = answer.content
    text = words(body) if body.startswith(b"%PDF") else body.decode("utf-8", "replace")
    return text + str(dict(answer.headers))


def routes(client: Any) -> Iterator[str]:
    for route in client.app.routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            yield route.path


def crawl(client: Any, start: list[str], limit: int = 400) -> dict[str, str]:
    """Every page that can be reached from here by links, and what it says."""
    waiting, seen = list(start), {}
    while waiting and len(seen) < limit:
        path = waiting.pop(0).split("#")[0].replace("&amp;", "&")
        if path in seen or not path.startswith("/") or path.startswith("/static/"):
            continue
        answer = client.get(path)
        seen[path] = text_of(answer)
        if answer.status_code in (301, 302, 303, 307):
            waiting.append(answer.headers["location"])
        waiting += re.findall(r'(?:href|action|src)="(/[^"]*)"', seen[path])
    return seen


def places(planted: Planted, db: Db, client: Any) -> list[str]:
    """Every route of the application, with the ids of what was planted wherever a path asks for one."""
    ids = {
        "id": planted.report,
        "persoon": planted.mention,
        "mention": planted.mention,
        **{
            name: row["id"] if row else uuid4()
            for name, table in (("handover", "handover"), ("brief", "letter"), ("term", "deadline"))
            for row in [db.execute(f"SELECT id FROM {table} LIMIT 1").fetchone()]
        },
    }
    case = db.execute("SELECT case_id FROM report WHERE id = %s", (planted.report,)).fetchone()
    assert case is not None
    found = [re.sub(r"{(\w+)}", lambda name: str(ids.get(name[1], uuid4())), path) for path in routes(client)]
    return ["/", f"/casussen/{case['case_id']}", *found]


def leaks(pages: dict[str, str], canaries: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(path, one) for path, text in pages.items() for one in canaries if one.lower() in text.lower()]


@pytest.mark.parametrize("role", list(ROLES))
def test_no_role_finds_a_canary_without_a_grant(
    client: Any, db: Db, planted: Planted, sign_in: Callable[..., Any], role: str
) -> None:
    sign_in(planted.world.staff(role))
    pages = crawl(client, places(planted, db, client))
    assert len(pages) > 20
    assert leaks(pages, (*SECRETS, BSN)) == []
    if role in ("assessor", "team_lead"):
        # The crawl did read the file, and says that something is kept from him.
        assert "Xanthippe" in pages[f"/meldingen/{planted.report}"]
        assert "afgeschermd" in pages[f"/meldingen/{planted.report}"].lower()


def test_another_region_finds_nothing_at_all(
    client: Any, db: Db, planted: Planted, sign_in: Callable[..., Any], new_world: Callable[[], World]
) -> None:
    sign_in(new_world().staff("team_lead"))
    pages = crawl(client, places(planted, db, client))
    assert leaks(pages, (*SECRETS, BSN, "Xanthippe", "KANARIE-1")) == []


def test_without_a_session_nothing_is_found(client: Any, db: Db, planted: Planted) -> None:
    pages = crawl(client, places(planted, db, client))
    assert leaks(pages, (*SECRETS, BSN, "Xanthippe", "KANARIE-1")) == []


def test_with_a_grant_it_is_there(client: Any, db: Db, planted: Planted, sign_in: Callable[..., Any]) -> None:
    username = planted.world.staff("assessor")
    member = db.execute("SELECT id FROM staff WHERE username = %s", (username,)).fetchone()
    assert member is not None
    at = datetime.now(UTC)
    for kind in ("whereabouts", "reporter"):
        with db.transaction():
            purpose = next(iter(grants.purposes(kind)))  # type: ignore[arg-type]
            grants.give(
                db,
                planted.world.region,
                member["id"],
                kind,  # type: ignore[arg-type]
                report_id=planted.report,
                purpose=purpose,
                reason="Om haar te bellen.",
                by=username,
                at=at,
                minutes=15,
            )
    sign_in(username)
    page = client.get(f"/meldingen/{planted.report}/kluis").text
    for canary in ("Kanariepietlaan", "0687654391", "Kanarie-Jansen", "0612398745"):
        assert canary in page, canary


def test_a_partner_reads_no_canary(client: Any, db: Db, planted: Planted) -> None:
    at = datetime.now(UTC)
    with db.transaction():
        offer = db.execute("SELECT id FROM handover LIMIT 1").fetchone()
        assert offer is not None
        invitation = invite.invite(db, offer["id"], by="bram", at=at)
    answer = client.post(invitation.url_path, data={"code": invitation.code}, headers=OURS)
    assert answer.status_code == 303
    pages = crawl(client, ["/partner"])
    assert "Xanthippe" in pages["/partner"]
    assert leaks(pages, (*SECRETS,)) == []


def test_the_sender_is_told_no_canary(client: Any, planted: Planted) -> None:
    headers = {"authorization": f"Bearer {planted.token}"}
    for path in ("", "/terugkoppeling"):
        answer = client.get(f"/api/v1/meldingen/{planted.report}{path}", headers=headers)
        assert answer.status_code == 200
        assert leaks({path: text_of(answer)}, SECRETS) == []


def test_the_database_holds_no_canary_in_plain(db: Db, planted: Planted) -> None:
    assert tables_with(db, (*SECRETS, BSN)) == {}


def test_logs_hold_no_canary(client: Any, db: Db, planted: Planted, capfd: pytest.CaptureFixture[str]) -> None:
    client.get(f"/meldingen/{planted.report}")
    written = "".join(capfd.readouterr())
    assert leaks({"log": written}, (*SECRETS, BSN, "Xanthippe")) == []
