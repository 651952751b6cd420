"""The queue and the lead's overview for a lead of one of four teams, over HTTP: p50 and p95 per page.

    .venv/bin/python -m tests.perf.overview [--reports 1000000] [--open 50000] [--pages 100]

Also how long it takes to count all terms from empty, to count again what can change, and one round of the clock in
which there is nothing to mark.
"""

from __future__ import annotations

import argparse
import http.client
import re
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from core.database import now, pool, transaction
from core.ids import uuid7
from core.staff import add_staff
from radar.casework import reminders, shares
from tests.perf import seed, stack
from tests.perf.feed import make_sender
from web.access import sessions

COLLEAGUES = 40
PASSWORD = "a-long-password-for-measuring"
PAGES = {
    "queue, own team": "/wachtrij",
    "queue, all teams": "/wachtrij?team=alle",
    "queue, nobody's": "/wachtrij?wie=niemand",
    "queue, one colleague": "/wachtrij?wie={colleague}",
    "queue, too late": "/wachtrij?telaat=1",
    "queue, one kind": "/wachtrij?soort=service",
    "queue, further on": "",
    "overview, own team": "/overzicht",
    "overview, all teams": "/overzicht?team=alle",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=50_000, help="reports on which there is still work")
    parser.add_argument("--pages", type=int, default=100, help="times that each page is read")
    chosen = parser.parse_args()
    with stack.engines():
        cookie, colleague = fill(chosen.reports, chosen.open)
        _clock()
        port = stack.free_port()
        with stack.server("web.app:create_app", port):
            waits = _read(port, cookie, colleague, chosen.pages)
    for name, found in waits.items():
        print(f"{name}: {percentiles(found)}")
    for part in ("queue", "overview"):
        together = sorted(wait for name, found in waits.items() if name.startswith(part) for wait in found)
        print(f"{part}, all pages in turn: {percentiles(together)}")


def fill(reports: int, open_reports: int) -> tuple[str, UUID]:
    """Seed, sign the lead of the first team in; gives the cookie and a colleague of that team."""
    make_sender()
    teams = [uuid7() for _ in range(4)]
    with transaction() as db:
        row = db.execute("SELECT region_id, id FROM sender").fetchone() or {}
        region = row["region_id"]
        for number, team in enumerate(teams):
            db.execute(
                "INSERT INTO team (id, region_id, name, kind, valid_from)"
                " VALUES (%s, %s, %s, 'veilig_thuis', '2020-01-01')",
                (team, region, f"Team {number}"),
            )
        staff = [
            add_staff(db, region, f"collega{number}", f"Collega {number}", "assessor", PASSWORD, teams[number % 4])
            for number in range(COLLEAGUES)
        ]
        lead = add_staff(db, region, "meting", "M. Eting", "team_lead", PASSWORD, teams[0])
        token = sessions.start(db, lead)
        seed.history(db, region, row["id"], teams, reports, open_reports, staff)
    with pool().connection() as db:
        # As on a database that has lived for a while: autovacuum does this by itself, some minutes later.
        db.execute("SET statement_timeout = 0")
        db.execute("VACUUM ANALYZE")
        counted = db.execute(
            "SELECT (SELECT count(*) FROM task WHERE done_at IS NULL) AS tasks,"
            " (SELECT count(*) FROM deadline WHERE met_at IS NULL) AS terms"
        ).fetchone()
    print(f"{reports} reports, {counted}")
    return f"{sessions.cookie_name()}={token}", staff[4]


def _clock() -> None:
    """The first round catches up, as after a long stop of the clock; what is measured is the one after it."""
    with pool().connection() as db:
        db.execute("SET statement_timeout = '15 s'")
        at = now(db)
        print(f"the first round of the clock: {_timed(lambda: reminders.round(db, at))}")
        while sum(reminders.round(db, at).values()):
            pass
        print(f"a round with nothing to do: {_timed(lambda: reminders.round(db, at))}")
    for what in ("from empty", "again"):
        with transaction() as db:
            db.execute("SET LOCAL statement_timeout = '15 s'")
            print(f"terms counted {what}: {_timed(partial(shares.recount, db, now(db)))}")


def _read(port: int, cookie: str, colleague: UUID, times: int) -> dict[str, list[float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    further = "/wachtrij"
    waits: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(times + 5):
        for name, address in PAGES.items():
            path = address.format(colleague=colleague) or further
            begun = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            page = answer.read().decode()
            wait = (time.perf_counter() - begun) * 1000
            if answer.status != 200:
                raise SystemExit(f"{path} answered {answer.status}")
            if name in ("queue, own team", "queue, further on"):
                found = re.search(r'class="button second" href="(/wachtrij\?[^"]*na=[^"]+)"', page)
                further = found[1].replace("&amp;", "&") if found else "/wachtrij"
            if number >= 5:  # the first ones warm up
                waits[name].append(wait)
    return {name: sorted(found) for name, found in waits.items()}


def percentiles(waits: list[float]) -> str:
    return f"p50 {waits[len(waits) // 2]:.1f} ms, p95 {waits[int(len(waits) * 0.95)]:.1f} ms"


def _timed(work: Callable[[], object]) -> str:
    begun = time.perf_counter()
    done = work()
    return f"{done} in {(time.perf_counter() - begun) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
