"""`veilig demo`: invents a region and sends two years of its messages through the real feed. Safe to repeat.

The history ends when the demo region was made, and everything in it follows from a seed: a second run sends the
same bytes, which the feed knows.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import click
from psycopg import AsyncConnection

from core.database import Db, connection_options, database_url, transaction
from core.errors import NotFound
from intake import senders
from intake.channels import json_api
from intake.corv import door
from radar.linking.derived import count_persons
from workers import demo_channels
from workers.demo_desk import link_and_decide
from workers.demo_people import MAX_HOUSEHOLDS
from workers.demo_region import OIN, ensure_region, ensure_senders, find_region
from workers.demo_stories import mishaps, story

__all__ = ["Summary", "ensure_region", "ensure_senders", "fill", "find_region", "is_empty", "link_and_decide", "run"]

Progress = Callable[[int, int], None]
FEEDS = {"corv": door.deliver, "json": json_api.deliver}


@dataclass(frozen=True, slots=True)
class Summary:
    """What was sent, and what of it is new: a second run sends as many messages and stores none."""

    messages: int
    reports: int
    quarantined: int
    households: int


def is_empty(db: Db) -> bool:
    """Whether nothing came in yet and nobody made a region of his own: then the demo may begin."""
    row = db.execute(
        "SELECT NOT EXISTS (SELECT FROM message) AND NOT EXISTS (SELECT FROM region WHERE oin <> %s) AS empty", (OIN,)
    ).fetchone()
    return bool(row and row["empty"])


def run(households: int, days: int, *, if_empty: bool = False, at: datetime | None = None) -> None:
    """Make the demo region and its history; tells on stdout what came of it, with the tokens of new senders.

    `at` ends the history of a region that is new (None: now); a known region keeps its own. Raises NotADemo when
    the database has a region of its own.
    """
    with transaction() as db:
        if if_empty and not is_empty(db):
            return
        region = ensure_region(db, at)
        tokens = ensure_senders(db, region)
        until = _end_of_history(db)
    with _bar("Sending messages") as progress:
        summary = asyncio.run(fill(households, days, until, progress))
    with transaction() as db:
        demo_channels.fill(db, region, until)
    with _bar("Linking and deciding") as progress:
        work = link_and_decide(region, until, progress)
    with transaction() as db:
        db.execute("UPDATE notification SET seen_at = at WHERE kind <> 'note' AND seen_at IS NULL")  # of years ago
        count_persons(db)
    click.echo(
        f"{summary.messages} messages on {summary.households} households: {summary.reports} new reports,"
        f" {summary.quarantined} new in quarantine, {work.decided} decided, {work.resolved} resolved."
    )
    for kind, token in tokens.items():
        if token:
            click.echo(f"Token of sender {kind}, shown only now: {token}")


async def fill(households: int, days: int, until: datetime, progress: Progress) -> Summary:
    """Send the messages of `households` invented households in the `days` before `until`, in order of time.

    They go through the functions behind the HTTP feeds, with the moment of receipt given. The demo region and its
    senders must be there (NotFound). The same arguments give the same bytes; another `until` gives a conflict on
    every reference, so keep it. `progress` gets how many messages are sent, and of how many.
    """
    if not 1 <= households <= MAX_HOUSEHOLDS:
        raise ValueError(f"the demo invents 1 to {MAX_HOUSEHOLDS} households, not {households}")
    stories = [list(story(number, days, until)) for number in range(households)]
    mail = [one for told in stories for one in told]
    mail += mishaps(households, days, until)
    mail.sort(key=lambda one: one.at)
    with transaction() as sync_db:
        by_kind = _senders(sync_db)
    reports = quarantined = 0
    async with await AsyncConnection.connect(database_url(), **connection_options()) as db:
        for number, one in enumerate(mail, start=1):
            answer = await FEEDS[one.door](db, by_kind[one.sender], one.raw, one.at)
            if not answer.replay:
                reports += answer.kept == "report"
                quarantined += answer.kept == "quarantine"
            progress(number, len(mail))
    return Summary(len(mail), reports, quarantined, sum(bool(told) for told in stories))


def _senders(db: Db) -> dict[str, senders.Sender]:
    region = find_region(db)
    found = {sender.kind: sender for sender in senders.active(db, region)} if region else {}
    if not found:
        raise NotFound("De demoregio heeft nog geen afzenders.")
    return found


def _end_of_history(db: Db) -> datetime:
    row = db.execute("SELECT created_at FROM region WHERE oin = %s", (OIN,)).fetchone()
    if row is None:
        raise NotFound
    made: datetime = row["created_at"]
    return made


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    """A progress bar on stderr."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield show
