"""A mail server and an SMS provider on this machine: real sockets that keep what they are given."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sink:
    """`after_data`: 'take' the mail, 'refuse' it, or 'hang up' without an answer; `refuse`: at the receiver."""

    port: int = 0
    after_data: str = "take"
    refuse: bool = False
    mails: list[tuple[str, str, bytes]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)


@contextmanager
def mail_sink() -> Iterator[Sink]:
    sink = Sink()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            sender = receiver = ""
            self.say("220 sink")
            for raw in self.rfile:
                line = raw.decode().strip()
                match line.split(" ")[0].split(":")[0].upper():
                    case "EHLO":
                        self.say("250-sink")
                        self.say("250 AUTH PLAIN")
                    case "AUTH":
                        sink.logins.append(line.split(" ")[-1])
                        self.say("235 ok")
                    case "MAIL":
                        sender = line.split("<")[1].split(">")[0]
                        self.say("250 ok")
                    case "RCPT":
                        receiver = line.split("<")[1].split(">")[0]
                        self.say("550 no" if sink.refuse else "250 ok")
                    case "DATA":
                        self.say("354 go on")
                        if not self.data(sender, receiver):
                            return
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 ok")

        def data(self, sender: str, receiver: str) -> bool:
            lines = []
            for raw in self.rfile:
                if raw == b".\r\n":
                    break
                lines.append(raw.removeprefix(b".") if raw.startswith(b"..") else raw)
            sink.mails.append((sender, receiver, b"".join(lines)))
            if sink.after_data == "hang up":
                return False
            self.say("250 taken" if sink.after_data == "take" else "554 no")
            return True

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        sink.port = server.server_address[1]
        yield sink


@dataclass
class Provider:
    port: int = 0
    status: int = 200
    asked: list[tuple[dict[str, Any], str]] = field(default_factory=list)


@contextmanager
def sms_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            provider.asked.append((json.loads(body), self.headers["Authorization"]))
            self.send_response(provider.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        provider.port = server.server_port
        yield provider


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
