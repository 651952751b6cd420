"""What a word on a link changes: done for real, and told from the rows before and after.

A preview does the same inside a savepoint that is always rolled back, so that it cannot say anything else than what
will happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from core.calendar import dutch_date, long_date
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from radar import signals
from radar.casework.decision import PATHS
from radar.casework.review import Told, Word, look_again

Area = Literal["person", "household", "case", "watch", "deadline", "route", "decision", "signal", "link", "reply"]
AREAS: dict[Area, str] = {
    "person": "Persoon",
    "household": "Huishouden",
    "case": "Casus",
    "watch": "Zicht op veiligheid",
    "deadline": "Termijn",
    "route": "Voorstel voor het vervolg",
    "decision": "Besluit",
    "signal": "Signalen van de radar",
    "link": "Andere koppelingen",
    "reply": "Verstuurde berichten",
}
_HOLDERS = {"veilig_thuis": "Veilig Thuis", "reporter": "de melder", "partner": "een partner"}
_REPLIES = {"Bv01": "ontvangstbevestiging (Bv01)", "Fo01": "foutbericht (Fo01)"}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that changed, or that was looked at and stays. `look`: a person should look at it himself.

    `changes` is false for what stays as it was; `report` and `case` are where to look.
    """

    area: Area
    text: str
    changes: bool = True
    look: bool = False
    report: UUID | None = None
    case: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Picture:
    """The reports, cases and open questions around one link, at one moment."""

    reports: dict[UUID, Row]
    cases: dict[UUID, Row]
    questions: dict[UUID, Row]


def carry_out(db: Db, word: Word, link_id: UUID, by: str, at: datetime) -> list[Effect]:
    """Say it (confirm, reject, undo or withdraw of radar.casework.review) and tell everything that changed.

    Raises what the word raises.
    """
    link = _link(db, link_id)
    homes, persons = _homes(db, link), {link["person_id"], link["own"]} - {None}
    before = _picture(db, link, homes, persons)
    found = word(db, link_id, by, at)
    link = _link(db, link_id)
    after = _picture(db, link, homes | {link["household_id"]} - {None}, persons)
    told = [
        *_engine(found),
        *_changes(db, link, before, after),
        *_later(db, found),
        *_replies(db, link["report_id"]),
    ]
    return sorted(told, key=lambda one: list(AREAS).index(one.area))


def preview(db: Db, word: Word, link_id: UUID, by: str, at: datetime) -> list[Effect]:
    """The same list, while nothing stays changed. Raises what the word raises."""
    with db.transaction(force_rollback=True):
        return carry_out(db, word, link_id, by, at)


