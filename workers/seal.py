"""`veilig seal`: seal what came in before sealing, in batches, while the product serves; to be repeated at will."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import click
import psycopg
from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row, connection_options, database_url
from core.sealing import DataKey, key_or_new
from intake import vault

BATCH = 200
"""Messages or reports per transaction."""

LEFT = """
SELECT (SELECT count(*) FROM message WHERE NOT is_sealed(raw) AND raw <> '') + (SELECT count(*) FROM report r
    WHERE holds_plain_reporter(r.content) OR EXISTS (SELECT FROM mention m WHERE m.report_id = r.id
        AND holds_plain_person(m.person))) AS n
"""
MESSAGES = """
SELECT id, region_id, raw FROM message WHERE id > %(after)s AND NOT is_sealed(raw) AND raw <> ''
ORDER BY id LIMIT %(batch)s
"""
REPORTS = """
SELECT r.id, r.region_id, r.message_id, r.content FROM report r WHERE r.id > %(after)s
AND (holds_plain_reporter(r.content) OR EXISTS (SELECT FROM mention m WHERE m.report_id = r.id
    AND holds_plain_person(m.person))) ORDER BY r.id LIMIT %(batch)s FOR NO KEY UPDATE
"""


@click.command("seal")
def seal() -> None:
    """Seal raw messages, citizen service numbers and reporters that are still plain in the database."""
    with (
        psycopg.connect(database_url(), **connection_options(0)) as db,
        click.progressbar(length=left(db), label="Sealed", file=sys.stderr) as bar,
    ):
        for done in advance(db):
            bar.update(done)
    click.echo("What came in before is sealed. Backups from before hold it plain: let them expire.")


def left(db: Db) -> int:
    """How many messages and reports still hold something plain."""
    row = db.execute(LEFT).fetchone()
    return int(row["n"]) if row else 0


def advance(db: Db) -> Iterator[int]:
    """Seal what is plain, a batch per transaction; gives how many messages and reports each batch held."""
    for batch in (_messages, _reports):
        last: UUID | None = UUID(int=0)
        while last:
            with db.transaction():
                done, last = batch(db, last)
            yield done


def _messages(db: Db, after: UUID) -> tuple[int, UUID | None]:
    rows = db.execute(MESSAGES, {"after": after, "batch": BATCH}).fetchall()
    for row in rows:
        key = key_or_new(db, row["id"], row["region_id"])
        db.execute(
            "UPDATE message SET raw = %s WHERE id = %s AND NOT is_sealed(raw)",
            (key.seal(bytes(row["raw"]), vault.raw_place(row["id"])), row["id"]),
        )
    return _noted(db, rows, "message")


def _reports(db: Db, after: UUID) -> tuple[int, UUID | None]:
    rows = db.execute(REPORTS, {"after": after, "batch": BATCH}).fetchall()
    for row in rows:
        key = key_or_new(db, row["message_id"], row["region_id"])
        _report(db, row, key)
        for mention in db.execute("SELECT id, person FROM mention WHERE report_id = %s", (row["id"],)).fetchall():
            _mention(db, row["region_id"], mention, key)
    return _noted(db, rows, "report")


def _report(db: Db, row: Row, key: DataKey) -> None:
    parted = vault.part(row["content"], [])
    if parted.identity or parted.numbers:
        db.execute(
            "INSERT INTO reporter_secret (report_id, region_id, sealed, numbers) VALUES (%s, %s, %s, %s)",
            (
                row["id"],
                row["region_id"],
                vault.sealed(key, parted.identity, vault.identity_place(row["id"])),
                vault.sealed(key, parted.numbers, vault.numbers_place(row["id"])),
            ),
        )
        db.execute("UPDATE report SET content = %s WHERE id = %s", (Jsonb(parted.content), row["id"]))


def _mention(db: Db, region: UUID, mention: Row, key: DataKey) -> None:
    kept, secret = vault.part_person(mention["person"])
    if secret:
        db.execute(
            "INSERT INTO mention_secret (mention_id, region_id, sealed, bsn_key) VALUES (%s, %s, %s, %s)",
            (
                mention["id"],
                region,
                vault.sealed(key, secret, vault.person_place(mention["id"])),
                vault.look_up(kept),
            ),
        )
        db.execute("UPDATE mention SET person = %s WHERE id = %s", (Jsonb(kept), mention["id"]))


def _noted(db: Db, rows: list[Row], kind: str) -> tuple[int, UUID | None]:
    """Write per region what was sealed; gives how many, and the last one when there may be more."""
    for region, count in Counter(row["region_id"] for row in rows).items():
        audit.append(db, region, "operator", "vault.seal", kind, None, {"count": count})
    return len(rows), rows[-1]["id"] if len(rows) == BATCH else None
