"""What is sealed of a report, when one person in it goes and others stay.

One data key seals the raw message and everything that came with it. It is destroyed with the message; what is of the
others is first sealed anew with a fresh key, which takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from uuid import UUID

from core.database import Db
from core.sealing import DataKey, key_of, new_key
from intake import protected, vault


def rekey(db: Db, report_id: UUID, gone: Collection[int]) -> bool:
    """Destroy the data key of this report's message, and keep what is sealed of who stays under a new one.

    `gone`: the numbers of the persons who were destroyed; their secrets were deleted before. The raw message is
    empty by then. False when there is no key. Raises Unreadable, Destroyed.
    """
    row = db.execute(
        "SELECT k.id FROM report r JOIN data_key k ON k.id = r.message_id AND k.destroyed_at IS NULL WHERE r.id = %s",
        (report_id,),
    ).fetchone()
    if row is None:
        return False
    old, new = key_of(db, row["id"]), new_key(row["id"])
    _whereabouts(db, report_id, old, new, gone)
    for secret in db.execute(
        "SELECT s.mention_id, s.sealed FROM mention_secret s JOIN mention m ON m.id = s.mention_id WHERE"
        " m.report_id = %s",
        (report_id,),
    ).fetchall():
        place = vault.person_place(secret["mention_id"])
        db.execute(
            "UPDATE mention_secret SET sealed = %s WHERE mention_id = %s",
            (_again(old, new, secret["sealed"], place), secret["mention_id"]),
        )
    for secret in db.execute(
        "SELECT sealed, numbers FROM reporter_secret WHERE report_id = %s", (report_id,)
    ).fetchall():
        db.execute(
            "UPDATE reporter_secret SET sealed = %s, numbers = %s WHERE report_id = %s",
            (
                _again(old, new, secret["sealed"], vault.identity_place(report_id)),
                _again(old, new, secret["numbers"], vault.numbers_place(report_id)),
                report_id,
            ),
        )
    for mark in db.execute("SELECT id, sealed FROM trace_mark WHERE report_id = %s", (report_id,)).fetchall():
        place = f"trace_mark.sealed:{mark['id']}"
        db.execute(
            "UPDATE trace_mark SET sealed = %s WHERE id = %s", (_again(old, new, mark["sealed"], place), mark["id"])
        )
    db.execute("UPDATE data_key SET kek = %s, wrapped = %s WHERE id = %s", (new.kek, new.wrapped, new.id))
    return True


def _whereabouts(db: Db, report_id: UUID, old: DataKey, new: DataKey, gone: Collection[int]) -> None:
    row = db.execute("SELECT sealed FROM whereabouts WHERE report_id = %s", (report_id,)).fetchone()
    if row is None:
        return
    place = protected.place(report_id)
    edits = json.loads(old.unseal(bytes(row["sealed"]), place))
    persons = {number: one for number, one in edits.get("persons", {}).items() if int(number) not in gone}
    rest = {name: value for name, value in {**edits, "persons": persons}.items() if value}
    if not rest:
        db.execute("DELETE FROM whereabouts WHERE report_id = %s", (report_id,))
        return
    sealed = new.seal(json.dumps(rest, ensure_ascii=False).encode(), place)
    db.execute("UPDATE whereabouts SET sealed = %s WHERE report_id = %s", (sealed, report_id))


def _again(old: DataKey, new: DataKey, sealed: bytes | None, place: str) -> bytes | None:
    return None if sealed is None else new.seal(old.unseal(bytes(sealed), place), place)
