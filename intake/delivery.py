"""One message over the line, and what the receiver says of it. No redirects, no proxies, a short wait."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from lxml import etree

from core.errors import VeiligError
from intake.corv.elements import NAMESPACES
from intake.corv.guard import Limits, Refused, guard
from intake.corv.parse import SOAP

TIMEOUT_S = 5.0
"""Below the idle-in-transaction limit: the row stays locked while its message is on its way."""
MAX_ANSWER_BYTES = 64 * 1024
ALREADY_THERE = "StUF016"
"""The fault for a sender and referentienummer that were used before."""

_STUF = "{" + NAMESPACES["StUF"] + "}"
_YES = (_STUF + "Bv03Bericht", _STUF + "Bv04Bericht")


class NotDelivered(VeiligError):
    """Het bericht kon niet worden afgeleverd."""


class _NoRedirect(HTTPRedirectHandler):
    """A message goes to the address that the operator set, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def post(url: str, body: bytes, action: str) -> tuple[int, bytes]:
    """The status and the first part of the answer. Raises NotDelivered when there is no answer."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise NotDelivered
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (scheme checked above)
    try:
        with _opened(build_opener(_NoRedirect, ProxyHandler({})), request) as response:
            return response.status or 0, response.read(MAX_ANSWER_BYTES)
    except (OSError, HTTPException):
        raise NotDelivered from None


def _opened(opener: OpenerDirector, request: Request) -> HTTPResponse | HTTPError:
    """The answer, whatever its status."""
    try:
        response: HTTPResponse = opener.open(request, timeout=TIMEOUT_S)
        return response
    except HTTPError as error:
        return error


def well(status: int) -> bool:
    """Whether the status says that it was taken."""
    return 200 <= status < 300


def confirms(status: int, answer: bytes, reference: str, *, repeated: bool = False) -> bool:
    """Whether the receiver has the message: a 2xx that is empty or holds the Bv03 or Bv04 to it (standards.md 1.9).

    A Fo03 or SOAP fault says no, and so does whatever is not StUF (a page of a proxy). `repeated`: the same message
    was tried before, and the fault that its reference was used before is then a yes.
    """
    if well(status) and not answer.strip():
        return True
    try:
        root = guard(answer, Limits(size=MAX_ANSWER_BYTES))
    except Refused:
        return False
    if repeated and any((code.text or "").strip() == ALREADY_THERE for code in root.iter(_STUF + "code")):
        return True
    message = _unwrapped(root)
    if not well(status) or message is None or message.tag not in _YES:
        return False
    about = [(node.text or "").strip() for node in message.iter(_STUF + "crossRefnummer")]
    return about in ([], [""], [reference])


def _unwrapped(root: etree._Element) -> etree._Element | None:
    if root.tag != f"{{{SOAP}}}Envelope":
        return root
    body = root.find(f"{{{SOAP}}}Body")
    return body[0] if body is not None and len(body) else None
