"""Decide the mentions of one report together: each other's company says who they are.

A link has two rivals, and must beat both. A *stranger* who agrees by chance: the more persons in the register,
the likelier. And a *housemate*, who shares surname, address and phone by nature: only what is one's own counts.
When the others in the report are known to be of one household, its members become likely and strangers unlikely.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Literal
from uuid import UUID

from radar.linking.compare import Evidence, compare
from radar.linking.normalise import Features
from radar.linking.rules import Rules

Outcome = Literal["same_person", "same_household", "new", "too_little", "outside"]
State = Literal["automatic", "proposed", "new"]

FAR = -99.0
_OUTSIDE = range(391, 492)  # melder, informant, contactpersoon and professionals (standards.md 1.5)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person in the register: what was said of him before, and the households he belongs to."""

    person: UUID
    mentions: tuple[Features, ...]
    households: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on one mention.

    `person`: the candidate that it links to (automatic) or may link to (proposed). `score`: bits of log-odds for the
    best candidate. `runner_up`: the next best. `household`: a household that this mention points to by itself.
    """

    outcome: Outcome
    state: State
    person: UUID | None = None
    score: float = 0.0
    runner_up: float | None = None
    evidence: Evidence = field(default_factory=Evidence)
    household: UUID | None = None
    why_proposed: str = ""


def is_outside(features: Features) -> bool:
    """Reporter, informant or professional: in the report, but not of the family. Never linked, never a member."""
    return features.role is not None and features.role in _OUTSIDE


Odds = list[dict[UUID, float]]
Evidences = list[dict[UUID, Evidence]]


def decide(
    report: Sequence[Features],
    candidates: Mapping[UUID, Candidate],
    pairs: Sequence[Collection[UUID]],
    rules: Rules,
    register_persons: int,
) -> list[Decision]:
    """One decision per mention, in the order of `report`. `pairs[i]`: the candidates found for mention i."""
    evidence = compare_all(report, candidates, pairs, rules)
    return decide_on(report, evidence, candidates, rules, register_persons)


def compare_all(
    report: Sequence[Features],
    candidates: Mapping[UUID, Candidate],
    pairs: Sequence[Collection[UUID]],
    rules: Rules,
) -> Evidences:
    """Per mention the evidence for each of its candidates. What says too little is not compared at all."""
    evidence: Evidences = []
    for features, persons in zip(report, pairs, strict=True):
        able = features.links and not is_outside(features)
        evidence.append(
            {
                person: compare(features, usable, rules)
                for person in (persons if able else ())
                if (usable := [one for one in candidates[person].mentions if one.links])
            }
        )
    return evidence


def likely_households(
    evidence: Evidences, candidates: Mapping[UUID, Candidate], rules: Rules, register_persons: int
) -> set[UUID]:
    """The households whose other members deserve a look: somebody in the report is likely one of them."""
    bits = rules.register_bits(register_persons)
    found: set[UUID] = set()
    for row in evidence:
        for person, one in row.items():
            shared = one.shared - bits >= rules.limits.household
            if shared or _odds(one, bits, rules) >= rules.limits.proposed:
                found |= candidates[person].households
    return found


def decide_on(
    report: Sequence[Features],
    evidence: Evidences,
    candidates: Mapping[UUID, Candidate],
    rules: Rules,
    register_persons: int,
) -> list[Decision]:
    """The decisions that follow from evidence already gathered."""
    bits = rules.register_bits(register_persons)
    odds: Odds = [{person: _odds(one, bits, rules) for person, one in row.items()} for row in evidence]
    odds = _second_look(odds, evidence, candidates, rules, register_persons)
    chosen = _assign(odds)
    return [
        _decision(number, features, odds, evidence, chosen, candidates, rules, register_persons)
        for number, features in enumerate(report)
    ]


def _odds(evidence: Evidence, stranger_bits: float, rules: Rules) -> float:
    """Log-odds in bits against both rivals together (a soft minimum)."""
    stranger = min(max(evidence.stranger - stranger_bits, -60.0), 60.0)
    housemate = min(max(evidence.housemate - rules.limits.housemates, -60.0), 60.0)
    return float(-log2(2.0**-stranger + 2.0**-housemate))


def probability(odds: float) -> float:
    """From bits of log-odds to a chance between 0 and 1."""
    return float(1.0 / (1.0 + 2.0 ** -min(max(odds, -60.0), 60.0)))


def _second_look(
    odds: Odds,
    evidence: Evidences,
    candidates: Mapping[UUID, Candidate],
    rules: Rules,
    persons: int,
) -> Odds:
    """The same, now knowing which household the *others* in the report belong to."""
    found: list[dict[UUID, float]] = []
    sizes: dict[UUID, int] = {}
    for candidate in candidates.values():
        for household in candidate.households:
            sizes[household] = sizes.get(household, 0) + 1
    for row in odds:
        best: dict[UUID, float] = {}
        for person, score in row.items():
            for household in candidates[person].households:
                best[household] = max(best.get(household, FAR), score)
        found.append({household: probability(score) for household, score in best.items()})
    chance = 2.0 ** -rules.register_bits(persons)
    looked: Odds = []
    for number, row in enumerate(odds):
        absent: dict[UUID, float] = {}
        for other, households in enumerate(found):
            if other != number:
                for household, likely in households.items():
                    absent[household] = absent.get(household, 1.0) * (1.0 - min(likely, 0.99))
        looked.append({})
        for person in row:
            prior = chance
            for household in candidates[person].households:
                lift = (1.0 - absent.get(household, 1.0)) * rules.limits.member_share / max(sizes[household], 1)
                prior = max(prior, lift)
            looked[number][person] = _odds(evidence[number][person], -log2(prior), rules)
    return looked


def _assign(odds: Odds) -> dict[int, UUID]:
    """Best pairs first; a person is at most one mention of a report (two mentions are two people)."""
    ordered = sorted(
        ((score, number, person) for number, row in enumerate(odds) for person, score in row.items()),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    chosen: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for _, number, person in ordered:
        if number not in chosen and person not in taken:
            chosen[number] = person
            taken.add(person)
    return chosen


def _decision(
    number: int,
    features: Features,
    odds: Odds,
    evidence: Evidences,
    chosen: Mapping[int, UUID],
    candidates: Mapping[UUID, Candidate],
    rules: Rules,
    persons: int,
) -> Decision:
    limits = rules.limits
    if is_outside(features):
        return Decision("outside", "new")
    if not features.links:
        return Decision("too_little", "new")
    row = odds[number]
    household = _by_shared(evidence[number], candidates, rules, persons)
    person = chosen.get(number)
    if person is None or row[person] < limits.proposed:
        thin = not (features.surnames and (features.first_names or features.birth[0])) and not features.bsn
        outcome: Outcome = "same_household" if household else "too_little" if thin else "new"
        return Decision(outcome, "new", score=max(row.values(), default=FAR), household=household)
    score = row[person]
    settled = {
        other
        for mention, other in chosen.items()
        if mention != number and odds[mention][other] >= max(limits.automatic, row.get(other, FAR) + limits.margin)
    }
    rivals = [value for one, value in row.items() if one != person and one not in settled]
    # Another mention of this report that is left without a person, and fits this one nearly as well.
    rivals += [other[person] for mention, other in enumerate(odds) if mention not in chosen and person in other]
    runner_up = max(rivals, default=None)
    why = ""
    if evidence[number][person].contradicts:
        why = "contradiction"
    elif score < limits.automatic:
        why = "not_sure"
    elif runner_up is not None and score - runner_up < limits.margin:
        why = "runner_up"
    elif not evidence[number][person].more_than_names and not any(
        candidates[other].households & candidates[person].households for other in settled
    ):
        # A name is shared by many; only company of the same household makes it enough.
        why = "names_only"
    return Decision(
        "same_person",
        "proposed" if why else "automatic",
        person,
        score,
        runner_up,
        evidence[number][person],
        household,
        why,
    )


def _by_shared(
    evidence: Mapping[UUID, Evidence], candidates: Mapping[UUID, Candidate], rules: Rules, persons: int
) -> UUID | None:
    """The household that surname, phone and address together point to, when they do so strongly enough."""
    bits = rules.register_bits(persons) + rules.limits.household
    found = [
        (one.shared, household)
        for person, one in evidence.items()
        if one.shared >= bits and one.level("address") != "different"
        for household in candidates[person].households
    ]
    return max(found)[1] if found else None
