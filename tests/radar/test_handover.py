"""Handover: the watch moves on acceptance only, every offer ends in an answer of a person, and nothing else leaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, transaction
from core.errors import Conflict, NotAllowed, NotFound, SettingsError
from core.ids import uuid7
from core.secrets import forget_key
from radar.casework import handover, handover_kinds, handover_shares, handovers, invite, ledger, steps, watch
from radar.casework.handover import Incomplete
from radar.casework.handover_kinds import KINDS
from radar.casework.handover_shares import LEFT_OUT
from tests.web.conftest import CONTENT, MOTHER, PERSON, World

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # a Monday
DAY = date(2026, 11, 2)
CONTENTS: dict[str, dict[str, str]] = {
    code: {
        field.name: {"date": "2026-10-01", "place": "Regio Veraf"}.get(field.kind)
        or next(iter(field.choices), "Verzonnen tekst.")
        for field in kind.fields
        if field.needed_when is None and not field.optional
    }
    for code, kind in KINDS.items()
}


class Desk:
    """A region with a team of each kind, and a report that must be handed over."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.world = World(db, 1)
        self.teams = {kind: self.team(kind) for one in KINDS.values() for kind in one.teams}
        self.household, self.case = self.world.household(AT - timedelta(days=3))
        self.report = self.world.report(
            AT - timedelta(days=3), [PERSON, MOTHER], household=self.household, case=self.case, state="handover"
        )

    def team(self, kind: str, valid_to: date | None = None) -> UUID:
        team = uuid7()
        self.db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from, valid_to) VALUES (%s, %s, %s, %s, %s, %s)",
            (team, self.world.region, f"{kind} {team.hex[-4:]}", kind, date(2020, 1, 1), valid_to),
        )
        self.world.checked(team)
        return team

    def offer(self, kind: str = "direct", at: datetime = AT, **changes: Any) -> UUID:
        chosen = KINDS[kind]
        values: dict[str, Any] = {
            "kind": kind,
            "team_id": self.teams[chosen.teams[0]],
            "shares": chosen.shares,
            "content": CONTENTS[kind],
            "afterwards": "monitor",
            "days": chosen.days,
            "by": "bram",
            "role": "assessor",
            "at": at,
        }
        with self.db.transaction():
            return handover.offer(self.db, self.report, **values | changes)

    def accept(self, one: UUID, at: datetime = AT, **changes: Any) -> None:
        values: dict[str, Any] = {
            "by": "partner:Wijkteam Dal",
            "role": "partner",
            "name": "P. Partner, regisseur",
            "at": at,
            "started_on": at.date(),
        }
        with self.db.transaction():
            handover.accept(self.db, one, **values | changes)

    def refuse(self, one: UUID, at: datetime = AT, **changes: Any) -> None:
        values: dict[str, Any] = {
            "by": "partner:Wijkteam Dal",
            "role": "partner",
            "name": "P. Partner",
            "reason": "Vol.",
        }
        with self.db.transaction():
            handover.refuse(self.db, one, **values | {"at": at} | changes)

    def withdraw(self, one: UUID, at: datetime = AT, role: str = "assessor", reason: str = "Toch niet.") -> None:
        with self.db.transaction():
            handover.withdraw(self.db, one, by="bram", role=role, reason=reason, at=at)

    def holder(self) -> tuple[str, UUID | None] | None:
        found = watch.holder(self.db, self.case)
        return (found["holder"], found["team_id"]) if found else None

    def state(self) -> str:
        row = self.db.execute("SELECT state FROM report WHERE id = %s", (self.report,)).fetchone()
        assert row
        return str(row["state"])

    def find(self, one: UUID) -> Any:
        return handovers.find(self.db, self.world.region, one)

    def find_one(self) -> UUID:
        """The only open offer."""
        (row,) = self.db.execute("SELECT id FROM handover WHERE state = 'offered'").fetchall()
        found: UUID = row["id"]
        return found

    def waits(self) -> list[UUID]:
        """What the queue says must be offered, by its subject."""
        rows = self.db.execute("SELECT subject_id FROM task WHERE kind = 'handover' AND done_at IS NULL")
        return [row["subject_id"] for row in rows]

    def term(self, one: UUID) -> Any:
        return ledger.find(self.db, self.world.region, "handover_answer", one)

    def acute(self, ended: bool) -> None:
        self.db.execute(
            "INSERT INTO acute_check (report_id, region_id, at, actor, acute, signs, reason, ended_at, ended_by,"
            " ended_why) VALUES (%s, %s, %s, 'ilse', true, '[]', 'Gevaar.', %s, %s, %s)",
            (self.report, self.world.region, AT, *((AT, "bram", "Voorbij.") if ended else (None, None, None))),
        )


