"""A region and reports that come in as intake stores them, linked and routed as the workers do: rows, no feed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db
from core.ids import uuid7
from intake.terms import term_of_day
from workers import verify, work

REGION, SENDER, OURS, LOCAL = (UUID(int=number) for number in range(1, 5))
DAY = datetime(2026, 3, 3, 9, tzinfo=UTC)
"""A Tuesday without a holiday near it."""
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}
ACUTE = {"rule": "wapen", "level": "acute", "text": "Er is een wapen gezien.", "words": ["mes"]}

Person = dict[str, Any]


def who(first: str, last: str, birth: str, role: str = "111", **more: Any) -> Person:
    person: Person = {
        "naam": {"voornaam": first, "geslachtsnaam": last},
        "rol": {"code": role},
        "geboortedatum": {"tekst": birth},
        "adressen": [{"soort": "formeel"} | HOME],
    }
    return person | more


JAN = who("Jan", "Voorbeeld", "19800305", bsn="999993653")
MIA = who("Mia", "Testers", "19820711", bsn="999990019")
ANNE = who("Anne", "Voorbeeld", "20150602", "115")


def found_region(db: Db) -> UUID:
    """A region with a team of ours, a local team and one sender."""
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Testdam', %s)", (REGION, "0" * 20))
    for team, name, kind in ((OURS, "Team Noord", "veilig_thuis"), (LOCAL, "Wijkteam Dal", "local_team")):
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (team, REGION, name, kind),
        )
    db.execute(
        "INSERT INTO partner_check (id, region_id, team_id, verified_until, how, checked_at, checked_by)"
        " VALUES (%s, %s, %s, '2099-01-01', 'Gebeld', '2020-01-01', 'teun')",
        (uuid7(), REGION, LOCAL),
    )
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind, certificate_sha256)"
        " VALUES (%s, %s, %s, 'Politie Proef', 'politie', %s)",
        (SENDER, REGION, "1" * 20, "ab" * 32),
    )
    return REGION


def receive(db: Db, *persons: Person, at: datetime = DAY, acute_signals: Sequence[dict[str, Any]] = ()) -> UUID:
    """A report as intake stores it, with its term, task and audit row; not linked yet."""
    message, report, deadline = uuid7(), uuid7(), uuid7()
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
        " answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
        (message, REGION, SENDER, at, message.bytes, hashlib.sha256(message.bytes).digest()),
    )
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
        " received_at, content, remarks, acute_signals, acute_rules)"
        " VALUES (%s, %s, %s, %s, 'politie', %s, %s, '{}', '[]', %s, 'x')",
        (report, REGION, message, SENDER, str(message), at, Jsonb(list(acute_signals))),
    )
    for number, person in enumerate(persons, start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (uuid7(), REGION, report, number, Jsonb(person)),
        )
    term = term_of_day(at.date())
    dates = (term.norm.due_on, term.legal.due_on, term.due_at)
    db.execute(
        "INSERT INTO deadline (id, region_id, kind, subject_id, norm_due_on, legal_due_on, due_at)"
        " VALUES (%s, %s, 'safety_assessment', %s, %s, %s, %s)",
        (deadline, REGION, report, *dates),
    )
    db.execute(
        "INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at,"
        " steps, starts_on) VALUES (%s, 1, %s, 'sender', 'ontvangst', %s, %s, %s, %s, %s)",
        (deadline, at, *dates, Jsonb(term.to_json()), at.date()),
    )
    db.execute(
        "INSERT INTO task (id, region_id, team_id, kind, subject_id, report_id, received_at, due_at)"
        " VALUES (%s, %s, %s, 'assess', %s, %s, %s, %s)",
        (uuid7(), REGION, OURS, report, report, at, term.due_at),
    )
    audit.append(db, REGION, "sender", "report.receive", "report", report)
    return report


def arrive(db: Db, *persons: Person, at: datetime = DAY, acute_signals: Sequence[dict[str, Any]] = ()) -> UUID:
    """The same, linked, in its case and routed."""
    with db.transaction():
        report = receive(db, *persons, at=at, acute_signals=acute_signals)
        work.link_report(db, report)
        work.route_report(db, report)
        db.execute(
            "UPDATE job SET state = 'done', finished_at = now() WHERE kind = 'route_report' AND subject_id = %s",
            (report,),
        )
    return report


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None, query
    return dict(row)


def state(db: Db, report: UUID) -> str:
    return str(one(db, "SELECT state FROM report WHERE id = %s", report)["state"])


def open_tasks(db: Db, report: UUID) -> list[str]:
    """The kinds of the open tasks about a report, sorted."""
    rows = db.execute("SELECT kind FROM task WHERE report_id = %s AND done_at IS NULL ORDER BY kind", (report,))
    return [row["kind"] for row in rows]


def holder(db: Db, report: UUID) -> str | None:
    """Who watches the case of a report now."""
    row = db.execute(
        "SELECT w.holder FROM report r JOIN safety_watch w ON w.case_id = r.case_id AND w.until IS NULL"
        " WHERE r.id = %s",
        (report,),
    ).fetchone()
    return row["holder"] if row else None


LAID_PLAIN = {
    "each raw message is sealed (`veilig seal` seals what came in before)",
    "no citizen service number and no reporter stands plain beside a report",
}
"""Rules that these rows break on purpose: they are laid as before sealing (tests/intake shows the sealing)."""


def breaches(db: Db) -> set[tuple[int, str]]:
    """The rules of `veilig verify` that do not hold; also inside a transaction that is not committed."""
    with db.transaction():
        found = {(one.rule, one.text) for check in verify.CHECKS for one in check(db) if one.breaches}
    return {one for one in found if one[1] not in LAID_PLAIN}
