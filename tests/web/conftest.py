"""A small invented region to look at: rows put in directly, so that a screen test needs nothing but the screens."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser
from psycopg.types.json import Jsonb

from core.database import Db
from core.deadlines import safety_assessment
from core.ids import uuid7
from core.secrets import forget_key, token_hash
from core.settings import settings
from core.staff import DEMO_LOGINS, add_staff
from intake.terms import calendar
from radar import signals
from radar.protection import grants
from tests.web.chromium import served, started_browser
from web.access import sessions
from web.app import create_app

with warnings.catch_warnings():
    # starlette 1.10 announces a successor of httpx for its client; the announcement is not ours to act on here.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

OURS = {"sec-fetch-site": "same-origin"}
PASSWORD = "een lang wachtwoord"


@lru_cache(maxsize=1)
def hash_of_password() -> str:
    """One hash for all invented colleagues: making it costs a fifth of a second, on purpose."""
    return PasswordHasher().hash(PASSWORD)


@dataclass
class World:
    """One region with its teams, staff and senders, and functions that add what came in."""

    db: Db
    number: int
    region: UUID = field(default_factory=uuid7)
    team: UUID = field(default_factory=uuid7)
    local_team: UUID = field(default_factory=uuid7)
    police: UUID = field(default_factory=uuid7)
    school: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        n = self.number
        self.db.execute(
            "INSERT INTO region (id, name, oin) VALUES (%s, %s, %s)",
            (self.region, f"Voorbeeldregio {n}", f"0000009900000020{n:04}"),
        )
        for team, name, kind in (
            (self.team, "Team Noord", "veilig_thuis"),
            (self.local_team, "Wijkteam Dal", "local_team"),
        ):
            self.db.execute(
                "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, %s)",
                (team, self.region, name, kind, date(2020, 1, 1)),
            )
        self.checked(self.local_team)
        for sender, name, kind in (
            (self.police, "Politie eenheid Voorbeeld", "politie"),
            (self.school, "Basisschool De Es", "onderwijs"),
        ):
            self.db.execute(
                "INSERT INTO sender (id, region_id, oin, name, kind, certificate_sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (sender, self.region, f"00000099{uuid7().int % 10**12:012}", name, kind, uuid7().hex * 2),
            )

    def open_vaults(self, username: str, report: UUID) -> None:
        """This member has opened both vaults of this report just now."""
        row = self.db.execute("SELECT id, now() AS at FROM staff WHERE username = %s", (username,)).fetchone()
        assert row
        for kind in ("reporter", "whereabouts"):
            grants.give(
                self.db,
                self.region,
                row["id"],
                kind,
                report_id=report,
                purpose="safety",
                reason="Nodig voor de beoordeling",
                by=username,
                at=row["at"],
            )

    def checked(self, team: UUID, until: date = date(2099, 1, 1)) -> None:
        """Somebody made sure long ago that this partner is who it says, until a day."""
        self.db.execute(
            "INSERT INTO partner_check (id, region_id, team_id, verified_until, how, checked_at, checked_by)"
            " VALUES (%s, %s, %s, %s, 'Gebeld', '2020-01-01', 'teun')",
            (uuid7(), self.region, team, until),
        )

    def staff(self, role: Any, name: str = "") -> str:
        """A member with this role; returns the user name."""
        username = name or f"{role}{self.number}"
        self.db.execute(
            "INSERT INTO staff (id, region_id, username, name, role, password_hash) VALUES (%s, %s, %s, %s, %s, %s)",
            (uuid7(), self.region, username, f"Naam van {username}", role, hash_of_password()),
        )
        return username

    def message(self, raw: bytes, at: datetime, sender: UUID, outcome: str) -> UUID:
        message = uuid7(int(at.timestamp() * 1000))
        self.db.execute(
            "INSERT INTO message (id, region_id, sender_id, channel, reference, received_at, raw, content_sha256,"
            " outcome, standard, answer_status, answer_type, answer)"
            " VALUES (%s, %s, %s, 'corv', %s, %s, %s, %s, %s, 'jz0100/1.0.9', 200, 'text/xml', '')",
            (
                message,
                self.region,
                sender,
                str(message),
                at,
                raw,
                hashlib.sha256(raw + message.bytes).digest(),
                outcome,
            ),
        )
        return message

    def deadline(self, kind: str, subject: UUID, at: datetime, met_at: datetime | None = None) -> datetime:
        term = safety_assessment(at, calendar())
        deadline = uuid7()
        self.db.execute(
            "INSERT INTO deadline (id, region_id, kind, subject_id, norm_due_on, legal_due_on, due_at, met_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (deadline, self.region, kind, subject, term.norm.due_on, term.legal.due_on, term.due_at, met_at),
        )
        self.db.execute(
            "INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at,"
            " steps)"
            " VALUES (%s, 1, %s, 'sender:00000099000000001000', 'ontvangst', %s, %s, %s, %s)",
            (deadline, at, term.norm.due_on, term.legal.due_on, term.due_at, Jsonb(term.to_json())),
        )
        return term.due_at

    def task(
        self,
        kind: str,
        subject: UUID,
        due_at: datetime,
        risk: int = 0,
        team: UUID | None = None,
        received_at: datetime | None = None,
        done: bool = False,
    ) -> UUID:
        task = uuid7()
        self.db.execute(
            "INSERT INTO task (id, region_id, team_id, kind, subject_id, risk, received_at, due_at, done_at, done_by)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                task,
                self.region,
                team,
                kind,
                subject,
                risk,
                received_at or due_at,
                due_at,
                due_at if done else None,
                "iemand" if done else None,
            ),
        )
        return task

    def report(
        self,
        at: datetime,
        persons: list[dict[str, Any]] | None = None,
        *,
        risk: int = 0,
        sender: UUID | None = None,
        kind: str = "politie",
        reference: str = "",
        household: UUID | None = None,
        case: UUID | None = None,
        content: dict[str, Any] | None = None,
        signals: list[dict[str, Any]] | None = None,
        remarks: list[dict[str, Any]] | None = None,
        raw: bytes = b"<melding/>",
        done: bool = False,
        municipality: str | None = "Dalstad",
        state: str = "assessing",
    ) -> UUID:
        """A report with its message, deadline, task and mentions; returns its id."""
        sender = sender or self.police
        report = uuid7(int(at.timestamp() * 1000))
        message = self.message(raw, at, sender, "report")
        self.db.execute(
            "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
            " received_at, content, remarks, acute_signals, acute_rules, municipality, household_id, case_id, state)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '1', %s, %s, %s, %s)",
            (
                report,
                self.region,
                message,
                sender,
                kind,
                reference or str(message),
                at,
                Jsonb(content or CONTENT),
                Jsonb(remarks or []),
                Jsonb(signals or []),
                municipality,
                household,
                case,
                "closed" if done else state,
            ),
        )
        for number, person in enumerate([PERSON] if persons is None else persons, start=1):
            self.db.execute(
                "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
                (uuid7(), self.region, report, number, Jsonb(person)),
            )
        due_at = self.deadline("safety_assessment", report, at, at + timedelta(days=2) if done else None)
        self.task("assess", report, due_at, risk, self.team, at, done)
        return report

    def household(self, at: datetime) -> tuple[UUID, UUID]:
        """A household with an open case that Veilig Thuis watches."""
        household, case = uuid7(), uuid7()
        self.db.execute("INSERT INTO household (id, region_id) VALUES (%s, %s)", (household, self.region))
        with self.db.transaction():
            self.db.execute(
                "INSERT INTO cases (id, region_id, household_id, number, opened_at) VALUES (%s, %s, %s, %s, %s)",
                (case, self.region, household, f"VT-2026-{case.hex[-5:].upper()}-{case.hex[-10:-5].upper()}", at),
            )
            self.db.execute(
                "INSERT INTO safety_watch (id, region_id, case_id, holder, team_id, since, reason)"
                " VALUES (%s, %s, %s, 'veilig_thuis', %s, %s, 'Casus geopend')",
                (uuid7(), self.region, case, self.team, at),
            )
        return household, case

    def link(
        self,
        report: UUID,
        number: int,
        person: UUID,
        state: str,
        reasons: list[dict[str, Any]] | None = None,
        household: UUID | None = None,
    ) -> UUID:
        """A link of the report's n-th mention to a person, made when he is new."""
        row = self.db.execute(
            "SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)
        ).fetchone()
        assert row
        self.db.execute(
            "INSERT INTO person (id, region_id) VALUES (%s, %s) ON CONFLICT DO NOTHING", (person, self.region)
        )
        link = uuid7()
        decided = state in ("confirmed", "rejected", "undone")
        self.db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
            " decided_at, decided_by) VALUES (%s, %s, %s, %s, %s, 'same', 20, %s, '2026-11', %s, %s)",
            (
                link,
                self.region,
                row["id"],
                person,
                state,
                Jsonb(reasons or REASONS),
                datetime.now(UTC) if decided else None,
                "teun" if decided else None,
            ),
        )
        if household:
            self.db.execute(
                "INSERT INTO membership (id, region_id, person_id, household_id, mention_id, valid_from)"
                " SELECT %s, region_id, %s, %s, m.id, (SELECT received_at::date FROM report WHERE id = m.report_id)"
                " FROM mention m WHERE m.id = %s",
                (uuid7(), person, household, row["id"]),
            )
        return link

    def quarantine(
        self,
        at: datetime,
        raw: bytes,
        code: str = "VT-E055",
        reason: str = "Het bericht is niet volgens de standaard.",
    ) -> UUID:
        item = uuid7(int(at.timestamp() * 1000))
        message = self.message(raw, at, self.police, "quarantine")
        self.db.execute(
            "INSERT INTO quarantine (id, region_id, message_id, code, reason) VALUES (%s, %s, %s, %s, %s)",
            (item, self.region, message, code, reason),
        )
        self.task("quarantine", item, self.deadline("quarantine", item, at), 1, None, at)
        return item

    def dead_job(self, subject: UUID) -> UUID:
        job = uuid7()
        self.db.execute(
            "INSERT INTO job (id, region_id, kind, subject_id, state, attempts, finished_at, error)"
            " VALUES (%s, %s, 'link_report', %s, 'dead', 5, now(), 'OperationalError')",
            (job, self.region, subject),
        )
        self.task("dead_job", job, datetime.now(UTC), 1)
        return job


