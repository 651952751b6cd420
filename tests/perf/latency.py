"""From acknowledgement to the queue: how long until a report is linked, routed and stands on its team's queue.

    .venv/bin/python -m tests.perf.latency [--reports 100000] [--per-second 20] [--seconds 30]

Fills a database with earlier reports, starts web, worker and clock, posts at a steady rate and reads from the
database when each report's route was proposed (the commit after which the queue shows team and history).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import ExitStack

from core.database import transaction
from core.ids import uuid7
from intake.corv.write import write_report
from intake.sample import sample_report
from tests.perf import load, seed, stack
from tests.perf.feed import PATH, make_sender


def bodies(count: int) -> list[bytes]:
    """Reports on different families, every third on the family before it."""
    made = []
    for number in range(count):
        family = number - number % 3
        person = {"naam": {"voornamen": f"Test{family}", "geslachtsnaam": f"Voorbeeld{family}"}}
        changes = {
            "bericht": {"referentienummer": f"meting-{number}"},
            "melding": {"kenmerk": f"kenmerk-{number}"},
            "betrokkenen": [{"rol": {"code": "115"}, "geslacht": "O", **person}],
        }
        made.append(write_report(sample_report(changes)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--per-second", type=float, default=20)
    parser.add_argument("--seconds", type=int, default=30)
    chosen = parser.parse_args()
    with stack.engines(), ExitStack() as running:
        token = make_sender()
        with transaction() as db:
            row = db.execute("SELECT region_id, id FROM sender").fetchone() or {}
            team = uuid7()
            db.execute(
                "INSERT INTO team (id, region_id, name, kind, valid_from)"
                " VALUES (%s, %s, 'Team', 'veilig_thuis', '2020-01-01')",
                (team, row["region_id"]),
            )
            seed.history(db, row["region_id"], row["id"], [team], chosen.reports, chosen.reports // 20)
            seed.register(db, row["region_id"])
        with transaction() as db:
            seed.settle(db)
        port = stack.free_port()
        running.enter_context(stack.server("web.app:create_app", port))
        running.enter_context(stack.veilig("worker"))
        running.enter_context(stack.veilig("clock"))
        time.sleep(3)  # the processes' own start is not measured
        count = int(chosen.per_second * chosen.seconds)
        headers = f"Authorization: Bearer {token}\r\nContent-Type: text/xml\r\n"
        result = asyncio.run(load.paced(port, PATH, bodies(count), headers, chosen.per_second))
        print(
            f"posted {len(result.seconds)} at {chosen.per_second}/s: p50 {result.percentile(0.5):.1f} ms,"
            f" p99 {result.percentile(0.99):.1f} ms  {result.statuses}"
        )
        print(_report(count))


def _report(count: int) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with transaction() as db:
            rows = db.execute(
                "SELECT extract(epoch FROM j.finished_at - m.received_at) * 1000 AS ms FROM message m"
                " JOIN report r ON r.message_id = m.id JOIN job j ON j.subject_id = r.id AND j.kind = 'route_report'"
                " WHERE m.reference LIKE 'meting-%' AND j.state = 'done' ORDER BY 1"
            ).fetchall()
        if len(rows) == count:
            waits = [float(row["ms"]) for row in rows]
            middle, high = waits[count // 2], waits[int(count * 0.95)]
            return f"received to routed on the queue: p50 {middle:.0f} ms, p95 {high:.0f} ms, most {waits[-1]:.0f} ms"
        time.sleep(0.2)
    return f"only {len(rows)} of {count} were routed within 60 s"


if __name__ == "__main__":
    main()
