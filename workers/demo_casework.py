"""What the demo's staff and partners do with a report after it came in, through the product's own functions.

A step does its work at its moment and gives the steps that follow. Everything is invented, and the same every time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from random import Random
from typing import Any, LiteralString
from uuid import UUID

from core.calendar import ONE_DAY
from core.database import Db, Row
from core.deadlines import AMSTERDAM, local_day
from intake.acute import ACUTE_RISK
from intake.terms import calendar
from radar.casework import (
    acute,
    assessment,
    conditions,
    contacts,
    feedback,
    findings,
    forwarding,
    handover,
    monitoring,
    notices,
    questionnaire,
    service,
    steps,
    tasks,
)
from radar.casework.handover_kinds import KINDS
from radar.casework.states import SERVICES

Step = Callable[[Db, UUID, datetime, Random], "list[Next]"]
Next = tuple[datetime, Step]

INTAKE: dict[str, Any] = {"by": "ilse", "role": "intake_worker"}
ASSESSOR: dict[str, Any] = {"by": "bram", "role": "assessor"}
SCIENTIST: dict[str, Any] = {"by": "gwen", "role": "behavioural_scientist"}

FOLLOWS = 0.65
"""How often staff decide as the machine proposed."""
OTHERWISE = {"no_steps": 45, "conditions": 30, "investigation": 20, "regional_task": 5}
NO_REPORT = 0.04
REASONS = {
    "handover": (
        "Het lokale team kent het gezin en neemt de casus over. Veiligheidsafspraken zijn gemaakt.",
        "Gezin staat open voor hulp dichtbij. Overdracht besproken met het lokale team.",
    ),
    "conditions": (
        "Er zijn voorwaarden voor veiligheid afgesproken. Wij volgen of die worden nagekomen.",
        "Het patroon herhaalt zich. Wij maken samen met het gezin een plan en houden zicht.",
    ),
    "investigation": (
        "Er is te weinig bekend over de kinderen. Wij starten een onderzoek.",
        "Verhalen spreken elkaar tegen. Onderzoek is nodig om de veiligheid te beoordelen.",
    ),
    "no_steps": (
        "Gesproken met betrokkenen en melder. De hulp loopt goed, er zijn geen zorgen over de veiligheid.",
        "Eenmalige ruzie. Betrokkenen hebben steun van familie en weten ons te vinden.",
    ),
    "regional_task": ("Tijdelijk huisverbod: de crisisdienst van de regio is ter plaatse geweest.",),
    "join": ("Past bij wat al loopt. De nieuwe informatie is meegenomen in het traject.",),
}
ALL_SHARED = ("persons", "incident", "situation", "assessment")


def later(at: datetime, working_days: int, luck: Random) -> datetime:
    """Some hour at the office, so many working days later; the same day when there are none between, if it can be."""
    day = local_day(at)
    while working_days:
        day += ONE_DAY
        working_days -= calendar().is_working_day(day)
    moment = datetime.combine(day, time(luck.randint(9, 16), luck.randrange(60)), AMSTERDAM)
    return moment if moment > at else at + timedelta(minutes=luck.randint(10, 90))


def _row(db: Db, query: LiteralString, *values: Any) -> Row | None:
    return db.execute(query, values).fetchone()


# ── acute check and assessment ──────────────────────────────────────────────────────────────────────────────


def check(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    """The acute check; what the machine called acute mostly is."""
    task = _row(
        db, "SELECT risk FROM task WHERE kind = 'acute_check' AND subject_id = %s AND done_at IS NULL", report
    )
    if task is None:
        return []
    if luck.random() < NO_REPORT and task["risk"] < ACUTE_RISK:
        why = "Burenruzie over een schutting. Geen huiselijk geweld en geen kindermishandeling."
        forwarding.forward(db, report, to="Wijkagent Voorbeeldstad", reason=why, **INTAKE, at=at)
        return []
    if task["risk"] < ACUTE_RISK:
        risk = int(luck.random() < 0.3)
        acute.check(
            db, report, False, [], "Gelezen en gebeld: vandaag geen direct gevaar.", **INTAKE, at=at, risk=risk
        )
        return []
    signs = luck.sample([sign.code for sign in questionnaire.current().acute_signs], 2)
    acute.check(db, report, True, signs, "Geweld was vanavond, iemand is bang en nog thuis.", **INTAKE, at=at)
    return _act(db, report, at, luck)


def _act(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    """While somebody is in direct danger: calls now, and some hours later a person says that it is over."""
    if not acute.in_danger(db, report):
        return []
    return [(at + timedelta(minutes=luck.randint(5, 20)), _call), (at + timedelta(hours=luck.randint(3, 9)), _safe)]


def _call(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    if not acute.in_danger(db, report):
        return []
    called = luck.choice(("Politie, meldkamer", "Moeder", "Huisarts", "Crisisdienst"))
    agreed = luck.choice(("Pleger slaapt elders, politie rijdt langs.", "Moeder en kinderen gaan naar familie."))
    acute.note_action(db, report, called, agreed, at, by=INTAKE["by"], at=at)
    return []


def _safe(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    if acute.in_danger(db, report):
        acute.end(db, report, "Iedereen is vannacht veilig: afspraken met familie en politie.", **ASSESSOR, at=at)
    return []


def submit(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    """Fill in the questionnaire and propose the decision to a colleague."""
    row = _row(db, "SELECT state, case_id, region_id FROM report WHERE id = %s", report)
    if row is None or row["state"] != "assessing":
        return []
    path, team = _path(db, report, row["case_id"], luck)
    questions = questionnaire.current()
    draft = assessment.start(db, report, by=ASSESSOR["by"], at=at)
    answers = _answers(questions, path, luck)
    revision = assessment.save(db, draft["id"], draft["revision"], answers, by=ASSESSOR["by"], at=at)
    reason = luck.choice(REASONS[path])
    assessment.submit(db, draft["id"], revision, path, team, reason, **ASSESSOR, at=at)
    return _act(db, report, at, luck)


def _path(db: Db, report: UUID, case: UUID | None, luck: Random) -> tuple[str, UUID | None]:
    """As proposed, or otherwise; never with an acute danger that nobody ended."""
    proposed = _row(db, "SELECT path, team_id FROM route WHERE report_id = %s AND state = 'proposed'", report)
    path = proposed["path"] if proposed else "conditions"
    if path == "acute":
        path = "conditions"
    if luck.random() > FOLLOWS:
        path = luck.choices(list(OTHERWISE), list(OTHERWISE.values()))[0]
    running = _row(
        db,
        "SELECT FROM report WHERE case_id = %s AND id <> %s AND state = ANY(%s)",
        case,
        report,
        ["handover", *SERVICES, "monitoring"],
    )
    if (path == "join" and running is None) or (path == "no_steps" and acute.in_danger(db, report)):
        path = "conditions"
    return path, proposed["team_id"] if proposed and path == "handover" else None


def _answers(questions: questionnaire.Questionnaire, path: str, luck: Random) -> dict[str, str]:
    """Every question answered; the heavier the decision, the more is said to be unsafe."""
    unsafe = path in ("conditions", "investigation", "handover")
    given: dict[str, str] = {}
    for one in questions.fields.values():
        if one.kind == "yes_no":
            given[one.code] = "yes" if unsafe and luck.random() < 0.25 else "no"
        elif one.kind == "choice":
            given[one.code] = luck.choice(list(one.options))
        else:
            given[one.code] = luck.choice(
                ("Gesproken met moeder en met de melder. Verzonnen toelichting.", "Uit het gesprek en de melding.")
            )
    skipped = questionnaire.judge(questions, given).not_asked
    out = {one.code for part in questions.parts if part.code in skipped for one in part.fields}
    return {code: text for code, text in given.items() if code not in out}


def sign(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    """The second signature, and what begins with it."""
    draft = _row(
        db,
        "SELECT id FROM assessment WHERE report_id = %s AND submitted_at IS NOT NULL AND signed_at IS NULL",
        report,
    )
    if draft is None:
        return []
    assessment.sign(db, draft["id"], **SCIENTIST, at=at)
    row = _row(db, "SELECT state FROM report WHERE id = %s", report) or {}
    next_steps: list[Next] = [
        *_act(db, report, at, luck),
        (later(at, 1, luck), _tell_reporter),
        (later(at, luck.randint(2, 15), luck), _tell_people),
    ]
    if row["state"] == "handover":
        next_steps.append((later(at, 1, luck), offer))
    if row["state"] in SERVICES:
        next_steps.append((later(at, luck.randint(1, 6), luck), _begin))
    return next_steps


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_reporter(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    if luck.random() < 0.15:
        return []
    drafts = db.execute("SELECT id, text, channel FROM feedback WHERE report_id = %s AND state = 'draft'", (report,))
    for row in drafts.fetchall():
        feedback.release(db, row["id"], row["text"], False, INTAKE["by"], INTAKE["role"], at)
        if row["channel"] == "letter":
            feedback.sent(db, row["id"], "talk", INTAKE["by"], at)
    return []


def _tell_people(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    chance = luck.random()
    if chance < 0.1:
        return []
    waiting = db.execute(
        "SELECT id, subject_id FROM deadline WHERE kind = 'person_notice' AND report_id = %s AND met_at IS NULL"
        " AND dropped_at IS NULL ORDER BY id",
        (report,),
    ).fetchall()
    if chance < 0.2:
        for row in waiting:
            why = "Het gesprek met het slachtoffer moet eerst: vertellen maakt het nu onveiliger."
            notices.extend(db, row["id"], 2, reason=why, by=SCIENTIST["by"], at=at)
        return [(later(at, luck.randint(4, 12), luck), _tell_people)]
    for row in waiting:
        open_still = _row(
            db,
            "SELECT FROM deadline WHERE kind = 'person_notice' AND subject_id = %s AND met_at IS NULL",
            row["subject_id"],
        )
        if open_still is not None:
            notices.told(db, row["subject_id"], how="talk", told_at=at, by=ASSESSOR["by"], at=at, note="Gesproken.")
    return []


def divide(db: Db, region: UUID, at: datetime) -> None:
    """Who has what at the end of the story: half of the open work is with a colleague."""
    staff = db.execute(
        "SELECT id FROM staff WHERE region_id = %s AND role <> ALL(%s) ORDER BY username",
        (region, list(tasks.NO_CASEWORK)),
    ).fetchall()
    rows = db.execute(
        "SELECT id FROM task WHERE region_id = %s AND done_at IS NULL ORDER BY due_at, id", (region,)
    ).fetchall()
    for number, row in enumerate(rows):
        if number % 2:
            who = staff[number // 2 % len(staff)]["id"]
            tasks.assign(db, region, [row["id"]], who, by="teun", at=at)


# ── handover ────────────────────────────────────────────────────────────────────────────────────────────────


def offer(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    """Offer to the team that was decided on, or to the next when that one refused."""
    row = _row(
        db,
        "SELECT r.state, t.id AS team FROM report r"
        " JOIN team t ON t.region_id = r.region_id AND t.kind = 'local_team'"
        " AND (t.valid_to IS NULL OR t.valid_to >= %s)"
        " LEFT JOIN route o ON o.report_id = r.id AND o.state = 'decided' AND o.team_id = t.id"
        " WHERE r.id = %s AND NOT EXISTS (SELECT FROM handover h WHERE h.report_id = r.id AND h.team_id = t.id)"
        " ORDER BY o.id IS NULL, t.name LIMIT 1",
        local_day(at),
        report,
    )
    if row is None or row["state"] != "handover":
        return []
    kind = KINDS["direct"]
    content = {field.name: f"Verzonnen: {field.label.lower()}" for field in kind.fields}
    given = handover.offer(
        db,
        report,
        kind="direct",
        team_id=row["team"],
        shares=ALL_SHARED,
        content=content,
        afterwards="monitor" if luck.random() < 0.5 or acute.in_danger(db, report) else "close",
        days=5,
        **ASSESSOR,
        at=at,
    )
    fate = luck.random()
    if fate < 0.12:
        return [(later(at, luck.randint(1, 3), luck), _refuse(given))]
    if fate < 0.9:
        return [(later(at, luck.randint(1, 6), luck), _accept(given))]
    return []


def _accept(given: UUID) -> Step:
    def accept(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
        if acute.in_danger(db, report):
            return []
        name = "J. Voorbeeld, casusregisseur"
        handover.accept(
            db, given, by="partner:lokaal team", role="partner", name=name, at=at, started_on=local_day(at)
        )
        return [(later(at, 2, luck), _tell_reporter), *_moments(db, report, luck)]

    return accept


def _refuse(given: UUID) -> Step:
    def refuse(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
        why = "Het gezin woont sinds kort in een andere wijk; dat team kent hen al."
        handover.refuse(
            db,
            given,
            by="partner:lokaal team",
            role="partner",
            name="J. Voorbeeld, casusregisseur",
            reason=why,
            at=at,
        )
        return [(later(at, 1, luck), offer)]

    return refuse


# ── investigation, conditions and follow-up ─────────────────────────────────────────────────────────────────


def _running(db: Db, report: UUID) -> Row | None:
    return _row(db, "SELECT id, kind, started_at FROM service WHERE report_id = %s AND ended_at IS NULL", report)


def _begin(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    row = _running(db, report)
    if row is None:
        return []
    lead = _row(db, "SELECT id FROM staff WHERE username = %s", ASSESSOR["by"])
    service.take_lead(db, row["id"], lead["id"] if lead else None, **ASSESSOR, at=at)
    service.start(db, row["id"], at, **ASSESSOR, at=at)
    forms = ["child_abuse"] if row["kind"] == "investigation" else []
    service.plan(
        db, row["id"], "Gesprek met ouders en kinderen, school en huisarts bellen.", forms, **ASSESSOR, at=at
    )
    talks: list[Next] = [(later(at, luck.randint(2, 20), luck), _talk) for _ in range(luck.randint(1, 3))]
    return [*talks, (later(at, luck.randint(22, 55), luck), _end)]


def _talk(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    row = _running(db, report)
    if row is None:
        return []
    person = _row(db, "SELECT id FROM mention WHERE report_id = %s ORDER BY number LIMIT 1", report)
    about_person = person is not None and luck.random() < 0.7
    contacts.note(
        db,
        report,
        row["id"],
        with_kind="person" if about_person else "informant",
        mention_id=person["id"] if person and about_person else None,
        who="" if about_person else luck.choice(("Huisarts", "Leerkracht van groep 5", "Jeugdarts")),
        how=luck.choice(("call", "visit", "office")),
        happened_at=at,
        summary=luck.choice(("Gesproken over hoe het thuis gaat.", "Herkent de zorgen, wil meewerken.")),
        informed=luck.random() < 0.9,
        **ASSESSOR,
        at=at,
    )
    return []


def _end(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
    row = _running(db, report)
    if row is None:
        return []
    if row["kind"] == "investigation":
        result = luck.choice(("confirmed", "confirmed", "not_confirmed", "refuted"))
        why = "Gesprekken en informatie van school en huisarts wijzen dezelfde kant op."
        findings.find(db, row["id"], "child_abuse", result, why, **ASSESSOR, at=at)
    conditions.make(
        db,
        report,
        luck.choice(
            ("Geen geweld en geen dreiging waar de kinderen bij zijn.", "Vader drinkt niet als de kinderen er zijn.")
        ),
        luck.choice(("Moeder en vader", "Opa, die elke dag langsgaat")),
        local_day(at) + timedelta(days=60),
        **ASSESSOR,
        at=at,
    )
    next_move = "close" if luck.random() < 0.2 and not acute.in_danger(db, report) else "monitor"
    service.end(
        db,
        row["id"],
        outcome="completed",
        summary="De afspraken werken. Het netwerk kijkt mee.",
        next_move=next_move,
        **ASSESSOR,
        at=at,
    )
    return [(later(at, 2, luck), _tell_reporter), *_moments(db, report, luck)]


# ── monitoring ──────────────────────────────────────────────────────────────────────────────────────────────


def _moments(db: Db, report: UUID, luck: Random) -> list[Next]:
    """Hold each planned moment near its day; a few are forgotten."""
    rows = db.execute(
        "SELECT id, planned_on FROM monitoring_moment WHERE report_id = %s AND held_at IS NULL AND dropped_at IS NULL"
        " ORDER BY planned_on",
        (report,),
    ).fetchall()
    found: list[Next] = []
    for row in rows:
        day = datetime.combine(row["planned_on"], time(11), AMSTERDAM)
        if luck.random() < 0.9:
            found.append(
                (later(day - timedelta(days=luck.randint(0, 6)), 0, luck), _hold(row["id"], row is rows[-1]))
            )
    return found


def _hold(moment: UUID, last: bool) -> Step:
    def hold(db: Db, report: UUID, at: datetime, luck: Random) -> list[Next]:
        planned = _row(
            db,
            "SELECT FROM monitoring_moment m JOIN report r ON r.id = m.report_id WHERE m.id = %s"
            " AND m.held_at IS NULL AND m.dropped_at IS NULL AND r.state = 'monitoring'",
            moment,
        )
        if planned is None:
            return []
        violence = luck.choices(("stopped", "less", "same"), (45, 35, 20))[0]
        monitoring.hold(
            db,
            moment,
            violence=violence,
            spoke_with="Moeder en het lokale team",
            note="Volgens beiden gaat het zoals afgesproken." if violence != "same" else "De ruzies gaan door.",
            held_at=at,
            **ASSESSOR,
            at=at,
        )
        if last and violence == "stopped" and not acute.in_danger(db, report):
            steps.take(db, report, "close", reason="Stabiel veilig bij het laatste contactmoment.", **ASSESSOR, at=at)
        return []

    return hold
