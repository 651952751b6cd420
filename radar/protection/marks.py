"""Pieces of a report that lead to the reporter (herleidbaar), left out of everything that leaves (security.md D2).

Also what a person may learn before he sends or stores a text: whether it holds an address, postcode or phone number,
or something that is in the vault (`hints`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from core.sealing import key_or_new, keys_of
from intake.protected import HINTS, IN_TEXT, Hint, hints, values
from radar.protection import settling, whereabouts

__all__ = [
    "HINTS",
    "LEFT_OUT",
    "Hint",
    "choices",
    "hints",
    "known",
    "look_first",
    "mark",
    "unmark",
    "without",
]

LEFT_OUT = "[weggelaten]"
FIELDS = {
    ("incident", "locatie"): "Plaats",
    ("incident", "omschrijving"): "Wat er is gebeurd",
    ("situatie", "omschrijving"): "Zorgelijke situatie",
    ("situatie", "relevanteRegistraties"): "Relevante registraties",
    ("situatie", "aanvullendeInformatie"): "Aanvullende informatie",
    ("situatie", "bestaandeHulpverlening"): "Bestaande hulpverlening",
    ("situatie", "tijdelijkHuisverbod"): "Tijdelijk huisverbod",
    ("situatie", "aanhouding"): "Aanhouding",
    ("situatie", "aangifte"): "Aangifte",
    ("situatie", "eergerelateerdGeweld"): "Eergerelateerd geweld",
}
_END = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")


class NotInReport(VeiligError):
    """Deze zin staat niet (meer) in de melding."""

    status = 400


class MayTellWhere(VeiligError):
    """In deze tekst staat iets waaraan te zien is waar iemand is."""

    status = 400


@dataclass(frozen=True, slots=True)
class Choice:
    """A sentence of a report that can be marked. `mark`: the mark that it has."""

    field: str
    text: str
    mark: UUID | None = None


def sentences(text: str) -> list[str]:
    """The sentences of a text, each as it stands there."""
    return [one.strip() for one in _END.split(text) if one.strip()]


def choices(db: Db, report_id: UUID) -> list[Choice]:
    """Every sentence of the report's own text, in the order of the page. Raises NotFound."""
    row = db.execute("SELECT content FROM report WHERE id = %s", (report_id,)).fetchone()
    if row is None:
        raise NotFound
    marked = _pieces(db, [report_id])
    persons = db.execute("SELECT person FROM mention WHERE report_id = %s ORDER BY number", (report_id,))
    found = [*_told(row["content"]), *(line for one in persons for line in _said(one["person"]))]
    return [
        Choice(field, text, next((mark for mark, piece in marked.items() if _same(piece, text)), None))
        for field, text in found
    ]


