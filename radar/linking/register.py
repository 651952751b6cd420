"""Link a report to the register, in the caller's transaction.

What people say afterwards (undo, confirm, reject) stands in `correct`; the SQL stands in `rows`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from core.ids import uuid7
from radar.linking import block, explain, household, rows
from radar.linking.correct import Consequence, confirm, reject, undo
from radar.linking.decide import (
    Decision,
    Outcome,
    State,
    compare_all,
    decide_on,
    is_outside,
    likely_households,
    probability,
)
from radar.linking.household import HouseholdDecision, Vote
from radar.linking.normalise import Features, features
from radar.linking.rows import Known, LinkRow
from radar.linking.rules import KeyKind, Rules, load

__all__ = ["Consequence", "LinkResult", "MentionLink", "confirm", "link_report", "reject", "undo"]

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class MentionLink:
    """What became of one mention. `person`: who it is now (None for people outside the family).

    `proposed_person` and `proposed_link`: the question that is put to a member of staff, if there is one.
    """

    mention: UUID
    outcome: Outcome
    state: State
    person: UUID | None
    link: UUID | None
    score: float
    reasons: tuple[Mapping[str, Any], ...]
    proposed_person: UUID | None = None
    proposed_link: UUID | None = None


@dataclass(frozen=True, slots=True)
class LinkResult:
    """What became of one report. `repeat`: the household was known before this report."""

    household_id: UUID | None
    decisions: tuple[MentionLink, ...]
    repeat: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mention:
    id: UUID
    features: Features
    rejected: frozenset[UUID]
    keys: Sequence[tuple[KeyKind, int]]


def link_report(db: Db, report_id: UUID, at: datetime, rules: Rules | None = None) -> LinkResult:
    """Link every mention of a report to the register and give the report its household.

    Once: a second call gives the stored outcome and changes nothing. `at` (aware) is written as the moment of
    linking. Two reports on one family at the same moment wait for each other. Raises NotFound.
    """
    rules = rules or load()
    report, said = rows.report_and_mentions(db, report_id)
    if report is None:
        raise NotFound
    if report["linked_at"] is not None:
        return _stored(db, report)
    mentions = [_read(row, rules) for row in said]
    decisions, known, compared = _decisions(db, report, mentions, rules)
    chosen = household.choose(_votes(decisions, compared, known))
    links = [_link(one, decision) for one, decision in zip(mentions, decisions, strict=True)]
    home = _write(db, report, mentions, links, known, chosen, at, rules)
    return LinkResult(home, tuple(links), chosen.household is not None, chosen.reasons)


def weigh(db: Db, report_id: UUID, rules: Rules) -> list[Decision]:
    """What this rule set would decide on a report if it came in now: nothing is written, its own links do not count.

    One decision per mention, in order. For rehearsals (radar.quality). Raises NotFound.
    """
    report, said = rows.report_and_mentions(db, report_id)
    if report is None:
        raise NotFound
    return _decisions(db, report, [_read(row, rules) for row in said], rules)[0]


def known_elsewhere(db: Db, report_id: UUID, rules: Rules | None = None) -> list[UUID]:
    """The other regions that know somebody of this report by his BSN. That they do is all that is told."""
    rules = rules or load()
    _, said = rows.report_and_mentions(db, report_id)
    keys = block.chosen((pair for row in said for pair in _read(row, rules).keys), {"bsn"})
    return rows.regions_with(db, keys, except_report=report_id)


def _read(row: Row, rules: Rules) -> _Mention:
    one = features(row["person"], rules)
    return _Mention(row["id"], one, frozenset(row["rejected"]), block.by_kind(one, rules))


def _locks(region: UUID, mentions: Sequence[_Mention], rules: Rules) -> set[int]:
    """The strong keys: of two first reports on one family the second waits, and then sees the first."""
    # The region is mixed in, so that regions do not wait for each other.
    salt = region.int & 0x7FFF_FFFF_FFFF_FFFF
    return {key ^ salt for one in mentions for key in block.chosen(one.keys, rules.lock_keys)}


def _decisions(
    db: Db, report: Row, mentions: Sequence[_Mention], rules: Rules
) -> tuple[list[Decision], Known, list[Features]]:
    """The decisions, what is known of the candidates, and the features as they were compared."""
    limits, persons = rules.limits, int(report["persons"])
    keys = [[] if is_outside(one.features) else block.chosen(one.keys, rules.search_keys) for one in mentions]
    region: UUID = report["region_id"]
    wanted = {key for own in keys for key in own}
    hits = rows.wait_and_find(db, region, _locks(region, mentions, rules), wanted, limits.persons_per_key + 1)
    compared = [_without_institutions(one.features, hits, rules) for one in mentions]
    pairs = [_pairs(own, hits, one.rejected, rules) for own, one in zip(keys, mentions, strict=True)]
    known = rows.known(db, {person for found in pairs for person in found})
    # Whoever was moved to another person between the two queries is not there any more.
    pairs = [found & known.candidates.keys() for found in pairs]
    evidence = compare_all(compared, known.candidates, pairs, rules)
    homes = likely_households(evidence, known.candidates, rules, persons)
    if homes:
        more = rows.known_members(db, homes, known.candidates.keys())
        known = Known(known.candidates | more.candidates, known.seen | more.seen)
        members = {person for person, one in known.candidates.items() if one.households & homes}
        rest = [members - found.keys() - one.rejected for found, one in zip(evidence, mentions, strict=True)]
        for found, new in zip(evidence, compare_all(compared, known.candidates, rest, rules), strict=True):
            found.update(new)
    return decide_on(compared, evidence, known.candidates, rules, persons), known, compared


def _without_institutions(one: Features, hits: Mapping[int, set[UUID]], rules: Rules) -> Features:
    """Leave out the address or phone of very many people: a shelter, a school, a flat without additions."""
    limit = rules.limits.persons_per_door
    crowded = {value for value, key in block.crowd_keys(one) if len(hits.get(key, ())) > limit}
    if not crowded:
        return one
    return replace(
        one,
        addresses=tuple(address for address in one.addresses if address not in crowded),
        phones=tuple(phone for phone in one.phones if phone not in crowded),
    )


def _pairs(keys: Iterable[int], hits: Mapping[int, set[UUID]], rejected: Collection[UUID], rules: Rules) -> set[UUID]:
    """The candidates of one mention: those with the rarest keys first, up to the limit."""
    scores: dict[UUID, float] = {}
    for key in keys:
        persons = hits.get(key, set())
        if len(persons) <= rules.limits.persons_per_key:
            for person in persons:
                scores[person] = scores.get(person, 0.0) + 1.0 / len(persons)
    ranked = sorted(scores.keys() - set(rejected), key=lambda person: (-scores[person], person))
    return set(ranked[: rules.limits.candidates])


def _votes(decisions: Sequence[Decision], compared: Sequence[Features], known: Known) -> list[Vote]:
    """Who is only proposed has no vote: a report must not enter a family's file on a maybe."""
    votes = []
    for decision, one in zip(decisions, compared, strict=True):
        sure = decision.person if decision.state == "automatic" else None
        seen = tuple(known.seen.get(sure, ())) if sure else ()
        votes.append(Vote(probability(decision.score) if sure else 0.0, one.addresses, seen, decision.household))
    return votes