def person(given: str, surname: str, born: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "rol": {"tekst": role},
        "naam": {"voornamen": given, "geslachtsnaam": surname},
        "geslacht": "V",
        "geboortedatum": {"tekst": born, "indicatie": "V"},
        "adressen": [
            {
                "soort": "feitelijk",
                "straat": "Voorbeeldstraat",
                "huisnummer": "1",
                "huisletter": "a",
                "postcode": "1234AB",
                "woonplaats": "Dalstad",
            }
        ],
        **more,
    }


PERSON = person(
    "Test", "Voorbeeld", "20150301", "jeugdige", bsn="999993653", geenWaardeReden={"taal": "waardeOnbekend"}
)
MOTHER = person(
    "Maria", "Voorbeeld", "19880612", "ouder met gezag", telefoonnummers=["0600000001"], nationaliteit="Nederlandse"
)
FATHER = person(
    "Jan", "Proef", "19850000", "ouder met gezag", geboortedatum={"tekst": "19850000", "indicatie": "M"}, geslacht="M"
)
CONTENT: dict[str, Any] = {
    "bericht": {
        "functie": "vtMeldingDi01",
        "referentienummer": "c0ffee00-0000-4000-8000-000000000001",
        "tijdstip": "2026-01-15T09:30:00Z",
        "zender": {"oin": "00000099000000001000", "applicatie": "CORV"},
        "ontvanger": {"oin": "00000099000000002000", "applicatie": "VTINTAKE"},
    },
    "melding": {
        "kenmerk": "PL9999-2026000001-1",
        "datum": {"tekst": "20260115", "indicatie": "V"},
        "agenderingGewenst": False,
        "contact": {"afdeling": "Basisteam Voorbeeld", "telefoonnummers": ["0900-0000"]},
        "sash": {"ingevuld": True, "niveau": "hoog"},
    },
    "incident": {
        "datum": {"tekst": "20260114", "indicatie": "V"},
        "locatie": "Voorbeeldstraat 1, Dalstad",
        "omschrijving": "Verzonnen voorbeeld. De buren hoorden geschreeuw en belden de politie."
        "\n\nTer plaatse was moeder overstuur. "
        "Zij vertelde dat vader haar bij de keel greep. Het kind zat op de trap.",
    },
    "situatie": {
        "omschrijving": "Het kind was erbij. Er zijn eerder ruzies geweest.",
        "relevanteRegistraties": ["Melding geluidsoverlast, maart", "Ruzie op straat, augustus"],
        "tijdelijkHuisverbod": "Nee",
        "aanhouding": "Ja, vader",
        "geenWaardeReden": {"bestaandeHulpverlening": "waardeOnbekend"},
    },
    "indiener": {"naam": "Politie eenheid Voorbeeld", "instantiecode": "PL9999", "soort": "politie"},
    "extra": [{"naam": "wapen", "waarde": "nee"}],
}
REASONS = [
    {"field": "birth", "level": "same", "weight": 11.2, "text": "Geboortedatum gelijk"},
    {"field": "surname", "level": "same", "weight": 6.1, "text": "Achternaam gelijk: 'Voorbeeld'"},
    {"field": "address", "level": "different", "weight": -1.0, "text": "Ander adres"},
]


