"""The queue page at few and at many reports, over HTTP, in one run: p50 and p95 per page.

    .venv/bin/python -m tests.perf.queue [--sizes 10000 1000000] [--open 5000] [--pages 200]

Each size gets a database of its own with the same number of open tasks; the pages read are the first page, the
first page of one team, and pages further on, in turn.
"""

from __future__ import annotations

import argparse
import http.client
import re
import time

from core.database import transaction
from core.ids import uuid7
from core.staff import add_staff
from tests.perf import seed, stack
from tests.perf.feed import make_sender
from web.access import sessions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--open", type=int, default=5_000, help="open tasks, the same for each size")
    parser.add_argument("--pages", type=int, default=200)
    chosen = parser.parse_args()
    figures = {}
    for size in chosen.sizes:
        with stack.engines():
            cookie, team = _fill(size, chosen.open)
            port = stack.free_port()
            with stack.server("web.app:create_app", port):
                waits = _read(port, cookie, team, chosen.pages)
        figures[size] = waits[int(len(waits) * 0.95)]
        print(f"{size} reports, {chosen.open} open: p50 {waits[len(waits) // 2]:.1f} ms, p95 {figures[size]:.1f} ms")
    first, last = figures[chosen.sizes[0]], figures[chosen.sizes[-1]]
    print(f"p95 at {chosen.sizes[-1]} / p95 at {chosen.sizes[0]} = {last / first:.2f}")


def _fill(reports: int, open_tasks: int) -> tuple[str, str]:
    """Seed the reports and sign somebody in; returns the cookie and a team."""
    make_sender()
    teams = [uuid7() for _ in range(4)]
    with transaction() as db:
        row = db.execute("SELECT region_id, id FROM sender").fetchone() or {}
        for number, team in enumerate(teams):
            db.execute(
                "INSERT INTO team (id, region_id, name, kind, valid_from)"
                " VALUES (%s, %s, %s, 'veilig_thuis', '2020-01-01')",
                (team, row["region_id"], f"Team {number}"),
            )
        seed.history(db, row["region_id"], row["id"], teams, reports, open_tasks)
        member = add_staff(db, row["region_id"], "meting", "M. Eting", "team_lead", "a-long-password-for-measuring")
        token = sessions.start(db, member)
    with transaction() as db:
        seed.settle(db)
    return f"{sessions.cookie_name()}={token}", str(teams[0])


def _read(port: int, cookie: str, team: str, pages: int) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    further = "/wachtrij"
    waits = []
    for number in range(pages + 20):
        path = ("/wachtrij", f"/wachtrij?team={team}", further)[number % 3]
        begun = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        page = answer.read().decode()
        waits.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        found = re.search(r'href="(/wachtrij\?[^"]*(?:na|after|vanaf)=[^"]+)"', page)
        further = found[1].replace("&amp;", "&") if found else "/wachtrij"
    return sorted(waits[20:])  # the first ones warm up


if __name__ == "__main__":
    main()
