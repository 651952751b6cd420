"""A region from which something leaves: a report in a case, its persons linked, and the way to let things out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.ids import uuid7
from radar.outbound import gate, recipients, release, rows
from tests.radar.told import Told
from tests.web.conftest import FATHER, MOTHER, PERSON

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # a Monday
CONTENT = b"De inhoud van een bericht."


class Door:
    """A report of a child and its parents, whose links are settled."""

    def __init__(self, db: Db, number: int = 1, **report: Any) -> None:
        self.db, self.world = db, Told(db, number)
        self.household, self.case = self.world.household(AT - timedelta(days=3))
        self.report = self.world.report(
            AT - timedelta(days=3),
            [PERSON, MOTHER, FATHER],
            household=self.household,
            case=self.case,
            **{"state": "conditions", **report},
        )
        self.persons = [uuid7() for _ in range(3)]
        self.links = [
            self.world.link(self.report, n, one, "automatic") for n, one in enumerate(self.persons, start=1)
        ]
        self.mother = self.mention(2)

    def mention(self, number: int) -> UUID:
        row = self.db.execute(
            "SELECT id FROM mention WHERE report_id = %s AND number = %s", (self.report, number)
        ).fetchone()
        assert row
        found: UUID = row["id"]
        return found

    def propose(self, kind: str, subject: UUID | None = None, **changes: Any) -> UUID:
        """Something of this kind, to who such a thing goes to here; gives its id."""
        to: dict[str, Any] = {
            "person_notice": (("person", self.mother), ["letter"]),
            "access_copy": (("person", self.mother), ["letter", "own_data"]),
            "feedback_letter": (("sender", self.world.police), ["letter"]),
            "vto": (("partner", self.world.local_team), ["persons", "form"]),
        }
        recipient, parts = to.get(kind, (("person", self.mother), ["letter"]))
        values: dict[str, Any] = {
            "kind": kind,
            "subject": subject or uuid7(),
            "report_id": self.report,
            "recipient": recipient,
            "parts": parts,
            "by": "bram",
            "at": AT,
        }
        with self.db.transaction():
            return release.propose(self.db, **values | changes)

    def release(self, one: UUID, by: str = "bram", at: datetime = AT, texts: tuple[str, ...] = ()) -> bool:
        with self.db.transaction():
            return release.release(self.db, one, by=by, at=at, texts=texts)

    def released(self, kind: str = "person_notice", **changes: Any) -> UUID:
        """Proposed, its person checked, and released by as many as needed."""
        one = self.propose(kind, **changes)
        with self.db.transaction():
            recipients.check_person(self.db, self.mother, "asked", by="bram", at=AT)
        if not self.release(one):
            assert self.release(one, "gwen")
        return one

    def row(self, one: UUID) -> Row:
        return rows.find(self.db, self.world.region, one)

    def leave(
        self, one: UUID, content: bytes = CONTENT, at: datetime = AT, texts: tuple[str, ...] = ()
    ) -> bytes | None:
        row = self.row(one)
        with self.db.transaction():
            return gate.pass_out(self.db, row["kind"], row["subject_id"], content, by="system", at=at, texts=texts)

    def objections(self, one: UUID, at: datetime = AT, texts: tuple[str, ...] = ()) -> list[str]:
        return [found.code for found in gate.check(self.db, self.row(one), at, texts)]

    def tasks(self) -> list[UUID]:
        rows = self.db.execute("SELECT subject_id FROM task WHERE kind = 'outgoing' AND done_at IS NULL").fetchall()
        return [row["subject_id"] for row in rows]

    def audited(self, action: str) -> list[Row]:
        return self.db.execute(
            "SELECT actor, outcome, details FROM audit_entry WHERE action = %s ORDER BY at", (action,)
        ).fetchall()
