"""What is written as TOML reads back as the same document."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.toml_text import head_of, written

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file for room in ("core", "intake", "radar") for file in (ROOT / room).rglob("*.toml") if "corv" not in str(file)
)
TEXTS = some.text(some.characters(exclude_categories=("Cs",)))
LEAVES = TEXTS | some.integers(-(2**63), 2**63 - 1) | some.booleans() | some.dates(date(1, 1, 1), date(9999, 12, 31))
TABLES = some.recursive(
    some.dictionaries(TEXTS, LEAVES | some.lists(LEAVES), max_size=4),
    lambda inner: some.dictionaries(TEXTS, LEAVES | inner | some.lists(inner, min_size=1, max_size=3), max_size=4),
    max_leaves=12,
)


@given(TABLES)
def test_every_table_comes_back_as_it_was(table: dict[str, Any]) -> None:
    assert tomllib.loads(written(table)) == table


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_of_ours_comes_back_with_its_head(file: Path) -> None:
    text = file.read_text("utf-8")
    again = written(tomllib.loads(text), head_of(text))
    assert tomllib.loads(again) == tomllib.loads(text)
    assert again.startswith(head_of(text))


def test_what_toml_has_no_word_for_is_refused() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        written({"leeg": None})
