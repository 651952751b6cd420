"""What somebody typed, back to him, when his session ended meanwhile or he must prove himself first.

Nothing is done with it and nothing is looked up for it: the page carries the form, to be sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from web import templates
from web.access import forgery

Why = Literal["signed out", "again", "prove"]
"""Nobody is signed in; somebody is again; who is signed in must prove himself for this."""
STATUS: dict[Why, int] = {"signed out": 401, "again": 403, "prove": 403}

SECRETS = frozenset({"wachtwoord", "nieuw", "nogmaals", "code", "client_secret"})
"""Fields that prove who somebody is: a form with one of them does not come back."""


def page(
    request: Request,
    form: Mapping[str, str],
    why: Why,
    session_token: str = "",
    shown: Iterable[tuple[str, str]] | None = None,
    *,
    files: bool = False,
) -> Response | None:
    """The page with what was typed; None where nobody wrote a text or it holds a proof, or it came from elsewhere or
    from a script, which keeps the text itself.

    `shown`: label and text of what he wrote; without it each value with more than one word, under its name.
    `files`: he chose a file, which is not kept.
    """
    by_script = request.headers.get("sec-fetch-mode", "navigate") != "navigate"
    if by_script or not forgery.from_our_own_page(request) or SECRETS & form.keys():
        return None
    if shown is None:
        shown = [
            (name.replace("_", " ").replace("-", " ").capitalize(), value.strip())
            for name, value in form.items()
            if name != forgery.FIELD and len(value.split()) > 1
        ]
    if not (shown := list(shown)):
        return None
    return templates.page(
        "typed_back.html",
        STATUS[why],
        why=why,
        path=request.scope["path"],
        typed=[(name, value) for name, value in form.items() if name != forgery.FIELD],
        shown=shown,
        files=files,
        form_token=forgery.form_token(session_token) if session_token else "",
    )