@pytest.fixture(autouse=True)
def fresh_key() -> Iterator[None]:
    """The secret key belongs to the data folder of one test."""
    forget_key()
    yield
    forget_key()


@pytest.fixture
def new_world(db: Db) -> Callable[[], World]:
    """Makes regions, each with another number."""
    count = 0

    def make() -> World:
        nonlocal count
        count += 1
        return World(db, count)

    return make


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()


@pytest.fixture
def family(world: World) -> dict[str, UUID]:
    """A household with four reports over a year, each kind of link, a proposal, quarantine and a stopped job."""
    return seed_family(world)


def seed_family(world: World, now: datetime | None = None) -> dict[str, UUID]:
    now = now or datetime.now(UTC)
    household, case = world.household(now - timedelta(days=300))
    child, mother, father = uuid7(), uuid7(), uuid7()
    first = world.report(
        now - timedelta(days=300),
        [PERSON, MOTHER],
        kind="onderwijs",
        sender=world.school,
        household=household,
        case=case,
        done=True,
    )
    second = world.report(
        now - timedelta(days=90), [PERSON, MOTHER], risk=1, household=household, case=case, done=True
    )
    acute = [
        {"rule": "sash_hoog", "level": "acute", "text": "De politie vulde SASH in: niveau hoog (belaging)."},
        {"rule": "verwurging", "level": "show", "text": "Poging tot verwurging", "words": ["bij de keel"]},
    ]
    remarks = [
        {"code": "VT-W102", "pad": "betrokkenen[1].adressen[0].postcode", "tekst": "De postcode is niet volledig."}
    ]
    third = world.report(
        now - timedelta(days=9),
        [PERSON, MOTHER, FATHER],
        risk=2,
        household=household,
        case=case,
        signals=acute,
        remarks=remarks,
        reference="PL9999-2026000001-1",
    )
    changed = {**CONTENT, "incident": {**CONTENT["incident"], "locatie": "Voorbeeldstraat 1a, Dalstad"}}
    supplement = world.report(
        now - timedelta(days=8),
        [PERSON, MOTHER],
        risk=0,
        content=changed,
        household=household,
        case=case,
        reference="PL9999-2026000001-1",
    )
    world.link(
        first,
        1,
        child,
        "new",
        [{"field": "decision", "level": "new", "weight": 0, "text": "Niet eerder genoemd in een melding"}],
        household,
    )
    world.link(
        first,
        2,
        mother,
        "new",
        [{"field": "decision", "level": "new", "weight": 0, "text": "Niet eerder genoemd in een melding"}],
        household,
    )
    world.link(second, 1, child, "confirmed", household=household)
    world.link(second, 2, mother, "automatic", household=household)
    automatic = world.link(third, 1, child, "automatic", household=household)
    world.link(third, 3, father, "new", household=household)
    proposed = world.link(third, 2, mother, "proposed")
    world.db.execute(
        "UPDATE task SET due_at = %s, risk = 1, team_id = %s, received_at = %s WHERE subject_id = %s",
        (now + timedelta(days=1), world.team, now - timedelta(days=9), proposed),
    )
    world.db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at)"
        " VALUES (%s, %s, %s, 'proposed', %s, 'acute', %s, %s)",
        (uuid7(), world.region, third, world.team, "Acuut: De politie vulde SASH in: niveau hoog (belaging).", now),
    )
    with world.db.transaction():
        signals.recount(world.db, [household], "system", now)
    quarantine = world.quarantine(
        now - timedelta(days=1), b"<melding><naam>\xff\xfe Jansen & <script>alert(1)</script></naam>"
    )
    job = world.dead_job(supplement)
    return {
        "household": household,
        "case": case,
        "first": first,
        "second": second,
        "third": third,
        "supplement": supplement,
        "automatic": automatic,
        "proposed": proposed,
        "quarantine": quarantine,
        "job": job,
    }


