"""What leaves: what waits for a release, what was held and why, what went; and who was checked to get something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from radar.casework import feedback_rows, letters
from radar.outbound import gate, mail, notices, recipients, release, rows
from radar.outbound.kinds import Kind, rules
from web import wording
from web.access.guard import STEP_UP, Visit
from web.access.scope import as_id
from web.language import constants

STATES: dict[str, str] = constants(
    {
        "proposed": "wacht op vrijgave",
        "released": "vrijgegeven",
        "sent": "weg",
        "held": "tegengehouden",
        "withdrawn": "ingetrokken",
    }
)
READ_AT: dict[str, str] = {
    "feedback": "/meldingen/{report}/terugkoppeling",
    "handover": "/meldingen/{report}/overdracht",
    "vto": "/meldingen/{report}/overdracht",
    "notice": "/meldingen/{report}/betrokkenen",
}
"""Where what leaves can be read; a letter is read as a draft."""
LETTERS = ("person_notice", "information", "request_answer", "access_copy", "feedback_letter")
RELEASED_BY: dict[str, str] = {
    "feedback": "feedback.release",
    "handover": "handover.offer",
    "vto": "handover.offer",
    "notice": "outbound.reach",
    "reply": "outbound.verify",
    "export": "outbound.export",
}
"""The right with which it is released; letters: who may tell persons concerned."""
WITHOUT_FILE = ("export",)
"""What somebody may see who may not read reports."""
UNREAD = "Lees eerst wat er weggaat. Zet daarna een vinkje."
DRAFT_FIRST = "Open eerst het concept en lees het. Geef het daarna vrij."


def index(visit: Visit) -> Response:
    visit.note("outbound.list", "outgoing")
    return visit.show(
        "outbound.html",
        waiting=_lines(visit, rows.waiting(visit.db, visit.region)),
        ready=_lines(visit, rows.ready(visit.db, visit.region)),
        gone=_lines(visit, rows.gone(visit.db, visit.region)),
        most=rows.PAGE,
    )


def show(visit: Visit) -> Response:
    return _page(visit, _one(visit))


def let_go(visit: Visit) -> Response:
    """One person releases it, or the second one does."""
    row = _one(visit)
    if _kind(row).step_up and not visit.stepped_up:
        return RedirectResponse(f"{STEP_UP}?naar=/uitgaand/{row['id']}", status_code=303)
    errors = {}
    if not visit.form.get("gelezen"):
        errors["gelezen"] = UNREAD
    elif row["kind"] in LETTERS and visit.actor not in {one["actor"] for one in rows.prints_of(visit.db, row["id"])}:
        errors["gelezen"] = DRAFT_FIRST
    if errors:
        return _page(visit, row, 400, errors)
    try:
        # A savepoint: what is refused leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            if row["kind"] in LETTERS:
                letters.let_go(visit.db, visit.region, row["subject_id"], by=visit.actor, at=visit.at)
            else:
                release.release(visit.db, row["id"], by=visit.actor, at=visit.at, texts=_texts(visit, row))
    except Conflict as error:
        return _page(visit, row, 409, {"uitgaand": error.message})
    return RedirectResponse(f"/uitgaand/{row['id']}", status_code=303)


def withdraw(visit: Visit) -> Response:
    row = _one(visit)
    try:
        with visit.db.transaction():
            reason = visit.form.get("reden", "")
            release.withdraw(visit.db, row["id"], reason=reason, by=visit.actor, at=visit.at)
    except ReasonMissing as error:
        return _page(visit, row, 400, {"reden": error.message})
    except Conflict as error:
        return _page(visit, row, 409, {"uitgaand": error.message})
    return RedirectResponse(f"/uitgaand/{row['id']}", status_code=303)


def check_person(visit: Visit) -> Response:
    """Somebody made sure that it reaches this person and nobody else."""
    row = _one(visit)
    if row["recipient_kind"] != "person":
        raise NotFound
    try:
        with visit.db.transaction():
            how = visit.form.get("hoe", "")
            recipients.check_person(visit.db, row["recipient_id"], how, by=visit.actor, at=visit.at)
    except recipients.CheckIncomplete as error:
        return _page(visit, row, 400, {"hoe": error.errors["how"]})
    return RedirectResponse(f"/uitgaand/{row['id']}", status_code=303)


def nudge(visit: Visit) -> Response:
    """A mail without content to the mailbox of the partner that something waits for."""
    row = _one(visit)
    if row["kind"] != "handover" or row["state"] not in ("released", "sent"):
        raise NotFound
    try:
        with visit.db.transaction():
            who: dict[str, Any] = {"by": visit.actor, "at": visit.at}
            notices.to_partner(visit.db, row["report_id"], row["recipient_id"], "ready", **who)
    except Conflict as error:
        return _page(visit, row, 409, {"uitgaand": error.message})
    return RedirectResponse("/uitgaand", status_code=303)


def partners(visit: Visit) -> Response:
    return _partners(visit)


def verify_partner(visit: Visit) -> Response:
    form, team = visit.form, as_id(visit.request.path_params["team"])
    try:
        with visit.db.transaction():
            recipients.verify_partner(
                visit.db,
                visit.region,
                team,
                until=_day(form.get("tot", "")),
                how=form.get("hoe", ""),
                domain=form.get("domein", ""),
                domain_until=_day(form.get("domein_tot", "")),
                certificate_until=_day(form.get("certificaat_tot", "")),
                mailbox=form.get("postbus", ""),
                by=visit.actor,
                at=visit.at,
            )
    except recipients.CheckIncomplete as error:
        names = {"until": "tot", "how": "hoe", "domain": "domein", "domain_until": "domein_tot", "mailbox": "postbus"}
        return _partners(visit, 400, team, {f"{names[name]}-{team}": text for name, text in error.errors.items()})
    return RedirectResponse("/uitgaand/partners", status_code=303)


def _partners(
    visit: Visit, status: int = 200, team: UUID | None = None, errors: Mapping[str, str] | None = None
) -> Response:
    visit.note("partner.list", "team")
    return visit.show(
        "outbound_partners.html",
        status,
        partners=recipients.partners(visit.db, visit.region, visit.at),
        team=team,
        today=local_day(visit.at),
        last=local_day(visit.at) + recipients.LONGEST,
        errors=errors or {},
        form=visit.form,
    )


def _one(visit: Visit) -> Row:
    """The thing of this address, when this role may see its kind. Raises NotFound."""
    row = rows.shown(visit.db, visit.region, as_id(visit.request.path_params["id"]))
    if not _may_see(visit, row):
        raise NotFound
    if visit.request.method == "POST" and not _may_release(visit, row):
        raise NotAllowed
    return row


def _may_see(visit: Visit, row: Row) -> bool:
    return visit.may("report.view") or row["kind"] in WITHOUT_FILE


def _may_release(visit: Visit, row: Row) -> bool:
    """Whoever may make such a thing may release it; who reads it first is asked besides."""
    return visit.may("notice.tell" if row["kind"] in LETTERS else RELEASED_BY.get(row["kind"], ""))


def _page(visit: Visit, row: Row, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    visit.note("outbound.view", "outgoing", row["id"])
    row = rows.shown(visit.db, visit.region, row["id"])
    objections = [] if row["state"] == "withdrawn" else gate.check(visit.db, row, visit.at, _texts(visit, row))
    open_now = row["state"] in ("proposed", "held")
    second = row["state"] == "proposed" and row["released_by"] is not None
    return visit.show(
        "outbound_item.html",
        status,
        one=_line(visit, row),
        kind=_kind(row),
        parts=[rules().parts[part] for part in row["parts"] if part in rules().parts],
        dangers=[rules().dangers[one] for one in row["dangers"] if one in rules().dangers],
        objections=[one for one in objections if one.code not in gate.WAITING],
        why=gate.why(row),
        prints=[one | {"number": gate.print_number(one["id"])} for one in rows.prints_of(visit.db, row["id"])],
        second=second,
        own=second and row["released_by"] == visit.actor,
        may_release=open_now and _may_release(visit, row),
        may_withdraw=row["state"] in ("proposed", "held", "released") and _may_release(visit, row),
        read_at=_read_at(row),
        may_nudge=row["kind"] == "handover"
        and row["state"] in ("released", "sent")
        and mail.is_set("mail")
        and _may_release(visit, row),
        checks={code: way.title for code, way in rules().person_checks.ways.items()},
        errors=errors or {},
        form=visit.form,
    )


def _lines(visit: Visit, found: list[Row]) -> list[dict[str, Any]]:
    return [_line(visit, row) for row in found if _may_see(visit, row)]


def _line(visit: Visit, row: Row) -> dict[str, Any]:
    kind = rules().kinds.get(row["kind"])
    return row | {
        "title": kind.title if kind else row["kind"],
        "to": _recipient(visit, row),
        "state_text": STATES[row["state"]],
        "why": gate.why(row),
    }


def _recipient(visit: Visit, row: Row) -> str:
    match row["recipient_kind"]:
        case "person":
            known = row["person"] and visit.sees("person.identity")
            return wording.person_name(row["person"]) if known else "betrokkene"
        case "partner":
            return str(row["team"] or "partner")
        case "sender":
            return str(row["sender"]) if row["sender"] and visit.sees("reporter.organisation") else "melder"
        case _:
            return str(row["member"] or "medewerker")


def _kind(row: Row) -> Kind:
    try:
        return rules().kinds[row["kind"]]
    except KeyError:
        raise NotFound from None


def _read_at(row: Row) -> str | None:
    if row["kind"] in LETTERS:
        return f"/meldingen/{row['report_id']}/brieven/{row['subject_id']}"
    return READ_AT[row["kind"]].format(report=row["report_id"]) if row["kind"] in READ_AT else None


def _texts(visit: Visit, row: Row) -> list[str]:
    """What people wrote in it, where the page can know: a letter brings its own."""
    if row["kind"] in LETTERS:
        return letters.words(visit.db, visit.region, row["subject_id"])
    if row["kind"] != "feedback":
        return []
    told = feedback_rows.of_report(visit.db, visit.region, row["report_id"])
    return [text for one in told if one["id"] == row["subject_id"] for text in (one["text"], one["watch"])]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
