"""What Veilig Thuis recorded about one person, piece by piece, from all reports that are certainly about him.

By allow-list: a table or field that is not named here cannot come in. Free text comes in sentences. What may be about
somebody else, the reporter or a secret place is left out at first, with its ground; a person looks at every piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from core.calendar import long_date
from core.database import Db, Row
from core.deadlines import local_day
from core.identity import PartialDate
from intake.filetypes import NAMES
from radar.casework import letters
from radar.casework.ages import age_on
from radar.casework.handover_shares import Mask
from radar.casework.states import MOVES, STATES
from radar.rights import guarded, sentences
from radar.rights.person import Certain, Said

OWN = "Uw eigen gegevens"
RECORDED = "Wat er over u is vastgelegd"
DECISIONS = "Besluiten"
CONTACTS = "Contact met u"
LETTERS = "Brieven aan u"
SHARED = "Wie gegevens heeft gekregen"
SOURCE = "Van wie de gegevens kwamen"
OWN_WORDS = "Wat u zelf hebt gezegd"
CHILD = 16
"""Below this age what somebody told is the statement of a child (Wmo 2015 art. 5.3.2)."""
_TEXTS: tuple[tuple[str, str], ...] = (("incident", "omschrijving"), ("situatie", "omschrijving"))
_LABELS = {
    "naam": "Naam",
    "geboortedatum": "Geboortedatum",
    "geslacht": "Geslacht",
    "nationaliteit": "Nationaliteit",
    "taal": "Taal",
    "rol": "Rol in de melding",
    "adressen": "Adres",
    "telefoonnummers": "Telefoon",
    "emails": "E-mail",
    "onderneming": "Werk of instelling",
}
"""What of a person's own data can be given; where he lives or can be reached only to himself."""
_SEXES = {"M": "man", "V": "vrouw", "O": "onbekend"}
_WHERE = frozenset({"adressen", "telefoonnummers", "emails", "onderneming"})


@dataclass(frozen=True, slots=True)
class Item:
    """One piece: from which report, under which heading, the text, and why it is left out at first (None: it is not).

    `locked`: nobody can take it along; its text then says only that it is there.
    """

    kind: str
    report_id: UUID
    heading: str
    text: str
    ground: str | None = None
    locked: bool = False


def items(db: Db, his: Certain, *, representative: bool = False) -> list[Item]:
    """Every piece about this person, per report, oldest first. `representative`: somebody else gets it for him."""
    found: list[Item] = []
    for said in his.said:
        file = _File(db, said, representative)
        found += file.own()
        found += file.recorded()
        found += file.decisions()
        found += file.contacts()
        found += file.letters()
        found += file.shared()
        found += file.own_words()
    return list(dict.fromkeys(found))


