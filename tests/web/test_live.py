"""The open line of a page: who may open it, what it says, when it ends; and that an open page keeps nothing alive."""

from __future__ import annotations

import http.client
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from tests.web.chromium import served
from tests.web.conftest import World, session_of
from web import live
from web.access import sessions
from web.live import PAGES

EVENTS = {"accept": "text/event-stream"}
Sign = Callable[[str], Any]


@pytest.fixture
def address(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server: a line that stays open is nothing for a test client."""
    monkeypatch.setattr(live, "GAP_S", 0.1)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.5)
    monkeypatch.setenv("VEILIG_LIVE_SECONDS", "1")
    settings.cache_clear()
    with served() as started:
        yield started


class Line:
    """One open line, read in a thread: `next` gives (event, data) in order, None at its end."""

    def __init__(self, address: str, path: str, token: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self.connection.request("GET", path, headers=EVENTS | {"Cookie": f"{sessions.cookie_name()}={token}"})
        self.answer = self.connection.getresponse()
        self.events: queue.Queue[tuple[str, str] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event = ""
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.put((event, line.removeprefix("data: ")))
                elif line.startswith(":"):
                    self.events.put(("comment", line))
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass  # we closed it ourselves
        self.events.put(None)
        self.events.put(None)

    def next(self, *, skip: str = "comment") -> tuple[str, str] | None:
        while (found := self.events.get(timeout=20)) is not None and found[0] == skip:
            pass
        return found

    def close(self) -> None:
        if self.connection.sock:
            with suppress(OSError):  # the server was first
                self.connection.sock.shutdown(2)
        while self.events.get(timeout=20) is not None:
            pass
        self.answer.close()
        self.connection.close()


@contextmanager
def line(address: str, path: str, token: str) -> Iterator[Line]:
    opened = Line(address, path, token)
    try:
        yield opened
    finally:
        opened.close()


def arrive(world: World) -> UUID:
    return world.report(datetime.now(UTC))


def test_a_report_that_comes_in_is_told_by_another_number(address: str, world: World) -> None:
    token = session_of(world.db, world.staff("assessor"))
    with line(address, "/wachtrij/live", token) as opened:
        assert opened.answer.status == 200
        assert opened.answer.getheader("content-type", "").startswith("text/event-stream")
        assert opened.answer.getheader("cache-control") == "no-store"
        first = opened.next()
        arrive(world)
        second = opened.next()
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == ("stand", "stand")
    assert first[1] != second[1]
    assert re.fullmatch(r"\d{1,16}", second[1]), "a number and nothing more"


def test_the_page_carries_the_number_that_the_line_begins_with(address: str, world: World) -> None:
    report = arrive(world)
    token = session_of(world.db, world.staff("assessor"))
    for path in ("/wachtrij", f"/meldingen/{report}"):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        connection.request("GET", path, headers={"Cookie": f"{sessions.cookie_name()}={token}"})
        html = connection.getresponse().read().decode()
        connection.close()
        shown = re.search(r'data-stream="([^"]+)" data-number="(\d+)"', html)
        assert shown is not None
        assert shown[1] == f"{path}/live"
        with line(address, shown[1], token) as opened:
            assert opened.next() == ("stand", shown[2])


def test_the_line_of_a_report_is_about_that_report(address: str, world: World) -> None:
    report, other = arrive(world), arrive(world)
    token = session_of(world.db, world.staff("assessor"))
    with line(address, f"/meldingen/{report}/live", token) as opened:
        assert opened.next() is not None
        world.db.execute("UPDATE report SET linked_at = now() WHERE id = %s", (other,))
        assert opened.events.get(timeout=20) == ("comment", ": stil")
        world.db.execute("UPDATE report SET linked_at = now() WHERE id = %s", (report,))
        assert opened.next() is not None


def test_another_region_is_not_heard(address: str, world: World, new_world: Callable[[], World]) -> None:
    theirs = new_world()
    token = session_of(world.db, world.staff("assessor"))
    with line(address, "/wachtrij/live", token) as opened:
        assert opened.next() is not None
        arrive(theirs)
        assert [opened.events.get(timeout=20) for _ in range(4)] == [("comment", ": stil")] * 4


def test_who_changed_first_and_commits_last_is_heard_too(world: World, database_url: str) -> None:
    """Each change takes a number; the one with the lower number may come to light after the higher one."""
    for _ in range(3):
        arrive(world)
    first, second, gone = (row["id"] for row in world.db.execute("SELECT id FROM task ORDER BY id"))

    def number() -> int:
        row = world.db.execute("SELECT live_of_tasks(%s) AS number", (world.region,)).fetchone()
        assert row is not None
        return int(row["number"])

    told = [number()]
    with psycopg.connect(database_url) as slow:
        slow.execute("UPDATE task SET risk = 2 WHERE id = %s", (first,))
        world.db.execute("UPDATE task SET risk = 2 WHERE id = %s", (second,))
        told.append(number())
        slow.commit()
    told.append(number())
    world.db.execute("UPDATE task SET done_at = now(), done_by = 'teun' WHERE id = %s", (first,))
    told.append(number())
    world.db.execute("DELETE FROM task WHERE id = %s", (gone,))
    told.append(number())
    assert len(set(told)) == 5
    assert number() == told[-1]


END = [
    "UPDATE staff_session SET ended_at = now() - interval '1 second'",
    "UPDATE staff_session SET idle_until = now() - interval '1 second'",
    "UPDATE staff SET active = false",
    "UPDATE staff SET role = 'auditor'",
]


@pytest.mark.parametrize("change", END)
def test_the_line_ends_with_the_session_and_says_nothing_more(address: str, world: World, change: str) -> None:
    token = session_of(world.db, world.staff("assessor"))
    with line(address, "/wachtrij/live", token) as opened:
        assert opened.next() is not None
        world.db.execute(change)
        arrive(world)
        assert opened.next() == ("einde", "0")
        assert opened.next() is None


def test_a_report_that_may_no_longer_be_seen_ends_its_line(address: str, world: World) -> None:
    report = arrive(world)
    username = world.staff("assessor")
    token = session_of(world.db, username)
    with line(address, f"/meldingen/{report}/live", token) as opened:
        assert opened.next() is not None
        person = uuid7()
        world.link(report, 1, person, "new")
        assert opened.next() is not None
        world.db.execute(
            "INSERT INTO exclusion (id, region_id, staff_id, person_id, reason, set_by, set_at)"
            " SELECT %s, region_id, id, %s, 'Familie', 'teun', now() FROM staff WHERE username = %s",
            (uuid7(), person, username),
        )
        assert opened.next() == ("einde", "0"), "asked again at each heartbeat"


def test_an_open_line_does_not_keep_a_session_alive(address: str, world: World) -> None:
    token = session_of(world.db, world.staff("assessor"))
    world.db.execute("UPDATE staff_session SET seen_at = now() - interval '20 minutes'")
    with line(address, "/wachtrij/live", token) as opened:
        assert opened.next() is not None
        world.db.execute("UPDATE staff_session SET seen_at = now() - interval '20 minutes'")
        arrive(world)
        assert opened.next() is not None
    row = world.db.execute("SELECT seen_at < now() - interval '19 minutes' AS old FROM staff_session").fetchone()
    assert row == {"old": True}


def test_a_page_that_fetches_itself_does_not_keep_a_session_alive(client: Any, world: World, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    world.db.execute("UPDATE staff_session SET seen_at = now() - interval '20 minutes'")
    assert client.get("/wachtrij", headers={"X-Live": "1"}).status_code == 200
    row = world.db.execute("SELECT seen_at < now() - interval '19 minutes' AS old FROM staff_session").fetchone()
    assert row == {"old": True}
    assert client.get("/wachtrij").status_code == 200
    row = world.db.execute("SELECT seen_at > now() - interval '1 minute' AS new FROM staff_session").fetchone()
    assert row == {"new": True}


def test_the_trail_holds_the_opening_and_not_the_events(address: str, world: World) -> None:
    username = world.staff("assessor")
    token = session_of(world.db, username)
    with line(address, "/wachtrij/live", token) as opened:
        assert opened.next() is not None
        for _ in range(2):
            arrive(world)
            assert opened.next() is not None
    rows = world.db.execute("SELECT action FROM audit_entry WHERE actor = %s", (username,)).fetchall()
    assert [row["action"] for row in rows] == ["live.open"]


def test_a_colleague_has_so_many_lines_and_gets_the_place_back(
    address: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_LIVE_PAGES_PER_MEMBER", "2")
    settings.cache_clear()
    token = session_of(world.db, world.staff("assessor"))
    other = session_of(world.db, world.staff("team_lead"))
    with line(address, "/wachtrij/live", token) as one, line(address, "/wachtrij/live", token) as two:
        assert one.next() is not None
        assert two.next() is not None
        with line(address, "/wachtrij/live", token) as third:
            assert third.answer.status == 429
        with line(address, "/wachtrij/live", other) as theirs:
            assert theirs.answer.status == 200
            assert theirs.next() is not None
    tries = 0
    while PAGES.open and tries < 100:  # the server notices at its next word that nobody listens
        tries += 1
        threading.Event().wait(0.1)
    assert PAGES.open == 0
    with line(address, "/wachtrij/live", token) as again:
        assert again.answer.status == 200


def test_many_pages_are_one_look_and_hold_no_thread(
    address: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    real = live.live.numbers

    async def counted(db: Any, region: UUID, reports: Any) -> Any:
        looks.append(len(reports))
        return await real(db, region, reports)

    monkeypatch.setattr(live.live, "numbers", counted)
    monkeypatch.setattr(live, "HEARTBEAT_S", 15.0)  # a hundred checks a second are not what is tested here
    monkeypatch.setenv("VEILIG_LIVE_PAGES_PER_MEMBER", "50")
    settings.cache_clear()
    token = session_of(world.db, world.staff("assessor"))
    opened = [Line(address, "/wachtrij/live", token) for _ in range(50)]  # more than the pool has threads
    try:
        assert all(one.next() is not None for one in opened)
        before = len(looks)
        arrive(world)
        assert all(one.next() is not None for one in opened)
        assert len(looks) - before < 10
    finally:
        for one in opened:
            one.close()


@pytest.mark.parametrize("path", ["/wachtrij/live", "/meldingen/{report}/live"])
def test_without_a_session_or_the_right_no_line_opens(client: Any, world: World, sign_in: Sign, path: str) -> None:
    place = path.format(report=arrive(world))
    assert client.get(place, headers=EVENTS).headers["location"] == "/inloggen"
    sign_in(world.staff("auditor"))
    assert client.get(place, headers=EVENTS).status_code == 403
    sign_in(world.staff("assessor"))
    assert client.get(place).status_code == 406, "who is no browser's event source gets an end"
    assert client.get(f"/meldingen/{uuid7()}/live", headers=EVENTS).status_code == 404


def test_a_server_that_stops_waits_for_no_line(world: World, database_url: str, db: Db) -> None:
    token = session_of(world.db, world.staff("assessor"))
    with served() as address:
        opened = Line(address, "/wachtrij/live", token)
        assert opened.next() is not None
    assert opened.next() is None
    assert PAGES.open == 0
    opened.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_stop_lets_its_lines_go_at_once(
    world: World, database_url: str, number: signal.Signals
) -> None:
    token = session_of(world.db, world.staff("assessor"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "web"],
        env=os.environ | {"VEILIG_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        opened = None
        while opened is None:
            assert process.poll() is None
            try:
                opened = Line(f"http://127.0.0.1:{port}", "/wachtrij/live", token)
            except ConnectionRefusedError:
                threading.Event().wait(0.1)
        assert opened.next() is not None
        begun = time.monotonic()
        process.send_signal(number)
        assert opened.next() is None
        process.wait(20)
        assert time.monotonic() - begun < 10, "and not the 25 seconds that an open answer may take"
        opened.close()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_report_that_waits_for_the_radar_says_so(client: Any, world: World, sign_in: Sign) -> None:
    report = arrive(world)
    sign_in(world.staff("assessor"))
    assert "De radar zoekt nog" in client.get(f"/meldingen/{report}").text
    world.db.execute("UPDATE report SET linked_at = now() WHERE id = %s", (report,))
    assert "De radar zoekt nog" not in client.get(f"/meldingen/{report}").text


def test_the_plain_link_and_its_moment_are_there_without_a_script(client: Any, world: World, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    html = client.get("/wachtrij?soort=assess&wie=niemand").text
    assert '<a href="/wachtrij?wie=niemand&amp;soort=assess" data-live-refresh>Ververs</a>' in html
    assert re.search(r"Stand van \d\d\.\d\d uur", html)
