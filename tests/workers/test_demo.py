"""The demo: an invented region whose messages come in by the real feed, the same every time."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from psycopg import sql

from core.calendar import load_calendar
from core.database import Db
from core.deadlines import AMSTERDAM, local_day
from core.errors import NotFound
from core.identity import Bsn
from core.ids import uuid7
from core.settings import settings
from core.staff import DEMO_LOGINS, check_password
from intake import opening
from intake.corv import parse
from intake.message import read_json
from radar.casework import queue
from workers import demo
from workers.demo_desk import decision_moment
from workers.demo_people import household
from workers.demo_region import MERGER, NAME, OIN, SENDERS, NotADemo
from workers.demo_stories import Dispatch, mishaps, story
from workers.verify import verify

HOUSEHOLDS, DAYS = 8, 120
UNTIL = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
"""A Wednesday afternoon."""
POPULATION = range(60)


@pytest.fixture(autouse=True)
def secret_key(monkeypatch: pytest.MonkeyPatch, clean_settings: None) -> None:
    """The key of the keyed hashes, so that no test writes one on disk."""
    monkeypatch.setenv("VEILIG_SECRET_KEY", "invented-key-of-the-demo-tests-0001")
    settings.cache_clear()


@pytest.fixture
def filled(db: Db) -> Db:
    """A database with a small demo."""
    demo.run(HOUSEHOLDS, DAYS, at=UNTIL)
    return db


@cache
def everything(households: range = POPULATION, days: int = 730) -> tuple[Dispatch, ...]:
    """The messages of many households, without sending them."""
    return tuple(one for number in households for one in story(number, days, UNTIL))


def counts(db: Db) -> dict[str, int]:
    """The number of rows of every table."""
    tables = [row["relname"] for row in db.execute("SELECT relname FROM pg_stat_user_tables ORDER BY relname")]
    found = {}
    for table in tables:
        row = db.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table))).fetchone()
        found[table] = row["n"] if row else 0
    return found


def number(db: Db, query: str, *values: object) -> int:
    row = db.execute(query, values).fetchone()
    assert row is not None
    return int(row["n"])


# ── the region ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_region_is_made_once_with_its_own_oin_teams_and_logins(db: Db) -> None:
    first = demo.ensure_region(db, UNTIL)
    before = counts(db)
    assert demo.ensure_region(db) == first
    assert counts(db) == before
    region = db.execute("SELECT * FROM region").fetchone()
    assert region is not None
    assert (region["name"], region["oin"], region["application"]) == (NAME, OIN, "VTINTAKE")
    kinds = Counter(row["kind"] for row in db.execute("SELECT kind FROM team"))
    assert kinds["veilig_thuis"] == 2
    assert kinds["local_team"] >= 4
    for login in DEMO_LOGINS:
        member = check_password(db, login.username, login.password)
        assert member is not None
        assert (member.region, member.role) == (first, login.role)


def test_every_day_and_postcode_of_the_region_has_exactly_one_municipality_also_around_the_merger(db: Db) -> None:
    demo.ensure_region(db)
    for day in (MERGER - timedelta(days=1), MERGER, local_day(UNTIL)):
        rows = db.execute(
            "SELECT postcode, array_agg(municipality) AS found FROM generate_series(1230, 1274) AS postcode"
            " JOIN service_area ON postcode BETWEEN postcode_from AND postcode_to"
            " AND %s BETWEEN valid_from AND coalesce(valid_to, 'infinity') GROUP BY postcode ORDER BY postcode",
            (day,),
        ).fetchall()
        assert [row["postcode"] for row in rows] == list(range(1230, 1275))
        assert all(len(row["found"]) == 1 for row in rows)
        zandmeer = next(row["found"][0] for row in rows if row["postcode"] == 1262)
        assert zandmeer == ("Merendijk" if day >= MERGER else "Zandmeer")


def test_a_database_with_a_region_of_its_own_gets_no_demo_and_no_known_passwords(db: Db) -> None:
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Eigen regio', '00000099000000009000')", (uuid7(),))
    assert not demo.is_empty(db)
    with pytest.raises(NotADemo):
        demo.run(HOUSEHOLDS, DAYS, at=UNTIL)
    demo.run(HOUSEHOLDS, DAYS, if_empty=True, at=UNTIL)
    assert number(db, "SELECT count(*) AS n FROM staff") == 0
    assert number(db, "SELECT count(*) AS n FROM region") == 1


def test_tokens_of_senders_are_shown_once(db: Db) -> None:
    region = demo.ensure_region(db)
    first = demo.ensure_senders(db, region)
    assert set(first) == set(SENDERS)
    assert all(first.values())
    assert set(demo.ensure_senders(db, region).values()) == {None}
    assert number(db, "SELECT count(*) AS n FROM sender_token") == len(SENDERS)


def test_filling_needs_the_region(database_url: str) -> None:
    with pytest.raises(NotFound):
        asyncio.run(demo.fill(1, 10, UNTIL, lambda done, of: None))


# ── the people and their stories ────────────────────────────────────────────────────────────────────────────


def test_the_same_household_has_the_same_story_every_time() -> None:
    assert [one.raw for one in story(3, 730, UNTIL)] == [one.raw for one in story(3, 730, UNTIL)]
    assert list(mishaps(12, 730, UNTIL)) == list(mishaps(12, 730, UNTIL))


def test_more_households_change_nothing_for_the_first_ones_and_other_days_are_other_people() -> None:
    first = household("730", 5, date(2024, 1, 1))
    assert first == household("730", 5, date(2024, 1, 1))
    assert {one.bsn for one in first.members}.isdisjoint(
        one.bsn for one in household("120", 5, date(2024, 1, 1)).members
    )


def test_every_invented_bsn_starts_with_9_is_valid_and_is_of_one_person() -> None:
    start = date(2024, 1, 1)
    found = [person.bsn for one in range(2_000) for person in household("730", one, start).members]
    assert all(bsn.startswith("9") and Bsn.parse(bsn).status == "valid" for bsn in found)
    assert len(set(found)) == len(found)


def test_children_are_younger_than_their_parents_and_siblings_are_twins_or_a_year_apart() -> None:
    for one in range(300):
        made = household("730", one, date(2024, 1, 1))
        for child in made.children:
            assert date(2006, 1, 1) < child.born < date(2024, 1, 1)
            assert all((child.born - adult.born).days > 15 * 365 for adult in made.adults)
        days = sorted(child.born for child in made.children)
        assert all((b - a).days == 0 or (b - a).days > 280 for a, b in pairwise(days))


def test_there_are_twins_and_a_father_and_son_with_one_name() -> None:
    homes = [household("730", one, date(2024, 1, 1)) for one in POPULATION]
    born = [Counter(child.born for child in one.children).most_common(1) for one in homes]
    assert any(found and found[0][1] > 1 for found in born)
    names = [Counter((person.given, person.surname) for person in one.members).most_common(1)[0][1] for one in homes]
    assert max(names) == 2


def test_messages_arrive_within_the_history_and_in_order_for_each_household() -> None:
    for one in POPULATION:
        moments = [dispatch.at for dispatch in story(one, 730, UNTIL)]
        assert moments == sorted(moments)
        assert all(local_day(UNTIL) - timedelta(days=731) <= local_day(at) for at in moments)
        assert all(at < UNTIL for at in moments)


@pytest.mark.parametrize("days", [1, 2, 30])
def test_a_short_history_also_works(days: int) -> None:
    assert all(UNTIL - timedelta(days=days + 1) < one.at < UNTIL for one in everything(range(30), days))


def test_professionals_report_on_working_days_only() -> None:
    calendar = load_calendar()
    for one in everything():
        if one.sender != "politie":
            assert calendar.is_working_day(one.at.astimezone(AMSTERDAM).date()) or "-2" in str(one.raw)


def test_about_two_of_three_reports_are_of_the_police_and_about_known_people() -> None:
    told = everything()
    police = sum(one.sender == "politie" for one in told) / len(told)
    first = sum(1 for one in POPULATION if next(story(one, 730, UNTIL), None)) / len(told)
    assert 0.55 < police < 0.8
    assert 0.25 < first < 0.45
    assert {one.sender for one in told} == set(SENDERS)


def test_every_message_is_what_its_door_takes() -> None:
    for one in everything():
        if one.door == "json":
            assert read_json(one.raw).persons
            continue
        reading = parse.read(one.raw, {OIN}, SENDERS[one.sender].oin, local_day(one.at))
        assert reading.fault is None
        assert reading.message is not None
        assert not reading.message.unknown


def test_texts_are_filled_in_and_differ() -> None:
    told = [
        read_json(one.raw)
        if one.door == "json"
        else parse.read(one.raw, {OIN}, SENDERS[one.sender].oin, local_day(one.at)).message
        for one in everything()
    ]
    texts = [message.incident.description or "" for message in told if message]
    assert all(len(text) > 80 and "{" not in text for text in texts)
    assert len(set(texts)) > 0.95 * len(texts)


def test_slips_are_there_nicknames_missing_numbers_and_one_spoilt_report() -> None:
    codes: Counter[str] = Counter()
    for one in everything():
        if one.door == "corv":
            reading = parse.read(one.raw, {OIN}, SENDERS[one.sender].oin, local_day(one.at))
            codes.update(remark.code for remark in reading.remarks)
    assert {"VT-W101", "VT-W102", "VT-W105"} <= set(codes)


def test_mishaps_are_for_quarantine_cut_off_without_persons_or_no_message() -> None:
    found = list(mishaps(60, 730, UNTIL))
    faults = [parse.read(one.raw, {OIN}, SENDERS["politie"].oin, local_day(one.at)).fault for one in found]
    assert len(found) == 5
    assert {fault.level for fault in faults if fault} == {"xml", "content"}
    assert None not in faults


# ── the staff ───────────────────────────────────────────────────────────────────────────────────────────────


def row(received: datetime, reference: str, risk: int = 0) -> dict[str, object]:
    return {"received_at": received, "reference": reference, "risk": risk}


def test_old_reports_are_decided_about_forty_percent_late_and_always_after_receipt() -> None:
    calendar = load_calendar()
    received = UNTIL - timedelta(days=200)
    moments = [decision_moment(row(received, f"r-{one}"), UNTIL) for one in range(500)]
    passed = [calendar.working_days_between(local_day(received), local_day(at)) for at in moments if at]
    assert len(passed) == 500
    assert min(passed) == 1
    assert 0.33 < sum(days > 5 for days in passed) / 500 < 0.47


def test_recent_reports_stay_mostly_open_and_nothing_is_decided_in_the_future() -> None:
    received = UNTIL - timedelta(days=8)
    moments = [decision_moment(row(received, f"r-{one}"), UNTIL) for one in range(200)]
    decided = [at for at in moments if at]
    assert 0.02 < len(decided) / 200 < 0.4
    assert all(received < at < UNTIL for at in decided)


def test_an_acute_report_is_decided_within_hours_unless_it_has_just_come_in() -> None:
    received = UNTIL - timedelta(days=30)
    at = decision_moment(row(received, "r", risk=2), UNTIL)
    assert at is not None
    assert at - received <= timedelta(hours=6)
    assert decision_moment(row(UNTIL - timedelta(hours=5), "r", risk=2), UNTIL) is None


# ── all of it together ──────────────────────────────────────────────────────────────────────────────────────


def test_a_demo_fills_by_the_feed_links_and_leaves_a_queue_and_every_rule_holds(
    db: Db, capsys: pytest.CaptureFixture[str]
) -> None:
    demo.run(HOUSEHOLDS, DAYS, at=UNTIL)
    assert "Token of sender politie" in capsys.readouterr().out
    told = everything(range(HOUSEHOLDS), DAYS)
    by_feed = "SELECT count(*) AS n FROM report r JOIN sender s ON s.id = r.sender_id WHERE "
    assert number(db, by_feed + "NOT s.own") == len(told)
    assert number(db, by_feed + "s.own") == 3
    assert number(db, "SELECT count(*) AS n FROM advice") == 10
    assert number(db, "SELECT count(*) AS n FROM quarantine") == 2
    assert number(db, "SELECT count(*) AS n FROM report WHERE supplements IS NOT NULL") >= 1
    assert number(db, "SELECT count(*) AS n FROM report WHERE linked_at IS NULL OR household_id IS NULL") == 0
    assert number(db, "SELECT count(*) AS n FROM job WHERE state <> 'done'") == 0

    deadlines = db.execute(
        "SELECT r.id, count(d.id) AS n FROM report r LEFT JOIN deadline d ON d.subject_id = r.id"
        " AND d.kind = 'safety_assessment' GROUP BY r.id"
    )
    assert {one["n"] for one in deadlines} == {1}

    region = db.execute("SELECT id FROM region").fetchone()
    assert region is not None
    kinds = tuple(queue.KINDS)
    found = queue.counts(db, region["id"], kinds, queue.Filter(kinds), UNTIL)
    assert found.acute >= 1
    assert found.overdue >= 1
    assert found.open > found.overdue
    decided = db.execute("SELECT decided_by, decided_at, reason FROM route WHERE state = 'decided'").fetchall()
    assert decided
    assert {one["decided_by"] for one in decided} <= {login.username for login in DEMO_LOGINS}
    assert all(one["decided_at"] < UNTIL and one["reason"] for one in decided)

    broken = [finding for finding in verify(db) if finding.breaches]
    assert broken == []


def test_repeat_reports_end_in_the_household_of_the_earlier_ones(filled: Db) -> None:
    """Each invented household, known by the number in its references, is one household of the radar."""
    found = defaultdict(set)
    reports: Counter[str] = Counter()
    for one in filled.execute(
        "SELECT split_part(m.reference, '-', 4) AS number, r.household_id FROM report r"
        " JOIN message m ON m.id = r.message_id WHERE m.channel IN ('corv', 'json')"
    ):
        found[one["number"]].add(one["household_id"])
        reports[one["number"]] += 1
    repeated = [name for name, count in reports.items() if count > 1]
    assert len(repeated) >= 2
    assert all(len(found[name]) == 1 for name in repeated)


def test_every_stored_bsn_is_invented(filled: Db) -> None:
    mentions = [row["id"] for row in filled.execute("SELECT id FROM mention")]
    stored = [one["bsn"] for one in opening.persons_of(filled, mentions).values() if one.get("bsn")]
    assert stored
    assert all(bsn.startswith("9") for bsn in stored)
    invalid = [bsn for bsn in stored if Bsn.parse(bsn).status != "valid"]
    assert len(invalid) == 1  # the spoilt report


def test_a_second_run_changes_nothing(filled: Db, capsys: pytest.CaptureFixture[str]) -> None:
    before = counts(filled)
    capsys.readouterr()
    demo.run(HOUSEHOLDS, DAYS, at=UNTIL + timedelta(days=3))
    assert counts(filled) == before
    said = capsys.readouterr().out
    assert "0 new reports, 0 new in quarantine, 0 decided, 0 resolved" in said
    assert "Token" not in said
    assert not demo.is_empty(filled)
    demo.run(HOUSEHOLDS + 4, DAYS, if_empty=True)
    assert counts(filled) == before


def test_a_run_that_broke_off_is_finished_by_the_next(db: Db) -> None:
    region = demo.ensure_region(db, UNTIL)
    demo.ensure_senders(db, region)
    summary = asyncio.run(demo.fill(3, DAYS, UNTIL, lambda done, of: None))
    assert number(db, "SELECT count(*) AS n FROM report WHERE linked_at IS NOT NULL") == 0
    demo.run(HOUSEHOLDS, DAYS)
    assert number(db, "SELECT count(*) AS n FROM report") > summary.reports
    assert number(db, "SELECT count(*) AS n FROM report WHERE linked_at IS NULL") == 0


def test_progress_is_told_to_the_end(db: Db) -> None:
    region = demo.ensure_region(db, UNTIL)
    demo.ensure_senders(db, region)
    assert demo.is_empty(db)
    steps: list[tuple[int, int]] = []
    summary = asyncio.run(demo.fill(2, 30, UNTIL, lambda done, of: steps.append((done, of))))
    assert steps == [(done, summary.messages) for done in range(1, summary.messages + 1)]
    assert not demo.is_empty(db)
