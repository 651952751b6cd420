"""A small scanner on a real socket that speaks the protocol of clamd: it finds the EICAR test file, nothing else."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file that every scanner finds (eicar.org), in two parts: a scanner would find this file of ours."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.rfile.read(1)
        content = b""
        while size := struct.unpack(">I", self.rfile.read(4))[0]:
            content += self.rfile.read(size)
        seen: list[bytes] = self.server.seen  # type: ignore[attr-defined]
        seen.append(content)
        answer = self.server.answer  # type: ignore[attr-defined]
        if answer is None:
            answer = b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"
        self.wfile.write((answer if command == b"zINSTREAM\0" else b"UNKNOWN COMMAND") + b"\0")


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def clamd(path: Path | None = None, answer: bytes | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """Runs the scanner; gives its address as our setting has it, and what it was given to look at.

    `answer`: what it says to everything, in place of looking.
    """
    server: socketserver.BaseServer = _Unix(str(path), _Handler) if path else _Tcp(("127.0.0.1", 0), _Handler)
    seen: list[bytes] = []
    server.seen, server.answer = seen, answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield (f"unix://{path}" if path else f"tcp://127.0.0.1:{server.server_address[1]}"), seen  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
