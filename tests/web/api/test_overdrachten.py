"""Handovers over the API: a partner's token sees the offers to its own team, and answers each once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import httpx
import pytest
from click.testing import CliRunner

from core.database import Db, transaction
from core.deadlines import local_day
from core.ids import uuid7
from core.secrets import forget_key
from intake import senders
from radar.casework import handover, handovers, watch
from radar.casework.handover_kinds import KINDS
from tests.web.api.conftest import Feed
from tests.web.conftest import PERSON, World
from workers.cli import main

PATH = "/api/v1/overdrachten"
TEAM_OIN, OTHER_OIN, SPARE_OIN = (f"0000009900000000{number}000" for number in (7, 8, 9))
NOW = datetime.now(UTC)
TODAY = str(local_day(NOW))
LATER = str(local_day(NOW) + timedelta(days=2))


class Partner:
    """The local team with its token, and offers to it."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.db = feed, feed.db
        self.world = World(feed.db, 1)
        with self.db.transaction():
            self.token = senders.add(
                self.db, self.world.region, TEAM_OIN, "Wijkteam Dal", "lokaal_team", team="Wijkteam Dal"
            )

    def offer(self, team: UUID | None = None, kind: str = "direct") -> UUID:
        at = NOW - timedelta(days=3)
        household, case = self.world.household(at)
        report = self.world.report(at, [PERSON], household=household, case=case, state="handover")
        with self.db.transaction():
            return handover.offer(
                self.db,
                report,
                kind=kind,
                team_id=team or self.world.local_team,
                shares=KINDS[kind].shares,
                content={field.name: "Verzonnen afspraak." for field in KINDS[kind].fields},
                afterwards="monitor",
                days=5,
                by="bram",
                role="assessor",
                at=NOW - timedelta(hours=1),
            )

    def team(self, kind: str = "partner", name: str = "Jeugdhulp Voorbeeld") -> UUID:
        team = uuid7()
        self.db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, %s)",
            (team, self.world.region, name, kind, date(2020, 1, 1)),
        )
        self.world.checked(team)
        return team

    def get(self, path: str = "", token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.feed.client.get(f"{PATH}{path}", headers=headers)

    def answer(self, one: object, token: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.feed.client.post(f"{PATH}/{one}/antwoord", json=body, headers=headers)

    def accept(self, one: object, **changes: Any) -> httpx.Response:
        return self.answer(one, **({"antwoord": "aanvaard", "naam": "P. Partner", "gestartOp": TODAY} | changes))

    def find(self, one: UUID) -> Any:
        return handovers.find(self.db, self.world.region, one)


@pytest.fixture
def partner(feed: Feed) -> Iterator[Partner]:
    forget_key()
    yield Partner(feed)
    forget_key()


def test_the_open_offers_of_the_own_team_the_oldest_first(partner: Partner) -> None:
    first, second = partner.offer(), partner.offer()
    answered = partner.offer()
    elsewhere = partner.offer(partner.team(), "professional")
    partner.answer(answered, antwoord="geweigerd", naam="P", reden="Vol.")
    listed = partner.get()
    assert listed.status_code == 200
    found = listed.json()["overdrachten"]
    assert [row["id"] for row in found] == [str(first), str(second)]
    assert str(elsewhere) not in listed.text
    assert found[0].keys() == {"id", "soort", "titel", "neemtZichtOver", "aangebodenOp", "antwoordVoor"}
    assert (found[0]["soort"], found[0]["neemtZichtOver"]) == ("direct", True)
    assert found[0]["antwoordVoor"].endswith("Z")
    assert "Voorbeeld" not in listed.text, "no names in a list"


def test_one_offer_with_what_is_shared_and_nothing_else(partner: Partner, db: Db) -> None:
    one = partner.offer()
    shown = partner.get(f"/{one}")
    assert shown.status_code == 200
    body = shown.json()
    assert [part["code"] for part in body["onderdelen"]] == ["persons", "incident", "situation", "history"]
    assert {"label": "Hoe veilig is het nu?", "tekst": "Verzonnen afspraak."} in body["inhoud"]
    assert {"label": "Naam", "tekst": "Test Voorbeeld"} in body["onderdelen"][0]["groepen"][0]
    for secret in ("Politie eenheid Voorbeeld", "PL9999", "999993653", "Voorbeeldstraat", "1234AB", "bram"):
        assert secret not in shown.text, secret
    rows = db.execute("SELECT actor, details FROM audit_entry WHERE action = 'handover.view'").fetchall()
    assert [row["actor"] for row in rows] == ["partner:Wijkteam Dal"]
    assert rows[0]["details"]["parts"] == list(KINDS["direct"].shares)


def test_accepting_moves_the_watch_and_the_same_answer_again_is_no_second(partner: Partner, db: Db) -> None:
    one = partner.offer()
    first, again = partner.accept(one), partner.accept(one)
    assert (first.status_code, first.json()) == (200, {"id": str(one), "status": "aanvaard"})
    assert (again.status_code, again.json(), again.headers["idempotent-replay"]) == (200, first.json(), "true")
    assert "idempotent-replay" not in first.headers
    row = db.execute("SELECT r.case_id FROM handover h JOIN report r ON r.id = h.report_id").fetchone()
    assert row
    holder = watch.holder(db, row["case_id"])
    assert holder
    assert (holder["holder"], holder["team"]) == ("partner", "Wijkteam Dal")
    other = partner.answer(one, antwoord="geweigerd", naam="P. Partner", reden="Toch niet.")
    assert other.status_code == 409
    assert "al aanvaard" in other.json()["detail"]
    assert "door Wijkteam Dal" in other.json()["detail"]
    assert "P. Partner" not in other.text
    assert partner.get(f"/{one}").status_code == 404
    assert partner.get().json() == {"overdrachten": []}


def test_refusing_says_why(partner: Partner) -> None:
    one = partner.offer()
    assert partner.answer(one, antwoord="geweigerd", naam="P", reden="Wachtlijst.").json()["status"] == "geweigerd"
    assert (partner.find(one)["state"], partner.find(one)["answer"]) == ("refused", "Wachtlijst.")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"$.antwoord", "$.naam"}),
        ({"antwoord": "misschien", "naam": "P"}, {"$.antwoord"}),
        ({"antwoord": "aanvaard", "naam": "P"}, {"$.gestartOp"}),
        ({"antwoord": "aanvaard", "naam": " ", "gestartOp": TODAY}, {"$.naam"}),
        (
            {"antwoord": "aanvaard", "naam": "P", "gestartOp": LATER},
            {"$.gestartOp"},
        ),
        ({"antwoord": "aanvaard", "naam": "P", "gestartOp": "2026-02-30"}, {"$.gestartOp"}),
        ({"antwoord": "aanvaard", "naam": "P", "gestartOp": 1_790_000_000}, {"$.gestartOp"}),
        ({"antwoord": "geweigerd", "naam": "P"}, {"$.reden"}),
        ({"antwoord": "geweigerd", "naam": "Kanarie", "reden": "x", "kanarie": 1}, {"$.kanarie"}),
        ({"antwoord": "geweigerd", "naam": 5, "reden": "x" * 4001}, {"$.naam", "$.reden"}),
    ],
)
def test_what_is_wrong_is_named_by_field_and_nothing_is_stored(
    partner: Partner, body: dict[str, Any], fields: set[str]
) -> None:
    one = partner.offer()
    answer = partner.answer(one, **body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert {found["name"] for found in answer.json()["invalidParams"]} == fields
    assert all(found["reason"] for found in answer.json()["invalidParams"])
    assert "Kanarie" not in answer.text
    assert partner.find(one)["state"] == "offered"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"naam": "a", "naam": "b"}', b'{"naam": NaN}', b"\xff"])
