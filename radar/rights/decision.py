"""The decision on a request: proposed by one person with its reasons, released by another, told in a letter.

A refusal has its ground per report, in words about this case: a reason that fits every case is none (RBNHO:2021:5101,
RBAMS:2023:137). Which way the person has who disagrees follows from the legal form of the organisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core import audit
from core.calendar import long_date
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, ReasonMissing, VeiligError
from radar.casework import letters
from radar.outbound.release import Objected
from radar.rights import copy, corrections, destruction, law, person, requests
from radar.rights.askers import KINDS

OUTCOMES: dict[str, str] = {"granted": "Toegewezen", "partly": "Voor een deel toegewezen", "refused": "Afgewezen"}
ALL_OUTCOMES = OUTCOMES | {"withdrawn": "Ingetrokken", "not_entitled": "Deze persoon mag dit niet vragen"}
CONCRETE_WORDS = 8
"""A reason shorter than this cannot say why, here. Our own choice; the case law gives no number."""


class OutcomeMissing(VeiligError):
    """Kies wat het besluit is."""

    status = 400


class GroundMissing(VeiligError):
    """Kies bij elke melding waarop de weigering rust."""

    status = 400


class NotConcrete(VeiligError):
    """Schrijf concreet op waarom dit in deze melding niet kan: wie heeft er belang bij, en welk belang."""

    status = 400


class CopyMissing(Conflict):
    """Maak eerst het afschrift en leg het voor aan een tweede lezer."""


class SamePerson(NotAllowed):
    """Een ander dan wie het besluit voorstelde, geeft het vrij."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is refused in one report: the code of the ground, and the concrete words."""

    report_id: UUID
    ground: str
    text: str


def propose(
    db: Db, request_id: UUID, outcome: str, reason: str, why: Sequence[Why] = (), *, by: str, at: datetime
) -> None:
    """Say what the decision should be; another person releases it.

    `reason`: what is decided, for the letter. A refusal (also in part, but for access, where each piece has its
    ground)
    needs a `Why` for each report with data of this person. Raises NotFound, NotVerified, OutcomeMissing,
    ReasonMissing,
    GroundMissing, NotConcrete, CopyMissing.
    """
    request = requests.verified(db, request_id, "access", "correction", "destruction", "objection", "restriction")
    if outcome not in OUTCOMES:
        raise OutcomeMissing
    if not reason.strip():
        raise ReasonMissing("Schrijf op wat u besluit.")
    access = request["kind"] == "access"
    if access and outcome != "refused":
        made = copy.of_request(db, request_id)
        if made is None or made["state"] != "submitted":
            raise CopyMissing
    elif outcome != "granted":
        _check(db, request, why)
    if request["decided_at"] is not None and request["returned_at"] is None:
        raise Conflict("Er ligt al een voorstel. Geef het vrij of geef het terug.")
    db.execute(
        "UPDATE person_request SET outcome = %s, reason = %s, decided_at = %s, decided_by = %s, returned_at = NULL,"
        " returned_by = NULL, returned_why = NULL WHERE id = %s",
        (outcome, reason.strip(), at, by, request_id),
    )
    last = db.execute(
        "SELECT coalesce(max(number), 0) AS n FROM request_ground WHERE request_id = %s", (request_id,)
    ).fetchone()
    for number, one in enumerate(why, start=(last["n"] if last else 0) + 1):
        db.execute(
            "INSERT INTO request_ground (request_id, number, region_id, report_id, ground, text, at, actor)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (request_id, number, request["region_id"], one.report_id, one.ground, one.text.strip(), at, by),
        )
    details = {"kind": request["kind"], "outcome": outcome, "grounds": [one.ground for one in why]}
    audit.append(db, request["region_id"], by, "request.decide", "person_request", request_id, details)


