"""How a person said that he can be reached safely: a channel, days, hours, a code word. Default: not at all (D7)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Literal, get_args
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import AMSTERDAM
from core.errors import Conflict, NotFound, VeiligError
from core.identity import Phone
from core.ids import uuid7
from core.sealing import seal, unseal

Channel = Literal["mail", "sms", "phone"]
CHANNELS: dict[str, str] = {"mail": "E-mail", "sms": "Sms", "phone": "Bellen"}
WEEKDAYS: dict[int, str] = {1: "ma", 2: "di", 3: "wo", 4: "do", 5: "vr", 6: "za", 7: "zo"}
_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,63}", re.IGNORECASE)


class ContactIncomplete(VeiligError):
    """Er ontbreekt nog iets. Er is niets opgeslagen."""

    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        """`errors`: field to a Dutch sentence."""
        super().__init__()
        self.errors = dict(errors)


def agree(
    db: Db,
    mention_id: UUID,
    *,
    channel: str,
    address: str,
    weekdays: Collection[int],
    from_hour: int,
    to_hour: int,
    code_word: str = "",
    by: str,
    at: datetime,
) -> UUID:
    """The person said that he can be reached like this; what he said before of this channel ends. Gives its id.

    Address and code word are sealed. Hours are those of Europe/Amsterdam. Raises NotFound, ContactIncomplete.
    """
    value = _clean(channel, address)
    errors = {}
    if channel not in get_args(Channel):
        errors["channel"] = "Kies hoe deze persoon veilig te bereiken is."
    elif value is None:
        errors["address"] = "Dit is geen mailadres." if channel == "mail" else "Dit is geen telefoonnummer."
    if not weekdays or not set(weekdays) <= WEEKDAYS.keys():
        errors["weekdays"] = "Kies een of meer dagen."
    if not 0 <= from_hour < to_hour <= 24:
        errors["hours"] = "Kies vanaf welk uur en tot welk uur."
    if len(code_word.strip()) > 100:
        errors["code_word"] = "Gebruik hoogstens 100 tekens."
    if errors or value is None:
        raise ContactIncomplete(errors)
    mention = db.execute("SELECT region_id, report_id FROM mention WHERE id = %s", (mention_id,)).fetchone()
    if mention is None:
        raise NotFound
    db.execute(
        "UPDATE safe_contact SET ended_at = %s, ended_by = %s WHERE mention_id = %s AND channel = %s"
        " AND ended_at IS NULL",
        (at, by, mention_id, channel),
    )
    contact = uuid7()
    word = code_word.strip()
    db.execute(
        "INSERT INTO safe_contact (id, region_id, report_id, mention_id, channel, address, code_word, weekdays,"
        " from_hour, to_hour, agreed_at, agreed_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            contact,
            mention["region_id"],
            mention["report_id"],
            mention_id,
            channel,
            seal(value.encode(), _place("address", contact)),
            seal(word.encode(), _place("code_word", contact)) if word else None,
            sorted(set(weekdays)),
            from_hour,
            to_hour,
            at,
            by,
        ),
    )
    audit.append(db, mention["region_id"], by, "safe_contact.agree", "mention", mention_id, {"channel": channel})
    return contact


def end(db: Db, contact_id: UUID, *, by: str, at: datetime) -> None:
    """This way is safe no longer. Raises NotFound, Conflict when it had ended."""
    row = db.execute("SELECT * FROM safe_contact WHERE id = %s FOR UPDATE", (contact_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["ended_at"] is not None:
        raise Conflict("Deze manier was al beëindigd.")
    db.execute("UPDATE safe_contact SET ended_at = %s, ended_by = %s WHERE id = %s", (at, by, contact_id))
    audit.append(db, row["region_id"], by, "safe_contact.end", "mention", row["mention_id"])


def of_person(db: Db, mention_id: UUID) -> list[Row]:
    """The safe ways to reach this person now, without address and code word."""
    return db.execute(
        "SELECT id, channel, weekdays, from_hour, to_hour, agreed_at, agreed_by, code_word IS NOT NULL AS has_word"
        " FROM safe_contact WHERE mention_id = %s AND ended_at IS NULL ORDER BY channel",
        (mention_id,),
    ).fetchall()


def open_for(db: Db, contact_id: UUID, *, by: str) -> tuple[str, str]:
    """The address and the code word, for who calls now; that he saw them is written down. Raises NotFound."""
    row = _current(db, contact_id)
    audit.append(db, row["region_id"], by, "safe_contact.open", "mention", row["mention_id"])
    word = row["code_word"]
    return address_of(row), unseal(bytes(word), _place("code_word", contact_id)).decode() if word else ""


def for_sending(db: Db, contact_id: UUID) -> Row | None:
    """The row when it still holds; None when it ended: then nothing is sent."""
    return db.execute(
        "SELECT * FROM safe_contact WHERE id = %s AND ended_at IS NULL AND address <> ''", (contact_id,)
    ).fetchone()


def address_of(row: Row) -> str:
    """The plain address of a row of `for_sending`. Raises Unreadable."""
    return unseal(bytes(row["address"]), _place("address", row["id"])).decode()


def is_safe(row: Row, at: datetime) -> bool:
    """Whether this moment is one that the person named."""
    local = at.astimezone(AMSTERDAM)
    return local.isoweekday() in row["weekdays"] and row["from_hour"] <= local.hour < row["to_hour"]


def next_moment(row: Row, at: datetime) -> datetime:
    """The first safe moment from `at` on: now, or the beginning of the next safe hours."""
    if is_safe(row, at):
        return at
    local = at.astimezone(AMSTERDAM)
    days = (local.date() + timedelta(days=number) for number in range(9))
    starts = (
        datetime.combine(day, time(row["from_hour"]), tzinfo=AMSTERDAM)
        for day in days
        if day.isoweekday() in row["weekdays"]
    )
    return next(start for start in starts if start > local)


def _clean(channel: str, address: str) -> str | None:
    if channel == "mail":
        return address.strip() if _EMAIL.fullmatch(address.strip()) else None
    return Phone.parse(address).value


def _current(db: Db, contact_id: UUID) -> Row:
    row = for_sending(db, contact_id)
    if row is None:
        raise NotFound
    return row


def _place(column: str, contact_id: UUID) -> str:
    return f"safe_contact.{column}:{contact_id}"