def mark(db: Db, report_id: UUID, piece: str, *, by: str, at: datetime) -> UUID:
    """Mark this sentence of the report as traceable to the reporter.

    Raises NotFound, NotInReport; Conflict when it is marked already.
    """
    row = db.execute("SELECT region_id, message_id FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if row is None:
        raise NotFound
    there = next((one for one in choices(db, report_id) if _same(one.text, piece)), None)
    if there is None:
        raise NotInReport
    if there.mark:
        raise Conflict("Deze zin is al gemarkeerd.")
    made = uuid7()
    key = key_or_new(db, row["message_id"], row["region_id"])
    db.execute(
        "INSERT INTO trace_mark (id, region_id, report_id, sealed, marked_by, marked_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (made, row["region_id"], report_id, key.seal(there.text.encode(), _place(made)), by, at),
    )
    audit.append(db, row["region_id"], by, "mark.add", "report", report_id, {"mark": str(made)})
    return made


def unmark(db: Db, mark_id: UUID, *, by: str, at: datetime) -> None:
    """Take a mark back; that it was there stays. Raises NotFound."""
    row = db.execute(
        "UPDATE trace_mark SET unmarked_by = %s, unmarked_at = %s WHERE id = %s AND unmarked_at IS NULL"
        " RETURNING region_id, report_id",
        (by, at, mark_id),
    ).fetchone()
    if row is None:
        raise NotFound
    audit.append(db, row["region_id"], by, "mark.remove", "report", row["report_id"], {"mark": str(mark_id)})


def without(db: Db, report_id: UUID, texts: Sequence[str]) -> list[str]:
    """The same texts without what was marked in this report, or in another of its case or household.

    What is left out shows as `[weggelaten]`. For everything that leaves: access copies, letters, handovers, feedback.
    """
    return cut(texts, pieces_near(db, report_id))


def pieces_near(db: Db, report_id: UUID) -> list[str]:
    """What was marked in this report, or in another of its case or household; to `cut` with, shown to nobody."""
    reports = [
        row["id"]
        for row in db.execute(
            "SELECT o.id FROM report o JOIN report r ON r.id = %s AND o.region_id = r.region_id"
            " WHERE o.id = r.id OR o.case_id = r.case_id OR o.household_id = r.household_id",
            (report_id,),
        )
    ]
    return list(_pieces(db, reports).values())


def cut(texts: Sequence[str], pieces: Sequence[str]) -> list[str]:
    """These texts with `[weggelaten]` for each of these pieces."""
    return [_cut(text, pieces) for text in texts]


def known(db: Db, report_id: UUID) -> set[str]:
    """What the vault holds of a report, to compare a text with; shown to nobody."""
    if not whereabouts.is_hidden(db, report_id):
        return set()
    left_out = settling.left_out(db, report_id).get("persons", {})
    return {
        text
        for edits in left_out.values()
        for path, before, _ in edits
        for text in values({path[0]: before} if path in (["adressen"], ["telefoonnummers"]) else {})
    }


def look_first(db: Db, report_id: UUID, texts: Iterable[str]) -> None:
    """Raises MayTellWhere when a text on a report with a protected person seems to tell where somebody is."""
    secret = known(db, report_id)
    if not secret and not whereabouts.is_hidden(db, report_id):
        return
    found = dict.fromkeys(HINTS[hint.kind] for text in texts for hint in hints(text, secret))
    if found:
        raise MayTellWhere(
            f"In uw tekst staat {' en '.join(found)}, en in deze melding is iemand afgeschermd. Haal het weg, of zeg"
            " bij het formulier dat het er toch bij hoort. Wat in de kluis staat, wordt dan ook hier afgeschermd."
        )


def _pieces(db: Db, reports: Collection[UUID]) -> dict[UUID, str]:
    """The marked sentences of these reports, by the id of the mark."""
    rows = db.execute(
        "SELECT t.id, t.sealed, r.message_id FROM trace_mark t JOIN report r ON r.id = t.report_id"
        " WHERE t.report_id = ANY(%s) AND t.unmarked_at IS NULL ORDER BY t.id",
        (list(reports),),
    ).fetchall()
    keys = keys_of(db, {row["message_id"] for row in rows}) if rows else {}
    return {
        row["id"]: keys[row["message_id"]].unseal(bytes(row["sealed"]), _place(row["id"])).decode() for row in rows
    }


def _place(mark_id: UUID) -> str:
    return f"trace_mark.sealed:{mark_id}"


def _cut(text: str, pieces: Sequence[str]) -> str:
    for piece in pieces:
        if _says_something(piece):
            text = re.sub(_pattern(piece), LEFT_OUT, text)
    if IN_TEXT in text:
        # Marked before an address in it went into the vault: the sentence reads otherwise now.
        for sentence in sentences(text):
            if any(_same(sentence, piece) for piece in pieces):
                text = text.replace(sentence, LEFT_OUT)
    return text


def _same(one: str, other: str) -> bool:
    """Whether two sentences are the same, apart from white space and what is masked in one of them."""
    if not (_says_something(one) and _says_something(other)):
        return one == other
    return any(re.fullmatch(_pattern(left), right) is not None for left, right in ((one, other), (other, one)))


def _says_something(sentence: str) -> bool:
    """Whether there are two words beside what is masked: else its pattern would fit every sentence."""
    return IN_TEXT not in sentence or len(sentence.replace(IN_TEXT, " ").split()) > 1


def _pattern(sentence: str) -> str:
    """The sentence as a pattern: any white space, capitals or not; what is masked stands for anything."""
    parts = (r"\s+".join(re.escape(word) for word in part.split()) for part in sentence.strip().split(IN_TEXT))
    return r"(?is)" + r"\s*.{0,200}?\s*".join(parts)


def _told(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for (part, name), label in FIELDS.items():
        value = (content.get(part) or {}).get(name)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                yield from ((label, one) for one in sentences(text))


def _said(person: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, label in (("aanvullendeInformatie", "Over een persoon"), ("overigeZorgMinderjarige", "Over een kind")):
        if isinstance(person.get(name), str):
            yield from ((label, one) for one in sentences(person[name]))