@pytest.fixture
def desk(db: Db) -> Any:
    forget_key()
    yield Desk(db)
    forget_key()


# ── the watch ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("afterwards", "state"), [("monitor", "monitoring"), ("close", "closed")])
def test_the_watch_moves_at_the_moment_of_acceptance_and_not_before(desk: Desk, afterwards: str, state: str) -> None:
    ours = desk.holder()
    one = desk.offer(afterwards=afterwards)
    assert (desk.holder(), desk.state()) == (ours, "handover"), "an offer moves nothing"
    desk.accept(one, AT + timedelta(days=2))
    assert desk.state() == state
    rows = desk.db.execute("SELECT * FROM safety_watch WHERE case_id = %s ORDER BY since, until", (desk.case,))
    before, after = rows.fetchall()
    assert before["until"] == after["since"] == AT + timedelta(days=2)
    assert (after["holder"], after["team_id"]) == ("partner", desk.teams["local_team"])
    assert (after["until"] is None) == (afterwards == "monitor"), "a case without work left is closed"
    found = desk.find(one)
    assert (found["state"], found["started_on"], found["answered_name"]) == (
        "accepted",
        date(2026, 11, 4),
        "P. Partner, regisseur",
    )
    assert desk.term(one)["met_at"] == AT + timedelta(days=2)
    assert steps.history(desk.db, desk.world.region, desk.report)[-1]["actor"] == "partner:Wijkteam Dal"


def test_who_begins_later_accepts_on_that_day_and_until_then_veilig_thuis_is_responsible(desk: Desk) -> None:
    ours, one = desk.holder(), desk.offer()
    with pytest.raises(Incomplete) as refused:
        desk.accept(one, started_on=DAY + timedelta(days=1))
    assert "tot dan blijft Veilig Thuis verantwoordelijk" in refused.value.errors["started_on"]
    assert (desk.holder(), desk.state(), desk.find(one)["state"]) == (ours, "handover", "offered")
    with pytest.raises(Incomplete) as refused:
        desk.accept(one, started_on=None, name=" ")
    assert refused.value.errors.keys() == {"started_on", "name"}
    desk.accept(one, AT + timedelta(days=1))
    assert desk.holder() == ("partner", desk.teams["local_team"])


@pytest.mark.parametrize("kind", ["police", "child_protection_board"])
def test_police_and_board_are_informed_or_asked_and_the_watch_stays(desk: Desk, kind: str) -> None:
    desk.db.execute(
        "INSERT INTO task (id, region_id, kind, subject_id, received_at, due_at)"
        " VALUES (%s, %s, 'handover', %s, %s, %s)",
        (uuid7(), desk.world.region, desk.report, AT, AT),
    )
    ours, one = desk.holder(), desk.offer(kind, afterwards="close")
    assert desk.waits() == [desk.report], "the handover itself must still be offered"
    direct = desk.offer()
    assert desk.waits() == []
    desk.accept(one, started_on=None)
    assert (desk.holder(), desk.state()) == (ours, "handover")
    assert (desk.find(one)["state"], desk.find(one)["afterwards"]) == ("accepted", "stay")
    assert desk.find(direct)["state"] == "offered"


