"""The docs tell the truth where a machine can check it: the table of settings, the pages on linking and casework.

`PYTHONPATH=. .venv/bin/python tests/test_docs.py` writes them again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

from pydantic_core import PydanticUndefined

from core.settings import PREFIX, Settings
from radar.casework import describe as casework
from radar.casework.states import MOVES
from radar.casework.terms import terms
from radar.linking import describe
from radar.linking.rules import HouseholdSign, KeyKind, load

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "operations.md"
CASEWORK = DOCS / "casework.md"
LINKING, SCORES = DOCS / "linking.md", DOCS / "linking-scores.json"
BEGIN, END = "<!-- settings: begin (made from core/settings.py by tests/test_docs.py) -->\n", "<!-- settings: end -->"


def table() -> str:
    lines = ["| variable | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def page_with_table() -> str:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def linking_page() -> str:
    return describe.page(load(), json.loads(SCORES.read_text(encoding="utf-8")))


def test_the_settings_table_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_table()


def test_the_page_on_linking_is_what_the_live_rules_give() -> None:
    assert LINKING.read_text(encoding="utf-8") == linking_page()


def test_the_page_on_casework_is_what_the_live_states_and_terms_give() -> None:
    assert CASEWORK.read_text(encoding="utf-8") == casework.page(terms())
    for move in MOVES.values():
        assert f"| {move.text} | " in casework.page(terms())


def test_every_weight_sign_key_and_limit_of_the_rules_stands_on_the_page_on_linking() -> None:
    page, rules = linking_page(), load()
    weights = sum(len(levels) for levels in rules.weights.values())
    # The example repeats some levels; so count in the table of levels only.
    levels = page.partition("| field | level | bits")[2].partition("\n\n")[0]
    assert levels.count("\n") - 1 == weights
    assert page.partition("| sign | bits |")[2].partition("\n\n")[0].count("\n") - 1 == len(get_args(HouseholdSign))
    assert page.partition("| key |")[2].partition("\n\n")[0].count("\n") - 1 == len(get_args(KeyKind))
    for name, value in rules.limits:
        assert f"| `{name}` | {value:g} |" in page


def test_a_changed_weight_changes_the_page_on_linking() -> None:
    rules = load()
    limits = rules.limits.model_copy(update={"automatic": rules.limits.automatic + 5})
    assert describe.page(rules.model_copy(update={"limits": limits}), {}) != describe.page(rules, {})


def test_every_scored_version_is_a_rule_set_and_every_row_says_what_was_measured() -> None:
    for version, rows in json.loads(SCORES.read_text(encoding="utf-8")).items():
        assert load(version).version == version
        for row in rows:
            assert row.keys() == {"data", "seed", "persons", "what", "value", "aim", "best_peer"}
            assert re.fullmatch(r"[01]?\.\d+|[\d,.]+ .+", row["value"])


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), encoding="utf-8")
    CASEWORK.write_text(casework.page(terms()), encoding="utf-8")
    LINKING.write_text(linking_page(), encoding="utf-8")