def fingerprint(effects: Collection[Effect]) -> str:
    """Tells whether two lists say the same: what was shown must be what is carried out."""
    # What is still to be made has another number at each try.
    lines = [f"{one.area} {one.changes} {one.look} {one.text}" for one in effects]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def _link(db: Db, link_id: UUID) -> Row:
    row = db.execute(
        "SELECT l.id, l.region_id, l.mention_id, l.person_id, m.report_id, r.household_id, k.person_id AS own"
        " FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " LEFT JOIN link k ON k.mention_id = m.id AND k.state IN ('new', 'automatic', 'confirmed') WHERE l.id = %s",
        (link_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def _homes(db: Db, link: Row) -> set[UUID]:
    """Every household that the report can come from or go to: those of all who are named in it, of the other,
    and the one that was founded for it."""
    rows = db.execute(
        "SELECT household_id AS home FROM report WHERE id = %(report)s AND household_id IS NOT NULL UNION"
        " SELECT household_id FROM membership WHERE person_id = %(person)s UNION"
        " SELECT b.household_id FROM mention m JOIN link k ON k.mention_id = m.id"
        "   AND k.state IN ('new', 'automatic', 'confirmed') JOIN membership b ON b.person_id = k.person_id"
        "   WHERE m.report_id = %(report)s UNION"
        " SELECT id FROM household WHERE founded_by = %(report)s",
        {"report": link["report_id"], "person": link["person_id"]},
    )
    return {row["home"] for row in rows}


def _picture(db: Db, link: Row, homes: Collection[UUID], persons: Collection[UUID]) -> _Picture:
    values = {"region": link["region_id"], "report": link["report_id"], "link": link["id"]}
    values |= {"homes": list(homes), "persons": list(persons)}
    reports = db.execute(
        "SELECT r.id, r.household_id, r.case_id, r.received_at, d.due_at, d.norm_due_on, o.state, o.path, o.reason,"
        " o.decided_by, o.decided_at, team.name AS team FROM report r"
        " LEFT JOIN deadline d ON d.kind = 'safety_assessment' AND d.subject_id = r.id"
        " LEFT JOIN route o ON o.report_id = r.id AND o.state <> 'replaced' LEFT JOIN team ON team.id = o.team_id"
        " WHERE r.region_id = %(region)s AND (r.id = %(report)s OR r.household_id = ANY(%(homes)s))"
        " ORDER BY r.id <> %(report)s, r.received_at, r.id",
        values,
    ).fetchall()
    cases = db.execute(
        "SELECT c.id, c.number, c.closed_at, w.holder, team.name AS team, w.since FROM cases c"
        " LEFT JOIN safety_watch w ON w.case_id = c.id AND w.until IS NULL LEFT JOIN team ON team.id = w.team_id"
        " WHERE c.region_id = %(region)s AND (c.household_id = ANY(%(homes)s)"
        "   OR c.id = (SELECT case_id FROM report WHERE id = %(report)s)) ORDER BY c.opened_at, c.id",
        values,
    ).fetchall()
    questions = db.execute(
        "SELECT l.id, l.mention_id, l.person_id, m.report_id, r.received_at AS at FROM link l"
        " JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " WHERE l.region_id = %(region)s AND l.state = 'proposed'"
        " AND l.id <> %(link)s AND (l.person_id = ANY(%(persons)s) OR l.mention_id IN (SELECT mention_id FROM link"
        "   WHERE person_id = ANY(%(persons)s) AND state IN ('new', 'automatic', 'confirmed')))"
        " ORDER BY r.received_at, l.id",
        values,
    ).fetchall()
    return _Picture(*({row["id"]: row for row in rows} for rows in (reports, cases, questions)))


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────


def _engine(found: Collection[Told]) -> Iterator[Effect]:
    """What the register and the radar's signals tell themselves; the rest is seen in the rows."""
    for one in found:
        if one.kind in ("person_founded", "person_joined"):
            yield Effect("person", f"{one.text}.")
        elif isinstance(one, signals.Consequence):
            yield Effect("signal", f"{one.text}.", report=one.subject)


def _changes(db: Db, link: Row, before: _Picture, after: _Picture) -> Iterator[Effect]:
    own, was = after.reports[link["report_id"]], before.reports[link["report_id"]]
    yield _household(own, was, before)
    yield from _case(own, was, before, after)
    yield from _watches({own["case_id"], was["case_id"]}, before, after)
    yield _deadline(own, was)
    for report in after.reports.values():
        if earlier := before.reports.get(report["id"]):
            yield from _route(report, earlier, report["id"] == own["id"])
    for report in after.reports.values():
        if report["state"] == "decided" and look_again(db, report["id"]):
            yield Effect("decision", _decided(report), changes=False, look=True, report=report["id"])
    yield from _questions(link, before, after)


def _household(own: Row, was: Row, before: _Picture) -> Effect:
    home = own["household_id"]
    if home == was["household_id"]:
        return Effect("household", "De melding blijft in hetzelfde huishouden.", changes=False)
    others = sum(row["household_id"] == home for row in before.reports.values())
    if others:
        reports = "een andere melding staat" if others == 1 else f"{others} andere meldingen staan"
        return Effect("household", f"De melding gaat naar een ander huishouden, waar {reports}.")
    return Effect("household", "De melding krijgt een eigen huishouden.")


def _case(own: Row, was: Row, before: _Picture, after: _Picture) -> Iterator[Effect]:
    if own["case_id"] == was["case_id"]:
        if own["case_id"]:
            number = after.cases[own["case_id"]]["number"]
            yield Effect("case", f"De melding blijft in casus {number}.", changes=False, case=own["case_id"])
        return
    if was["case_id"]:
        number = before.cases[was["case_id"]]["number"]
        yield Effect("case", f"De melding gaat uit casus {number}.", case=was["case_id"])
    if own["case_id"] in before.cases:
        number = after.cases[own["case_id"]]["number"]
        yield Effect("case", f"De melding komt in casus {number}.", case=own["case_id"])
    elif own["case_id"]:
        yield Effect("case", "Er gaat een nieuwe casus open voor deze melding.", case=own["case_id"])


def _watches(own: Collection[UUID], before: _Picture, after: _Picture) -> Iterator[Effect]:
    """Cases that opened, closed or reopened, and who watches; what stays is told of the report's `own` cases."""
    for case_id, case in after.cases.items():
        was = before.cases.get(case_id)
        if was is None:
            yield Effect("watch", f"In de nieuwe casus houdt {_holder(case)} zicht.", case=case_id)
        elif was["closed_at"] is None and case["closed_at"] is not None:
            yield Effect(
                "case", f"Casus {case['number']} wordt gesloten: er staat geen melding meer in.", case=case_id
            )
            yield Effect(
                "watch", f"In casus {case['number']} houdt niemand meer zicht, want zij is gesloten.", case=case_id
            )
        elif was["closed_at"] is not None and case["closed_at"] is None:
            yield Effect("case", f"Casus {case['number']} gaat weer open.", case=case_id)
            yield Effect("watch", f"In casus {case['number']} houdt {_holder(case)} weer zicht.", case=case_id)
        elif case["closed_at"] is None and (was["holder"], was["team"]) != (case["holder"], case["team"]):
            text = f"In casus {case['number']} houdt nu {_holder(case)} zicht; eerst was dat {_holder(was)}."
            yield Effect("watch", text, case=case_id)
        elif case["closed_at"] is None and case_id in own:
            text = f"In casus {case['number']} blijft {_holder(case)} zicht houden."
            yield Effect("watch", text, changes=False, case=case_id)


def _holder(case: Row) -> str:
    holder = _HOLDERS.get(case["holder"], "niemand")
    return f"{holder} ({case['team']})" if case["team"] else holder


def _deadline(own: Row, was: Row) -> Effect:
    if own["due_at"] == was["due_at"]:
        day = f" {dutch_date(own['norm_due_on'])}" if own["norm_due_on"] else ""
        return Effect("deadline", f"De termijn blijft{day}: het moment van ontvangst verandert niet.", changes=False)
    return Effect("deadline", f"De termijn wordt {dutch_date(own['norm_due_on'])}.", look=True)


def _route(report: Row, was: Row, own: bool) -> Iterator[Effect]:
    if report["state"] != "proposed":
        return
    of = "deze melding" if own else f"de melding van {_day(report['received_at'])}"
    if (report["path"], report["team"], report["reason"]) != (was["path"], was["team"], was["reason"]):
        text = f"Voor {of} wordt het voorstel: {_path(report)}. Eerst: {_path(was)}. Reden: {report['reason']}"
        yield Effect("route", text, report=report["id"])
    elif own:
        text = f"Voor {of} blijft het voorstel: {_path(report)}."
        yield Effect("route", text, changes=False, report=report["id"])


def _path(report: Row) -> str:
    path = PATHS.get(report["path"], str(report["path"]))
    return f"{path} ({report['team']})" if report["team"] else path


def _decided(report: Row) -> str:
    return (
        f"Over de melding van {_day(report['received_at'])} besloot {report['decided_by']} op"
        f" {_day(report['decided_at'])}: {_path(report)}. Dat besluit blijft staan."
    )


def _questions(link: Row, before: _Picture, after: _Picture) -> Iterator[Effect]:
    for question in before.questions.values():
        if question["id"] not in after.questions:
            text = f"Een ander voorstel tussen deze twee personen vervalt, bij de melding van {_day(question['at'])}."
            yield Effect("link", text, report=question["report_id"])
    for question in after.questions.values():
        if question["id"] in before.questions:
            continue
        if (question["mention_id"], question["person_id"]) == (link["mention_id"], link["person_id"]):
            text = "De vraag of dit dezelfde persoon is, staat weer open bij de koppelvoorstellen."
        else:
            text = f"Er komt een voorstel om na te kijken bij de melding van {_day(question['at'])}."
        yield Effect("link", text, report=question["report_id"])


def _later(db: Db, found: Collection[Told]) -> Iterator[Effect]:
    """Links that were made after this one, and so may rest on it."""
    later = [one.subject for one in found if one.kind == "later_link"]
    rows = db.execute(
        "SELECT m.report_id, r.received_at FROM link l JOIN mention m ON m.id = l.mention_id"
        " JOIN report r ON r.id = m.report_id WHERE l.id = ANY(%s) ORDER BY r.received_at, l.id",
        (later,),
    )
    for row in rows:
        text = (
            f"De koppeling in de melding van {_day(row['received_at'])} is later gemaakt en rust misschien op deze."
        )
        yield Effect("link", text, changes=False, look=True, report=row["report_id"])


def _replies(db: Db, report_id: UUID) -> Iterator[Effect]:
    """What left the house about this report: it cannot come back."""
    rows = db.execute(
        "SELECT o.kind, o.sent_at, s.name FROM outgoing_reply o JOIN message m ON m.id = o.message_id"
        " JOIN report r ON r.message_id = m.id JOIN sender s ON s.id = m.sender_id WHERE r.id = %s ORDER BY o.id",
        (report_id,),
    ).fetchall()
    for row in rows:
        what = _REPLIES.get(row["kind"], row["kind"])
        if row["sent_at"]:
            text = f"Op {_day(row['sent_at'])} ging een {what} naar {row['name']}. Wat verstuurd is, komt niet terug."
            yield Effect("reply", text, changes=False, look=True)
        else:
            yield Effect("reply", f"Een {what} voor {row['name']} staat klaar en verandert niet.", changes=False)
    if not rows:
        yield Effect("reply", "Er is over deze melding niets verstuurd.", changes=False)


def _day(moment: datetime | date) -> str:
    return long_date(local_day(moment) if isinstance(moment, datetime) else moment)
