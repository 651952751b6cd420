"""Sending the form of a professional: the report, then its files; the receipt; and a pharmacy's one page."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from core.database import now, transaction
from core.deadlines import local_day
from core.errors import NotAllowed, NotFound
from core.ids import uuid7
from intake import municipalities, saved_forms
from intake.channels import own, professional
from intake.channels import professional_form as fields
from intake.saved_forms import Form
from web import language, templates
from web.access import forgery, public_limits
from web.access.arrival import origin_of
from web.access.guard import read_upload
from web.pages import professional_visit as visit

NO_CONTENT = "Wat u schreef staat hier niet in."
language.constants({"": NO_CONTENT})


def record(form: Form, answers: Mapping[str, str], region: UUID) -> None:
    """Each of the three steps commits by itself; what a crash leaves undone a job finishes (saved_forms.py)."""
    with transaction("door") as db:
        region, number = saved_forms.start_sending(db, form, region)
    with transaction("door") as db:
        visit.present_nobody(db)
        made = professional.pharmacy_body if form.kind == "pharmacy" else professional.body
        body = made(answers, number, local_day(now(db)))
        message = own.message(db, region, str(form.id), body)
        kind = "zorg" if form.kind == "pharmacy" else professional.kind_of(answers)
        own.record(db, region, message, channel="professional", kind=kind, actor="form:professional")
    with transaction("door") as db:
        visit.present_nobody(db)
        saved_forms.finish(db, form.id)


def received(request: Request) -> Response:
    """That it came in, its number, and what happens next; nothing of what was written."""
    found = _sent(request)
    if found is None:
        return visit.gone(request)
    form, region = found
    return templates.page(
        "professional_received.html",
        path=visit.PATH,
        query=visit.query(request),
        form=form,
        region=region,
        form_token=visit.form_field(request),
    )


def receipt(request: Request) -> Response:
    """The same as a file to keep: no name, no content."""
    found = _sent(request)
    if found is None:
        raise NotFound
    form, region = found
    day = f"{form.sent_at:%d-%m-%Y}" if form.sent_at else ""
    lines = [
        language.say("Uw formulier is ontvangen op {day}.", day=day),
        language.say("Uw nummer: {number}", number=form.number),
        language.say(
            "Vragen? Bel {phone} en noem dit nummer.", phone=region.phone if region and region.phone else visit.PHONE
        ),
        language.t(NO_CONTENT),
    ]
    headers = {"Content-Disposition": 'attachment; filename="ontvangst.txt"'}
    return Response("\r\n".join([*lines, ""]), media_type="text/plain; charset=utf-8", headers=headers)


def _sent(request: Request) -> tuple[Form, municipalities.Region | None] | None:
    with transaction("door") as db:
        form = saved_forms.open_form(db, visit.token_of(request))
        if form is None or not form.sent or form.region is None:
            return None
        return form, municipalities.region(db, form.region)


# ── a pharmacy ───────────────────────────────────────────────────────────────────────────────────────────────────


async def pharmacy(request: Request) -> Response:
    sent, _ = await read_upload(request)
    return await run_in_threadpool(_send_pharmacy, request, sent)


def _send_pharmacy(request: Request, sent: Mapping[str, str]) -> Response:
    """One page, sent at once; sent twice it is one report."""
    if not forgery.from_our_own_page(request):
        raise NotAllowed(visit.FOREIGN)
    answers = {name: text for name, text in fields.taken(sent, fields.PHARMACY_FIELDS).items() if text}
    number = _as_id(sent.get("nummer", ""))
    with transaction("door") as db:
        errors = fields.pharmacy_errors(answers, visit.codes(db))
        region = visit.region_of(db, answers)
    if errors:
        return pharmacy_page(request, answers, errors, 400, number)
    if region is None:
        return pharmacy_page(request, answers, {"versturen": language.t(visit.NOT_HERE)}, 503, number)
    with transaction("door") as db:
        wait = public_limits.check(db, origin_of(request), visit.USE, str(number))
    if wait:
        return pharmacy_page(request, answers, {"versturen": visit.wait_words(wait)}, 429, number)
    with transaction("door") as db:
        token = saved_forms.begin(db, "pharmacy", answers, number)
        form = saved_forms.open_form(db, token) if token else None
    if token is None or form is None:
        return visit.to(request, "ontvangen")
    record(form, answers, region)
    return visit.to(request, "ontvangen", token)


def pharmacy_page(
    request: Request,
    answers: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
    number: UUID | None = None,
) -> Response:
    with transaction("door") as db:
        choices = visit.choices(db)
    return templates.page(
        "professional_pharmacy.html",
        status,
        path=visit.PATH,
        query=visit.query(request),
        number=number or uuid7(),
        form=answers,
        errors=errors,
        municipalities=choices,
        yes_no=fields.YES_NO,
    )


def _as_id(text: str) -> UUID:
    """The number of a form of one page; a new one for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return uuid7()
