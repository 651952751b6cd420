"""A small load generator over plain sockets: N clients, each one request at a time, on loopback only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Result:
    """Seconds per request, and how many of each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    duration: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.duration

    def percentile(self, share: float) -> float:
        """Milliseconds below which this share of the requests stayed."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def post(port: int, path: str, bodies: Iterator[bytes], headers: str, clients: int, duration: float) -> Result:
    """Let `clients` post bodies for `duration` seconds; returns what was measured."""
    result = Result()
    end = time.monotonic() + duration
    started = time.monotonic()
    await asyncio.gather(*(_client(port, path, bodies, headers, end, result) for _ in range(clients)))
    result.duration = time.monotonic() - started
    return result


async def paced(port: int, path: str, bodies: list[bytes], headers: str, per_second: float) -> Result:
    """Post the bodies at a steady rate, each on time whatever the others do."""
    result = Result()
    started = time.monotonic()

    async def one(number: int, body: bytes) -> None:
        await asyncio.sleep(max(0.0, started + number / per_second - time.monotonic()))
        await _client(port, path, iter([body]), headers, None, result)

    await asyncio.gather(*(one(number, body) for number, body in enumerate(bodies)))
    result.duration = time.monotonic() - started
    return result


async def _client(
    port: int, path: str, bodies: Iterator[bytes], headers: str, end: float | None, result: Result
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while end is None or time.monotonic() < end:
        body = next(bodies, None)
        if body is None:
            break
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        begun = time.perf_counter()
        writer.write(head.encode() + body)
        status = int((await reader.readline()).split()[1])
        length = 0
        while line := (await reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        result.seconds.append(time.perf_counter() - begun)
        result.statuses[status] = result.statuses.get(status, 0) + 1
    writer.close()
    await writer.wait_closed()


def numbered(template: bytes, placeholder: bytes, name: Callable[[int], str]) -> Iterator[bytes]:
    """Endless bodies that differ in one place only."""
    number = 0
    while True:
        number += 1
        yield template.replace(placeholder, name(number).encode())