class _File:
    """One report, read for one person in it."""

    def __init__(self, db: Db, said: Said, representative: bool) -> None:
        self.db, self.said, self.representative = db, said, representative
        row = db.execute(
            "SELECT r.*, coalesce(CASE WHEN s.own THEN r.content->'indiener'->>'naam' END, s.name) AS sender"
            " FROM report r JOIN sender s ON s.id = r.sender_id"
            " WHERE r.id = %s",
            (said.report_id,),
        ).fetchone()
        if row is None:
            raise LookupError("report")
        self.report: Row = row
        others = db.execute(
            "SELECT id, number, person FROM mention WHERE report_id = %s AND id <> %s AND destroyed_at IS NULL"
            " ORDER BY number",
            (said.report_id, said.mention_id),
        ).fetchall()
        self.others = {other["id"]: other["person"] for other in others}
        content = row["content"]
        self.numbers = Mask({}, [])
        self.reporter = Mask(content, [], (row["sender"], row["reference_of_reporter"]))
        hidden = [*self.others.values(), *([said.person] if representative else [])]
        self.places = Mask({"incident": content.get("incident") or {}}, hidden)
        self.day = _day(row["received_at"])

    @cached_property
    def marked(self) -> list[str]:
        """Read once for all texts of the report, and only when it has a text."""
        return guarded.marked(self.db, self.said.report_id)

    def item(self, kind: str, heading: str, text: str, ground: str | None = None, *, locked: bool = False) -> Item:
        return Item(kind, self.said.report_id, f"{heading} (melding van {self.day})", text, ground, locked)

    def prose(self, kind: str, heading: str, text: object, label: str = "", ground: str | None = None) -> list[Item]:
        """A text in sentences, each with the ground on which it is left out at first."""
        parts = sentences.split(text)
        kept = guarded.without(parts, self.marked) if parts else []
        found = []
        for part, clean in zip(parts, kept, strict=True):
            if clean != part:
                found.append(
                    self.item(kind, heading, "Een stuk tekst dat naar de melder wijst.", "reporter", locked=True)
                )
                continue
            shown = f"{label}: {part}" if label else part
            found.append(self.item(kind, heading, shown, ground or self.why_not(part)))
        return found

    def why_not(self, text: str) -> str | None:
        """Why a sentence is left out at first; None when it is about him only."""
        plain = self.numbers(text)
        if self.reporter(text) != plain:
            return "reporter"
        if self.places(text) != plain or plain != text.strip():
            return "whereabouts"
        named, other = sentences.about(text, self.said.person, self.others.values())
        return None if named and not other else "other_person"

    def own(self) -> Iterator[Item]:
        for name, label in _LABELS.items():
            value = self.said.person.get(name)
            if text := _own_text(name, value):
                ground = "whereabouts" if self.representative and name in _WHERE else None
                yield self.item("own", OWN, f"{label}: {text}", ground)
        if guarded.has_number(self.db, self.said.mention_id):
            yield self.item("own", OWN, "Burgerservicenummer: vastgelegd")
        for other in self.others.values():
            known = age_on(other, local_day(self.report["received_at"]))
            child = known is not None and known[1] < CHILD
            text = f"Gegevens van een ander{' (een kind)' if child else ''} in deze melding."
            yield self.item("other", "Gegevens van anderen", text, "other_person", locked=True)

    def recorded(self) -> Iterator[Item]:
        content = self.report["content"]
        yield self.item("report", RECORDED, f"Melding ontvangen op {self.day}. {STATES[self.report['state']]}.")
        for part, name in _TEXTS:
            yield from self.prose("report", RECORDED, (content.get(part) or {}).get(name))
        for name, value in (content.get("situatie") or {}).items():
            if name not in ("omschrijving", "geenWaardeReden"):
                for _, text in sentences.leaves(value):
                    yield from self.prose("report", RECORDED, text, ground="other_person")
        told = content.get("aanmelding") or {}
        for name in ("sinds", "nuVeiligToelichting", "kinderenToelichting"):
            yield from self.prose("report", RECORDED, told.get(name), ground="other_person")
        if place := (content.get("incident") or {}).get("locatie"):
            yield self.item("report", RECORDED, f"Plaats: {place}", "whereabouts")
        if guarded.may_tell(self.db, self.said.report_id):
            yield self.item("source", SOURCE, f"{self.report['sender']}")
        else:
            yield self.item("source", SOURCE, "Wie deze melding deed.", "reporter", locked=True)
        files = self.db.execute(
            "SELECT kind, added_at AS at FROM attachment WHERE report_id = %s AND destroyed_at IS NULL"
            " ORDER BY added_at, id",
            (self.said.report_id,),
        )
        # No machine knows whom a file is about: a person opens it, and a copy goes beside the letter.
        for number, row in enumerate(files, 1):
            text = f"Bijlage {number} ({NAMES[row['kind']]}) van {_day(row['at'])}. Een kopie krijgt u apart."
            yield self.item("attachment", RECORDED, text, "other_person")
        rows = self.db.execute(
            "SELECT reason AS text, at FROM risk_look WHERE report_id = %(report)s"
            " UNION ALL SELECT reason, at FROM acute_check WHERE report_id = %(report)s"
            " UNION ALL SELECT agreed, at FROM acute_action WHERE report_id = %(report)s"
            " UNION ALL SELECT text, written_at FROM note WHERE report_id = %(report)s ORDER BY at",
            {"report": self.said.report_id},
        )
        for row in rows:
            yield from self.prose("note", RECORDED, row["text"], ground="working_note")

    def decisions(self) -> Iterator[Item]:
        rows = self.db.execute(
            "SELECT path, reason, decided_at AS at FROM route WHERE report_id = %s AND decided_at IS NOT NULL"
            " ORDER BY decided_at",
            (self.said.report_id,),
        ).fetchall()
        for row in rows:
            text = MOVES[row["path"]].text if row["path"] in MOVES else row["path"]
            yield self.item("decision", DECISIONS, f"{_day(row['at'])}: {text}")
            yield from self.prose("decision", DECISIONS, row["reason"])
        rows = self.db.execute(
            "SELECT v.kind, v.started_at, v.ended_at, v.plan, v.summary, f.explanation FROM service v"
            " LEFT JOIN finding f ON f.service_id = v.id AND f.replaced_at IS NULL WHERE v.report_id = %s"
            " ORDER BY v.decided_at",
            (self.said.report_id,),
        ).fetchall()
        for row in rows:
            yield self.item("decision", DECISIONS, f"Traject: {STATES.get(row['kind'], row['kind'])}")
            for text in (row["plan"], row["summary"], row["explanation"]):
                yield from self.prose("decision", DECISIONS, text)
        rows = self.db.execute(
            "SELECT text, owner, due_on FROM safety_condition WHERE report_id = %s ORDER BY made_at",
            (self.said.report_id,),
        ).fetchall()
        for row in rows:
            yield from self.prose("decision", DECISIONS, row["text"], "Voorwaarde")

    def contacts(self) -> Iterator[Item]:
        rows = self.db.execute(
            "SELECT c.*, m.person FROM contact c LEFT JOIN mention m ON m.id = c.mention_id WHERE c.report_id = %s"
            " ORDER BY c.at",
            (self.said.report_id,),
        ).fetchall()
        for row in rows:
            if row["mention_id"] == self.said.mention_id:
                yield self.item("contact", CONTACTS, f"Contact met u op {_day(row['at'])}.")
                ground = "child" if self.representative else None
                yield from self.prose("contact", CONTACTS, row["summary"], ground=ground)
                continue
            age = age_on(row["person"] or {}, local_day(row["at"]))
            child = row["with_kind"] == "person" and age is not None and age[0] < CHILD
            ground = "child" if child else {"reporter": "reporter"}.get(row["with_kind"], "other_person")
            yield self.item(
                "contact", "Gesprekken met anderen", f"Een gesprek op {_day(row['at'])}.", ground, locked=True
            )

    def letters(self) -> Iterator[Item]:
        rows = self.db.execute(
            "SELECT template, sent_at FROM letter WHERE mention_id = %s AND sent_at IS NOT NULL ORDER BY sent_at",
            (self.said.mention_id,),
        )
        for row in rows:
            title = letters.texts()[row["template"]].title if row["template"] in letters.texts() else "Brief"
            yield self.item("letter", LETTERS, f"{title}, verstuurd op {_day(row['sent_at'])}")
        told = self.db.execute(
            "SELECT told_at FROM person_notice WHERE mention_id = %s", (self.said.mention_id,)
        ).fetchone()
        if told:
            yield self.item(
                "letter", LETTERS, f"Wij hebben u op {_day(told['told_at'])} laten weten wat wij vastlegden."
            )

    def shared(self) -> Iterator[Item]:
        """Who received what (AVG art. 15 lid 1 c and 19)."""
        # Which team somebody was handed over to tells where he stays, when that must not be known.
        secret = guarded.place_is_secret(self.db, self.said.report_id)
        rows = self.db.execute(
            "SELECT t.name, h.offered_at AS at FROM handover h JOIN team t ON t.id = h.team_id WHERE h.report_id = %s"
            " AND h.state = 'accepted' ORDER BY h.offered_at",
            (self.said.report_id,),
        ).fetchall()
        for row in rows:
            text = f"{row['name']} kreeg gegevens over u op {_day(row['at'])}."
            yield self.item("shared", SHARED, text, "whereabouts" if secret else None)
        for row in self.db.execute(
            "SELECT forwarded_to, at FROM forwarding WHERE report_id = %s ORDER BY at", (self.said.report_id,)
        ):
            text = f"Doorgestuurd aan {row['forwarded_to']} op {_day(row['at'])}."
            yield self.item("shared", SHARED, text, "whereabouts" if secret else None)

    def own_words(self) -> Iterator[Item]:
        mention = {"mention": self.said.mention_id}
        for row in self.db.execute(
            "SELECT text, said_on FROM own_statement WHERE mention_id = %(mention)s ORDER BY at", mention
        ):
            yield self.item(
                "own_words", OWN_WORDS, f"Eigen verklaring van {long_date(row['said_on'])}: {row['text']}"
            )
        for row in self.db.execute(
            "SELECT what, becomes, since FROM correction WHERE mention_id = %(mention)s ORDER BY at", mention
        ):
            yield self.item("own_words", OWN_WORDS, f"Correctie ({row['what']}): {row['becomes']}")
        for row in self.db.execute(
            "SELECT kind, received_on FROM person_request WHERE mention_id = %(mention)s ORDER BY received_on, id",
            mention,
        ):
            yield self.item("own_words", OWN_WORDS, f"Verzoek van {long_date(row['received_on'])}")


