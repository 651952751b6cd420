"""The kinds of radar rules: each takes its parameters from the rule file and looks at one report as it came in.

A kind gives a finding or nothing. The explanation is for people: plain Dutch, and never a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from core.calendar import long_date
from core.deadlines import local_day
from radar.signals.timeline import AtReceipt, Form, Person, Report, within


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a rule fires, in Dutch, and the reports that it rests on, oldest first."""

    explanation: str
    evidence: tuple[UUID, ...]


class Strict(BaseModel):
    """A piece of the rule file: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rule(Strict):
    rule: str = Field(pattern=r"^[a-z_]+$", description="the code that is stored")
    title: str = Field(min_length=1, description="what the screen calls it")
    source: str = Field(min_length=1)
    doubt: str = Field(min_length=1, description="what is our own choice")


class ReportsInWindow(_Rule):
    """So many reports within so many months, this one included."""

    kind: Literal["reports_in_window"]
    reports: int = Field(ge=2)
    months: PositiveInt
    last_day_counts: bool
    supplements: bool = Field(description="whether a supplement to a report of this household counts")

    def look(self, seen: AtReceipt) -> Finding | None:
        line = (*seen.earlier, seen.report)
        known = {one.id for one in line}
        own = [one for one in line if self.supplements or one.supplements not in known]
        if seen.report not in own:
            return None
        today, last = seen.report.day, self.last_day_counts
        recent = [one for one in own if within(one.day, today, self.months, last_day_counts=last)]
        if len(recent) < self.reports:
            return None
        text = f"Dit is melding {len(recent)} over dit huishouden in {self.months} maanden."
        return Finding(text, _ids(recent))


class NewReporter(_Rule):
    """A kind of reporter that did not report on this household before."""

    kind: Literal["new_reporter"]
    unclear: tuple[str, ...] = Field(description="kinds that are never new")
    names: dict[str, str]

    def look(self, seen: AtReceipt) -> Finding | None:
        kind, known = seen.report.reporter_kind, dict.fromkeys(one.reporter_kind for one in seen.earlier)
        if not known or kind in known or kind in self.unclear:
            return None
        before = _listed([self._name(one) for one in known])
        text = f"Voor het eerst komt een melding van {self._name(kind)}. Eerder kwamen meldingen alleen van {before}."
        return Finding(text, _ids((*seen.earlier, seen.report)))

    def _name(self, kind: str) -> str:
        return self.names.get(kind, "een ander soort melder")


class ClosedRecently(_Rule):
    """A report on a household of which a case was closed not long ago."""

    kind: Literal["closed_recently"]
    months: PositiveInt
    last_day_counts: bool

    def look(self, seen: AtReceipt) -> Finding | None:
        closed = [
            (ended, case)
            for case in {one.case for one in seen.earlier if one.case}
            if (ended := seen.cases[case].closed_at) and ended <= seen.report.received_at
        ]
        if not closed:
            return None
        ended, case = max(closed)
        day, today = local_day(ended), seen.report.day
        if not within(day, today, self.months, last_day_counts=self.last_day_counts):
            return None
        on = long_date(day)
        text = f"Een casus over dit huishouden is op {on} gesloten, korter dan {self.months} maanden geleden."
        return Finding(text, _ids((*(one for one in seen.earlier if one.case == case), seen.report)))


class Escalation(_Rule):
    """Something heavier than any earlier report held, or more of it at once."""

    kind: Literal["escalation"]
    grades: dict[str, PositiveInt] = Field(min_length=1, description="rule of intake.acute to its grade; 1 is light")
    heavier_from: PositiveInt = Field(description="from this grade on heavier is a signal")
    more_from: int = Field(ge=2, description="from so many forms at once on more is a signal")

    def look(self, seen: AtReceipt) -> Finding | None:
        if not seen.earlier:
            return None
        forms = self._forms(seen.report)
        top, most = self._top(forms), len(forms)
        before = max(seen.earlier, key=lambda one: (self._top(self._forms(one)), len(self._forms(one)), one.place))
        if top >= self.heavier_from and top > self._top(self._forms(before)):
            new = [form for form in forms if self.grades[form.rule] == top]
            text = f"Deze melding noemt iets zwaarders dan alle eerdere: {_forms_text(new)}."
        elif most >= self.more_from and most > max(len(self._forms(one)) for one in seen.earlier):
            new = forms
            text = f"Deze melding noemt {most} zware zaken tegelijk, meer dan alle eerdere: {_forms_text(new)}."
        else:
            return None
        if any(form.from_words for form in new):
            text += " Dit zijn woorden uit de tekst: lees of ze kloppen."
        return Finding(text, _ids((before, seen.report)))

    def _forms(self, report: Report) -> list[Form]:
        return [form for form in report.forms if form.rule in self.grades]

    def _top(self, forms: Sequence[Form]) -> int:
        return max((self.grades[form.rule] for form in forms), default=0)


class ChildBorn(_Rule):
    """A child that was not there yet at the household's earlier reports, or that is expected."""

    kind: Literal["child_born"]
    months_after_birth: PositiveInt = Field(description="how old a child may be that is named for the first time")
    months_expecting: PositiveInt = Field(description="for so long an expected child is known")
    unborn_words: tuple[str, ...] = Field(description="in place of a name, lower case")

    def look(self, seen: AtReceipt) -> Finding | None:
        if not seen.earlier:
            return None
        first, previous, report = seen.earlier[0], seen.earlier[-1], seen.report
        named = [person for one in seen.earlier for person in one.people if not self._is_expected(person)]
        if any(self._born_since(person, previous.day, report.day) for person in report.people):
            text = f"Er is een kind geboren na de melding van {long_date(previous.day)}."
            return Finding(text, _ids((previous, report)))
        if any(
            self._born_since(person, first.day, report.day)
            and self._is_young(person, report.day)
            and not _is_named(person, named)
            for person in report.people
        ):
            text = "Er is een kind geboren na een eerdere melding. Het wordt nu voor het eerst genoemd."
            return Finding(text, _ids((first, report)))
        told = any(
            self._is_expected(person) and within(one.day, report.day, self.months_expecting, last_day_counts=True)
            for one in seen.earlier
            for person in one.people
        )
        if not told and any(self._is_expected(person) for person in report.people):
            text = "Er is een kind op komst. In de meldingen hiervoor stond dat niet."
            return Finding(text, _ids((previous, report)))
        return None

    def _is_expected(self, person: Person) -> bool:
        return person.unborn or not person.words.isdisjoint(self.unborn_words)

    def _born_since(self, person: Person, day: date, today: date) -> bool:
        """Certainly after `day`, whatever is unknown; a date that lies ahead is a mistake and no birth."""
        born = person.born.earliest() if person.born else None
        return born is not None and day < born <= today

    def _is_young(self, person: Person, today: date) -> bool:
        born = person.born.earliest() if person.born else None
        return born is not None and within(born, today, self.months_after_birth, last_day_counts=True)


