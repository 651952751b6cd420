"""Code lists of the StUF edge: roles, reasons for an empty value, errors and warnings, all from `codes.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One refusal (standards.md 10.5): our code, the StUF code, the Dutch text, may sending again help."""

    code: str
    stuf: str
    text: str
    retry: bool


_DATA = tomllib.loads(Path(__file__).with_name("codes.toml").read_text("utf-8"))

ROLES: dict[str, str] = dict(_DATA["roles"])
NO_VALUE: tuple[str, ...] = tuple(_DATA["no_value"])
NIL_WITHOUT_REASON: str = _DATA["nil_without_reason"]
NO_VALUE_REASONS: tuple[str, ...] = (*NO_VALUE, NIL_WITHOUT_REASON)
ERRORS: dict[str, ErrorCode] = {code: ErrorCode(code, **row) for code, row in _DATA["errors"].items()}
WARNINGS: dict[str, str] = dict(_DATA["warnings"])

_ROLE_TEXTS = {code: text for text, code in ROLES.items()}


def role_code(text: str) -> str | None:
    """The code of a `jeugzorgrol` text (standards.md 1.5), or None when it is not on the list."""
    return ROLES.get(text.strip().lower())


def role_text(code: str) -> str | None:
    """The text that belongs to a role code, or None."""
    return _ROLE_TEXTS.get(code)
