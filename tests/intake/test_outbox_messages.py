"""Messages of our own: sent until the receiver says in StUF that it has them, always the same bytes, and once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from psycopg.errors import UniqueViolation

from core import jobs
from core.database import Db, Row
from core.ids import uuid7
from intake import outbox
from intake.corv import replies
from intake.corv.parse import Fault
from intake.delivery import ALREADY_THERE, NotDelivered, confirms, post
from radar.outbound import release
from tests.intake.receiver import AT, Receiver, bv03, fo03, receiving
from tests.web.conftest import World
from workers.work import carry_out

BODY = (
    b'<JZ:vtTerugkoppelingDi01 xmlns:JZ="http://www.stufstandaarden.nl/koppelvlak/jz0100"'
    b' xmlns:StUF="http://www.egem.nl/StUF/StUF0301"><JZ:stuurgegevens><StUF:zender/><StUF:ontvanger/>'
    b"<StUF:referentienummer>kenmerk-1</StUF:referentienummer></JZ:stuurgegevens></JZ:vtTerugkoppelingDi01>"
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def store(world: World, url: str | None, subject: UUID | None = None, reference: str = "kenmerk-1") -> UUID:
    """A message for the police, which have this address."""
    world.db.execute("UPDATE sender SET reply_url = %s WHERE id = %s", (url, world.police))
    report = world.report(AT)
    carried = subject or uuid7()
    with world.db.transaction():
        let_out(world, report, carried)
        return outbox.store_message(
            world.db,
            "vtTerugkoppelingDi01",
            carried,
            report,
            reference=reference,
            body=BODY,
            at=AT,
            sender_id=world.police,
        )


def let_out(world: World, report: UUID, feedback: UUID) -> None:
    """A person released this feedback to the police, so that the gate lets it pass."""
    world.db.execute(
        "INSERT INTO feedback (id, region_id, report_id, moment, code, state, channel, opened_at, released_at,"
        " released_by) VALUES (%s, %s, %s, 'assessment', 'VT-01-01', 'released', 'corv', %s, %s, 'ilse')"
        " ON CONFLICT DO NOTHING",
        (feedback, world.region, report, AT, AT),
    )
    made = release.propose(
        world.db,
        kind="feedback",
        subject=feedback,
        report_id=report,
        recipient=("sender", world.police),
        parts=["outcome"],
        by="ilse",
        at=AT,
    )
    if release.required(world.db, "feedback", feedback)["state"] == "proposed":
        release.release(world.db, made, by="ilse", at=AT)


def the_job(db: Db, message: UUID) -> Row:
    (job,) = jobs.of_subject(db, message)
    return job


def work_now(db: Db, message: UUID) -> None:
    """The pause passes and the job is done again."""
    db.execute("UPDATE job SET due_at = now() WHERE subject_id = %s AND state = 'new'", (message,))
    carry_out(the_job(db, message)["id"])


def sent_at(db: Db, message: UUID) -> object:
    row = db.execute("SELECT sent_at FROM outgoing_message WHERE id = %s", (message,)).fetchone()
    assert row
    return row["sent_at"]


def test_a_message_is_posted_as_it_is_stored(db: Db, world: World, receiver: Receiver) -> None:
    message = store(world, receiver.url)
    work_now(db, message)
    assert receiver.received == [BODY]
    assert receiver.actions == ['"www.stufstandaarden.nl/koppelvlak/jz0100/vtTerugkoppelingDi01"']
    assert sent_at(db, message) is not None
    assert the_job(db, message)["state"] == "done"


def test_a_receiver_that_fails_gets_the_same_bytes_again_and_then_no_more(
    db: Db, world: World, receiver: Receiver
) -> None:
    receiver.answers = [(500, b""), (503, b"later"), (200, None)]
    message = store(world, receiver.url)
    for _ in range(2):
        work_now(db, message)
        assert (the_job(db, message)["state"], the_job(db, message)["error"]) == ("new", "NotDelivered")
        assert sent_at(db, message) is None
    work_now(db, message)
    assert receiver.received == [BODY] * 3
    assert (the_job(db, message)["state"], the_job(db, message)["attempts"]) == ("done", 3)
    work_now(db, message)
    assert len(receiver.received) == 3


NO: dict[str, tuple[int, bytes]] = {
    "a Fo03": (200, fo03("StUF058")),
    "a Fo03 in a fault": (
        500,
        replies.soap_fault(fo03("StUF058"), Fault("VT-E058", "StUF058", "header", "Nee", "", True)),
    ),
    "a Fo03 in an envelope": (200, replies.soap(fo03("StUF058"))),
    "used before, at the first attempt": (500, fo03(ALREADY_THERE)),
    "a page of a proxy": (200, b"<!DOCTYPE html><html><body>Inloggen</body></html>"),
    "a page that is XML": (200, b"<html><body>Inloggen</body></html>"),
    "text": (200, b"OK"),
    "a Bv03 to another message": (200, bv03(BODY.replace(b"kenmerk-1", b"kenmerk-2"))),
    "a Bv03 with status 500": (500, bv03(BODY)),
    "a redirect": (302, b""),
}


@pytest.mark.parametrize("answer", NO.values(), ids=NO.keys())
def test_what_is_no_confirmation_is_not_delivered(
    db: Db, world: World, receiver: Receiver, answer: tuple[int, bytes]
) -> None:
    receiver.answers = [answer]
    message = store(world, receiver.url)
    work_now(db, message)
    assert sent_at(db, message) is None
    assert the_job(db, message)["state"] == "new"
    assert receiver.paths == ["/"]


YES: dict[str, tuple[int, bytes]] = {
    "a Bv03": (200, bv03(BODY)),
    "a Bv03 in an envelope": (200, replies.soap(bv03(BODY))),
    "a Bv04": (200, bv03(BODY).replace(b"Bv03", b"Bv04")),
    "nothing": (202, b""),
}


@pytest.mark.parametrize("answer", YES.values(), ids=YES.keys())
def test_what_is_a_confirmation_is_delivered(
    db: Db, world: World, receiver: Receiver, answer: tuple[int, bytes]
) -> None:
    receiver.answers = [answer]
    message = store(world, receiver.url)
    work_now(db, message)
    assert sent_at(db, message) is not None


def test_used_before_after_an_attempt_whose_end_we_did_not_hear_is_a_yes(
    db: Db, world: World, receiver: Receiver
) -> None:
    receiver.answers = [(504, b""), (500, fo03(ALREADY_THERE))]
    message = store(world, receiver.url)
    work_now(db, message)
    work_now(db, message)
    assert sent_at(db, message) is not None


def test_after_five_attempts_a_person_gets_it_and_can_have_it_sent_again(
    db: Db, world: World, receiver: Receiver
) -> None:
    receiver.answers = [(500, b"")] * 5
    message = store(world, receiver.url)
    for _ in range(5):
        work_now(db, message)
    job = the_job(db, message)
    assert (job["state"], job["attempts"]) == ("dead", 5)
    row = db.execute("SELECT kind, subject_id FROM task WHERE kind = 'dead_job' AND done_at IS NULL").fetchone()
    assert row == {"kind": "dead_job", "subject_id": job["id"]}
    subject = db.execute("SELECT subject_id FROM outgoing_message").fetchone()
    assert subject
    standing = outbox.message_of(db, world.region, subject["subject_id"])
    assert standing
    assert (standing["state"], standing["job_id"]) == ("stopped", job["id"])
    with db.transaction():
        jobs.redrive(db, job["id"], "tess")
    work_now(db, message)
    assert sent_at(db, message) is not None
    assert receiver.received == [BODY] * 6


def test_without_an_address_nothing_is_sent_and_it_waits_until_there_is_one(
    db: Db, world: World, receiver: Receiver
) -> None:
    subject = uuid7()
    message = store(world, None, subject)
    assert jobs.of_subject(db, message) == []
    standing = outbox.message_of(db, world.region, subject)
    assert standing
    assert standing["state"] == "no_address"
    with db.transaction():
        assert outbox.send_waiting(db) == 0
        db.execute("UPDATE sender SET reply_url = %s WHERE id = %s", (receiver.url, world.police))
        assert outbox.send_waiting(db, uuid7()) == 0
        assert outbox.send_waiting(db, world.region) == 1
        assert outbox.send_waiting(db) == 0
    work_now(db, message)
    assert receiver.received == [BODY]


def test_nothing_goes_to_a_sender_that_was_revoked(db: Db, world: World, receiver: Receiver) -> None:
    message = store(world, receiver.url)
    db.execute("UPDATE sender SET revoked_at = now() WHERE id = %s", (world.police,))
    work_now(db, message)
    assert receiver.received == []
    assert the_job(db, message)["error"] == "NotDelivered"


def test_a_message_for_a_team_goes_to_the_address_of_the_team(db: Db, world: World, receiver: Receiver) -> None:
    db.execute("UPDATE team SET delivery_url = %s WHERE id = %s", (receiver.url, world.local_team))
    report, request = world.report(AT), uuid7()
    db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, takes_watch, afterwards, shares, content,"
        " offered_at, offered_by)"
        " VALUES (%s, %s, %s, 'child_protection_board', %s, false, 'stay', '[]', '{}', %s, 'b')",
        (request, world.region, report, world.local_team, AT),
    )
    with db.transaction():
        made = release.propose(
            db,
            kind="vto",
            subject=request,
            report_id=report,
            recipient=("partner", world.local_team),
            parts=["form"],
            by="bram",
            at=AT,
        )
        release.release(db, made, by="bram", at=AT)
        message = outbox.store_message(
            db,
            "vtoDi01",
            request,
            report,
            reference="kenmerk-1",
            body=BODY,
            at=AT,
            team_id=world.local_team,
        )
    work_now(db, message)
    assert receiver.actions == ['"www.stufstandaarden.nl/koppelvlak/jz0100/vtoDi01"']


def test_one_subject_has_one_message(db: Db, world: World) -> None:
    subject = uuid7()
    store(world, None, subject)
    with pytest.raises(UniqueViolation):
        store(world, None, subject, "kenmerk-2")


def test_two_workers_at_the_same_moment_send_it_once(db: Db, world: World, receiver: Receiver) -> None:
    message = store(world, receiver.url)
    job = the_job(db, message)["id"]
    together = Barrier(2)

    def work() -> bool:
        together.wait()
        return carry_out(job)

    with ThreadPoolExecutor(2) as pool:
        done = [one.result() for one in [pool.submit(work) for _ in range(2)]]
    assert sorted(done) == [False, True]
    assert receiver.received == [BODY]


def test_the_audit_trail_tells_it_without_a_word_of_the_message(db: Db, world: World, receiver: Receiver) -> None:
    message = store(world, receiver.url)
    work_now(db, message)
    rows = db.execute("SELECT action, details FROM audit_entry WHERE action LIKE 'message.%' ORDER BY number")
    kept = {row["action"]: row["details"] for row in rows}
    assert kept == {
        "message.ready": {"kind": "vtTerugkoppelingDi01"},
        "message.send": {"kind": "vtTerugkoppelingDi01"},
    }


def test_an_answer_without_end_is_read_no_further_than_its_first_part() -> None:
    assert not confirms(200, b"<a>" * 30_000, "kenmerk-1")
    assert not confirms(200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "kenmerk-1")


def test_a_file_is_no_address() -> None:
    with pytest.raises(NotDelivered):
        post("file:///etc/hostname", BODY, "x")
