"""Handover (overdracht): offered with a content of its own, and answered. The watch moves on acceptance only.

Veilig Thuis stays responsible until the follow-up track really starts at the partner (model protocol 2015, 3.6;
domain.md 2.3, 13.14). So accepting means 'we have begun': who begins later accepts on that day. An offer that nobody
answers stands, and may still be accepted until it is withdrawn (rule 4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import acute, invite, ledger, steps, tasks, terms, watch
from radar.casework.handover_kinds import KINDS, MAX_DAYS, MAX_TEXT, Kind, cleaned, faults, unknown_parts
from radar.casework.handover_shares import PARTS
from radar.casework.handovers import SELECT, answer_text, teams
from radar.casework.states import ASSESSORS, FINAL, INTAKE, MOVES, PARTNER, STATES, allowed, named
from radar.casework.terms import Length
from radar.outbound import recipients
from radar.outbound import release as outbound

AFTERWARDS: dict[str, str] = {
    "close": "Veilig Thuis sluit af",
    "monitor": "Veilig Thuis blijft monitoren",
    "stay": "Veilig Thuis gaat door",
}
"""What Veilig Thuis does after acceptance; `stay` is for the kinds that leave the watch where it is."""
_MOVES = {"close": "accept", "monitor": "accept_and_monitor"}
MAX_NAME = 200
BEGINS_LATER = (
    "Deze dag is nog niet geweest. Aanvaard op de dag dat u begint: tot dan blijft Veilig Thuis verantwoordelijk."
)


class Incomplete(VeiligError):
    """Er ontbreekt nog iets. Er is niets opgeslagen."""

    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        """`errors`: field to a Dutch sentence."""
        super().__init__()
        self.errors = dict(errors)


def offer(
    db: Db,
    report_id: UUID,
    *,
    kind: str,
    team_id: UUID | None,
    shares: Collection[str],
    content: Mapping[str, str],
    afterwards: str,
    days: int,
    by: str,
    role: str,
    at: datetime,
) -> UUID:
    """Offer a report to a partner; `days` are the working days agreed for an answer. Gives the handover.

    Raises NotFound; NotAllowed; Conflict (wrong state, or an offer is open already); Incomplete, with every field.
    """
    report = steps.locked(db, report_id)
    if role not in ASSESSORS:
        raise NotAllowed
    if kind not in KINDS:
        raise Incomplete({"kind": "Kies een soort overdracht uit de lijst."})
    chosen = KINDS[kind]
    _refuse_now(db, report, kind, chosen, team_id)
    after = afterwards if chosen.takes_watch else "stay"
    if errors := _faults(db, report, chosen, team_id, shares, content, after, days, at):
        raise Incomplete(errors)
    handover_id = uuid7()
    db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, takes_watch, afterwards, days, shares,"
        " content, offered_at, offered_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            handover_id,
            report["region_id"],
            report_id,
            kind,
            team_id,
            chosen.takes_watch,
            after,
            days,
            Jsonb([part for part in PARTS if part in shares]),
            Jsonb(cleaned(chosen, content)),
            at,
            by,
        ),
    )
    _let_out(db, report, handover_id, team_id, shares, by, at)
    ledger.start(
        db,
        "handover_answer",
        [handover_id],
        report_id,
        starts_on=local_day(at),
        by=by,
        at=at,
        reason=f"Aangeboden: antwoord binnen {days} werkdagen afgesproken",
        length=Length(unit="working_days", amount=days),
    )
    if chosen.takes_watch:
        tasks.close_task(db, "handover", report_id, by=by, at=at, outcome="offered")
    else:
        for row in db.execute(
            "SELECT id FROM handover WHERE report_id = %s AND kind = %s AND state = 'refused'", (report_id, kind)
        ).fetchall():
            tasks.close_task(db, "handover", row["id"], by=by, at=at, outcome="offered_again")
    details = {"kind": kind, "team": str(team_id), "report": str(report_id), "shares": sorted(shares)}
    audit.append(db, report["region_id"], by, "handover.offer", "handover", handover_id, details)
    return handover_id


def accept(
    db: Db, handover_id: UUID, *, by: str, role: str, name: str, at: datetime, started_on: date | None = None
) -> None:
    """The partner has begun: from now on it holds the safety watch, and the report goes where was agreed.

    `name`: who says so, with function; `started_on`: the day on which the follow-up began there, not in the future.
    For a kind that leaves the watch it means: received. Raises NotFound; NotAllowed; Incomplete; Conflict, naming the
    answer that was given already.
    """
    handover = _open(db, handover_id, role)
    errors = _nameless(name)
    if handover["takes_watch"]:
        if started_on is None:
            errors["started_on"] = "Vul in op welke dag u bent begonnen."
        elif started_on > local_day(at):
            errors["started_on"] = BEGINS_LATER
    if errors:
        raise Incomplete(errors)
    if handover["afterwards"] == "close" and acute.in_danger(db, handover["report_id"]):
        raise Conflict("Veilig Thuis handelt nog direct in deze zaak. Bel Veilig Thuis; daarna kunt u aanvaarden.")
    _answered(db, handover, "accepted", by=by, name=name, text=None, started_on=started_on, at=at)
    ledger.meet(db, "handover_answer", handover_id, at)
    tasks.close_task(db, "handover", _task_subject(handover), by=by, at=at, outcome="accepted")
    if handover["takes_watch"]:
        _take_over(db, handover, by, role, f"Aanvaard door {handover['team']}, begonnen op {started_on:%d-%m-%Y}", at)


def refuse(db: Db, handover_id: UUID, *, by: str, role: str, name: str, reason: str, at: datetime) -> None:
    """The partner refuses: the watch stays where it is, and the report is back on the queue to be offered elsewhere.

    Raises NotFound; NotAllowed; Incomplete; Conflict, naming the answer that was given already.
    """
    handover = _open(db, handover_id, role)
    errors = _nameless(name)
    if not 0 < len(reason.strip()) <= MAX_TEXT:
        errors["reason"] = f"Schrijf in een zin waarom niet (hoogstens {MAX_TEXT} tekens)."
    if errors:
        raise Incomplete(errors)
    _answered(db, handover, "refused", by=by, name=name, text=reason, started_on=None, at=at)
    ledger.meet(db, "handover_answer", handover_id, at)
    _back_on_the_queue(db, handover, at)


def withdraw(db: Db, handover_id: UUID, *, by: str, role: str, reason: str, at: datetime) -> None:
    """Take an offer back, answered in time or not; what took the watch must be offered again or done otherwise.

    Raises NotFound; NotAllowed; Incomplete; Conflict, naming the answer that was given already.
    """
    if role not in ASSESSORS:
        raise NotAllowed
    handover = _open(db, handover_id, role)
    if not reason.strip():
        raise Incomplete({"reason": "Schrijf in een zin waarom u dit aanbod intrekt."})
    _answered(db, handover, "withdrawn", by=by, name=None, text=reason, started_on=None, at=at)
    ledger.drop(db, "handover_answer", handover_id, why="Aanbod ingetrokken", at=at)
    if handover["takes_watch"]:
        _back_on_the_queue(db, handover, at)
    else:
        tasks.close_task(db, "handover", handover_id, by=by, at=at, outcome="withdrawn")


def seen(db: Db, handover_id: UUID, *, by: str, at: datetime) -> bool:
    """Somebody saw that a body which leaves the watch refused, and offers it nowhere else; False when no task waited.

    Raises NotFound.
    """
    handover = _locked(db, handover_id)
    if handover["takes_watch"] or handover["state"] != "refused":
        return False
    closed = tasks.close_task(db, "handover", handover_id, by=by, at=at, outcome="seen")
    if closed:
        audit.append(db, handover["region_id"], by, "handover.seen", "handover", handover_id)
    return closed


def unanswered(db: Db, at: datetime) -> int:
    """For the clock: mark each offer whose agreed days passed, and put it back on the queue; how many it were.

    The offer stands and may still be accepted. Two clocks at once mark it once.
    """
    rows = db.execute(
        "SELECT h.id, h.region_id, h.report_id, h.takes_watch FROM handover h"
        " JOIN deadline d ON d.kind = 'handover_answer' AND d.subject_id = h.id"
        " WHERE h.state = 'offered' AND h.unanswered_at IS NULL AND d.met_at IS NULL AND d.dropped_at IS NULL"
        " AND d.due_at <= %s ORDER BY d.due_at LIMIT 500 FOR UPDATE OF h SKIP LOCKED",
        (at,),
    ).fetchall()
    for row in rows:
        db.execute("UPDATE handover SET unanswered_at = %s WHERE id = %s", (at, row["id"]))
        _back_on_the_queue(db, row, at)
        audit.append(db, row["region_id"], "system", "handover.unanswered", "handover", row["id"])
    return len(rows)


def _refuse_now(db: Db, report: Row, kind: str, chosen: Kind, team_id: UUID | None) -> None:
    """What is in the way of any offer of this kind now."""
    state = report["state"]
    if chosen.takes_watch:
        if state not in MOVES["accept"].sources:
            there = named(allowed(state))
            raise steps.WrongMove(
                f"Overdragen kan niet: de melding staat op '{STATES[state]}'. Wat wel kan: {there}."
            )
        if report["case_id"] is None:
            raise Conflict("Deze melding zit nog niet in een casus. Probeer het over een minuut opnieuw.")
    elif state in FINAL:
        raise steps.WrongMove(f"Dit kan niet meer: de melding staat op '{STATES[state]}'.")
    waiting = db.execute(
        f"{SELECT} WHERE h.report_id = %(report)s AND h.state = 'offered' AND h.takes_watch = %(takes_watch)s"
        " AND (h.takes_watch OR h.kind = %(kind)s AND h.team_id = %(team)s)",
        {"report": report["id"], "takes_watch": chosen.takes_watch, "kind": kind, "team": team_id},
    ).fetchone()
    if waiting:
        raise Conflict(
            f"Het aanbod aan {waiting['team']} wacht nog op antwoord. Trek dat eerst in, of wacht het antwoord af."
        )


def _faults(
    db: Db,
    report: Row,
    chosen: Kind,
    team_id: UUID | None,
    shares: Collection[str],
    content: Mapping[str, str],
    afterwards: str,
    days: int,
    at: datetime,
) -> dict[str, str]:
    errors = {}
    if team_id is None or team_id not in {row["id"] for row in teams(db, report["region_id"], chosen, at)}:
        errors["team"] = "Kies een team uit de lijst."
    elif objection := recipients.partner(db, report["region_id"], team_id, at)["objection"]:
        errors["team"] = objection
    errors |= faults(chosen, content)
    if chosen.takes_watch and afterwards not in _MOVES:
        errors["afterwards"] = "Kies wat Veilig Thuis daarna doet."
    if afterwards == "close" and acute.in_danger(db, report["id"]):
        errors["afterwards"] = (
            "Afsluiten kan nog niet: het acute gevaar is niet voorbij."
            " Kies monitoren, of rond het direct handelen af."
        )
    if not 1 <= days <= MAX_DAYS:
        errors["days"] = f"Spreek 1 tot en met {MAX_DAYS} werkdagen af."
    if unknown_parts(shares):
        errors["shares"] = "Kies onderdelen uit de lijst."
    return errors


def _let_out(
    db: Db, report: Row, handover_id: UUID, team_id: UUID | None, shares: Collection[str], by: str, at: datetime
) -> None:
    """The partner may look from now on; each look is checked again. Raises Incomplete, naming what is in the way."""
    if team_id is None:
        raise Incomplete({"team": "Kies een team uit de lijst."})
    made = outbound.propose(
        db,
        kind="handover",
        subject=handover_id,
        report_id=report["id"],
        recipient=("partner", team_id),
        parts=[*shares, "form"],
        by=by,
        at=at,
    )
    try:
        outbound.release(db, made, by=by, at=at)
    except outbound.Objected as error:
        fields = {"link_open": "shares", "excluded": "team", "recipient_partner": "team"}
        raise Incomplete({fields.get(one.code, "shares"): one.text for one in error.objections}) from None


def _locked(db: Db, handover_id: UUID) -> Row:
    """Locked, the report first: as every move does, so that two of them never wait for each other."""
    row = db.execute("SELECT report_id FROM handover WHERE id = %s", (handover_id,)).fetchone()
    if row is None:
        raise NotFound
    case_id = steps.locked(db, row["report_id"])["case_id"]
    locked = db.execute(f"{SELECT} WHERE h.id = %s FOR UPDATE OF h", (handover_id,)).fetchone()
    if locked is None:
        raise NotFound
    return locked | {"case_id": case_id}


def _open(db: Db, handover_id: UUID, role: str) -> Row:
    if role not in (*PARTNER, *INTAKE):
        raise NotAllowed
    handover = _locked(db, handover_id)
    if handover["state"] != "offered":
        raise Conflict(answer_text(handover))
    return handover


def _answered(
    db: Db,
    handover: Row,
    state: str,
    *,
    by: str,
    name: str | None,
    text: str | None,
    started_on: date | None,
    at: datetime,
) -> None:
    db.execute(
        "UPDATE handover SET state = %s, answered_at = %s, answered_by = %s, answered_name = %s, answer = %s,"
        " started_on = %s WHERE id = %s",
        (
            state,
            at,
            by,
            name.strip() if name else None,
            text.strip() if text else None,
            started_on,
            handover["id"],
        ),
    )
    invite.end_all(db, handover["id"], at)
    outbound.end(db, "handover", handover["id"], by=by, at=at)
    audit.append(db, handover["region_id"], by, f"handover.{state}", "handover", handover["id"])


def _take_over(db: Db, handover: Row, by: str, role: str, reason: str, at: datetime) -> None:
    """All that follows from an acceptance: the watch, the state, and what the state sets going."""
    if handover["case_id"] is None:
        raise Conflict("Deze melding zit niet in een casus. Bel Veilig Thuis.")
    watch.give(db, handover["case_id"], "partner", team_id=handover["team_id"], reason=reason, by=by, at=at)
    move = _MOVES[handover["afterwards"]]
    steps.take(db, handover["report_id"], move, by=by, role=role, reason=reason, at=at)


def _back_on_the_queue(db: Db, handover: Row, at: datetime) -> None:
    tasks.open_task(db, "handover", _task_subject(handover), handover["report_id"], due_at=terms.soon(at), at=at)


def _task_subject(handover: Row) -> UUID:
    """The report, when the watch must find a holder; else this offer, beside whatever else waits for the report."""
    subject: UUID = handover["report_id"] if handover["takes_watch"] else handover["id"]
    return subject


def _nameless(name: str) -> dict[str, str]:
    if 0 < len(name.strip()) <= MAX_NAME:
        return {}
    return {"name": "Vul in wie dit antwoord geeft: naam en functie."}
