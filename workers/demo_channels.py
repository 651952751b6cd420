"""What comes into the demo by people's own ways: calls, forms, advice, a call that goes on, and notes.

Everything is invented. It is told once per demo region; a second run finds it there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.staff import DEMO_LOGINS
from intake import advice, opening
from intake.advice import AdviceInput, AskerContact
from intake.channels import drafts, own
from radar.casework import notes

INTAKE = next(login.username for login in DEMO_LOGINS if login.role == "intake_worker")
ASSESSOR = next(login.username for login in DEMO_LOGINS if login.role == "assessor")

_QUESTIONS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "15",
        "08",
        "03",
        "Een kind in de klas is stil en schrikt van harde stemmen.",
        "Praat met een collega, en daarna met de ouders.",
    ),
    (
        "18",
        "08",
        "02",
        "Een peuter komt vaak zonder ontbijt en met te kleine kleren.",
        "Houd bij wat u ziet en bespreek het met de ouders.",
    ),
    (
        "33",
        "03",
        "07",
        "Een familielid neemt geld op van de rekening van een oudere.",
        "Bel de bank en vraag de huisarts om mee te kijken.",
    ),
    (
        "31",
        "01",
        "03",
        "De partner leest alle berichten mee en dreigt.",
        "Maak een veiligheidsplan en bel 112 als het onveilig wordt.",
    ),
    (
        "02",
        "01",
        "01",
        "Een patiënt heeft vaker blauwe plekken en zegt dat zij valt.",
        "Volg de meldcode en bespreek het met haar alleen.",
    ),
    (
        "35",
        "08",
        "08",
        "Bij de buren is bijna elke avond geschreeuw waar kinderen bij zijn.",
        "Bel de politie als het dreigt; u kunt ook melden.",
    ),
    (
        "08",
        "09",
        "11",
        "Een gezin wil geen hulp meer en doet de deur niet open.",
        "Ga samen met een collega en weeg opnieuw af.",
    ),
    (
        "10",
        "07",
        "03",
        "Ouders zijn gescheiden en praten alleen via de kinderen.",
        "Stel een gesprek met beide ouders voor.",
    ),
    (
        "03",
        "06",
        "",
        "Een moeder wordt opgenomen en zorgt voor drie kinderen.",
        "Doe de kindcheck en vraag wie er nu voor hen zorgt.",
    ),
    (
        "16",
        "08",
        "05",
        "Een leerling is al acht weken niet op school geweest.",
        "Ga na of er meer zorgen zijn en overleg met de school.",
    ),
)
"""Capacity, occasion, nature, question and advice. No family can be recognised in them, as in real advice."""


def fill(db: Db, region: UUID, until: datetime) -> int:
    """Add what came in by the own channels in the last days before `until`; how many it were, 0 when it is there."""
    if db.execute("SELECT FROM advice WHERE region_id = %s LIMIT 1", (region,)).fetchone() is not None:
        return 0
    for number, asked in enumerate(_QUESTIONS):
        _advise(db, region, until - timedelta(hours=5 + 7 * (len(_QUESTIONS) - number)), number, asked)
    family = _family(db, region)
    reports = [
        own.record(
            db, region, own.message(db, region, reference, body), channel=channel, kind=kind, actor=actor, at=at
        )
        for reference, body, channel, kind, actor, at in _reports(family, until)
    ]
    _call(db, region, until)
    notes.write(
        db,
        reports[1].report,
        "De school belt morgen om negen uur terug over het gesprek met moeder.",
        for_staff=_staff(db, region, ASSESSOR),
        by=INTAKE,
        at=until - timedelta(hours=1),
    )
    return len(_QUESTIONS) + len(reports)


def _advise(db: Db, region: UUID, at: datetime, number: int, asked: tuple[str, str, str, str, str]) -> None:
    capacity, occasion, nature, question, answer = asked
    follow_up = number % 4 == 1
    given = AdviceInput(
        way="balie" if number % 5 == 4 else "telefoon",
        capacity=capacity,
        occasions=(occasion,),
        natures=(nature,) if nature else (),
        question=question,
        advice=answer,
        minutes=10 + 3 * number,
        follow_up=follow_up,
        follow_up_on=(at + timedelta(days=10)).date() if follow_up else None,
        contact=AskerContact(consent=True, phone="0900-0000") if follow_up else None,
    )
    advice.record(db, region, given, by=INTAKE, at=at)


def _family(db: Db, region: UUID) -> list[dict[str, Any]]:
    """The persons of the family that was reported first: it is reported once more, by other ways."""
    row = db.execute(
        "SELECT r.id AS report FROM report r WHERE r.region_id = %s AND (SELECT count(*) FROM mention m"
        " WHERE m.report_id = r.id) > 1 ORDER BY r.received_at, r.id LIMIT 1",
        (region,),
    ).fetchone()
    said = opening.persons(db, row["report"]) if row else []
    kept = ("rol", "naam", "geslacht", "geboortedatum", "adressen")
    known = [{name: one[name] for name in kept if name in one} for one in said if "naam" in one]
    return known or [{"rol": {"tekst": "jeugdige"}, "naam": {"voornamen": "Sam", "geslachtsnaam": "Voorbeeld"}}]


def _reports(
    family: list[dict[str, Any]], until: datetime
) -> list[tuple[str, dict[str, Any], Any, str, str, datetime]]:
    neighbour = {
        "melding": {"contact": {"naam": "Bea Verzonnen", "veiligBereikbaar": "Alleen overdag, niet mailen."}},
        "situatie": {"omschrijving": "Ik hoor bijna elke avond ruzie hiernaast. De kinderen huilen dan."},
        "betrokkenen": family,
        "aanmelding": {
            "wijze": "formulier",
            "hoedanigheid": "35",
            "aanleidingen": ["08"],
            "sinds": "Sinds de zomer, de laatste weken vaker.",
            "nuVeilig": "onbekend",
            "kinderen": "ja",
        },
    }
    teacher = {
        "melding": {
            "contact": {"naam": "Iris Bedacht", "functie": "intern begeleider", "telefoonnummers": ["0900-0000"]}
        },
        "indiener": {"naam": "Basisschool De Verzonnen Es"},
        "situatie": {"omschrijving": "Het kind vertelde de leerkracht dat het bang is om naar huis te gaan."},
        "betrokkenen": family,
        "aanmelding": {
            "wijze": "telefoon",
            "hoedanigheid": "15",
            "aanleidingen": ["08"],
            "aard": ["03", "08"],
            "nuVeilig": "ja",
            "gezinGeinformeerd": "ja",
            "blijftHelpen": "De intern begeleider spreekt het kind elke week.",
            "terugkoppelingGewenst": True,
            "meldcode": {
                "stap": "5",
                "kindcheck": "nvt",
                "overleg": "Met de aandachtsfunctionaris en de jeugdarts.",
                "afweging": {"vermoeden": "ja", "onveilig": "onbekend", "hulpMogelijk": "nee"},
                "besluit": "Melden, en zelf blijven steunen.",
            },
        },
    }
    pharmacist = {
        "melding": {"contact": {"naam": "Omar Verzonnen", "functie": "apotheker"}},
        "indiener": {"naam": "Apotheek De Bedachte Linde"},
        "situatie": {"omschrijving": "Een klant vroeg om Masker 19 en ging daarna snel weg."},
        "betrokkenen": [{"rol": {"tekst": "vrouw in de apotheek"}, "geslacht": "V", "naam": {"voornamen": "Nina"}}],
        "aanmelding": {
            "wijze": "apotheek-masker19",
            "hoedanigheid": "20",
            "nuVeilig": "nee",
            "nietTerugbellen": True,
            "codewoord": "Masker 19",
        },
    }
    return [
        ("demo-burger", neighbour, "citizen", "burger", "public:citizen", until - timedelta(hours=20)),
        ("demo-school", teacher, "desk", "onderwijs", INTAKE, until - timedelta(hours=4)),
        ("demo-apotheek", pharmacist, "professional", "zorg", "public:professional", until - timedelta(minutes=40)),
    ]


def _call(db: Db, region: UUID, until: datetime) -> None:
    """A call that an intake worker is in the middle of."""
    fields = {
        "wijze": "telefoon",
        "hoedanigheid": "33",
        "wat": "Haar broer schreeuwt tegen zijn dochter en smijt met spullen.",
        "sinds": "Sinds hij zijn baan kwijt is.",
        "nu_veilig": "ja",
        "kinderen": "ja",
        "p1.rol": "",
        "a1.straat": "",
    }
    drafts.start(db, region, _staff(db, region, INTAKE), fields, by=INTAKE, at=until - timedelta(minutes=12))


def _staff(db: Db, region: UUID, username: str) -> UUID:
    row: Row | None = db.execute(
        "SELECT id FROM staff WHERE region_id = %s AND username = %s", (region, username)
    ).fetchone()
    if row is None:
        raise LookupError(username)
    found: UUID = row["id"]
    return found