def test_closing_waits_for_the_end_of_the_danger(desk: Desk) -> None:
    desk.acute(ended=False)
    with pytest.raises(Incomplete) as refused:
        desk.offer(afterwards="close")
    assert "acute gevaar" in refused.value.errors["afterwards"]
    desk.accept(desk.offer(afterwards="monitor"))
    assert desk.state() == "monitoring"


def test_danger_that_came_after_the_offer_stops_the_closing_only(desk: Desk) -> None:
    one = desk.offer(afterwards="close")
    desk.acute(ended=False)
    with pytest.raises(Conflict, match="Bel Veilig Thuis"):
        desk.accept(one)
    assert (desk.find(one)["state"], desk.holder()) == ("offered", ("veilig_thuis", desk.world.team))
    desk.db.execute("UPDATE acute_check SET ended_at = %s, ended_by = 'bram', ended_why = 'Voorbij.'", (AT,))
    desk.accept(one)
    assert desk.state() == "closed"


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_refused_is_back_on_the_queue_and_can_be_offered_elsewhere(desk: Desk) -> None:
    ours, one = desk.holder(), desk.offer()
    assert desk.waits() == []
    desk.refuse(one)
    assert (desk.holder(), desk.state(), desk.waits()) == (ours, "handover", [desk.report])
    assert (desk.find(one)["answer"], desk.term(one)["met_at"]) == ("Vol.", AT)
    other = desk.offer("professional")
    assert desk.waits() == []
    desk.accept(other)
    assert desk.holder() == ("partner", desk.teams["partner"])


def test_unanswered_is_back_on_the_queue_once_and_may_still_be_accepted(desk: Desk) -> None:
    one = desk.offer(days=2)
    due = desk.term(one)["due_at"]
    assert due == datetime(2026, 11, 4, 23, 0, tzinfo=UTC), "the end of Wednesday in the Netherlands"
    with desk.db.transaction():
        assert handover.unanswered(desk.db, due - timedelta(seconds=1)) == 0
    with desk.db.transaction():
        assert [handover.unanswered(desk.db, due) for _ in range(2)] == [1, 0]
    assert desk.waits() == [desk.report]
    assert (desk.find(one)["state"], desk.find(one)["unanswered_at"]) == ("offered", due)
    assert desk.term(one)["met_at"] is desk.term(one)["dropped_at"] is None
    with pytest.raises(Conflict, match="wacht nog op antwoord"):
        desk.offer("professional")
    desk.accept(one, due + timedelta(days=9))
    assert (desk.holder(), desk.waits()) == (("partner", desk.teams["local_team"]), [])


def test_a_withdrawn_offer_drops_its_term_and_its_link(desk: Desk) -> None:
    one = desk.offer()
    with desk.db.transaction():
        sent = invite.invite(desk.db, one, by="bram", at=AT)
    with pytest.raises(Incomplete):
        desk.withdraw(one, reason=" ")
    with pytest.raises(NotAllowed):
        desk.withdraw(one, role="partner")
    desk.withdraw(one)
    assert (desk.waits(), desk.term(one)["dropped_why"]) == ([desk.report], "Aanbod ingetrokken")
    assert invite.open_visit(desk.db, sent.url_path.split("/")[-1], sent.code, AT) is None
    desk.offer()
    assert desk.waits() == []


def test_a_refusal_of_the_police_waits_for_a_look_of_its_own(desk: Desk) -> None:
    desk.offer()
    first, second = desk.offer("police"), None
    desk.refuse(first)
    assert desk.waits() == [first]
    assert desk.find(first)["task"]
    second = desk.offer("police")
    assert desk.waits() == [], "offered again"
    desk.refuse(second)
    with desk.db.transaction():
        assert [handover.seen(desk.db, second, by="bram", at=AT) for _ in range(2)] == [True, False]
    assert desk.waits() == []
    third = desk.offer("police")
    with desk.db.transaction():
        assert handover.unanswered(desk.db, AT + timedelta(days=30)) == 2
    assert set(desk.waits()) == {desk.report, third}
    desk.withdraw(third)
    assert desk.waits() == [desk.report]


