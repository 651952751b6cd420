"""The docs tell the truth where a machine can check it: the settings table is that of the code.

`.venv/bin/python tests/test_docs.py` writes the table again.
"""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from core.settings import PREFIX, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operations.md"
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


def test_the_settings_table_is_that_of_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with_table()


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), encoding="utf-8")
