"""What kind of event each action in the audit trail is: the data file events.toml, in the words of NEN 7513.

The database holds a copy of the codes (table audit_action), so that every line gets its code whoever writes it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg import Connection

from core.errors import SettingsError

FILE = Path(__file__).parent / "data" / "events.toml"
CODES = frozenset("CRUDE")
KINDS = frozenset(
    "enter read change remove merge split transfer export search print emergency sign_in authorise log system".split()
)


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of event: the action code C/R/U/D/E, the event of NEN 7513 ch. 6, and what people read of it."""

    code: str
    kind: str
    text: str
    activity: str
    """The processing activity in the register (AVG 30); empty where no data of persons concerned is processed."""
    sensitive: bool


@lru_cache(maxsize=1)
def events() -> Mapping[str, Event]:
    """Action to its event. Raises SettingsError for an unknown code or kind, or an action that is named twice."""
    found: dict[str, Event] = {}
    for group in tomllib.loads(FILE.read_text("utf-8"))["group"]:
        for action, (code, kind, text) in group["actions"].items():
            if code not in CODES or kind not in KINDS or not text or action in found:
                raise SettingsError(f"events.toml does not fit at {action}.")
            found[action] = Event(code, kind, text, group["activity"], group["sensitive"])
    return found


def event_of(action: str) -> Event:
    """The event of an action; an action that the file does not name is an execution of which nothing more is told."""
    return events().get(action) or Event("E", "system", action, "", True)


def store(db: Connection[Any]) -> None:
    """Bring the database's copy of the codes up to this version; lines that were written keep their code."""
    known = events()
    db.execute(
        "INSERT INTO audit_action (action, event) SELECT * FROM unnest(%s::text[], %s::text[])"
        " ON CONFLICT (action) DO UPDATE SET event = excluded.event WHERE audit_action.event <> excluded.event",
        (list(known), [event.code for event in known.values()]),
    )