@pytest.mark.parametrize("second", ["accept", "refuse", "withdraw"])
def test_a_second_answer_names_the_first_and_changes_nothing(desk: Desk, second: str) -> None:
    one = desk.offer()
    desk.accept(one)
    before = desk.find(one)
    with pytest.raises(Conflict, match=r"al aanvaard, op 02-11-2026 om 10\.00 uur, door local_team"):
        getattr(desk, second)(one)
    assert desk.find(one) == before


def test_of_two_answers_at_the_same_moment_one_counts(desk: Desk) -> None:
    for attempt in range(5):
        one, gate = desk.offer(), Barrier(2)

        def answer(how: str, one: UUID = one, gate: Barrier = gate) -> str:
            gate.wait()
            try:
                with transaction() as db:
                    if how == "refused":
                        handover.refuse(db, one, by="bram", role="assessor", name="P.", reason="Vol.", at=AT)
                    else:
                        handover.accept(db, one, by="partner:W", role="partner", name="P.", at=AT, started_on=DAY)
            except Conflict as error:
                return error.message
            return how

        with ThreadPoolExecutor(2) as threads:
            told = list(threads.map(answer, ("accepted", "refused")))
        state = desk.find(one)["state"]
        lost = next(text for text in told if text != state)
        assert state in told
        assert f"al {handovers.ANSWERS[state]}" in lost
        partner = desk.holder() == ("partner", desk.teams["local_team"])
        assert partner == (state == "accepted"), attempt
        assert partner == (desk.waits() == [])
        if partner:
            break


def test_two_clocks_mark_an_offer_once(desk: Desk) -> None:
    desk.offer(days=1)
    gate = Barrier(2)

    def tick(_: int) -> int:
        gate.wait()
        with transaction() as db:
            return handover.unanswered(db, AT + timedelta(days=10))

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(tick, range(2))) == 1
    assert desk.waits() == [desk.report]


# ── offering ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_asks_for_its_own_content(desk: Desk, kind: str) -> None:
    with pytest.raises(Incomplete) as refused:
        desk.offer(kind, content={})
    assert refused.value.errors.keys() == CONTENTS[kind].keys()
    one = desk.offer(kind, content=CONTENTS[kind] | {"not_of_this_kind": "x"})
    assert desk.find(one)["content"] == CONTENTS[kind]


def test_who_was_not_informed_needs_a_why(desk: Desk) -> None:
    untold = CONTENTS["police"] | {"victim_informed": "nee"}
    with pytest.raises(Incomplete) as refused:
        desk.offer("police", content=untold)
    assert refused.value.errors.keys() == {"why_not_informed"}
    told = CONTENTS["police"] | {"why_not_informed": "Niet nodig."}
    assert "why_not_informed" not in desk.find(desk.offer("police", content=told))["content"]


@pytest.mark.parametrize("place", ["Geheimestraat 12", "1234 AB", ""])
def test_a_new_place_of_stay_is_a_region_and_never_an_address(desk: Desk, place: str) -> None:
    with pytest.raises(Incomplete) as refused:
        desk.offer("other_region", content=CONTENTS["other_region"] | {"place_of_stay": place})
    assert refused.value.errors.keys() == {"place_of_stay"}


