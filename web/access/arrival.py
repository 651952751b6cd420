"""Where a request comes from: the network address, the kind of browser, and whether this browser was here before."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from core.secrets import new_token, token_hash
from core.settings import settings

BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request, as far as it tells where it comes from. Names nobody."""

    origin: str
    """Network address; of IPv6 the first 64 bits, which is one connection."""
    place: str
    """Kind of browser and system in words, to recognise oneself by."""
    device: str
    """The token of this browser; empty when it was never here."""

    @property
    def device_hash(self) -> bytes | None:
        return token_hash(self.device) if self.device else None


def arrival(request: Request) -> Arrival:
    """Where this request comes from."""
    return Arrival(
        origin_of(request),
        _place(request.headers.get("user-agent", "")),
        request.cookies.get(cookie_name(), "")[:100],
    )


def origin_of(request: Request) -> str:
    """The network address of who asks. Only the trusted proxy is believed when it says for whom it asks; of a list it
    is the last one, which that proxy wrote itself (security.md F14)."""
    peer = request.client.host if request.client else ""
    if peer and peer == settings().trusted_proxy:
        peer = request.headers.get("x-forwarded-for", "").split(",")[-1].strip() or peer
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer[:60]
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def cookie_name() -> str:
    return "__Host-apparaat" if settings().secure_cookies else "apparaat"


def know_browser(response: Response, found: Arrival) -> str:
    """Let this browser be known from now on; returns its token. It gives no access, only no waiting for others."""
    token = found.device or new_token()
    response.set_cookie(
        cookie_name(),
        token,
        max_age=settings().sign_in_kept_days * 86_400,
        secure=settings().secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return token


def _place(agent: str) -> str:
    browser = next((name for mark, name in BROWSERS.items() if mark in agent), "een onbekende browser")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return f"{browser} op {system}" if system else browser
