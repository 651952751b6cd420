"""The states of a report and every allowed move between them: one table (Handelingsprotocol 2019, domain.md 2.1).

Pure. `steps.py` makes a move for real; the history is the table `report_step`, which is only ever added to.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

STATES: dict[str, str] = {
    "received": "Ontvangen, wacht op de acute check",
    "assessing": "In veiligheidsbeoordeling",
    "signing": "Wacht op de tweede handtekening",
    "handover": "Wordt overgedragen",
    "conditions": "Voorwaarden en vervolg",
    "investigation": "In onderzoek",
    "regional_task": "Regionaal maatwerk",
    "monitoring": "In monitoring",
    "joined": "Gevoegd bij een lopend traject",
    "closed": "Afgesloten",
    "not_receivable": "Niet ontvankelijk",
    "wrongly_addressed": "Onjuist geadresseerd",
    "forwarded": "Geen melding, doorgestuurd",
    "imported": "Overgenomen uit een oud systeem",
}
"""Each state with what the screen says."""

BEFORE_DECISION = ("received", "assessing", "signing")
WAITING = (*BEFORE_DECISION, "handover")
"""Somebody waits for us or for a partner: meanwhile the risk is looked at again and again."""
SERVICES = ("conditions", "investigation", "regional_task")
"""What Veilig Thuis does itself."""
RUNNING = ("handover", *SERVICES, "monitoring")
FINAL = ("joined", "closed", "not_receivable", "wrongly_addressed", "forwarded", "imported")
"""No work of its own is left. A joined report is carried by the other reports of its case."""

INTAKE = ("intake_worker", "assessor", "behavioural_scientist", "team_lead")
ASSESSORS = ("assessor", "behavioural_scientist", "team_lead")
LEADS = ("team_lead",)
SYSTEM = ("system",)
PARTNER = ("partner",)

NEEDS: dict[str, str] = {
    "reason": "een reden in een zin",
    "acute_check": "een vastgelegde acute check",
    "assessment": "een volledig ingevulde veiligheidsbeoordeling met een besluit",
    "second_signature": "een handtekening van een ander dan wie de beoordeling indiende",
    "other_report": "een andere melding in de casus met een lopend traject",
    "accepted": "een partner die de overdracht heeft aanvaard",
    "no_offer": "geen overdracht die nog op antwoord wacht",
    "service_ended": "een afgerond traject",
    "danger_over": "een einde van het directe handelen: het acute gevaar is voorbij",
    "forwarding": "de instantie waar het formulier naartoe ging",
    "undecided": "een formulier waarover nog nooit een besluit is getekend; neem anders een nieuw besluit",
    "retrieved": "een reden om het formulier terug te halen",
}
"""What a move can ask for; `steps.py` asks the database."""


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move: from which states, to which, who may make it, and what it needs."""

    name: str
    text: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    needs: tuple[str, ...] = ("reason",)


_DECISION = ("reason", "assessment", "second_signature")

MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move("check", "Acute check vastleggen", ("received",), "assessing", INTAKE, ("reason", "acute_check")),
        Move("submit", "Beoordeling indienen", ("assessing",), "signing", ASSESSORS, ("reason", "assessment")),
        Move("give_back", "Teruggeven aan de beoordelaar", ("signing",), "assessing", ASSESSORS),
        # The decision of the safety assessment (domain.md 2.2): its name is the path that was decided.
        Move("handover", "Directe overdracht", ("signing",), "handover", ASSESSORS, _DECISION),
        Move("conditions", "Voorwaarden en vervolg", ("signing",), "conditions", ASSESSORS, _DECISION),
        Move("investigation", "Onderzoek", ("signing",), "investigation", ASSESSORS, _DECISION),
        Move("regional_task", "Regionaal maatwerk", ("signing",), "regional_task", ASSESSORS, _DECISION),
        Move(
            "join", "Voegen bij het lopende traject", ("signing",), "joined", ASSESSORS, (*_DECISION, "other_report")
        ),
        Move("no_steps", "Geen vervolgstappen", ("signing",), "closed", ASSESSORS, (*_DECISION, "danger_over")),
        Move("not_receivable", "Niet ontvankelijk", ("signing",), "not_receivable", ASSESSORS, _DECISION),
        Move("wrongly_addressed", "Onjuist geadresseerd", ("signing",), "wrongly_addressed", ASSESSORS, _DECISION),
        # No domestic violence and no child abuse: no report at all (domain.md 2.3, 13.13).
        Move(
            "forward",
            "Doorsturen: geen melding",
            ("received", "assessing"),
            "forwarded",
            INTAKE,
            ("reason", "forwarding", "undecided"),
        ),
        Move("retrieve", "Terughalen als melding", ("forwarded",), "received", ASSESSORS, ("reason", "retrieved")),
        # After the decision.
        Move(
            "accept",
            "Overdracht aanvaard, Veilig Thuis sluit af",
            ("handover",),
            "closed",
            (*PARTNER, *INTAKE),
            ("accepted", "danger_over"),
        ),
        Move(
            "accept_and_monitor",
            "Overdracht aanvaard, Veilig Thuis monitort",
            ("handover",),
            "monitoring",
            (*PARTNER, *INTAKE),
            ("accepted",),
        ),
        Move("hand_over", "Overdragen", SERVICES, "handover", ASSESSORS, ("reason", "service_ended")),
        Move(
            "take_on_conditions",
            "Toch zelf: voorwaarden en vervolg",
            ("handover", "monitoring"),
            "conditions",
            ASSESSORS,
            ("reason", "no_offer"),
        ),
        Move(
            "take_on_investigation",
            "Toch zelf: onderzoek",
            ("handover", "monitoring"),
            "investigation",
            ASSESSORS,
            ("reason", "no_offer"),
        ),
        Move(
            "conditions_after",
            "Voorwaarden en vervolg na het onderzoek",
            ("investigation",),
            "conditions",
            ASSESSORS,
            ("reason", "service_ended"),
        ),
        Move("monitor", "Monitoring starten", SERVICES, "monitoring", ASSESSORS, ("reason", "service_ended")),
        Move(
            "close",
            "Afsluiten",
            (*SERVICES, "monitoring"),
            "closed",
            ASSESSORS,
            ("reason", "service_ended", "danger_over"),
        ),
        Move(
            "revise",
            "Besluit herzien",
            (*RUNNING, "joined", "closed", "not_receivable", "wrongly_addressed"),
            "assessing",
            LEADS,
            ("reason", "no_offer"),
        ),
    )
}
"""Every allowed move by its name."""

DECISIONS = (
    "handover",
    "conditions",
    "investigation",
    "regional_task",
    "join",
    "no_steps",
    "not_receivable",
    "wrongly_addressed",
)
"""The moves that a signed safety assessment can make."""

CODES: dict[str, str] = {
    "not_receivable": "VT-00",
    "conditions": "VT-01-01",
    "investigation": "VT-01-01",
    "join": "VT-01-01",
    "handover": "VT-01-02",
    "no_steps": "VT-01-03",
    "regional_task": "VT-01-04",
    "wrongly_addressed": "VT-99",
    "accept": "VT-02",
    "accept_and_monitor": "VT-02",
    "close": "VT-03",
}
"""The StUF outcome code of a move (standards.md 10.6, uitkomstMeldingGeneriek)."""


def allowed(state: str, role: str | None = None) -> list[Move]:
    """The moves that are possible from a state, by whoever or by this role, in the order of the table."""
    return [move for move in MOVES.values() if state in move.sources and (role is None or role in move.roles)]


def named(moves: Collection[Move]) -> str:
    """The moves as a Dutch sentence part, for an error."""
    return ", ".join(f"'{move.text}'" for move in moves) or "geen"