def test_an_offer_needs_a_team_of_its_kind_days_and_known_parts(desk: Desk) -> None:
    with pytest.raises(Incomplete) as refused:
        desk.offer(team_id=desk.teams["police"], days=0, shares=["persons", "raw"], afterwards="stay")
    assert refused.value.errors.keys() == {"team", "days", "shares", "afterwards"}
    lapsed = desk.team("local_team", DAY - timedelta(days=1))
    with pytest.raises(Incomplete):
        desk.offer(team_id=lapsed)
    foreign = World(desk.db, 2)
    with pytest.raises(Incomplete):
        desk.offer(team_id=foreign.local_team)
    with pytest.raises(Incomplete):
        desk.offer(kind="direct", content=CONTENTS["direct"] | {"safety": "x" * 4001})


@pytest.mark.parametrize("state", ["received", "assessing", "conditions", "monitoring", "closed"])
def test_only_a_report_that_must_be_handed_over_is_offered(desk: Desk, state: str) -> None:
    desk.report = desk.world.report(AT, household=desk.household, case=desk.case, state=state)
    with pytest.raises(steps.WrongMove, match="Wat wel kan"):
        desk.offer()
    if state == "closed":
        with pytest.raises(steps.WrongMove):
            desk.offer("police")
    else:
        assert desk.find(desk.offer("police"))["state"] == "offered", "the police can be told at any time"


def test_rights_and_what_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.offer(role="intake_worker")
    with pytest.raises(NotAllowed):
        desk.offer(role="partner")
    with pytest.raises(Incomplete):
        desk.offer(kind="direct", team_id=None)
    one = desk.offer()
    with pytest.raises(NotAllowed):
        desk.accept(one, role="administrator")
    with pytest.raises(NotFound):
        desk.accept(uuid7())
    with pytest.raises(NotFound):
        handovers.find(desk.db, World(desk.db, 2).region, one)
    with pytest.raises(Conflict, match="wacht nog op antwoord"):
        desk.offer()


def test_a_second_report_of_the_case_with_work_left_is_named(desk: Desk) -> None:
    other = desk.world.report(AT, household=desk.household, case=desk.case, state="investigation")
    desk.world.report(AT, household=desk.household, case=desk.case, state="closed")
    assert [row["id"] for row in handovers.also_running(desk.db, desk.report)] == [other]
    desk.accept(desk.offer(afterwards="close"))
    assert desk.holder() == ("partner", desk.teams["local_team"]), "the case stays open and is watched"


def test_everything_is_in_the_trail_and_without_personal_data(desk: Desk) -> None:
    one = desk.offer()
    desk.refuse(one, name="Kanariestein", reason="Kanariepiet.")
    desk.accept(desk.offer(), name="Kanariestein")
    rows = desk.db.execute("SELECT actor, action, details FROM audit_entry ORDER BY at").fetchall()
    assert {"handover.offer", "handover.refused", "handover.accepted", "watch.give", "report.step"} <= {
        row["action"] for row in rows
    }
    assert "Kanarie" not in str(rows)
    assert list(audit.breaches(desk.db)) == []


# ── what a partner may see ──────────────────────────────────────────────────────────────────────────────────────

CANARIES = {
    "name of the reporter": "Wouter Kanarieboom",
    "surname of the reporter": "Kanarieboom",
    "mail": "w.kanarieboom@school.example",
    "phone of the reporter": "06-11112222",
    "reference": "KENMERK-KANARIE-1",
    "sender": "Basisschool De Kanarie",
    "bsn": "999993653",
    "phone of a person": "0612345678",
    "street": "Kanariestraat",
    "postcode": "9876 ZY",
    "town": "Kanariedorp",
    "place": "achter het Kanariehuis",
    "other home": "Kanariekamp 9",
}


