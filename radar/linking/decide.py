"""Decide the mentions of one report together: each other's company says who they are.

A link has two rivals, and must beat both. A *stranger* who agrees by chance: the more persons in the register,
the likelier. And a *housemate*, who shares surname, address and phone by nature: only what is one's own counts.
When the others in the report are known to be of one household, its members become likely and strangers unlikely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Literal

from radar.linking.compare import NOTHING, Evidence, compare, plus_company
from radar.linking.normalise import Features
from radar.linking.profile import Id, Profiles
from radar.linking.rules import Rules

Outcome = Literal["same_person", "same_household", "new", "too_little", "outside"]
State = Literal["automatic", "proposed", "new"]

FAR = -99.0
OUT_OF_REACH = -30.0
"""Bits: no company makes up for this."""
_OUTSIDE = range(391, 492)  # melder, informant, contactpersoon and professionals (standards.md 1.5)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided on one mention.

    `person`: the candidate that it links to (automatic) or may link to (proposed). `score`: bits of log-odds for the
    best candidate. `runner_up`: the next best. `household`: a household that this mention points to by itself.
    """

    outcome: Outcome
    state: State
    person: Id | None = None
    score: float = 0.0
    runner_up: float | None = None
    evidence: Evidence = NOTHING
    household: Id | None = None
    why_proposed: str = ""


def is_outside(features: Features) -> bool:
    """Reporter, informant or professional: in the report, but not of the family. Never linked, never a member."""
    return features.role is not None and features.role in _OUTSIDE


Odds = list[dict[Id, float]]
Evidences = list[dict[Id, Evidence]]


def compare_all(
    report: Sequence[Features],
    candidates: Profiles,
    pairs: Sequence[Collection[Id]],
    rules: Rules,
) -> Evidences:
    """Per mention the evidence for each of its candidates. What says too little is not compared at all."""
    return [
        _compare_one(features, candidates, persons, rules) if compares(features) else {}
        for features, persons in zip(report, pairs, strict=True)
    ]


def _compare_one(features: Features, candidates: Profiles, persons: Iterable[Id], rules: Rules) -> dict[Id, Evidence]:
    row = {person: compare(features, candidates[person], rules) for person in persons}
    if bsn_of_somebody_else(row):
        kept = {person: one for person, one in row.items() if one.level("bsn") == "same"}
        features = replace(features, bsn="")
        row = {person: compare(features, candidates[person], rules) for person in row} | kept
    return row


def bsn_of_somebody_else(row: Mapping[Id, Evidence]) -> bool:
    """The BSN is plainly somebody else's (the mother's on the child): a mistake, which says nothing of anybody."""
    return any(one.contradicts and one.level("bsn") == "same" for one in row.values())


def compares(features: Features) -> bool:
    """Whether a mention is compared with anybody: it says who it is, and it is of the family."""
    return features.links and not is_outside(features)


def likely_households(evidence: Evidences, candidates: Profiles, rules: Rules, register_persons: int) -> set[Id]:
    """The households whose other members deserve a look: somebody in the report is likely one of them."""
    bits = rules.register_bits(register_persons)
    found: set[Id] = set()
    for row in evidence:
        for person, one in row.items():
            shared = one.shared - bits >= rules.limits.household
            if shared or _odds(one, bits, rules) >= rules.limits.proposed:
                found.update(candidates[person].households)
    return found


