"""The API as a sender sees it: the whole application over a fresh database, with one region and its police sender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.testclient import TestClient

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from intake import opening, senders
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_json, sample_report
from web.app import create_app
from workers.work import carry_out

CORV = "/api/v1/corv/berichten"
MELDINGEN = "/api/v1/meldingen"
SCHOOL_OIN = "00000099000000003000"


@dataclass
class Feed:
    """A sender at the doors, and the database behind them."""

    client: TestClient
    db: Db
    region: UUID
    token: str

    def xml(self, changes: Mapping[str, Any] | None = None) -> bytes:
        """The sample as StUF."""
        return write_report(sample_report(changes))

    def post(self, body: bytes, token: str | None = None, **headers: str) -> httpx.Response:
        """To the StUF door."""
        sent = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "text/xml", **headers}
        return self.client.post(CORV, content=body, headers=sent)

    def post_json(self, body: Any, token: str | None = None) -> httpx.Response:
        """To the JSON door: an object, or bytes as they are."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        if isinstance(body, bytes):
            return self.client.post(MELDINGEN, content=body, headers=headers)
        return self.client.post(MELDINGEN, json=body, headers=headers)

    def sample(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The sample as JSON."""
        return sample_json(changes)

    def state(self, identifier: str, token: str | None = None) -> httpx.Response:
        return self.client.get(
            f"{MELDINGEN}/{identifier}", headers={"Authorization": f"Bearer {token or self.token}"}
        )

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        return self.db.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def kept(self) -> list[bytes]:
        """The bytes of every message, unsealed, in the order of receipt."""
        rows = self.rows("SELECT id, raw FROM message ORDER BY received_at, id")
        return [opening.raw(self.db, row["id"], bytes(row["raw"])) for row in rows]

    def count(self, table: str) -> int:
        number: int = self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
        return number

    def new_sender(self, oin: str = SCHOOL_OIN, kind: str = "onderwijs", **more: Any) -> str:
        """Another sender; returns its token."""
        with self.db.transaction():
            return senders.add(self.db, self.region, oin, f"Afzender {oin}", kind, **more)

    def work(self) -> None:
        """Do all jobs that wait."""
        while waiting := self.rows("SELECT id FROM job WHERE state = 'new' AND due_at <= now() ORDER BY created_at"):
            for job in waiting:
                carry_out(job["id"])


@pytest.fixture
def feed(db: Db) -> Iterator[Feed]:
    """The running application; every pool is open."""
    region = uuid7()
    senders.forget()  # of another test's database
    with db.transaction():
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (region, VEILIG_THUIS_OIN))
        token = senders.add(db, region, POLICE_OIN, "Politie eenheid Voorbeeld", "politie")
    with TestClient(create_app(), base_url="https://testserver", follow_redirects=False) as client:
        yield Feed(client, db, region, token)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets one setting of the running application."""

    def put(name: str, value: str) -> None:
        monkeypatch.setenv(f"VEILIG_{name}", value)
        settings.cache_clear()

    return put
