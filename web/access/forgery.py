"""Protection against forged requests: where a form came from, and a token that only our own pages know."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from core.secrets import keyed_hash

FIELD = "formulier"


def form_token(session_token: str) -> str:
    """The token of every form in a session; it cannot be made without the key of this installation."""
    return keyed_hash(f"form:{session_token}").hex()


def right_token(session_token: str, sent: str) -> bool:
    return hmac.compare_digest(form_token(session_token).encode(), sent.encode("utf-8", "replace"))


def from_our_own_page(request: Request) -> bool:
    """Whether the browser says that this request came from a page of ours.

    Sec-Fetch-Site decides; a browser without it must send an Origin that is this host. Our pages send no referrer,
    so their Origin may be the word null: that proves nothing, and is no objection where Sec-Fetch-Site is there.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if origin not in (None, "null") and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    if site is not None:
        return site == "same-origin"
    return origin not in (None, "null")
