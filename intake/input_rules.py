"""Rules on single values at the JSON door. They are silent for messages that we stored or parsed ourselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

MAX_TEXT_BYTES = 100_000
# Not allowed in XML 1.0, or not storable in PostgreSQL (NUL, lone surrogates).
ILLEGAL_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def at_the_door(info: ValidationInfo) -> bool:
    """True while input of a supplier is read; False for messages we stored or parsed ourselves."""
    return bool(info.context and info.context.get("door"))


def refuse(text: str) -> PydanticCustomError:
    """What a check raises, with this Dutch sentence for the sender."""
    return PydanticCustomError("invoer", "{tekst}", {"tekst": text})


def rule(check: Callable[[str], str | None]) -> AfterValidator:
    """A rule on one text: `check` gives the Dutch error, or None."""

    def apply(value: str, info: ValidationInfo) -> str:
        problem = check(value) if at_the_door(info) else None
        if problem:
            raise refuse(problem)
        return value

    return AfterValidator(apply)


def _characters(value: str) -> str | None:
    return "De tekst bevat een teken dat niet mag." if ILLEGAL_CHARACTERS.search(value) else None


def _long_text(value: str) -> str | None:
    too_long = len(value) > MAX_TEXT_BYTES or len(value.encode("utf-8", "replace")) > MAX_TEXT_BYTES
    return "De tekst is langer dan 100 kB." if too_long else _characters(value)


def at_most(length: int) -> AfterValidator:
    """At most `length` characters, all of them storable."""

    def check(value: str) -> str | None:
        return f"De tekst is langer dan {length} tekens." if len(value) > length else _characters(value)

    return rule(check)


def one_of(*allowed: str) -> AfterValidator:
    """One of these texts."""
    return rule(lambda value: None if value in allowed else "Kies een van: " + ", ".join(allowed) + ".")


def filled(maximum: int) -> AfterValidator:
    """Not blank, and at most `maximum` characters."""

    def check(value: str) -> str | None:
        if not value.strip() or len(value) > maximum:
            return f"Geef 1 tot {maximum} tekens op."
        return _characters(value)

    return rule(check)


def is_oin(value: str) -> str | None:
    """The error when this is no OIN."""
    # The number part of an OIN may hold letters (standards.md 2.2).
    return None if re.fullmatch(r"[0-9]{8}[0-9A-Za-z]{12}", value) else "Een OIN heeft 20 tekens."


def count(minimum: int, maximum: int) -> AfterValidator:
    """A list of `minimum` to `maximum` items."""

    def apply(value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        if at_the_door(info) and not minimum <= len(value) <= maximum:
            text = f"Geef {minimum} tot {maximum} onderdelen op."
            raise PydanticCustomError("aantal", "{tekst}", {"tekst": text})
        return value

    return AfterValidator(apply)


Text = Annotated[str, rule(_long_text)]
Short = Annotated[str, at_most(200)]
Tiny = Annotated[str, at_most(40)]
