"""What row security costs: the pages of a member from whom reports are hidden, against those of one who sees all.

    .venv/bin/python -m tests.perf.access [--reports 1000000] [--open 50000] [--pages 100] [--hidden 300]

Both are team leads of the same team on the same database, and read each page in turn; the third reads it over a
connection of the owner, for whom no row policy counts. Prints p50, p95 and the ratios.
"""

from __future__ import annotations

import argparse
import http.client
import os
import time
from uuid import UUID

from core.database import Db, allow_statements_of, transaction
from core.ids import uuid7
from core.settings import settings
from core.staff import add_staff
from tests.perf import overview, stack
from web.access import sessions

PAGES = {"queue": "/wachtrij", "overview": "/overzicht", "report": "/meldingen/{report}", "case": "/casussen/{case}"}
EXCLUDED = 3
"""Persons that the restricted member may see nothing of, as his neighbours."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=50_000, help="reports on which there is still work")
    parser.add_argument("--pages", type=int, default=100, help="times that each page is read")
    parser.add_argument("--hidden", type=int, default=300, help="reports of restricted persons in the region")
    chosen = parser.parse_args()
    allow_statements_of(600_000)  # restricting hundreds of reports at once is no screen's work
    with stack.engines():
        overview.fill(chosen.reports, chosen.open)
        cookies, paths = _two_members(chosen.hidden)
        walled, open_ = stack.free_port(), stack.free_port()
        with stack.server("web.app:create_app", walled):
            os.environ["VEILIG_WEB_DATABASE_URL"] = os.environ["VEILIG_DATABASE_URL"]
            settings.cache_clear()
            with stack.server("web.app:create_app", open_):
                waits = _read((walled, open_), cookies, paths, chosen.pages)
    for name in PAGES:
        for who in ("restricted", "unrestricted", "no policies"):
            print(f"{name}, {who}: {overview.percentiles(waits[name, who])}")
        half = {who: waits[name, who][chosen.pages // 2] for who in ("restricted", "unrestricted", "no policies")}
        print(
            f"{name}: restricted / unrestricted = {half['restricted'] / half['unrestricted']:.2f},"
            f" with / without policies = {half['unrestricted'] / half['no policies']:.2f} (p50)"
        )


def _two_members(hidden: int) -> tuple[dict[str, str], dict[str, str]]:
    """A contact of every restricted person, who sees all, and a member who sees none of them."""
    with transaction() as db:
        row = db.execute("SELECT region_id, team_id FROM staff WHERE username = 'meting'").fetchone()
        if row is None:
            raise SystemExit("the seed made no team lead")
        cookies = {}
        ids = {}
        for who in ("unrestricted", "restricted"):
            ids[who] = add_staff(db, row["region_id"], who, who, "team_lead", overview.PASSWORD, row["team_id"])
            cookies[who] = f"{sessions.cookie_name()}={sessions.start(db, ids[who])}"
        reports = db.execute(
            "SELECT id, case_id FROM report WHERE region_id = %s AND state = 'assessing'"
            " ORDER BY received_at DESC LIMIT %s",
            (row["region_id"], hidden + 10 * EXCLUDED + 1),
        ).fetchall()
        for number, report in enumerate(reports[:-1]):
            person = person_in(db, row["region_id"], report["id"])
            if number < hidden:
                db.execute(
                    "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
                    " VALUES (%s, %s, %s, %s, 'meting', 'seed', now())",
                    (uuid7(), row["region_id"], person, ids["unrestricted"]),
                )
            elif number < hidden + EXCLUDED:
                db.execute(
                    "INSERT INTO exclusion (id, region_id, staff_id, person_id, reason, set_by, set_at)"
                    " VALUES (%s, %s, %s, %s, 'meting', 'seed', now())",
                    (uuid7(), row["region_id"], ids["restricted"], person),
                )
        counted = db.execute("SELECT count(*) AS hidden FROM restricted_report").fetchone()
        print(f"restricted reports: {counted}")
    with transaction() as db:
        db.execute("ANALYZE restriction, restricted_report, exclusion, link, mention")
    last = reports[-1]
    return cookies, {name: path.format(report=last["id"], case=last["case_id"]) for name, path in PAGES.items()}


def person_in(db: Db, region: UUID, report: UUID) -> UUID:
    """A person whom this report names, linked; for measurements only."""
    person, mention = uuid7(), uuid7()
    db.execute("INSERT INTO person (id, region_id) VALUES (%s, %s)", (person, region))
    db.execute(
        "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, 40, '{}')",
        (mention, region, report),
    )
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        " VALUES (%s, %s, %s, %s, 'new', 'new', 0, '[]', 'seed')",
        (uuid7(), region, mention, person),
    )
    return person


def _read(
    ports: tuple[int, int], cookies: dict[str, str], paths: dict[str, str], times: int
) -> dict[tuple[str, str], list[float]]:
    walled, open_ = (http.client.HTTPConnection("127.0.0.1", port, timeout=30) for port in ports)
    ways = (
        ("restricted", walled, cookies["restricted"]),
        ("unrestricted", walled, cookies["unrestricted"]),
        ("no policies", open_, cookies["unrestricted"]),
    )
    waits: dict[tuple[str, str], list[float]] = {(name, who): [] for name in paths for who, _, _ in ways}
    for number in range(times + 5):
        for name, path in paths.items():
            for who, connection, cookie in ways:
                begun = time.perf_counter()
                connection.request("GET", path, headers={"Cookie": cookie})
                answer = connection.getresponse()
                answer.read()
                wait = (time.perf_counter() - begun) * 1000
                if answer.status != 200:
                    raise SystemExit(f"{path} answered {answer.status} to {who}")
                if number >= 5:  # the first ones warm up
                    waits[name, who].append(wait)
    return {key: sorted(found) for key, found in waits.items()}


if __name__ == "__main__":
    main()
