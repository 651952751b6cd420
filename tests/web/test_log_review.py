"""The log review: seeded snooping is found within a day, a person gives it an outcome, and never about himself."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import audit
from core.database import Row, present, transaction
from core.deadlines import AMSTERDAM
from core.errors import SettingsError
from core.events import events
from core.ids import uuid7
from core.settings import settings
from radar.oversight import review
from radar.oversight.risk import Facts, Line, Person, hits_of, policy, sample_of
from radar.search.watch import set_home
from tests.web.conftest import MOTHER, OURS, World, session_of

SignIn = Callable[..., Any]
TODAY = datetime.now(AMSTERDAM).date()
REASON = "Dit is nagevraagd bij de teamleider."


def staff_row(world: World, username: str) -> Row:
    row = world.db.execute("SELECT * FROM staff WHERE username = %s", (username,)).fetchone()
    assert row is not None
    return row


def named(world: World, username: str, name: str) -> str:
    world.db.execute("UPDATE staff SET name = %s WHERE username = %s", (name, world.staff("assessor", username)))
    return username


def found(world: World) -> set[tuple[str, str]]:
    """(user name, rule) of what the review of today finds, without the random sample."""
    with transaction("worker") as db:
        review.run(db, world.region, TODAY, datetime.now(UTC), "system")
    rows = world.db.execute(
        "SELECT s.username, f.rule FROM log_finding f JOIN staff s ON s.id = f.staff_id"
    ).fetchall()
    return {(row["username"], row["rule"]) for row in rows if row["rule"] not in ("sample", "night")}


@pytest.fixture
def officer(world: World) -> str:
    return world.staff("privacy_officer", "petra")


# ── seeded snooping ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_without_a_task_step_or_contribution_is_found_and_the_worker_is_not(
    world: World, family: dict[str, UUID], sign_in: SignIn
) -> None:
    for name in ("bram", "gwen"):
        sign_in(world.staff("assessor", name)).get(f"/meldingen/{family['third']}")
    world.db.execute(
        "UPDATE task SET staff_id = %s WHERE report_id = %s", (staff_row(world, "bram")["id"], family["supplement"])
    )
    assert found(world) == {("gwen", "no_relation")}, "a task in another report of the same case is a relation"


def test_who_wrote_in_the_file_has_a_relation(world: World, family: dict[str, UUID], sign_in: SignIn) -> None:
    client = sign_in(world.staff("assessor", "bram"))
    client.get(f"/meldingen/{family['third']}")
    audit.append(world.db, world.region, "bram", "assessment.save", "report", family["third"])
    assert found(world) == set()


def test_ones_own_surname_a_colleague_and_ones_own_address(
    world: World, family: dict[str, UUID], sign_in: SignIn
) -> None:
    own = named(world, "anna", "Anna Proef")
    home = named(world, "hans", "Hans Anders")
    set_home(world.db, staff_row(world, home), "1234 AB", "1", by="hans")
    named(world, "maria", "Maria Voorbeeld")
    for name in (own, home):
        sign_in(name).get(f"/meldingen/{family['third']}")
    rules = {pair for pair in found(world) if pair[1] != "no_relation"}
    assert rules == {
        ("anna", "own_name"),
        ("anna", "colleague"),
        ("hans", "own_address"),
        ("hans", "colleague"),
    }


def test_a_restricted_file_and_a_secret_whereabouts_are_looked_at(
    world: World, family: dict[str, UUID], sign_in: SignIn
) -> None:
    sign_in(world.staff("team_lead", "teun")).get(f"/meldingen/{family['third']}")
    world.db.execute(
        "INSERT INTO protection (id, region_id, mention_id, cause, reason, set_by, set_at)"
        " SELECT %s, region_id, id, 'staff', 'opvang', 'gwen', now() FROM mention"
        " WHERE report_id = %s AND number = 2",
        (uuid7(), family["third"]),
    )
    assert ("teun", "confidential") in found(world)


def test_many_files_on_one_day(world: World, sign_in: SignIn) -> None:
    limit = policy().rules["many_files"].limits["more_than"]
    bram = world.staff("assessor", "bram")
    for _ in range(limit):
        audit.append(world.db, world.region, bram, "report.view", "report", uuid7())
    assert ("bram", "many_files") not in found(world)
    audit.append(world.db, world.region, bram, "report.view", "report", uuid7())
    assert ("bram", "many_files") in found(world)


def test_what_the_search_noticed_is_a_finding(world: World) -> None:
    bram = staff_row(world, world.staff("assessor", "bram"))
    search = uuid7()
    world.db.execute(
        "INSERT INTO search (id, region_id, staff_id, at, purpose, context, fields, terms_hash, terms, outcome,"
        " results) VALUES (%s, %s, %s, now(), 'care', 'call', '{name}', %s, '', 'done', 0)",
        (search, world.region, bram["id"], b"x" * 32),
    )
    world.db.execute(
        "INSERT INTO search_alarm (id, region_id, staff_id, search_id, code, day, at)"
        " VALUES (%s, %s, %s, %s, 'own_name', %s, now())",
        (uuid7(), world.region, bram["id"], search, TODAY),
    )
    audit.append(world.db, world.region, "bram", "search.use", "search", search)
    assert found(world) == {("bram", "search:own_name")}
    assert review.text_of("search:own_name") == "Zocht op de eigen naam"


# ── the rules by themselves ─────────────────────────────────────────────────────────────────────────────────

ME, FILE = uuid7(), uuid7()
NOBODY = Facts({}, {}, frozenset({(ME, FILE)}), frozenset())


def line(
    hour: int, code: str = "R", outcome: str = "ok", number: int = 1, file: UUID | None = FILE, kind: str = "read"
) -> Line:
    at = datetime(2026, 3, 9, hour, 30, tzinfo=AMSTERDAM)
    return Line(0, number, at, ME, code, kind, outcome, file)


@pytest.mark.parametrize(("hour", "night"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False)])
def test_the_night_is_from_ten_to_six_in_the_netherlands(hour: int, night: bool) -> None:
    assert ("night" in hits_of([line(hour)], NOBODY, policy().rules)) is night


def test_a_change_or_a_refusal_is_no_reading() -> None:
    nothing = hits_of([line(2, code="U"), line(2, outcome="refused"), line(2, file=None)], NOBODY, policy().rules)
    assert nothing == {}


def test_many_refusals_are_looked_at() -> None:
    many = [line(12, outcome="refused", number=number) for number in range(10)]
    assert len(hits_of(many, NOBODY, policy().rules)["refused"]) == 10
    assert hits_of(many[1:], NOBODY, policy().rules) == {}


def test_many_exports_and_prints_on_one_day_are_looked_at() -> None:
    assert {events()[action].kind for action in ("log.export", "outbound.export", "outbound.print")} == {
        "export",
        "print",
    }
    many = [line(12, "E", number=number, kind=("print", "export")[number % 2]) for number in range(20)]
    assert len(hits_of(many, NOBODY, policy().rules)["exports"]) == 20
    assert hits_of(many[1:], NOBODY, policy().rules) == {}


def test_one_line_is_found_once_however_many_persons_have_the_name() -> None:
    same = Person(frozenset({"voorbeeld"}), frozenset({"anna"}))
    facts = Facts({ME: same}, {FILE: [same, same]}, frozenset({(ME, FILE)}), frozenset())
    assert hits_of([line(12)], facts, policy().rules) == {"own_name": [line(12)]}


def test_the_sample_is_of_readings_and_never_the_same_twice() -> None:
    lines = [line(12, number=number) for number in range(20)] + [line(12, code="U", number=99)]
    drawn = sample_of(lines, 5, random.Random(1))
    assert len({one.number for one in drawn}) == 5
    assert 99 not in {one.number for one in sample_of(lines, 20, random.Random(1))}
    assert drawn != sample_of(lines, 5, random.Random(2))


def test_rules_that_this_version_does_not_know_stop_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    own = tmp_path / "risk.toml"
    own.write_text('due_days=1\nremind_days=1\nsample=1\nshown=1\n[rules.weather]\ntext="x"\nweight=1\n')
    monkeypatch.setenv("VEILIG_LOG_REVIEW_RULES", str(own))
    settings.cache_clear()
    policy.cache_clear()
    with pytest.raises(SettingsError, match="other rules"):
        policy()
    policy.cache_clear()


# ── every day, once ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_day_that_is_over_is_reviewed_once(world: World) -> None:
    start = datetime(2026, 3, 9, 3, 0, tzinfo=UTC)
    with transaction("worker") as db:
        review.run_due(db, world.region, start)
        review.run_due(db, world.region, start + timedelta(hours=1))
        review.run_due(db, world.region, start + timedelta(days=3))
    rows = world.db.execute("SELECT day FROM log_review_day ORDER BY day").fetchall()
    assert [row["day"] for row in rows] == [date(2026, 3, day) for day in (8, 9, 10, 11)]


def test_a_day_that_is_reviewed_again_gives_nothing_twice(
    world: World, family: dict[str, UUID], sign_in: SignIn
) -> None:
    sign_in(world.staff("assessor", "bram")).get(f"/meldingen/{family['third']}")
    found(world)
    before = world.db.execute("SELECT count(*) AS n FROM log_finding").fetchone()
    found(world)
    assert world.db.execute("SELECT count(*) AS n FROM log_finding").fetchone() == before


def test_what_nobody_looked_at_in_time_is_told_of_again_each_week(finding: UUID, world: World) -> None:
    due = world.db.execute("SELECT due_at FROM log_finding WHERE id = %s", (finding,)).fetchone()
    assert due is not None
    told = [
        review.remind(world.db, world.region, due["due_at"] + timedelta(days=days)) > 0
        for days in (-1, 1, 2, 7, 8, 9, 15)
    ]
    assert told == [False, True, False, False, True, False, True]


# ── the outcome ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def finding(world: World) -> UUID:
    """Bram read a file without a relation, ten days ago; nobody looked yet."""
    bram = staff_row(world, world.staff("assessor", "bram"))
    audit.append(world.db, world.region, "bram", "report.view", "report", uuid7())
    found(world)
    row = world.db.execute(
        "SELECT id FROM log_finding WHERE staff_id = %s AND rule = 'no_relation'", (bram["id"],)
    ).fetchone()
    assert row is not None
    found_id: UUID = row["id"]
    return found_id


def give(client: Any, path: str, outcome: str, note: str) -> Any:
    page = client.get(path).text
    token = re.search(r'name="formulier" value="([^"]+)"', page)
    assert token is not None
    fields = {"formulier": token.group(1), "uitkomst": outcome, "notitie": note}
    return client.post(path, data=fields, headers=OURS)


def test_the_officer_sees_the_finding_and_settles_it(
    world: World, finding: UUID, officer: str, sign_in: SignIn
) -> None:
    client = sign_in(officer)
    listed = client.get("/logcontrole").text
    assert "zonder werkrelatie" in listed
    assert "Naam van bram" in listed
    page = client.get(f"/logcontrole/{finding}").text
    assert "Melding gelezen" in page
    assert give(client, f"/logcontrole/{finding}", "talk", REASON).status_code == 303
    row = world.db.execute("SELECT * FROM log_finding WHERE id = %s", (finding,)).fetchone()
    assert row is not None
    assert (row["outcome"], row["note"]) == ("talk", REASON)
    assert row["reviewed_by"] == staff_row(world, officer)["id"]
    assert REASON in client.get(f"/logcontrole/{finding}").text
    assert "Besproken" in client.get("/logcontrole?toon=afgehandeld").text
    (line,) = world.db.execute("SELECT * FROM audit_entry WHERE action = 'log.review'").fetchall()
    assert (line["object_id"], line["details"]["outcome"]) == (finding, "talk")


@pytest.mark.parametrize(
    ("outcome", "note", "field"), [("", REASON, "uitkomst"), ("best", REASON, "uitkomst"), ("talk", "  ", "notitie")]
)
def test_an_outcome_and_a_note_are_needed_and_what_was_typed_stays(
    world: World, finding: UUID, officer: str, sign_in: SignIn, outcome: str, note: str, field: str
) -> None:
    page = give(sign_in(officer), f"/logcontrole/{finding}", outcome, note)
    assert page.status_code == 400
    assert f'id="fout-{field}"' in page.text
    if note.strip():
        assert note in page.text


def test_settling_twice_tells_that_somebody_was_first(
    world: World, finding: UUID, officer: str, sign_in: SignIn
) -> None:
    client = sign_in(officer)
    token = re.search(r'name="formulier" value="([^"]+)"', client.get(f"/logcontrole/{finding}").text)
    assert token is not None
    fields = {"formulier": token.group(1), "uitkomst": "talk", "notitie": REASON}
    assert client.post(f"/logcontrole/{finding}", data=fields, headers=OURS).status_code == 303
    assert client.post(f"/logcontrole/{finding}", data=fields, headers=OURS).status_code == 409


def test_nobody_reviews_himself(world: World, officer: str, sign_in: SignIn) -> None:
    audit.append(world.db, world.region, officer, "report.view", "report", uuid7())
    found(world)
    (row,) = world.db.execute("SELECT id FROM log_finding WHERE rule = 'no_relation'").fetchall()
    client = sign_in(officer)
    page = client.get(f"/logcontrole/{row['id']}").text
    assert "Dit gaat over uzelf" in page
    token = re.search(r'name="formulier" value="([^"]+)"', page)
    assert token is not None
    fields = {"formulier": token.group(1), "uitkomst": "explained", "notitie": REASON}
    assert client.post(f"/logcontrole/{row['id']}", data=fields, headers=OURS).status_code == 403
    assert world.db.execute("SELECT outcome FROM log_finding WHERE id = %s", (row["id"],)).fetchone() == {
        "outcome": None
    }


def test_the_database_refuses_it_too(world: World, officer: str, finding: UUID) -> None:
    """The second wall: an auditor cannot settle, and nobody can settle in another's name."""
    statement = (
        "UPDATE log_finding SET reviewed_at = now(), reviewed_by = %s, outcome = 'explained', note = 'x'"
        " WHERE id = %s"
    )
    me, bram = staff_row(world, officer)["id"], staff_row(world, "bram")["id"]
    with transaction("web") as db:
        present(db, f"staff:{session_of(world.db, world.staff('auditor', 'arie'))}")
        assert db.execute(statement, (staff_row(world, "arie")["id"], finding)).rowcount == 0
    with transaction("web") as db:
        present(db, f"staff:{session_of(world.db, officer)}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(statement, (staff_row(world, "arie")["id"], finding))
        raise psycopg.Rollback
    with transaction("web") as db:
        present(db, f"staff:{session_of(world.db, 'bram')}")
        assert db.execute("SELECT count(*) AS n FROM log_finding").fetchone() == {"n": 0}
    with transaction("web") as db:
        present(db, f"staff:{session_of(world.db, officer)}")
        assert db.execute(statement, (me, finding)).rowcount == 1
    with pytest.raises(psycopg.errors.CheckViolation):
        world.db.execute(statement, (bram, finding))


def test_an_auditor_reads_along(world: World, finding: UUID, sign_in: SignIn) -> None:
    client = sign_in(world.staff("auditor", "arie"))
    assert "zonder werkrelatie" in client.get("/logcontrole").text
    page = client.get(f"/logcontrole/{finding}").text
    assert "Leg de uitkomst vast" not in page


def test_the_review_of_another_region_does_not_exist(
    new_world: Callable[[], World], finding: UUID, sign_in: SignIn
) -> None:
    client = sign_in(new_world().staff("privacy_officer", "vreemd"))
    hidden, missing = client.get(f"/logcontrole/{finding}"), client.get(f"/logcontrole/{uuid7()}")
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text) == (404, missing.text)
    assert "Niets te controleren" in client.get("/logcontrole").text


