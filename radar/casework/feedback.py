"""Feedback to the reporter (terugkoppeling): proposed by the work, always released by a person.

Due twice: after the safety assessment and when Veilig Thuis is done (Wmo 2015 art. 4.1.1 lid 2 g; KNMG-meldcode
bijl. 4). Informants get none, and neither does a form that was no report. What was released is never changed; a later
decision gives a feedback of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, ReasonMissing, VeiligError
from core.ids import uuid7
from intake import outbox
from intake.corv.write_feedback import MAX_TEXT, MESSAGE, FeedbackMessage, write_feedback
from intake.input_rules import ILLEGAL_CHARACTERS
from intake.message import Envelope, Party
from radar.casework import feedback_text, ledger, tasks
from radar.casework.feedback_rows import MAX_WATCH, about, conditions, holder, locked, persons
from radar.casework.feedback_rows import watch as watch_of
from radar.casework.feedback_text import Moment, kind_of
from radar.casework.states import BEFORE_DECISION, INTAKE
from radar.outbound import messages, stances
from radar.outbound import release as outbound

How = Literal["letter", "talk"]
UNKNOWN_APPLICATION = "ONBEKEND"
REPLACED = "Vervangen door een nieuw voorstel."
_NONE_FROM_HERE = ("forwarded", "imported")


class TextMissing(VeiligError):
    """Schrijf wat de melder te lezen krijgt."""

    status = 400


class TextTooLong(VeiligError):
    """De tekst is te lang: hoogstens 1000 tekens."""

    status = 400


class RoleNeeded(VeiligError):
    """In de tekst staat een veiligheidsvoorwaarde. Die mag alleen naar een melder die er een rol in heeft."""

    status = 400


def draft(db: Db, report_id: UUID, moment: Moment, code: str, at: datetime, by: str = "system") -> UUID | None:
    """Open a draft with a proposed text, its term and its task; gives its id, or None where no feedback is due.

    `code` is an outcome of standards.md 10.6. The open draft of the same moment, if any, is replaced.
    Raises NotFound; LookupError for a code that has no text at this moment.
    """
    report = about(db, report_id)
    if report["state"] in _NONE_FROM_HERE:
        return None
    if not feedback_text.knows(moment, code):
        raise LookupError(f"no text for {code} at {moment}")
    _replace(db, report_id, moment, by, at)
    kind = kind_of(report["reporter_kind"])
    text = feedback_text.proposal(
        moment,
        code,
        kind,
        reference=report["reference_of_reporter"],
        handed_to=feedback_text.organisation(kind, report["handed_to"], report["handed_to_kind"]),
        holder=holder(report),
        watch=watch_of(report),
    )
    channel = report["channel"] if report["channel"] in ("corv", "json") else "letter"
    feedback_id = uuid7()
    db.execute(
        "INSERT INTO feedback (id, region_id, report_id, moment, code, text, watch, channel, opened_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (feedback_id, report["region_id"], report_id, moment, code, text, watch_of(report), channel, at),
    )
    reason = feedback_text.MOMENTS[moment]
    term = ledger.start(
        db, "feedback", [feedback_id], report_id, starts_on=local_day(at), by=by, at=at, reason=reason
    )
    tasks.open_task(db, "feedback", feedback_id, report_id, due_at=term.due_at, at=at)
    audit.append(db, report["region_id"], by, "feedback.draft", "report", report_id, {"moment": moment, "code": code})
    return feedback_id


def write(db: Db, feedback_id: UUID, text: str, with_role: bool, watch: str, by: str, at: datetime) -> None:
    """Keep the draft as a person has it now, so that he can read it as the reporter will.

    Raises NotFound, Conflict when it is no draft any more, TextMissing, TextTooLong.
    """
    row = _draft(db, feedback_id)
    db.execute(
        "UPDATE feedback SET text = %s, with_role = %s, watch = %s WHERE id = %s",
        (clean(text), with_role, _one_line(watch), feedback_id),
    )
    audit.append(db, row["region_id"], by, "feedback.write", "report", row["report_id"], {"moment": row["moment"]})


def release(
    db: Db,
    feedback_id: UUID,
    text: str,
    with_role: bool,
    by: str,
    role: str,
    at: datetime,
    watch: str | None = None,
) -> None:
    """A person releases a feedback. Over CORV it becomes a message that is sent by itself, over JSON it can be read
    from now on, a letter or talk waits for `sent`.

    `with_role`: the reporter has a role in the conditions or the monitoring. `watch`: who has the safety watch, as
    the reporter reads it (None: as in the draft).
    Raises NotFound, NotAllowed, Conflict, TextMissing, TextTooLong, RoleNeeded.
    """
    if role not in INTAKE:
        raise NotAllowed("Een terugkoppeling geeft een medewerker van Veilig Thuis vrij.")
    row = _draft(db, feedback_id)
    report = about(db, row["report_id"])
    if report["state"] in BEFORE_DECISION:
        raise Conflict("Het besluit over deze melding wordt herzien. Wacht op het nieuwe besluit.")
    told = clean(text)
    if not with_role and feedback_text.quotes(told, conditions(db, row["report_id"], withdrawn=True)):
        raise RoleNeeded
    told_watch = _one_line(row["watch"] if watch is None else watch)
    db.execute(
        "UPDATE feedback SET state = 'released', text = %s, with_role = %s, watch = %s, released_at = %s,"
        " released_by = %s WHERE id = %s",
        (told, with_role, told_watch, at, by, feedback_id),
    )
    details = {"moment": row["moment"], "code": row["code"], "channel": row["channel"], "with_role": with_role}
    audit.append(db, row["region_id"], by, "feedback.release", "report", row["report_id"], details)
    if row["channel"] in ("corv", "json"):
        _let_out(db, row, report, [told, told_watch], by, at)
    if row["channel"] == "corv":
        _store_message(db, row, report, told, told_watch, at)
    if row["channel"] in ("corv", "json"):
        _done(db, feedback_id, by, at, "released")


def sent(db: Db, feedback_id: UUID, how: How, by: str, at: datetime) -> None:
    """A person says that the released letter is posted, or that he spoke to the reporter.

    Raises NotFound, or Conflict when it was not released, went out already, or goes by itself.
    """
    row = locked(db, feedback_id)
    if row["channel"] not in ("letter", "talk"):
        raise Conflict("Deze terugkoppeling gaat vanzelf naar de melder.")
    if row["state"] != "released":
        raise Conflict("Geef de terugkoppeling eerst vrij." if row["state"] == "draft" else "Dit is al afgehandeld.")
    db.execute("UPDATE feedback SET state = 'sent', channel = %s, sent_at = %s WHERE id = %s", (how, at, feedback_id))
    _done(db, feedback_id, by, at, how)
    audit.append(db, row["region_id"], by, "feedback.sent", "report", row["report_id"], {"channel": how})


def not_needed(db: Db, feedback_id: UUID, reason: str, by: str, at: datetime) -> None:
    """A person says, with a reason, that this reporter gets none: the term falls away.

    Raises NotFound, Conflict when it is no draft any more, ReasonMissing.
    """
    row = _draft(db, feedback_id)
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom de melder geen terugkoppeling krijgt.")
    _drop(db, feedback_id, reason.strip(), by, at, "not_needed")
    audit.append(
        db, row["region_id"], by, "feedback.not_needed", "report", row["report_id"], {"moment": row["moment"]}
    )


def deliver(db: Db, message_id: UUID) -> None:
    """Job 'send_message': post one message; the feedback that it carries is then sent. Raises NotDelivered."""
    outbox.send_message(db, message_id, messages.let_out, _settle)


def warnings(db: Db, feedback_id: UUID, text: str, with_role: bool, watch: str) -> list[str]:
    """What a person must look at once more before this goes out, as Dutch sentences. Nothing of it stops him.

    Raises NotFound.
    """
    row = locked(db, feedback_id)
    report = about(db, row["report_id"])
    found = []
    if kind_of(report["reporter_kind"]) == "citizen":
        seen = feedback_text.personal_data(text, persons(db, report))
        if seen:
            found.append(f"De melder is een burger en in de tekst staat: {', '.join(seen)}.")
    if not with_role and feedback_text.speaks_of_agreements(text):
        found.append("De tekst noemt voorwaarden of monitoring. Dat mag alleen als de melder daar een rol in heeft.")
    now = watch_of(report)
    if watch.strip() and watch.strip() != now:
        place = f"bij: {now}" if now else "niet bij wie hier staat"
        found.append(f"Het zicht op veiligheid ligt nu {place}.")
    return found


def clean(text: str) -> str:
    """The text as it is sent: one kind of line end, nothing that XML cannot hold. Raises TextMissing, TextTooLong."""
    found = ILLEGAL_CHARACTERS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not found:
        raise TextMissing
    if len(found) > MAX_TEXT:
        raise TextTooLong(f"De tekst is {len(found)} tekens lang; hoogstens {MAX_TEXT}.")
    return found


def _draft(db: Db, feedback_id: UUID) -> Row:
    row = locked(db, feedback_id)
    if row["state"] == "not_needed":
        why = "vervangen door een nieuw voorstel" if row["why_not"] == REPLACED else "afgehandeld zonder bericht"
        raise Conflict(f"Deze terugkoppeling is {why}.")
    if row["state"] != "draft":
        raise Conflict("Deze terugkoppeling is al vrijgegeven.")
    return row


def _replace(db: Db, report_id: UUID, moment: Moment, by: str, at: datetime) -> None:
    older = db.execute(
        "SELECT id FROM feedback WHERE report_id = %s AND moment = %s AND state = 'draft' FOR UPDATE",
        (report_id, moment),
    ).fetchone()
    if older:
        _drop(db, older["id"], REPLACED, by, at, "replaced")


def _drop(db: Db, feedback_id: UUID, why: str, by: str, at: datetime, outcome: str) -> None:
    db.execute("UPDATE feedback SET state = 'not_needed', why_not = %s WHERE id = %s", (why, feedback_id))
    ledger.drop(db, "feedback", feedback_id, why=why, at=at)
    tasks.close_task(db, "feedback", feedback_id, by=by, at=at, outcome=outcome)


def _done(db: Db, feedback_id: UUID, by: str, at: datetime, outcome: str) -> None:
    ledger.meet(db, "feedback", feedback_id, at)
    tasks.close_task(db, "feedback", feedback_id, by=by, at=at, outcome=outcome)


def _settle(db: Db, message: Row) -> None:
    if message["kind"] == MESSAGE:
        db.execute(
            "UPDATE feedback SET state = 'sent', sent_at = %s WHERE id = %s AND state = 'released'",
            (message["sent_at"], message["subject_id"]),
        )


def _let_out(db: Db, row: Row, report: Row, texts: list[str], by: str, at: datetime) -> None:
    """Released, unless the reporter is one of the persons concerned: then a second person must say yes (D6)."""
    made = outbound.propose(
        db,
        kind="feedback",
        subject=row["id"],
        report_id=row["report_id"],
        recipient=("sender", report["sender_id"]),
        parts=["outcome", "watch"],
        dangers=["reporter_concerned"] if stances.is_concerned(db, row["report_id"]) else [],
        by=by,
        at=at,
    )
    outbound.release_or_hold(db, made, by=by, at=at, texts=texts)


def _one_line(text: str) -> str:
    return " ".join(ILLEGAL_CHARACTERS.sub("", text).split())[:MAX_WATCH]


def _store_message(db: Db, row: Row, report: Row, text: str, watch: str, at: datetime) -> None:
    """The vtTerugkoppelingDi01, made once: what is sent later, and again, are these bytes."""
    reference = str(uuid7())
    application = report["application_of_sender"]
    message = FeedbackMessage(
        envelope=Envelope(
            function=MESSAGE,
            reference=reference,
            sent_at=at,
            sender=Party(oin=report["region_oin"], application=report["application"]),
            receiver=Party(
                oin=report["sender_oin"],
                application=application if 3 <= len(application) <= 50 else UNKNOWN_APPLICATION,
            ),
        ),
        code=row["code"],
        case_number=report["case_number"],
        text=text,
        report_reference=report["reference_of_reporter"],
        watch=watch or None,
        region_name=report["region"][:MAX_WATCH],
        region_oin=report["region_oin"],
    )
    outbox.store_message(
        db,
        "vtTerugkoppelingDi01",
        row["id"],
        row["report_id"],
        reference=reference,
        body=write_feedback(message),
        at=at,
        sender_id=report["sender_id"],
    )
