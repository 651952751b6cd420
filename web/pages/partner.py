"""A partner without an account: a link and a code open one visit, which shows one handover and takes its answer.

The first page shows the same for every link, so nothing is learnt from it; who has no visit sees the same as who
asks for what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core import audit
from core.database import Db, now, present, transaction
from core.errors import Conflict, NotAllowed
from core.ids import uuid7
from core.settings import settings
from radar.casework import handover, handover_shares, handovers, invite
from radar.casework.handover_kinds import title_of, told
from radar.casework.invite import PATH, VISIT, Visitor
from radar.outbound import gate
from web import templates
from web.access import forgery
from web.access.guard import MAX_FORM_BYTES, read_form
from web.pages.forms import day

WRONG = "De link en de code kloppen niet samen, of gelden niet meer. Kijk de code na, of bel Veilig Thuis."
GONE = "Hier is niets (meer) te zien. Vraag Veilig Thuis om een nieuwe link en code."
FOREIGN = "Dit formulier hoort niet bij uw bezoek. Ga terug, laad de pagina opnieuw en probeer het nog eens."


def cookie_name() -> str:
    return "__Host-partner" if settings().secure_cookies else "partner"


def ask(request: Request) -> Response:
    """The form for the code; the link is not looked at, so that a scanner of mail uses nothing up."""
    return templates.page("partner_code.html", error="", path=request.url.path)


async def enter(request: Request) -> Response:
    if not forgery.from_our_own_page(request):
        raise NotAllowed(FOREIGN)
    code = (await read_form(request)).get("code", "")
    return await run_in_threadpool(_enter, request, code)


def _enter(request: Request, code: str) -> Response:
    with transaction("door") as db:
        visit = invite.open_visit(db, request.path_params["token"][:200], code, now(db))
    if visit is None:
        return templates.page("partner_code.html", 403, error=WRONG, path=request.url.path)
    response = Response(status_code=303, headers={"Location": PATH})
    response.set_cookie(
        cookie_name(),
        visit,
        max_age=int(VISIT.total_seconds()),
        secure=settings().secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response


def show(request: Request) -> Response:
    """What is shared of this one handover, and the forms to answer it."""
    token = request.cookies.get(cookie_name(), "")
    with transaction("web") as db:
        _present(db, request, token)
        visitor = invite.visitor(db, token, now(db))
        return _page(db, visitor, token) if visitor else _end("Niet gevonden", GONE, 404)


async def answer(request: Request) -> Response:
    form = await read_form(request)
    return await run_in_threadpool(_answer, request, form)


def _answer(request: Request, form: Mapping[str, str]) -> Response:
    """Take the answer; the visit is over then, whatever it was."""
    token = request.cookies.get(cookie_name(), "")
    if not forgery.from_our_own_page(request) or not forgery.right_token(token, form.get(forgery.FIELD, "")):
        raise NotAllowed(FOREIGN)
    accepted = form.get("antwoord") == "aanvaard"
    with transaction("web") as db:
        _present(db, request, token)
        at = now(db)
        visitor = invite.visitor(db, token, at)
        if visitor is None:
            return _end("Niet gevonden", GONE, 404)
        try:
            # A savepoint: a refused form leaves nothing behind, and the page can still be shown and noted.
            with db.transaction():
                _carry_out(db, visitor, form, accepted, at)
        except handover.Incomplete as error:
            names = {"name": "naam" if accepted else "naam_weigeren", "started_on": "gestart", "reason": "reden"}
            errors = {names[name]: text for name, text in error.errors.items()}
            return _page(db, visitor, token, 400, errors, form)
        except Conflict as error:
            if invite.visitor(db, token, at):
                return _page(db, visitor, token, 409, {"antwoord": error.message}, form)
            return _end("Al beantwoord", error.message, 409)
    text = "Dank u wel. Veilig Thuis ziet uw antwoord meteen."
    return _end("Aanvaard" if accepted else "Geweigerd", text, 200, done=True)


def _present(db: Db, request: Request, token: str) -> None:
    origin = request.client.host if request.client else ""
    present(db, f"partner:{token}", purpose="care", origin=origin, request=uuid7().hex)


def _carry_out(db: Db, visitor: Visitor, form: Mapping[str, str], accepted: bool, at: datetime) -> None:
    name = ", ".join(part for field in ("naam", "functie") if (part := form.get(field, "").strip()))
    if not form.get("naam", "").strip():
        name = ""
    if accepted:
        handover.accept(
            db,
            visitor.handover_id,
            by=visitor.actor,
            role="partner",
            name=name,
            started_on=day(form.get("gestart", "")),
            at=at,
        )
    else:
        reason = form.get("reden", "")
        handover.refuse(db, visitor.handover_id, by=visitor.actor, role="partner", name=name, reason=reason, at=at)


def _page(
    db: Db,
    visitor: Visitor,
    token: str,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Response:
    """What is shared, if it may still be seen: the gate looks at every view."""
    found = handovers.find(db, visitor.region, visitor.handover_id)
    parts = handover_shares.shared(db, visitor.report_id, found["shares"])
    content = told(found["kind"], found["content"])
    region = db.execute("SELECT name FROM region WHERE id = %s", (visitor.region,)).fetchone() or {}
    audit.append(
        db,
        visitor.region,
        visitor.actor,
        "handover.view",
        "handover",
        visitor.handover_id,
        {"parts": found["shares"], "report": str(visitor.report_id)},
    )
    response = templates.page(
        "partner.html",
        status,
        visitor=visitor,
        handover=found,
        title=title_of(found["kind"]),
        content=content,
        region=region.get("name", ""),
        parts=parts,
        form_token=forgery.form_token(token),
        errors=errors or {},
        form=form or {},
    )
    passed = gate.pass_out(
        db,
        "handover",
        visitor.handover_id,
        bytes(response.body),
        by=visitor.actor,
        at=now(db),
        texts=handover_shares.texts(parts, content),
    )
    return response if passed else _end("Niet gevonden", GONE, 404)


def _end(title: str, text: str, status: int, done: bool = False) -> Response:
    response = templates.page("partner_end.html", status, title=title, text=text, done=done)
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="strict")
    return response


routes: list[BaseRoute] = [
    Route(PATH, show, methods=["GET"]),
    Route(f"{PATH}/antwoord", answer, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/{{token}}", ask, methods=["GET"]),
    Route(f"{PATH}/{{token}}", enter, methods=["POST"], max_body_size=MAX_FORM_BYTES),
]
"""The doors of a partner; none needs a session of staff."""
