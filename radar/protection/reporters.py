"""Who reported: read only through a grant, told only by the grounds of the law (domain.md 1.4).

The identity is sealed at receipt (intake/vault.py). A professional reports openly unless one of three grounds holds;
a citizen is never told unless he expressly agrees, and then two people open it. Stances are data (reporters.toml).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from core import audit
from core.database import Db, Row
from core.documents import Kind
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from intake import opening
from intake.vault import texts
from radar.casework.feedback_text import ReporterKind, kind_of
from radar.linking.decide import is_outside
from radar.linking.normalise import Features, blind_phone, features
from radar.linking.normalise import sound as sound_of
from radar.linking.rules import Rules, load

Stance = Literal["open", "secret"]
FILE = Path(__file__).with_name("reporters.toml")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindRule(_Data):
    """What holds for one kind of reporter."""

    title: str
    stance: Stance
    text: str
    open_names: bool
    open_grounds: list[str]
    secret_grounds: list[str]
    second_person: bool


class ReporterRules(_Data):
    """The whole file."""

    version: str
    source: str
    verified: bool
    kinds: dict[ReporterKind, KindRule]
    grounds: dict[str, str]

    @model_validator(mode="after")
    def _known_grounds(self) -> Self:
        used = {one for kind in self.kinds.values() for one in (*kind.open_grounds, *kind.secret_grounds)}
        if len(self.kinds) != 3 or used - set(self.grounds):
            raise ValueError("three kinds of reporter, and every ground with its text")
        return self


rules_of_reporters = Kind("reporters", "file of reporters", lambda: FILE, ReporterRules.model_validate)
"""The stances in force. Raises SettingsError."""


class GroundMissing(VeiligError):
    """Kies een grond die bij deze melder past."""

    status = 400


class OwnChoice(NotAllowed):
    """Een ander dan wie dit koos moet het bevestigen."""


# ── who it is ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Identity:
    """Who reported, as the message said it. `persons`: people of the message in the role of reporter (melder)."""

    name: str = ""
    department: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    user: str = ""
    persons: tuple[Mapping[str, Any], ...] = ()
    unknown: tuple[Mapping[str, Any], ...] = ()
    function: str = ""
    reached_safely: str = ""
    may_be_known: bool | None = None
    """What he said himself; telling it still takes a choice of two people."""

    def __repr__(self) -> str:
        """Nothing: a repr ends up in logs and tracebacks."""
        return "Identity()"


def read(db: Db, report_id: UUID, *, by: str) -> Identity:
    """Who reported. The caller has checked the grant; that it was read is written here (`reporter.read`).

    Raises NotFound; Unreadable or Destroyed (core.sealing).
    """
    found = identity(db, report_id)
    region = _report(db, report_id)["region_id"]
    audit.append(db, region, by, "reporter.read", "report", report_id)
    return found


def identity(db: Db, report_id: UUID) -> Identity:
    """The same without a row in the audit trail: for masks and comparisons that show it to nobody."""
    return _identity(opening.identity(db, report_id))


def _identity(found: Mapping[str, Any]) -> Identity:
    contact = found.get("contact") or {}
    return Identity(
        name=contact.get("naam") or "",
        department=contact.get("afdeling") or "",
        emails=tuple(contact.get("emails") or ()),
        phones=tuple(contact.get("telefoonnummers") or ()),
        user=found.get("gebruiker") or "",
        persons=tuple(found.get("personen") or ()),
        unknown=tuple(found.get("onbekend") or ()),
        function=contact.get("functie") or "",
        reached_safely=contact.get("veiligBereikbaar") or "",
        may_be_known=contact.get("magBekendWorden"),
    )


def words(found: Mapping[str, Any]) -> set[str]:
    """Every text that names the reporter in what `intake.opening.identity` found; to mask what others read."""
    who = _identity(found)
    named = {who.name, who.department, who.user, *who.emails, *who.phones}
    for person in who.persons:
        named |= {one for name in ("naam", "telefoonnummers", "bsn") for one in texts(person.get(name))}
    return {one.strip() for one in named if len(one.strip()) > 2}


def has_any(db: Db, report_id: UUID) -> bool:
    """Whether the message said who reported at all. Shown to nobody."""
    who = identity(db, report_id)
    return bool(who.name or who.emails or who.phones or who.user or who.persons)


# ── whether it may be told ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Choice:
    """The stance that holds for a report. `id` None: nobody chose, it is that of the kind of reporter.

    `waiting`: a later choice that a second person has not confirmed yet.
    """

    kind: ReporterKind
    stance: Stance
    ground: str
    reason: str = ""
    id: UUID | None = None
    by: str = ""
    at: datetime | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    waiting: Choice | None = None


def choice(db: Db, report_id: UUID) -> Choice:
    """The stance that holds now. Raises NotFound."""
    kind = kind_of(_report(db, report_id)["reporter_kind"])
    rule = rules_of_reporters().kinds[kind]
    grounds = rule.open_grounds if rule.stance == "open" else rule.secret_grounds
    waiting: Choice | None = None
    for row in history(db, report_id):
        made = Choice(
            kind,
            row["stance"],
            row["ground"],
            row["reason"],
            row["id"],
            row["chosen_by"],
            row["chosen_at"],
            row["confirmed_by"] or "",
            row["confirmed_at"],
            waiting,
        )
        if not _needs_second(kind, made.stance) or made.confirmed_by:
            return made
        waiting = waiting or made
    return Choice(kind, rule.stance, grounds[0], waiting=waiting)


def history(db: Db, report_id: UUID) -> list[Row]:
    """Every choice that was made for a report, newest first."""
    return db.execute(
        "SELECT * FROM reporter_choice WHERE report_id = %s ORDER BY chosen_at DESC, id DESC", (report_id,)
    ).fetchall()


def grounds(kind: ReporterKind, stance: Stance) -> dict[str, str]:
    """Code → Dutch text of the grounds on which this kind of reporter may get this stance, for a select."""
    rule = rules_of_reporters().kinds[kind]
    codes = rule.open_grounds if stance == "open" else rule.secret_grounds
    return {code: rules_of_reporters().grounds[code] for code in codes}


def choose(db: Db, report_id: UUID, stance: Stance, ground: str, reason: str, *, by: str, at: datetime) -> UUID:
    """Choose whether the reporter may be told, with its ground and reason; gives the choice.

    Opening a citizen holds only after `confirm` by somebody else. Raises NotFound, GroundMissing, ReasonMissing.
    """
    report = _report(db, report_id, lock=True)
    kind = kind_of(report["reporter_kind"])
    if stance not in ("open", "secret") or ground not in grounds(kind, stance):
        raise GroundMissing
    if not reason.strip():
        raise ReasonMissing
    made = uuid7()
    db.execute(
        "INSERT INTO reporter_choice (id, region_id, report_id, stance, ground, reason, chosen_by, chosen_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (made, report["region_id"], report_id, stance, ground, reason.strip(), by, at),
    )
    details = {"choice": str(made), "stance": stance, "ground": ground}
    audit.append(db, report["region_id"], by, "reporter.choose", "report", report_id, details)
    return made


def confirm(db: Db, choice_id: UUID, *, by: str, at: datetime) -> None:
    """A second person stands behind opening a citizen. Raises NotFound, OwnChoice; Conflict when it is too late."""
    row = db.execute("SELECT * FROM reporter_choice WHERE id = %s", (choice_id,)).fetchone()
    if row is None:
        raise NotFound
    _report(db, row["report_id"], lock=True)
    now = choice(db, row["report_id"])
    if now.waiting is None or now.waiting.id != choice_id:
        raise Conflict
    if by == row["chosen_by"]:
        raise OwnChoice
    db.execute("UPDATE reporter_choice SET confirmed_by = %s, confirmed_at = %s WHERE id = %s", (by, at, choice_id))
    details = {"choice": str(choice_id), "stance": row["stance"]}
    audit.append(db, row["region_id"], by, "reporter.confirm", "report", row["report_id"], details)


def may_tell(db: Db, report_id: UUID) -> bool:
    """Whether it may be told outside which body (or citizen) reported. Raises NotFound."""
    return choice(db, report_id).stance == "open"


def may_name(db: Db, report_id: UUID) -> bool:
    """Whether the person who reported may be named too: never an officer of the police. Raises NotFound."""
    now = choice(db, report_id)
    return now.stance == "open" and rules_of_reporters().kinds[now.kind].open_names


def _needs_second(kind: ReporterKind, stance: Stance) -> bool:
    return stance == "open" and rules_of_reporters().kinds[kind].second_person


_REPORT = "SELECT id, region_id, reporter_kind FROM report WHERE id = %s"


def _report(db: Db, report_id: UUID, *, lock: bool = False) -> Row:
    row = db.execute(f"{_REPORT} FOR NO KEY UPDATE" if lock else _REPORT, (report_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


# ── whether the reporter is one of the persons concerned ────────────────────────────────────────────────────


def is_concerned(db: Db, report_id: UUID) -> list[str]:
    """Why the reporter may be one of the persons concerned (Dutch sentence parts; empty: nothing says so).

    Compared with everybody of this report and of its case, by what the linker reads: BSN, telephone, and name with
    birth date. A doubt counts: what goes to such a reporter first needs a person's yes. Raises NotFound.
    """
    rules = load()
    who = identity(db, report_id)
    named = {"naam": {"volledigeNaam": who.name}, "telefoonnummers": list(who.phones)}
    reporters = [features(one, rules) for one in (*who.persons, named)]
    rows = db.execute(
        "SELECT m.person || coalesce(m.blind, '{}') AS person"
        " FROM mention m JOIN report r ON r.id = m.report_id JOIN report a ON a.id = %s"
        " WHERE r.region_id = a.region_id AND (r.id = a.id OR r.case_id = a.case_id)",
        (report_id,),
    )
    family = [one for row in rows if not is_outside(one := features(row["person"], rules))]
    found = (why for reporter in reporters for one in family for why in _alike(reporter, one, rules))
    return list(dict.fromkeys(found))


def _alike(reporter: Features, other: Features, rules: Rules) -> Iterator[str]:
    if reporter.bsn and reporter.bsn == other.bsn:
        yield "hetzelfde BSN als een betrokkene"
    if {blind_phone(one) for one in reporter.phones} & {blind_phone(one) for one in other.phones}:
        yield "hetzelfde telefoonnummer als een betrokkene"
    if _same_name(reporter, other, rules) and not _differs(reporter.birth, other.birth):
        yield "dezelfde naam als een betrokkene"


def _same_name(one: Features, other: Features, rules: Rules) -> bool:
    """A surname that sounds the same, and a first name or an initial that may be the same."""
    if not _sounds(one.surnames, rules) & _sounds(other.surnames, rules):
        return False
    if one.first_names and other.first_names:
        return bool(_sounds(one.first_names, rules) & _sounds(other.first_names, rules))
    return bool(one.initials and other.initials and one.initials[0] == other.initials[0])


def _sounds(names: Sequence[str], rules: Rules) -> set[str]:
    return {sound_of(name, rules) for name in names}


def _differs(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return any(left and right and left != right for left, right in zip(one, other, strict=True))
