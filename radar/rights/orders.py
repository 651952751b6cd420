"""Destruction orders to read: those of a report, those that wait, and the sentences that one asks about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.database import Db, Row
from radar.rights import passages


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The orders that touch a report or a person in it, newest first, without their certificates."""
    return db.execute(
        "SELECT o.id, o.report_id, o.scope, o.ground, o.request_id, o.mentions, o.reports, o.reason, o.proposed_at,"
        " o.proposed_by, o.confirmed_at, o.confirmed_by, o.stopped_at, o.stopped_by, o.stopped_why, o.executed_at,"
        " o.counts FROM destruction_order o WHERE o.region_id = %(region)s AND (o.report_id = %(report)s"
        "   OR %(report)s = ANY (o.reports) OR o.mentions && ARRAY(SELECT id FROM mention WHERE report_id ="
        " %(report)s))"
        " ORDER BY o.proposed_at DESC, o.id DESC",
        {"region": region, "report": report_id},
    ).fetchall()


def waiting(db: Db, region: UUID) -> list[Row]:
    """The orders of a region that wait for a second person, oldest first."""
    return db.execute(
        "SELECT id, report_id, scope, ground, reason, mentions, reports, proposed_at, proposed_by FROM"
        " destruction_order"
        " WHERE region_id = %s AND confirmed_at IS NULL AND stopped_at IS NULL ORDER BY proposed_at, id LIMIT 200",
        (region,),
    ).fetchall()


def sentences_of(db: Db, order: Row) -> list[dict[str, Any]]:
    """The sentences about him that an order asks about, with their words as they stand now: number, text, erase."""
    rows = db.execute(
        "SELECT * FROM destruction_passage WHERE order_id = %s ORDER BY number", (order["id"],)
    ).fetchall()
    files = files_of(db, order)
    there = {
        passages.mark_of(place, row_id, text): text
        for place, row_id, text in passages.located(db, files, {bytes(row["mark"]): None for row in rows})
    }
    return [
        {"number": row["number"], "text": there[bytes(row["mark"])], "erase": row["erase"]}
        for row in rows
        if bytes(row["mark"]) in there
    ]


def files_of(db: Db, order: Row) -> list[UUID]:
    """The reports that an order touches."""
    rows = db.execute("SELECT DISTINCT report_id FROM mention WHERE id = ANY(%s)", (order["mentions"],)).fetchall()
    return list(dict.fromkeys([*(row["report_id"] for row in rows), *order["reports"]]))
