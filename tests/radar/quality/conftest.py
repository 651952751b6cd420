"""A small register of invented people in a real database, linked by the production engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core.database import Db, now
from core.ids import uuid7
from radar.linking import register
from radar.linking.rules import FOLDER, load
from radar.quality import rehearsal, rulesets, sample
from radar.quality.policy import Policy, policy
from workers import work

DAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}
ELSEWHERE = {"straat": "Proefweg", "huisnummer": "7", "postcode": "9876ZX", "woonplaats": "Anderstad"}


def who(first: str, last: str, birth: str, home: dict[str, str] = HOME, **more: Any) -> dict[str, Any]:
    return {
        "naam": {"voornamen": first, "geslachtsnaam": last},
        "rol": {"code": "111"},
        "geboortedatum": {"tekst": birth},
        "adressen": [{"soort": "formeel"} | home],
    } | more


JAN = who("Jan", "Voorbeeld", "19800305")
MIA = who("Mia", "Testers", "19820711")
ANNE = who("Anne", "Voorbeeld", "20150602")
OTHER_JAN = who("Jan", "Voorbeeld", "19550305", ELSEWHERE)
STRANGER = who("Xanthippe", "Quirijnen", "19610101", ELSEWHERE | {"postcode": "5555XX", "huisnummer": "99"})


@dataclass
class Register:
    """One region; `arrive` receives and links a report."""

    db: Db
    id: UUID = field(default_factory=uuid7)
    sender: UUID = field(default_factory=uuid7)
    days: int = 0

    def __post_init__(self) -> None:
        self.db.execute(
            "INSERT INTO region (id, name, oin) VALUES (%s, %s, %s)",
            (self.id, f"Testdam {self.id}", f"{self.id.int % 10**20:020}"),
        )
        self.db.execute(
            "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Test', 'politie')",
            (self.sender, self.id, "1" * 20),
        )

    def receive(self, *persons: dict[str, Any]) -> UUID:
        self.days += 1
        at, message, report = DAY + timedelta(days=self.days), uuid7(), uuid7()
        self.db.execute(
            "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
            " answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
            (message, self.id, self.sender, at, message.bytes, hashlib.sha256(message.bytes).digest()),
        )
        self.db.execute(
            "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
            " received_at, content, remarks, acute_signals, acute_rules)"
            " VALUES (%s, %s, %s, %s, 'politie', 'x', %s, '{}', '[]', '[]', 'x')",
            (report, self.id, message, self.sender, at),
        )
        for number, person in enumerate(persons, start=1):
            self.db.execute(
                "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
                (uuid7(), self.id, report, number, Jsonb(person)),
            )
        return report

    def arrive(self, *persons: dict[str, Any]) -> register.LinkResult:
        report = self.receive(*persons)
        with self.db.transaction():
            return register.link_report(self.db, report, DAY + timedelta(days=self.days))

    def add_rules(self, version: str, **limits: float) -> str:
        """A rule set like the shipped one, with other limits."""
        with self.db.transaction():
            rulesets.add(self.db, self.id, rules_text(version, limits=limits), "teun", DAY)
        return version

    def rehearse(self, version: str) -> UUID:
        """Ask for a rehearsal and carry it out as a worker does, job by job."""
        with self.db.transaction():
            asked = rehearsal.ask(self.db, self.id, version, "teun", now(self.db))
        while job := self.waiting_job():
            assert work.carry_out(job)
        return asked

    def waiting_job(self) -> UUID | None:
        row = self.db.execute("SELECT id FROM job WHERE kind = 'rehearse_rules' AND state = 'new'").fetchone()
        return row["id"] if row else None

    def audited(self, action: str) -> list[dict[str, Any]]:
        return self.db.execute(
            "SELECT actor, object_id, details FROM audit_entry WHERE action = %s AND region_id = %s ORDER BY at",
            (action, self.id),
        ).fetchall()


def rules_text(version: str, *, limits: dict[str, float] | None = None, **changed: Any) -> str:
    document = json.loads((FOLDER / f"{load().version}.json").read_text("utf-8"))
    document |= {"version": version, "source": "Een proef.", **changed}
    document["limits"] |= limits or {}
    return json.dumps(document)


def link_row(db: Db, link: UUID | None) -> dict[str, Any]:
    row = db.execute("SELECT * FROM link WHERE id = %s", (link,)).fetchone()
    assert row
    return row


@pytest.fixture
def region(db: Db) -> Register:
    return Register(db)


@pytest.fixture
def new_region(db: Db) -> Callable[[], Register]:
    return lambda: Register(db)


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Policy:
    """Two reports per part, one report enough, and every decision in the sample."""
    real = policy()
    small = real.model_copy(
        update={
            "rehearsal": real.rehearsal.model_copy(update={"least": 1, "part": 2}),
            "sample": real.sample.model_copy(update={"link_share": 1.0, "non_link_share": 1.0}),
        }
    )
    for module in (rehearsal, sample):
        monkeypatch.setattr(module, "policy", lambda: small)
    return small
