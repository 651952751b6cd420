"""One callback over the line, to an address that somebody gave us: never to a network that is not the public one.

The name is looked up once and every address that it has is judged; the connection goes to one of those, so that a
second answer of the name server cannot lead elsewhere (security.md, SSRF). No redirects, no proxies, a short wait.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from core.errors import VeiligError
from core.settings import settings
from intake.delivery import TIMEOUT_S, NotDelivered

MAX_URL = 500
_THROUGH = ipaddress.ip_network("64:ff9b::/96")
"""Addresses of version 6 behind which stands one of version 4 (NAT64)."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class WrongAddress(VeiligError):
    """Geef een webadres dat met https:// begint, zonder gebruikersnaam en zonder #."""

    status = 400


class ForbiddenAddress(NotDelivered):
    """Dit webadres ligt niet op het openbare internet."""


def require_address(url: str) -> str:
    """The address as it is kept. Raises WrongAddress; where its name leads is judged at each sending."""
    found = url.strip()
    try:
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        raise WrongAddress from None
    plain = bool(settings().webhook_networks)  # a demo or a test on this machine
    if (
        parts.scheme not in (("https", "http") if plain else ("https",))
        or not parts.hostname
        or port == 0
        or parts.username is not None
        or parts.fragment
        or len(found) > MAX_URL
        or not found.isascii()
        or any(one.isspace() or not one.isprintable() for one in found)
    ):
        raise WrongAddress
    return found


def post_json(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to a judged address and give the status. Raises NotDelivered, ForbiddenAddress, WrongAddress."""
    parts = urlsplit(require_address(url))
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    address = _judged(host, parts.port or (443 if secure else 80), secure)
    connection = _To(host, parts.port or (443 if secure else 80), address, secure)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    except (OSError, HTTPException):
        raise NotDelivered from None
    finally:
        connection.close()


def allowed(address: Address, secure: bool) -> bool:
    """Whether a callback may go there: the public internet over https, or a network that the settings name."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if inner is not None:
        return allowed(inner, secure)
    if any(address in network for network in _networks() if network.version == address.version):
        return secure or address.is_loopback
    outside = address.is_global and not address.is_multicast
    return secure and outside and not (address.version == 6 and address in _THROUGH)


def _networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(one.strip()) for one in settings().webhook_networks.split(",") if one.strip()]


def _judged(host: str, port: int, secure: bool) -> str:
    """The address to connect to. One bad address among several refuses them all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotDelivered from None
    texts = [str(one[4][0]).partition("%")[0] for one in found]
    if not texts or not all(allowed(ipaddress.ip_address(text), secure) for text in texts):
        raise ForbiddenAddress
    return texts[0]


class _To(HTTPConnection):
    """A connection to the address that was judged, under the name that was asked for."""

    def __init__(self, host: str, port: int, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = address
        self._secure = secure

    def connect(self) -> None:
        """Connect, and over https prove that this is the host of the name."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        try:
            self.sock = (
                ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) if self._secure else plain
            )
        except BaseException:
            plain.close()
            raise
