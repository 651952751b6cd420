"""What the pages of the professional's form share: who has it open, where to go next, and for which region it is."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.database import Db, present
from core.errors import NotAllowed
from core.ids import uuid7
from core.settings import settings
from intake import municipalities, saved_forms
from intake.saved_forms import Form
from web import language
from web.access import forgery

PATH = "/melden-beroepskracht"
USE = "professional"
CODE_USE = "professional_code"
BEGIN_USE = "professional_begin"
"""The lanes of web/access/public_limits.py."""
PHONE = "0800-2000"
FOREIGN = "Dit formulier hoort niet bij uw bezoek. Ga terug, laad de pagina opnieuw en probeer het nog eens."
NOT_HERE = "Dit formulier is hier nu niet te gebruiken. Bel Veilig Thuis: 0800-2000, dag en nacht."
language.constants({"": NOT_HERE})


def cookie_name() -> str:
    return "__Host-formulier" if settings().secure_cookies else "formulier"


def open_form(request: Request, db: Db, sent: Mapping[str, str]) -> Form | None:
    """The form of this browser, for a form of our own page. Raises NotAllowed."""
    token = token_of(request)
    genuine = forgery.from_our_own_page(request)
    if not genuine or (token and not forgery.right_token(token, sent.get(forgery.FIELD, ""))):
        raise NotAllowed(FOREIGN)
    return saved_forms.open_form(db, token)


def gone(request: Request) -> Response:
    """To the start, which says that the form is not open any more."""
    query = urlencode({"weg": "ja"} | _spoken(request))
    return without_cookie(RedirectResponse(f"{PATH}?{query}", status_code=303))


def to(request: Request, step: str, token: str | None = None) -> Response:
    """To another page of the form; `token`: this browser has a form from now on."""
    response = RedirectResponse(f"{PATH}/{step}{query(request)}", status_code=303)
    if token:
        response.set_cookie(cookie_name(), token, secure=settings().secure_cookies, httponly=True, samesite="strict")
    return response


def without_cookie(response: Response) -> Response:
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="strict")
    return response


def token_of(request: Request) -> str:
    return request.cookies.get(cookie_name(), "")[:100]


def form_field(request: Request) -> str:
    """What each form of this visit carries, so that no other page can send one."""
    return forgery.form_token(token_of(request))


def _spoken(request: Request) -> dict[str, str]:
    """The language that was chosen in the address goes along from page to page."""
    return {"l": language.current()} if request.query_params.get("l") else {}


def query(request: Request) -> str:
    chosen = _spoken(request)
    return f"?{urlencode(chosen)}" if chosen else ""


def choices(db: Db) -> list[tuple[str, str]]:
    """The municipalities to choose from; none when there is one region without a list."""
    return [(one.code, one.name) for one in municipalities.choices(db)]


def codes(db: Db) -> list[str]:
    return [code for code, _ in choices(db)]


def region_of(db: Db, answers: Mapping[str, str]) -> UUID | None:
    if found := municipalities.region_of(db, answers.get("gemeente", "")):
        return found
    only = municipalities.only_region(db)
    return only.id if only else None


def present_nobody(db: Db) -> None:
    """Nobody is known; where this comes from is not kept, for it could tell who reported."""
    present(db, "", purpose="intake", request=uuid7().hex)


def wait_words(seconds: int) -> str:
    """What to say to who has to wait: nothing is lost, and there is a phone."""
    minutes = -(-seconds // 60)
    short = seconds < 100
    long = (
        language.counted(seconds, "seconde", "seconden") if short else language.counted(minutes, "minuut", "minuten")
    )
    return language.say(
        "Het is nu erg druk. Wat u typte is bewaard. Wacht {long} en probeer het dan opnieuw, of bel 0800-2000.",
        long=long,
    )
