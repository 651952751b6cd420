"""What a person says of a link: yes, no, or take it back. It outranks the machine for ever."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import derived, household, rows
from radar.linking.household import Place
from radar.linking.normalise import features
from radar.linking.rows import StoredRegister
from radar.linking.rules import Rules
from radar.protection import settling
from radar.quality import rulesets


@dataclass(frozen=True, slots=True)
class Consequence:
    """Something that changed, or that a person should look at, after a link was moved. `text` is plain Dutch."""

    kind: Literal[
        "person_founded", "person_joined", "household_changed", "case_changed", "later_link", "other_mention"
    ]
    subject: UUID
    text: str


def undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """Take an active link back exactly: its membership, the household of its report.

    The mention becomes a person of its own. Gives the consequences. Raises NotFound, or Conflict when the link is
    not active.
    """
    link = _locked(db, link_id)
    if link["state"] not in ("automatic", "confirmed"):
        raise Conflict("Deze koppeling is niet actief: er is niets om terug te draaien.")
    return _take_back(db, link, "undone", by, at)


def reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """Say that these are different people, for ever, for all mentions of both. An active link is taken back.

    Raises NotFound, or Conflict when the link was decided before.
    """
    link = _locked(db, link_id)
    if link["state"] == "automatic":
        return _take_back(db, link, "rejected", by, at)
    if link["state"] != "proposed":
        raise Conflict("Over deze koppeling is al beslist.")
    rows.decided(db, link_id, "rejected", by, at)
    own = rows.active_link(db, link["mention_id"])
    closed = rows.reject_all_between(db, own["person_id"], link["person_id"], by, at) if own else []
    _audit(db, link, by, "link.reject")
    return [
        Consequence("other_mention", one, "Een ander voorstel tussen deze twee personen is ook afgewezen")
        for one in closed
    ]


def confirm(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """Say that this is the same person. A proposed link becomes active: the mention moves to that person.

    Raises NotFound, or Conflict when the link was decided before, when somebody said that these two are different,
    or when another mention of the same report already is this person.
    """
    link = _locked(db, link_id)
    if link["state"] == "automatic":
        rows.decided(db, link_id, "confirmed", by, at)
        _audit(db, link, by, "link.confirm")
        return []
    own = rows.active_link(db, link["mention_id"])
    if link["state"] != "proposed" or own is None:
        raise Conflict("Over deze koppeling is al beslist.")
    old, new = own["person_id"], link["person_id"]
    there = rows.active_mentions(db, new)
    if not there:
        raise Conflict("Deze persoon bestaat niet meer in het register; bekijk de melding opnieuw.")
    if any(one["report_id"] == link["report_id"] for one in there):
        raise Conflict("In deze melding is al iemand anders aan deze persoon gekoppeld.")
    if rows.told_apart(db, old, new):
        raise Conflict("Een medewerker heeft eerder gezegd dat dit verschillende personen zijn.")
    rows.decided(db, own["id"], "undone", by, at)
    rows.decided(db, link_id, "confirmed", by, at)
    rows.move(db, link["mention_id"], new)
    asked = rows.propose_the_rest(db, old, new, link, at)
    _audit(db, link, by, "link.confirm")
    return [
        Consequence("person_joined", new, "De vermelding hoort nu bij deze persoon"),
        *(Consequence("other_mention", one, "Voorstel: ook deze vermelding is deze persoon") for one in asked),
        *_settle(db, link["report_id"], (old, new), by, at),
    ]


def _locked(db: Db, link_id: UUID) -> Row:
    link = rows.link(db, link_id)
    if link is None:
        raise NotFound
    rows.share_region(db, link["region_id"])
    return link


def _audit(db: Db, link: Row, by: str, action: str) -> None:
    details = {"mention": str(link["mention_id"]), "person": str(link["person_id"])}
    audit.append(db, link["region_id"], by, action, "link", link["id"], details)


def _take_back(db: Db, link: Row, state: Literal["undone", "rejected"], by: str, at: datetime) -> list[Consequence]:
    rows.decided(db, link["id"], state, by, at)
    person = rows.found_person(db, link, "Ontkoppeld door een medewerker", at)
    rows.move(db, link["mention_id"], person)
    _audit(db, link, by, "link.undo" if state == "undone" else "link.reject")
    return [
        Consequence("person_founded", person, "De vermelding is nu een eigen persoon"),
        *_settle(db, link["report_id"], (link["person_id"], person), by, at),
        *(
            Consequence("later_link", one, "Deze koppeling is later gemaakt en rustte misschien op deze")
            for one in rows.later_links(db, link["person_id"], link["created_at"])
        ),
    ]


def _settle(db: Db, report_id: UUID, moved: Collection[UUID], by: str, at: datetime) -> list[Consequence]:
    """Look again at the household of a report, now that somebody in it is somebody else; and derive who changed."""
    report = rows.report(db, report_id)
    if report is None:
        raise NotFound
    region: UUID = report["region_id"]
    rules = rulesets.active(db, region)
    links = [row for row in rows.links_of_report(db, report_id) if row["id"] and row["state"] != "proposed"]
    settling.after_move(db, report_id, moved, by=by, at=at)
    derived.derive(db, region, moved, rules)
    home, elsewhere, founds = _home(db, report, links, rules)
    if home is None:
        return []
    found: list[Consequence] = []
    if home != report["household_id"]:
        rows.set_household(db, report, home, founds, at)
        found.append(Consequence("household_changed", home, "De melding hoort nu bij een ander huishouden"))
    on = local_day(report["received_at"])
    for number, row in enumerate(links):
        if number not in elsewhere:
            rows.join(db, region, row["person_id"], home, row["mention"], on)
    derived.derive(db, region, [*moved, *(row["person_id"] for row in links)], rules)
    return found


def _home(db: Db, report: Row, links: Sequence[Row], rules: Rules) -> tuple[UUID | None, Collection[int], bool]:
    """The household that fits now, the positions of who lives elsewhere, and whether the household is a new one."""
    current = report["household_id"]
    register = StoredRegister(db, report["region_id"].bytes, 0, rules, without=report["id"])
    candidates = register.profiles([str(row["person_id"]) for row in links])
    homes = {home for profile in candidates.values() for home in profile.households}
    candidates |= register.members(homes, candidates.keys()) if homes else {}
    shared = current is not None and rows.is_shared(db, current, report["id"])
    places = [
        Place(
            features(row["said"], rules),
            person if (person := str(row["person_id"])) in candidates else None,
            str(current) if shared and row["outcome"] == "same_household" else None,
        )
        for row in links
    ]
    chosen = household.choose(places, candidates, rules)
    if chosen.household:
        return UUID(chosen.household), chosen.elsewhere, False
    if current is not None and not shared:
        return current, chosen.elsewhere, False
    own = rows.own_household(db, report)
    return own or uuid7(), chosen.elsewhere, own is None
