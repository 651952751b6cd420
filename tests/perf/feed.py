"""The feed beside a bare endpoint, in one run, turn by turn: requests per second and p99 at 16 clients.

.venv/bin/python -m tests.perf.feed [--seconds 10] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics

from core.database import transaction
from core.ids import uuid7
from intake import senders
from intake.corv.write import write_report
from intake.sample import sample_report
from tests.perf import bare, load, stack

OIN, OWN_OIN, REFERENCE = "00000099000000001000", "00000099000000002000", b"REFERENCE-HERE"
PATH = "/api/v1/corv/berichten"


def make_sender() -> str:
    """A region with one sender; returns the sender's token."""
    region = uuid7()
    with transaction() as db:
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Meting', %s)", (region, OWN_OIN))
        db.execute(bare.TABLES)
        return senders.add(db, region, OIN, "Politie", "politie")


def template() -> bytes:
    """A report with one place to fill in: its reference and its kenmerk."""
    text = REFERENCE.decode()
    return write_report(sample_report({"bericht": {"referentienummer": text}, "melding": {"kenmerk": text}}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with stack.engines():
        headers = f"Authorization: Bearer {make_sender()}\r\nContent-Type: text/xml\r\n"
        rates: dict[str, list[float]] = {"bare": [], "feed": []}
        for round_number in range(chosen.rounds):
            for name, application in (("bare", "tests.perf.bare:create_app"), ("feed", "web.app:create_app")):
                port = stack.free_port()
                with stack.server(application, port):
                    for seconds in (2.0, chosen.seconds):  # the first is a warm-up
                        tag = f"{name}{round_number}-{seconds}-"
                        bodies = load.numbered(template(), REFERENCE, lambda number, tag=tag: f"{tag}{number}")
                        result = asyncio.run(load.post(port, PATH, bodies, headers, 16, seconds))
                rates[name].append(result.rate)
                print(
                    f"{name}: {result.rate:.0f}/s  p50 {result.percentile(0.5):.1f} ms"
                    f"  p99 {result.percentile(0.99):.1f} ms  {result.statuses}",
                    flush=True,
                )
        medians = {name: statistics.median(values) for name, values in rates.items()}
        print(f"feed / bare = {medians['feed'] / medians['bare']:.2f} (medians of {chosen.rounds} rounds)")


if __name__ == "__main__":
    main()
