"""The blind sample: drawn by id alone, off the hot path, and what the answers say of the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from core.database import Db, now, transaction
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import correct
from radar.linking.rules import load
from radar.quality import intervals, sample, sample_rows
from radar.quality.policy import Policy
from radar.quality.sample import UnknownAnswer
from tests.radar.quality.conftest import DAY, JAN, MIA, OTHER_JAN, STRANGER, Register, link_row

pytestmark = pytest.mark.usefixtures("figures")
HOUR = timedelta(hours=1)


def draw(region: Register, at: datetime | None = None) -> int:
    with region.db.transaction():
        return sample.draw(region.db, region.id, at or now(region.db) + HOUR)


def pairs(region: Register) -> dict[UUID, dict[str, Any]]:
    """The drawn pairs by mention."""
    found = region.db.execute("SELECT * FROM quality_sample WHERE region_id = %s", (region.id,))
    return {row["mention_id"]: row for row in found}


def strata(region: Register) -> dict[str, tuple[int, int, int]]:
    found = sample_rows.strata(region.db, region.id)
    return {row["stratum"]: (row["frame"], row["drawn"], row["shown"]) for row in found}


def say(region: Register, mention: UUID, answer: str) -> None:
    with region.db.transaction():
        sample.answer(region.db, region.id, pairs(region)[mention]["id"], answer, "bram", DAY)


def test_an_automatic_link_is_shown_beside_what_was_known_of_that_person(db: Db, region: Register) -> None:
    first, second = region.arrive(JAN), region.arrive(JAN)
    assert second.decisions[0].state == "automatic"
    draw(region)
    pair = pairs(region)[second.decisions[0].mention]
    assert (pair["stratum"], pair["person_id"]) == ("link", first.decisions[0].person)
    assert pair["others"] == [first.decisions[0].mention]
    assert pair["rule_set"] == load().version


def test_a_new_person_is_shown_beside_his_nearest_other_candidate(db: Db, region: Register) -> None:
    first = region.arrive(OTHER_JAN).decisions[0]
    near = region.arrive(JAN).decisions[0]
    assert near.state == "new"
    # He came again since, and is found by himself: that says nothing of a missed link.
    again = region.arrive(JAN).decisions[0]
    assert again.person == near.person
    draw(region)
    pair = pairs(region)[near.mention]
    assert (pair["stratum"], pair["person_id"], pair["others"]) == ("non_link", first.person, [first.mention])


def test_somebody_like_nobody_is_counted_and_not_shown(region: Register) -> None:
    region.arrive(STRANGER)
    assert draw(region) == 0
    assert strata(region)["non_link"] == (1, 1, 0)


def test_drawing_leaves_the_register_as_it_was(db: Db, region: Register) -> None:
    for persons in ([JAN, MIA], [JAN, MIA], [OTHER_JAN], [STRANGER]):
        region.arrive(*persons)
    names = ("link", "person", "membership", "mention", "report", "household", "task")

    def content() -> list[str]:
        return [str(db.execute(f"SELECT t::text AS line FROM {one} t ORDER BY 1").fetchall()) for one in names]

    before = content()
    assert draw(region) > 0
    assert content() == before


def propose(region: Register, mention: UUID, person: UUID | None) -> UUID:
    proposal = uuid7()
    region.db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        " VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 1, '[]', %s)",
        (proposal, region.id, mention, person, load().version),
    )
    return proposal


def test_a_link_that_a_person_took_back_stays_a_link_of_the_machine(db: Db, region: Register) -> None:
    region.arrive(JAN)
    wrong = region.arrive(JAN).decisions[0]
    with db.transaction():
        correct.undo(db, wrong.link or uuid7(), "bram", DAY)
    draw(region)
    assert pairs(region)[wrong.mention]["stratum"] == "link"
    assert {name: counted[0] for name, counted in strata(region).items()} == {"link": 1, "non_link": 1}


@pytest.mark.parametrize("word", [correct.confirm, correct.reject, None])
def test_what_a_person_is_asked_is_neither_a_link_nor_a_non_link(db: Db, region: Register, word: Any) -> None:
    known = region.arrive(OTHER_JAN).decisions[0]
    asked = region.arrive(JAN).decisions[0]
    proposal = propose(region, asked.mention, known.person)
    if word:
        with db.transaction():
            word(db, proposal, "bram", DAY)
    draw(region)
    assert asked.mention not in pairs(region)
    assert {name: counted[0] for name, counted in strata(region).items() if counted[0]} == {"non_link": 1} | (
        {"answered_yes": 1} if word is correct.confirm else {}
    )


def test_a_link_is_drawn_by_its_id_alone(
    db: Db, region: Register, figures: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = figures.model_copy(update={"sample": figures.sample.model_copy(update={"link_share": 0.5})})
    monkeypatch.setattr(sample, "policy", lambda: half)
    for _ in range(16):
        region.arrive(JAN)
    links = [row["id"] for row in db.execute("SELECT id FROM link WHERE state = 'automatic'")]
    wanted = {one for one in links if int(hashlib.md5(str(one).encode()).hexdigest()[:8], 16) < 0.5 * 2**32}
    assert 0 < len(wanted) < len(links)
    draw(region)
    assert {row["link_id"] for row in pairs(region).values() if row["stratum"] == "link"} == wanted
    assert strata(region)["link"] == (15, len(wanted), len(wanted))


def test_each_decision_is_drawn_from_once_however_old_its_report(db: Db, region: Register) -> None:
    region.arrive(JAN)
    region.arrive(JAN)
    later = now(db) + HOUR
    assert draw(region, later) == 1
    before = strata(region)
    assert draw(region, later) == 0
    assert draw(region, later + HOUR) == 0
    assert strata(region) == before


def test_a_link_of_this_minute_waits_for_the_next_draw(db: Db, region: Register) -> None:
    region.arrive(JAN)
    region.arrive(JAN)
    assert draw(region, now(db)) == 0
    assert draw(region, now(db) + HOUR) == 1


def test_a_region_is_drawn_once_a_day(
    db: Db, region: Register, new_region: Callable[[], Register], figures: Policy
) -> None:
    other = new_region()
    for one in (region, other):
        one.arrive(JAN)
        one.arrive(JAN)
    at = now(db) + HOUR
    with db.transaction():
        assert sample.draw_due(db, at) == 2
    for hours, draws in ((1, 1), (figures.sample.every_hours, 2), (figures.sample.every_hours + 1, 2)):
        with db.transaction():
            assert sample.draw_due(db, at + timedelta(hours=hours)) == 0
        row = db.execute(
            "SELECT count(DISTINCT until) AS n FROM quality_draw WHERE region_id = %s", (region.id,)
        ).fetchone()
        assert row == {"n": draws}
    for one in (region, other):
        assert [row["details"] for row in one.audited("quality.draw")] == [{"pairs": 1}]


def test_two_clocks_that_draw_at_once_draw_once(db: Db, region: Register) -> None:
    for _ in range(4):
        region.arrive(JAN)
    at, start = now(db) + HOUR, Barrier(2)

    def tick(_: int) -> int:
        with transaction() as own:
            start.wait(5)
            return sample.draw(own, region.id, at)

    with ThreadPoolExecutor(2) as team:
        assert sum(team.map(tick, range(2))) == 3
    assert strata(region)["link"] == (3, 3, 3)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_doubt_about_an_automatic_link_opens_a_question_and_undoes_nothing(db: Db, region: Register) -> None:
    region.arrive(JAN)
    linked = region.arrive(JAN).decisions[0]
    draw(region)
    before = link_row(db, linked.link)
    say(region, linked.mention, "different")
    assert link_row(db, linked.link) == before
    (question,) = sample_rows.questions(db, region.id)
    assert (question["open"], question["state"], question["answered_by"]) == (True, "automatic", "bram")
    with db.transaction():
        correct.undo(db, linked.link or uuid7(), "teun", DAY)
    (question,) = sample_rows.questions(db, region.id)
    assert (question["open"], question["state"]) == (False, "undone")


def test_a_missed_link_becomes_a_proposal_with_its_task(db: Db, region: Register) -> None:
    known = region.arrive(OTHER_JAN).decisions[0]
    missed = region.arrive(JAN).decisions[0]
    draw(region)
    say(region, missed.mention, "same")
    (question,) = sample_rows.questions(db, region.id)
    assert (question["open"], question["state"]) == (True, "proposed")
    proposal = link_row(db, pairs(region)[missed.mention]["proposal_id"])
    assert (proposal["mention_id"], proposal["person_id"]) == (missed.mention, known.person)
    assert "steekproef" in proposal["reasons"][0]["text"]
    task = db.execute("SELECT done_at FROM task WHERE subject_id = %s", (proposal["id"],)).fetchone()
    assert task == {"done_at": None}
    with db.transaction():
        correct.confirm(db, proposal["id"], "teun", DAY)
    assert not sample_rows.questions(db, region.id)[0]["open"]
    # Found by the sample, so it counts as missed by the machine: not as a proposal of its own.
    draw(region, now(db) + 2 * HOUR)
    assert "answered_yes" not in strata(region)


def test_a_missed_link_that_was_made_meanwhile_is_not_asked_again(db: Db, region: Register) -> None:
    region.arrive(OTHER_JAN)
    missed = region.arrive(JAN).decisions[0]
    draw(region)
    gone = pairs(region)[missed.mention]["person_id"]
    db.execute("UPDATE link SET state = 'undone', decided_by = 'x' WHERE person_id = %s", (gone,))
    say(region, missed.mention, "same")
    assert pairs(region)[missed.mention]["proposal_id"] is None
    assert sample_rows.questions(db, region.id) == []


@pytest.mark.parametrize("answer", ["different", "cannot_tell"])
def test_a_non_link_that_is_right_or_unclear_asks_nothing(db: Db, region: Register, answer: str) -> None:
    region.arrive(OTHER_JAN)
    near = region.arrive(JAN).decisions[0]
    draw(region)
    say(region, near.mention, answer)
    assert sample_rows.questions(db, region.id) == []
    assert db.execute("SELECT count(*) AS n FROM link WHERE state = 'proposed'").fetchone() == {"n": 0}


def test_an_answer_is_given_once_and_only_in_its_own_region(
    db: Db, region: Register, new_region: Callable[[], Register]
) -> None:
    region.arrive(JAN)
    linked = region.arrive(JAN).decisions[0]
    draw(region)
    pair = pairs(region)[linked.mention]["id"]
    with pytest.raises(UnknownAnswer):
        sample.answer(db, region.id, pair, "ja", "bram", DAY)
    with pytest.raises(NotFound):
        sample.answer(db, new_region().id, pair, "same", "bram", DAY)
    say(region, linked.mention, "same")
    with pytest.raises(Conflict):
        say(region, linked.mention, "different")
    (row,) = region.audited("quality.answer")
    assert (row["actor"], row["object_id"], row["details"]) == ("bram", pair, {"answer": "same"})


def test_two_reviewers_do_not_get_the_same_order(region: Register) -> None:
    for _ in range(8):
        region.arrive(JAN)
    draw(region)
    found = {
        row["id"]
        for number in range(12)
        if (row := sample_rows.next_open(region.db, region.id, f"reviewer-{number}"))
    }
    assert len(found) > 1


def test_the_figures_follow_from_the_answers(db: Db, region: Register) -> None:
    region.arrive(OTHER_JAN)
    missed = region.arrive(JAN).decisions[0]
    right = [region.arrive(JAN).decisions[0] for _ in range(3)]
    region.arrive(STRANGER)
    draw(region)
    (empty,) = sample.quality(db, region.id)
    assert (empty.precision, empty.recall) == (intervals.NOTHING_SEEN, intervals.NOTHING_SEEN)
    for one, said in zip(right, ("same", "same", "cannot_tell"), strict=True):
        say(region, one.mention, said)
    (others,) = [
        row for row in pairs(region).values() if row["stratum"] == "non_link" and row["mention_id"] != missed.mention
    ]
    say(region, missed.mention, "same")
    say(region, others["mention_id"], "different")
    (found,) = sample.quality(db, region.id)
    assert found.rule_set == load().version
    assert (found.links, found.links_judged, found.non_links, found.non_links_judged) == (3, 2, 3, 2)
    assert (found.cannot_tell, found.missed_links, found.wrong_links) == (1, 1, 0)
    assert found.precision == intervals.wilson(2, 2)
    # Three non-links, all drawn; the stranger had no candidate and counts as right: one in three was missed.
    assert found.recall.value == pytest.approx(3 / (3 + 3 * (1 / 3)))


def test_a_deleted_mention_leaves_its_answer_in_the_figures(db: Db, region: Register) -> None:
    region.arrive(JAN)
    linked = region.arrive(JAN).decisions[0]
    draw(region)
    say(region, linked.mention, "same")
    before = sample.quality(db, region.id)
    db.execute("UPDATE quality_sample SET link_id = NULL, mention_id = NULL")
    assert sample.quality(db, region.id) == before
    assert sample_rows.next_open(db, region.id, "bram") is None