def secret_report(desk: Desk) -> UUID:
    """A report whose free texts repeat all that must stay hidden."""
    everything = "Begin. " + " / ".join(CANARIES.values()).replace("Wouter Kanarieboom", "wouter  KANARIEBOOM")
    content = {
        **CONTENT,
        "indiener": {"naam": CANARIES["sender"], "instantiecode": "PL9999", "soort": "onderwijs"},
        "melding": {
            "kenmerk": CANARIES["reference"],
            "contact": {
                "naam": CANARIES["name of the reporter"],
                "emails": [CANARIES["mail"]],
                "telefoonnummers": [CANARIES["phone of the reporter"]],
            },
        },
        "incident": {"omschrijving": f"{everything} Einde.", "locatie": CANARIES["place"]},
        "situatie": {"omschrijving": everything, "bestaandeHulpverlening": everything, "aanhouding": everything},
        "extra": [{"naam": "x", "waarde": everything}],
    }
    address = {"soort": "feitelijk", "straat": "Kanariestraat", "huisnummer": "4", "postcode": "9876ZY"}
    child = {
        **PERSON,
        "bsn": CANARIES["bsn"],
        "telefoonnummers": [CANARIES["phone of a person"]],
        "adressen": [address | {"woonplaats": "Kanariedorp"}, {"soort": "formeel", "regel1": "Kanariekamp 9"}],
        "aanvullendeInformatie": everything,
        "relaties": [{"persoon": {"naam": {"volledigeNaam": everything}, "bsn": CANARIES["bsn"]}}],
    }
    return desk.world.report(
        AT, [child], content=content, household=desk.household, case=desk.case, state="handover", reference="KANARIE"
    )


def test_no_part_shows_reporter_address_or_number_that_was_not_shared(desk: Desk) -> None:
    report = secret_report(desk)
    safe = [part for part in handover_shares.PARTS if part not in ("bsn", "phones")]
    shown = handover_shares.shared(desk.db, report, safe)
    assert [part.code for part in shown] == ["persons", "incident", "situation", "history"]
    text = str(shown)
    assert [name for name, canary in CANARIES.items() if canary.casefold() in text.casefold()] == []
    assert "kanarie" not in text.casefold()
    assert text.count("Begin. ") == 3
    assert LEFT_OUT in text
    assert "Einde." in text
    assert "Voorbeeld" in text, "the persons themselves are there"


def test_a_number_is_shared_only_when_somebody_ticks_it(desk: Desk) -> None:
    report = secret_report(desk)
    (numbers,) = handover_shares.shared(desk.db, report, ["bsn"])
    assert [line.text for group in numbers.groups for line in group] == [CANARIES["bsn"]]
    (phones,) = handover_shares.shared(desk.db, report, ["phones"])
    assert [line.text for group in phones.groups for line in group] == [CANARIES["phone of a person"]]
    assert all("bsn" not in kind.shares and "phones" not in kind.shares for kind in KINDS.values())
    assert handover_shares.shared(desk.db, report, []) == []


def test_the_history_is_a_count_with_months_of_this_household_only(desk: Desk) -> None:
    assert "kent geen eerdere melding" in str(handover_shares.shared(desk.db, desk.report, ["history"]))
    for days in (400, 395, 40):
        desk.world.report(AT - timedelta(days=days), household=desk.household, case=desk.case, kind="onderwijs")
    desk.world.report(AT - timedelta(days=50), household=desk.world.household(AT - timedelta(days=60))[0])
    desk.world.report(AT + timedelta(days=1), household=desk.household, case=desk.case)
    (history,) = handover_shares.shared(desk.db, desk.report, ["history"])
    ((line,),) = history.groups
    assert line.text == "3 eerdere meldingen over dit huishouden: september 2025, oktober 2025, september 2026."


