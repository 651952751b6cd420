"""What of a message is kept apart and sealed: citizen service numbers, and who reported. Pure, there and back.

A number leaves the message as its status, its last three digits and, when it is valid, the keyed hash to find it by;
so the linking of persons reads the same of it. Codes that are nobody's number (000000000, 999999999) stay.
What was taken out is named under `inKluis`, so that a reader knows that something was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from core.identity import Bsn
from core.sealing import DataKey
from core.secrets import bsn_key

IN_VAULT = "inKluis"
REPORTER = "391"
"""The code of the role melder (standards.md 1.5): such a person is the reporter, not one of the family."""
_WHO_CALLED = "contactgegevensVerdiepingOpInfo"
_SHORTEST = 4
"""A piece of the reporter's contact data of fewer characters says nothing by itself."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A message in two: `content` and `persons` as they are stored, and what is sealed beside them.

    `identity`: who reported. `numbers`: of people who were informed. `secrets`: per person, mostly his number.
    """

    content: dict[str, Any]
    persons: list[dict[str, Any]]
    identity: dict[str, Any]
    numbers: dict[str, str]
    secrets: list[dict[str, Any]]


def part(content: Mapping[str, Any], persons: Sequence[Mapping[str, Any]]) -> Parted:
    """Take out of a message (JSON with its Dutch names, without and with its persons) what is to be sealed."""
    rest, identity, numbers = _content(dict(content))
    parted = [part_person(person) for person in persons]
    return Parted(rest, [one for one, _ in parted], identity, numbers, [secret for _, secret in parted])


def part_person(person: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A person as stored, and what is sealed of him: his number and those of his relations, or the whole reporter."""
    if IN_VAULT in person or "bsnStatus" in person:
        return dict(person), {}
    if str((person.get("rol") or {}).get("code") or "") == REPORTER:
        return {"rol": person["rol"], IN_VAULT: ["persoon"]}, {"persoon": dict(person)}
    rest, secret = _number(person)
    relations, numbers = _nested(person.get("relaties"))
    if numbers:
        rest, secret = rest | {"relaties": relations}, secret | {"relaties": numbers}
    return rest, secret


def whole_person(person: Mapping[str, Any], secret: Mapping[str, Any]) -> dict[str, Any]:
    """The person as sent, from what is stored and what was sealed."""
    if "persoon" in secret:
        return dict(secret["persoon"])
    whole = {name: value for name, value in person.items() if name not in TRACES}
    if "bsn" in secret:
        whole["bsn"] = secret["bsn"]
    if numbers := secret.get("relaties"):
        whole["relaties"] = _filled(person.get("relaties"), numbers)
    return whole


def whole_informings(content: Mapping[str, Any], numbers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Who was informed, as sent, from the message as stored and the numbers that were sealed."""
    return _filled((content.get("melding") or {}).get("informeringen"), numbers)


def look_up(person: Mapping[str, Any]) -> bytes | None:
    """What a person as stored can be found by: the keyed hash of his valid number."""
    return bytes.fromhex(person["bsnSleutel"]) if "bsnSleutel" in person else None


def _content(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """The message without who reported it, who that is, and the numbers of those who were informed."""
    if IN_VAULT in content:
        return content, {}, {}
    identity: dict[str, Any] = {}
    numbers: dict[str, str] = {}
    report = dict(content.get("melding") or {})
    if "contact" in report:
        identity["contact"] = report.pop("contact")
    if report.get("informeringen"):
        report["informeringen"], numbers = _nested(report["informeringen"])
    if "melding" in content:
        content["melding"] = report
    envelope = content.get("bericht") or {}
    if "gebruiker" in (envelope.get("zender") or {}):
        sender = dict(envelope["zender"])
        identity["gebruiker"] = sender.pop("gebruiker")
        content["bericht"] = envelope | {"zender": sender}
    if unknown := content.get("onbekend"):
        words = tuple(one for one in texts(identity) if len(one) >= _SHORTEST)
        telling = [one for one in unknown if _tells(one, words)]
        if telling:
            identity["onbekend"] = telling
            content["onbekend"] = [one for one in unknown if one not in telling]
    if identity or numbers:
        content[IN_VAULT] = [*identity, *(["informeringen"] if numbers else [])]
    return content, identity, numbers


def _tells(unknown: Mapping[str, Any], words: Sequence[str]) -> bool:
    """Whether something that the standard does not name stands with the contact data, or repeats them."""
    return _WHO_CALLED in str(unknown.get("pad")) or any(word in str(unknown.get("xml")) for word in words)


TRACES = ("bsnStatus", "bsnEinde", "bsnSleutel")


def _number(holder: Mapping[str, Any], *, keyed: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """Somebody without his number, and the number. One that fails the 11-test may be a slip in a real one."""
    read = Bsn.parse(holder.get("bsn"))
    if read.status not in ("valid", "invalid"):
        return dict(holder), {}
    rest = {name: value for name, value in holder.items() if name != "bsn"} | {"bsnStatus": read.status}
    if read.value:
        rest["bsnEinde"] = read.value[-3:]
        if keyed:
            rest["bsnSleutel"] = bsn_key(read.value)
    return rest, {"bsn": holder["bsn"]}


def _nested(items: Sequence[Mapping[str, Any]] | None) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Relations or informings without the numbers of the people in them, and the numbers by position."""
    rest, numbers = [], {}
    for place, item in enumerate(items or ()):
        kept = dict(item)
        if isinstance(item.get("persoon"), Mapping):
            kept["persoon"], secret = _number(item["persoon"], keyed=False)
            if secret:
                numbers[str(place)] = secret["bsn"]
        rest.append(kept)
    return rest, numbers


def _filled(items: Sequence[Mapping[str, Any]] | None, numbers: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for place, item in enumerate(items or ()):
        whole = dict(item)
        if number := numbers.get(str(place)):
            person = {name: value for name, value in item["persoon"].items() if name not in TRACES}
            whole["persoon"] = person | {"bsn": number}
        found.append(whole)
    return found


def texts(value: Any) -> Iterator[str]:
    """Every text inside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from texts(inner)


# ── where it is kept ────────────────────────────────────────────────────────────────────────────────────────


def raw_place(message: UUID) -> str:
    """Where the bytes of a message are sealed for."""
    return f"message.raw:{message}"


def person_place(mention: UUID) -> str:
    """Where what is sealed of a person concerned stands."""
    return f"mention_secret.sealed:{mention}"


def identity_place(report: UUID) -> str:
    """Where who reported stands."""
    return f"reporter_secret.sealed:{report}"


def numbers_place(report: UUID) -> str:
    """Where the numbers of people who were informed stand."""
    return f"reporter_secret.numbers:{report}"


def sealed(key: DataKey, value: Mapping[str, Any], place: str) -> bytes | None:
    """A JSON value sealed for its place; None when there is nothing in it."""
    return key.seal(to_json(value), place) if value else None


def opened(key: DataKey, value: bytes | None, place: str) -> dict[str, Any]:
    """What `sealed` closed. Raises core.sealing.Unreadable."""
    return dict(json.loads(key.unseal(value, place))) if value else {}
