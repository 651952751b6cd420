"""Each radar rule at its borders, on time lines of plain values: no database, no clock."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deadlines import AMSTERDAM, months_later
from core.identity import PartialDate
from core.ids import uuid7
from intake.acute import rules as acute_rules
from radar.casework.decision import PATHS
from radar.signals import rules as rule_file
from radar.signals.rules import Firing, InvalidSignalRules, evaluate, load
from radar.signals.timeline import Case, Decided, Form, Person, Report, Timeline, within

HOME, CASE = UUID(int=1), UUID(int=2)


def on(text: str) -> datetime:
    """A moment in the Netherlands: '2026-03-04' (at noon) or '2026-03-04T23:30'."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00").replace(tzinfo=AMSTERDAM).astimezone(UTC)


def report(day: str, kind: str = "politie", **more: Any) -> Report:
    return Report(uuid7(), more.pop("case", CASE), on(day), kind, **more)


def fired(*reports: Report, closed: str | None = None, cases: dict[UUID, Case] | None = None) -> dict[str, Firing]:
    """What fires on the last of these reports, by rule."""
    known = cases or {CASE: Case(CASE, on(closed) if closed else None)}
    line = Timeline(HOME, tuple(sorted(reports, key=lambda one: one.place)), known)
    return {one.rule: one for one in evaluate(line, reports[-1], load())}


# ── months ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2025-08-31", 6, "2026-02-28"),
        ("2025-12-01", 1, "2026-01-01"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(day: str, months: int, later: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(later)


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)), months=st.integers(1, 60), extra=st.integers(-40, 40))
def test_the_two_borders_differ_by_exactly_one_day(day: date, months: int, extra: int) -> None:
    later = months_later(day, months) + timedelta(days=extra)
    assert within(day, later, months, last_day_counts=True) == (extra <= 0)
    assert within(day, later, months, last_day_counts=False) == (extra < 0)


# ── third report in twelve months ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("first", "last", "fires"),
    [
        ("2025-03-04", "2026-03-04", True),
        ("2025-03-03", "2026-03-04", False),
        ("2024-02-29", "2025-02-28", True),
        ("2024-02-29", "2025-03-01", False),
        ("2023-02-28", "2024-02-29", False),
        # The Dutch day counts, not that of UTC: half past midnight in summer is still the day before there.
        ("2025-07-01T00:30", "2026-07-01", True),
        ("2025-06-30T23:30", "2026-07-01", False),
        # The nights on which the clock moves.
        ("2025-03-29T23:59", "2026-03-29T03:01", True),
        ("2025-10-26T00:00", "2026-10-26T23:59", True),
    ],
)
def test_the_third_report_in_twelve_months(first: str, last: str, fires: bool) -> None:
    between = report((on(last) - timedelta(days=30)).date().isoformat())
    line = (report(first), between, report(last))
    found = fired(*line).get("third_report")
    assert (found is not None) == fires
    if found:
        assert found.evidence == tuple(one.id for one in line)
        assert found.explanation == "Dit is melding 3 over dit huishouden in 12 maanden."
        assert found.fired_on == line[-1].day


def test_two_reports_are_no_signal_and_the_fourth_says_that_it_is_the_fourth() -> None:
    line = [report(f"2026-0{month}-01") for month in (1, 2, 3, 4)]
    assert "third_report" not in fired(*line[:2])
    assert "melding 4 over" in fired(*line)["third_report"].explanation


def test_a_supplement_is_not_another_report_but_one_to_an_unknown_report_is() -> None:
    first, second = report("2026-01-01"), report("2026-02-01")
    supplement = report("2026-02-02", supplements=second.id)
    assert "third_report" not in fired(first, second, supplement)
    assert "melding 3 over" in fired(first, second, supplement, report("2026-03-01"))["third_report"].explanation
    of_another_family = report("2026-02-02", supplements=uuid7())
    assert "third_report" in fired(first, second, of_another_family)


def test_a_report_found_to_be_no_domestic_violence_counts_until_that_was_said() -> None:
    first = report("2026-01-01", decided=Decided("not_hgkm", on("2026-02-15")))
    second = report("2026-02-01")
    assert "third_report" in fired(first, second, report("2026-02-14"))
    assert "third_report" not in fired(first, second, report("2026-02-16"))


def test_reports_of_one_moment_have_one_order() -> None:
    line = [report("2026-01-01") for _ in range(3)]
    assert "third_report" in fired(*sorted(line, key=lambda one: one.id))
    assert "third_report" not in fired(*sorted(line, key=lambda one: one.id, reverse=True))


# ── a new kind of reporter ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kinds", "says"),
    [
        (["politie"], None),
        (["politie", "politie"], None),
        (["politie", "onderwijs"], "van het onderwijs. Eerder kwamen meldingen alleen van de politie."),
        (["politie", "zorg", "halt"], "van Halt. Eerder kwamen meldingen alleen van de politie en de zorg."),
        (["politie", "zorg", "politie"], None),
        (["politie", "anders"], None),
        (["anders", "politie"], "van de politie. Eerder kwamen meldingen alleen van een andere melder."),
        (["politie", "dierenarts"], "van een ander soort melder. Eerder kwamen meldingen alleen van de politie."),
    ],
)
def test_a_new_kind_of_reporter(kinds: list[str], says: str | None) -> None:
    line = [report(f"2026-01-{day:02}", kind) for day, kind in enumerate(kinds, start=1)]
    found = fired(*line).get("new_reporter")
    assert (found.explanation.split("een melding ")[1] if found else None) == says


