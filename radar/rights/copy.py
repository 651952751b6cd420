"""The access copy (inzage, afschrift): prepared by one person, read and released by another, made of released
pieces only.

Each piece has a ground when it is left out. What changed since it was prepared (a link, a source) sends it back to
the
worker: nothing leaves on a link that holds no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from core.secrets import keyed_hash
from radar.rights import extract, law, person, requests
from radar.rights.extract import Item


class GroundMissing(VeiligError):
    """Kies waarom dit stuk wordt weggelaten."""

    status = 400


class Locked(VeiligError):
    """Dit stuk kan niet mee: het is niet van deze persoon."""

    status = 400


class Unexplained(Conflict):
    """Bij elk stuk dat wordt weggelaten, hoort een reden. Vul die eerst in."""


class LinksOpen(Conflict):
    """Over een koppeling van deze persoon is nog niet beslist. Beslis eerst of dit dezelfde persoon is."""


class Changed(Conflict):
    """Er is intussen iets veranderd (een koppeling of een gegeven). Maak het afschrift opnieuw."""


class SamePerson(NotAllowed):
    """Een ander dan wie het afschrift maakte, moet het lezen en vrijgeven."""


@dataclass(frozen=True, slots=True)
class Content:
    """What there is to give now: the pieces, and a hash of them and of the links that they rest on."""

    items: list[Item]
    seen: bytes
    unsure: tuple[UUID, ...]


def content(db: Db, request: Row) -> Content:
    """What this request would give now."""
    his = person.certain(db, request["mention_id"])
    found = extract.items(db, his, representative=request["asker"] == "representative")
    seen = hashlib.sha256()
    for mention in sorted(his.mentions):
        seen.update(mention.bytes)
    for item in found:
        seen.update(_mark(item))
        seen.update((item.ground or "-").encode())
    return Content(found, seen.digest(), his.unsure)


def prepare(db: Db, request_id: UUID, *, by: str, at: datetime) -> UUID:
    """Lay out every piece for a worker; again when something changed, with what he chose before. Gives the copy's id.

    Raises NotFound, NotVerified, Conflict when it was released.
    """
    request = requests.verified(db, request_id, "access")
    now = content(db, request)
    copy = of_request(db, request_id)
    chosen: dict[bytes, Row] = {}
    if copy is None:
        copy_id = uuid7()
        db.execute(
            "INSERT INTO access_copy (id, region_id, report_id, request_id, seen, prepared_at, prepared_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (copy_id, request["region_id"], request["report_id"], request_id, now.seen, at, by),
        )
    else:
        if copy["state"] == "released":
            raise Conflict("Dit afschrift is al vrijgegeven.")
        copy_id = copy["id"]
        rows = items_of(db, copy_id)
        chosen = {bytes(row["mark"]): row for row in rows if row["changed_at"] and not row["locked"]}
        db.execute("DELETE FROM access_item WHERE copy_id = %s", (copy_id,))
        db.execute(
            "UPDATE access_copy SET state = 'draft', seen = %s, prepared_at = %s, prepared_by = %s,"
            " submitted_at = NULL, submitted_by = NULL WHERE id = %s",
            (now.seen, at, by, copy_id),
        )
    for number, item in enumerate(now.items, start=1):
        _put(db, copy_id, request["region_id"], number, item, chosen.get(_mark(item)))
    audit.append(
        db, request["region_id"], by, "copy.prepare", "person_request", request_id, {"items": len(now.items)}
    )
    return copy_id


def _put(db: Db, copy_id: UUID, region: UUID, number: int, item: Item, before: Row | None) -> None:
    """One piece, with what a person chose for it before when it is still the same and may still be chosen."""
    keep = before if before and not item.locked else None
    db.execute(
        "INSERT INTO access_item (copy_id, number, region_id, report_id, kind, heading, text, mark, locked,"
        " first_ground, include, ground, reason, changed_at, changed_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            copy_id,
            number,
            region,
            item.report_id,
            item.kind,
            item.heading,
            item.text,
            _mark(item),
            item.locked,
            item.ground,
            keep["include"] if keep else item.ground is None,
            keep["ground"] if keep else item.ground,
            keep["reason"] if keep else "",
            keep["changed_at"] if keep else None,
            keep["changed_by"] if keep else None,
        ),
    )


def choose(db: Db, copy_id: UUID, number: int, ground: str | None, reason: str, *, by: str, at: datetime) -> None:
    """Take a piece along (`ground` None) or leave it out on a ground, with the reason in this case.

    Raises NotFound, Conflict when it is no draft, Locked, GroundMissing, ReasonMissing.
    """
    copy = _locked(db, copy_id)
    if copy["state"] != "draft":
        raise Conflict("Dit afschrift ligt bij de tweede lezer. Vraag het terug als er iets anders moet.")
    row = db.execute("SELECT * FROM access_item WHERE copy_id = %s AND number = %s", (copy_id, number)).fetchone()
    if row is None:
        raise NotFound
    if row["locked"]:
        raise Locked
    if ground is not None and ground not in law.grounds_for("access"):
        raise GroundMissing
    if not reason.strip():
        raise ReasonMissing
    db.execute(
        "UPDATE access_item SET include = %s, ground = %s, reason = %s, changed_at = %s, changed_by = %s"
        " WHERE copy_id = %s AND number = %s",
        (ground is None, ground, reason.strip(), at, by, copy_id, number),
    )
    details = {"number": number, "include": ground is None, "ground": ground}
    audit.append(db, copy["region_id"], by, "copy.choose", "person_request", copy["request_id"], details)


def explain(db: Db, copy_id: UUID, ground: str, reason: str, *, by: str, at: datetime) -> int:
    """One reason for every piece that is left out on this ground and has none yet; gives how many.

    Raises NotFound, Conflict when it is no draft, GroundMissing, ReasonMissing.
    """
    copy = _locked(db, copy_id)
    if copy["state"] != "draft":
        raise Conflict("Dit afschrift ligt bij de tweede lezer. Vraag het terug als er iets anders moet.")
    if ground not in law.grounds_for("access"):
        raise GroundMissing
    if not reason.strip():
        raise ReasonMissing
    done = db.execute(
        "UPDATE access_item SET reason = %s, changed_at = %s, changed_by = %s"
        " WHERE copy_id = %s AND ground = %s AND NOT locked AND reason = ''",
        (reason.strip(), at, by, copy_id, ground),
    ).rowcount
    details = {"ground": ground, "items": done}
    audit.append(db, copy["region_id"], by, "copy.explain", "person_request", copy["request_id"], details)
    return done


def submit(db: Db, copy_id: UUID, *, by: str, at: datetime) -> None:
    """The worker is done: a second person reads it. Raises NotFound, Conflict, Unexplained, LinksOpen, Changed."""
    copy = _locked(db, copy_id)
    if copy["state"] != "draft":
        raise Conflict("Dit afschrift ligt al bij de tweede lezer.")
    if any(row["ground"] and not row["locked"] and not row["reason"] for row in items_of(db, copy_id)):
        raise Unexplained
    request = requests.verified(db, copy["request_id"], "access")
    _refuse_change(db, copy, request)
    db.execute(
        "UPDATE access_copy SET state = 'submitted', submitted_at = %s, submitted_by = %s, returned_at = NULL,"
        " returned_by = NULL, returned_why = NULL WHERE id = %s",
        (at, by, copy_id),
    )
    audit.append(db, copy["region_id"], by, "copy.submit", "person_request", copy["request_id"])


def give_back(db: Db, copy_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """Back to the worker, with what must be different. Raises NotFound, Conflict, ReasonMissing."""
    copy = _locked(db, copy_id)
    if copy["state"] != "submitted":
        raise Conflict("Dit afschrift ligt niet bij de tweede lezer.")
    if not why.strip():
        raise ReasonMissing("Schrijf in een zin wat er anders moet.")
    db.execute(
        "UPDATE access_copy SET state = 'draft', returned_at = %s, returned_by = %s, returned_why = %s WHERE id = %s",
        (at, by, why.strip(), copy_id),
    )
    audit.append(db, copy["region_id"], by, "copy.give_back", "person_request", copy["request_id"])


def release(db: Db, copy_id: UUID, *, by: str, at: datetime) -> Row:
    """A second person read every piece and releases it; gives the copy, for `paper` to make the letter of.

    Looked at again at this moment. Raises NotFound, Conflict, SamePerson, LinksOpen, Changed.
    """
    copy = _locked(db, copy_id)
    if copy["state"] != "submitted":
        raise Conflict("Dit afschrift is nog niet klaar om vrij te geven.")
    changers = {row["changed_by"] for row in items_of(db, copy_id)}
    if by in {copy["prepared_by"], copy["submitted_by"], *changers}:
        raise SamePerson
    request = requests.verified(db, copy["request_id"], "access")
    _refuse_change(db, copy, request)
    db.execute(
        "UPDATE access_copy SET state = 'released', released_at = %s, released_by = %s WHERE id = %s",
        (at, by, copy_id),
    )
    audit.append(db, copy["region_id"], by, "copy.release", "person_request", copy["request_id"])
    return copy


def kept_words(db: Db, copy_id: UUID, letter_id: UUID) -> None:
    """The letter that was made of this copy."""
    db.execute("UPDATE access_copy SET letter_id = %s WHERE id = %s", (letter_id, copy_id))


def of_request(db: Db, request_id: UUID) -> Row | None:
    """The copy of a request, if one was prepared."""
    return db.execute("SELECT * FROM access_copy WHERE request_id = %s", (request_id,)).fetchone()


def items_of(db: Db, copy_id: UUID) -> list[Row]:
    """Every piece of a copy, in order."""
    return db.execute("SELECT * FROM access_item WHERE copy_id = %s ORDER BY number", (copy_id,)).fetchall()


def paragraphs(items: Sequence[Mapping[str, object]]) -> list[str]:
    """The released pieces as paragraphs of a letter: a heading with its lines; nothing of what was left out."""
    parts: dict[str, list[str]] = {}
    for item in items:
        if item["include"]:
            parts.setdefault(str(item["heading"]), []).append(str(item["text"]))
    return ["\n".join([heading, *(f"- {line}" for line in lines)]) for heading, lines in parts.items()]


def left_out(items: Sequence[Mapping[str, object]]) -> str:
    """In Dutch, why pieces are not in it: each ground once, and nothing of the pieces."""
    used = {str(item["ground"]) for item in items if item["ground"]}
    titles = [one.title.lower() for code, one in law.grounds().items() if code in used]
    if not titles:
        return ""
    return "Niet alles staat in dit afschrift. Wij lieten stukken weg om deze redenen:\n" + "\n".join(
        f"- {title}" for title in titles
    )


def _refuse_change(db: Db, copy: Row, request: Row) -> None:
    now = content(db, request)
    if now.unsure:
        raise LinksOpen
    if now.seen != bytes(copy["seen"]):
        raise Changed


def _mark(item: Item) -> bytes:
    return keyed_hash(f"{item.kind}\x1f{item.report_id}\x1f{item.heading}\x1f{item.text}\x1f{item.locked}")


def _locked(db: Db, copy_id: UUID) -> Row:
    row = db.execute("SELECT * FROM access_copy WHERE id = %s FOR UPDATE", (copy_id,)).fetchone()
    if row is None:
        raise NotFound
    return row