def decide_on(
    report: Sequence[Features],
    evidence: Evidences,
    candidates: Profiles,
    rules: Rules,
    register_persons: int,
) -> list[Decision]:
    """The decisions that follow from evidence already gathered."""
    bits = rules.register_bits(register_persons)
    alone: Odds = [{person: _odds(one, bits, rules) for person, one in row.items()} for row in evidence]
    together = with_company(alone, report, evidence, candidates, rules)
    odds: Odds = [{person: _odds(one, bits, rules) for person, one in row.items()} for row in together]
    chosen = _assign(odds)
    return [
        _decision(number, features, odds, together, chosen, candidates, rules, register_persons)
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


def with_company(
    odds: Odds, report: Sequence[Features], evidence: Evidences, candidates: Profiles, rules: Rules
) -> Evidences:
    """The same evidence, and whether the *others* in the report belong to the household of each candidate.

    Who is reported together decides each other: with one of the family recognised, a housemate is likely and a
    stranger of the same name is not; and a family of which nobody else is in the report speaks against.
    """
    compared = [number for number, features in enumerate(report) if compares(features)]
    if len(compared) < 2:
        return evidence
    found = [_likely_members(row, candidates) for row in odds]
    sizes = Counter(household for one in candidates.values() for household in one.households)
    looked: Evidences = []
    for number, row in enumerate(evidence):
        others = [found[other] for other in compared if other != number]
        looked.append({})
        for person, one in row.items():
            if odds[number][person] < OUT_OF_REACH:
                looked[number][person] = one
                continue
            looked[number][person] = _plus_company(one, person, candidates[person].households, others, sizes, rules)
    return looked


def _plus_company(
    one: Evidence,
    person: Id,
    homes: Collection[Id],
    others: Sequence[Mapping[Id, Mapping[Id, float]]],
    sizes: Mapping[Id, int],
    rules: Rules,
) -> Evidence:
    """How likely it is that others of his household are in the report, weighed as a mixture: no cliff at a half."""
    chances = max(
        (
            [max((p for who, p in other.get(home, {}).items() if who != person), default=0.0) for other in others]
            for home in homes
        ),
        key=sum,
        default=[],
    )
    somebody = 1.0
    for chance in chances:
        somebody *= 1.0 - chance
    somebody = 1.0 - somebody
    known = any(sizes[home] > 1 for home in homes)
    nobody = ("nobody_of_several" if len(others) > 1 else "nobody_of_one") if known else ""
    if somebody < 1e-4 and not nobody:
        return one
    return plus_company(one, "several" if sum(chances) >= 1.5 else "one", nobody, somebody, rules)


def _likely_members(row: Mapping[Id, float], candidates: Profiles) -> dict[Id, dict[Id, float]]:
    """Per household the members that this mention may be, with their chances."""
    found: dict[Id, dict[Id, float]] = {}
    for person, score in row.items():
        if score > -7:
            for household in candidates[person].households:
                found.setdefault(household, {})[person] = probability(score)
    return found


def _assign(odds: Odds) -> dict[int, Id]:
    """Best pairs first; a person is at most one mention of a report (two mentions are two people)."""
    ordered = sorted(
        ((round(score, 6), number, person) for number, row in enumerate(odds) for person, score in row.items()),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    chosen: dict[int, Id] = {}
    taken: set[Id] = set()
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
    chosen: Mapping[int, Id],
    candidates: Profiles,
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
    # 'Lise' is no rival of 'Lisa' for Lisa.
    exact = evidence[number][person].level("first_name") == "same"
    rivals += [
        other[person]
        for mention, other in enumerate(odds)
        if mention not in chosen
        and person in other
        and not (exact and evidence[mention][person].level("first_name") != "same")
    ]
    runner_up = max(rivals, default=None)
    why = ""
    if evidence[number][person].contradicts or bsn_of_somebody_else(evidence[number]):
        why = "contradiction"
    elif score < limits.automatic:
        why = "not_sure"
    elif runner_up is not None and score - runner_up < limits.margin:
        why = "runner_up"
    elif not evidence[number][person].more_than_names and not any(
        not set(candidates[other].households).isdisjoint(candidates[person].households) for other in settled
    ):
        # A name is shared by many; only company of the same household makes it enough.
        why = "names_only"
    elif evidence[number][person].only_an_initial:
        why = "initial_only"
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


def _by_shared(evidence: Mapping[Id, Evidence], candidates: Profiles, rules: Rules, persons: int) -> Id | None:
    """The household that surname, phone and address together point to, when they do so strongly enough."""
    bits = rules.register_bits(persons) + rules.limits.household
    found = [
        (one.shared, household)
        for person, one in evidence.items()
        if one.shared >= bits and one.level("address") not in ("near", "different")
        for household in candidates[person].households
    ]
    return max(found)[1] if found else None
