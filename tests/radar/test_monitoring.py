"""Monitoring: moments that are planned and fall away with the state, talks that close nothing, follow-on reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.settings import settings
from radar import signals
from radar.casework import ledger, monitoring, service, steps, terms
from radar.casework.monitoring import Share
from tests.radar import desk
from tests.radar.arrivals import (
    ANNE,
    DAY,
    JAN,
    MIA,
    REGION,
    arrive,
    breaches,
    found_region,
    holder,
    one,
    open_tasks,
    state,
    who,
)

DECIDED = DAY + timedelta(days=2)
BEGUN = DECIDED + timedelta(days=30)
"""4 April 2026."""
BRAM = {"by": "bram", "role": "assessor"}
Monitored = Callable[..., UUID]


@pytest.fixture(autouse=True)
def region(db: Db) -> UUID:
    return found_region(db)


@pytest.fixture
def monitored(db: Db) -> Monitored:
    """A report on these people that went through conditions into monitoring."""

    def bring(*persons: dict[str, Any], since: datetime = BEGUN) -> UUID:
        report = arrive(db, *(persons or (JAN,)))
        desk.assess(db, report, "conditions", at=DECIDED)
        into_monitoring(db, report, since)
        return report

    return bring


def into_monitoring(db: Db, report: UUID, at: datetime) -> None:
    """End what runs, before it was complete, and monitor from then on."""
    running = one(db, "SELECT id FROM service WHERE report_id = %s AND ended_at IS NULL", report)["id"]
    with db.transaction():
        service.end(db, running, outcome="ended_early", summary="Overgenomen.", next_move="monitor", at=at, **BRAM)


def take_on(db: Db, report: UUID, kind: str, at: datetime) -> None:
    with db.transaction():
        service.take_on(db, report, kind, reason="Omdat.", at=at, **BRAM)


def move(db: Db, report: UUID, name: str, at: datetime) -> str:
    with db.transaction():
        return steps.take(db, report, name, reason="Omdat.", at=at, **BRAM)


def moments(db: Db, report: UUID) -> list[dict[str, Any]]:
    return [dict(row) for row in monitoring.moments(db, REGION, report)]


def involvement(db: Db, report: UUID) -> str:
    return str(one(db, "SELECT kind FROM involvement WHERE report_id = %s", report)["kind"])


def hold(db: Db, moment: UUID, violence: str = "stopped", **changes: Any) -> None:
    at = changes.pop("at", BEGUN + timedelta(days=90))
    values = {"spoke_with": "Moeder", "note": "Het gaat beter.", "held_at": at} | BRAM | changes
    with db.transaction():
        monitoring.hold(db, moment, violence=violence, at=at, **values)


# ── planned ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_entering_monitoring_plans_the_moments_of_the_terms_each_with_its_term(db: Db, monitored: Monitored) -> None:
    report = monitored()
    planned = moments(db, report)
    assert [(one["number"], one["months"], one["planned_on"]) for one in planned] == [
        (1, 3, date(2026, 7, 6)),  # 4 July 2026 is a Saturday; the term ends on Monday (ATW art. 1)
        (2, 12, date(2027, 4, 4)),
        (3, 18, date(2027, 10, 4)),
    ]
    for one_moment in planned:
        term = ledger.find(db, REGION, "monitoring", one_moment["id"])
        assert term is not None
        assert (term["norm_due_on"], term["report_id"]) == (one_moment["planned_on"], report)
        assert (term["met_at"], term["dropped_at"]) == (None, None)
    assert "monitor" not in open_tasks(db, report), "its time has not come"
    assert breaches(db) == set()


def test_beginning_twice_plans_once(db: Db, monitored: Monitored) -> None:
    report = monitored()
    before = moments(db, report)
    assert monitoring.begin(db, report, "bram", BEGUN) == []
    assert monitoring.begin(db, report, "bram", BEGUN + timedelta(days=5)) == []
    hold(db, before[0]["id"])
    assert monitoring.begin(db, report, "bram", BEGUN + timedelta(days=95)) == []
    assert len(moments(db, report)) == 3
    with pytest.raises(NotFound):
        monitoring.begin(db, uuid7(), "bram", BEGUN)


def test_which_moments_there_are_is_a_setting(
    db: Db, monitored: Monitored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "terms.toml"
    other.write_text(terms.FILE.read_text("utf-8").replace("months = [3, 12, 18]", "months = [6]"), "utf-8")
    monkeypatch.setenv("VEILIG_TERMS", str(other))
    settings.cache_clear()
    terms.terms.cache_clear()
    try:
        assert [one["months"] for one in moments(db, monitored())] == [6]
    finally:
        terms.terms.cache_clear()


# ── reminded ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_clock_opens_the_task_of_a_moment_when_its_time_comes_and_once(db: Db, monitored: Monitored) -> None:
    report = monitored()
    first = moments(db, report)[0]
    due_at = ledger.find(db, REGION, "monitoring", first["id"])["due_at"]  # type: ignore[index]
    remind_at = terms.remind_at("monitoring", due_at)
    assert monitoring.remind(db, remind_at - timedelta(seconds=1)) == 0
    assert monitoring.remind(db, remind_at) == 1
    assert monitoring.remind(db, remind_at) == 0
    task = one(db, "SELECT * FROM task WHERE kind = 'monitor' AND done_at IS NULL")
    assert (task["subject_id"], task["report_id"], task["due_at"]) == (first["id"], report, due_at)
    assert breaches(db) == set()


def test_an_overdue_moment_ends_nothing(db: Db, monitored: Monitored) -> None:
    report = monitored()
    years_later = BEGUN + timedelta(days=1500)
    assert monitoring.remind(db, years_later) == 3
    assert state(db, report) == "monitoring"
    assert holder(db, report) == "veilig_thuis"
    assert all(one["held_at"] is None and one["dropped_at"] is None for one in moments(db, report))


# ── held ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_talk_meets_its_term_at_the_moment_of_the_talk_and_closes_its_task(db: Db, monitored: Monitored) -> None:
    report = monitored()
    first = moments(db, report)[0]
    monitoring.remind(db, BEGUN + timedelta(days=85))
    talk, noted = BEGUN + timedelta(days=88), BEGUN + timedelta(days=100)
    hold(db, first["id"], "less", held_at=talk, at=noted)
    held = moments(db, report)[0]
    assert (held["held_at"], held["noted_at"], held["held_by"]) == (talk, noted, "bram")
    assert (held["violence"], held["spoke_with"], held["note"]) == ("less", "Moeder", "Het gaat beter.")
    assert held["met_at"] == talk
    done = one(db, "SELECT outcome, done_by FROM task WHERE kind = 'monitor' AND subject_id = %s", first["id"])
    assert done == {"outcome": "less", "done_by": "bram"}
    assert "monitor" not in open_tasks(db, report), "less violence, and two moments to come"
    assert breaches(db) == set()


@pytest.mark.parametrize("violence", ["same", "more"])
def test_violence_that_goes_on_asks_a_person_what_is_to_be_done(db: Db, monitored: Monitored, violence: str) -> None:
    report = monitored()
    hold(db, moments(db, report)[0]["id"], violence)
    assert state(db, report) == "monitoring"
    task = one(db, "SELECT * FROM task WHERE kind = 'monitor' AND done_at IS NULL")
    assert (task["subject_id"], task["risk"]) == (report, 1), "never below raised"
    assert monitoring.asked(db, REGION, report) is not None
    with db.transaction():
        monitoring.keep_on(db, report, risk=1, reason="De hulp begint morgen.", at=BEGUN + timedelta(days=91), **BRAM)
    assert monitoring.asked(db, REGION, report) is None
    look = one(db, "SELECT risk, reason FROM risk_look ORDER BY at DESC LIMIT 1")
    assert look == {"risk": 1, "reason": "De hulp begint morgen."}
    assert breaches(db) == set()


@pytest.mark.parametrize("violence", ["stopped", "less", "same", "more"])
def test_the_last_moment_closes_nothing_whatever_is_heard(db: Db, monitored: Monitored, violence: str) -> None:
    report = monitored()
    for number, planned in enumerate(moments(db, report)):
        hold(db, planned["id"], violence, at=BEGUN + timedelta(days=200 * number + 90))
    assert state(db, report) == "monitoring"
    assert holder(db, report) == "veilig_thuis"
    assert one(db, "SELECT closed_at FROM cases")["closed_at"] is None
    assert open_tasks(db, report).count("monitor") == 1, "a person decides; it is not forgotten"
    with pytest.raises(Conflict, match="geen contactmoment meer gepland"):
        monitoring.keep_on(db, report, risk=0, reason="Verder.", at=BEGUN + timedelta(days=600), **BRAM)
    assert move(db, report, "close", BEGUN + timedelta(days=600)) == "closed"
    assert one(db, "SELECT closed_at FROM cases")["closed_at"] is not None
    assert "monitor" not in open_tasks(db, report)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"violence": "gestopt"}, monitoring.UnknownViolence),
        ({"spoke_with": " "}, monitoring.WhoMissing),
        ({"note": " "}, monitoring.NoteMissing),
        ({"held_at": BEGUN + timedelta(days=90, seconds=1)}, monitoring.WrongMoment),
        ({"held_at": BEGUN - timedelta(seconds=1)}, monitoring.WrongMoment),
        ({"role": "intake_worker"}, NotAllowed),
        ({"role": "partner"}, NotAllowed),
    ],
)
def test_a_talk_that_is_not_complete_is_refused_and_changes_nothing(
    db: Db, monitored: Monitored, change: dict[str, Any], error: type[Exception]
) -> None:
    report = monitored()
    before = moments(db, report)
    with pytest.raises(error):
        hold(db, before[0]["id"], **change)
    assert moments(db, report) == before


def test_a_moment_is_held_once_and_never_after_monitoring(db: Db, monitored: Monitored) -> None:
    report = monitored()
    first, second, _ = moments(db, report)
    hold(db, first["id"])
    with pytest.raises(Conflict, match="al gehouden"):
        hold(db, first["id"])
    move(db, report, "close", BEGUN + timedelta(days=91))
    with pytest.raises(Conflict, match="niet in monitoring"):
        hold(db, second["id"], at=BEGUN + timedelta(days=92))
    with pytest.raises(NotFound):
        hold(db, uuid7())


# ── added, and ended ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_extra_moment_has_its_own_day_term_and_reason(db: Db, monitored: Monitored) -> None:
    report = monitored()
    hold(db, moments(db, report)[0]["id"], "more")
    at, day = BEGUN + timedelta(days=91), date(2026, 12, 1)
    with db.transaction():
        extra = monitoring.add_moment(db, report, planned_on=day, reason="Na de zitting.", at=at, **BRAM)
    found = next(one for one in moments(db, report) if one["id"] == extra)
    assert (found["number"], found["months"], found["planned_on"], found["reason"]) == (
        4,
        None,
        day,
        "Na de zitting.",
    )
    assert ledger.find(db, REGION, "monitoring", extra)["norm_due_on"] == day  # type: ignore[index]
    assert monitoring.asked(db, REGION, report) is None, "that is what is to be done"
    assert monitoring.shares(db, REGION, at)[12].n == 0, "an extra moment is of no age"
    assert breaches(db) == set()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"planned_on": BEGUN.date()}, monitoring.WrongDay),
        ({"planned_on": BEGUN.date() + timedelta(days=3651)}, monitoring.WrongDay),
        ({"reason": " "}, ReasonMissing),
        ({"role": "intake_worker"}, NotAllowed),
    ],
)
def test_an_extra_moment_that_is_not_right_is_refused(
    db: Db, monitored: Monitored, change: dict[str, Any], error: type[Exception]
) -> None:
    report = monitored()
    values = {"planned_on": date(2026, 6, 1), "reason": "Omdat.", "at": BEGUN} | BRAM | change
    with pytest.raises(error):
        monitoring.add_moment(db, report, **values)
    assert len(moments(db, report)) == 3


@pytest.mark.parametrize("name", ["close", "conditions", "investigation"])
def test_when_monitoring_ends_what_was_planned_falls_away_with_its_reason(
    db: Db, monitored: Monitored, name: str
) -> None:
    report = monitored()
    hold(db, moments(db, report)[0]["id"], "more")
    monitoring.remind(db, BEGUN + timedelta(days=360))
    ended = BEGUN + timedelta(days=361)
    if name == "close":
        move(db, report, name, ended)
    else:
        take_on(db, report, name, ended)
    held, *rest = moments(db, report)
    assert (held["violence"], held["dropped_at"], held["met_at"]) == ("more", None, BEGUN + timedelta(days=90))
    assert [(one["dropped_at"], one["dropped_why"], one["met_at"]) for one in rest] == [
        (ended, "monitoring beëindigd", None)
    ] * 2
    assert "monitor" not in open_tasks(db, report)
    assert monitoring.asked(db, REGION, report) is None


def test_monitoring_that_begins_again_counts_from_its_new_start(db: Db, monitored: Monitored) -> None:
    report = monitored()
    again = BEGUN + timedelta(days=100)
    take_on(db, report, "conditions", again)
    into_monitoring(db, report, again + timedelta(days=30))
    found = moments(db, report)
    assert sorted((one["number"], one["dropped_at"] is None) for one in found) == [
        *((number, False) for number in (1, 2, 3)),
        *((number, True) for number in (4, 5, 6)),
    ]
    assert [period["until"] for period in monitoring.periods(db, REGION, report)] == [again, None]


def test_the_database_keeps_a_moment_whole(db: Db, monitored: Monitored) -> None:
    moment = moments(db, monitored())[0]["id"]
    for change in ("violence = 'less'", "held_at = now()", "held_by = 'bram', note = 'x'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(f"UPDATE monitoring_moment SET {change} WHERE id = %s", (moment,))  # type: ignore[call-overload]


# ── a new report meanwhile ──────────────────────────────────────────────────────────────────────────────────────


def test_a_new_report_during_monitoring_is_a_follow_on_report_and_the_moments_stay(
    db: Db, monitored: Monitored
) -> None:
    report = monitored(JAN, ANNE)
    before = moments(db, report)
    new = arrive(db, JAN, ANNE, at=BEGUN + timedelta(days=40))
    kind = involvement(db, new)
    assert kind == "follow_during_monitoring", "though Veilig Thuis itself watches"
    assert holder(db, new) == "veilig_thuis"
    cases = {one(db, "SELECT case_id FROM report WHERE id = %s", x)["case_id"] for x in (report, new)}
    assert len(cases) == 1
    assert moments(db, report) == before
    assert [row["id"] for row in monitoring.follow_ons(db, REGION, report)] == [new]
    assert monitoring.follow_ons(db, REGION, new) == []
    assert (state(db, report), state(db, new)) == ("monitoring", "received")
    assert breaches(db) == set()


def test_what_came_before_and_after_monitoring_is_no_follow_on_of_it(db: Db, monitored: Monitored) -> None:
    report = monitored(JAN, ANNE)
    take_on(db, report, "conditions", BEGUN + timedelta(days=50))
    after = arrive(db, JAN, ANNE, at=BEGUN + timedelta(days=60))
    assert involvement(db, after) == "follow_after_assessment"
    next_one = arrive(db, JAN, ANNE, at=BEGUN + timedelta(days=61))
    assert involvement(db, next_one) == "follow_during_assessment"
    assert monitoring.follow_ons(db, REGION, report) == []


def test_how_far_the_case_was_is_asked_at_receipt_whatever_happens_later(db: Db, monitored: Monitored) -> None:
    report = monitored(JAN, ANNE)
    new = arrive(db, JAN, ANNE, at=BEGUN + timedelta(days=40))
    take_on(db, report, "conditions", BEGUN + timedelta(days=41))
    with db.transaction():
        assert signals.refresh(db, new, [], "bram", BEGUN + timedelta(days=50)) == []
    assert involvement(db, new) == "follow_during_monitoring"


# ── what it came to ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_share_in_which_it_stopped_after_a_year_and_a_year_and_a_half(db: Db, monitored: Monitored) -> None:
    families = [
        (who("Piet", "Anders", "19500101"), ("stopped", "stopped")),
        (who("Kees", "Elders", "19610202"), ("less", "same")),
        (who("Joop", "Nergens", "19720303"), ("more", None)),
        (who("Wim", "Overal", "19830404"), ("stopped", None)),
    ]
    for number, (person, heard) in enumerate(families):
        person["adressen"][0] |= {"huisnummer": str(100 + number), "postcode": f"{2000 + number}ZZ"}
        found = {one["months"]: one["id"] for one in moments(db, monitored(person))}
        for months, violence in zip((12, 18), heard, strict=True):
            if violence:
                hold(db, found[months], violence, at=BEGUN + timedelta(days=31 * months))
    at = BEGUN + timedelta(days=900)
    assert monitoring.shares(db, REGION, at) == {12: Share(12, 4, 2, 1, 0, 1), 18: Share(18, 2, 1, 0, 1, 0)}
    assert monitoring.shares(db, REGION, at)[12].stopped_share == 0.5
    assert monitoring.shares(db, REGION, BEGUN)[12] == Share(12, 0, 0, 0, 0, 0)
    assert monitoring.shares(db, REGION, BEGUN)[12].stopped_share is None
    assert monitoring.shares(db, UUID(int=99), at)[12].n == 0, "another region"


def test_a_case_with_two_monitored_reports_counts_once_with_its_newest_word(db: Db, monitored: Monitored) -> None:
    first, second = monitored(JAN, ANNE), monitored(JAN, ANNE, since=BEGUN + timedelta(days=10))
    for report, violence, days in ((first, "more", 370), (second, "stopped", 380)):
        found = {one["months"]: one["id"] for one in moments(db, report)}
        hold(db, found[12], violence, at=BEGUN + timedelta(days=days))
    assert monitoring.shares(db, REGION, BEGUN + timedelta(days=400))[12] == Share(12, 1, 1, 0, 0, 0)


def test_ended_by_no_clock(db: Db, monitored: Monitored) -> None:
    """Nothing of monitoring is done by anybody but a person."""
    report = monitored(MIA)
    monitoring.remind(db, datetime(2040, 1, 1, tzinfo=UTC))
    actors = {line["actor"] for line in steps.history(db, REGION, report)}
    assert actors == {"system", "ilse", "gwen", "bram"}
    assert next(line for line in steps.history(db, REGION, report) if line["actor"] == "system")["move"] == "receive"
