"""After the answer was given: what a search was about, told to a contact, and put in front of a reviewer.

It runs as a job of the workers, with sight of all. What it takes, and what it finds, the searcher cannot notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import NotFound
from core.identity import Address
from core.secrets import keyed_hash
from radar.linking.compare import compare
from radar.linking.normalise import Features, features
from radar.linking.profile import Profile
from radar.linking.rules import Rules
from radar.quality import rulesets
from radar.search import rows
from radar.search.find import find
from radar.search.policy import policy
from radar.search.searches import typed
from radar.search.terms import Terms

ALARMS = {
    "own_name": "Zocht op de eigen naam",
    "own_address": "Zocht op het eigen adres",
    "colleague": "Zocht op de naam van een collega",
    "misses": "Vond vaak niets",
    "again": "Zocht steeds naar dezelfde persoon",
    "restricted": "Zocht naar een afgeschermd persoon",
    "excluded": "Zocht naar iemand van wie hij of zij moet wegblijven",
    "quota": "Zocht vaker dan mag",
}
"""Code of an alarm to its words for a reviewer."""
_SAME_SURNAME = ("same", "alike")
_SAME_GIVEN = ("same", "nickname", "alike", "other_given", "initial", "initials")


def watch(db: Db, search_id: UUID) -> None:
    """Look at one search after it was done. Doing it twice changes nothing."""
    row = rows.search(db, search_id)
    if row is None:
        raise NotFound
    terms, _ = typed(row)
    rules = rulesets.active(db, row["region_id"])
    persons = _about(db, row, terms, rules)
    rows.touched(db, row, persons)
    codes = [*_from_terms(db, row, terms, rules), *_from_habit(db, row, persons)]
    contacts = [one for one in rows.contacts(db, persons) if one["staff_id"] != row["staff_id"]]
    if contacts:
        codes.append("restricted")
        searcher = rows.username(db, row["staff_id"])
        for contact in contacts:
            rows.tell_contact(db, row, contact, searcher)
    if rows.is_excluded(db, row["staff_id"], persons):
        codes.append("excluded")
    for code in codes:
        if rows.alarm(db, row, code):
            details = {"code": code, "staff": str(row["staff_id"])}
            audit.append(db, row["region_id"], "system", "search.alarm", "search", row["id"], details)


def home_key(postcode: str, house_number: str) -> bytes:
    """The keyed hash of an address: the whole house, whatever the addition."""
    address = Address.parse(postcode=postcode, house_number=house_number)
    return keyed_hash(f"home:{address.postcode}|{address.house_number}")


def set_home(db: Db, staff: Row, postcode: str, house_number: str, *, by: str) -> None:
    """Remember where a colleague lives, as a keyed hash; an empty postcode forgets it. `staff`: id and region_id."""
    key = home_key(postcode, house_number) if postcode.strip() else None
    if not rows.set_home(db, staff["id"], key):
        raise NotFound
    audit.append(db, staff["region_id"], by, "staff.home", "staff", staff["id"], {"known": key is not None})


def _about(db: Db, row: Row, terms: Terms, rules: Rules) -> list[UUID]:
    """Whom this search was about, as far as that is clear, whoever may see them."""
    found = find(db, row["region_id"], terms, rules, everything=True)
    return [hit.person for hit in found.hits if hit.bits >= policy().touch_bits]


def _from_terms(db: Db, row: Row, terms: Terms, rules: Rules) -> Iterator[str]:
    """His own name or address, or the name of a colleague."""
    said = terms.features(rules)
    colleagues = rows.colleagues(db, row["region_id"])
    own = [one for one in colleagues if one["id"] == row["staff_id"]]
    if any(_surname(said, one, rules) for one in own):
        yield "own_name"
    elif any(_whole_name(said, one, rules) for one in colleagues):
        yield "colleague"
    if terms.postcode and own and own[0]["home_key"] == home_key(terms.postcode, terms.house_number):
        yield "own_address"


def _from_habit(db: Db, row: Row, persons: Sequence[UUID]) -> Iterator[str]:
    limits = policy()
    if row["outcome"] == "refused":
        yield "quota"
    if rows.misses(db, row["staff_id"], row["at"] - timedelta(hours=limits.misses_hours)) >= limits.misses:
        yield "misses"
    since = row["at"] - timedelta(hours=limits.again_hours)
    if persons and rows.most_touched(db, row["staff_id"], persons, since) >= limits.again:
        yield "again"


def _surname(said: Features, staff: Row, rules: Rules) -> bool:
    """The same surname: his own, or that of his relatives."""
    return compare(said, _profile(staff, rules), rules).level("surname") in _SAME_SURNAME


def _whole_name(said: Features, staff: Row, rules: Rules) -> bool:
    found = compare(said, _profile(staff, rules), rules)
    return found.level("surname") in _SAME_SURNAME and found.level("first_name") in _SAME_GIVEN


def _profile(staff: Row, rules: Rules) -> Profile:
    profile = Profile()
    profile.add(features({"naam": {"volledigeNaam": staff["name"]}}, rules))
    return profile
