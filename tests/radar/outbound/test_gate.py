"""The gate: what passes gets its bytes and leaves a line; what does not is held, and a person has a task."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import register
from radar.outbound import gate, release
from radar.protection import marks, whereabouts
from tests.radar.outbound.desk import AT, CONTENT, Door
from tests.web.conftest import MOTHER, World
from workers import verify


@pytest.fixture
def door(db: Db) -> Door:
    return Door(db)


# ── what passes ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_released_leaves_with_its_hash_on_record(door: Door) -> None:
    one = door.released()
    assert door.leave(one) == CONTENT
    row = door.row(one)
    assert (row["state"], row["sent_at"], row["checked_at"]) == ("sent", AT, AT)
    assert bytes(row["content_sha256"]) == hashlib.sha256(CONTENT).digest()
    (line,) = door.audited("outbound.send")
    assert line["details"] == {
        "kind": "person_notice",
        "to": "person",
        "recipient": str(door.mother),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert door.tasks() == []


def test_nothing_leaves_that_nobody_proposed(door: Door) -> None:
    with pytest.raises(NotFound):
        gate.pass_out(door.db, "person_notice", uuid7(), CONTENT, by="system", at=AT)


def test_nothing_leaves_before_its_release_and_that_is_no_work_for_another(door: Door) -> None:
    one = door.propose("person_notice")
    assert door.leave(one) is None
    assert (door.row(one)["state"], door.tasks()) == ("proposed", [])


def test_what_goes_once_does_not_go_twice(door: Door) -> None:
    door.db.execute("UPDATE team SET kind = 'child_protection_board' WHERE id = %s", (door.world.local_team,))
    request = uuid7()
    door.db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, takes_watch, afterwards, shares, content,"
        " offered_at, offered_by)"
        " VALUES (%s, %s, %s, 'child_protection_board', %s, false, 'stay', '[]', '{}', %s, 'b')",
        (request, door.world.region, door.report, door.world.local_team, AT),
    )
    one = door.released("vto", subject=request)
    assert door.leave(one) == CONTENT
    with pytest.raises(Conflict):
        door.leave(one)
    assert len(door.audited("outbound.send")) == 1


def test_what_is_looked_at_more_than_once_is_checked_each_time(door: Door) -> None:
    one = door.released()
    assert door.leave(one) == CONTENT
    assert door.leave(one, b"later", AT + timedelta(days=1)) == b"later"
    row = door.row(one)
    assert (row["sent_at"], bytes(row["content_sha256"])) == (AT, hashlib.sha256(b"later").digest())
    assert door.leave(one, b"too late", AT + timedelta(days=20)) is None


# ── what is held ────────────────────────────────────────────────────────────────────────────────────────────────


def undone(door: Door) -> None:
    with door.db.transaction():
        register.undo(door.db, door.links[1], "gwen", AT)


def restricted(door: Door) -> None:
    contact = door.world.staff("team_lead")
    restriction = uuid7()
    door.db.execute(
        "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " SELECT %s, region_id, %s, id, 'Bekende Nederlander', 'teun', %s FROM staff WHERE username = %s",
        (restriction, door.persons[1], AT + timedelta(minutes=1), contact),
    )
    door.db.execute(
        "INSERT INTO restricted_report (report_id, restriction_id, region_id) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (door.report, restriction, door.world.region),
    )


def use_stopped(door: Door) -> None:
    request = uuid7()
    door.db.execute(
        "INSERT INTO person_request (id, region_id, report_id, mention_id, kind, received_on, noted_at, actor)"
        " VALUES (%s, %s, %s, %s, 'restriction', %s, %s, 'bram')",
        (request, door.world.region, door.report, door.mention(3), AT.date(), AT),
    )
    door.db.execute(
        "INSERT INTO use_stop (id, region_id, report_id, mention_id, request_id, reason, since, set_by)"
        " VALUES (%s, %s, %s, %s, %s, 'Betwist', %s, 'bram')",
        (uuid7(), door.world.region, door.report, door.mention(3), request, AT),
    )


def moved_house(door: Door) -> None:
    with door.db.transaction():
        whereabouts.protect(door.db, door.mother, "Zit in de opvang.", by="bram", at=AT)
        door.db.execute("UPDATE person_check SET how = 'brp'")


def check_forgotten(door: Door) -> None:
    door.db.execute("DELETE FROM person_check")


HOLDS: dict[str, Callable[[Door], None]] = {
    "link_changed": undone,
    "restricted": restricted,
    "stopped": use_stopped,
    "recipient_person": moved_house,
    "recipient_person, never checked": check_forgotten,
}


@pytest.mark.parametrize("why", HOLDS)
def test_what_changed_since_the_release_holds_it_with_a_task(door: Door, why: str) -> None:
    one = door.released()
    HOLDS[why](door)
    assert door.leave(one) is None
    row = door.row(one)
    assert (row["state"], row["sent_at"], row["content_sha256"]) == ("held", None, None)
    assert why.split(",")[0] in row["held_why"]
    assert door.tasks() == [one]
    (line,) = door.audited("outbound.hold")
    assert (line["outcome"], line["details"]["why"]) == ("refused", row["held_why"])
    assert door.audited("outbound.send") == []
    assert door.leave(one) is None, "and it stays held"
    assert len(door.audited("outbound.hold")) == 1


def test_a_new_report_about_the_family_holds_nothing(door: Door) -> None:
    one = door.released()
    later = door.world.report(AT, [MOTHER], household=door.household, case=door.case)
    door.world.link(later, 1, door.persons[1], "automatic")
    assert door.leave(one) == CONTENT


def test_a_link_elsewhere_of_the_same_person_counts_too(door: Door) -> None:
    earlier = door.world.report(AT - timedelta(days=30), [MOTHER], household=door.household, case=door.case)
    link = door.world.link(earlier, 1, door.persons[1], "automatic")
    one = door.released()
    door.db.execute(
        "UPDATE link SET state = 'rejected', decided_at = now(), decided_by = 'gwen' WHERE id = %s", (link,)
    )
    assert door.objections(one) == ["link_changed"]


def test_a_household_that_changed_holds_it(door: Door) -> None:
    one = door.released()
    other, _ = door.world.household(AT)
    door.db.execute("UPDATE report SET household_id = %s WHERE id = %s", (other, door.report))
    assert door.objections(one) == ["link_changed"]


def test_what_was_held_goes_after_everybody_released_it_again(door: Door) -> None:
    one = door.released()
    undone(door)
    assert door.leave(one) is None
    assert door.release(one)
    assert (door.row(one)["state"], door.tasks()) == ("released", [])
    assert door.leave(one) == CONTENT


def test_an_open_question_about_a_link_holds_what_is_made_from_other_reports(door: Door) -> None:
    offer = {"recipient": ("partner", door.world.local_team), "subject": handover(door)}
    with_history = door.propose("handover", parts=["incident", "history", "form"], **offer)
    other = Door(door.db, 2)
    door.world.link(door.report, 1, other.persons[0], "proposed")
    with pytest.raises(release.Objected, match="nog niet beslist"):
        door.release(with_history)
    assert door.row(with_history)["released_by"] is None, "nothing changed"
    offer["subject"] = handover(door)
    assert door.release(door.propose("handover", parts=["incident", "form"], **offer))


def handover(door: Door) -> UUID:
    made = uuid7()
    door.db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, takes_watch, afterwards, shares, content,"
        " offered_at, offered_by) VALUES (%s, %s, %s, 'police', %s, false, 'stay', '[]', '{}', %s, 'b')",
        (made, door.world.region, door.report, door.world.local_team, AT),
    )
    return made


def test_what_it_carries_must_still_stand(door: Door) -> None:
    offered = handover(door)
    one = door.released("handover", subject=offered, recipient=("partner", door.world.local_team), parts=["form"])
    assert door.leave(one) == CONTENT
    door.db.execute(
        "UPDATE handover SET state = 'withdrawn', answered_at = %s, answered_by = 'b', answer = 'x' WHERE id = %s",
        (AT, offered),
    )
    assert door.objections(one) == ["stands"]


def test_a_partner_that_is_excluded_from_somebody_gets_nothing_on_him(door: Door) -> None:
    one = door.released(
        "handover", subject=handover(door), recipient=("partner", door.world.local_team), parts=["form"]
    )
    door.db.execute(
        "INSERT INTO exclusion (id, region_id, team_id, person_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, 'Vader werkt daar', 'teun', %s)",
        (uuid7(), door.world.region, door.world.local_team, door.persons[2], AT),
    )
    assert door.objections(one) == ["excluded"]


# ── the vaults ──────────────────────────────────────────────────────────────────────────────────────────────────

TRACE = "De buurvrouw op nummer 12 hoorde het door de muur."


def test_a_sentence_that_was_marked_since_holds_it(door: Door) -> None:
    content = {"incident": {"omschrijving": f"Er was ruzie. {TRACE} Daarna werd het stil."}}
    other = Door(door.db, 2, content=content)
    one = other.released()
    assert other.leave(one, texts=("Wij hoorden dit.", TRACE)) == CONTENT
    with other.db.transaction():
        marks.mark(other.db, other.report, TRACE, by="bram", at=AT)
    assert other.objections(one, texts=("Wij hoorden dit.",)) == []
    assert other.objections(one, texts=(TRACE,)) == ["marked"]
    assert other.leave(one, texts=(TRACE,)) is None
    assert other.row(one)["held_why"] == ["marked"]


def test_an_address_from_the_vault_never_leaves_in_a_text(door: Door) -> None:
    one = door.released("feedback_letter")
    with door.db.transaction():
        whereabouts.protect(door.db, door.mother, "Zit in de opvang.", by="bram", at=AT)
    street = str(MOTHER["adressen"][0]["straat"])
    assert door.objections(one, texts=("Alles is rustig.",)) == []
    assert "secret" in door.objections(one, texts=(f"Zij woont nu in de {street} 1a.",))


def test_a_protected_person_gets_post_only_by_a_way_he_named(door: Door) -> None:
    one = door.released()
    with door.db.transaction():
        whereabouts.protect(door.db, door.mother, "Zit in de opvang.", by="bram", at=AT)
    assert door.objections(one) == [], "he was asked himself"
    door.db.execute("UPDATE person_check SET how = 'brp'")
    assert door.objections(one) == ["recipient_person"]


BY_FATHER = {"melding": {"contact": {"naam": "Jan Proef"}}}


def test_a_reporter_who_is_concerned_himself_gets_it_after_a_second_person(db: Db) -> None:
    """D6: the ex-partner reports, and feedback would tell him where things stand."""
    door = Door(db, content=BY_FATHER)
    one = door.propose("feedback_letter")
    assert not door.release(one)
    assert (door.row(one)["dangers"], door.tasks()) == (["reporter_concerned"], [one])
    assert door.leave(one) is None
    assert door.release(one, "gwen")
    assert door.leave(one) == CONTENT


def test_that_the_reporter_is_concerned_may_turn_out_after_the_release(door: Door) -> None:
    one = door.released("feedback_letter")
    door.db.execute("UPDATE report SET content = %s WHERE id = %s", (Jsonb(BY_FATHER), door.report))
    assert door.leave(one) is None
    assert door.row(one)["held_why"] == ["reporter_concerned"]
    assert not door.release(one), "from now on it takes two"
    assert door.release(one, "gwen")
    assert door.leave(one) == CONTENT


def test_who_reported_is_not_told_without_a_ground(db: Db) -> None:
    door = Door(db, kind="anders")
    one = door.propose("person_notice", dangers=["reporter"])
    with pytest.raises(release.Objected, match="geen grond om te zeggen wie meldde"):
        door.release(one)
    assert door.objections(one) == ["not_released", "recipient_person", "reporter"]


# ── partners ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("column", ["verified_until", "domain_until", "certificate_until"])
def test_a_lapsed_partner_gets_nothing_and_the_sentence_says_why(door: Door, column: str) -> None:
    one = door.released(
        "handover", subject=handover(door), recipient=("partner", door.world.local_team), parts=["form"]
    )
    values = {"verified_until": date(2099, 1, 1), "domain_until": None, "certificate_until": None} | {
        column: AT.date() - timedelta(days=1)
    }
    door.db.execute(
        "INSERT INTO partner_check (id, region_id, team_id, verified_until, domain_until, certificate_until, how,"
        " checked_at, checked_by) VALUES (%s, %s, %s, %s, %s, %s, 'x', '2026-10-01', 'teun')",
        (uuid7(), door.world.region, door.world.local_team, *values.values()),
    )
    (found,) = gate.check(door.db, door.row(one), AT)
    assert found.code == "recipient_partner"
    assert "tot 01-11-2026 en dat is voorbij. Controleer de partner opnieuw." in found.text
    assert door.leave(one) is None
    assert door.tasks() == [one]


def test_the_last_day_of_a_check_still_counts(door: Door) -> None:
    one = door.released(
        "handover", subject=handover(door), recipient=("partner", door.world.local_team), parts=["form"]
    )
    door.world.checked(door.world.local_team, AT.date())
    door.db.execute("DROP TRIGGER partner_check_append_only ON partner_check")
    door.db.execute("DELETE FROM partner_check WHERE verified_until = '2099-01-01'")
    assert door.objections(one) == []
    assert door.objections(one, AT + timedelta(days=1)) == ["recipient_partner"]


def test_a_partner_nobody_checked_gets_nothing(door: Door) -> None:
    team = uuid7()
    door.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'Nieuw', 'partner', '2020-01-01')",
        (team, door.world.region),
    )
    one = door.propose("handover", handover(door), recipient=("partner", team), parts=["form"])
    with pytest.raises(release.Objected, match="nog niet gecontroleerd"):
        door.release(one)


def test_a_sender_that_was_revoked_or_lost_its_proof_gets_nothing(door: Door) -> None:
    told = uuid7()
    door.db.execute(
        "INSERT INTO feedback (id, region_id, report_id, moment, code, state, channel, opened_at, released_at,"
        " released_by) VALUES (%s, %s, %s, 'assessment', 'VT-01-01', 'released', 'json', %s, %s, 'ilse')",
        (told, door.world.region, door.report, AT, AT),
    )
    one = door.released("feedback", subject=told, recipient=("sender", door.world.police), parts=["outcome"])
    assert door.objections(one) == []
    door.db.execute("UPDATE sender SET certificate_sha256 = NULL WHERE id = %s", (door.world.police,))
    assert door.objections(one) == ["recipient_sender"]
    door.db.execute("UPDATE sender SET revoked_at = now() WHERE id = %s", (door.world.police,))
    assert "ingetrokken" in gate.check(door.db, door.row(one), AT)[0].text


def test_another_region_is_no_recipient(door: Door) -> None:
    elsewhere = World(door.db, 9)
    one = door.propose("handover", handover(door), recipient=("partner", elsewhere.local_team), parts=["form"])
    with pytest.raises(release.Objected, match="bestaat niet meer"):
        door.release(one)


# ── when the gate itself fails ──────────────────────────────────────────────────────────────────────────────────


def test_when_the_gate_cannot_look_nothing_leaves(door: Door) -> None:
    one = door.released()
    door.db.execute("ALTER FUNCTION outbound_facts RENAME TO outbound_facts_gone")
    with pytest.raises(Exception, match="outbound_facts"):
        door.leave(one)
    assert (door.row(one)["state"], door.audited("outbound.send")) == ("released", [])


# ── what `veilig verify` asks ───────────────────────────────────────────────────────────────────────────────────


def wrong(door: Door) -> set[str]:
    return {one.text for check in verify.CHECKS[:1] for one in check(door.db) if one.breaches and one.rule in (2, 15)}


def test_verify_finds_what_left_by_another_door(door: Door) -> None:
    sent, held = door.released(), door.released()
    assert door.leave(sent) == CONTENT
    undone(door)
    assert door.leave(held) is None
    known = wrong(door)
    door.db.execute("UPDATE task SET done_at = now(), done_by = 'x' WHERE subject_id = %s", (held,))
    door.db.execute("UPDATE outgoing SET content_sha256 = NULL WHERE id = %s", (sent,))
    door.db.execute(
        "INSERT INTO letter (id, region_id, report_id, mention_id, template, template_version, pdf, sha256, made_at,"
        " made_by) VALUES (%s, %s, %s, %s, 'person_notice', '1', 'x', sha256('x'), %s, 'x')",
        (uuid7(), door.world.region, door.report, door.mother, AT),
    )
    assert {text.split(",")[0].split(" and checked")[0] for text in wrong(door) - known} == {
        "what was held about a report has exactly one open task",
        "nothing left that was not released",
        "each message of our own that waits",
    }
