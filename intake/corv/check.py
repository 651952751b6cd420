"""The checks that refuse: header first, then the structure without which a report cannot be stored or routed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from intake.corv.elements import MESSAGE

BERICHTCODE = "Di01"


@dataclass(frozen=True, slots=True)
class Header:
    """The stuurgegevens: texts as sent, "" when absent; `sent_at` in UTC, None when unreadable."""

    function: str
    reference: str
    cross_reference: str | None
    sent_at: datetime | None
    sent_at_raw: str
    sender_oin: str
    sender_application: str
    receiver_oin: str
    receiver_application: str
    version: str

    @classmethod
    def of(cls, values: dict[str, Any], version: str, sent_at: datetime | None) -> Header:
        """Build from the values read; nothing here can fail."""
        sender, receiver = values.get("sender", {}), values.get("receiver", {})
        return cls(
            function=values.get("function", ""),
            reference=values.get("reference", ""),
            cross_reference=values.get("cross_reference"),
            sent_at=sent_at,
            sent_at_raw=values.get("sent_at_raw", ""),
            sender_oin=sender.get("oin", ""),
            sender_application=sender.get("application", ""),
            receiver_oin=receiver.get("oin", ""),
            receiver_application=receiver.get("application", ""),
            version=version,
        )


def header_fault(
    header: Header, values: dict[str, Any], tag: str, own_oins: Collection[str], sender_oin: str
) -> tuple[str, str] | None:
    """The first header fault as (our code, Dutch details), or None (standards.md 10.5).

    An unreadable tijdstip is no fault: the report is worth more than its clock. It becomes a remark.
    """
    # Who sends to whom comes first: a message in another's name, or for another, is never kept.
    if not header.sender_oin:
        return "VT-E013", "De organisatie van de zender ontbreekt."
    if header.sender_oin != sender_oin:
        return "VT-E052", "De organisatie van de zender hoort niet bij deze verbinding."
    if header.receiver_oin not in own_oins:
        return "VT-E010", "De organisatie van de ontvanger is hier niet bekend."
    if values.get("message_code") != BERICHTCODE:
        return "VT-E022", f"De berichtcode is niet {BERICHTCODE}."
    if tag.partition("}")[2] != MESSAGE or header.function != MESSAGE:
        return "VT-E040", f"De functie en het bericht zijn niet {MESSAGE}."
    if not 1 <= len(header.reference) <= 40:
        return "VT-E055", "Het referentienummer heeft niet 1 tot 40 tekens."
    return None


def content_fault(objects: int, duplicate: str | None, values: dict[str, Any]) -> str | None:
    """Why the content cannot become a report, in Dutch, or None (standards.md 10.5, VT-E055)."""
    if objects != 1:
        return f"Het onderdeel object komt {objects} keer voor, het moet 1 keer."
    if duplicate is not None:
        return f"Komt vaker voor dan mag: {duplicate}."
    if not values.get("report", {}).get("reference"):
        return "Het kenmerk (identificatieVtMelding) ontbreekt."
    if not values.get("persons"):
        return "Er is geen enkele betrokkene (heeftBetrokken)."
    return None
