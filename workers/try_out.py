"""The test set of a supplier, or his own files, on trial at the doors of this installation: nothing is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.database import AsyncDb
from intake import trial
from intake.channels import json_api
from intake.corv import door
from intake.examples import Door, Example, Outcome, examples
from intake.input_errors import InvalidMessage
from intake.senders import Sender

DOORS: dict[Door, trial.Door] = {"json": json_api.deliver, "stuf": door.deliver}


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one message: what is wrong with it, and whether that was to come (None: nobody said)."""

    name: str
    status: int
    outcome: str
    code: str
    found: tuple[str, ...]
    expected: bool | None

    def line(self) -> str:
        """For the command line."""
        mark = {None: "     ", True: "ok   ", False: "ANDERS"}[self.expected]
        return (
            f"{mark} {self.name:<28} {self.status} {self.outcome:<12} {self.code:<8} {', '.join(self.found)}".rstrip()
        )


async def the_set(db: AsyncDb, sender: Sender) -> AsyncIterator[Tried]:
    """Each example, on the OINs of this sender, held against what must come."""
    for one in examples(sender.oin, sender.region_oin):
        yield await _tried(db, sender, one.file, one.door, one.body, one)


async def files(db: AsyncDb, sender: Sender, paths: Iterable[Path], most: int) -> AsyncIterator[Tried]:
    """Messages in files: `.xml` is StUF, all else JSON. Of each no more than `most` bytes are read."""
    for path in paths:
        with path.open("rb") as opened:
            raw = opened.read(most + 1)
        yield await _tried(db, sender, path.name, "stuf" if path.suffix.lower() == ".xml" else "json", raw, None)


async def _tried(db: AsyncDb, sender: Sender, name: str, kind: Door, raw: bytes, example: Example | None) -> Tried:
    outcome: Outcome | str
    try:
        verdict = await trial.of_message(db, sender, raw, DOORS[kind])
        status, outcome, code = verdict.answer.status, trial.OUTCOMES[verdict.answer.kept], verdict.answer.code
        found = tuple(sorted({remark["code"] for remark in verdict.remarks}))
    except InvalidMessage as error:
        status, outcome, code = 400, "geweigerd", "VT-E055"
        found = tuple(f"{one.path}: {one.text}" for one in error.errors)
    expected = None if example is None else (status, outcome) == (example.status, example.outcome)
    return Tried(name, status, outcome, code, found, expected)
