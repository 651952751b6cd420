"""Changing a register: one line at once, a draft as a whole, or an earlier change back. Each is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import IntegrityError, UniqueViolation

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, VeiligError
from intake import senders
from radar.registers import plan, rows
from radar.registers.kinds import SENDERS, Register, register_of
from radar.registers.plan import ID, Step
from radar.registers.typed import said

TAKEN = (
    "Deze code, naam of OIN, of dit certificaat is al in gebruik, misschien bij een andere regio. Kies een andere."
)
MEANWHILE = (
    "Een ander heeft dit intussen gewijzigd. Hieronder staat wat u typte. Vergelijk het met wat er nu staat en sla"
    " het dan opnieuw op."
)
LOOK_AGAIN = "Intussen is er iets gewijzigd. Bekijk opnieuw wat er gebeurt en bevestig het dan."
REHEARSE_FIRST = "Draai eerst proef met dit concept. Daarna kunt u het in gebruik nemen."
MOST_LINES = 5_000


class Wrong(VeiligError):
    """Niet alles is goed ingevuld."""

    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


def save(
    db: Db,
    region: UUID,
    register: Register,
    object_id: UUID | None,
    typed: Mapping[str, str],
    *,
    version: int | None,
    by: str,
    at: datetime,
) -> UUID:
    """Add a line, or change the one of `object_id` when it is still at `version` (None: any). Gives its id.

    Raises Wrong with the sentences per field, Conflict when somebody was first, NotFound.
    """
    line = {name: text for name, text in typed.items() if name != ID}
    if object_id is not None:
        row = rows.one(db, region, register, object_id, lock=True)
        if version is not None and row["version"] != version:
            raise Conflict(MEANWHILE)
        line[ID] = str(object_id)
    elif register.key and (found := _same_key(db, region, register, line)) is not None:
        raise Wrong({register.key: said("Dit is er al ({name}). Wijzig dat, of kies iets anders.", name=found)})
    (step,) = plan.make(db, region, register, [line])
    if step.errors:
        raise Wrong(step.errors)
    (made,) = _write(db, region, register, [step], by=by, at=at)
    if step.kind != "same" and not (register is SENDERS and object_id is None):  # which `enlist` wrote down
        action = "register.add" if object_id is None else "register.change"
        audit.append(db, region, by, action, register.table, made)
    return made


def propose(
    db: Db,
    region: UUID,
    register: Register,
    lines: Sequence[Mapping[str, str]],
    *,
    by: str,
    at: datetime,
    version: int | None = None,
) -> Row:
    """Put lines in the draft of a register, with those in it; one on the same object takes the other's place.

    Raises Conflict when the draft is no longer at `version`, or would be too long.
    """
    known = rows.draft(db, region, register, lock=True)
    if known is None:
        rows.add_draft(db, region, register, [dict(line) for line in lines], by, at)
    else:
        if version is not None and known["version"] != version:
            raise Conflict(MEANWHILE)
        again = {line[ID] for line in lines if line.get(ID)}
        kept = [line for line in known["lines"] if line.get(ID) not in again]
        rows.set_lines(db, known["id"], [*kept, *(dict(line) for line in lines)])
    made = rows.draft(db, region, register)
    if made is None or len(made["lines"]) > MOST_LINES:
        raise Conflict(said("Een concept heeft ten hoogste {most} regels.", most=MOST_LINES))
    audit.append(db, region, by, "register.propose", "register_draft", made["id"], {"lines": len(lines)})
    return made


def withdraw(
    db: Db, region: UUID, register: Register, number: int | None, *, version: int, by: str, at: datetime
) -> None:
    """Take one line (from 1) out of the draft, or all of it. Raises Conflict."""
    known = _draft_at(db, region, register, version)
    left = [] if number is None else [line for n, line in enumerate(known["lines"], 1) if n != number]
    if left:
        rows.set_lines(db, known["id"], left)
    else:
        rows.end_draft(db, known["id"], "dropped", by, at)
    audit.append(db, region, by, "register.withdraw", "register_draft", known["id"], {"lines": len(left)})


def apply(
    db: Db, region: UUID, register: Register, *, version: int, looked_at: str, by: str, at: datetime
) -> list[Step]:
    """Put the draft in force, whole or not at all. `looked_at`: the fingerprint of the plan that was shown.

    Raises Conflict: an error in a line, something changed meanwhile, or a routing that was not rehearsed.
    """
    known = _draft_at(db, region, register, version)
    steps = plan.make(db, region, register, known["lines"])
    if any(step.errors for step in steps):
        raise Conflict("Er staan nog fouten in. Verbeter die eerst: er is niets gewijzigd.")
    planned = plan.fingerprint(steps)
    if planned != looked_at:
        raise Conflict(LOOK_AGAIN)
    if register.via_draft and (known["rehearsed_version"] != version or known["rehearsal"].get("plan") != planned):
        raise Conflict(REHEARSE_FIRST)
    rows.because(db, draft=known["id"])
    _write(db, region, register, steps, by=by, at=at)
    rows.because(db)
    rows.end_draft(db, known["id"], "applied", by, at)
    audit.append(db, region, by, "register.apply", "register_draft", known["id"], {"lines": len(steps)})
    return steps


def undo(db: Db, region: UUID, change_id: UUID, *, by: str, at: datetime) -> Register:
    """Make a change that puts back what this one changed; of the routing: in the draft. Gives its register.

    Raises Conflict when it cannot be taken back, Wrong when what was there before does not fit any more, NotFound.
    """
    change = rows.change_of(db, region, change_id)
    register = register_of(change["kind"], change["after"])
    if (why := why_not(change)) is not None:
        raise Conflict(why)
    row = rows.one(db, region, register, change["object_id"], lock=True)
    if row["version"] != change["version"]:
        raise Conflict("Hierna is nog iets gewijzigd. Draai eerst de laatste wijziging terug.")
    typed = plan.typed_of(register, change["before"], rows.names(db, region))
    if register.via_draft:
        propose(db, region, register, [{**typed, ID: str(row["id"])}], by=by, at=at)
        return register
    rows.because(db, undoes=change_id)
    save(db, region, register, row["id"], typed, version=row["version"], by=by, at=at)
    rows.because(db)
    return register


def why_not(change: Mapping[str, Any]) -> str | None:
    """Why a change cannot be taken back, in a sentence; None when it can, as far as the change itself tells."""
    register = register_of(change["kind"], change["after"])
    if change["before"] is None:
        return "Een toevoeging draait u niet terug. Geef een laatste dag, of trek de afzender in."
    changed = {name for name, value in change["after"].items() if value != change["before"].get(name)}
    if "revoked_at" in changed:
        return "Een ingetrokken afzender komt niet terug: zijn sleutels zijn weg. Voeg een nieuwe toe."
    fixed = {one.column for one in register.fields if one.fixed}
    if not changed <= set(register.columns) - fixed:
        return "Dit wijzigt u niet op een scherm, dus ook niet terug."
    return None


def _same_key(db: Db, region: UUID, register: Register, line: Mapping[str, str]) -> str | None:
    column = register.field(register.key).column
    wanted = line.get(register.key, "").strip().casefold()
    for row in rows.listing(db, region, register):
        if str(row[column]).casefold() == wanted:
            return str(row["name"])
    return None


def _draft_at(db: Db, region: UUID, register: Register, version: int) -> Row:
    known = rows.draft(db, region, register, lock=True)
    if known is None or known["version"] != version:
        raise Conflict(LOOK_AGAIN)
    return known


def _write(db: Db, region: UUID, register: Register, steps: Sequence[Step], *, by: str, at: datetime) -> list[UUID]:
    """Do what the steps say; gives the objects. Raises Conflict when the database refuses it.

    The trail is written at the end, by the caller: its head stays locked until the commit, and the feed needs it.
    """
    done = []
    try:
        with db.transaction():
            for step in steps:
                if step.object_id is not None:
                    done.append(step.object_id)
                    if step.kind != "same":
                        rows.update(db, region, register, step.object_id, step.values)
                elif register is SENDERS:
                    done.append(senders.enlist(db, region, step.values, by))
                else:
                    done.append(rows.insert(db, region, register, step.values))
            if register.table == "team":
                rows.settle_ended_teams(db, local_day(at))
    except UniqueViolation:
        raise Conflict(TAKEN) from None
    except IntegrityError:
        raise Conflict("Hier hangt intussen werk aan. Bekijk opnieuw wat er nog ligt.") from None
    if register.table == "sender":
        senders.forget()
    return done
