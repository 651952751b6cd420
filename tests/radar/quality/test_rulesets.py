"""Rule sets: checked by the linking's own model, in force by activation only, and activated after a rehearsal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db, connection_options, now, transaction
from core.errors import Conflict, NotFound, ReasonMissing
from core.ids import uuid7
from radar.linking.rules import load
from radar.quality import activation, rulesets
from radar.quality.activation import activate, obstacle
from radar.quality.policy import policy
from radar.quality.rulesets import RuleSet, WrongRules
from tests.radar.quality.conftest import ANNE, JAN, MIA, Register, rules_text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Dit is geen geldige JSON op regel 1."),
        ("[" * 100_000, "Dit is geen geldige JSON: te diep genest."),
        ('{"version": "a", "version": "b"}', "het veld version staat er twee keer in"),
        ('{"limits": NaN}', "NaN is geen getal"),
        ("[]", "De regels kloppen niet: hier hoort een groep velden."),
        ("{}", "De regels kloppen niet bij version: dit veld ontbreekt."),
        (rules_text("x", extra=1), "De regels kloppen niet bij extra: dit veld bestaat niet."),
        (rules_text("x", limits={"margin": -1}), "bij limits.margin: de waarde moet 0.0 of meer zijn."),
        (rules_text("x", limits={"margin": "veel"}), "bij limits.margin: hier hoort een getal."),
        (rules_text("x", limits={"automatic": -5}), "limits.proposed"),
        (rules_text("x", titles="drs"), "bij titles: hier hoort een lijst."),
        (rules_text("Een Spatie"), "bij version: gebruik kleine letters"),
        (rules_text("../../geheim"), "bij version: gebruik kleine letters"),
    ],
)
def test_a_rule_set_that_does_not_fit_is_refused_with_the_field(
    db: Db, region: Register, text: str, said: str
) -> None:
    with pytest.raises(WrongRules) as refused:
        rulesets.add(db, region.id, text, "teun", now(db))
    assert said in refused.value.message
    assert db.execute("SELECT count(*) AS n FROM rule_set").fetchone() == {"n": 0}


def test_a_version_exists_once_and_never_hides_a_shipped_one(db: Db, region: Register) -> None:
    region.add_rules("proef-1")
    with pytest.raises(Conflict, match="proef-1 bestaat al"):
        region.add_rules("proef-1", automatic=9)
    with pytest.raises(Conflict):
        region.add_rules(load().version)
    assert [row["details"]["version"] for row in region.audited("rules.add")] == ["proef-1"]


def test_an_added_rule_set_never_changes(db: Db, region: Register) -> None:
    region.add_rules("proef-1")
    for change in ("UPDATE rule_set SET document = '{}'", "DELETE FROM rule_set"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            db.execute(change)


def test_without_an_activation_the_newest_shipped_rules_are_in_force(db: Db, region: Register) -> None:
    assert rulesets.active(db, region.id) is load()
    assert [one.version for one in rulesets.listing(db, region.id) if one.in_force] == [load().version]


def test_another_region_does_not_see_the_rules_of_this_one(
    db: Db, region: Register, new_region: Callable[[], Register]
) -> None:
    region.add_rules("proef-1")
    other = new_region()
    assert "proef-1" not in [one.version for one in rulesets.listing(db, other.id)]
    with pytest.raises(NotFound):
        rulesets.find(db, other.id, "proef-1")
    with pytest.raises(NotFound):
        rulesets.document(db, other.id, "proef-1")
    other.add_rules("proef-1", automatic=9)
    assert rulesets.document(db, region.id, "proef-1")["limits"]["automatic"] == load().limits.automatic
    assert rulesets.document(db, other.id, "proef-1")["limits"]["automatic"] == 9


def test_a_document_comes_back_as_it_was_given(db: Db, region: Register) -> None:
    region.add_rules("proef-1", automatic=9)
    given = rulesets.parse(rules_text("proef-1", limits={"automatic": 9}))
    stored = rulesets.find(db, region.id, "proef-1")
    assert rulesets.rules_of(db, stored).model_dump() == given.model_dump()
    assert rulesets.document(db, region.id, load().version)["version"] == load().version
    with pytest.raises(NotFound):
        rulesets.rules_of(db, RuleSet("weg", uuid7()))


def test_differences_name_the_place_and_both_values() -> None:
    other = rulesets.parse(rules_text("proef-1", limits={"automatic": 9.5}, unnamed=[*load().unnamed, "zz"]))
    found = {place: (old, new) for place, old, new in rulesets.differences(load(), other)}
    assert found.pop("limits.automatic") == (str(load().limits.automatic), "9.5")
    assert set(found) == {"source", "unnamed"}
    assert found["unnamed"][1].endswith("zz")


# ── activation ──────────────────────────────────────────────────────────────────────────────────────────────


def put_in_force(region: Register, version: str, reason: str = "Minder vragen.") -> UUID:
    rehearsed = region.rehearse(version)
    with region.db.transaction():
        activate(region.db, region.id, rehearsed, reason, "teun", now(region.db))
    return rehearsed


@pytest.mark.usefixtures("figures")
class TestActivation:
    def test_a_rehearsed_rule_set_is_put_in_force_with_an_audit_row(self, db: Db, region: Register) -> None:
        region.arrive(JAN, MIA)
        rehearsed = put_in_force(region, region.add_rules("proef-1", automatic=9))
        assert rulesets.active(db, region.id).limits.automatic == 9
        (row,) = region.audited("rules.activate")
        assert (row["actor"], row["details"]) == (
            "teun",
            {"version": "proef-1", "before": load().version, "rehearsal": str(rehearsed)},
        )

    def test_the_rules_in_force_cost_one_read_of_one_index(self, db: Db, region: Register) -> None:
        put_in_force(region, region.add_rules("proef-1"))
        first = rulesets.active(db, region.id)
        assert rulesets.active(db, region.id) is first
        db.execute("SET enable_seqscan = off")
        plan = str(
            db.execute(
                "EXPLAIN SELECT version, rule_set_id, number FROM rule_activation WHERE region_id = %s"
                " ORDER BY number DESC LIMIT 1",
                (region.id,),
            ).fetchall()
        )
        assert "rule_activation_region_id_number_key" in plan
        assert "Sort" not in plan

    def test_going_back_is_an_activation_like_any_other(self, db: Db, region: Register) -> None:
        put_in_force(region, region.add_rules("proef-1"))
        put_in_force(region, load().version, "Toch niet.")
        assert rulesets.in_force(db, region.id) == RuleSet(load().version)
        rows = db.execute("SELECT number, version, reason FROM rule_activation ORDER BY number").fetchall()
        assert [tuple(row.values()) for row in rows] == [
            (1, "proef-1", "Minder vragen."),
            (2, load().version, "Toch niet."),
        ]
        for change in ("UPDATE rule_activation SET version = 'x'", "DELETE FROM rule_activation"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
                db.execute(change)

    def test_without_a_reason_nothing_happens(self, db: Db, region: Register) -> None:
        rehearsed = region.rehearse(region.add_rules("proef-1"))
        with pytest.raises(ReasonMissing):
            activate(db, region.id, rehearsed, "  \n", "teun", now(db))
        assert rulesets.active(db, region.id) is load()

    def test_a_rehearsal_that_is_not_finished_is_no_ground(self, db: Db, region: Register) -> None:
        region.arrive(JAN)
        version = region.add_rules("proef-1")
        rehearsed = region.rehearse(version)
        db.execute("UPDATE rehearsal SET finished_at = NULL")
        with pytest.raises(Conflict, match="nog niet klaar"):
            activate(db, region.id, rehearsed, "Zo.", "teun", now(db))

    def test_an_old_rehearsal_is_no_ground(self, db: Db, region: Register) -> None:
        rehearsed = region.rehearse(region.add_rules("proef-1"))
        days = policy().rehearsal.valid_days
        late = now(db) + timedelta(days=days, minutes=1)
        with pytest.raises(Conflict, match=f"ouder dan {days} dagen"):
            activate(db, region.id, rehearsed, "Zo.", "teun", late)
        activate(db, region.id, rehearsed, "Zo.", "teun", now(db) + timedelta(days=days, minutes=-1))

    def test_a_rehearsal_against_rules_that_are_no_longer_in_force_is_no_ground(
        self, db: Db, region: Register
    ) -> None:
        first, second = region.add_rules("proef-1"), region.add_rules("proef-2")
        waiting = region.rehearse(second)
        put_in_force(region, first)
        with pytest.raises(Conflict, match="andere regels in gebruik"):
            activate(db, region.id, waiting, "Zo.", "teun", now(db))
        again = region.rehearse(second)
        activate(db, region.id, again, "Zo.", "teun", now(db))
        with pytest.raises(Conflict, match="al in gebruik"):
            activate(db, region.id, again, "Nog eens.", "teun", now(db))

    def test_the_rehearsal_of_another_region_does_not_exist(
        self, db: Db, region: Register, new_region: Callable[[], Register]
    ) -> None:
        rehearsed = region.rehearse(region.add_rules("proef-1"))
        with pytest.raises(NotFound):
            activate(db, new_region().id, rehearsed, "Zo.", "teun", now(db))

    @pytest.mark.parametrize("table", ["letters", "sounds", "articles", "nicknames", "unnamed", "stop_phones"])
    def test_rules_that_read_names_otherwise_need_the_keys_to_be_made_anew(
        self, db: Db, region: Register, table: str
    ) -> None:
        longer: dict[str, Any] = {
            "letters": {**load().letters, "☃": "x"},
            "sounds": [*load().sounds, ["zz", "s"]],
            "articles": [*load().articles, "zz"],
            "nicknames": [*load().nicknames, ["voorbeeldnaam", "vb"]],
            "unnamed": [*load().unnamed, "zz"],
            "stop_phones": [*load().stop_phones, "0000000000"],
        }
        text = rules_text("proef-1", **{table: longer[table]})
        assert rulesets.changed_tables(load(), rulesets.parse(text)) == (table,)
        rulesets.add(db, region.id, text, "teun", now(db))
        rehearsed = region.add_rules("proef-2")
        row = {
            **dict.fromkeys(("id", "against_rule_set_id"), None),
            "region_id": region.id,
            "version": "proef-1",
            "rule_set_id": rulesets.find(db, region.id, "proef-1").id,
            "against": load().version,
            "finished_at": now(db),
        }
        assert "veilig reindex" in (obstacle(db, row, now(db)) or "")
        assert table in (obstacle(db, row, now(db)) or "")
        with pytest.raises(Conflict, match="veilig reindex"):
            region.rehearse("proef-1")
        assert region.rehearse(rehearsed)

    def test_weights_limits_and_frequencies_are_no_tables(self) -> None:
        rules = rulesets.parse(rules_text("x", limits={"margin": 1}, source="Anders."))
        assert rulesets.changed_tables(load(), rules) == ()
        assert set(type(rules).model_fields) >= rulesets.WEIGHING

    def test_two_people_who_activate_at_once_are_told_apart(
        self, db: Db, region: Register, database_url: str
    ) -> None:
        found = [region.rehearse(region.add_rules(f"proef-{n}")) for n in (1, 2)]

        def press(rehearsed: UUID) -> str:
            with transaction() as own:
                activation.activate(own, region.id, rehearsed, "Zo.", "teun", now(own))
            return "done"

        with ThreadPoolExecutor(2) as team:
            asked = [team.submit(press, one) for one in found]
            errors = [one.exception() for one in asked]
        assert sorted(error is None for error in errors) == [False, True]
        assert any(isinstance(error, Conflict) for error in errors)
        assert db.execute("SELECT count(*) AS n FROM rule_activation").fetchone() == {"n": 1}
        with psycopg.connect(database_url, **connection_options()) as other:
            assert rulesets.in_force(other, region.id).version.startswith("proef-")

    def test_a_region_without_reports_can_rehearse_at_once(self, db: Db, region: Register) -> None:
        rehearsed = region.rehearse(region.add_rules("proef-1"))
        row = db.execute("SELECT reports, finished_at FROM rehearsal WHERE id = %s", (rehearsed,)).fetchone()
        assert row
        assert (row["reports"], row["finished_at"] is None) == (0, False)

    def test_more_added_rule_sets_than_are_remembered(self, db: Db, region: Register) -> None:
        sets = [rulesets.find(db, region.id, region.add_rules(f"proef-{n}", automatic=10 + n)) for n in range(12)]
        for number, one in enumerate(sets):
            assert rulesets.rules_of(db, one).limits.automatic == 10 + number
        assert rulesets.rules_of(db, sets[0]).limits.automatic == 10


def test_the_household_of_the_fixtures_is_one(region: Register) -> None:
    """The other tests lean on it: the second report finds all three."""
    region.arrive(JAN, MIA, ANNE)
    assert [one.state for one in region.arrive(JAN, MIA, ANNE).decisions] == ["automatic"] * 3
