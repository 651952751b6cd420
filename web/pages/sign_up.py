"""A link and a code: the member sets his own password, and goes on to his second factor."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core import audit
from core.sign_up import PATH, opened, use
from core.staff import BadPassword, login_of, set_password
from web import templates
from web.access import second_factor
from web.access.entrance import at_the_door
from web.pages.sign_in import door, second_step

WRONG = "De link en de code kloppen niet samen, of gelden niet meer. Kijk de code na, of vraag een nieuwe link."
UNEQUAL = "De twee wachtwoorden zijn niet gelijk."


def show(request: Request) -> Response:
    """The form; the link is not looked at, so that it tells nothing and a scanner of mail uses nothing up."""
    return _form(request, {}, "")


def choose(request: Request, form: Mapping[str, str]) -> Response:
    """Take the password of who has the link and the code."""
    token, password = request.path_params["token"][:200], form.get("wachtwoord", "")
    with at_the_door(request) as db:
        login = opened(db, token, form.get("code", "")[:40])
        if login is None:
            audit.append(db, audit.NO_REGION, "unknown", "staff.sign_up", "staff", outcome="refused")
            return _form(request, {"code": WRONG}, form.get("code", ""))
        if password != form.get("nogmaals", ""):
            return _form(request, {"nogmaals": UNEQUAL}, form.get("code", ""))
        try:
            set_password(db, login.member, password)
        except BadPassword as error:
            return _form(request, {"wachtwoord": error.message}, form.get("code", ""))
        use(db, token)
        member = login.member
        audit.append(db, member.region, member.username, "staff.sign_up", "staff", member.id)
        anew = login_of(db, member.id)
        return second_step(db, anew or login, bool(second_factor.factors(db, member.id)))


def _form(request: Request, errors: Mapping[str, str], code: str) -> Response:
    status = 403 if "code" in errors else 400 if errors else 200
    return templates.page("sign_up.html", status, errors=errors, code=code, path=request.url.path)


routes: list[BaseRoute] = [
    Route(PATH + "/{token}", show, methods=["GET"]),
    door(PATH + "/{token}", choose),
]
