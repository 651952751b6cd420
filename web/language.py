"""The language of a page: Dutch as it stands in the templates and in Python, English from `locale/en/*.po`.

The Dutch sentence is the name of its translation (gettext). Dutch costs nothing: nothing is looked up.
`python -m web.language` lists what has no English yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from babel.messages.pofile import read_po
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import settings

LOCALE = Path(__file__).parent / "locale"
DUTCH: str = "nl"
ENGLISH: str = "en"
LANGUAGES: dict[str, str] = {DUTCH: "Nederlands", ENGLISH: "English"}
COOKIE = "taal"
A_YEAR = 365 * 24 * 3600
PUBLIC = ("/contact", "/melden", "/melden-beroepskracht", "/bericht", "/professional", "/beroepskracht", "/hulp")
"""Where who has no login comes: only there a browser's own language counts."""
Msgid = str | tuple[str, str]
"""A sentence, or what is counted: one and many."""
Table = TypeVar("Table", bound=Mapping[Any, Any])


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language of one request, and whether its page can be asked for again, in the other."""

    language: str = DUTCH
    again: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Dutch to English: whole sentences, and what is counted as (one, many)."""

    sentences: Mapping[str, str]
    counted: Mapping[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Registered:
    """Every table of words that reaches a screen by its code; read by the extraction."""

    tables: list[Mapping[Any, str]] = field(default_factory=list)


_spoken: ContextVar[Spoken] = ContextVar("spoken", default=Spoken())  # noqa: B039 (it is frozen)
REGISTERED = Registered()


def current() -> str:
    """The language of this request: 'nl' or 'en'."""
    return _spoken.get().language


def again() -> bool:
    """Whether this page can be asked for again; not when a form made it: what was typed there is not thrown away."""
    return _spoken.get().again


@contextmanager
def spoken(language: str, again: bool = False) -> Iterator[None]:
    """Speak this language inside."""
    before = _spoken.set(Spoken(language, again))
    try:
        yield
    finally:
        _spoken.reset(before)


def t(text: Any) -> Any:
    """A constant of ours in the language of this request; what is no constant of ours comes back as it is."""
    if _spoken.get().language == DUTCH or not isinstance(text, str):
        return text
    return catalogue().sentences.get(text, text)


def say(text: str, /, **values: Any) -> str:
    """A sentence with values in it, `say("Nog {n} dagen", n=3)`. A value is never a format itself."""
    return str(t(text)).format(**values)


def counted(count: int, one: str, many: str) -> str:
    """'1 taak' or '3 taken', in the language of this request."""
    if _spoken.get().language != DUTCH:
        one, many = catalogue().counted.get((one, many), (one, many))
    return f"{count} {one if count == 1 else many}"


def constants(table: Table) -> Table:
    """Name a table whose words reach a screen, so that they are found for translation."""
    REGISTERED.tables.append(table)
    return table


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The English of every area, merged. Raises ValueError with the file and line that cannot be read."""
    sentences: dict[str, str] = {}
    counted: dict[tuple[str, str], tuple[str, str]] = {}
    for path in files():
        for msgid, said in messages(path):
            if isinstance(msgid, str):
                sentences.setdefault(msgid, said[0])
            else:
                counted.setdefault(msgid, (said[0], said[1]))
                sentences.setdefault(msgid[0], said[0])
    return Catalogue(sentences, counted)


def files() -> list[Path]:
    """One file per area, in the order in which they are merged."""
    return sorted((LOCALE / ENGLISH).glob("*.po"))


def messages(path: Path) -> Iterator[tuple[Msgid, list[str]]]:
    """What is translated in one file: the Dutch, and the English or its two forms. Nothing empty or doubtful."""
    with path.open("rb") as file:
        found = read_po(file, locale=ENGLISH, abort_invalid=True)
    for message in found:
        said = [message.string] if isinstance(message.string, str) else list(message.string or ())
        if message.id and not message.fuzzy and all(said):
            yield message.id if isinstance(message.id, str) else (message.id[0], message.id[1]), said


def asked(request: Request) -> str:
    """The language that somebody asked for: in the address of a public form, or once for all his pages.

    A public page without a choice follows the browser; a page of the staff is Dutch until somebody chooses.
    """
    chosen = request.query_params.get("l") or request.cookies.get(cookie_name())
    if chosen in LANGUAGES:
        return str(chosen)
    if is_public(request.scope["path"]):
        return preferred(request.headers.get("accept-language", ""))
    return DUTCH


def is_public(path: str) -> bool:
    """Whether who comes here has no login: a citizen, a professional, a partner."""
    return any(path == public or path.startswith(f"{public}/") for public in PUBLIC)


def preferred(header: str) -> str:
    """The first of our languages in an Accept-Language header, by weight (RFC 9110 12.5.4); Dutch without any."""
    ranked = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, weight = part.strip().partition(";q=")
        try:
            rank = float(weight or 1)
        except ValueError:
            continue
        ranked.append((-rank, place, name.partition("-")[0].lower()))
    return next((name for rank, _, name in sorted(ranked) if name in LANGUAGES and rank), DUTCH)


class Speak:
    """Settles the language of each request before anything is shown, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with spoken(asked(Request(scope)), again=scope["method"] == "GET"):
            await self.app(scope, receive, send)


class Choose:
    """Keeps a choice of language (`?taal=en` on a page of the staff) in a cookie, and goes back to that page.

    The button holds no address: two pages that must look the same have two addresses.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = Request(scope).query_params.get(COOKIE) if scope["type"] == "http" else None
        if chosen not in LANGUAGES or scope["method"] != "GET" or is_public(scope["path"]):
            await self.app(scope, receive, send)
            return
        # One slash: two would be another host.
        response = RedirectResponse("/" + scope["path"].lstrip("/\\"), status_code=303)
        secure = settings().secure_cookies
        response.set_cookie(cookie_name(), chosen, A_YEAR, secure=secure, httponly=True, samesite="lax")
        await response(scope, receive, send)


def cookie_name() -> str:
    return f"__Host-{COOKIE}" if settings().secure_cookies else COOKIE


if __name__ == "__main__":
    from web.extraction import main

    main()
