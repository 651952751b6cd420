"""The terms of the work as data (terms.toml): how long, in which readings, by which source. Pure but for the file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core import deadlines
from core.deadlines import Term, end_of_day, local_day
from core.documents import Kind, Table
from core.settings import settings
from intake.terms import calendar

Unit = Literal["working_days", "days", "weeks", "months", "years"]
FILE = Path(__file__).with_name("terms.toml")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Length(_Data):
    """So many working days, days, weeks, months or years."""

    unit: Unit
    amount: Annotated[int, Field(ge=1, le=3660)]


class TermKind(_Data):
    """One kind of term. `share` is the field's norm in percent; `remind_days` calendar days before the due date.

    `extensions`: how many times it may be lengthened, None is each time anew.
    """

    title: str
    norm: Length
    legal: Length
    source: str
    verified: bool
    extension_weeks: int = 0
    extensions: int | None = None
    share: int | None = None
    remind_days: int = 1


class _Monitoring(_Data):
    months: Annotated[list[Annotated[int, Field(ge=1, le=120)]], Field(min_length=1)]


class _Forwarding(_Data):
    days: Annotated[int, Field(ge=1, le=730)]


class _Recheck(_Data):
    days: Annotated[int, Field(ge=1, le=90)]


class _SmallSteps(_Data):
    working_days: Annotated[int, Field(ge=1, le=20)]


class Terms(_Data):
    """The whole file."""

    version: str
    terms: dict[str, TermKind]
    monitoring: _Monitoring
    forwarding: _Forwarding
    recheck: _Recheck
    small_steps: _SmallSteps


@dataclass(frozen=True, slots=True)
class Readings:
    """Both readings of one term; the norm leads, except where the law is the norm."""

    norm: Term
    legal: Term

    @property
    def due_at(self) -> datetime:
        return self.norm.due_at


def _checked(table: Table) -> Terms:
    found = Terms.model_validate(table)
    known = tomllib.loads(FILE.read_text(encoding="utf-8"))["terms"]
    if odd := sorted(found.terms.keys() ^ known.keys()):
        raise ValueError(f"terms missing or unknown: {', '.join(odd)}")
    return found


terms = Kind("terms", "file of terms", lambda: settings().terms or FILE, _checked)
"""The terms in force. Raises SettingsError when the operator's file is wrong."""


def kind(code: str) -> TermKind:
    """One kind of term by its code."""
    return terms().terms[code]


def count(start: date, length: Length) -> Term:
    """So long after `start` by the calendar in force: working days, or ATW art. 1, 2 and 4."""
    days = calendar()
    match length.unit:
        case "working_days":
            return deadlines.working_days_term(start, length.amount, days, settings().day_zero_rule)
        case "days":
            return deadlines.calendar_days_term(start, length.amount, days)
        case "weeks":
            return deadlines.weeks_term(start, length.amount, days)
        case "months":
            return deadlines.months_term(start, length.amount, days)
        case "years":
            return deadlines.years_term(start, length.amount, days)


def readings(code: str, start: date, extensions: tuple[int, ...] = (), length: Length | None = None) -> Readings:
    """Both readings of a term from `start`, with its extensions in weeks, in order. `length` replaces both."""
    chosen = kind(code)
    norm, legal = (count(start, length or one) for one in (chosen.norm, chosen.legal))
    return lengthened(Readings(norm, legal), extensions)


def lengthened(begun: Readings, extensions: tuple[int, ...]) -> Readings:
    """Both readings with these extensions in weeks, in order; each runs from the date that stood before it."""
    return Readings(_extended(begun.norm, extensions), _extended(begun.legal, extensions))


def soon(at: datetime) -> datetime:
    """When a small step should be done: the end of the next working day, or as terms.toml says."""
    return count(local_day(at), Length(unit="working_days", amount=terms().small_steps.working_days)).due_at


def remind_at(code: str, due_at: datetime) -> datetime:
    """The moment of the reminder: so many days before."""
    return due_at - timedelta(days=kind(code).remind_days)


def _extended(term: Term, extensions: tuple[int, ...]) -> Term:
    """Each extension runs from the date that stood, under the ATW; the steps of all are kept in order."""
    for weeks in extensions:
        term = deadlines.extended(term, weeks, calendar())
    return term


__all__ = [
    "Length",
    "Readings",
    "TermKind",
    "Terms",
    "count",
    "end_of_day",
    "kind",
    "lengthened",
    "readings",
    "remind_at",
    "soon",
    "terms",
]
