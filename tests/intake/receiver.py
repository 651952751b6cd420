"""The system of a receiver on this machine: a real HTTP server that answers as a test tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lxml import etree

from intake.corv import replies
from intake.corv.check import Header
from intake.corv.parse import Fault

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Receiver:
    """It answers with the next of `answers` (status and body; a None body is a Bv03), and then with a Bv03."""

    url: str = ""
    answers: list[tuple[int, bytes | None]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    actions: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(body)
            found.actions.append(self.headers["SOAPAction"])
            found.paths.append(self.path)
            status, answer = found.answers.pop(0) if found.answers else (200, None)
            answer = bv03(body) if answer is None else answer
            self.send_response(status)
            self.send_header("Location", f"{found.url}elders")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with serving(Handler) as found.url:
        yield found


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on a free port of this machine; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def header_of(sent: bytes) -> Header:
    """The stuurgegevens of a message, as its receiver reads them."""
    root = etree.fromstring(sent)
    sender, receiver = next(root.iter("{*}zender")), next(root.iter("{*}ontvanger"))

    def text(node: etree._Element, name: str) -> str:
        return next((one.text or "" for one in node.iter("{*}" + name)), "")

    return Header(
        function=text(root, "functie"),
        reference=text(root, "referentienummer"),
        cross_reference=None,
        sent_at=None,
        sent_at_raw="",
        sender_oin=text(sender, "organisatie"),
        sender_application=text(sender, "applicatie"),
        receiver_oin=text(receiver, "organisatie"),
        receiver_application=text(receiver, "applicatie"),
        version="",
    )


def bv03(sent: bytes) -> bytes:
    """What a receiver says that has it."""
    return replies.bv03(header_of(sent), "0" * 20, "ONTVANGER", "antwoord-1", AT)


def fo03(code: str) -> bytes:
    """A refusal with this StUF code."""
    fault = Fault("VT-E058", code, "header", "Nee", "Verzonnen", True)
    return replies.fo03(None, fault, "0" * 20, "ONTVANGER", "antwoord-2", AT)