# ── a case closed under six months ago ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("closed", "received", "fires"),
    [
        ("2025-09-05", "2026-03-04", True),
        ("2025-09-04", "2026-03-04", False),
        ("2025-08-31", "2026-02-27", True),
        ("2025-08-31", "2026-02-28", False),
        ("2026-03-04T11:59", "2026-03-04", True),
        ("2026-03-04T12:01", "2026-03-04", False),  # it still ran when the report came in
        ("2025-09-04T23:30", "2026-03-04", False),
        ("2025-09-05T00:30", "2026-03-04T00:10", True),
    ],
)
def test_a_case_closed_under_six_months_ago(closed: str, received: str, fires: bool) -> None:
    earlier, now = report("2025-08-01"), report(received, case=uuid7())
    found = fired(earlier, now, closed=closed).get("closed_recently")
    assert (found is not None) == fires
    if found:
        assert found.evidence == (earlier.id, now.id)


def test_the_newest_closed_case_counts_and_one_without_counted_reports_does_not() -> None:
    old, mistaken = uuid7(), uuid7()
    line = (
        report("2024-01-01", case=old),
        report("2025-12-01", case=mistaken, decided=Decided("not_hgkm", on("2025-12-02"))),
        report("2026-01-01"),
    )
    cases = {
        old: Case(old, on("2024-02-01")),
        mistaken: Case(mistaken, on("2025-12-02")),
        CASE: Case(CASE, None),
    }
    assert "closed_recently" not in fired(*line, cases=cases)
    cases[old] = Case(old, on("2025-11-30"))
    assert "op 30 november 2025 gesloten" in fired(*line, cases=cases)["closed_recently"].explanation


# ── escalation in form ──────────────────────────────────────────────────────────────────────────────────────


def forms(*rules: str) -> tuple[Form, ...]:
    return tuple(Form(rule, f"Tekst van {rule}", from_words=not rule.startswith("sash")) for rule in rules)


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ([()], ("wapen",), "iets zwaarders dan alle eerdere: Tekst van wapen."),
        ([("wapen",)], ("wapen",), None),
        ([("wapen",), ()], ("verwurging",), None),  # as heavy as the report before the last
        ([("ernstig_letsel",)], ("wapen", "verwurging"), "Tekst van wapen; Tekst van verwurging."),
        ([()], ("sash_matig",), "Tekst van sash_matig."),
        ([("sash_matig",)], ("sash_hoog",), "Tekst van sash_hoog."),
        ([("sash_hoog",)], ("sash_matig",), None),
        ([()], ("zwanger", "baby"), None),  # a circumstance, not a form
        ([("wapen",)], ("wapen", "suicide"), None),
        ([("wapen",)], ("wapen", "suicide", "eer"), "noemt 3 zware zaken tegelijk"),
        ([("wapen", "suicide", "eer")], ("wapen", "suicide", "eer"), None),
    ],
)
def test_escalation_in_form(before: list[tuple[str, ...]], now: tuple[str, ...], says: str | None) -> None:
    earlier = [report(f"2026-01-{day:02}", forms=forms(*one)) for day, one in enumerate(before, start=1)]
    found = fired(*earlier, report("2026-02-01", forms=forms(*now))).get("escalation")
    assert (found is not None) == (says is not None)
    if found and says:
        assert says in found.explanation
        by_words = any(not rule.startswith("sash") for rule in now)
        assert ("lees of ze kloppen" in found.explanation) == by_words


def test_a_first_report_escalates_nothing() -> None:
    assert fired(report("2026-01-01", forms=forms("wapen"))) == {}


def test_every_graded_form_is_one_that_the_acute_check_can_see() -> None:
    known = {one.rule for one in (*acute_rules().levels, *acute_rules().words)}
    (escalation,) = [one for one in load().rules if one.kind == "escalation"]
    assert escalation.grades.keys() <= known
    assert known - escalation.grades.keys() == {"zwanger", "baby"}


# ── a child born ────────────────────────────────────────────────────────────────────────────────────────────


def child(text: str, indicator: str = "V", **more: Any) -> Person:
    born = PartialDate.from_stuf(text, indicator)
    return Person(more.pop("id", uuid7()), born, born.unborn, **more)