def test_conditions_and_the_signed_outcome_are_shared_masked(desk: Desk) -> None:
    report = secret_report(desk)
    for text, state in (("Vader slaapt niet op Kanariestraat 4", "open"), ("Oud", "withdrawn")):
        desk.db.execute(
            "INSERT INTO safety_condition (id, region_id, report_id, text, owner, due_on, state, made_at, made_by,"
            " settled_at) VALUES (%s, %s, %s, %s, 'moeder', %s, %s, %s, 'bram', %s)",
            (uuid7(), desk.world.region, report, text, DAY, state, AT, AT if state != "open" else None),
        )
    for signed, reason in ((AT, "Kanarieboom maakt zich zorgen."), (None, "Concept")):
        desk.db.execute(
            "INSERT INTO assessment (id, region_id, report_id, questionnaire, answers, started_at, started_by,"
            " saved_at, saved_by, path, reason, submitted_at, submitted_by, signed_at, signed_by)"
            " VALUES (%s, %s, %s, '1', %s, %s, 'bram', %s, 'bram', 'handover', %s, %s, 'bram', %s, %s)",
            (uuid7(), desk.world.region, report, Jsonb({"q": "Kanarie"}), AT, AT, reason, AT, signed)
            + (("gwen",) if signed else (None,)),
        )
    conditions, outcome = handover_shares.shared(desk.db, report, ["conditions", "assessment"])
    assert conditions.groups[0][0].text == f"Vader slaapt niet op {LEFT_OUT}"
    assert [line.text for line in outcome.groups[0]] == [
        "Directe overdracht",
        "02-11-2026",
        f"{LEFT_OUT} maakt zich zorgen.",
    ]
    assert len(conditions.groups) == 1


def test_what_is_no_secret_stays_readable() -> None:
    mask = handover_shares.Mask(
        {"melding": {"contact": {"naam": "Jan Voorbeeld"}}, "indiener": {"naam": "", "soort": "politie"}},
        [PERSON],
    )
    text = "Mevrouw Voorbeeld belde op 14-01-2026 om 21.30 uur de politie: € 1.500,00 en 3 jaar."
    assert mask(text) == text
    assert mask("Hij woont op 1234 ab en belt 06 1234 5678 of +31612345678.") == (
        f"Hij woont op {LEFT_OUT} en belt {LEFT_OUT} of {LEFT_OUT}."
    )


# ── the kinds, as data ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_kind_of_partner_has_a_kind_of_handover_and_only_two_leave_the_watch() -> None:
    assert {kind for one in KINDS.values() for kind in one.teams} == {
        "local_team",
        "partner",
        "multidisciplinary",
        "police",
        "child_protection_board",
        "other_region",
    }
    assert {code for code, kind in KINDS.items() if not kind.takes_watch} == {"police", "child_protection_board"}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('"persons", "situation", "conditions"', '"persons", "reporter"'),
        ('"persons", "situation", "conditions"', '"persons", "bsn"'),
        ('teams = ["police"]', 'teams = ["press"]'),
        ("days = 10", "days = 0"),
        ('"victim_informed=nee"', '"victim_informed=misschien"'),
        ('"victim_informed=nee"', '"nobody=nee"'),
        ('kind = "place"', 'kind = "address"'),
        ('name = "custody"', 'name = "reason"'),
        ("[kinds.police]", "[kinds.police"),
    ],
)
def test_a_file_of_kinds_that_does_not_fit_is_refused(tmp_path: Path, wrong: str, right: str) -> None:
    text = handover_kinds.FILE.read_text("utf-8")
    assert wrong in text
    file = tmp_path / "kinds.toml"
    file.write_text(text.replace(wrong, right), "utf-8")
    with pytest.raises(SettingsError, match=r"kinds\.toml"):
        handover_kinds.in_force.load(file)


def test_a_date_and_a_choice_are_checked() -> None:
    kind = KINDS["other_region"]
    assert handover_kinds.faults(kind, CONTENTS["other_region"] | {"involved_since": "gisteren"}).keys() == {
        "involved_since"
    }
    # A day in another form would be another text in a message.
    for day in ("20261001", "2026-W40-4", "2026-02-30"):
        assert handover_kinds.faults(kind, CONTENTS["other_region"] | {"involved_since": day})
    assert handover_kinds.faults(KINDS["police"], CONTENTS["police"] | {"urgency": "Ooit"}).keys() == {"urgency"}


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────────


