"""The radar rules as versioned data, checked when they are loaded, and their evaluation over a time line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import Field, PositiveInt, ValidationError, model_validator

from core.errors import SettingsError
from radar.signals.kinds import RuleKind, Strict
from radar.signals.timeline import Report, Timeline

FOLDER = Path(__file__).parent / "rules"
NEWEST = "2026-11-basis"


class InvalidSignalRules(SettingsError):
    """De radarregels kloppen niet."""


class InvolvementRules(Strict):
    """The parameters of earlier involvement (eerdere betrokkenheid, CBS 85361NED)."""

    source: str = Field(min_length=1)
    doubt: str = Field(min_length=1)
    monitoring_holders: tuple[str, ...] = Field(description="while they hold the safety watch, we monitor")
    known_for_months: PositiveInt | None = Field(description="how long somebody stays known; null: for ever")


class RuleSet(Strict):
    """One version of the radar rules."""

    version: str = Field(min_length=1)
    source: str = Field(min_length=1)
    doubt: str = Field(min_length=1)
    not_counted: tuple[str, ...] = Field(description="decisions that make a report none")
    rules: tuple[Annotated[RuleKind, Field(discriminator="kind")], ...] = Field(min_length=1)
    involvement: InvolvementRules

    @model_validator(mode="after")
    def _each_code_once(self) -> RuleSet:
        codes = [one.rule for one in self.rules]
        if len(codes) != len(set(codes)):
            raise ValueError("each rule has a code of its own")
        return self


@dataclass(frozen=True, slots=True)
class Firing:
    """A signal: a rule that fires on a report, dated by its receipt."""

    rule: str
    title: str
    report: UUID
    household: UUID
    case: UUID | None
    fired_on: date
    explanation: str
    evidence: tuple[UUID, ...]


def evaluate(line: Timeline, report: Report, rules: RuleSet) -> list[Firing]:
    """Every rule that fires on this report of the time line, in the order of the rule set."""
    seen = line.at_receipt(report, rules.not_counted)
    found = ((rule, rule.look(seen)) for rule in rules.rules)
    return [
        Firing(
            rule.rule,
            rule.title,
            report.id,
            line.household,
            report.case,
            report.day,
            finding.explanation,
            finding.evidence,
        )
        for rule, finding in found
        if finding
    ]


@lru_cache(maxsize=8)
def load(version: str | None = None) -> RuleSet:
    """One rule set from the data folder; without a version the newest. Raises InvalidSignalRules."""
    name = version or NEWEST
    try:
        rules = RuleSet.model_validate_json((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except OSError:
        raise InvalidSignalRules(f"De radarregels {name} bestaan niet.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidSignalRules(f"De radarregels {name} kloppen niet: {place}: {first['msg']}.") from None
    if rules.version != name:
        raise InvalidSignalRules(f"Het bestand {name} noemt een andere versie: {rules.version}.")
    return rules
