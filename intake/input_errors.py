"""Reading JSON at a door: every error at once, each with the JSON path of the field and a plain Dutch text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from core.errors import VeiligError

_TEXTS = {
    "missing": "Dit gegeven is verplicht.",
    "extra_forbidden": "Dit gegeven kennen wij niet.",
    "string_type": "Dit moet tekst zijn.",
    "bool_type": "Dit moet true of false zijn.",
    "tuple_type": "Dit moet een lijst zijn.",
    "dict_type": "Dit moet een object zijn.",
    "model_type": "Dit moet een object zijn.",
    "timezone_aware": "Geef bij het tijdstip de tijdzone op.",
}
Value = TypeVar("Value")
OUR_TYPES = ("invoer", "aantal", "reden", "datum")


@dataclass(frozen=True, slots=True)
class InputError:
    """One error: `path` as `$.betrokkenen[2].naam`, `text` without any of the sender's values."""

    path: str
    text: str


class InvalidMessage(VeiligError):
    """Het bericht voldoet niet aan de afspraken."""

    status = 400

    def __init__(self, errors: tuple[InputError, ...]) -> None:
        super().__init__()
        self.errors = errors


def read_json(raw: bytes, check: Callable[[Any], Value]) -> Value:
    """What the JSON in these bytes is by `check`, a model's `model_validate`.

    Raises InvalidMessage with every error at once. A repeated name would silently drop a value; it is refused.
    """
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        reason = InputError("$", "Dit is geen leesbare JSON in UTF-8, of een naam komt dubbel voor.")
        raise InvalidMessage((reason,)) from None
    try:
        return check(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        problems = tuple(InputError(path_of(one["loc"]), _text_of(one["type"], one["msg"])) for one in found)
        raise InvalidMessage(problems) from None


def path_of(location: tuple[int | str, ...]) -> str:
    """The JSON path of a pydantic location; names are cut at 60 characters."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in location)


def _text_of(kind: str, message: str) -> str:
    """The Dutch text for one kind of error; our own rules bring theirs along."""
    return message if kind in OUR_TYPES else _TEXTS.get(kind, "Deze waarde kan hier niet.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("repeated name")
    return result


def _no_constant(_name: str) -> NoReturn:
    """NaN and Infinity are not JSON."""
    raise ValueError("not JSON")
