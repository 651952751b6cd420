"""Receipt under fault: all of a message or nothing, and what was answered once is answered the same for ever."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.fault.stack import Cable, Stack, message, wait_for

pytestmark = pytest.mark.fault

WRITTEN = (
    "message",
    "deadline",
    "deadline_entry",
    "task",
    "outgoing_reply",
    "job",
    "report",
    "mention",
    "data_key",
    "mention_secret",
    "reporter_secret",
    "audit_entry",
)


def at_once(calls: int, post: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """So many posts, all let go at the same moment."""
    barrier = threading.Barrier(calls)

    def one(number: int) -> httpx.Response:
        barrier.wait(20)
        return post(number)

    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(one, range(calls)))


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    """A second web process, `web-2`, whose way to the database can be held and cut."""
    cable = Cable(stack.postgres.url)
    stack.start("web-2", VEILIG_DATABASE_URL=cable.url)
    yield cable
    cable.close()


def counts(stack: Stack) -> dict[str, int]:
    tables = (*WRITTEN, "quarantine")
    return {table: stack.one(f"SELECT count(*) FROM {table}") for table in tables}


def stored_answer(stack: Stack, reference: str) -> bytes | None:
    answer = stack.one("SELECT answer FROM message WHERE reference = %s", reference)
    return bytes(answer) if answer else None


def assert_replays(stack: Stack, body: bytes, reference: str) -> None:
    for _ in range(2):
        again = stack.post(body)
        assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
        assert again.content == stored_answer(stack, reference)
    assert stack.report(reference)
    assert stack.one("SELECT count(*) FROM message WHERE reference = %s", reference) == 1


def test_killed_between_commit_and_answer_a_resend_gets_the_stored_answer(stack: Stack, cable: Cable) -> None:
    body = message("commit-kill")
    cable.hold(b"commit-kill")
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(stack.post, body, "web-2")
        wait_for(lambda: stored_answer(stack, "commit-kill"), "the row is committed")
        assert not posted.done()
        stack.kill("web-2")
        with pytest.raises(httpx.TransportError):
            posted.result(20)
    assert_replays(stack, body, "commit-kill")


def test_a_commit_whose_answer_is_lost_is_a_503_and_never_a_second_report(stack: Stack, cable: Cable) -> None:
    body = message("commit-cut")
    cable.hold(b"commit-cut")
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(stack.post, body, "web-2")
        wait_for(lambda: stored_answer(stack, "commit-cut"), "the row is committed")
        cable.release(cut=True)
        answer = posted.result(20)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert b"StUF046" in answer.content
    assert_replays(stack, body, "commit-cut")


def test_a_sender_that_hangs_up_before_the_answer_gets_it_on_its_resend(stack: Stack) -> None:
    body = message("hung-up")
    lines = [f"{name}: {value}" for name, value in stack.headers().items()]
    first = ["POST /api/v1/corv/berichten HTTP/1.1", "Host: localhost"]
    head = "\r\n".join([*first, *lines, f"Content-Length: {len(body)}"])
    with socket.create_connection(("127.0.0.1", stack.ports["web"])) as sender:
        sender.sendall(head.encode() + b"\r\n\r\n" + body)
        wait_for(lambda: stored_answer(stack, "hung-up"), "the row is committed")
    assert_replays(stack, body, "hung-up")


def test_twenty_replays_at_once_are_one_report_and_twenty_equal_answers(stack: Stack) -> None:
    body = message("replay-20")
    answers = at_once(20, lambda _: stack.post(body))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, stored_answer(stack, "replay-20"))}
    assert sum("idempotent-replay" in answer.headers for answer in answers) == 19
    assert stack.report("replay-20")


def test_twenty_contents_under_one_reference_are_one_report_and_nineteen_in_quarantine(stack: Stack) -> None:
    bodies = [message("conflict-20", incident={"locatie": f"Plaats {number}"}) for number in range(20)]
    answers = at_once(20, lambda number: stack.post(bodies[number]))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
    assert stack.report("conflict-20")
    kept = stack.ask(
        "SELECT q.code, count(t.id) AS tasks, count(d.id) AS deadlines FROM message m"
        " JOIN quarantine q ON q.message_id = m.id"
        " LEFT JOIN task t ON t.subject_id = q.id AND t.kind = 'quarantine' AND t.done_at IS NULL"
        " LEFT JOIN deadline d ON d.subject_id = q.id AND d.kind = 'quarantine'"
        " WHERE m.reference = 'conflict-20' GROUP BY q.id"
    )
    assert kept == [{"code": "VT-E016", "tasks": 1, "deadlines": 1}] * 19
    hashes = stack.ask("SELECT content_sha256 FROM message WHERE reference = 'conflict-20'")
    assert {bytes(row["content_sha256"]) for row in hashes} == {sha256(body).digest() for body in bodies}


def test_a_fault_at_any_table_stores_nothing_and_the_resend_is_accepted(stack: Stack) -> None:
    stack.start("web-2", VEILIG_SEND_BV01="true")
    stack.stop("worker")
    stack.stop("clock")
    broken = message("statement-quarantine").replace(b"heeftBetrokken", b"heeftVergeten")
    # Somebody with a BSN, which stands sealed in a table of its own.
    person = {"rol": {"tekst": "jeugdige"}, "naam": {"geslachtsnaam": "Van Proef"}, "bsn": "999993653"}
    cases: list[tuple[str, bytes]] = [
        (table, message(f"statement-{table}", betrokkenen=[person])) for table in WRITTEN
    ]
    for table, body in [*cases, ("quarantine", broken)]:
        before = counts(stack)
        stack.tell(f"CREATE TRIGGER test_fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION test_fault()")
        refused = stack.post(body, "web-2")
        stack.tell(f"DROP TRIGGER test_fault ON {table}")
        assert (table, refused.status_code, "retry-after" in refused.headers) == (table, 503, True)
        assert (table, counts(stack)) == (table, before)
        accepted = stack.post(body, "web-2")
        assert (table, accepted.status_code, "idempotent-replay" in accepted.headers) == (table, 200, False)
        grown: dict[str, Any] = {name: n - before[name] for name, n in counts(stack).items()}
        assert (table, grown["message"], grown["report"] + grown["quarantine"]) == (table, 1, 1)
        # A report has its acute check and its assessment, each with its moment.
        tasks = 1 + grown["report"]
        assert (table, grown["audit_entry"], grown["task"], grown["deadline"]) == (table, 1, tasks, tasks)


def test_senders_that_never_finish_their_message_hold_up_nobody(stack: Stack) -> None:
    slow = message("slow")
    lines = [f"{name}: {value}" for name, value in stack.headers().items()]
    first = ["POST /api/v1/corv/berichten HTTP/1.1", "Host: localhost"]
    head = "\r\n".join([*first, *lines, f"Content-Length: {len(slow)}"])
    with ExitStack() as connections:
        senders = [
            connections.enter_context(socket.create_connection(("127.0.0.1", stack.ports["web"]), timeout=20))
            for _ in range(30)
        ]
        for sender in senders:
            sender.sendall(head.encode() + b"\r\n\r\n" + slow[:-1])
        for number in range(5):
            assert stack.post(message(f"beside-slow-{number}")).status_code == 200
        assert stack.report("slow") is None
        senders[0].sendall(slow[-1:])
        assert senders[0].recv(4096).startswith(b"HTTP/1.1 200")
    assert stack.post(message("after-slow")).status_code == 200
    assert stack.report("slow")
