"""Writes a `vtTerugkoppelingDi01`: the outcome of a report, for the police or Halt (standards.md 1.6 and 10.6).

The standard has no crossRefnummer here: the receiver knows its report again by `identificatieVtMelding` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from intake.corv.elements import Shape, inside, leaf
from intake.corv.write import as_bytes, tree
from intake.input_rules import Text, filled
from intake.message import Envelope, Part

MESSAGE = "vtTerugkoppelingDi01"
MAX_TEXT = 1000
"""Characters of `toelichting`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status` and `uitkomst` as the standard spells them, one of them with a capital letter."""

    status: str
    result: str | None = None


_ASSESSED = "uitkomst veiligheidsbeoordeling"
OUTCOMES: dict[str, Outcome] = {
    "VT-00": Outcome("melding niet ontvankelijk"),
    "VT-01-01": Outcome(_ASSESSED, "vervolgstappen belegd bij VT"),
    "VT-01-02": Outcome(_ASSESSED, "overdracht"),
    "VT-01-03": Outcome(_ASSESSED, "geen vervolgstappen nodig"),
    "VT-01-04": Outcome(_ASSESSED, "inzet regionaal maatwerk VT"),
    "VT-02": Outcome("overdracht"),
    "VT-03": Outcome("afsluiting zonder overdracht"),
    "VT-99": Outcome("Melding onjuist geadresseerd"),
}
"""What each code says (standards.md 10.6)."""


class FeedbackMessage(Part):
    """One feedback. `case_number` has 5 to 40 characters; `watch` is who holds the safety watch, by name."""

    envelope: Envelope
    code: str
    case_number: Annotated[str, Field(min_length=5, max_length=40)] | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT)]
    report_reference: Annotated[str, filled(200)]
    watch: Annotated[str, Field(max_length=200)] | None = None
    region_name: Annotated[str, Field(max_length=200)]
    region_oin: Annotated[str, Field(pattern=r"^[0-9]{20}$")]
    status: Text | None = None
    result: Text | None = None


_WATCH = Shape("BTR", (leaf("ZKN", "naam", "text", "watch"),))
_SITUATION = Shape(
    "ZOS",
    (
        inside(
            "JZ",
            "verantwoordelijkVoorZichtOpDeVeiligheidBelegdBij",
            "",
            "",
            Shape("ZOSBTR", (inside("JZ", "gerelateerde", "", "", _WATCH, required=False),)),
            required=False,
        ),
    ),
)
_REPORT = Shape(
    "VTM",
    (
        leaf("JZ", "identificatieVtMelding", "code", "report_reference"),
        inside(
            "JZ",
            "betreft",
            "",
            "",
            Shape("VTMZOS", (inside("JZ", "gerelateerde", "", "", _SITUATION, required=False),)),
            required=False,
        ),
    ),
)
_REGION = Shape("BTR", (leaf("ZKN", "naam", "text", "region_name"), leaf("ZKN", "oinNummer", "code", "region_oin")))
OBJECT = Shape(
    "ZAK",
    (
        leaf("ZKN", "identificatie", "code", "case_number"),
        leaf("ZKN", "toelichting", "text", "text"),
        leaf("ZKN", "uitkomst", "text", "result"),
        leaf("ZKN", "status", "text", "status"),
        inside(
            "ZKN",
            "naarAanleidingVan",
            "",
            "",
            Shape("ZAKVTM", (inside("ZKN", "gerelateerde", "", "", _REPORT),)),
        ),
        inside("ZKN", "isUitgevoerdDoor", "", "", Shape("ZAKBTR", (inside("ZKN", "gerelateerde", "", "", _REGION),))),
    ),
)


def write_feedback(message: FeedbackMessage) -> bytes:
    """The message in UTF-8, the same bytes for the same message. Raises KeyError for a code of another list."""
    outcome = OUTCOMES[message.code]
    filled_in = message.model_copy(update={"status": outcome.status, "result": outcome.result})
    return as_bytes(tree(MESSAGE, OBJECT, message.envelope, filled_in))
