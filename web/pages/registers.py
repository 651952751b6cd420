"""Administration without a programmer: region, teams, municipalities, partners, routing and senders.

An administrator changes them, a team lead looks. Two at once: who is second gets what he typed back. Of the routing
nothing changes here: what is typed goes into a draft (register_draft.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import Row
from core.deadlines import AMSTERDAM, local_day
from core.errors import Conflict, NotFound
from radar.registers import change, files, plan, routes, rows
from radar.registers.kinds import MUNICIPALITIES, PARTNERS, REGION, REGISTERS, ROUTING, SENDERS, TEAMS, Register
from radar.registers.kinds import register_of as register_of_row
from radar.registers.plan import Change
from radar.registers.typed import Names, Said, shown
from web import language
from web.access.guard import Handler, Visit, screen
from web.access.scope import as_id
from web.language import t

HOME = "/beheer"
Key = TypeVar("Key")
Page = Callable[[Visit, Register], Response]
CSV = {"Content-Type": "text/csv; charset=utf-8"}


def home(visit: Visit) -> Response:
    """What can be kept here, how much there is of it, and what waits in a draft."""
    visit.note("register.view", "register")
    counted = {one.path: len(rows.listing(visit.db, visit.region, one)) for one in REGISTERS.values()}
    waiting = {one.path for one in REGISTERS.values() if rows.draft(visit.db, visit.region, one) is not None}
    return visit.show("registers.html", registers=list(REGISTERS.values()), counted=counted, waiting=waiting)


def index(visit: Visit, register: Register) -> Response:
    visit.note("register.view", register.table)
    found = rows.listing(visit.db, visit.region, register)
    if register is REGION:
        return RedirectResponse(f"{HOME}/regio/{found[0]['id']}", status_code=303)
    names = rows.names(visit.db, visit.region)
    today = local_day(visit.at)
    without: list[str] = []
    holes: list[tuple[int, int]] = []
    if register is ROUTING:
        municipalities = rows.listing(visit.db, visit.region, MUNICIPALITIES)
        without, holes = routes.gaps(found, municipalities, today)
    start = number(visit.request.query_params.get("vanaf", "")) or 0
    shown_now = found[start : start + rows.PAGE]
    return visit.show(
        "register_list.html",
        register=register,
        lines=[plan.typed_of(register, row, names) | {"id": row["id"], "row": row} for row in shown_now],
        start=start,
        count=len(found),
        page=rows.PAGE,
        today=today,
        draft=rows.draft(visit.db, visit.region, register),
        overlaps=routes.overlaps(found, names, today) if register is ROUTING else [],
        without=without,
        holes=holes,
        facts=facts_of_senders(visit) if register is SENDERS else {},
    )


def facts_of_senders(visit: Visit) -> dict[UUID, Row]:
    """Per sender its tokens and what came in today."""
    midnight = visit.at.astimezone(AMSTERDAM).replace(hour=0, minute=0, second=0, microsecond=0)
    found = visit.db.execute("SELECT * FROM sender_facts(%s, %s)", (visit.region, midnight)).fetchall()
    return {row["sender_id"]: row for row in found}


def new(visit: Visit, register: Register) -> Response:
    return item(visit, register, None)


def add(visit: Visit, register: Register) -> Response:
    return _saved(visit, register, None)


def show(visit: Visit, register: Register) -> Response:
    return item(visit, register, _row(visit, register))


def save(visit: Visit, register: Register) -> Response:
    return _saved(visit, register, _row(visit, register))


def _saved(visit: Visit, register: Register, row: Row | None) -> Response:
    try:
        with visit.db.transaction():
            made = store(visit, register, row["id"] if row else None)
    except change.Wrong as error:
        return item(visit, register, row, error.errors, 400)
    except Conflict as error:
        return item(visit, register, row, {"opslaan": error.message}, 409)
    if register.via_draft:
        return RedirectResponse(f"{HOME}/{register.path}/concept", status_code=303)
    return RedirectResponse(f"{HOME}/{register.path}/{made}", status_code=303)


def store(visit: Visit, register: Register, object_id: UUID | None) -> UUID | None:
    """Save what was typed, or put it in the draft. Raises change.Wrong, Conflict."""
    typed = {one.name: visit.form.get(one.name, "") for one in register.fields}
    version = number(visit.form.get("versie", ""))
    if not register.via_draft:
        who: dict[str, Any] = {"by": visit.actor, "at": visit.at}
        return change.save(visit.db, visit.region, register, object_id, typed, version=version, **who)
    if object_id is not None:
        row = rows.one(visit.db, visit.region, register, object_id, lock=True)
        if version is not None and row["version"] != version:
            raise Conflict(change.MEANWHILE)
        typed[plan.ID] = str(object_id)
    (step,) = plan.make(visit.db, visit.region, register, [typed])
    if step.errors:
        raise change.Wrong(step.errors)
    named = plan.typed_of(register, step.values, rows.names(visit.db, visit.region))
    line = named | ({plan.ID: typed[plan.ID]} if object_id else {})
    change.propose(visit.db, visit.region, register, [line], by=visit.actor, at=visit.at)
    return None


def item(
    visit: Visit,
    register: Register,
    row: Row | None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    **more: Any,
) -> Response:
    """One line with its form, what lies with it, and its changes; what was typed comes back."""
    names = rows.names(visit.db, visit.region)
    now_is = rows.one(visit.db, visit.region, register, row["id"]) if row else None
    if row:
        visit.note("register.view", register.table, row["id"])
    stored = {"geldig_vanaf": local_day(visit.at).isoformat()}
    if now_is:
        stored = {one.name: _plain(now_is[one.column]) for one in register.fields}
    # After a conflict the version is the one that is there now: who saves again has seen it.
    version = now_is["version"] if now_is else 0
    return visit.show(
        "register_item.html",
        status,
        register=register,
        row=now_is,
        form={**stored, **visit.form} if visit.form else stored,
        stored=plan.typed_of(register, now_is, names) if now_is else {},
        version=version,
        options={one.name: _options(visit, one, names, stored.get(one.name, "")) for one in register.fields},
        load=_load(visit, register, now_is),
        history=changes_told(rows.changes(visit.db, visit.region, register.table, row["id"]), names) if row else [],
        errors=told(errors or {}),
        conflict=status == 409,
        facts=facts_of_senders(visit).get(row["id"]) if row and register is SENDERS else None,
        **more,
    )


def _options(visit: Visit, one: Any, names: Any, stored: str) -> list[tuple[str, str]]:
    """What a list offers: teams that have not ended, and the one that is there."""
    if one.kind == "choice":
        return list(one.options.items())
    known = names.ours if one.kind == "ours" else names.partners if one.kind == "partner" else {}
    today = local_day(visit.at)
    still = [team for team in known if (last := names.days[team][1]) is None or last >= today or str(team) == stored]
    return [(str(team), known[team]) for team in still]


def _load(visit: Visit, register: Register, row: Row | None) -> list[str]:
    if row is None or register not in (TEAMS, PARTNERS):
        return []
    load = rows.team_load(visit.db, row["id"])
    return [language.say(words, n=load[part]) for part, words in plan.WITH_TEAM.items() if load[part]]


def export(visit: Visit, register: Register) -> Response:
    """The register as a file."""
    visit.note("register.export", register.table)
    found = rows.listing(visit.db, visit.region, register)
    text = files.written(register, found, rows.names(visit.db, visit.region))
    name = f"{register.path}-{local_day(visit.at).isoformat()}.csv"
    return Response(text, headers={**CSV, "Content-Disposition": f'attachment; filename="{name}"'})


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────


def changes(visit: Visit) -> Response:
    return _changes(visit)


def undo(visit: Visit) -> Response:
    """A new change that puts back what was before."""
    wanted = as_id(visit.request.path_params["id"])
    try:
        with visit.db.transaction():
            register = change.undo(visit.db, visit.region, wanted, by=visit.actor, at=visit.at)
    except change.Wrong as error:
        return _changes(visit, list(told(error.errors).values()), 409)
    except Conflict as error:
        return _changes(visit, list(told({"": error.message}).values()), 409)
    after = f"{register.path}/concept" if register.via_draft else "wijzigingen"
    return RedirectResponse(f"{HOME}/{after}", status_code=303)


def _changes(visit: Visit, problems: list[str] | None = None, status: int = 200) -> Response:
    visit.note("register.view", "register_change")
    asked = visit.request.query_params
    register = REGISTERS.get(asked.get("register", ""))
    found = rows.changes(
        visit.db, visit.region, register.table if register else None, None, _moment(asked.get("voor", ""))
    )
    shown_now = changes_told(found, rows.names(visit.db, visit.region))
    if register:
        shown_now = [one for one in shown_now if one["register"] is register]
    return visit.show(
        "register_changes.html",
        status,
        registers=list(REGISTERS.values()),
        register=register,
        changes=shown_now,
        further=found[-1]["at"].isoformat() if len(found) == rows.PAGE else "",
        problems=problems or [],
    )


def changes_told(found: list[Row], names: Names) -> list[dict[str, Any]]:
    """Changes as people read them: which register, which line, which fields from what to what."""
    told_now = []
    for row in found:
        register = register_of_row(row["kind"], row["after"])
        before = row["before"] or {}
        fields = [
            Change(
                one.label, shown(one, before.get(one.column), names), shown(one, row["after"].get(one.column), names)
            )
            for one in register.fields
            if before.get(one.column) != row["after"].get(one.column)
        ]
        if row["after"].get("revoked_at") and not before.get("revoked_at"):
            fields.append(Change(t("Ingetrokken"), "", t("ja")))
        told_now.append(
            row
            | {
                "register": register,
                "title": row["after"].get("name") or row["after"].get("municipality") or "",
                "fields": fields,
                "undoable": row["last"] and change.why_not(row) is None and fields,
            }
        )
    return told_now


# ── shared with the other pages of the registers ────────────────────────────────────────────────────────────


def told(errors: Mapping[Key, str]) -> dict[Key, str]:
    """Errors in the language of the visitor."""
    return {
        name: language.say(text.template, **text.values) if isinstance(text, Said) else language.t(text)
        for name, text in errors.items()
    }


def _plain(value: Any) -> str:
    """A value as the field of a form holds it."""
    return "" if value is None else str(value)


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _row(visit: Visit, register: Register) -> Row:
    return rows.one(visit.db, visit.region, register, as_id(visit.request.path_params["id"]))


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotFound from None
    if found.tzinfo is None:
        raise NotFound
    return found


def of(register: Register, page: Page) -> Handler:
    """A handler for one register."""
    return lambda visit: page(visit, register)


def _routes(register: Register) -> list[BaseRoute]:
    path = f"{HOME}/{register.path}"
    found: list[BaseRoute] = [
        screen(path, of(register, index), "register.view"),
        screen(f"{path}/bestand", of(register, export), "register.export"),
    ]
    if register not in (REGION, SENDERS):
        found += [
            screen(f"{path}/nieuw", of(register, new), "register.change"),
            screen(path, of(register, add), "register.change", "POST"),
        ]
    return found


def _item_routes(register: Register) -> list[BaseRoute]:
    path = f"{HOME}/{register.path}/{{id}}"
    return [
        screen(path, of(register, show), "register.view"),
        screen(path, of(register, save), "register.change", "POST"),
    ]


routes_of_registers: list[BaseRoute] = [
    screen(HOME, home, "register.view"),
    screen(f"{HOME}/wijzigingen", changes, "register.view"),
    screen(f"{HOME}/wijzigingen/{{id}}/terug", undo, "register.change", "POST"),
    *(route for register in REGISTERS.values() for route in _routes(register)),
]
routes_of_items: list[BaseRoute] = [route for register in REGISTERS.values() for route in _item_routes(register)]
"""The routes with a number, to stand after those with a word."""
