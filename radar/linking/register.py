"""Link a report to the register, in the caller's transaction.

What people say afterwards (undo, confirm, reject) stands in `correct`; the SQL stands in `rows`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from core.ids import uuid7
from radar.linking import block, derived, explain, rows
from radar.linking.correct import Consequence, confirm, reject, undo
from radar.linking.decide import Decision, Outcome, State
from radar.linking.household import HouseholdDecision
from radar.linking.normalise import features
from radar.linking.profile import Id, Profile
from radar.linking.resolve import Resolution, Said, resolve
from radar.linking.rows import LinkRow, StoredRegister
from radar.linking.rules import Rules, load
from radar.protection import settling

__all__ = ["Consequence", "LinkResult", "MentionLink", "confirm", "link_report", "reject", "undo", "weigh"]


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
    if report["hidden"]:
        # What receipt left out takes part as keyed hashes.
        settling.settle(db, [report_id], by="system", at=at)
        report, said = rows.report_and_mentions(db, report_id)
        if report is None:
            raise NotFound
    return settle(db, look(db, report, said, rules), at)


@dataclass(frozen=True, slots=True)
class Look:
    """A report that was read and decided on, and not written yet."""

    report: Row
    mentions: Mapping[Id, Said]
    found: Resolution
    known: Mapping[Id, Profile]
    rules: Rules


def look(db: Db, report: Row, said: Sequence[Row], rules: Rules) -> Look:
    """Read a report's mentions and decide on them.

    Until the transaction ends it holds the locks of the strong keys, and the persons that it links to: `known`.
    """
    mentions = _read(report, said, rules)
    register = _register(db, report, rules, locks=_locks(mentions.values(), rules))
    while True:
        found = resolve(list(mentions.values()), register, rules)
        linked = {one.person for one in found.decisions if one.state == "automatic" and one.person}
        known = derived.for_update(db, linked)
        if known.keys() == linked:
            return Look(report, mentions, found, known, rules)
        # Somebody's last mention was moved away while we decided: he is nobody any more. Look again without him.


def settle(db: Db, seen: Look, at: datetime) -> LinkResult:
    """Write what was decided."""
    found = seen.found
    links = [_link(one, decision) for one, decision in zip(seen.mentions, found.decisions, strict=True)]
    home, protected = _write(db, seen, links, at)
    if protected:
        settling.settle(db, [seen.report["id"]], by="system", at=at)
    return LinkResult(home, tuple(links), found.household.household is not None, found.household.reasons)


def weigh(db: Db, report_id: UUID, rules: Rules) -> list[Decision]:
    """What this rule set would decide on a report if it came in now: nothing is written, its own links do not count.

    One decision per mention, in order. For rehearsals (radar.quality). Raises NotFound.
    """
    report, said = rows.report_and_mentions(db, report_id)
    if report is None:
        raise NotFound
    register = _register(db, report, rules, without=report_id)
    return resolve(list(_read(report, said, rules).values()), register, rules).decisions


def known_elsewhere(db: Db, report_id: UUID, rules: Rules | None = None) -> list[UUID]:
    """The other regions that know somebody of this report by his BSN. That they do is all that is told."""
    rules = rules or load()
    _, said = rows.report_and_mentions(db, report_id)
    people = [features(row["person"], rules) for row in said]
    if not any(one.bsn for one in people):
        return []
    keys = {
        region: [key for one in people for _, key in block.by_kind(one, rules, region.bytes, {"bsn"})]
        for region in rows.other_regions(db, report_id)
    }
    return rows.regions_with(db, keys)


def _register(
    db: Db, report: Row, rules: Rules, *, locks: Collection[int] = (), without: UUID | None = None
) -> StoredRegister:
    return StoredRegister(db, report["region_id"].bytes, int(report["persons"]), rules, locks, without)


def _read(report: Row, said: Sequence[Row], rules: Rules) -> dict[Id, Said]:
    region = report["region_id"].bytes
    return {row["id"]: Said.of(features(row["person"], rules), rules, region, row["rejected"]) for row in said}


def _locks(mentions: Collection[Said], rules: Rules) -> set[int]:
    """The strong keys: of two first reports on one family the second waits, and then sees the first."""
    return {key for one in mentions for key in block.chosen(one.keys, rules.lock_keys)}


def _link(mention: Id, decision: Decision) -> MentionLink:
    reasons = tuple(explain.reasons(decision))
    outcome, score, said = decision.outcome, decision.score, UUID(mention)
    if outcome == "outside":
        return MentionLink(said, outcome, "new", None, None, 0.0, reasons)
    if decision.state == "automatic" and decision.person:
        return MentionLink(said, outcome, "automatic", UUID(decision.person), uuid7(), score, reasons)
    if decision.state == "proposed" and decision.person:
        # Until somebody says yes, the mention is a person of its own, and takes part as such.
        return MentionLink(
            said, outcome, "proposed", uuid7(), uuid7(), score, reasons, UUID(decision.person), uuid7()
        )
    return MentionLink(said, outcome, "new", uuid7(), uuid7(), 0.0, reasons)


def _rows_of(one: MentionLink) -> list[LinkRow]:
    if one.person is None or one.link is None:
        return []
    mention, person, link = str(one.mention), str(one.person), str(one.link)
    if one.state != "proposed":
        return [LinkRow(link, mention, person, one.state, one.outcome, one.score, one.reasons)]
    own = LinkRow(link, mention, person, "new", "new", 0.0, ())
    asked = (str(one.proposed_link), mention, str(one.proposed_person))
    return [own, LinkRow(*asked, "proposed", one.outcome, one.score, one.reasons)]


def _write(db: Db, seen: Look, links: Sequence[MentionLink], at: datetime) -> tuple[UUID | None, bool]:
    """Write everything in one statement. Gives the report's household, and whether a protected person is in it."""
    report, mentions, rules = seen.report, seen.mentions, seen.rules
    chosen, on = seen.found.household, local_day(report["received_at"])
    inside = seen.found.members
    home = chosen.household or (str(uuid7()) if inside else None)
    known = seen.known
    profiles: dict[Id, Profile] = {}
    keys: dict[Id, set[int]] = {}
    members: list[tuple[Id, Id]] = []
    for number, one in enumerate(links):
        if one.person is None:
            continue
        mention, person = str(one.mention), str(one.person)
        said = mentions[mention]
        profile = profiles[person] = known.get(person) or Profile()
        keys[person] = _new_keys(said, person, seen)
        profile.add(said.features)
        if home and number in inside:
            profile.seen(home, on.toordinal(), said.features.addresses)
            members.append((person, mention))
    protected = rows.write(
        db,
        report,
        links=[row for one in links for row in _rows_of(one)],
        founded={person: profile for person, profile in profiles.items() if person not in known},
        seen={person: profile for person, profile in profiles.items() if person in known},
        keys=keys,
        members=members,
        home=home,
        founds_home=home is not None and chosen.household is None,
        on=on,
        at=at,
        rules=rules.version,
        details=_details(links, chosen, rules),
    )
    return UUID(home) if home else None, protected


def _new_keys(said: Said, person: Id, seen: Look) -> set[int]:
    """The keys that do not lead to him yet; all of them, if somebody changed him since we looked them up."""
    keys = set(block.chosen(said.keys))
    if seen.known.get(person) == seen.found.candidates.get(person):
        keys = {key for key in keys if person not in seen.found.hits.get(key, ())}
    return keys


def _details(links: Sequence[MentionLink], chosen: HouseholdDecision, rules: Rules) -> dict[str, Any]:
    details: dict[str, Any] = {"rules": rules.version, "repeat": chosen.household is not None}
    return details | {state: sum(one.state == state for one in links) for state in ("automatic", "proposed", "new")}


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
