"""From bytes to a `Reading`: guard, envelope, header, content. Never raises, whatever the bytes are."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import structlog
from lxml import etree

from core.deadlines import AMSTERDAM, local_day
from intake.corv.check import Header, content_fault, header_fault
from intake.corv.codes import ERRORS
from intake.corv.elements import HEADER, MESSAGE, NAMESPACES, OBJECT, tags_of
from intake.corv.guard import DEFAULT_LIMITS, Limits, Refused, guard
from intake.corv.reader import Reader, Values, raw_xml
from intake.message import ReportMessage
from intake.remarks import MAX_REMARKS, Remark, remark, remarks

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
VERSION = "jz0100/1.0.9"

_JZ = "{" + NAMESPACES["JZ"] + "}"
_PARTS = {tag: name for name in ("stuurgegevens", "object") for tag in tags_of(name)}
_MOMENT = re.compile(r"([0-9]{8})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})([0-9]{0,3}))?)?)?")

Level = Literal["xml", "header", "content"]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message cannot be taken: our code, the StUF code, where it failed, Dutch texts without personal data."""

    code: str
    stuf: str
    level: Level
    text: str
    details: str
    retry: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message turned out to be. Exactly one of `message` and `fault` is set.

    `header` is there as far as it could be read, also beside a fault, so that an answer can be addressed.
    """

    soap: bool
    header: Header | None
    message: ReportMessage | None
    remarks: tuple[Remark, ...]
    fault: Fault | None


def fault(code: str, level: Level, details: str) -> Fault:
    """A fault with the texts of the code list (standards.md 10.5)."""
    known = ERRORS[code]
    return Fault(code, known.stuf, level, known.text, details, known.retry)


def read(
    raw: bytes,
    own_oins: Collection[str],
    sender_oin: str,
    today: date | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Reading:
    """Read one message: bare `vtMeldingDi01` or in a SOAP 1.1 envelope (standards.md 10.2).

    `own_oins` are the receivers we answer for, `sender_oin` is the OIN of the authenticated connection, `today`
    the Dutch day of receipt (default: the day in the header). A fault on level "content" belongs in quarantine.
    VT-E058 means that our own code failed; it is logged by the name of the error only.
    """
    soap = SOAP.encode() in raw[:4096]
    try:
        root = guard(raw, limits)
        soap, body = _unwrap(root)
        return _read_body(soap, body, own_oins, sender_oin, today)
    except Refused as refused:
        return Reading(soap, None, None, (), fault(refused.code, "xml", refused.text))
    except Exception as error:
        return Reading(soap, None, None, (), _broken(error, "xml"))


def _broken(error: Exception, level: Level) -> Fault:
    """Last resort: a message that breaks our own code must reach quarantine, not disappear in a 500."""
    logger.error("corv_message_broke_the_reader", error=type(error).__name__)
    return fault("VT-E058", level, "Het lezen van het bericht mislukte.")


def _unwrap(root: etree._Element) -> tuple[bool, etree._Element]:
    """The message itself. Raises `Refused` when there is not exactly one."""
    if root.tag != f"{{{SOAP}}}Envelope":
        return False, root
    bodies = root.findall(f"{{{SOAP}}}Body")
    inside = [child for body in bodies for child in body if isinstance(child.tag, str)]
    if len(bodies) != 1 or len(inside) != 1:
        text = "De SOAP-envelop heeft niet precies één Body met één bericht."
        raise Refused("VT-E055", ERRORS["VT-E055"].stuf, text)
    return True, inside[0]


def _read_body(
    soap: bool, body: etree._Element, own_oins: Collection[str], sender_oin: str, today: date | None
) -> Reading:
    if not body.tag.startswith(_JZ):
        return Reading(soap, None, None, (), fault("VT-E055", "xml", f"Het bericht is geen {MESSAGE}."))
    reader = Reader()
    parts: dict[str, list[etree._Element]] = {"stuurgegevens": [], "object": []}
    reader.look_at_attributes(body, MESSAGE)
    reader.stray(body.text, MESSAGE)
    for child in body:
        if child.tag in _PARTS:
            parts[_PARTS[child.tag]].append(child)
        else:
            reader.keep(MESSAGE, raw_xml(child), "VT-W111")
        reader.stray(child.tail, MESSAGE)
    if not parts["stuurgegevens"]:
        details = "Het onderdeel stuurgegevens ontbreekt."
        return Reading(soap, None, None, (), fault("VT-E055", "header", details))

    header_values: Values = {}
    reader.look_at_attributes(parts["stuurgegevens"][0], "stuurgegevens")
    reader.fill(parts["stuurgegevens"][0], HEADER, header_values, "stuurgegevens")
    header = Header.of(header_values, VERSION, moment(header_values.get("sent_at_raw", "")))
    found = header_fault(header, header_values, body.tag, own_oins, sender_oin)
    if found is None and (len(parts["stuurgegevens"]) > 1 or reader.duplicate):
        found = ("VT-E055", f"Komt vaker voor dan mag: {reader.duplicate or 'stuurgegevens'}.")
    if found is not None:
        return Reading(soap, header, None, (), fault(found[0], "header", found[1]))

    try:
        return _read_content(soap, header, header_values, parts["object"], reader, today)
    except Exception as error:
        return Reading(soap, header, None, (), _broken(error, "content"))


def _read_content(
    soap: bool,
    header: Header,
    header_values: Values,
    objects: list[etree._Element],
    reader: Reader,
    today: date | None,
) -> Reading:
    values: Values = {}
    for node in objects[:1]:
        reader.look_at_attributes(node, "object")
        reader.fill(node, OBJECT, values, "object")
    details = content_fault(len(objects), reader.duplicate, values)
    if details is not None:
        return Reading(soap, header, None, (), fault("VT-E055", "content", details))
    del header_values["message_code"]
    values["envelope"] = header_values | {"sent_at": header.sent_at, "version": header.version}
    values["unknown"] = reader.unknown
    _normalise_level(values)
    message = ReportMessage.model_validate(values, by_name=True, by_alias=False)
    if today is None and header.sent_at is not None:
        today = local_day(header.sent_at)
    found = (*remarks(message, today), *reader.remarks)
    if len(found) > MAX_REMARKS:
        found = (*found[: MAX_REMARKS - 1], remark("VT-W112", MESSAGE))
    return Reading(soap, header, message, found, None)


def _normalise_level(values: Values) -> None:
    """Lower case, because "Hoog" means "hoog": this one word raises the priority, so spelling may not hide it."""
    sash = values["report"].get("sash", {})
    if isinstance(level := sash.get("level"), str):
        sash["level"] = level.lower()


def moment(text: str) -> datetime | None:
    """UTC for a StUF tijdstip `yyyymmdd[hh[mm[ss[mmm]]]]` in Dutch time, or None when it is none.

    In the repeated hour of October the first of the two is meant.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    day, hour, minute, second, fraction = match.groups()
    try:
        return datetime(
            int(day[:4]),
            int(day[4:6]),
            int(day[6:]),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(3, "0")) * 1000,
            AMSTERDAM,
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
