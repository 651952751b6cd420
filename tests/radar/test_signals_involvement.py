"""Earlier involvement as CBS counts it: the truth table, on time lines of plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from core.ids import uuid7
from radar.signals.involvement import KINDS, Involvement, InvolvementKind, classify
from radar.signals.rules import RuleSet, load
from radar.signals.timeline import Case, Decided, Person, Report, Sighting, Step, Timeline, Watch

HOME = UUID(int=1)
RECEIVED = datetime(2026, 3, 4, 11, tzinfo=UTC)
ANNE, BRAM, CEM = (Person(UUID(int=number)) for number in (11, 12, 13))


def ago(days: float) -> datetime:
    return RECEIVED - timedelta(days=days)


def count(
    *people: Person,
    earlier: tuple[Report, ...] = (),
    cases: tuple[Case, ...] = (),
    seen: dict[Person, tuple[Sighting, ...]] | None = None,
    rules: RuleSet | None = None,
) -> Involvement:
    """The earlier involvement of a report on these people."""
    own = Case(uuid7(), None)
    report = Report(uuid7(), own.id, RECEIVED, "politie", people=people)
    sightings = {person.id: found for person, found in (seen or {}).items() if person.id}
    line = Timeline(HOME, (*earlier, report), {case.id: case for case in (*cases, own)}, sightings)
    return classify(line, report, rules or load())


def steps(*states: tuple[str, float]) -> tuple[Step, ...]:
    """Since how many days ago a report was in each state."""
    return tuple(Step(ago(days), state) for state, days in states)


RECEIVED_30_AGO: tuple[tuple[str, float], ...] = (("received", 30), ("assessing", 29.9))


def sighting(days: float, closed: float | None, **more: Any) -> Sighting:
    """Seen so many days ago, in a case that was closed so many days ago."""
    return Sighting(uuid7(), ago(days), ago(closed) if closed is not None else None, **more)


@pytest.mark.parametrize(
    ("seen", "kind", "known"),
    [
        ({}, "first", 0),
        ({ANNE: (90, 60)}, "repeat_one", 1),
        ({ANNE: (90, 60), BRAM: (90, 60)}, "repeat_several", 2),
        ({ANNE: (90, 60), BRAM: (20, None)}, "repeat_one", 2),
        ({ANNE: (20, None)}, "unclassified", 1),  # known from a case of another household that still runs
        ({ANNE: (90, 0)}, "repeat_one", 1),  # closed at that very moment
        ({ANNE: (90, -1)}, "unclassified", 1),  # closed a day later
        ({ANNE: (-1, None)}, "first", 0),  # a later report is no history
        ({CEM: (90, 60)}, "first", 0),  # somebody who is not in this report
    ],
)
def test_known_persons_without_a_running_case(
    seen: dict[Person, tuple[float, float | None]], kind: str, known: int
) -> None:
    found = count(ANNE, BRAM, seen={person: (sighting(*days),) for person, days in seen.items()})
    assert (found.kind, found.known_persons) == (kind, known)


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ((), "follow_during_assessment"),
        ((("signing", 25),), "follow_during_assessment"),
        ((("conditions", 20),), "follow_after_assessment"),
        ((("handover", 20),), "follow_after_assessment"),
        ((("investigation", 20), ("monitoring", 10)), "follow_during_monitoring"),
        ((("investigation", 20), ("monitoring", 0)), "follow_during_monitoring"),  # from that very moment on
        ((("investigation", 20), ("monitoring", -1)), "follow_after_assessment"),  # a day later
        ((("investigation", 20), ("monitoring", 10), ("conditions", 5)), "follow_after_assessment"),
        ((("handover", 20), ("monitoring", 10), ("assessing", 5)), "follow_during_assessment"),  # revised
        ((("joined", 20),), "follow_after_assessment"),
    ],
)
@pytest.mark.parametrize("holder", ["veilig_thuis", "reporter", "partner"])
def test_how_far_the_case_was_follows_from_its_states_whoever_watches(
    states: tuple[tuple[str, float], ...], holder: str, kind: str
) -> None:
    case = Case(uuid7(), None, (Watch(holder, ago(30), None),))
    first = Report(uuid7(), case.id, ago(30), "zorg", assessed_at=ago(-3), steps=steps(*RECEIVED_30_AGO, *states))
    known = {ANNE: (Sighting(first.id, first.received_at, None),)}
    assert count(ANNE, earlier=(first,), cases=(case,), seen=known) == Involvement(kind, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("others", "kind"),
    [
        (("monitoring", "conditions"), "follow_during_monitoring"),
        (("monitoring", "closed"), "follow_during_monitoring"),
        (("monitoring", "assessing"), "follow_during_assessment"),
        (("conditions", "closed"), "follow_after_assessment"),
    ],
)
def test_one_report_before_its_decision_outweighs_one_in_monitoring(others: tuple[str, ...], kind: str) -> None:
    case = Case(uuid7(), None)
    earlier = tuple(
        Report(uuid7(), case.id, ago(30 - number), "zorg", steps=steps(*RECEIVED_30_AGO, (state, 10)))
        for number, state in enumerate(others)
    )
    assert count(ANNE, earlier=earlier, cases=(case,)).kind == kind


def test_the_states_of_another_case_say_nothing() -> None:
    running, other = Case(uuid7(), None), Case(uuid7(), ago(1))
    monitored = Report(uuid7(), other.id, ago(30), "zorg", steps=steps(*RECEIVED_30_AGO, ("monitoring", 10)))
    decided = Report(uuid7(), running.id, ago(20), "zorg", steps=steps(*RECEIVED_30_AGO, ("conditions", 10)))
    assert count(ANNE, earlier=(monitored, decided), cases=(running, other)).kind == "follow_after_assessment"


def test_a_report_that_was_brought_over_has_no_state_of_before_its_first_move_here() -> None:
    brought = Report(uuid7(), None, ago(30), "zorg", steps=steps(("handover", 30), ("conditions", 5)))
    assert [brought.state_at(ago(days)) for days in (31, 30, 6, 5, 0)] == [None, None, None, *["conditions"] * 2]
    here = Report(uuid7(), None, ago(30), "zorg", steps=steps(("received", 30), ("assessing", 5)))
    assert [here.state_at(ago(days)) for days in (31, 30, 6, 5, 0)] == [
        None,
        "received",
        "received",
        *["assessing"] * 2,
    ]


# Of reports that an earlier version received no states were kept: then it is the assessment and the watch that tell.


@pytest.mark.parametrize(
    ("assessed", "holder", "kind"),
    [
        (None, "veilig_thuis", "follow_during_assessment"),
        (-1, "veilig_thuis", "follow_during_assessment"),
        (0, "veilig_thuis", "follow_after_assessment"),
        (10, "veilig_thuis", "follow_after_assessment"),
        (10, "reporter", "follow_after_assessment"),
        (10, "partner", "follow_during_monitoring"),
        (None, "partner", "follow_during_assessment"),
    ],
)
@pytest.mark.parametrize("people", [(), (ANNE,), (ANNE, BRAM)])
@pytest.mark.parametrize("brought_over", [(), (("handover", 30.0),)])
def test_a_report_that_joins_a_running_case_without_states(
    assessed: float | None,
    holder: str,
    kind: str,
    people: tuple[Person, ...],
    brought_over: tuple[tuple[str, float], ...],
) -> None:
    case = Case(uuid7(), None, (Watch("veilig_thuis", ago(30), ago(5)), Watch(holder, ago(5), None)))
    met = ago(assessed) if assessed is not None else None
    first = Report(uuid7(), case.id, ago(30), "zorg", assessed_at=met, steps=steps(*brought_over))
    known = {person: (Sighting(first.id, first.received_at, None),) for person in people}
    found = count(*people, earlier=(first,), cases=(case,), seen=known)
    assert (found.kind, found.known_persons) == (kind, len(people))


def test_the_watch_is_that_of_the_moment_of_receipt() -> None:
    case = Case(uuid7(), None, (Watch("partner", ago(30), RECEIVED), Watch("veilig_thuis", RECEIVED, None)))
    first = Report(uuid7(), case.id, ago(30), "zorg", assessed_at=ago(20))
    assert count(ANNE, earlier=(first,), cases=(case,)).kind == "follow_after_assessment"


def test_one_assessment_that_still_runs_in_the_case_makes_it_during_assessment() -> None:
    case = Case(uuid7(), None)
    done = Report(uuid7(), case.id, ago(30), "zorg", assessed_at=ago(20))
    waits = Report(uuid7(), case.id, ago(3), "zorg")
    assert count(ANNE, earlier=(done, waits), cases=(case,)).kind == "follow_during_assessment"


def test_a_running_case_goes_before_a_closed_one_and_after_closing_it_is_a_repeat() -> None:
    closed, running = Case(uuid7(), ago(100)), Case(uuid7(), None)
    first = Report(uuid7(), closed.id, ago(200), "zorg", assessed_at=ago(190))
    second = Report(uuid7(), running.id, ago(30), "zorg", assessed_at=ago(20))
    seen = {ANNE: (Sighting(first.id, first.received_at, ago(100)),)}
    assert count(ANNE, earlier=(first, second), cases=(closed, running), seen=seen).kind == "follow_after_assessment"
    assert count(ANNE, earlier=(first,), cases=(closed,), seen=seen).kind == "repeat_one"


def test_a_known_household_with_nobody_known_is_a_first_report() -> None:
    closed = Case(uuid7(), ago(100))
    first = Report(uuid7(), closed.id, ago(200), "zorg", assessed_at=ago(190))
    assert count(ANNE, earlier=(first,), cases=(closed,)).kind == "first"


def test_a_report_in_which_nobody_of_the_family_is_linked_cannot_be_classified() -> None:
    assert count().kind == "unclassified"
    assert count(Person(None), seen={ANNE: (sighting(90, 60),)}) == Involvement("unclassified", 0)


@pytest.mark.parametrize(("said", "kind"), [(60, "first"), (-1, "repeat_one")])
def test_a_report_found_to_be_no_domestic_violence_makes_nobody_known(said: float, kind: str) -> None:
    one = sighting(90, 60, decided=Decided("not_hgkm", ago(said)))
    assert count(ANNE, seen={ANNE: (one,)}).kind == kind


@pytest.mark.parametrize(("received", "kind"), [("2023-03-04", "repeat_one"), ("2023-03-03", "first")])
def test_how_long_somebody_stays_known_is_a_parameter(received: str, kind: str) -> None:
    basis = load()
    three_years = basis.model_copy(
        update={"involvement": basis.involvement.model_copy(update={"known_for_months": 36})}
    )
    at = datetime.fromisoformat(f"{received}T11:00+00:00")
    seen = {ANNE: (Sighting(uuid7(), at, at + timedelta(days=30)),)}
    assert count(ANNE, seen=seen, rules=three_years).kind == kind
    assert count(ANNE, seen=seen).kind == "repeat_one"


def test_each_value_has_its_words() -> None:
    assert set(KINDS) == set(get_args(InvolvementKind))
    assert len(set(KINDS.values())) == 7
