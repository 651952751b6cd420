"""Every kind of document, in words: what it is, and what it changes when it is put in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.documents import Kind
from intake import acute, advice, codelists, personal_data, protected
from intake.terms import calendar
from radar.casework import assessment, feedback_text, findings, handover_kinds, questionnaire, terms
from radar.casework.letters import templates
from radar.outbound import kinds, notices
from radar.oversight import risk
from radar.protection import break_glass, grants, reporters
from radar.quality import policy as quality
from radar.rights import askers, law, sentences
from radar.search import policy as search

Effect = Literal["terms", "codes", "signals", "questionnaire", "letter", "feedback", "none"]
GROUPS: Mapping[str, str] = {
    "texts": "Brieven en teksten",
    "lists": "Lijsten",
    "terms": "Termijnen en vrije dagen",
    "work": "Beoordelen en overdragen",
    "protection": "Bescherming en rechten",
    "figures": "Grenzen en toezicht",
}


@dataclass(frozen=True, slots=True)
class Described:
    """One kind, for people. `when`: from when a new version counts; `effect`: what a rehearsal can count or show."""

    kind: Kind[Any]
    title: str
    about: str
    group: str
    when: str
    effect: Effect = "none"

    @property
    def code(self) -> str:
        return self.kind.code


_LATER = "Geldt voor alles wat hierna gebeurt. Wat al is vastgelegd, blijft zoals het is."
_LETTER = "Geldt voor brieven die hierna worden gemaakt. Een brief die er al is, verandert niet."
_TERMS = "Geldt voor termijnen die hierna beginnen of worden verlengd. Een lopende termijn verschuift niet vanzelf."


def _letters() -> list[Described]:
    """The letters, named by their files: no database is asked before something is done."""
    titles = [(kind, kind.load(kind.file()).title) for kind in templates.KINDS.values()]
    return [
        Described(kind, f"Brief: {title}", "De tekst van deze brief.", "texts", _LETTER, "letter")
        for kind, title in titles
    ]


_DESCRIBED = (
    Described(
        feedback_text.texts,
        "Terugkoppeling aan melders",
        "Wat een melder hoort, per besluit en per soort melder.",
        "texts",
        "Geldt voor terugkoppelingen die hierna worden voorgesteld.",
        "feedback",
    ),
    Described(
        notices.texts,
        "Korte berichten",
        "Vaste teksten voor mail en sms, zonder inhoud.",
        "texts",
        "Geldt voor berichten die hierna worden gemaakt.",
    ),
    Described(
        law.FORMS,
        "Bezwaar en beroep per rechtsvorm",
        "Wat iemand kan doen die het niet eens is met een besluit op zijn verzoek.",
        "texts",
        _LETTER,
    ),
    Described(
        codelists.codelists,
        "Hoedanigheid, aanleiding en aard",
        "De keuzes bij een advies en een melding.",
        "lists",
        "Geldt voor wat hierna wordt ingevuld. Wat al is ingevuld, houdt zijn code en zijn tekst.",
        "codes",
    ),
    Described(
        findings.in_force,
        "Vormen van geweld en uitkomsten",
        "Waarover een onderzoek een conclusie trekt, en hoe een traject eindigt.",
        "lists",
        _LATER,
        "codes",
    ),
    Described(
        acute.rules,
        "Signalen van acuut gevaar",
        "Wat in een melding meteen opvalt: antwoorden die haar bovenaan zetten, en woorden die worden getoond.",
        "lists",
        "Geldt voor meldingen die hierna binnenkomen. Een melding die er al is, houdt haar risico.",
        "signals",
    ),
    Described(
        calendar,
        "Vrije dagen bij koninklijk besluit",
        "De dagen die naast de erkende feestdagen geen werkdag zijn.",
        "terms",
        _TERMS,
        "terms",
    ),
    Described(
        advice.terms,
        "Bewaren van adviezen",
        "Hoe lang een advies blijft, en hoe de vrager te bereiken is.",
        "terms",
        "Geldt voor adviezen die hierna worden vastgelegd.",
    ),
    Described(
        personal_data.lists,
        "Hoe persoonsgegevens eruitzien",
        "De woorden waaraan het systeem in een advies een naam of een adres herkent.",
        "protection",
        "Geldt voor adviezen die hierna worden vastgelegd.",
    ),
    Described(terms.terms, "Termijnen", "Hoe lang elke termijn duurt, en waarom.", "terms", _TERMS, "terms"),
    Described(
        questionnaire.in_force,
        "Vragenlijst van de veiligheidsbeoordeling",
        "De vragen en de tekens van acute onveiligheid.",
        "work",
        "Geldt voor beoordelingen die hierna beginnen. Een concept houdt de vragen waarmee het begon.",
        "questionnaire",
    ),
    Described(
        handover_kinds.in_force,
        "Soorten overdracht",
        "Aan wie, met welke inhoud, en wat er gedeeld mag worden.",
        "work",
        "Geldt voor overdrachten die hierna worden aangeboden.",
    ),
    Described(
        assessment.signers, "Wie een besluit tekent", "Per besluit de rollen die mogen tekenen.", "work", _LATER
    ),
    Described(
        reporters.rules_of_reporters,
        "Herkomst van een melding",
        "Wanneer verteld mag worden wie meldde, en op welke grond.",
        "protection",
        _LATER,
    ),
    Described(
        grants.rules,
        "Doelen van toegang",
        "Waarvoor en hoe lang iemand mag zien wat beschermd is.",
        "protection",
        _LATER,
    ),
    Described(
        break_glass.in_force, "Redenen van noodinzage", "Waarom een dossier in nood open mag.", "protection", _LATER
    ),
    Described(
        protected.rules,
        "Tekens van een geheime verblijfplaats",
        "De woorden waarbij een verblijfplaats meteen in de kluis gaat.",
        "protection",
        "Geldt voor meldingen die hierna binnenkomen.",
    ),
    Described(law.GROUNDS, "Gronden bij verzoeken", "Waarom een verzoek kan worden afgewezen.", "protection", _LATER),
    Described(askers.table, "Wie een verzoek mag doen", "Naar leeftijd, per soort verzoek.", "protection", _LATER),
    Described(
        sentences.OTHERS,
        "Woorden voor anderen",
        "Woorden waaraan te zien is dat een zin over iemand anders gaat.",
        "protection",
        "Geldt voor afschriften die hierna worden gemaakt.",
    ),
    Described(
        kinds.rules, "Wat mag vertrekken", "Aan wie, met wat erin, en hoeveel mensen ja zeggen.", "figures", _LATER
    ),
    Described(search.policy, "Grenzen van zoeken", "Wanneer iemand mag zoeken en wat hij ziet.", "figures", _LATER),
    Described(risk.policy, "Controle van het log", "Welke regels van het log iemand nakijkt.", "figures", _LATER),
    Described(
        quality.policy,
        "Proefdraaien en steekproef",
        "Hoeveel meldingen worden nagekeken.",
        "figures",
        _LATER,
    ),
)
ALL: Mapping[str, Described] = {one.code: one for one in (*_letters(), *_DESCRIBED)}
"""Every kind by its code."""
