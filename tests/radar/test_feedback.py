"""Feedback to the reporter: proposed by the work, no more than he may know, released by a person, and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from core.database import Db, Row, transaction
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from intake import outbox
from intake.corv.write_feedback import OUTCOMES
from radar.casework import feedback, feedback_rows, feedback_text, ledger
from radar.casework.feedback_text import MOMENTS, personal_data
from tests.intake.receiver import receiving
from tests.radar.told import Told
from tests.web.conftest import FATHER, MOTHER, PERSON, World
from workers.work import carry_out

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # a Monday
CODES = {
    "assessment": ("VT-00", "VT-01-01", "VT-01-02", "VT-01-03", "VT-01-04", "VT-99"),
    "closing": ("VT-02", "VT-03"),
}
CASES = [(moment, code) for moment, codes in CODES.items() for code in codes]


class Desk:
    """A region with one report of a reporter, in a case that Veilig Thuis watches."""

    def __init__(self, db: Db, kind: str = "politie", channel: str = "corv", state: str = "conditions") -> None:
        self.db, self.world = db, Told(db, 1, channel=channel)
        household, self.case = self.world.household(AT - timedelta(days=3))
        self.report = self.world.report(
            AT - timedelta(days=3),
            [PERSON, MOTHER],
            household=household,
            case=self.case,
            state=state,
            kind=kind,
            reference="PL9999-1",
        )

    def draft(self, moment: Any = "assessment", code: str = "VT-01-01", at: datetime = AT) -> UUID:
        with self.db.transaction():
            made = feedback.draft(self.db, self.report, moment, code, at)
        assert made is not None
        return made

    def release(self, one: UUID, text: str = "Verzonnen tekst.", **changes: Any) -> None:
        values: dict[str, Any] = {"with_role": False, "by": "ilse", "role": "intake_worker", "at": AT}
        with self.db.transaction():
            feedback.release(self.db, one, text, **values | changes)

    def row(self, one: UUID) -> Row:
        rows = feedback_rows.of_report(self.db, self.world.region, self.report)
        return next(row for row in rows if row["id"] == one)

    def term(self, one: UUID) -> Row:
        term = ledger.find(self.db, self.world.region, "feedback", one)
        assert term
        return term

    def open_tasks(self) -> list[UUID]:
        rows = self.db.execute("SELECT subject_id FROM task WHERE kind = 'feedback' AND done_at IS NULL").fetchall()
        return [row["subject_id"] for row in rows]

    def watch(self, holder: str, team: UUID | None = None) -> None:
        with self.db.transaction():
            self.db.execute(
                "UPDATE safety_watch SET until = %s WHERE case_id = %s AND until IS NULL", (AT, self.case)
            )
            self.db.execute(
                "INSERT INTO safety_watch (id, region_id, case_id, holder, team_id, since, reason)"
                " VALUES (%s, %s, %s, %s, %s, %s, 'Overgedragen')",
                (uuid7(), self.world.region, self.case, holder, team, AT),
            )

    def handed_over(self, to: str = "local_team") -> None:
        self.db.execute("UPDATE team SET kind = %s WHERE id = %s", (to, self.world.local_team))
        self.db.execute(
            "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at, decided_at,"
            " decided_by) VALUES (%s, %s, %s, 'decided', %s, 'handover', 'Omdat.', %s, %s, 'bram')",
            (uuid7(), self.world.region, self.report, self.world.local_team, AT, AT),
        )

    def condition(self, text: str, state: str = "open") -> None:
        self.db.execute(
            "INSERT INTO safety_condition (id, region_id, report_id, text, owner, due_on, state, made_at, made_by,"
            " settled_at) VALUES (%s, %s, %s, %s, 'vader', %s, %s, %s, 'bram', %s)",
            (
                uuid7(),
                self.world.region,
                self.report,
                text,
                date(2026, 12, 1),
                state,
                AT,
                None if state == "open" else AT,
            ),
        )

    def messages(self) -> list[Row]:
        return self.db.execute("SELECT * FROM outgoing_message").fetchall()


# ── the proposal ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["politie", "onderwijs", "anders"])
@pytest.mark.parametrize(("moment", "code"), CASES)
def test_there_is_a_text_for_every_moment_code_and_reporter(moment: Any, code: str, kind: str) -> None:
    reporter = feedback_text.kind_of(kind)
    text = feedback_text.proposal(
        moment,
        code,
        reporter,
        reference="K" * 40,
        handed_to=feedback_text.organisation(reporter, "W" * 100, "local_team"),
        holder="partner",
        watch="W" * 100,
    )
    assert 20 < len(text) <= 1000
    assert "{" not in text


def test_every_outcome_belongs_to_a_moment() -> None:
    assert {code for codes in CODES.values() for code in codes} == set(OUTCOMES)
    assert set(MOMENTS) == set(CODES)
    for moment, codes in CODES.items():
        assert set(getattr(feedback_text.texts(), moment)) == set(codes)


def test_a_text_with_an_unknown_field_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wrong = tmp_path / "feedback.toml"
    wrong.write_text(feedback_text.FILE.read_text(encoding="utf-8").replace("{kenmerk}", "{naam_kind}"))
    monkeypatch.setattr(feedback_text, "FILE", wrong)
    feedback_text.texts.cache_clear()
    with pytest.raises(SettingsError, match="naam_kind"):
        feedback_text.texts()
    wrong.write_text("version = 1")
    with pytest.raises(SettingsError):
        feedback_text.texts()
    monkeypatch.undo()
    feedback_text.texts.cache_clear()


def test_a_draft_has_its_text_its_term_and_its_task(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    row = desk.row(one)
    assert (row["state"], row["channel"], row["code"]) == ("draft", "corv", "VT-01-01")
    assert "PL9999-1" in row["text"]
    assert row["watch"] == "Voorbeeldregio 1"
    assert desk.term(one)["norm_due_on"] == date(2026, 11, 9)  # five working days after a Monday
    assert desk.open_tasks() == [one]
    assert desk.messages() == []


def test_the_channel_follows_how_the_report_came(db: Db) -> None:
    for number, (channel, expected) in enumerate({"corv": "corv", "json": "json", "import": "letter"}.items()):
        desk = Desk.__new__(Desk)
        desk.db, desk.world = db, Told(db, number + 1, channel=channel)
        desk.report = desk.world.report(AT, state="conditions")
        assert desk.row(desk.draft())["channel"] == expected


def test_a_form_that_was_no_report_gets_none(db: Db) -> None:
    desk = Desk(db, state="forwarded")
    with db.transaction():
        assert feedback.draft(db, desk.report, "assessment", "VT-99", AT) is None
    assert desk.open_tasks() == []


def test_an_unknown_report_or_code_is_refused(db: Db) -> None:
    desk = Desk(db)
    with pytest.raises(NotFound), db.transaction():
        feedback.draft(db, uuid7(), "assessment", "VT-00", AT)
    with pytest.raises(LookupError), db.transaction():
        feedback.draft(db, desk.report, "assessment", "VT-03", AT)


def test_a_newer_draft_of_the_same_moment_replaces_the_open_one(db: Db) -> None:
    desk = Desk(db)
    first, closing = desk.draft(code="VT-01-01"), desk.draft("closing", "VT-03")
    second = desk.draft(code="VT-01-03", at=AT + timedelta(hours=1))
    assert (desk.row(first)["state"], desk.row(first)["why_not"]) == ("not_needed", feedback.REPLACED)
    assert desk.term(first)["dropped_why"] == feedback.REPLACED
    assert set(desk.open_tasks()) == {closing, second}
    with pytest.raises(Conflict, match="vervangen"):
        desk.release(first)


def test_what_was_released_stays_when_a_later_decision_comes(db: Db) -> None:
    desk = Desk(db)
    first = desk.draft(code="VT-01-01")
    desk.release(first)
    second = desk.draft(code="VT-01-03")
    assert desk.row(first)["state"] == "released"
    desk.release(second)
    assert len(desk.messages()) == 2


# ── what each reporter may know ─────────────────────────────────────────────────────────────────────────────────


def test_police_and_professionals_read_to_whom_by_name_and_a_citizen_only_what_it_is(db: Db) -> None:
    desk = Desk(db)
    desk.handed_over()
    desk.watch("partner", desk.world.local_team)
    told: dict[str, Row] = {}
    for kind in ("politie", "zorg", "anders", "burger"):
        db.execute("UPDATE report SET reporter_kind = %s WHERE id = %s", (kind, desk.report))
        told[kind] = desk.row(desk.draft("closing", "VT-02"))
    for kind in ("politie", "zorg"):
        assert "Wijkteam Dal" in told[kind]["text"]
        assert told[kind]["watch"] == "Wijkteam Dal"
    for kind in ("anders", "burger"):
        assert "Wijkteam" not in told[kind]["text"]
        assert "het lokale team van de gemeente" in told[kind]["text"]
        assert told[kind]["watch"] == ""
        assert "PL9999-1" not in told[kind]["text"]


@pytest.mark.parametrize("kind", ["politie", "zorg", "anders"])
def test_a_reporter_who_watches_himself_reads_that_he_does(db: Db, kind: str) -> None:
    desk = Desk(db, kind)
    desk.watch("reporter")
    assert "zoals afgesproken" in desk.row(desk.draft())["text"]


def test_an_accepted_handover_counts_above_the_decision_and_one_that_only_informs_does_not(db: Db) -> None:
    desk = Desk(db)
    desk.handed_over()
    other = uuid7()
    db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'Hulp Veraf', 'partner', %s)",
        (other, desk.world.region, date(2020, 1, 1)),
    )

    def offer(state: str, takes_watch: bool) -> None:
        db.execute(
            "INSERT INTO handover (id, region_id, report_id, kind, team_id, state, takes_watch, afterwards, days,"
            " shares, content, offered_at, offered_by, answered_at, answered_by, answer) VALUES (%s, %s, %s,"
            " 'direct', %s, %s, %s, 'close', 5, '[]', '{}', %s, 'bram', %s, 'partner', 'Ja')",
            (uuid7(), desk.world.region, desk.report, other, state, takes_watch, AT, AT),
        )

    offer("accepted", False)
    offer("refused", True)
    assert "Wijkteam Dal" in desk.row(desk.draft("closing", "VT-02"))["text"]
    offer("accepted", True)
    assert "Hulp Veraf" in desk.row(desk.draft("closing", "VT-02"))["text"]


def test_nobody_is_said_to_watch_a_closed_case(db: Db) -> None:
    desk = Desk(db)
    with db.transaction():
        db.execute("UPDATE safety_watch SET until = %s WHERE case_id = %s", (AT, desk.case))
        db.execute("UPDATE cases SET closed_at = %s WHERE id = %s", (AT, desk.case))
    assert desk.row(desk.draft("closing", "VT-03"))["watch"] == ""


# ── release ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_released_over_corv_it_is_one_message_and_the_work_is_done(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.release(one, "Wij gaan zelf verder.")
    (message,) = desk.messages()
    assert (message["kind"], message["subject_id"], message["sender_id"]) == (
        "vtTerugkoppelingDi01",
        one,
        desk.world.police,
    )
    root = etree.fromstring(outbox.body_of(desk.db, message["id"]))
    found = {etree.QName(node).localname: node.text for node in root.iter() if len(node) == 0}
    assert found["toelichting"] == "Wij gaan zelf verder."
    assert found["identificatieVtMelding"] == "PL9999-1"
    assert found["uitkomst"] == "vervolgstappen belegd bij VT"
    assert found["referentienummer"] == message["reference"]
    assert str(found["identificatie"]).startswith("VT-2026-")
    assert found["tijdstipBericht"] == "20261102100000000"
    row = desk.row(one)
    assert (row["state"], row["released_by"], row["delivery"]["state"]) == ("released", "ilse", "no_address")
    assert desk.term(one)["met_at"] == AT
    assert desk.open_tasks() == []


def test_when_the_receiver_has_it_the_feedback_is_sent(db: Db) -> None:
    desk = Desk(db)
    with receiving() as receiver:
        db.execute("UPDATE sender SET reply_url = %s WHERE id = %s", (receiver.url, desk.world.police))
        one = desk.draft()
        desk.release(one)
        assert desk.row(one)["delivery"]["state"] == "waiting"
        receiver.answers = [(500, b"")]
        job = desk.row(one)["delivery"]["job_id"]
        assert not carry_out(job)
        assert desk.row(one)["state"] == "released"
        db.execute("UPDATE job SET due_at = now() WHERE id = %s", (job,))
        assert carry_out(job)
    row = desk.row(one)
    assert (row["state"], row["sent_at"]) == ("sent", row["delivery"]["sent_at"])
    assert receiver.received == [outbox.body_of(desk.db, desk.messages()[0]["id"])] * 2


def test_over_json_it_can_be_read_and_makes_no_message(db: Db) -> None:
    desk = Desk(db, "zorg", "json")
    one = desk.draft()
    desk.release(one)
    assert desk.messages() == []
    assert desk.row(one)["state"] == "released"
    assert desk.term(one)["met_at"] == AT
    assert desk.open_tasks() == []


def test_a_letter_or_talk_is_done_when_a_person_says_so(db: Db) -> None:
    desk = Desk(db, "anders", "import")
    one = desk.draft()
    with pytest.raises(Conflict, match="eerst vrij"), db.transaction():
        feedback.sent(db, one, "letter", "ilse", AT)
    desk.release(one)
    assert desk.term(one)["met_at"] is None
    assert desk.open_tasks() == [one]
    later = AT + timedelta(days=1)
    with db.transaction():
        feedback.sent(db, one, "talk", "ilse", later)
    row = desk.row(one)
    assert (row["state"], row["channel"], row["sent_at"]) == ("sent", "talk", later)
    assert desk.term(one)["met_at"] == later
    assert desk.open_tasks() == []
    with pytest.raises(Conflict, match="al afgehandeld"), db.transaction():
        feedback.sent(db, one, "letter", "ilse", later)


def test_what_goes_by_itself_is_not_ticked_off_by_hand(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.release(one)
    with pytest.raises(Conflict, match="vanzelf"), db.transaction():
        feedback.sent(db, one, "letter", "ilse", AT)


@pytest.mark.parametrize("role", ["partner", "system", "administrator"])
def test_only_a_worker_of_veilig_thuis_releases(db: Db, role: str) -> None:
    desk = Desk(db)
    one = desk.draft()
    with pytest.raises(NotAllowed):
        desk.release(one, role=role)
    assert desk.row(one)["state"] == "draft"


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "behavioural_scientist", "team_lead"])
def test_each_worker_of_veilig_thuis_may(db: Db, role: str) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.release(one, role=role)
    assert desk.row(one)["state"] == "released"


def test_a_second_release_is_refused(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.release(one)
    with pytest.raises(Conflict, match="al vrijgegeven"):
        desk.release(one)
    assert len(desk.messages()) == 1


def test_two_people_at_the_same_moment_release_it_once(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    together = Barrier(2)

    def release(by: str) -> str:
        together.wait()
        try:
            with transaction() as own:
                feedback.release(own, one, f"Van {by}.", False, by, "assessor", AT)
        except Conflict as error:
            return error.message
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = [one.result() for one in [pool.submit(release, by) for by in ("ilse", "bram")]]
    assert sorted(answers) == ["Deze terugkoppeling is al vrijgegeven.", "done"]
    assert len(desk.messages()) == 1


@pytest.mark.parametrize("state", ["received", "assessing", "signing"])
def test_while_the_decision_is_revised_nothing_is_told(db: Db, state: str) -> None:
    desk = Desk(db, state=state)
    one = desk.draft()
    with pytest.raises(Conflict, match="herzien"):
        desk.release(one)


def test_the_text_has_its_limits(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    for blank in ("", " \r\n ", "\x0b"):
        with pytest.raises(feedback.TextMissing):
            desk.release(one, blank)
    with pytest.raises(feedback.TextTooLong, match="1001"):
        desk.release(one, "x" * 1001)
    # A browser sends a line end as two characters; it counts as one.
    desk.release(one, "\r\n".join(["é" * 499, "ë" * 500]) + "\x00\x0b\ufffe")
    assert desk.row(one)["text"] == "é" * 499 + "\n" + "ë" * 500


def test_a_kept_draft_is_what_will_be_released(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    with db.transaction():
        feedback.write(db, one, "Anders\r\ngezegd.", True, "  Wijkteam \n Dal ", "ilse", AT)
    row = desk.row(one)
    assert (row["state"], row["text"], row["with_role"], row["watch"]) == (
        "draft",
        "Anders\ngezegd.",
        True,
        "Wijkteam Dal",
    )
    desk.release(one, row["text"], watch="")
    assert b"betreft" not in outbox.body_of(desk.db, desk.messages()[0]["id"])
    with pytest.raises(Conflict), db.transaction():
        feedback.write(db, one, "Te laat.", False, "", "ilse", AT)


def test_not_needed_asks_a_reason_and_drops_the_term(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    with pytest.raises(ReasonMissing), db.transaction():
        feedback.not_needed(db, one, "  ", "ilse", AT)
    with db.transaction():
        feedback.not_needed(db, one, "De melder wil niets horen.", "ilse", AT)
    assert (desk.row(one)["state"], desk.term(one)["dropped_why"]) == ("not_needed", "De melder wil niets horen.")
    assert desk.open_tasks() == []
    with pytest.raises(Conflict):
        desk.release(one)


def test_the_audit_trail_holds_codes_and_no_text(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.release(one, "Geheimschuiladres")
    rows = db.execute("SELECT action, actor, details::text AS details FROM audit_entry ORDER BY number").fetchall()
    assert ("feedback.release", "ilse") in [(row["action"], row["actor"]) for row in rows]
    assert "Geheimschuiladres" not in repr(rows)


def test_an_unknown_feedback_is_not_found(db: Db) -> None:
    Desk(db)
    with pytest.raises(NotFound), db.transaction():
        feedback.release(db, uuid7(), "x", False, "ilse", "assessor", AT)


# ── conditions and what to look at twice ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["open", "withdrawn"])
def test_a_condition_itself_goes_only_to_a_reporter_with_a_role_in_it(db: Db, state: str) -> None:
    desk = Desk(db)
    desk.condition("Vader slaapt tot 1 december elders.", state)
    one = desk.draft()
    text = "Afgesproken is: VADER  slaapt\ntot 1 december elders. Dat is alles."
    with pytest.raises(feedback.RoleNeeded):
        desk.release(one, text)
    desk.release(one, text, with_role=True)
    assert desk.row(one)["with_role"] is True


def warned(desk: Desk, one: UUID, text: str, with_role: bool = False, watch: str = "Voorbeeldregio 1") -> list[str]:
    with desk.db.transaction():
        return feedback.warnings(desk.db, one, text, with_role, watch)


def test_words_about_conditions_and_monitoring_are_looked_at_twice(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    for text in ("Er zijn Voorwaarden.", "Wij monitoren dit.", "De veiligheidsafspraken staan."):
        assert len(warned(desk, one, text)) == 1
        assert warned(desk, one, text, with_role=True) == []
    assert warned(desk, one, "Wij gaan verder.") == []


def test_no_proposed_text_is_warned_about(db: Db) -> None:
    for number, kind in enumerate(("politie", "onderwijs", "anders"), start=1):
        desk = Desk.__new__(Desk)
        desk.db, desk.world = db, World(db, number)
        desk.report = desk.world.report(AT, state="conditions", kind=kind)
        for moment, code in CASES:
            row = desk.row(desk.draft(moment, code))
            assert warned(desk, row["id"], row["text"], watch=row["watch"]) == [], (kind, code)


def test_a_citizen_is_told_nobodys_name_and_no_address_without_a_second_look(db: Db) -> None:
    desk = Desk(db, "anders", "import")
    one = desk.draft()
    (text,) = warned(desk, one, "Wij spraken mevrouw voorbeeld in de Voorbeeldstraat.")
    assert "de naam 'Voorbeeld'" in text
    assert "de straat 'Voorbeeldstraat'" in text
    assert warned(desk, one, "Wij spraken de moeder.") == []


def test_the_persons_of_the_other_reports_of_the_case_count_too(db: Db) -> None:
    desk = Desk(db, "anders", "import")
    household = db.execute("SELECT household_id FROM cases WHERE id = %s", (desk.case,)).fetchone()
    assert household
    desk.world.report(AT, [FATHER], household=household["household_id"], case=desk.case)
    one = desk.draft()
    assert warned(desk, one, "Wij spraken meneer Proef.") != []


def test_police_are_told_names_without_a_warning(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    assert warned(desk, one, "Mevrouw Voorbeeld, BSN 999993653.") == []


def test_a_watch_that_moved_since_the_draft_is_looked_at_twice(db: Db) -> None:
    desk = Desk(db)
    one = desk.draft()
    desk.watch("partner", desk.world.local_team)
    (text,) = warned(desk, one, "Wij gaan verder.")
    assert "Wijkteam Dal" in text
    assert warned(desk, one, "Wij gaan verder.", watch="Wijkteam Dal") == []
    assert warned(desk, one, "Wij gaan verder.", watch="") == []


SEEN: dict[str, tuple[str, str]] = {
    "a first name": ("Wij spraken Noor.", "'Noor'"),
    "without its accent": ("Wij spraken Zoe.", "'Zoë'"),
    "in capitals": ("NOOR", "'Noor'"),
    "a part of the surname": ("familie El-Voorbeeld", "'Voorbeeld'"),
    "a full name": ("meneer Volledig", "'Volledig'"),
    "a BSN": ("nummer 999993653", "een BSN"),
    "a spaced BSN": ("999.99.36.53", "een BSN"),
    "a postcode": ("in 1234 ab", "een postcode"),
    "a street": ("op de voorbeeldlaan 3", "'Voorbeeldlaan'"),
    "a telephone": ("bel 06-12 34 56 78", "'0612345678'"),
    "a birth date": ("geboren 01-03-2015", "een geboortedatum"),
    "a birth date in words": ("geboren op 1 maart 2015", "een geboortedatum"),
}
PEOPLE = [
    {
        "naam": {"voornamen": "Noor Zoë", "voorvoegsel": "van den", "geslachtsnaam": "Voorbeeld"},
        "geboortedatum": {"tekst": "20150301", "indicatie": "V"},
        "telefoonnummers": ["+31 6 12345678"],
        "adressen": [{"straat": "Voorbeeldlaan", "huisnummer": "3"}],
    },
    {"naam": {"volledigeNaam": "Piet Volledig"}, "geboortedatum": {"tekst": "19800000", "indicatie": "M"}},
    {},
]


@pytest.mark.parametrize(("text", "expected"), SEEN.values(), ids=SEEN.keys())
def test_personal_data_is_seen_however_it_is_written(text: str, expected: str) -> None:
    assert any(expected in found for found in personal_data(text, PEOPLE))


@pytest.mark.parametrize(
    "text",
    ["Wij gaan zelf verder.", "Noordelijk van de stad", "Bel 0800-2000", "melding 2026000001", "in 2015", "van den"],
)
def test_ordinary_words_are_not_personal_data(text: str) -> None:
    assert personal_data(text, PEOPLE) == []


@given(st.text(max_size=300), st.text(min_size=2, max_size=20))
def test_no_text_breaks_the_check(text: str, name: str) -> None:
    assert isinstance(personal_data(text, [{"naam": {"geslachtsnaam": name, "voornamen": name}}]), list)
    feedback_text.speaks_of_agreements(text)
    feedback_text.quotes(text, [name])