def give_back(db: Db, request_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """The second person does not agree: back to who proposed it. Raises NotFound, Conflict, ReasonMissing."""
    request = _proposed(db, request_id)
    if not why.strip():
        raise ReasonMissing("Schrijf in een zin wat er anders moet.")
    db.execute(
        "UPDATE person_request SET returned_at = %s, returned_by = %s, returned_why = %s, outcome = NULL,"
        " decided_at = NULL, decided_by = NULL WHERE id = %s",
        (at, by, why.strip(), request_id),
    )
    made = copy.of_request(db, request_id)
    if made is not None and made["state"] == "submitted":
        copy.give_back(db, made["id"], why, by=by, at=at)
    audit.append(db, request["region_id"], by, "request.give_back", "person_request", request_id)


def release(db: Db, request_id: UUID, *, by: str, name: str, phone: str, at: datetime) -> UUID:
    """A second person agrees: the letter is made, the term met, and what was granted follows; gives the letter.

    An access copy is released with it. `name` and `phone` stand in the letter. Raises NotFound, Conflict, SamePerson,
    and what `copy.release` and `letters.make` raise.
    """
    request = _proposed(db, request_id)
    if request["decided_by"] == by:
        raise SamePerson
    made = copy.of_request(db, request_id) if request["kind"] == "access" else None
    copied = None
    if made is not None and request["outcome"] != "refused":
        copied = copy.release(db, made["id"], by=by, at=at)
        _copy_letter(db, request, copied, by, at)
    fields = {
        "aan": request["asker_name"],
        "ontvangen": _date(request["received_on"]),
        "verzoek": KINDS[request["kind"]].lower(),
        "antwoord": request["reason"],
        "redenen": _reasons(db, request, copied),
        "weg": remedy(db, request["region_id"]),
        "bellen": phone,
        "medewerker": name,
    }
    letter = letters.make(
        db, request["report_id"], "request_answer", fields, request["mention_id"], request["decided_by"], at
    )
    _through_the_gate(db, request, letter, [by], at)
    db.execute("UPDATE person_request SET letter_id = %s WHERE id = %s", (letter, request_id))
    requests.close(db, request_id, request["outcome"], request["reason"], by=by, at=at)
    if request["outcome"] in ("granted", "partly"):
        _follow(db, request, by, at)
    return letter


def remedy(db: Db, region: UUID) -> str:
    """What somebody can do who disagrees, by the legal form of this organisation."""
    row = db.execute("SELECT legal_form FROM region WHERE id = %s", (region,)).fetchone()
    return law.legal_forms()[row["legal_form"] if row else "other"].remedy


def grounds_of(db: Db, request_id: UUID) -> list[Row]:
    """The grounds of the last proposal, in order, with the report."""
    return db.execute(
        "SELECT g.*, r.received_at FROM request_ground g JOIN report r ON r.id = g.report_id WHERE g.request_id = %s"
        " AND g.at = (SELECT max(at) FROM request_ground WHERE request_id = g.request_id) ORDER BY g.number",
        (request_id,),
    ).fetchall()


def reports_of(db: Db, request: Row) -> list[UUID]:
    """The reports with data that are certainly of this person: each needs its own ground."""
    return person.certain(db, request["mention_id"]).reports


def concrete(text: str) -> bool:
    """Whether a reason can be about this case: long enough, and not the title of a ground."""
    plain = " ".join(text.split())
    titles = {one.title.casefold() for one in law.grounds().values()}
    return len(plain.split()) >= CONCRETE_WORDS and plain.rstrip(".").casefold() not in titles


def _check(db: Db, request: Row, why: Sequence[Why]) -> None:
    fits = law.grounds_for(request["kind"])
    needed = set(reports_of(db, request))
    if (
        {one.report_id for one in why} != needed
        or len(why) != len(needed)
        or any(one.ground not in fits for one in why)
    ):
        raise GroundMissing
    if not all(concrete(one.text) for one in why):
        raise NotConcrete


def _proposed(db: Db, request_id: UUID) -> Row:
    request = requests.verified(db, request_id)
    if request["decided_at"] is None:
        raise Conflict("Er is nog geen besluit voorgesteld.")
    return request


def _reasons(db: Db, request: Row, copied: Row | None) -> str:
    if copied is not None:
        return copy.left_out(copy.items_of(db, copied["id"]))
    if request["outcome"] == "granted":
        return ""
    lines = []
    for row in grounds_of(db, request["id"]):
        ground = law.grounds()[row["ground"]]
        lines.append(f"- De melding van {_date(row['received_at'])}. {ground.title}: {row['text']} ({ground.source})")
    return "\n".join(lines)


def _copy_letter(db: Db, request: Row, made: Row, by: str, at: datetime) -> None:
    items = copy.items_of(db, made["id"])
    about = db.execute("SELECT person FROM mention WHERE id = %s", (request["mention_id"],)).fetchone()
    fields = {
        "aan": request["asker_name"],
        "over": "u" if request["asker"] == "self" or about is None else _name(about["person"]),
        "weggelaten": copy.left_out(items),
    }
    letter = letters.make(
        db,
        request["report_id"],
        "access_copy",
        fields,
        request["mention_id"],
        made["submitted_by"],
        at,
        more=copy.paragraphs(items),
    )
    copy.kept_words(db, made["id"], letter)
    _through_the_gate(db, request, letter, [made["submitted_by"], by], at)


def _through_the_gate(db: Db, request: Row, letter: UUID, readers: Sequence[str], at: datetime) -> None:
    """Who read and released it here, releases the letter; what is in the way keeps it at the gate, for a person."""
    for one in readers:
        try:
            with db.transaction():
                letters.let_go(db, request["region_id"], letter, by=one, at=at)
        except Objected:
            return


def _follow(db: Db, request: Row, by: str, at: datetime) -> None:
    if request["kind"] == "restriction":
        corrections.stop_use(db, request, by=by, at=at)
    elif request["kind"] == "objection":
        destruction.stop_for(db, request["mention_id"], "Er is bezwaar gemaakt, en dat is toegewezen.", by=by, at=at)


def _name(found: Mapping[str, Any]) -> str:
    name = found.get("naam") or {}
    parts = (name.get("voornamen") or name.get("voornaam"), name.get("voorvoegsel"), name.get("geslachtsnaam"))
    return " ".join(part for part in parts if part) or "deze persoon"


def _date(day: date) -> str:
    """A moment gives its day in the Netherlands."""
    return long_date(local_day(day) if isinstance(day, datetime) else day)
