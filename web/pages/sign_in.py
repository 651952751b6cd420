"""Sign in and sign out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core import audit
from core.database import transaction
from core.errors import NotAllowed
from core.settings import settings
from core.staff import DEMO_LOGINS, ROLES, check_password
from web import templates
from web.access import forgery, sessions
from web.access.guard import SIGN_IN, Visit, read_form

WRONG = "De gebruikersnaam of het wachtwoord klopt niet. Probeer het opnieuw."


def show(request: Request) -> Response:
    """The form; somebody who is signed in already goes to the queue."""
    token = sessions.token_of(request)
    if token:
        with transaction() as db:
            if sessions.find(db, token):
                return RedirectResponse("/wachtrij", status_code=303)
    return _form()


async def sign_in(request: Request) -> Response:
    if not forgery.from_our_own_page(request):
        raise NotAllowed("Dit formulier komt niet van onze eigen pagina. Open de inlogpagina en probeer het opnieuw.")
    form = await read_form(request)
    username, password = form.get("gebruikersnaam", ""), form.get("wachtwoord", "")
    return await run_in_threadpool(_sign_in, sessions.token_of(request), username, password)


def _sign_in(earlier: str, username: str, password: str) -> Response:
    with transaction() as db:
        member = check_password(db, username, password)
        if member is None:
            # What was typed is not kept: people type passwords in the wrong field.
            audit.append(db, audit.NO_REGION, "unknown", "session.start", "staff", outcome="refused")
            return _form(WRONG, username)
        if earlier:
            sessions.end(db, earlier)
        token = sessions.start(db, member.id)
        audit.append(db, member.region, member.username, "session.start", "staff", member.id)
    response = RedirectResponse("/wachtrij", status_code=303)
    sessions.give_cookie(response, token)
    return response


def sign_out(visit: Visit) -> Response:
    sessions.end(visit.db, visit.session_token)
    visit.note("session.end", "staff", visit.member.id)
    response = RedirectResponse(SIGN_IN, status_code=303)
    sessions.take_cookie(response)
    return response


def _form(error: str = "", username: str = "") -> Response:
    logins = DEMO_LOGINS if settings().demo else ()
    status = 403 if error else 200
    return templates.page("sign_in.html", status, error=error, username=username, logins=logins, role_names=ROLES)
