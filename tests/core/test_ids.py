"""UUIDv7: version, variant, time order."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from core.ids import uuid7


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_the_time_part_is_the_moment_given(milliseconds: int) -> None:
    made = uuid7(milliseconds)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == milliseconds


def test_later_ids_sort_later() -> None:
    assert uuid7(1_700_000_000_000) < uuid7(1_700_000_000_001)
    assert len({uuid7(1) for _ in range(1000)}) == 1000