def session_of(db: Db, username: str, stepped_up: bool = True) -> str:
    """The token of a new session of this user."""
    row = db.execute("SELECT id FROM staff WHERE username = %s", (username,)).fetchone()
    assert row is not None
    token = sessions.start(db, row["id"])
    if stepped_up:
        db.execute(
            "UPDATE staff_session SET stepped_up_until = now() + interval '10 minutes' WHERE token_hash = %s",
            (token_hash(token),),
        )
    return token


@pytest.fixture
def client(database_url: str) -> TestClient:
    """A browser without a session; it does not follow redirects."""
    return TestClient(create_app(), base_url="https://testserver", follow_redirects=False)


@pytest.fixture
def sign_in(client: TestClient, db: Db) -> Callable[..., TestClient]:
    """Gives this user a session, as signing in does (test_access signs in for real); returns the same client.

    He proved himself a moment ago, so that what asks for a step-up is open, unless `stepped_up` is False.
    """

    def enter(username: str, stepped_up: bool = True) -> TestClient:
        client.cookies.clear()
        client.cookies.set(sessions.cookie_name(), session_of(db, username, stepped_up), domain="testserver.local")
        return client

    return enter


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, one for the tests of a module."""
    with started_browser() as started:
        yield started


@pytest.fixture
def address(world: Any, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server in demo mode on a free port."""
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()
    (teun,) = [login for login in DEMO_LOGINS if login.username == "teun"]  # the one who enters
    add_staff(world.db, world.region, teun.username, teun.name, teun.role, teun.password)
    with served() as started:
        yield started
