"""Release: closed by default, one person or two, and never the same one twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import CheckViolation

from core.database import Db, transaction
from core.errors import Conflict, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from radar.casework import letters
from radar.outbound import dangers, gate, kinds, recipients, release, rows
from radar.outbound.kinds import rules
from tests.radar.outbound.desk import AT, CONTENT, Door
from tests.radar.test_letters import words as words_of


@pytest.fixture
def door(db: Db) -> Door:
    return Door(db)


# ── what may go to whom is data, and closed ─────────────────────────────────────────────────────────────────────


def test_a_kind_a_recipient_or_a_part_that_is_not_on_the_list_is_refused(door: Door) -> None:
    partner, sender = ("partner", door.world.local_team), ("sender", door.world.police)
    tries: list[dict[str, Any]] = [
        {"kind": "postcard"},
        {"kind": "person_notice", "recipient": partner},
        {"kind": "access_copy", "recipient": sender, "parts": ["own_data"]},
        {"kind": "person_notice", "parts": []},
        {"kind": "person_notice", "parts": ["letter", "history"]},
        {"kind": "handover", "recipient": partner, "parts": ["own_data"]},
        {"kind": "feedback", "recipient": sender, "parts": ["persons"]},
    ]
    for values in tries:
        with pytest.raises(release.NotForThis):
            door.propose(**values)
    assert door.db.execute("SELECT FROM outgoing").fetchone() is None


def test_a_row_whose_kind_left_the_list_does_not_leave(door: Door) -> None:
    one = door.released()
    door.db.execute("UPDATE outgoing SET parts = '{letter,phones}' WHERE id = %s", (one,))
    assert door.leave(one) is None
    assert door.row(one)["held_why"] == ["not_allowed"]


def test_no_address_and_no_reporter_is_a_part_of_anything() -> None:
    parts = {part for one in rules().recipients.values() for part in one.parts}
    assert not {part for part in parts if "address" in part or "reporter" in part or "whereabouts" in part}
    assert parts == rules().parts.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('recipients = ["sender"]', 'recipients = ["everybody"]'),
        ('parts = ["outcome", "watch"]', 'parts = ["outcome", "own_data"]'),
        ('two_persons_when = ["reporter_concerned"]', 'two_persons_when = ["rain"]'),
        ("two_persons = true", 'two_persons = "perhaps"'),
        ("days = 14", "days = 0"),
        ('receipt = "dat het bericht is ontvangen"\n', ""),
        ("[recipients.partner]", "[recipients.neighbour]"),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, old: str, new: str) -> None:
    text = kinds.FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "kinds.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"kinds\.toml"):
        kinds.rules.load(file)


def test_every_letter_is_a_kind_that_may_leave() -> None:
    for template, text in letters.texts().items():
        kind = rules().kinds[letters.kind_of(template)]
        assert kind.recipients == (["person"] if text.to_person else ["sender"]), template


# ── one person, or two ──────────────────────────────────────────────────────────────────────────────────────────


def test_one_person_releases_what_is_not_dangerous(door: Door) -> None:
    recipients.check_person(door.db, door.mother, "asked", by="bram", at=AT)
    one = door.propose("person_notice")
    assert door.release(one)
    row = door.row(one)
    assert (row["state"], row["released_by"], row["second_by"], row["released_at"]) == ("released", "bram", None, AT)
    with pytest.raises(Conflict):
        door.release(one, "gwen")


def test_an_access_copy_needs_two_persons_and_the_same_one_twice_is_refused(door: Door) -> None:
    recipients.check_person(door.db, door.mother, "handed", by="bram", at=AT)
    one = door.propose("access_copy")
    assert not door.release(one)
    assert (door.row(one)["state"], door.tasks(), door.leave(one)) == ("proposed", [one], None)
    for _ in range(2):
        with pytest.raises(release.SamePerson):
            door.release(one)
    assert door.row(one)["second_by"] is None
    assert door.release(one, "gwen")
    assert (door.row(one)["state"], door.tasks()) == ("released", [])
    assert door.leave(one) == CONTENT


@pytest.mark.parametrize("danger", ["other_address"])
def test_a_letter_with_a_danger_in_it_needs_two_persons(door: Door, danger: str) -> None:
    recipients.check_person(door.db, door.mother, "asked", by="bram", at=AT)
    one = door.propose("person_notice", dangers=[danger])
    assert not door.release(one)
    assert door.release(one, "gwen")


def test_a_danger_that_nobody_knows_is_a_mistake(door: Door) -> None:
    with pytest.raises(LookupError):
        door.propose("person_notice", dangers=["rain"])


@pytest.mark.parametrize(("many", "two"), [(0, False), (1, True)])
def test_a_large_export_needs_two_persons(door: Door, many: int, two: bool) -> None:
    member = door.world.staff("privacy_officer")
    staff = door.db.execute("SELECT id FROM staff WHERE username = %s", (member,)).fetchone()
    assert staff
    one = door.propose(
        "export",
        report_id=None,
        region=door.world.region,
        recipient=("staff", staff["id"]),
        parts=["log"],
        rows_in_it=rules().limits.export_rows + many,
    )
    assert door.release(one, member) is not two
    assert door.row(one)["dangers"] == (["bulk"] if two else [])
    door.db.execute("UPDATE staff SET active = false WHERE id = %s", (staff["id"],))
    assert "recipient_staff" in door.objections(one)


def test_the_database_refuses_what_the_code_would_forget(door: Door) -> None:
    one = door.propose("access_copy")
    wrong = (
        "UPDATE outgoing SET state = 'released' WHERE id = %s",
        "UPDATE outgoing SET state = 'released', released_by = 'bram', released_at = now() WHERE id = %s",
        "UPDATE outgoing SET released_by = 'bram', released_at = now(), second_by = 'bram', second_at = now()"
        " WHERE id = %s",
        "UPDATE outgoing SET state = 'held' WHERE id = %s",
        "UPDATE outgoing SET state = 'gone' WHERE id = %s",
    )
    for query in wrong:
        with pytest.raises(CheckViolation), door.db.transaction():
            door.db.execute(query, (one,))  # type: ignore[call-overload]


def test_two_at_once_count_as_two(door: Door) -> None:
    recipients.check_person(door.db, door.mother, "handed", by="bram", at=AT)
    one = door.propose("access_copy")
    door.release(one)
    with transaction() as other:
        assert release.release(other, one, by="gwen", at=AT)
    with pytest.raises(Conflict):
        door.release(one, "teun")


def test_proposing_again_is_proposing_once(door: Door) -> None:
    subject = uuid7()
    assert door.propose("person_notice", subject) == door.propose("person_notice", subject)


def test_a_withdrawn_thing_leaves_no_more(door: Door) -> None:
    one = door.released()
    with pytest.raises(ReasonMissing):
        release.withdraw(door.db, one, reason=" ", by="bram", at=AT)
    with door.db.transaction():
        release.withdraw(door.db, one, reason="Zij belde zelf.", by="bram", at=AT)
    assert door.leave(one) is None
    assert (door.row(one)["state"], door.tasks()) == ("withdrawn", [])
    with pytest.raises(Conflict):
        release.withdraw(door.db, one, reason="Nog eens.", by="bram", at=AT)


def test_the_release_says_what_is_in_the_way_and_changes_nothing(door: Door) -> None:
    one = door.propose("person_notice")
    with pytest.raises(release.Objected, match="nog niet gecontroleerd of dit de persoon bereikt") as refused:
        door.release(one)
    assert [found.code for found in refused.value.objections] == ["recipient_person"]
    assert door.row(one)["released_by"] is None


def test_an_unknown_thing_cannot_be_released(door: Door) -> None:
    with pytest.raises(NotFound):
        door.release(uuid7())


# ── recipients ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_check_of_a_person_wears_out(door: Door) -> None:
    known = {"how": "asked", "checked_at": AT.isoformat()}
    days = rules().person_checks.days
    assert recipients.person_objection(known, AT.replace(day=2 + days), protected=False) == ""
    assert "ouder dan" in recipients.person_objection(known, AT.replace(day=3 + days), protected=False)
    with pytest.raises(recipients.CheckIncomplete):
        recipients.check_person(door.db, door.mother, "somehow", by="bram", at=AT)
    with pytest.raises(NotFound):
        recipients.check_person(door.db, uuid7(), "asked", by="bram", at=AT)


GOOD = {
    "until": AT.date().replace(year=2027),
    "how": "Teruggebeld op het nummer van de website.",
    "domain": "wijkteam.example",
    "domain_until": AT.date().replace(year=2027),
    "mailbox": "Postbus@Wijkteam.example",
}


def test_a_partner_is_checked_by_a_person_until_a_day(door: Door) -> None:
    with door.db.transaction():
        recipients.verify_partner(door.db, door.world.region, door.world.local_team, **GOOD, by="teun", at=AT)
    found = recipients.partner(door.db, door.world.region, door.world.local_team, AT)
    assert (found["verified_until"], found["mailbox"]) == (GOOD["until"], "postbus@wijkteam.example")
    assert (found["checked_by"], found["objection"]) == ("teun", "")
    assert len(door.audited("partner.verify")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": None}, "until"),
        ({"until": AT.date().replace(year=2025)}, "until"),
        ({"until": AT.date().replace(year=2031)}, "until"),
        ({"how": " "}, "how"),
        ({"domain": "https://x.nl/"}, "domain"),
        ({"mailbox": "geen adres"}, "mailbox"),
        ({"mailbox": "iemand@gmail.example"}, "mailbox"),
        ({"mailbox": "iemand@nietwijkteam.example"}, "mailbox"),
        ({"domain_until": None}, "domain_until"),
    ],
)
def test_a_check_of_a_partner_that_is_not_whole_is_refused(door: Door, change: dict[str, Any], field: str) -> None:
    values: dict[str, Any] = GOOD | change
    with pytest.raises(recipients.CheckIncomplete) as refused:
        recipients.verify_partner(door.db, door.world.region, door.world.local_team, **values, by="teun", at=AT)
    assert field in refused.value.errors


def test_a_team_of_our_own_or_of_another_region_is_no_partner(door: Door) -> None:
    values: dict[str, Any] = GOOD
    for region, team in ((door.world.region, door.world.team), (uuid7(), door.world.local_team)):
        with pytest.raises(NotFound):
            recipients.verify_partner(door.db, region, team, **values, by="teun", at=AT)


# ── letters and paper ───────────────────────────────────────────────────────────────────────────────────────────

FIELDS = {"aan": "Maria", "over": "u", "bellen": "0800-2000", "medewerker": "Bram"}


def letter(door: Door, **changes: str) -> Any:
    with door.db.transaction():
        return letters.make(door.db, door.report, "person_notice", FIELDS | changes, door.mother, "bram", AT)


def test_before_its_release_only_a_draft_can_be_read(door: Door) -> None:
    made = letter(door)
    paper = letters.copy(door.db, door.world.region, made, by="gwen", name="Gwen", at=AT)
    assert paper is not None
    assert "CONCEPT, niet versturen. Gelezen door Gwen" in words_of(paper)
    assert door.audited("outbound.send") == []
    (line,) = door.audited("outbound.print")
    assert (line["actor"], line["details"]["draft"]) == ("gwen", True)


def test_each_copy_has_its_own_number_that_leads_to_who_took_it(door: Door) -> None:
    made = letter(door)
    recipients.check_person(door.db, door.mother, "asked", by="bram", at=AT)
    letters.let_go(door.db, door.world.region, made, by="bram", at=AT)
    papers = [letters.copy(door.db, door.world.region, made, by=by, name="X", at=AT) for by in ("bram", "gwen")]
    outgoing = release.required(door.db, "person_notice", made)
    taken = {gate.print_number(one["id"]): one["actor"] for one in rows.prints_of(door.db, outgoing["id"])}
    assert sorted(taken.values()) == ["bram", "gwen"]
    hashes = door.db.execute("SELECT content_sha256 FROM outgoing_print").fetchall()
    for paper in papers:
        assert paper is not None
        said = words_of(paper)
        (number,) = [one for one in taken if f"Afdruk {one}" in said]
        assert "CONCEPT" not in said
        assert "gwen" not in said.casefold(), taken[number]
        assert hashlib.sha256(paper).digest() in {bytes(row["content_sha256"]) for row in hashes}


def test_a_letter_that_is_held_gives_no_paper(door: Door) -> None:
    made = letter(door)
    recipients.check_person(door.db, door.mother, "asked", by="bram", at=AT)
    letters.let_go(door.db, door.world.region, made, by="bram", at=AT)
    door.db.execute("DELETE FROM person_check")
    assert letters.copy(door.db, door.world.region, made, by="bram", name="Bram", at=AT) is None
    assert len(door.tasks()) == 1
    paper = letters.copy(door.db, door.world.region, made, by="bram", name="Bram", at=AT)
    assert paper is not None
    assert "CONCEPT" in words_of(paper), "held: to read it again, not to send it"


def test_many_copies_on_one_day_are_noticed_once(door: Door) -> None:
    made = letter(door)
    limit = rules().limits.prints_per_day
    for number in range(limit + 2):
        letters.copy(door.db, door.world.region, made, by="gwen", name="Gwen", at=AT)
        assert len(door.audited("outbound.many_prints")) == (number >= limit)
    letters.copy(door.db, door.world.region, made, by="bram", name="Bram", at=AT)
    assert [row["actor"] for row in door.audited("outbound.many_prints")] == ["gwen"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("u", set()),
        ("uw kind in de Voorbeeldstraat", {"other_address"}),
        ("uw kind op 9999 ZZ", {"other_address"}),
        ("uw kind, bel 06 000 000 01", {"other_address"}),
        ("u, na een melding van Politie eenheid Voorbeeld", {"reporter"}),
    ],
)
def test_what_somebody_typed_may_make_a_letter_dangerous(door: Door, typed: str, found: set[str]) -> None:
    assert dangers.found_in(door.db, door.report, [typed]) == found
    made = letter(door, over=typed)
    row = release.required(door.db, "person_notice", made)
    assert (set(row["dangers"]), row["two_persons"]) == (found, bool(found))


def test_the_file_of_a_letter_holds_nothing_of_others(door: Door) -> None:
    """D5, D1: the words of the file as they are read, and its bytes, hold no canary of the report."""
    made = letter(door)
    recipients.check_person(door.db, door.mother, "asked", by="bram", at=AT)
    letters.let_go(door.db, door.world.region, made, by="bram", at=AT)
    paper = letters.copy(door.db, door.world.region, made, by="bram", name="Bram", at=AT)
    assert paper is not None
    for secret in ("Voorbeeldstraat", "1234AB", "Dalstad", "0600000001", "999993653", "Proef", "Politie"):
        assert secret not in words_of(paper)
        assert secret.encode() not in paper
