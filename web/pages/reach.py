"""How a person can be reached safely: what he agreed to, and a message without content by that way."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, NotFound
from intake.models import Mention, Report
from radar.outbound import mail, notices, safe_contacts
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages.forms import mention_of, report_of

FIELDS = {"channel": "manier", "address": "adres", "weekdays": "dagen", "hours": "vanaf", "code_word": "woord"}


def show(visit: Visit) -> Response:
    return _page(visit, *_subject(visit))


def agree(visit: Visit) -> Response:
    """The person said how he can be reached safely."""
    report, mention = _subject(visit)
    form = visit.form
    try:
        # A savepoint: a refused form leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            safe_contacts.agree(
                visit.db,
                mention.id,
                channel=form.get("manier", ""),
                address=form.get("adres", ""),
                weekdays=[number for number in safe_contacts.WEEKDAYS if form.get(f"dag_{number}")],
                from_hour=_hour(form.get("vanaf", "")),
                to_hour=_hour(form.get("totuur", "")),
                code_word=form.get("woord", ""),
                by=visit.actor,
                at=visit.at,
            )
    except safe_contacts.ContactIncomplete as error:
        return _page(visit, report, mention, 400, {FIELDS[name]: text for name, text in error.errors.items()})
    return _back(report, mention)


def end(visit: Visit) -> Response:
    """This way is safe no longer."""
    report, mention = _subject(visit)
    try:
        with visit.db.transaction():
            safe_contacts.end(visit.db, _contact(visit, mention), by=visit.actor, at=visit.at)
    except Conflict as error:
        return _page(visit, report, mention, 409, {"bereiken": error.message})
    return _back(report, mention)


def opened(visit: Visit) -> Response:
    """Address and code word, once, for who calls now."""
    report, mention = _subject(visit)
    contact = _contact(visit, mention)
    return _page(visit, report, mention, seen=(contact, safe_contacts.open_for(visit.db, contact, by=visit.actor)))


def notify(visit: Visit) -> Response:
    """A fixed text at the next safe moment."""
    report, mention = _subject(visit)
    try:
        with visit.db.transaction():
            template, channel = visit.form.get("tekst", ""), visit.form.get("manier", "")
            notices.to_person(visit.db, report.id, mention.id, template, channel, by=visit.actor, at=visit.at)
    except Conflict as error:
        return _page(visit, report, mention, 409, {"bereiken": error.message})
    return _back(report, mention)


def _subject(visit: Visit) -> tuple[Report, Mention]:
    """The report and the person of the address, when he is one of it. Raises NotFound."""
    return report_of(visit), mention_of(visit)


def _contact(visit: Visit, mention: Mention) -> UUID:
    wanted = as_id(visit.form.get("contact", ""))
    if all(row["id"] != wanted for row in safe_contacts.of_person(visit.db, mention.id)):
        raise NotFound
    return wanted


def _hour(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 3 else -1


def _back(report: Report, mention: Mention) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/betrokkenen/{mention.id}/bereiken", status_code=303)


def _page(
    visit: Visit,
    report: Report,
    mention: Mention,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    seen: tuple[UUID, tuple[str, str]] | None = None,
) -> Response:
    visit.note("safe_contact.view", "mention", mention.id)
    ways = safe_contacts.of_person(visit.db, mention.id)
    texts = {code: one for code, one in notices.texts().notices.items() if one.audience == "person"}
    return visit.show(
        "reach.html",
        status,
        report=report,
        mention=mention,
        ways=[
            row | {"days": ", ".join(safe_contacts.WEEKDAYS[number] for number in row["weekdays"])} for row in ways
        ],
        sendable=[row for row in ways if row["channel"] != "phone" and mail.is_set(row["channel"])],
        channels=safe_contacts.CHANNELS,
        weekdays=safe_contacts.WEEKDAYS,
        texts=texts,
        sent=[row for row in notices.of_report(visit.db, visit.region, report.id) if row["mention_id"] == mention.id],
        seen=seen,
        errors=errors or {},
        form=visit.form if status != 200 else {},
    )
