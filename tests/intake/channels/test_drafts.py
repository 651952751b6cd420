"""A call that is being recorded: sealed, numbered, of one member, and gone when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.secrets import forget_key
from intake.channels import drafts
from intake.channels.drafts import StaleCall, TakenOver
from workers import verify

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TYPED = {"wat": "De buurvrouw Proefstra wordt geslagen.", "p1.rol": ""}
RULE = "of a call that is over nothing that was typed is left, and the key that sealed it is gone"


class Region:
    """A region with two members."""

    def __init__(self, db: Db) -> None:
        self.db, self.id, self.bo, self.mo = db, uuid7(), uuid7(), uuid7()
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Dal', '00000099000000002001')", (self.id,))
        for member, name in ((self.bo, "bo"), (self.mo, "mo")):
            db.execute(
                "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
                " VALUES (%s, %s, %s, %s, 'intake_worker', 'x')",
                (member, self.id, name, name.title()),
            )

    def start(self) -> UUID:
        return drafts.start(self.db, self.id, self.bo, TYPED, by="bo", at=AT)

    def find(self, draft: UUID) -> drafts.Draft:
        return drafts.find(self.db, self.id, draft, self.bo, by="bo")

    def save(self, draft: UUID, version: int, text: str, at: datetime = AT) -> int:
        return drafts.save(self.db, self.id, draft, self.bo, version, {"wat": text}, by="bo", at=at)


@pytest.fixture
def region(db: Db) -> Iterator[Region]:
    forget_key()
    yield Region(db)
    forget_key()


def test_what_was_typed_is_sealed_and_comes_back_as_it_was(region: Region) -> None:
    draft = region.start()
    row = region.db.execute("SELECT content FROM intake_draft WHERE id = %s", (draft,)).fetchone()
    assert row is not None
    assert b"Proefstra" not in bytes(row["content"])
    assert region.find(draft).fields == TYPED
    assert "Proefstra" not in repr(region.find(draft))


def test_content_of_one_call_cannot_be_put_in_another(region: Region) -> None:
    one, other = region.start(), region.start()
    region.db.execute(
        "UPDATE intake_draft SET content = (SELECT content FROM intake_draft WHERE id = %s) WHERE id = %s",
        (one, other),
    )
    with pytest.raises(Exception, match="niet te lezen"):
        region.find(other)


def test_a_save_over_an_older_version_changes_nothing_and_shows_theirs(region: Region) -> None:
    draft = region.start()
    assert region.save(draft, 0, "eerst") == 1
    with pytest.raises(StaleCall) as stale:
        region.save(draft, 0, "ook")
    assert stale.value.theirs.fields == {"wat": "eerst"}
    assert region.find(draft).fields == {"wat": "eerst"}
    assert region.save(draft, 0, "eerst") == 1, "the same text is no conflict"


def test_a_search_that_is_remembered_is_no_new_version(region: Region) -> None:
    draft = region.start()
    drafts.remember(region.db, region.find(draft), {"p1": {"search": "s", "terms": "t"}})
    found = region.find(draft)
    assert (found.version, found.fields, found.searches) == (0, TYPED, {"p1": {"search": "s", "terms": "t"}})
    region.save(draft, 0, "later")
    assert region.find(draft).searches == found.searches


def test_another_member_has_nothing_to_find_and_who_lost_it_is_told(region: Region) -> None:
    draft = region.start()
    with pytest.raises(NotFound):
        drafts.find(region.db, region.id, draft, region.mo, by="mo")
    with pytest.raises(NotFound):
        drafts.find(region.db, uuid7(), draft, region.bo, by="bo")
    with pytest.raises(NotAllowed):
        drafts.take_over(
            region.db, region.id, draft, region.mo, by="mo", at=AT + timedelta(minutes=29), at_once=False
        )
    drafts.take_over(region.db, region.id, draft, region.mo, by="mo", at=AT + drafts.ABANDONED, at_once=False)
    assert drafts.find(region.db, region.id, draft, region.mo, by="mo").fields == TYPED
    with pytest.raises(TakenOver):
        region.save(draft, 0, "nog iets")


@pytest.mark.parametrize("outcome", ["report", "advice", "ended", "removed"])
def test_what_is_done_is_empty_cannot_be_read_from_an_older_copy_and_never_changes(
    region: Region, outcome: drafts.Outcome
) -> None:
    draft = region.start()
    target = uuid7() if outcome in ("report", "advice") else None
    reason = "De lijn viel weg." if outcome == "removed" else ""
    drafts.finish(region.db, region.find(draft), outcome, by="bo", at=AT, outcome_id=target, reason=reason)
    found = region.find(draft)
    assert (found.outcome, found.outcome_id, found.fields) == (outcome, target, {})
    assert region.db.execute("SELECT FROM data_key WHERE id = %s", (draft,)).fetchone() is None
    with pytest.raises(Conflict):
        region.save(draft, 0, "nog iets")
    with pytest.raises(Conflict), region.db.transaction():
        drafts.finish(region.db, found, "ended", by="bo", at=AT)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        region.db.execute("UPDATE intake_draft SET outcome = 'ended', outcome_id = NULL, reason = NULL")
    assert drafts.open_ones(region.db, region.id) == []
    (rule,) = [one for one in verify._queries(region.db) if one.text == RULE]
    assert (rule.checked, rule.breaches) == (1, 0)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 301, "Bellen met 06 12345678 hielp niet."])
def test_removing_asks_for_a_reason_that_tells_nothing_of_anybody(region: Region, reason: str) -> None:
    draft = region.start()
    with pytest.raises(ReasonMissing):
        drafts.finish(region.db, region.find(draft), "removed", by="bo", at=AT, reason=reason)
    assert region.find(draft).fields == TYPED


def test_content_without_an_end_and_an_end_with_content_are_refused_by_the_database(region: Region) -> None:
    region.start()
    with pytest.raises(psycopg.errors.CheckViolation):
        region.db.execute("UPDATE intake_draft SET content = NULL")
    with pytest.raises(psycopg.errors.CheckViolation):
        region.db.execute("UPDATE intake_draft SET outcome = 'ended', done_by = 'bo', done_at = now()")
    with pytest.raises(psycopg.errors.CheckViolation):
        region.db.execute("UPDATE intake_draft SET content = 'leesbaar'")
