"""Feedback to the reporter: the proposal, what he will read, the release by a person, and what went out and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from intake import outbox
from intake.corv.write_feedback import MAX_TEXT, OUTCOMES
from intake.models import Report, Sender
from radar.casework import feedback, feedback_rows, feedback_text, letters
from web.access.guard import Visit
from web.access.scope import as_id, find
from web.language import constants
from web.pages.forms import report_of
from web.pages.notices import HELD, PHONE

FIELDS: dict[type[VeiligError], str] = {
    feedback.TextMissing: "tekst",
    feedback.TextTooLong: "tekst",
    feedback.RoleNeeded: "rol",
    ReasonMissing: "waarom",
    letters.FieldsMissing: "brief",
    letters.Unwritable: "brief",
}
LETTER = "feedback"
TO = "melder"
"""The name of a reporter is not kept."""
CHANNELS = {
    "corv": "Gaat als bericht over CORV naar de melder.",
    "json": "De melder haalt dit op over de JSON-koppeling.",
    "letter": "Gaat niet vanzelf: stuur een brief of bel de melder, en leg dat hier vast.",
    "talk": "Gaat niet vanzelf: bel de melder en leg dat hier vast.",
}
SENT = constants(
    {"corv": "over CORV", "json": "over de JSON-koppeling", "letter": "met een brief", "talk": "in een gesprek"}
)
DELIVERY = constants(
    {
        "no_address": "Klaar om te versturen; geen afleveradres ingesteld.",
        "ready": "Klaar om te versturen.",
        "waiting": "Wordt verstuurd.",
        "stopped": "Niet afgeleverd na te veel pogingen.",
        "held": "Tegengehouden. Kijk bij Uitgaand waarom.",
    }
)
KINDS = {
    "police": "De melder is politie of Halt.",
    "professional": "De melder is een professional.",
    "citizen": "De melder is een burger. Noem niemand bij naam en geen adres: hij hoort alleen of er een vervolg is,"
    " en aan wie is overgedragen.",
}


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """Keep, release, leave out, or say that it went out. What cannot be leaves nothing behind but the typed text."""
    report = report_of(visit)
    done = ACTIONS.get(visit.form.get("handeling", ""))
    if done is None:
        raise HTTPException(400)
    feedback_id = as_id(visit.form.get("terugkoppeling", ""))
    if all(row["id"] != feedback_id for row in feedback_rows.of_report(visit.db, visit.region, report.id)):
        raise NotFound
    letter = _posted(visit, report.id) if visit.form["handeling"] == "brief" else None
    # Before the savepoint: that the gate held it stays.
    if letter and not letters.may_go(visit.db, letter, visit.at):
        return _page(visit, report, 409, {"terugkoppeling": HELD})
    try:
        # A savepoint: a refused form leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            warnings = done(visit, feedback_id)
    except tuple(FIELDS) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"terugkoppeling": error.message})
    if warnings:
        return _page(visit, report, 409, {"gezien": "Lees dit en zet een vinkje als u het zo bedoelt."}, warnings)
    return RedirectResponse(f"/meldingen/{report.id}/terugkoppeling", status_code=303)


def _keep(visit: Visit, feedback_id: UUID) -> list[str]:
    form = visit.form
    feedback.write(
        visit.db, feedback_id, form.get("tekst", ""), "rol" in form, form.get("zicht", ""), visit.actor, visit.at
    )
    return []


def _release(visit: Visit, feedback_id: UUID) -> list[str]:
    """Released, or the warnings that nobody read yet."""
    form = visit.form
    text, with_role, watch = feedback.clean(form.get("tekst", "")), "rol" in form, form.get("zicht", "")
    warnings = feedback.warnings(visit.db, feedback_id, text, with_role, watch)
    if warnings and form.get("gezien") != _seen(warnings):
        return warnings
    feedback.release(visit.db, feedback_id, text, with_role, visit.actor, visit.member.role, visit.at, watch=watch)
    return []


def _not_needed(visit: Visit, feedback_id: UUID) -> list[str]:
    feedback.not_needed(visit.db, feedback_id, visit.form.get("waarom", ""), visit.actor, visit.at)
    return []


def _sent(how: feedback.How) -> Callable[[Visit, UUID], list[str]]:
    def carry_out(visit: Visit, feedback_id: UUID) -> list[str]:
        report_id = feedback_rows.locked(visit.db, feedback_id)["report_id"]
        feedback.sent(visit.db, feedback_id, how, visit.actor, visit.at)
        if how == "letter" and (letter := _posted(visit, report_id)):
            letters.sent(visit.db, letter, visit.actor, visit.at)
        return []

    return carry_out


def _posted(visit: Visit, report_id: UUID) -> UUID | None:
    """The letter with this feedback: the newest that was not sent yet, if one was made here."""
    return next(iter(letters.unsent(visit.db, report_id, LETTER)), None)


def _send(visit: Visit, feedback_id: UUID) -> list[str]:
    """An address was set since: ask for the sending."""
    message = outbox.message_of(visit.db, visit.region, feedback_id)
    if message is None or not outbox.send_waiting(visit.db, visit.region, message["id"]):
        raise Conflict("Dit wordt al verstuurd, of er is nog geen afleveradres.")
    visit.note("feedback.send", "feedback", feedback_id)
    return []


def _letter(visit: Visit, feedback_id: UUID) -> list[str]:
    """What was released as a letter, word for word: nothing that nobody read is added. It is not sent by this."""
    if not visit.may("letter.read"):
        raise NotAllowed("Een brief maakt wie hem daarna ook mag lezen.")
    row = feedback_rows.locked(visit.db, feedback_id)
    if row["channel"] != "letter" or row["state"] not in ("released", "sent"):
        raise Conflict("Geef de terugkoppeling eerst vrij. Een brief is er alleen voor wie geen bericht krijgt.")
    fields = {"aan": TO, "bericht": row["text"], "bellen": PHONE, "medewerker": visit.member.name}
    made = letters.make(visit.db, row["report_id"], LETTER, fields, None, visit.actor, visit.at)
    # Word for word what a person released; a reporter who is concerned himself still needs a second one.
    letters.let_go(visit.db, visit.region, made, by=visit.actor, at=visit.at)
    return []


ACTIONS: dict[str, Callable[[Visit, UUID], list[str]]] = {
    "bewaren": _keep,
    "vrijgeven": _release,
    "niet-nodig": _not_needed,
    "maak-brief": _letter,
    "brief": _sent("letter"),
    "gesprek": _sent("talk"),
    "versturen": _send,
}


def _seen(warnings: list[str]) -> str:
    """What a tick under these warnings says; under other warnings another."""
    return sha256("\n".join(warnings).encode()).hexdigest()[:16]


def _page(
    visit: Visit,
    report: Report,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    warnings: list[str] | None = None,
) -> Response:
    visit.note("feedback.view", "report", report.id)
    rows = feedback_rows.of_report(visit.db, visit.region, report.id)
    # What a form could not keep is shown again in its own place, with its error beside it.
    typed = visit.form.get("terugkoppeling", "") if status != 200 else ""
    return visit.show(
        "feedback.html",
        status,
        report=report,
        sender=find(visit.db, visit.region, Sender, report.sender_id),
        reporter=KINDS[feedback_text.kind_of(report.reporter_kind)],
        drafts=[row for row in rows if row["state"] == "draft"],
        released=[row for row in rows if row["state"] == "released"],
        history=[_told(row) for row in rows if row["state"] in ("sent", "not_needed")],
        letters=[row for row in letters.of_report(visit.db, visit.region, report.id) if row["template"] == LETTER],
        conditions=feedback_rows.conditions(visit.db, report.id),
        moments=feedback_text.MOMENTS,
        outcomes=OUTCOMES,
        channels=CHANNELS,
        deliveries=DELIVERY,
        limit=MAX_TEXT,
        typed=typed,
        form=visit.form,
        errors=errors or {},
        warnings=warnings or [],
        seen=_seen(warnings) if warnings else "",
    )


def _told(row: Row) -> Row:
    return row | {"how": SENT[row["channel"]]}