class KnownElsewhere(_Rule):
    """Somebody is known in another region: that it is so and where, never what."""

    kind: Literal["known_elsewhere"]

    def look(self, seen: AtReceipt) -> Finding | None:
        if not seen.report.elsewhere:
            return None
        text = f"Iemand in deze melding is ook bekend in een andere regio: {_listed(seen.report.elsewhere)}."
        return Finding(f"{text} Wat daar bekend is, staat hier niet.", (seen.report.id,))


RuleKind = ReportsInWindow | NewReporter | ClosedRecently | Escalation | ChildBorn | KnownElsewhere


def _is_named(person: Person, others: Iterable[Person]) -> bool:
    """The same person by link, or a child with the same date of birth: a baby has few other marks."""
    return any(
        (other.id is not None and other.id == person.id) or (other.born is not None and _same(other, person))
        for other in others
    )


def _same(one: Person, other: Person) -> bool:
    parts = [(person.born.year, person.born.month, person.born.day) for person in (one, other) if person.born]
    return len(parts) == 2 and parts[0] == parts[1]


def _ids(reports: Iterable[Report]) -> tuple[UUID, ...]:
    return tuple(one.id for one in reports)


def _forms_text(forms: Sequence[Form]) -> str:
    return "; ".join(form.text.rstrip(".") for form in forms)


def _listed(words: Sequence[str]) -> str:
    """'a', 'a en b' or 'a, b en c'."""
    return " en ".join(filter(None, (", ".join(words[:-1]), words[-1])))
