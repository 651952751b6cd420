"""A family with texts that a canary lives in, and what the people at the desks do about a request, in one call
each.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Db
from core.ids import uuid7
from radar.casework.letters import store
from radar.rights import copy, decision, requests
from tests.radar.test_letters import words
from tests.web.conftest import CONTENT, World, person

RECEIVED = datetime(2026, 1, 5, 9, tzinfo=UTC)
AT = datetime(2026, 3, 4, 9, tzinfo=UTC)
DAY = date(2026, 3, 2)

CHILD = person("Kaatje", "Voorbeeld", "20150301", "jeugdige")
MOTHER = person("Maria", "Voorbeeld", "19880612", "ouder met gezag", telefoonnummers=["0612345678"])
FATHER = person(
    "Jan",
    "Proef",
    "19850304",
    "ouder met gezag",
    adressen=[
        {"soort": "feitelijk", "straat": "Proefpad", "huisnummer": "7", "postcode": "4321ZZ", "woonplaats": "Elders"}
    ],
)
ABOUT_HIM = "Jan volgt sinds vorig jaar een cursus."
ABOUT_HER = "Maria zei dat zij bij een tante in Kanariedorp slaapt."
ABOUT_BOTH = "Jan duwde Maria in de keuken."
STORY: dict[str, Any] = {
    **CONTENT,
    "incident": {**CONTENT["incident"], "omschrijving": f"{ABOUT_HIM} {ABOUT_HER}\n{ABOUT_BOTH}"},
    "situatie": {"omschrijving": "Kaatje vertelde op school over kanarievogels."},
    "indiener": {"naam": "Kanariebureau", "soort": "politie"},
}
CANARIES = ("Maria", "Kaatje", "Kanariedorp", "kanarievogels", "Kanariebureau", "Voorbeeldstraat", "0612345678")
"""Of others: none of these may be in what the father gets."""


def family(world: World, at: datetime = RECEIVED, *, state: str = "assessing", **more: Any) -> UUID:
    """A linked report on a child, its mother and its father; gives the report."""
    household, case = world.household(at)
    report = world.report(
        at,
        [CHILD, MOTHER, FATHER],
        household=household,
        case=case,
        content=STORY,
        state=state,
        done=state == "closed",
        **more,
    )
    for number in (1, 2, 3):
        world.link(report, number, uuid7(), "new", household=household)
    return report


def mention(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def asked(db: Db, report: UUID, number: int, kind: str, *, by: str = "ilse", at: datetime = AT) -> UUID:
    """A request of this person, made by himself and verified with a document."""
    request = requests.receive(db, mention(db, report, number), kind, at.date(), by=by, at=at)
    assert requests.verify(db, request, asker="self", name="Jan Proef", how="document", by=by, at=at)
    return request


def prepared(db: Db, request: UUID, *, by: str = "bram", at: datetime = AT) -> UUID:
    """A copy with a reason for everything that is left out, submitted."""
    made = copy.prepare(db, request, by=by, at=at)
    for ground in ("other_person", "whereabouts", "working_note", "reporter", "child"):
        copy.explain(db, made, ground, "Dit stuk gaat over een ander in het gezin.", by=by, at=at)
    copy.submit(db, made, by=by, at=at)
    return made


def granted(db: Db, report: UUID, number: int = 3, *, at: datetime = AT) -> UUID:
    """A request for destruction that was granted by two, with its letter posted."""
    request = asked(db, report, number, "destruction", at=at)
    decision.propose(db, request, "granted", "Wij vernietigen uw gegevens.", by="bram", at=at)
    letter = decision.release(db, request, by="gwen", name="Gwen", phone="0800-2000", at=at)
    db.execute("UPDATE letter SET sent_at = %s, sent_by = 'bram' WHERE id = %s", (at, letter))
    return request


def words_of_pdf(content: bytes) -> str:
    """Everything that can be read in a PDF: its text, decompressed, and its properties."""
    return words(content) + content.decode("latin-1")


def letter_pdf(db: Db, letter: UUID) -> bytes:
    return store.original(db, letter)


def later(days: int, at: datetime = AT) -> datetime:
    return at + timedelta(days=days)