def invited(desk: Desk, one: UUID, at: datetime = AT) -> tuple[str, str]:
    with desk.db.transaction():
        made = invite.invite(desk.db, one, by="bram", at=at)
    return made.url_path.removeprefix("/partner/"), made.code


def enter(desk: Desk, token: str, code: str, at: datetime = AT) -> str | None:
    with desk.db.transaction():
        return invite.open_visit(desk.db, token, code, at)


def test_link_and_code_open_one_visit_of_an_hour_and_are_worth_nothing_afterwards(desk: Desk) -> None:
    one = desk.offer()
    token, code = invited(desk, one)
    assert len(code) == 8
    assert code.isdecimal()
    assert len(token) >= 43
    stored = str(desk.db.execute("SELECT * FROM handover_invite").fetchall())
    assert token not in stored
    assert code not in stored
    visit = enter(desk, token, f"{code[:4]} {code[4:]}")
    assert visit
    assert enter(desk, token, code) is None, "a replay of the link"
    found = invite.visitor(desk.db, visit, AT + timedelta(minutes=59))
    assert found
    assert (found.handover_id, found.report_id) == (one, desk.report)
    assert invite.visitor(desk.db, visit, AT + timedelta(minutes=60)) is None
    assert invite.visitor(desk.db, token, AT) is None
    assert invite.visitor(desk.db, "", AT) is None


def test_five_wrong_codes_end_an_invitation(desk: Desk) -> None:
    token, code = invited(desk, desk.offer())
    wrong = f"{(int(code) + 1) % 10**8:08}"
    assert [enter(desk, token, wrong) for _ in range(4)] == [None] * 4
    other, right = invited(desk, desk.find_one())
    assert enter(desk, other, right), "each invitation has its own count"
    token, code = invited(desk, desk.find_one())
    assert [enter(desk, token, "") for _ in range(5)] == [None] * 5
    assert enter(desk, token, code) is None
    rows = desk.db.execute(
        "SELECT outcome, count(*) AS n FROM audit_entry WHERE action = 'partner.enter' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(row["outcome"], row["n"]) for row in rows] == [("ok", 1), ("refused", 10)]


def test_unknown_expired_ended_and_answered_look_the_same(desk: Desk) -> None:
    one = desk.offer(days=2)
    older = invited(desk, one)
    newer = invited(desk, one)
    assert enter(desk, *older) is None, "a new invitation ends the older"
    assert enter(desk, "unknown", "12345678") is None
    assert enter(desk, *newer, AT + timedelta(days=5)) is None, "expired"
    visit = enter(desk, *newer)
    assert visit
    desk.refuse(one)
    assert invite.visitor(desk.db, visit, AT) is None, "the visit ends with the answer"
    with pytest.raises(Conflict):
        invited(desk, one)
    with pytest.raises(NotFound):
        invited(desk, uuid7())


def test_a_team_that_ended_gets_no_link_and_its_link_does_nothing(desk: Desk) -> None:
    one = desk.offer()
    token, code = invited(desk, one)
    desk.db.execute("UPDATE team SET valid_to = %s", (DAY - timedelta(days=1),))
    assert enter(desk, token, code) is None
    assert handovers.open_of_team(desk.db, desk.teams["local_team"], AT) == []
    with pytest.raises(Conflict, match="bestaat niet meer"):
        invited(desk, one)


def test_one_link_used_twice_at_once_opens_one_visit(desk: Desk) -> None:
    token, code = invited(desk, desk.offer())
    gate = Barrier(2)

    def go(_: int) -> str | None:
        gate.wait()
        with transaction() as db:
            return invite.open_visit(db, token, code, AT)

    with ThreadPoolExecutor(2) as threads:
        assert sorted(visit is None for visit in threads.map(go, range(2))) == [False, True]
