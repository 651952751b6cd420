"""Writing a table as TOML, for documents that are edited in a form; the standard library only reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDE = 100


def written(table: Mapping[str, Any], head: str = "") -> str:
    """The table as TOML that reads back as the same table. `head` goes before it: lines of comment.

    Texts, numbers, booleans, dates, lists, tables; anything else raises TypeError.
    """
    lines = [*head.splitlines(), *_table(table, ())]
    return "\n".join(lines).strip("\n") + "\n"


def head_of(text: str) -> str:
    """The lines of comment with which a document begins: what it is, and where it comes from."""
    lines = text.splitlines()
    return "\n".join(lines[: next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))])


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    inner = {name: value for name, value in table.items() if _is_table(value) or _is_tables(value)}
    for name, value in table.items():
        if name not in inner:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in inner.items():
        here = (*path, name)
        heading = ".".join(_key(part) for part in here)
        for one in [value] if _is_table(value) else value:
            yield ""
            yield f"[{heading}]" if _is_table(value) else f"[[{heading}]]"
            yield from _table(one, here)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return _is_list(value) and bool(value) and all(_is_table(one) for one in value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's too, but TOML wants this one escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if type(value) is date:
        return value.isoformat()
    if _is_table(value):
        return "{ " + ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items()) + " }"
    if _is_list(value):
        found = [_value(one) for one in value]
        short = "[" + ", ".join(found) + "]"
        return short if len(short) <= _WIDE else "[\n" + "".join(f"    {one},\n" for one in found) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")
