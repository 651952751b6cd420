"""The request to the Child Protection Board (verzoek tot onderzoek, VTO) as a message: made from an offered handover.

What the Board may see is what was ticked on the handover; the form goes along as a PDF. The watch stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core import audit
from core.calendar import long_date
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound
from core.identity import Bsn, PartialDate, Phone
from core.ids import uuid7
from intake import opening, outbox
from intake.corv.codes import role_text
from intake.corv.vto import FORM, Personalia, VtoChild, VtoCustodian, VtoDocument, VtoMessage, date_of
from intake.corv.write_vto import MESSAGE, write_vto
from intake.message import Envelope, MessageDate, Name, Party
from radar.casework.handover_kinds import told
from radar.casework.handover_shares import shared
from radar.casework.letters.drawing import draw
from radar.outbound import release as outbound

KIND = "child_protection_board"
RECEIVER = "CORV"
"""The application that takes the Board's messages; our own reading."""
CHILDREN = ("jeugdige", "kind")
WITH_CUSTODY = ("ouder met gezag", "voogd")
PERHAPS = ("ouder, gezag niet benoemd",)
"""Only when nobody is said to have custody."""
OF_AGE = 18
MAX_PREFIX, MAX_PHONE = 10, 20
_PHONE = re.compile(r"(?:\+|\(0[0-9]{1,3}\) ?)?[0-9][0-9 ().\-]{5,16}[0-9]")
_EMAIL = re.compile(r"[^\s@,;<>()]+@[^\s@,;<>()]+\.[A-Za-z]{2,}")


def send_vto(db: Db, handover_id: UUID, by: str, at: datetime) -> UUID:
    """Make the vtoDi01 of a handover to the Board and ask for its sending; gives the message. Once per handover.

    Raises NotFound (also for another kind of handover); Conflict when it was sent or withdrawn; VtoIncomplete, naming
    all that is missing; Unwritable for a character that the form cannot hold.
    """
    row = db.execute(
        "SELECT h.id, h.region_id, h.report_id, h.kind, h.team_id, h.state, h.shares, h.content, r.received_at,"
        " c.number AS case_number, g.name AS region, g.oin AS region_oin, g.application, t.name AS team, t.oin"
        " FROM handover h JOIN report r ON r.id = h.report_id JOIN region g ON g.id = h.region_id"
        " JOIN team t ON t.id = h.team_id LEFT JOIN cases c ON c.id = r.case_id WHERE h.id = %s FOR UPDATE OF h",
        (handover_id,),
    ).fetchone()
    if row is None or row["kind"] != KIND:
        raise NotFound
    if row["state"] in ("withdrawn", "refused"):
        raise Conflict("Dit verzoek is ingetrokken of geweigerd.")
    if outbox.message_of(db, row["region_id"], handover_id):
        raise Conflict("Van dit verzoek is al een bericht gemaakt.")
    if row["oin"] is None:
        raise Conflict("Van de Raad is geen OIN ingesteld. Vraag de beheerder.")
    reference = str(uuid7())
    body = write_vto(_message(db, row, reference, at))
    audit.append(db, row["region_id"], by, "vto.send", "handover", handover_id, {"report": str(row["report_id"])})
    made = outbound.propose(
        db,
        kind="vto",
        subject=handover_id,
        report_id=row["report_id"],
        recipient=("partner", row["team_id"]),
        parts=[*row["shares"], "form"],
        by=by,
        at=at,
    )
    outbound.release(db, made, by=by, at=at, texts=[line.text for line in told(KIND, row["content"])])
    return queue_vto(db, handover_id, body, reference, at)


def queue_vto(db: Db, handover_id: UUID, message_bytes: bytes, reference: str, at: datetime) -> UUID:
    """Keep these bytes as the message of a handover, for its team, and ask for the sending. Raises NotFound."""
    row = db.execute("SELECT report_id, team_id FROM handover WHERE id = %s", (handover_id,)).fetchone()
    if row is None:
        raise NotFound
    return outbox.store_message(
        db,
        "vtoDi01",
        handover_id,
        row["report_id"],
        reference=reference,
        body=message_bytes,
        at=at,
        team_id=row["team_id"],
    )


def _message(db: Db, row: Row, reference: str, at: datetime) -> VtoMessage:
    content, shares = row["content"], row["shares"]
    persons = opening.persons(db, row["report_id"])
    name, phone, email = contact_in(content.get("contact", ""))
    return VtoMessage(
        envelope=Envelope(
            function=MESSAGE,
            reference=reference,
            sent_at=at,
            sender=Party(oin=row["region_oin"], application=row["application"]),
            receiver=Party(oin=row["oin"], application=RECEIVER),
        ),
        case_number=row["case_number"] or "",
        began=date_of(row["received_at"]),
        registered=date_of(at),
        urgent=content.get("urgency", "").startswith("Ja"),
        contact_name=name,
        contact_phone=phone,
        contact_email=email,
        organisation=row["region"],
        children=_children(persons, content, shares, local_day(at)),
        custodians=_custodians(persons, content, shares),
        documents=(
            VtoDocument(
                identification=f"{row['case_number']}-VTO"[:40],
                kind=FORM,
                made=date_of(at),
                file_name=f"verzoek-tot-onderzoek-{row['case_number']}.pdf",
                content=_form(db, row, at),
            ),
        ),
    )


