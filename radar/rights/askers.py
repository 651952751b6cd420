"""Who may make a request, by his age on the day of the request: the table askers.toml. Pure but for the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind
from radar.casework.ages import Age, age_on

FILE = Path(__file__).with_name("askers.toml")
KINDS: dict[str, str] = {
    "access": "Inzage of afschrift",
    "correction": "Correctie",
    "statement": "Eigen verklaring",
    "destruction": "Vernietiging",
    "objection": "Bezwaar of verzet",
    "restriction": "Beperking van het gebruik",
}
ASKERS: dict[str, str] = {
    "self": "De persoon zelf",
    "representative": "Een vertegenwoordiger (ouder met gezag, voogd, curator, gemachtigde)",
    "other": "Iemand anders",
}
Says = Literal["yes", "no", "if_capable", "if_incapable", "unless_opposed"]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Rule(_Data):
    """One row: these kinds, from an age up to (not including) another."""

    kinds: list[str]
    from_: Annotated[int, Field(alias="from", ge=0)]
    below: int = 999
    self_: Annotated[Says, Field(alias="self")]
    representative: Says
    text: str
    source: str
    verified: bool


class Askers(_Data):
    """The whole table."""

    version: str
    rule: list[Rule]

    @model_validator(mode="after")
    def _each_age_once(self) -> Self:
        for kind in KINDS:
            rows = sorted((one for one in self.rule if kind in one.kinds), key=lambda one: one.from_)
            edges = [0, *(one.below for one in rows)]
            if [one.from_ for one in rows] != edges[:-1] or edges[-1] != 999:
                raise ValueError(f"{kind}: each age needs exactly one row")
        return self


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether this asker may, in Dutch why, and the row that it rests on; `allowed` None: a person establishes the
    age.
    """

    allowed: bool | None
    why: str
    rule: Rule | None


table = Kind("askers", "table of askers", lambda: FILE, Askers.model_validate)
"""The table in force. Raises SettingsError."""


def rule_at(kind: str, age: int) -> Rule:
    """The row for this kind of request at this age."""
    return next(one for one in table().rule if kind in one.kinds and one.from_ <= age < one.below)


def who(person: Mapping[str, Any], kind: str, day: date) -> str:
    """In Dutch: who may ask this for this person, at his age on this day; or that a person must find out."""
    age = age_on(person, day)
    if age is None:
        return "De leeftijd is onbekend. Ga eerst na of deze persoon 12 of 16 jaar was op de dag van het verzoek."
    if _vague(kind, age):
        return f"Op de dag van het verzoek {age[0]} of {age[1]} jaar. Ga eerst de geboortedatum na."
    return rule_at(kind, age[1]).text


def judge(
    kind: str,
    asker: str,
    person: Mapping[str, Any],
    day: date,
    *,
    capable: bool = True,
    opposed: bool = False,
    age_said: int | None = None,
) -> Verdict:
    """Whether `asker` may make this request for this person on the day of the request.

    `age_said`: his age on that day as a person established it, used only where the date of birth leaves room for it.
    `capable`: he can judge his interests himself. `opposed`: the interest of the child opposes his representative.
    """
    if asker == "other":
        return Verdict(False, "Alleen de persoon zelf of zijn vertegenwoordiger kan dit vragen.", None)
    age = age_on(person, day)
    if age_said is not None and (age is None or age[0] <= age_said <= age[1]):
        age = (age_said, age_said)
    if age is None or _vague(kind, age):
        return Verdict(None, who(person, kind, day), None)
    rule = rule_at(kind, age[1])
    says = rule.self_ if asker == "self" else rule.representative
    allowed = {
        "yes": True,
        "no": False,
        "if_capable": capable,
        "if_incapable": not capable,
        "unless_opposed": not opposed,
    }[says]
    return Verdict(allowed, rule.text, rule)


def _vague(kind: str, age: Age) -> bool:
    """Whether the ages that are possible fall under different rows."""
    return rule_at(kind, age[0]) != rule_at(kind, age[1])
