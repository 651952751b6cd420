"""What the radar notices on a household's time line: rules as data, signals, and earlier involvement.

`timeline` is what the rules look at, `kinds` the kinds of rules, `rules` the data, `involvement` the count of CBS:
all pure. `settle` looks again and keeps the difference; `rows` holds the SQL.
"""

from __future__ import annotations

from radar.signals.settle import Consequence, note, recount, recount_all, refresh

__all__ = ["Consequence", "note", "recount", "recount_all", "refresh"]