def _own_text(name: str, value: Any) -> str:
    """One of a person's own data as a line of text."""
    if not value:
        return ""
    if name == "naam":
        parts = (
            value.get("voornamen") or value.get("voornaam"),
            value.get("voorvoegsel"),
            value.get("geslachtsnaam"),
        )
        return " ".join(part for part in parts if part) or str(value.get("volledigeNaam") or "")
    if name == "geboortedatum":
        return PartialDate.from_stuf(str(value.get("tekst", "")), value.get("indicatie")).display()
    if name == "rol":
        return str(value.get("tekst") or "")
    if name == "geslacht":
        return _SEXES.get(str(value), "onbekend")
    if name == "adressen":
        return "; ".join(text for one in value if (text := _address(one)))
    if isinstance(value, Mapping | list):
        skip = {"soort", "geenWaardeReden", "landcode"}
        return ", ".join(text for path, text in sentences.leaves(value) if not skip & set(path))
    return str(value)


def _address(one: Mapping[str, Any]) -> str:
    house = "".join(str(one.get(name) or "") for name in ("huisnummer", "huisletter", "toevoeging"))
    street = " ".join(part for part in (one.get("straat"), house) if part)
    town = " ".join(part for part in (one.get("postcode"), one.get("woonplaats")) if part)
    rest = [str(one.get(name) or "") for name in ("regel1", "regel2", "regel3")]
    return ", ".join(part for part in (street, town, *rest) if part)


def _day(at: Any) -> str:
    return long_date(local_day(at))
