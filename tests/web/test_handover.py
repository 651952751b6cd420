"""The page of a handover: two steps without scripts, link and code once, and answers that came by phone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.deadlines import local_day
from core.ids import uuid7
from radar.casework import handover, invite, vto, watch
from radar.casework.handover_kinds import KINDS
from tests.intake.receiver import receiving
from tests.web.conftest import MOTHER, PERSON
from workers.work import carry_out

with warnings.catch_warnings():
    # As in conftest.py: starlette announces a successor of httpx for its client.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
Sign = Callable[[str], TestClient]


class Desk:
    """A report that must be handed over, and a browser."""

    def __init__(self, client: TestClient, world: Any) -> None:
        self.client, self.world = client, world
        self.household, self.case = world.household(NOW - timedelta(days=3))
        self.report = world.report(
            NOW - timedelta(days=3), household=self.household, case=self.case, state="handover"
        )
        self.path = f"/meldingen/{self.report}/overdracht"

    def token(self) -> str:
        page = self.client.get("/wachtrij").text
        return page.split('name="formulier" value="')[1].split('"')[0]

    def send(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={"formulier": self.token(), **form}, headers=OURS)

    def form(self, kind: str = "direct", **changes: str) -> dict[str, str]:
        """A form that is complete."""
        given = {
            f"veld_{field.name}": next(iter(field.choices), "Verzonnen tekst.")
            for field in KINDS[kind].fields
            if field.needed_when is None and not field.optional
        }
        shares = {f"deel_{part}": "ja" for part in KINDS[kind].shares}
        base = {"soort": kind, "team": str(self.world.local_team), "daarna": "monitor", "dagen": "5", "gelezen": "ja"}
        return {**base, **given, **shares, **changes}

    def offered(self, **changes: Any) -> UUID:
        """Offered without the page."""
        chosen = KINDS["direct"]
        values: dict[str, Any] = {
            "kind": "direct",
            "team_id": self.world.local_team,
            "shares": chosen.shares,
            "content": {field.name: "Verzonnen tekst." for field in chosen.fields},
            "afterwards": "monitor",
            "days": 5,
            "by": "bram",
            "role": "assessor",
            "at": NOW - timedelta(hours=1),
        }
        with self.world.db.transaction():
            return handover.offer(self.world.db, self.report, **values | changes)

    def row(self) -> Any:
        return self.world.db.execute("SELECT * FROM handover ORDER BY offered_at DESC, id DESC LIMIT 1").fetchone()


@pytest.fixture
def desk(client: TestClient, world: Any, sign_in: Sign) -> Desk:
    desk = Desk(client, world)
    sign_in(world.staff("assessor"))
    return desk


def test_two_steps_lead_to_an_offer_with_a_link_and_a_code_that_are_shown_once(desk: Desk) -> None:
    first = desk.client.get(desk.path).text
    assert "nog niet aangeboden" in first
    assert all(f'value="{code}"' in first for code in KINDS)
    assert "veld_safety" not in first
    second = desk.client.get(f"{desk.path}?soort=direct").text
    assert all(f'id="veld_{field.name}"' in second for field in KINDS["direct"].fields)
    assert "Wijkteam Dal" in second
    assert ">Team Noord</option>" not in second, "not one of our own teams"
    assert 'name="deel_persons" value="ja" checked' in second
    assert 'name="deel_bsn" value="ja"><' in second
    done = desk.send(desk.path, **desk.form())
    assert done.status_code == 200
    (link,) = re.findall(r"https://testserver(/partner/[\w-]{43,})<", done.text)
    (code,) = re.findall(r"<code>(\d{4} \d{4})</code>", done.text)
    assert desk.row()["content"]["safety"] == "Verzonnen tekst."
    later = desk.client.get(desk.path).text
    assert link not in later
    assert code not in later
    assert "Wacht op antwoord" in later
    assert "gaat pas over als de partner aanvaardt" in later
    with desk.world.db.transaction():
        assert invite.open_visit(desk.world.db, link.split("/")[-1], code, datetime.now(UTC))


def test_what_the_partner_sees_is_shown_beforehand(desk: Desk) -> None:
    page = desk.client.get(f"{desk.path}?soort=direct").text
    look = page.split('id="delen"')[1]
    assert "Test Voorbeeld" in look
    assert "moeder overstuur" in look
    assert "Voorbeeldstraat" not in look
    assert "Politie eenheid Voorbeeld" not in look


def test_an_incomplete_form_comes_back_with_its_text_and_every_error_beside_its_field(desk: Desk) -> None:
    form = desk.form(veld_safety="", team="", dagen="x", veld_agreements=NASTY, soort="direct")
    del form["gelezen"], form["deel_history"]
    answer = desk.send(desk.path, **form)
    assert answer.status_code == 400
    for name in ("veld_safety", "team", "dagen", "gelezen"):
        assert f'id="fout-{name}"' in answer.text
        assert f'href="#{name}"' in answer.text
        assert f'id="{name}"' in answer.text
    assert "&lt;script&gt;" in answer.text
    assert NASTY not in answer.text
    assert 'name="deel_history" value="ja"><' in answer.text
    assert desk.row() is None
    assert desk.world.db.execute("SELECT count(*) AS n FROM handover_invite").fetchone() == {"n": 0}


def test_the_team_of_the_decision_is_chosen_already(desk: Desk) -> None:
    assert "selected>Wijkteam Dal" not in desk.client.get(f"{desk.path}?soort=direct").text
    desk.world.db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at, decided_at,"
        " decided_by) VALUES (%s, %s, %s, 'decided', %s, 'handover', 'Omdat.', now(), now(), 'gwen')",
        (uuid7(), desk.world.region, desk.report, desk.world.local_team),
    )
    assert "selected>Wijkteam Dal" in desk.client.get(f"{desk.path}?soort=direct").text


def test_what_is_not_known_cannot_be_ticked(desk: Desk) -> None:
    page = desk.client.get(f"{desk.path}?soort=direct").text
    assert "Veiligheidsvoorwaarden: hierover is niets bekend." in page
    assert "deel_conditions" not in page


def test_reading_what_is_shared_is_asked_also_when_all_else_is_right(desk: Desk) -> None:
    form = desk.form()
    del form["gelezen"]
    answer = desk.send(desk.path, **form)
    assert answer.status_code == 400
    assert "Lees eerst wat de partner ziet" in answer.text
    assert desk.row() is None


def test_a_second_offer_says_which_one_waits(desk: Desk) -> None:
    desk.send(desk.path, **desk.form())
    again = desk.send(desk.path, **desk.form())
    assert again.status_code == 409
    assert "Het aanbod aan Wijkteam Dal wacht nog op antwoord" in again.text
    page = desk.client.get(desk.path).text
    assert '<option value="direct"' not in page
    assert '<option value="police"' in page


def test_a_new_link_ends_the_older(desk: Desk) -> None:
    one = desk.offered()
    sent = [desk.send(f"{desk.path}/{one}/link").text for _ in range(2)]
    links = [re.findall(r"/partner/([\w-]{43,})<", page)[0] for page in sent]
    codes = [re.findall(r"<code>(\d{4} \d{4})</code>", page)[0] for page in sent]
    db = desk.world.db
    with db.transaction():
        assert invite.open_visit(db, links[0], codes[0], datetime.now(UTC)) is None
        assert invite.open_visit(db, links[1], codes[1], datetime.now(UTC))
    assert "De link is geopend" in desk.client.get(desk.path).text


def test_an_answer_by_phone_names_who_said_it_and_moves_the_watch(desk: Desk, db: Db) -> None:
    one, path = desk.offered(), f"{desk.path}"
    today = local_day(datetime.now(UTC))
    tomorrow = {"antwoord": "aanvaard", "naam": "Piet", "gestart": str(today + timedelta(days=2))}
    refused = desk.send(f"{path}/{one}/antwoord", handover=str(one), **tomorrow)
    assert refused.status_code == 400
    assert "tot dan blijft Veilig Thuis verantwoordelijk" in refused.text
    assert f'id="fout-gestart-{one}"' in refused.text
    assert 'value="Piet"' in refused.text
    nothing = desk.send(f"{path}/{one}/antwoord", handover=str(one))
    assert nothing.status_code == 400
    assert f'id="fout-antwoord-{one}"' in nothing.text
    now = watch.holder(db, desk.case)
    assert now
    assert now["holder"] == "veilig_thuis"
    good = {"antwoord": "aanvaard", "naam": "Piet Partner, regisseur", "gestart": str(today - timedelta(days=1))}
    done = desk.send(f"{path}/{one}/antwoord", handover=str(one), **good)
    assert (done.status_code, done.headers["location"]) == (303, path)
    after = watch.holder(db, desk.case)
    assert after
    assert (after["holder"], after["team"]) == ("partner", "Wijkteam Dal")
    page = desk.client.get(path).text
    assert "Aanvaard op" in page
    assert "Piet Partner, regisseur" in page
    assert "vastgelegd door assessor1" in page


def test_a_refusal_by_phone_needs_a_reason_and_can_be_offered_again(desk: Desk) -> None:
    one = desk.offered()
    form = {"handover": str(one), "antwoord": "geweigerd", "naam": "Piet"}
    assert desk.send(f"{desk.path}/{one}/antwoord", **form).status_code == 400
    assert desk.send(f"{desk.path}/{one}/antwoord", reden="Wachtlijst.", **form).status_code == 303
    page = desk.client.get(desk.path).text
    assert "Wachtlijst." in page
    assert '<option value="direct"' in page
    assert desk.send(desk.path, **desk.form()).status_code == 200


def test_withdrawing_needs_a_reason(desk: Desk) -> None:
    one = desk.offered()
    path = f"{desk.path}/{one}/intrekken"
    empty = desk.send(path, handover=str(one))
    assert empty.status_code == 400
    assert f'id="fout-reden_intrekken-{one}"' in empty.text
    assert desk.send(path, handover=str(one), reden_intrekken="Verkeerd team.").status_code == 303
    assert desk.send(path, handover=str(one), reden_intrekken="Nog eens.").status_code == 409
    assert "Verkeerd team." in desk.client.get(desk.path).text


def test_a_refusal_of_the_police_is_taken_off_the_queue_by_who_saw_it(desk: Desk) -> None:
    police = uuid7()
    desk.world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'Politie', 'police', %s)",
        (police, desk.world.region, date(2020, 1, 1)),
    )
    desk.world.checked(police)
    content = {"facts": "x", "urgency": "Geen haast", "victim_informed": "ja", "contact": "x"}
    one = desk.offered(kind="police", team_id=police, content=content)
    with desk.world.db.transaction():
        handover.refuse(
            desk.world.db, one, by="partner:P", role="partner", name="A.", reason="Niet voor ons.", at=NOW
        )
    assert "Gezien: geen nieuw aanbod nodig" in desk.client.get(desk.path).text
    assert desk.send(f"{desk.path}/{one}/gezien").status_code == 303
    assert "Gezien: geen nieuw aanbod nodig" not in desk.client.get(desk.path).text
    assert desk.send(f"{desk.path}/{one}/gezien").status_code == 409


def test_another_report_of_the_case_that_still_runs_is_named(desk: Desk) -> None:
    other = desk.world.report(NOW, household=desk.household, case=desk.case, state="investigation")
    page = desk.client.get(f"{desk.path}?soort=direct").text
    assert "In deze casus loopt nog meer" in page
    assert f"/meldingen/{other}" in page


def test_hidden_missing_and_another_reports_offer_are_the_same(
    desk: Desk, new_world: Callable[[], Any], sign_in: Sign
) -> None:
    one = desk.offered()
    elsewhere = desk.world.report(NOW, household=desk.household, case=desk.case, state="handover")
    seen = {
        desk.send(f"/meldingen/{report}/overdracht/{handover}/link").text
        for report, handover in ((elsewhere, one), (desk.report, uuid7()), (uuid7(), one), (desk.report, "x"))
    }
    foreign = new_world()
    sign_in(foreign.staff("assessor"))
    seen |= {desk.send(f"{desk.path}/{one}/link").text}
    assert len(seen) == 1
    # A page that no form made has the button for the other language besides.
    assert desk.client.get(desk.path).text == desk.client.get(f"/meldingen/{uuid7()}/overdracht").text
    assert "Niet gevonden" in seen.pop()


@pytest.mark.parametrize(
    ("role", "view", "offer", "answer"),
    [
        ("intake_worker", 200, 403, 303),
        ("assessor", 200, 200, 303),
        ("behavioural_scientist", 200, 200, 303),
        ("team_lead", 200, 200, 303),
        ("administrator", 403, 403, 403),
    ],
)
def test_who_may_do_what(
    client: TestClient, world: Any, sign_in: Sign, role: str, view: int, offer: int, answer: int
) -> None:
    desk = Desk(client, world)
    sign_in(world.staff(role))
    page = client.get(desk.path)
    assert page.status_code == view
    assert ("Nieuw aanbod" in page.text) == (offer == 200)
    assert desk.send(desk.path, **desk.form()).status_code == offer
    row = desk.row()
    one = row["id"] if row else desk.offered()
    for act in ("link", "intrekken", "gezien", "vto"):
        status = desk.send(f"{desk.path}/{one}/{act}").status_code
        assert (status == 403) == (offer == 403), act
    form = {"antwoord": "geweigerd", "naam": "Piet", "reden": "Vol."}
    assert desk.send(f"{desk.path}/{one}/antwoord", **form).status_code == answer


# ── the request to the Child Protection Board ───────────────────────────────────────────────────────────────────

REQUEST = {
    "reason": "Verzonnen: het kind is niet veilig.",
    "urgency": "Nee",
    "parents_informed": "ja",
    "custody": "Moeder.",
    "requested": "Onderzoek naar een maatregel.",
    "contact": "B. Beoordelaar, 088-1234567",
}
BUTTON = "Verzoek tot onderzoek (VTO) versturen"


def board(desk: Desk, oin: str | None = "00000099000000005000") -> UUID:
    """A Board, and a report about a child and its mother that can be asked about."""
    team = uuid7()
    desk.world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from, oin) VALUES (%s, %s, 'Raad Voorbeeld',"
        " 'child_protection_board', %s, %s)",
        (team, desk.world.region, date(2020, 1, 1), oin),
    )
    desk.world.checked(team)
    case = {"household": desk.household, "case": desk.case}
    desk.report = desk.world.report(NOW - timedelta(days=2), [PERSON, MOTHER], state="investigation", **case)
    desk.path = f"/meldingen/{desk.report}/overdracht"
    return team


def asked(desk: Desk, team: UUID, **content: str) -> UUID:
    """A request to the Board, offered without the page."""
    shares = ("persons", "phones")
    return desk.offered(kind=vto.KIND, team_id=team, content=REQUEST | content, shares=shares, afterwards="stay")


def messages(desk: Desk) -> list[Any]:
    found: list[Any] = desk.world.db.execute("SELECT * FROM outgoing_message").fetchall()
    return found


def test_a_request_to_the_board_is_sent_once_and_waits_for_an_address(desk: Desk, db: Db) -> None:
    team = board(desk)
    one = asked(desk, team)
    assert BUTTON in desk.client.get(desk.path).text
    done = desk.send(f"{desk.path}/{one}/vto")
    assert (done.status_code, done.headers["location"]) == (303, desk.path)
    page = desk.client.get(desk.path).text
    assert "Klaar om te versturen; geen afleveradres ingesteld." in page
    assert BUTTON not in page
    again = desk.send(f"{desk.path}/{one}/vto")
    assert again.status_code == 409
    assert "Van dit verzoek is al een bericht gemaakt." in again.text
    (message,) = messages(desk)
    assert (message["kind"], message["subject_id"], message["team_id"]) == ("vtoDi01", one, team)
    rows = db.execute("SELECT actor FROM audit_entry WHERE action = 'vto.send' AND object_id = %s", (one,)).fetchall()
    assert rows == [{"actor": "assessor1"}]


def test_a_request_with_an_address_says_when_it_was_sent(desk: Desk, db: Db) -> None:
    team = board(desk)
    one = asked(desk, team)
    with receiving() as receiver:
        db.execute("UPDATE team SET delivery_url = %s WHERE id = %s", (receiver.url, team))
        desk.send(f"{desk.path}/{one}/vto")
        assert "Wordt verstuurd." in desk.client.get(desk.path).text
        (job,) = db.execute("SELECT id FROM job WHERE kind = 'send_message'").fetchall()
        assert carry_out(job["id"])
    assert "Verstuurd op" in desk.client.get(desk.path).text


def test_an_incomplete_request_says_at_its_button_what_is_missing_and_keeps_nothing(desk: Desk) -> None:
    one = asked(desk, board(desk), contact="B. Beoordelaar")
    answer = desk.send(f"{desk.path}/{one}/vto")
    assert answer.status_code == 400
    assert f'id="fout-vto-{one}"' in answer.text
    assert f'href="#vto-{one}"' in answer.text
    assert "Noem wie de Raad kan bellen of mailen, met een telefoonnummer of e-mailadres." in answer.text
    assert BUTTON in answer.text
    assert messages(desk) == []


def test_a_character_that_the_form_cannot_hold_is_named(desk: Desk) -> None:
    one = asked(desk, board(desk), reason="Verzonnen \N{GRINNING FACE}.")
    answer = desk.send(f"{desk.path}/{one}/vto")
    assert answer.status_code == 400
    assert f'id="fout-vto-{one}"' in answer.text
    assert messages(desk) == []


def test_a_board_without_an_oin_or_a_withdrawn_request_is_a_conflict(desk: Desk) -> None:
    one = asked(desk, board(desk, oin=None))
    answer = desk.send(f"{desk.path}/{one}/vto")
    assert answer.status_code == 409
    assert "geen OIN ingesteld" in answer.text
    desk.send(f"{desk.path}/{one}/intrekken", handover=str(one), reden_intrekken="Toch niet.")
    assert BUTTON not in desk.client.get(desk.path).text
    assert desk.send(f"{desk.path}/{one}/vto").status_code == 409
    assert messages(desk) == []


def test_only_a_request_to_the_board_is_sent_as_a_message(desk: Desk) -> None:
    one = desk.offered()
    assert BUTTON not in desk.client.get(desk.path).text
    assert desk.send(f"{desk.path}/{one}/vto").status_code == 404
    assert messages(desk) == []


@pytest.mark.parametrize("role", ["intake_worker", "administrator"])
def test_who_may_not_offer_sends_no_request(client: TestClient, world: Any, sign_in: Sign, role: str) -> None:
    desk = Desk(client, world)
    one = asked(desk, board(desk))
    sign_in(world.staff(role))
    assert BUTTON not in client.get(desk.path).text
    assert desk.send(f"{desk.path}/{one}/vto").status_code == 403
    assert messages(desk) == []


def test_the_day_on_which_a_child_is_expected_may_be_left_out(desk: Desk) -> None:
    team = board(desk)
    page = desk.client.get(f"{desk.path}?soort={vto.KIND}").text
    assert "Uitgerekende datum, als er een ongeboren kind is" in page
    assert 'id="veld_due_on" name="veld_due_on" autocomplete="off" maxlength="200" type="date"' in page
    form = desk.form(vto.KIND, team=str(team), veld_parents_informed="ja")
    wrong = desk.send(desk.path, **form, veld_due_on="in maart")
    assert wrong.status_code == 400
    assert 'id="fout-veld_due_on"' in wrong.text
    assert desk.send(desk.path, **form, veld_due_on="").status_code == 200
    first = desk.row()
    assert "due_on" not in first["content"]
    desk.send(f"{desk.path}/{first['id']}/intrekken", reden_intrekken="Er is een ongeboren kind.")
    assert desk.send(desk.path, **form, veld_due_on="2027-03-01").status_code == 200
    assert desk.row()["content"]["due_on"] == "2027-03-01"
    page = desk.client.get(desk.path).text
    assert "1 maart 2027" in page
    assert "2027-03-01" not in page


def test_a_form_of_another_page_is_refused(desk: Desk) -> None:
    one = desk.offered()
    for path in (
        desk.path,
        *(f"{desk.path}/{one}/{act}" for act in ("link", "intrekken", "gezien", "antwoord", "vto")),
    ):
        assert desk.client.post(path, data={}, headers=OURS).status_code == 403
        foreign = {"sec-fetch-site": "cross-site"}
        assert desk.client.post(path, data={"formulier": desk.token()}, headers=foreign).status_code == 403


def test_an_unknown_kind_is_no_page(desk: Desk) -> None:
    assert desk.client.get(f"{desk.path}?soort=pers").status_code == 400
    assert desk.send(desk.path, **desk.form(soort="direct", team="geen-id")).status_code == 404


def test_looking_and_offering_are_in_the_trail(desk: Desk, db: Db) -> None:
    desk.client.get(desk.path)
    desk.send(desk.path, **desk.form())
    rows = db.execute("SELECT action, actor, details FROM audit_entry WHERE action LIKE 'handover.%'").fetchall()
    assert {row["action"] for row in rows} == {"handover.list", "handover.offer", "handover.invite"}
    assert {row["actor"] for row in rows} == {"assessor1"}
    assert "Verzonnen" not in str(rows)
