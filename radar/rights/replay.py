"""After a restore: what the register says was destroyed and this database still holds, is destroyed again (D13)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db
from core.ids import uuid7
from radar.rights import destruction, register
from radar.rights.register import Entry

PROPOSER, CONFIRMER = "register", "register:replay"


def revived(db: Db) -> list[Entry]:
    """The entries of the register of which this database holds something again.

    Not what two persons confirmed and is about to be carried out here. Raises SettingsError, RegisterBroken.
    """
    known = register.entries()
    asked = [
        {
            "order": str(one.order),
            "mentions": [str(id_) for id_ in one.mentions],
            "reports": [str(id_) for id_ in one.reports],
            "done": one.done,
        }
        for one in known
    ]
    back = {row["id"] for row in db.execute("SELECT brought_back(%s) AS id", (Jsonb(asked),))} if known else set()
    return [one for one in known if one.order in back]


def replay(db: Db, at: datetime) -> int:
    """Destroy again what came back; how many entries. Safe to repeat, and each in its own savepoint.

    Raises SettingsError, RegisterBroken.
    """
    back = revived(db)
    for entry in back:
        with db.transaction():
            again(db, entry, at)
    return len(back)


def again(db: Db, entry: Entry, at: datetime) -> UUID:
    """Carry one entry out again, by an order of its own that says where it comes from; gives that order.

    A file that was closed then may be open in the copy: what it held goes, its tasks and terms stay for a person to
    end.
    """
    report = db.execute(
        "SELECT id FROM report WHERE id = ANY(%s) OR id IN (SELECT report_id FROM mention WHERE id = ANY(%s))"
        " LIMIT 1",
        (list(entry.reports), list(entry.mentions)),
    ).fetchone()
    if report is None:
        raise LookupError("report")
    order = uuid7()
    db.execute(
        "INSERT INTO destruction_order (id, region_id, report_id, scope, ground, mentions, reports, reason,"
        " proposed_at,"
        " proposed_by, confirmed_at, confirmed_by, replay) VALUES (%s, %s, %s, %s, 'retention', %s::uuid[],"
        " %s::uuid[],"
        " 'Na het terugzetten van een reservekopie', %s, %s, %s, %s, true)",
        (
            order,
            entry.region,
            report["id"],
            entry.scope,
            list(entry.mentions),
            list(entry.reports),
            at,
            PROPOSER,
            at,
            CONFIRMER,
        ),
    )
    row = db.execute("SELECT * FROM destruction_order WHERE id = %s", (order,)).fetchone()
    if row is None:
        raise LookupError("order")
    counts = destruction.destroy(db, row, {one.mark for one in entry.passages})
    details = counts | {"of": str(entry.order)}
    audit.append(db, entry.region, "system", "destruction.replay", "destruction_order", order, details)
    return order
