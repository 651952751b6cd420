"""Remarks: what is wrong with a message that is accepted all the same (standards.md 10.4, 10.5).

Losing a safety report is worse than dirty data. A remark names a place and a rule, never a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from core.identity import Address
from intake.corv.codes import WARNINGS
from intake.message import INFORMING_WAYS, SASH_LEVELS, SEXES, Contact, Involved, MessageDate, ReportMessage

MAX_REMARK = 250
MAX_NAME = 200
MAX_REMARKS = 100


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark: `code` VT-W101 to VT-W112, `path` where (names of fields only), `text` in Dutch."""

    code: str
    path: str
    text: str

    def to_json(self) -> dict[str, str]:
        """{"code", "pad", "tekst"}, as stored and as the JSON door answers."""
        return {"code": self.code, "pad": self.path, "tekst": self.text}

    def sentence(self) -> str:
        """Code, text and place in at most 250 characters, for a StUF `melding`."""
        return f"{self.code}: {self.text} ({self.path})"[:MAX_REMARK]


def remark(code: str, path: str) -> Remark:
    """The remark with the text of the code list."""
    return Remark(code, path, WARNINGS[code])


def remarks(message: ReportMessage, today: date | None, possibly_other_region: bool = False) -> list[Remark]:
    """All remarks on a message, from either door.

    `today` is the Dutch calendar day of receipt, None leaves out "in the future". `possibly_other_region` is
    what the routing table says of the addresses; this function only words it (VT-W107).
    """
    return list(_found(message, today, possibly_other_region))


def _found(message: ReportMessage, today: date | None, other_region: bool) -> Iterator[Remark]:
    report, incident, situation = message.report, message.incident, message.situation
    if message.envelope.sent_at is None:
        yield remark("VT-W104", "bericht.tijdstip")
    if not message.envelope.sender.application:
        yield remark("VT-W108", "bericht.zender.applicatie")
    yield from _missing("incident.locatie", incident.place)
    yield from _missing("incident.omschrijving", incident.description)
    yield from _missing("situatie.omschrijving", situation.description)
    for path, day in (("melding.datum", report.date), ("incident.datum", incident.date)):
        yield from _missing(path, day.text if day else None)
        if day and day.text:
            yield from _date(path, day, today)
    if report.consultation_wanted is None:
        yield remark("VT-W108", "melding.agenderingGewenst")
    if not _reachable(report.contact):
        yield remark("VT-W106", "melding.contact")
    if report.sash.filled_in is None:
        yield remark("VT-W108", "melding.sash.ingevuld")
    if report.sash.filled_in and report.sash.level not in SASH_LEVELS:
        yield remark("VT-W103", "melding.sash.niveau")
    elif report.sash.level is not None and report.sash.level not in SASH_LEVELS:
        yield remark("VT-W110", "melding.sash.niveau")
    for index, informing in enumerate(report.informings):
        path = f"melding.informeringen[{index}]"
        if informing.way is not None and informing.way not in INFORMING_WAYS:
            yield remark("VT-W110", f"{path}.wijze")
        if informing.date and informing.date.text:
            yield from _date(f"{path}.datum", informing.date, today)
    for index, person in enumerate(message.persons):
        yield from _person(f"betrokkenen[{index}]", person, today)
    if not any((message.submitter.name, message.submitter.institution_code)):
        yield remark("VT-W108", "indiener.naam")
    if other_region:
        yield remark("VT-W107", "betrokkenen")


def _person(path: str, person: Involved, today: date | None) -> Iterator[Remark]:
    if person.checked_bsn.status == "invalid":
        yield remark("VT-W101", f"{path}.bsn")
    if not person.role.text:
        yield remark("VT-W108", f"{path}.rol")
    elif person.role.code is None:
        yield remark("VT-W105", f"{path}.rol")
    name = person.name
    if not name.surname and not name.full_name:
        yield remark("VT-W108", f"{path}.naam.geslachtsnaam")
    if any(len(part or "") > MAX_NAME for part in (name.surname, name.given_names, name.prefix)):
        yield remark("VT-W110", f"{path}.naam")
    if person.sex not in SEXES:
        yield remark("VT-W110" if person.sex else "VT-W108", f"{path}.geslacht")
    if person.birth_date and person.birth_date.text:
        yield from _date(f"{path}.geboortedatum", person.birth_date, today)
    for index, address in enumerate(person.addresses):
        at_home = address.area == "binnenland"
        if at_home and Address.parse(postcode=address.postcode).postcode_status != "complete":
            yield remark("VT-W102", f"{path}.adressen[{index}].postcode")


def _missing(path: str, value: str | None) -> Iterator[Remark]:
    if not (value or "").strip():
        yield remark("VT-W108", path)


def _date(path: str, day: MessageDate, today: date | None) -> Iterator[Remark]:
    partial = day.partial
    if partial.impossible or partial.day is None or (today is not None and partial.is_after(today)):
        yield remark("VT-W104", path)


def _reachable(contact: Contact | None) -> bool:
    return contact is not None and any(way.strip() for way in (*contact.phones, *contact.emails))
