"""Problem details (RFC 9457) as the API's one form of an error; NLGov API Design Rules error-handling."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, title: str, detail: str, code: str | None = None, invalid: Iterable[tuple[str, str]] = ()
) -> bytes:
    """The body of a problem: Dutch title and detail without personal data; `invalid` are (path, reason) pairs."""
    body: dict[str, Any] = {"type": "about:blank", "status": status, "title": title, "detail": detail}
    if code:
        body["code"] = code
    params = [{"name": path, "reason": reason} for path, reason in invalid]
    if params:
        body["invalidParams"] = params
    return json.dumps(body, ensure_ascii=False).encode()
