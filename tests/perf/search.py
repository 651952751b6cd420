"""Searching among many persons, under the role of the screens and its row policies: p50 and p95 per search.

    .venv/bin/python -m tests.perf.search [--reports 60000] [--searches 400] [--restricted 500]

Two persons per report. A search is one transaction as the guard makes it: look up, compare, seal, write down, commit.
Three kinds in turn: somebody known (typed with one mistake), somebody restricted, and nobody.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.database import now, present, transaction
from core.ids import uuid7
from core.staff import add_staff
from radar.quality import rulesets
from radar.search import searches
from radar.search.searches import Context
from radar.search.terms import Terms
from tests.perf import seed, stack
from tests.perf.feed import make_sender
from web.access import sessions

CALL = Context("safety", note="Gemeten zoekopdracht.")
KINDS = ("known", "restricted", "nobody")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=60_000)
    parser.add_argument("--searches", type=int, default=400, help="of each kind")
    parser.add_argument("--restricted", type=int, default=500, help="reports that only their contact may see")
    chosen = parser.parse_args()
    os.environ |= {"VEILIG_SEARCHES_PER_HOUR": "1000000", "VEILIG_SEARCHES_PER_DAY": "1000000"}
    with stack.engines():
        region, member, token, people = _fill(chosen.reports, chosen.searches, chosen.restricted)
        waits: dict[str, list[float]] = {kind: [] for kind in KINDS}
        found = dict.fromkeys(KINDS, 0)
        for number in range(chosen.searches):
            for kind in KINDS:
                form = _form(people[kind][number % len(people[kind])], kind)
                begun = time.perf_counter()
                found[kind] += _search(region, member, token, form)
                waits[kind].append((time.perf_counter() - begun) * 1000)
        for kind in KINDS:
            ordered = sorted(waits[kind][20:])  # the first ones warm up
            p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
            share = found[kind] / chosen.searches
            print(f"{2 * chosen.reports} persons, {kind}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, found {share:.0%}")


def _search(region: UUID, member: UUID, token: str, form: Mapping[str, str]) -> bool:
    with transaction("web") as db:
        present(db, sessions.key_of(token))
        terms = Terms.read(form, rulesets.active(db, region))
        search, _ = searches.begin(db, region, member, CALL, terms, by="meting", at=now(db))
        row = db.execute("SELECT results FROM search WHERE id = %s", (search,)).fetchone()
    return bool(row and row["results"])


def _form(person: Mapping[str, Any], kind: str) -> dict[str, str]:
    """A name with a letter too many, the birth date and the house."""
    name, birth, (home,) = person["naam"], person["geboortedatum"]["tekst"], person["adressen"]
    form = {"given": name["voornamen"], "surname": f"{name['geslachtsnaam']}{name['geslachtsnaam'][-1]}"}
    form |= {"birth_year": birth[:4], "birth_month": birth[4:6], "birth_day": birth[6:]}
    form |= {"postcode": home["postcode"], "house_number": home["huisnummer"]}
    return form | {"given": "Xwerk", "surname": "Qojup", "postcode": "1000ZZ"} if kind == "nobody" else form


def _fill(reports: int, wanted: int, restricted: int) -> tuple[UUID, UUID, str, dict[str, list[dict[str, Any]]]]:
    """Seed, sign somebody in, restrict some; gives the region, the member, his token and people per kind."""
    make_sender()
    team = uuid7()
    with transaction() as db:
        row = db.execute("SELECT region_id, id FROM sender").fetchone() or {}
        region = row["region_id"]
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'T', 'veilig_thuis', now())",
            (team, region),
        )
        seed.history(db, region, row["id"], [team], reports, 1_000)
        seed.register(db, region)
        member = add_staff(db, region, "meting", "M. Eting", "assessor", "a-long-password-for-measuring")
        contact = add_staff(db, region, "contact", "C. Ontact", "team_lead", "a-long-password-for-measuring")
        token = sessions.start(db, member)
        rows = db.execute(
            "SELECT m.report_id, m.person, l.person_id FROM mention m JOIN link l ON l.mention_id = m.id"
            " WHERE m.number = 1"
        ).fetchall()
        luck = random.Random(7)
        luck.shuffle(rows)
        for one in rows[:restricted]:
            restriction = uuid7()
            db.execute(
                "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
                " VALUES (%s, %s, %s, %s, 'meting', 'meting', now())",
                (restriction, region, one["person_id"], contact),
            )
            db.execute(
                "INSERT INTO restricted_report VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (one["report_id"], restriction, region),
            )
    with transaction() as db:
        seed.settle(db)
    known = [one["person"] for one in rows[restricted : restricted + wanted]]
    hidden = [one["person"] for one in rows[: min(restricted, wanted)]]
    return region, member, token, {"known": known, "restricted": hidden, "nobody": known}


if __name__ == "__main__":
    main()