def test_what_is_no_json_object_is_refused(partner: Partner, raw: bytes) -> None:
    one = partner.offer()
    headers = {"Authorization": f"Bearer {partner.token}"}
    answer = partner.feed.client.post(f"{PATH}/{one}/antwoord", content=raw, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["invalidParams"]


def test_of_two_answers_at_once_one_counts(partner: Partner) -> None:
    one, gate = partner.offer(), Barrier(2)

    def by_api() -> int:
        gate.wait()
        return partner.accept(one).status_code

    def by_phone() -> int:
        gate.wait()
        try:
            with transaction() as db:
                handover.refuse(db, one, by="bram", role="assessor", name="P", reason="Vol.", at=NOW)
        except handover.Conflict:
            return 409
        return 200

    with ThreadPoolExecutor(2) as threads:
        told = [task.result() for task in (threads.submit(by_api), threads.submit(by_phone))]
    assert sorted(told) == [200, 409]
    assert partner.find(one)["state"] == ("accepted" if told[0] == 200 else "refused")


def test_an_offer_to_another_team_and_one_that_does_not_exist_are_the_same(partner: Partner) -> None:
    other = partner.offer(partner.team(), "professional")
    with partner.db.transaction():
        token = senders.add(
            partner.db, partner.world.region, OTHER_OIN, "Jeugdhulp", "partner", team="Jeugdhulp Voorbeeld"
        )
    assert partner.get(f"/{other}", token).status_code == 200
    for identifier in (other, uuid7(), "x", "%00"):
        told = [partner.get(f"/{identifier}"), partner.accept(identifier)]
        assert [answer.status_code for answer in told] == [404, 404], identifier
        assert {answer.json()["detail"] for answer in told} == {
            "Geen overdracht die wacht op een antwoord van uw team."
        }
    assert partner.find(other)["state"] == "offered"


def test_who_may_not_ask(partner: Partner) -> None:
    one = partner.offer()
    for call in (partner.get, lambda token: partner.get(f"/{one}", token), lambda token: partner.answer(one, token)):
        assert call(token="wrong").status_code == 401
        reporter = call(token=partner.feed.token)
        assert reporter.status_code in (400, 403), "a sender of reports is no partner"
        assert "Verzonnen" not in reporter.text
    assert partner.get(token=partner.feed.token).status_code == 403


def test_a_token_that_was_revoked_or_a_team_that_ended_gets_nothing_from_then_on(partner: Partner) -> None:
    one = partner.offer()
    assert partner.get(f"/{one}").status_code == 200
    partner.db.execute("UPDATE team SET valid_to = current_date - 2 WHERE id = %s", (partner.world.local_team,))
    assert partner.get(f"/{one}").status_code == 403
    partner.db.execute("UPDATE team SET valid_to = NULL")
    with partner.db.transaction():
        senders.revoke(partner.db, partner.world.region, TEAM_OIN)
    assert partner.get(f"/{one}").status_code == 401, "although it was remembered a moment ago"
    assert partner.accept(one).status_code == 401


def test_every_answer_is_described(partner: Partner) -> None:
    document = partner.feed.client.get("/api/v1/openapi.json").json()
    paths = document["paths"]
    assert set(paths["/overdrachten"]["get"]["responses"]) >= {"200", "401", "403"}
    assert set(paths["/overdrachten/{id}"]["get"]["responses"]) >= {"200", "401", "403", "404"}
    described = paths["/overdrachten/{id}/antwoord"]["post"]["responses"]
    assert set(described) >= {"200", "400", "401", "403", "404", "409", "413"}
    schemas = document["components"]["schemas"]
    assert set(schemas["HandoverAnswer"]["required"]) == {"antwoord", "naam"}
    one = partner.offer()
    assert partner.get(f"/{one}").json().keys() == schemas["HandoverContent"]["properties"].keys()
    assert partner.accept(one).json().keys() == schemas["HandoverReceipt"]["properties"].keys()


def test_an_operator_adds_a_sender_for_a_partner(partner: Partner) -> None:
    team = partner.team(name="MDA Voorbeeld", kind="multidisciplinary")
    region = f"Voorbeeldregio {partner.world.number}"
    words = ["sender", "add", "--oin", OTHER_OIN, "--name", "MDA", "--kind", "partner", "--region", region]
    made = CliRunner().invoke(main, [*words, "--team", "MDA Voorbeeld"])
    assert made.exit_code == 0, made.output
    rows = partner.db.execute("SELECT team_id, kind FROM sender WHERE oin = %s", (OTHER_OIN,)).fetchall()
    assert rows == [{"team_id": team, "kind": "partner"}]
    for team in ("Team Noord", "Bestaat niet"):
        refused = CliRunner().invoke(main, [*words[:3], TEAM_OIN[:-4] + "9000", *words[4:], "--team", team])
        assert refused.exit_code != 0
    with pytest.raises(senders.NoPartner):
        senders.add(partner.db, partner.world.region, SPARE_OIN, "x", "partner", team="Team Noord")
