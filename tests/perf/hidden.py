"""How long a hidden page takes against one that does not exist: in turn, over HTTP; prints medians and their ratio.

    .venv/bin/python -m tests.perf.hidden [--times 400]

The report is of another region, of an excluded person, of a restricted one, and missing; each answers 404.
"""

from __future__ import annotations

import argparse
import http.client
import random
import statistics
import time
from uuid import UUID, uuid4

from core.database import Db, transaction
from core.ids import uuid7
from core.staff import add_staff
from tests.perf import seed, stack
from tests.perf.access import person_in
from tests.perf.feed import make_sender
from web.access import sessions

PASSWORD = "a-long-password-for-measuring"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=400)
    times = parser.parse_args().times
    with stack.engines():
        cookie, hidden = _fill()
        port = stack.free_port()
        with stack.server("web.app:create_app", port):
            waits = _read(port, cookie, hidden, times)
    missing = statistics.median(waits["missing"])
    for name, found in waits.items():
        median = statistics.median(found)
        print(f"{name}: median {median:.2f} ms, against missing {median / missing:.3f}")


def _fill() -> tuple[str, dict[str, UUID]]:
    make_sender()
    with transaction() as db:
        row = db.execute("SELECT region_id, id FROM sender").fetchone() or {}
        region, team = row["region_id"], uuid7()
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from)"
            " VALUES (%s, %s, 'Team', 'veilig_thuis', '2020-01-01')",
            (team, region),
        )
        seed.history(db, region, row["id"], [team], 20_000, 2_000)
        member = add_staff(db, region, "meting", "M. Eting", "team_lead", PASSWORD)
        contact = add_staff(db, region, "contact", "C. Ontact", "team_lead", PASSWORD)
        reports = db.execute("SELECT id FROM report LIMIT 3").fetchall()
        excluded, restricted, foreign = (one["id"] for one in reports)
        _exclude(db, region, member, person_in(db, region, excluded))
        db.execute(
            "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
            " VALUES (%s, %s, %s, %s, 'meting', 'seed', now())",
            (uuid7(), region, person_in(db, region, restricted), contact),
        )
        other = uuid7()
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Elders', '00000099000000009999')", (other,))
        db.execute("UPDATE report SET region_id = %s WHERE id = %s", (other, foreign))
        token = sessions.start(db, member)
    hidden = {"other region": foreign, "excluded": excluded, "restricted": restricted}
    return f"{sessions.cookie_name()}={token}", hidden


def _exclude(db: Db, region: UUID, member: UUID, person: UUID) -> None:
    db.execute(
        "INSERT INTO exclusion (id, region_id, staff_id, person_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, 'meting', 'seed', now())",
        (uuid7(), region, member, person),
    )


def _read(port: int, cookie: str, hidden: dict[str, UUID], times: int) -> dict[str, list[float]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    waits: dict[str, list[float]] = {name: [] for name in (*hidden, "missing")}
    for number in range(times + 20):
        turn = list(waits)
        random.shuffle(turn)
        for name in turn:
            begun = time.perf_counter()
            connection.request("GET", f"/meldingen/{hidden.get(name) or uuid4()}", headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 404:
                raise SystemExit(f"{name} answered {answer.status}")
            if number >= 20:  # the first ones warm up
                waits[name].append((time.perf_counter() - begun) * 1000)
    return waits


if __name__ == "__main__":
    main()
