"""Asks a virus scanner that speaks the protocol of clamd (INSTREAM), on a machine of our own.

The scanner is a setting; without one nothing is scanned, and every download says so.
"""

from __future__ import annotations

import socket
import struct
from urllib.parse import urlsplit

from core.errors import VeiligError
from core.settings import settings

PIECE = 64 * 1024
TIMEOUT_S = 8.0
"""Shorter than the database lets a transaction lie idle, and than a worker's lease."""
MAX_ANSWER = 4096


class ScannerAway(VeiligError):
    """De virusscanner geeft geen bruikbaar antwoord."""

    status = 503


def is_set() -> bool:
    """Whether there is a scanner to ask."""
    return settings().scanner is not None


def scan(content: bytes) -> str:
    """What the scanner found, in its own words; empty when it found nothing. Raises ScannerAway."""
    try:
        with _connected() as line:
            line.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), PIECE):
                piece = content[start : start + PIECE]
                line.sendall(struct.pack(">I", len(piece)) + piece)
            line.sendall(struct.pack(">I", 0))
            answer = _answer(line)
    except OSError:
        raise ScannerAway from None
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    raise ScannerAway


def _connected() -> socket.socket:
    address = urlsplit(settings().scanner or "")
    if address.scheme == "unix":
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(TIMEOUT_S)
        line.connect(address.path)
        return line
    return socket.create_connection((address.hostname, address.port), TIMEOUT_S)


def _answer(line: socket.socket) -> str:
    """Up to the NUL that ends an answer to a command with z, or until the line closes."""
    received = b""
    while b"\0" not in received and len(received) < MAX_ANSWER and (more := line.recv(MAX_ANSWER)):
        received += more
    return received.split(b"\0")[0].decode("utf-8", "replace").strip()