# ── break-glass ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def glass(world: World, family: dict[str, UUID], sign_in: SignIn) -> UUID:
    """Bram broke the glass for the third report an hour ago and read it; the review was due a day ago."""
    bram = staff_row(world, world.staff("assessor", "bram"))
    grant = uuid7()
    world.db.execute(
        "INSERT INTO access_grant (id, region_id, staff_id, kind, report_id, purpose, reason, granted_by, granted_at,"
        " until, review_due_at) VALUES (%s, %s, %s, 'break_glass', %s, 'care', 'Politie belde om 3 uur', 'bram',"
        " now() - interval '30 minutes', now() + interval '30 minutes', now() - interval '1 day')",
        (grant, world.region, bram["id"], family["third"]),
    )
    sign_in("bram").get(f"/meldingen/{family['third']}")
    return grant


def test_an_overdue_break_glass_stands_on_top_with_what_was_done(
    world: World, glass: UUID, finding_of_other: None, officer: str, sign_in: SignIn
) -> None:
    client = sign_in(officer)
    page = client.get("/logcontrole").text
    assert "1 controle is te laat" in page
    assert page.index("Noodinzage") < page.index("Opvallende inzage")
    assert "Politie belde om 3 uur" in page
    detail = client.get(f"/logcontrole/noodinzage/{glass}").text
    assert "Melding gelezen" in detail
    assert give(client, f"/logcontrole/noodinzage/{glass}", "explained", REASON).status_code == 303
    row = world.db.execute("SELECT * FROM access_grant WHERE id = %s", (glass,)).fetchone()
    assert row is not None
    assert (row["reviewed_by"], row["review_outcome"], row["review_note"]) == (officer, "explained", REASON)
    assert "Politie belde" not in client.get("/logcontrole").text
    assert "Politie belde" in client.get("/logcontrole?toon=afgehandeld").text


@pytest.fixture
def finding_of_other(world: World) -> None:
    audit.append(world.db, world.region, world.staff("assessor", "gwen"), "report.view", "report", uuid7())
    found(world)


def test_nobody_reviews_the_glass_that_he_broke(world: World, glass: UUID, officer: str, sign_in: SignIn) -> None:
    world.db.execute("UPDATE access_grant SET granted_by = %s", (officer,))
    client = sign_in(officer)
    page = client.get(f"/logcontrole/noodinzage/{glass}").text
    assert "Dit gaat over uzelf" in page
    token = re.search(r'name="formulier" value="([^"]+)"', page)
    assert token is not None
    fields = {"formulier": token.group(1), "uitkomst": "explained", "notitie": REASON}
    assert client.post(f"/logcontrole/noodinzage/{glass}", data=fields, headers=OURS).status_code == 403


def test_the_mother_of_the_sample_family_is_no_colleague() -> None:
    """Guards the tests above: the invented mother has the name that the colleague is given there."""
    assert MOTHER["naam"] == {"voornamen": "Maria", "geslachtsnaam": "Voorbeeld"}
