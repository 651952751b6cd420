"""A register as a file, and the draft: what would change, line by line, before it is put in force as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.deadlines import local_day
from core.errors import Conflict
from radar.registers import change, files, plan, routes, rows
from radar.registers.kinds import MUNICIPALITIES, REGISTERS, ROUTING, Register
from web.access.guard import Visit, screen
from web.pages.registers import HOME, number, of, told

CODES = "codes"
MOST_SHOWN = 50
NO_FILE = "Kies eerst een bestand."
NO_CODES = (
    "Dit is een tabel van het hele land. Schrijf hieronder welke gemeentecodes bij uw regio horen, en kies het"
    " bestand opnieuw."
)
WRONG_CODES = "Schrijf gemeentecodes van 4 cijfers, met een spatie of een komma ertussen."


def ask(visit: Visit, register: Register) -> Response:
    return _form(visit, register)


def read(visit: Visit, register: Register) -> Response:
    """A file becomes the draft, which is shown; nothing is in force yet."""
    if not visit.files:
        return _form(visit, register, {"bestand": NO_FILE}, 400)
    try:
        lines = files.read(register, visit.files[0].content)
        if register is MUNICIPALITIES and files.is_national(visit.files[0].content):
            typed = visit.form.get(CODES, "").replace(",", " ").replace(";", " ").split()
            if any(len(code) != 4 or not code.isascii() or not code.isdecimal() for code in typed):
                return _form(visit, register, {CODES: WRONG_CODES}, 400)
            known = {row["code"] for row in rows.listing(visit.db, visit.region, register)}
            lines, _ = files.of_region(lines, known | set(typed))
            if not lines:
                return _form(visit, register, {CODES: NO_CODES}, 400)
        with visit.db.transaction():
            change.propose(visit.db, visit.region, register, lines, by=visit.actor, at=visit.at)
    except files.WrongFile as error:
        return _form(visit, register, {"bestand": error.message}, 400)
    except Conflict as error:
        return _form(visit, register, {"bestand": error.message}, 409)
    return RedirectResponse(f"{HOME}/{register.path}/concept", status_code=303)


def show(visit: Visit, register: Register) -> Response:
    page = _draft(visit, register)
    visit.note("register.view", "register_draft")
    return page


def withdraw(visit: Visit, register: Register) -> Response:
    """One line out of the draft, or the whole draft away."""
    line = None if visit.form.get("alles") == "ja" else number(visit.form.get("regel", "")) or 0
    try:
        with visit.db.transaction():
            change.withdraw(
                *(visit.db, visit.region, register, line),
                version=number(visit.form.get("versie", "")) or 0,
                by=visit.actor,
                at=visit.at,
            )
    except Conflict as error:
        return _draft(visit, register, [error.message], 409)
    left = rows.draft(visit.db, visit.region, register)
    return RedirectResponse(f"{HOME}/{register.path}{'/concept' if left else ''}", status_code=303)


def rehearse(visit: Visit, register: Register) -> Response:
    """What the draft of the routing would have done with the reports of the last months."""
    version = number(visit.form.get("versie", "")) or 0
    try:
        with visit.db.transaction():
            routes.rehearse(visit.db, visit.region, version=version, by=visit.actor, at=visit.at)
    except Conflict as error:
        return _draft(visit, register, [error.message], 409)
    return RedirectResponse(f"{HOME}/{register.path}/concept#proef", status_code=303)


def apply(visit: Visit, register: Register) -> Response:
    """All of it in force, or nothing."""
    try:
        with visit.db.transaction():
            change.apply(
                visit.db,
                visit.region,
                register,
                version=number(visit.form.get("versie", "")) or 0,
                looked_at=visit.form.get("gezien", ""),
                by=visit.actor,
                at=visit.at,
            )
    except Conflict as error:
        return _draft(visit, register, [error.message], 409)
    return RedirectResponse(f"{HOME}/{register.path}", status_code=303)


def _draft(visit: Visit, register: Register, problems: list[str] | None = None, status: int = 200) -> Response:
    draft = rows.draft(visit.db, visit.region, register)
    steps = plan.make(visit.db, visit.region, register, draft["lines"]) if draft else []
    wrong = [(step, told(step.errors)) for step in steps if step.errors]
    seen = plan.fingerprint(steps)
    rehearsal = draft["rehearsal"] if draft else None
    overlaps, without, holes = _looked_at(visit, register, steps)
    return visit.show(
        "register_draft.html",
        status,
        register=register,
        draft=draft,
        wrong=wrong[:MOST_SHOWN],
        counted={kind: sum(step.kind == kind for step in steps) for kind in plan.KINDS},
        steps=[step for step in steps if step.kind not in ("same", "error")][:MOST_SHOWN],
        most=MOST_SHOWN,
        seen=seen,
        rehearsal=rehearsal,
        rehearsed=rehearsal is not None and rehearsal["plan"] == seen,
        overlaps=overlaps,
        without=without,
        holes=holes,
        problems=list(told(dict(enumerate(problems or []))).values()),
    )


def _looked_at(visit: Visit, register: Register, steps: list[plan.Step]) -> tuple[list[Any], list[str], list[Any]]:
    """Overlaps and gaps of the routing as it becomes."""
    if register is not ROUTING or not steps:
        return [], [], []
    today = local_day(visit.at)
    day = max([today, *(step.values["valid_from"] for step in steps if not step.errors)])
    proposed = routes.as_proposed(rows.listing(visit.db, visit.region, ROUTING), steps)
    without, holes = routes.gaps(proposed, rows.listing(visit.db, visit.region, MUNICIPALITIES), day)
    return routes.overlaps(proposed, rows.names(visit.db, visit.region), today), without, holes


def _form(visit: Visit, register: Register, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    visit.note("register.view", register.table)
    return visit.show(
        "register_import.html",
        status,
        register=register,
        draft=rows.draft(visit.db, visit.region, register),
        errors=told(errors or {}),
        form=visit.form,
        most_lines=files.MAX_LINES,
        columns=";".join([plan.ID, *(one.name for one in register.fields)]),
    )


def _routes(register: Register) -> list[BaseRoute]:
    path = f"{HOME}/{register.path}"
    found: list[BaseRoute] = [
        screen(f"{path}/inlezen", of(register, ask), "register.change"),
        # Twice what a file may be: who sends too much gets the sentence, not a closed door.
        screen(
            *(f"{path}/inlezen", of(register, read), "register.change", "POST", 2 * files.MAX_BYTES),
            max_files=1,
        ),
        screen(f"{path}/concept", of(register, show), "register.view"),
        screen(f"{path}/concept/weg", of(register, withdraw), "register.change", "POST"),
        screen(f"{path}/concept/toepassen", of(register, apply), "register.change", "POST"),
    ]
    if register.via_draft:
        found.append(screen(f"{path}/concept/proef", of(register, rehearse), "register.change", "POST"))
    return found


routes_of_drafts: list[BaseRoute] = [route for register in REGISTERS.values() for route in _routes(register)]
