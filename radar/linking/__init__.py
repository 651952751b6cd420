"""Linking: are these the same people as before?

One direction: normalise → block → compare → decide → explain, pure; `household` takes the second look. `register`
links a report and keeps it, `correct` is what people say afterwards, `rows` holds the SQL, `rules` the data.
"""

from __future__ import annotations

from radar.linking.normalise import Features

__all__ = ["Features"]