def contact_in(line: str) -> tuple[str, str | None, str | None]:
    """Name, telephone and e-mail address of a typed line; a name of at most 200 characters."""
    phone, email = _PHONE.search(line), _EMAIL.search(line)
    rest = line
    for match in (phone, email):
        rest = rest.replace(match[0], " ") if match else rest
    name = " ".join(re.sub(r"[,;:/]+(?=\s|$)|\s-\s", " ", rest).split())
    return name[:200].strip(" -(),"), phone[0].strip()[:MAX_PHONE] if phone else None, email[0] if email else None


def _children(
    persons: list[dict[str, Any]], content: Mapping[str, str], shares: Collection[str], today: date
) -> tuple[VtoChild, ...]:
    found = []
    for person in persons:
        if _role(person) not in CHILDREN:
            continue
        born = _birth(person)
        unborn = born is not None and (born.unborn or ((first := born.earliest()) is not None and first > today))
        if not unborn and born is not None and _of_age(born, today):
            continue
        known = _personalia(person, shares, phone=False)
        if unborn and born is not None and born.unborn:
            known = known.model_copy(update={"birth_date": None})
        found.append(VtoChild(person=known, unborn=unborn))
    due = content.get("due_on")
    if due and not any(child.unborn for child in found):
        expected = MessageDate(text=due.replace("-", ""), indicator="V")
        found.append(VtoChild(person=Personalia(sex="O", birth_date=expected), unborn=True))
    return tuple(found)


def _custodians(
    persons: list[dict[str, Any]], content: Mapping[str, str], shares: Collection[str]
) -> tuple[VtoCustodian, ...]:
    roles = [_role(person) for person in persons]
    chosen = WITH_CUSTODY if any(role in WITH_CUSTODY for role in roles) else PERHAPS
    informed = content.get("parents_informed") == "ja"
    return tuple(
        VtoCustodian(
            person=_personalia(person, shares, phone="phones" in shares),
            role=role,
            informed=informed,
            not_informed_why=None if informed else content.get("why_not_informed"),
        )
        for person, role in zip(persons, roles, strict=True)
        if role in chosen
    )


def _personalia(person: Mapping[str, Any], shares: Collection[str], *, phone: bool) -> Personalia:
    """Who it is, as the standard can hold it: a BSN only when it is one and was ticked."""
    name = person.get("naam") or {}
    prefix, surname = name.get("voorvoegsel") or "", name.get("geslachtsnaam") or name.get("volledigeNaam") or ""
    if len(prefix) > MAX_PREFIX:
        prefix, surname = "", f"{prefix} {surname}"
    birth = person.get("geboortedatum")
    numbers = [Phone.parse(raw).value or raw for raw in person.get("telefoonnummers") or []] if phone else []
    sex = person.get("geslacht")
    return Personalia(
        bsn=Bsn.parse(person.get("bsn")).value if "bsn" in shares else None,
        name=Name(
            given_names=(name.get("voornamen") or "")[:200] or None,
            prefix=prefix or None,
            surname=surname[:200] or None,
        ),
        sex=sex if sex in ("M", "V", "O") else "O",
        birth_date=MessageDate.model_validate(birth) if birth else None,
        phone=next((number for number in numbers if len(number) <= MAX_PHONE), None),
    )


def _role(person: Mapping[str, Any]) -> str:
    role = person.get("rol") or {}
    return role.get("tekst") or role_text(str(role.get("code") or "")) or ""


def _birth(person: Mapping[str, Any]) -> PartialDate | None:
    sent = person.get("geboortedatum")
    return PartialDate.from_stuf(str(sent.get("tekst", "")), sent.get("indicatie")) if sent else None


def _of_age(born: PartialDate, today: date) -> bool:
    """Certainly eighteen or older."""
    latest = born.latest()
    if latest is None:
        return False
    return today.year - latest.year - ((today.month, today.day) < (latest.month, latest.day)) >= OF_AGE


def _form(db: Db, row: Row, at: datetime) -> bytes:
    """The filled in form and what is shared, as a PDF. Raises Unwritable."""
    day = local_day(at)
    given = {
        "regio": row["region"],
        "datum": long_date(day),
        "kenmerk": row["case_number"] or "",
    }
    asked = [f"{line.label}\n{line.text}" for line in told(KIND, row["content"])]
    parts = [
        "\n".join([part.title, *(f"{line.label}: {line.text}" for group in part.groups for line in group)])
        for part in shared(db, row["report_id"], row["shares"])
    ]
    return draw(given, FORM, [f"Aan: {row['team']}", *asked, *parts])