@pytest.mark.parametrize(
    ("born", "indicator", "fires"),
    [
        ("20260102", "V", True),
        ("20260101", "V", False),  # the day of the previous report: not certainly after it
        ("20260200", "D", True),
        ("20260100", "D", False),  # perhaps before
        ("20260000", "M", False),
        ("20260305", "V", False),  # it lies ahead: a mistake
        ("20260304", "V", True),
        ("20150301", "V", False),
        ("00000000", "J", False),
    ],
)
def test_a_child_born_since_the_previous_report(born: str, indicator: str, fires: bool) -> None:
    earlier, now = report("2026-01-01"), report("2026-03-04", people=(child(born, indicator),))
    found = fired(earlier, now).get("child_born")
    assert (found is not None) == fires
    if found:
        assert found.explanation == "Er is een kind geboren na de melding van 1 januari 2026."
        assert found.evidence == (earlier.id, now.id)


@pytest.mark.parametrize(
    ("received", "named_before", "fires"),
    [
        ("2026-05-01", False, True),
        ("2027-01-15", False, True),
        ("2027-01-16", False, False),
        ("2026-05-01", True, False),
    ],
)
def test_a_baby_that_the_report_in_between_left_out(received: str, named_before: bool, fires: bool) -> None:
    baby = child("20260115")
    between = report("2026-03-01", people=(child("20260115"),) if named_before else ())
    found = fired(report("2026-01-01"), between, report(received, people=(baby,))).get("child_born")
    assert (found is not None) == fires


@pytest.mark.parametrize(
    ("before", "received", "fires"),
    [
        ((), "2026-02-01", True),
        ((child("99999999"),), "2026-02-01", False),
        ((child("99999999"),), "2026-11-01", False),
        ((child("99999999"),), "2026-11-02", True),
    ],
)
def test_a_child_that_is_expected(before: tuple[Person, ...], received: str, fires: bool) -> None:
    found = fired(report("2026-01-01", people=before), report(received, people=(child("99999999"),))).get(
        "child_born"
    )
    assert (found is not None) == fires
    if found:
        assert "op komst" in found.explanation


def test_an_expected_child_that_is_born_is_told_again_also_when_it_was_linked() -> None:
    who = uuid7()
    expected, born = child("99999999", id=who), child("20260220", id=who)
    line = (report("2026-01-01"), report("2026-02-01", people=(expected,)), report("2026-03-01", people=(born,)))
    assert "geboren na de melding van 1 februari 2026" in fired(*line)["child_born"].explanation


def test_unborn_by_the_word_in_the_name() -> None:
    line = (report("2026-01-01"), report("2026-02-01", people=(Person(uuid7(), words=frozenset({"ongeboren"})),)))
    assert "op komst" in fired(*line)["child_born"].explanation


def test_a_first_report_tells_of_no_birth() -> None:
    assert fired(report("2026-01-01", people=(child("99999999"), child("20251230")))) == {}


# ── known in another region ─────────────────────────────────────────────────────────────────────────────────


def test_another_region_is_named_and_nothing_of_what_it_knows() -> None:
    now = report("2026-01-01", elsewhere=("Dalstreek", "Heuvelland", "Kuststreek"))
    found = fired(now)["known_elsewhere"]
    assert found.explanation == (
        "Iemand in deze melding is ook bekend in een andere regio: Dalstreek, Heuvelland en Kuststreek."
        " Wat daar bekend is, staat hier niet."
    )
    assert found.evidence == (now.id,)


# ── the rule file ───────────────────────────────────────────────────────────────────────────────────────────


def test_every_rule_of_the_issue_is_in_the_file_with_its_source_and_its_doubt() -> None:
    rules = load()
    assert [one.kind for one in rules.rules] == [
        "reports_in_window",
        "new_reporter",
        "closed_recently",
        "escalation",
        "child_born",
        "known_elsewhere",
    ]
    assert all(one.source and "OWN" in one.doubt for one in rules.rules)
    assert set(rules.not_counted) <= PATHS.keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rules": []}, "rules: "),
        ({"extra": 1}, "extra: "),
        ({"version": "anders"}, "noemt een andere versie: anders"),
    ],
)
def test_a_wrong_file_stops_the_start_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
) -> None:
    data = json.loads((rule_file.FOLDER / f"{rule_file.NEWEST}.json").read_text("utf-8"))
    (tmp_path / "proef.json").write_text(json.dumps(data | {"version": "proef"} | change), "utf-8")
    monkeypatch.setattr(rule_file, "FOLDER", tmp_path)
    with pytest.raises(InvalidSignalRules, match=says):
        load("proef")


@pytest.mark.parametrize(
    ("number", "field", "value"), [(0, "months", 0), (0, "kind", "anders"), (1, "rule", "third_report")]
)
def test_a_wrong_parameter_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, field: str, value: Any
) -> None:
    data = json.loads((rule_file.FOLDER / f"{rule_file.NEWEST}.json").read_text("utf-8")) | {"version": "fout"}
    data["rules"][number][field] = value
    (tmp_path / "fout.json").write_text(json.dumps(data), "utf-8")
    monkeypatch.setattr(rule_file, "FOLDER", tmp_path)
    load.cache_clear()
    with pytest.raises(InvalidSignalRules, match="kloppen niet"):
        load("fout")


def test_rules_that_do_not_exist() -> None:
    with pytest.raises(InvalidSignalRules, match="bestaan niet"):
        load("nergens")
