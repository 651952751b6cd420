"""Telling each person concerned that data about him were recorded (Wmo 2015 art. 5.3.1): four weeks per person.

The clock of a person starts when his data were recorded, so somebody who is named later has a clock of his own. Who
was told is told of everything that was recorded about him before that, in whatever report.
"""

# ruff: noqa: S608 -- put together from our own constants only
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, VeiligError
from radar.casework import ledger, tasks, terms
from radar.casework.ages import age_on, receiver

How = Literal["letter", "talk", "representative"]
HOW: dict[str, str] = {
    "letter": "Met een brief",
    "talk": "In een gesprek",
    "representative": "Via de wettelijk vertegenwoordiger",
}
KIND = "person_notice"
ROUND = 500
"""How many reports `remind` opens a task for in one round; the next round takes the rest."""


class NotYet(VeiligError):
    """Vul een moment in dat na de ontvangst van de melding ligt, en niet in de toekomst."""

    status = 400


class WrongWay(VeiligError):
    """Kies hoe deze persoon is ingelicht."""

    status = 400


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person concerned of a report: when he must be told, and whether he was.

    `age`: youngest and oldest age that he can have now, None when the year of birth is unknown. `term` has id, both
    dates, due_at, met_at, dropped_at and `extensions` in force; None before linking. `notice`: how and when he was
    told in this report; `told_elsewhere`: when he was told in another report about him. `letters`: id, template,
    made_at, sent_at, oldest first.
    """

    mention_id: UUID
    number: int
    person: dict[str, Any]
    age: tuple[int, int] | None
    receiver: str
    term: Row | None
    notice: Row | None
    told_elsewhere: datetime | None
    letters: list[dict[str, Any]]


_CONCERNED = (
    "(coalesce(m.role_code, 0) < 391 AND btrim(coalesce(m.person->'geboortedatum'->>'tekst', '')) <> '99999999')"
)
"""A mention `m` of somebody who must be told: no reporter, informant, contact person or professional (roles from 391
on, standards.md 1.5), no unborn child (its code in place of a date of birth)."""
_SAME_PERSON = (
    "EXISTS (SELECT FROM link a JOIN link b ON b.person_id = a.person_id AND b.region_id = a.region_id"
    " WHERE a.mention_id = m.id AND b.mention_id = {other} AND a.state IN ('new', 'automatic', 'confirmed')"
    " AND b.state IN ('new', 'automatic', 'confirmed'))"
)


def begin(db: Db, report_id: UUID, at: datetime) -> int:
    """Start the term of each person concerned in a linked report, from the day of receipt; how many there are.

    Once: who has a term keeps it. Nothing for a form that is no report or that came from an old
    system.
    """
    rows = db.execute(
        "SELECT r.received_at, m.id FROM report r LEFT JOIN mention m ON m.report_id = r.id AND "
        + _CONCERNED
        + " WHERE r.id = %s AND r.state NOT IN ('imported', 'forwarded')",
        (report_id,),
    ).fetchall()
    mentions = [row["id"] for row in rows if row["id"]]
    if mentions:
        ledger.start(
            db,
            KIND,
            mentions,
            report_id,
            starts_on=local_day(rows[0]["received_at"]),
            by="system",
            at=at,
            reason="gegevens vastgelegd",
        )
    return len(mentions)


def told(
    db: Db,
    mention_id: UUID,
    *,
    how: str,
    told_at: datetime,
    by: str,
    at: datetime,
    note: str = "",
    letter_id: UUID | None = None,
) -> list[UUID]:
    """This person was told. Meets his term, here and in each report in which he was named before; gives the mentions.

    Raises NotFound; WrongWay (a letter needs its letter, to this person); NotYet for a moment in the future or before
    his data were recorded; Conflict when it was noted already or he need not be told.
    """
    row = db.execute(
        "SELECT m.region_id, m.report_id, r.received_at, " + _CONCERNED + " AS concerned"
        " FROM mention m JOIN report r ON r.id = m.report_id WHERE m.id = %s FOR UPDATE OF r",
        (mention_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    if not row["concerned"]:
        raise Conflict("Deze persoon hoeft geen bericht te krijgen.")
    _check_way(db, mention_id, how, letter_id)
    if not row["received_at"] <= told_at <= at:
        raise NotYet
    stored = db.execute(
        "INSERT INTO person_notice (mention_id, region_id, report_id, how, letter_id, told_at, noted_at, actor, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (mention_id, row["region_id"], row["report_id"], how, letter_id, told_at, at, by, note.strip()),
    )
    if not stored.rowcount:
        raise Conflict("Het is al vastgelegd dat deze persoon is ingelicht.")
    audit.append(db, row["region_id"], by, "notice.tell", "mention", mention_id, {"how": how})
    return _meet(db, mention_id, told_at, by, at)


def _check_way(db: Db, mention_id: UUID, how: str, letter_id: UUID | None) -> None:
    if how not in HOW:
        raise WrongWay
    if how == "letter" and letter_id is None:
        raise WrongWay("Maak eerst de brief aan deze persoon.")
    if letter_id is None:
        return
    letter = db.execute(
        "SELECT sent_at FROM letter WHERE id = %s AND mention_id = %s AND template = 'person_notice'",
        (letter_id, mention_id),
    )
    found = letter.fetchone()
    if found is None or found["sent_at"] is None:
        raise WrongWay("Deze brief is niet aan deze persoon verstuurd.")


def _meet(db: Db, mention_id: UUID, told_at: datetime, by: str, at: datetime) -> list[UUID]:
    """Meet the open terms of this person for what was recorded before he was told."""
    rows = db.execute(
        "UPDATE deadline d SET met_at = %(told_at)s FROM mention m JOIN report r ON r.id = m.report_id"
        " WHERE d.kind = 'person_notice' AND d.subject_id = m.id AND d.met_at IS NULL AND d.dropped_at IS NULL"
        " AND r.received_at <= %(told_at)s AND m.region_id = (SELECT region_id FROM mention WHERE id = %(mention)s)"
        " AND m.id = ANY(ARRAY[%(mention)s] || ARRAY(SELECT b.mention_id FROM link a JOIN link b"
        "   ON b.person_id = a.person_id AND b.region_id = a.region_id WHERE a.mention_id = %(mention)s"
        "   AND a.state IN ('new', 'automatic', 'confirmed') AND b.state IN ('new', 'automatic', 'confirmed')))"
        " RETURNING m.id, d.report_id",
        {"told_at": told_at, "mention": mention_id},
    ).fetchall()
    for report_id in dict.fromkeys(row["report_id"] for row in rows):
        _close_when_done(db, report_id, by, at)
    return [row["id"] for row in rows]


def relinked(db: Db, report_id: UUID, *, by: str, at: datetime) -> int:
    """A link of this report changed: who was told only as somebody else must be told after all, or the reverse.

    Gives how many terms changed. To be called when a person undoes, confirms or rejects a link.
    """
    covered = (
        "(SELECT min(n.told_at) FROM person_notice n WHERE n.told_at >= r.received_at AND n.region_id = m.region_id"
        " AND (n.mention_id = m.id OR " + _SAME_PERSON.format(other="n.mention_id") + "))"
    )
    rows = db.execute(
        "UPDATE deadline d SET met_at = new.told_at FROM (SELECT m.id, " + covered + " AS told_at"
        "   FROM mention m JOIN report r ON r.id = m.report_id WHERE r.id = %s OR r.id IN (SELECT o.report_id"
        "     FROM mention own JOIN link l ON l.mention_id = own.id JOIN link k ON k.person_id = l.person_id"
        "     JOIN mention o ON o.id = k.mention_id WHERE own.report_id = %s)) new"
        " WHERE d.kind = 'person_notice' AND d.subject_id = new.id AND d.dropped_at IS NULL"
        " AND (d.met_at IS NULL) <> (new.told_at IS NULL) RETURNING d.report_id, d.region_id, d.subject_id, d.met_at",
        (report_id, report_id),
    ).fetchall()
    for row in rows:
        details = {"met": row["met_at"] is not None}
        audit.append(db, row["region_id"], by, "notice.relink", "mention", row["subject_id"], details)
        _close_when_done(db, row["report_id"], by, at)
    return len(rows)


def extend(db: Db, deadline_id: UUID, weeks: int, *, reason: str, by: str, at: datetime) -> None:
    """Lengthen the term of one person ("telkens" at most two weeks); the task follows. Raises as `ledger.extend`."""
    ledger.extend(db, deadline_id, weeks, reason=reason, by=by, at=at)
    _follow(db, deadline_id)


def withdraw(db: Db, deadline_id: UUID, number: int, *, reason: str, by: str, at: datetime) -> None:
    """Take an extension back; the task follows. Raises as `ledger.withdraw`."""
    ledger.withdraw(db, deadline_id, number, reason=reason, by=by, at=at)
    _follow(db, deadline_id)


def _follow(db: Db, deadline_id: UUID) -> None:
    """The open task of the report is due when its earliest open term is."""
    db.execute(
        "UPDATE task t SET due_at = (SELECT min(o.due_at) FROM deadline o WHERE o.report_id = d.report_id"
        "   AND o.kind = 'person_notice' AND o.met_at IS NULL AND o.dropped_at IS NULL)"
        " FROM deadline d WHERE d.id = %s AND d.kind = 'person_notice' AND t.kind = 'notify'"
        " AND t.subject_id = d.report_id AND t.done_at IS NULL",
        (deadline_id,),
    )


def remind(db: Db, region: UUID | None, at: datetime) -> int:
    """Open the task of each report in which the reminder moment of an open term came; how many were opened.

    A task whose terms were all met or fell away is closed. Cheap enough for every minute: it reads the open terms
    that are near, by index. `region` None is all of them.
    """
    # Not `remind_at` per row: the reminder of every term is the same number of days before it is due.
    soon = at + timedelta(days=terms.kind(KIND).remind_days)
    regions = [region] if region else [row["id"] for row in db.execute("SELECT id FROM region ORDER BY id")]
    opened = 0
    for one in regions:
        rows = db.execute(
            "SELECT d.report_id, min(d.due_at) AS due_at FROM deadline d WHERE d.region_id = %s"
            " AND d.kind = 'person_notice' AND d.due_at <= %s AND d.met_at IS NULL AND d.dropped_at IS NULL"
            " AND NOT EXISTS (SELECT FROM task t WHERE t.kind = 'notify' AND t.subject_id = d.report_id"
            "   AND t.done_at IS NULL) GROUP BY d.report_id ORDER BY min(d.due_at), d.report_id LIMIT %s",
            (one, soon, ROUND),
        ).fetchall()
        for row in rows:
            opened += tasks.open_task(db, "notify", row["report_id"], row["report_id"], due_at=row["due_at"], at=at)
        idle = db.execute(
            "SELECT t.subject_id FROM task t WHERE t.region_id = %s AND t.kind = 'notify' AND t.done_at IS NULL"
            " AND NOT EXISTS (SELECT FROM deadline d WHERE d.report_id = t.subject_id AND d.kind = 'person_notice'"
            "   AND d.met_at IS NULL AND d.dropped_at IS NULL) LIMIT %s",
            (one, ROUND),
        ).fetchall()
        for row in idle:
            tasks.close_task(db, "notify", row["subject_id"], by="system", at=at, outcome="done")
    return opened


def remind_all(db: Db, at: datetime) -> int:
    """`remind` for every region, as the clock calls it."""
    return remind(db, None, at)


def _close_when_done(db: Db, report_id: UUID, by: str, at: datetime) -> None:
    left = db.execute(
        "SELECT min(due_at) AS due_at FROM deadline WHERE report_id = %s AND kind = 'person_notice'"
        " AND met_at IS NULL AND dropped_at IS NULL",
        (report_id,),
    ).fetchone()
    if left is None or left["due_at"] is None:
        tasks.close_task(db, "notify", report_id, by=by, at=at, outcome="told")
    else:
        db.execute(
            "UPDATE task SET due_at = %s WHERE kind = 'notify' AND subject_id = %s AND done_at IS NULL",
            (left["due_at"], report_id),
        )


def waiting(db: Db, region: UUID, report_id: UUID, today: date) -> list[Waiting]:
    """The persons concerned of a report, in the order of the message, with what must happen and what was done."""
    rows = db.execute(
        "SELECT m.id, m.number, m.person, to_jsonb(n) - 'region_id' AS notice,"
        " (SELECT min(o.told_at) FROM person_notice o WHERE o.mention_id <> m.id AND o.region_id = m.region_id"
        "   AND o.told_at >= r.received_at AND " + _SAME_PERSON.format(other="o.mention_id") + ") AS told_elsewhere,"
        " (SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'template', l.template, 'made_at', l.made_at,"
        "   'sent_at', l.sent_at) ORDER BY l.made_at, l.id), '[]') FROM letter l"
        "   WHERE l.mention_id = m.id) AS letters"
        " FROM mention m JOIN report r ON r.id = m.report_id LEFT JOIN person_notice n ON n.mention_id = m.id"
        " WHERE m.region_id = %s AND m.report_id = %s AND " + _CONCERNED + " ORDER BY m.number",
        (region, report_id),
    ).fetchall()
    found = {row["subject_id"]: row for row in _terms(db, region, [row["id"] for row in rows])}
    return [
        Waiting(
            mention_id=row["id"],
            number=row["number"],
            person=row["person"],
            age=age_on(row["person"], today),
            receiver=receiver(age_on(row["person"], today)),
            term=found.get(row["id"]),
            notice=row["notice"] and _moments(row["notice"], "told_at", "noted_at"),
            told_elsewhere=row["told_elsewhere"],
            letters=[_moments(letter, "made_at", "sent_at") for letter in row["letters"]],
        )
        for row in rows
    ]


def _terms(db: Db, region: UUID, mentions: Sequence[UUID]) -> list[Row]:
    return db.execute(
        "SELECT d.id, d.subject_id, d.norm_due_on, d.legal_due_on, d.due_at, d.met_at, d.dropped_at, d.dropped_why,"
        " (SELECT count(*) FILTER (WHERE e.kind = 'extension') - count(*) FILTER (WHERE e.kind = 'withdrawal')"
        "   FROM deadline_entry e WHERE e.deadline_id = d.id) AS extensions"
        " FROM deadline d WHERE d.region_id = %s AND d.kind = 'person_notice' AND d.subject_id = ANY(%s)",
        (region, list(mentions)),
    ).fetchall()


def _moments(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """JSON gives a moment as text."""
    return row | {name: datetime.fromisoformat(row[name]) for name in names if row[name]}
