"""UUIDv7: version, variant, time order."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from core.ids import uuid7, uuid7_texts


@given(st.integers(min_value=0, max_value=2**48 - 1))
def test_the_time_part_is_the_moment_given(milliseconds: int) -> None:
    made = uuid7(milliseconds)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == milliseconds


def test_later_ids_sort_later() -> None:
    assert uuid7(1_700_000_000_000) < uuid7(1_700_000_000_001)
    assert len({uuid7(1) for _ in range(1000)}) == 1000


def test_those_of_one_process_sort_in_the_order_in_which_they_were_made() -> None:
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_texts_are_the_same_kind_and_go_on_from_there() -> None:
    first = uuid7()
    texts = uuid7_texts()
    made = [next(texts) for _ in range(3_000)]
    assert made == sorted(made)
    assert str(first) < made[0]
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
