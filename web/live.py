"""Which open pages hear of changes: one look at the database per region and process, however many pages are open.

A page gets a number when it opens and at each change; it fetches itself again then, under its own rights. Nothing
here knows what changed. One process keeps its own pages; with several, each looks for itself.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool

from core import live
from core.database import connect_async
from core.settings import settings

HEARTBEAT_S = 15.0
"""A comment this often: a proxy keeps the line open, a dead line is noticed, and the session is asked again."""
GAP_S = 5.0
"""Between two changes for one page: a busy region does not fetch its pages over and over."""
MOST = 400
"""Open pages of one process; above it a page keeps its plain link."""
CHECKS = 2
"""Sessions of open pages that are asked again at once: four hundred pages that hear of one change wait for each
other, and visitors do not wait for them."""

log = structlog.get_logger()


@dataclass(eq=False)
class Region:
    """The pages of one region: what they look at, and the numbers of the last look."""

    subjects: Counter[UUID | None] = field(default_factory=Counter)
    numbers: dict[UUID | None, int] = field(default_factory=dict)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each look that found another number, and then replaced."""
    poller: asyncio.Task[None] | None = None


class Pages:
    """The open pages of this process. All of it runs in the loop of the web server, but `end`."""

    def __init__(self) -> None:
        self._regions: dict[UUID, Region] = {}
        self._members: Counter[UUID] = Counter()
        self._ended = asyncio.Event()
        self._checks = asyncio.Semaphore(CHECKS)
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """The server starts: pages may open, until `end`."""
        self._ended = asyncio.Event()
        self._checks = asyncio.Semaphore(CHECKS)
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """The server stops: every page is let go at once. May be called from another thread or a signal."""
        loop, ended = self._loop, self._ended
        if loop is not None and not loop.is_closed():
            with suppress(RuntimeError):  # it closed meanwhile, and with it every page
                loop.call_soon_threadsafe(ended.set)

    @property
    def open(self) -> int:
        """How many pages are open."""
        return self._members.total()

    def room_for(self, member: UUID) -> bool:
        """Whether one more page of this member may open."""
        within = self._members[member] < settings().live_pages_per_member
        return within and self.open < MOST and not self._ended.is_set()

    @contextmanager
    def _listening(self, member: UUID, region: UUID, subject: UUID | None) -> Iterator[Region]:
        """Count this page in; the first of a region starts the look, the last one ends it."""
        place = self._regions.setdefault(region, Region())
        self._members[member] += 1
        place.subjects[subject] += 1
        if place.poller is None:
            place.poller = asyncio.create_task(self._look(region, place))
        try:
            yield place
        finally:
            self._members[member] -= 1
            place.subjects[subject] -= 1
            self._members += Counter()  # forgets who has none
            place.subjects += Counter()
            if not place.subjects:
                self._regions.pop(region, None)
                if place.poller is not None:
                    place.poller.cancel()

    async def _look(self, region: UUID, place: Region) -> None:
        """Look every few seconds. A database that is away is waited for: the pages keep what they have."""
        while True:
            try:
                async with connect_async() as db:
                    reports = [subject for subject in place.subjects if subject is not None]
                    found = await live.numbers(db, region, reports)
                if found != place.numbers:
                    place.numbers = found
                    place.looked.set()
                    place.looked = asyncio.Event()
            except (DatabaseError, PoolTimeout) as error:
                log.warning("live.waits", error=type(error).__name__)
            await asyncio.sleep(settings().live_seconds)

    async def changes(self, member: UUID, region: UUID, subject: UUID | None) -> AsyncGenerator[int | None, None]:
        """The number of this page, as it stands and then at each change; None where nothing changed for a while.

        Ends when the server stops, or when its subject is no more.
        """
        clock = asyncio.get_running_loop().time
        with self._listening(member, region, subject) as place:
            told: int | None = None
            told_at = 0.0
            while not self._ended.is_set():
                number = place.numbers.get(subject)
                if number is not None and number != told and clock() - told_at >= (GAP_S if told is not None else 0):
                    told, told_at = number, clock()
                    yield number
                    continue
                if number is None and place.numbers and told is not None:
                    return
                waiting = number is not None and number != told
                pause = max(0.0, told_at + GAP_S - clock()) if waiting else HEARTBEAT_S
                if not await self._something(place.looked, pause) and not waiting:
                    yield None

    async def check(self, whether: Callable[[], bool | None]) -> bool | None:
        """What this says of a page's session, asked in a thread, only a few at once; None when the server stops."""
        async with self._checks:
            return None if self._ended.is_set() else await run_in_threadpool(whether)

    async def _something(self, looked: asyncio.Event, pause: float) -> bool:
        """Wait for a look or the end, at most so many seconds; False when neither came."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(one.wait()) for one in (looked, self._ended)]
        try:
            done, _ = await asyncio.wait(waits, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            for one in waits:
                one.cancel()


PAGES = Pages()


@contextmanager
def ending_with_signals() -> Iterator[None]:
    """Let the pages go as soon as the process is asked to stop: a server waits for its open answers otherwise.

    The handlers that were there still run. Only the main thread of a process has them.
    """
    taken: dict[int, Any] = {}

    def stop(number: int, frame: Any) -> None:
        PAGES.end()
        if callable(before := taken[number]):
            before(number, frame)

    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM):
            taken[one] = signal.signal(one, stop)
    try:
        yield
    finally:
        for number, before in taken.items():
            signal.signal(number, before)