def _link(mention: _Mention, decision: Decision) -> MentionLink:
    reasons = tuple(explain.reasons(decision))
    outcome, score = decision.outcome, decision.score
    if outcome == "outside":
        return MentionLink(mention.id, outcome, "new", None, None, 0.0, reasons)
    if decision.state == "automatic":
        return MentionLink(mention.id, outcome, "automatic", decision.person, uuid7(), score, reasons)
    if decision.state == "proposed":
        # Until somebody says yes, the mention is a person of its own, and takes part as such.
        asked = (decision.person, uuid7())
        return MentionLink(mention.id, outcome, "proposed", uuid7(), uuid7(), score, reasons, *asked)
    return MentionLink(mention.id, outcome, "new", uuid7(), uuid7(), 0.0, reasons)


def _rows_of(one: MentionLink) -> list[LinkRow]:
    if one.person is None or one.link is None:
        return []
    if one.state != "proposed":
        founds = one.state == "new"
        return [LinkRow(one.link, one.mention, one.person, one.state, one.outcome, one.score, one.reasons, founds)]
    own = LinkRow(one.link, one.mention, one.person, "new", "new", 0.0, (), True)
    if one.proposed_link is None or one.proposed_person is None:
        return [own]
    to = one.proposed_person
    return [own, LinkRow(one.proposed_link, one.mention, to, "proposed", one.outcome, one.score, one.reasons, False)]


def _write(
    db: Db,
    report: Row,
    mentions: Sequence[_Mention],
    links: Sequence[MentionLink],
    known: Known,
    chosen: HouseholdDecision,
    at: datetime,
    rules: Rules,
) -> UUID | None:
    """Write everything in one statement, and the audit row. Gives the household of the report."""
    home = chosen.household
    founds_home = home is None and any(one.person for one in links)
    if founds_home:
        home = uuid7()
    details: dict[str, Any] = {"rules": rules.version, "repeat": chosen.household is not None}
    details |= {state: sum(one.state == state for one in links) for state in ("automatic", "proposed", "new")}
    with db.pipeline():
        rows.write(
            db,
            report,
            features={one.id: one.features for one in mentions},
            links=[row for one in links for row in _rows_of(one)],
            keys={
                link.mention: (link.person, block.chosen(one.keys))
                for one, link in zip(mentions, links, strict=True)
                if link.person
            },
            members=[(one.person, one.mention) for one in links if one.person and _joins(one, known, home)],
            home=home,
            founds_home=founds_home,
            on=local_day(report["received_at"]),
            at=at,
            rules=rules.version,
        )
        audit.append(db, report["region_id"], SYSTEM, "report.link", "report", report["id"], details)
    return home


def _joins(one: MentionLink, known: Known, home: UUID | None) -> bool:
    """New persons join the household; a known one is seen here again, unless he only belongs elsewhere."""
    places = known.seen.get(one.person, []) if one.person else []
    return one.state != "automatic" or not places or any(place.household == home for place in places)


def _stored(db: Db, report: Row) -> LinkResult:
    """What was decided before, read back."""
    links: dict[UUID, MentionLink] = {}
    for row in rows.links_of_report(db, report["id"]):
        mention: UUID = row["mention"]
        if row["id"] is None:
            links[mention] = MentionLink(mention, "outside", "new", None, None, 0.0, ())
        elif row["state"] == "proposed":
            links[mention] = replace(
                links[mention],
                outcome=row["outcome"],
                state="proposed",
                score=row["score"],
                reasons=tuple(row["reasons"]),
                proposed_person=row["person_id"],
                proposed_link=row["id"],
            )
        else:
            state: State = "new" if row["state"] == "new" else "automatic"
            why = tuple(row["reasons"])
            links[mention] = MentionLink(
                mention, row["outcome"], state, row["person_id"], row["id"], row["score"], why
            )
    home = report["household_id"]
    return LinkResult(home, tuple(links.values()), home is not None and rows.had_earlier(db, report))
