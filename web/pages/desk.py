"""A call in progress: one page that follows the talk, kept while somebody types, and what it becomes in the end.

Each form saves first what was typed, then does what its button says. Nothing of a call is a report before somebody
made it one, and what did not become one is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import present, transaction
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from intake.channels import desk, desk_form, drafts, own
from intake.channels.drafts import Draft, StaleCall, TakenOver
from intake.input_errors import InvalidMessage
from radar.search import known as register
from radar.search import rows as search_rows
from web import templates, wording
from web.access import forgery, sessions
from web.access.arrival import origin_of
from web.access.guard import LONG_FORM, Visit, screen
from web.access.matrix import purpose_of
from web.access.scope import as_id
from web.language import say, t
from web.pages import desk_advice, desk_view

PATH = "/gesprekken"
MAX_FIELDS = 500
"""Twenty persons, ten addresses and the rest."""
NEW_REPORT = "nieuw"
ROWS = {"persoon": "p", "adres": "a"}
FIRST = {"p": "rol", "a": "straat"}


def index(visit: Visit) -> Response:
    """The open calls: one's own, and those that colleagues left."""
    return _index(visit)


def start(visit: Visit) -> Response:
    """Begin a call."""
    draft = drafts.start(visit.db, visit.region, visit.member.id, desk_form.NEW, by=visit.actor, at=visit.at)
    return _to(draft)


def show(visit: Visit) -> Response:
    """The page of a call; one that is done leads to what it became."""
    draft = _draft(visit)
    return _done(draft) if draft.outcome else desk_view.page(visit, draft)


def act(visit: Visit) -> Response:
    """Save, and do what the button says."""
    try:
        draft = _draft(visit, lock=True)
    except TakenOver as error:
        return _given_back(visit.form, 409, error.message)
    if draft.outcome:
        return _done(draft)
    doing = visit.form.get("handeling", "bewaren")
    fields, place = _changed(desk_form.typed(visit.form, draft.fields), doing)
    draft = replace(draft, fields=fields)
    try:
        version = _save(visit, draft)
    except StaleCall as error:
        return desk_view.page(visit, draft, 409, message=error.message, theirs=error.theirs)
    except Conflict as error:
        return desk_view.page(visit, draft, 409, message=error.message)
    draft = replace(draft, version=version)
    if doing == "zoek":
        found = desk_view.look(visit, draft, fields, desk_form.filled_persons(fields))
        return desk_view.page(visit, draft, looks=found)
    if doing == "melding":
        errors = desk_form.wrong(fields, local_day(visit.at))
        return desk_view.page(visit, draft, 400, errors) if errors else _to(draft.id, "/melding")
    if doing in ("advies", "einde"):
        return _to(draft.id, f"/{doing}")
    return _to(draft.id, place)


def keep(visit: Visit) -> Response:
    """Save while typing; the answer is JSON: the new version and a sentence for the person."""
    advice = visit.form.get("deel") == "advies"
    try:
        draft = _draft(visit, lock=True)
        fields = (desk_form.typed_advice if advice else desk_form.typed)(visit.form, draft.fields)
        with visit.db.transaction():
            version = _save(visit, replace(draft, fields=fields))
    except Conflict as error:
        return JSONResponse({"message": t(error.message)}, status_code=409)
    return JSONResponse({"version": version, "message": say("Bewaard om {time} uur.", time=wording.clock(visit.at))})


def look(visit: Visit) -> Response:
    """Known here? For one person of the call, as the piece of the page that it goes into."""
    draft = _draft(visit, lock=True)
    row = visit.form.get("persoon", "")
    fields = desk_form.typed(visit.form, draft.fields)
    if draft.outcome or not row.isdecimal() or int(row) not in desk_form.rows(fields, "p"):
        raise NotFound
    number = int(row)
    found = desk_view.look(visit, draft, fields, [number])[number]
    return visit.show("desk_known.html", row=number, one=found, name=desk_view.name_of(fields, number))


def key(visit: Visit) -> Response:
    """The token of this session's forms, for a page that was open when the session before ended."""
    draft = _draft(visit)
    visit.note("desk.view", "intake_draft", draft.id, {"part": "token"})
    return JSONResponse({"formulier": forgery.form_token(visit.session_token)})


def check(visit: Visit) -> Response:
    """What the report will say, to read back to who called; and whether it may be the same matter again."""
    draft = _draft(visit, lock=True)
    if draft.outcome:
        return _done(draft)
    return _check(visit, draft)


def record(visit: Visit) -> Response:
    """Make the report: at the door first, in one commit, then the call is done. Doing it again changes nothing."""
    draft = _draft(visit, lock=True)
    if draft.outcome:
        return _done(draft)
    fields, today = draft.fields, local_day(visit.at)
    if errors := desk_form.wrong(fields, today):
        return desk_view.page(visit, draft, 400, errors)
    if visit.form.get("versie") != str(draft.version):
        return _check(visit, draft, 409, {"melding": "Het gesprek is intussen veranderd. Lees het nog eens na."})
    choice = visit.form.get("aanvulling", "")
    if visit.form.get("keuze") == "ja" and not choice:
        return _check(visit, draft, 400, {"aanvulling": "Kies of dit een nieuwe melding is of een aanvulling."})
    supplements = None if choice in ("", NEW_REPORT) else as_id(choice)
    if supplements and search_rows.report(visit.db, visit.region, supplements) is None:
        raise NotFound
    try:
        # No line of the trail before this one: both transactions might want the same strand of it.
        report = _at_the_door(visit, draft, supplements)
    except InvalidMessage as error:
        return desk_view.page(visit, draft, 400, desk.fields_of(error.errors, fields))
    drafts.finish(visit.db, draft, "report", by=visit.actor, at=visit.at, outcome_id=report)
    return RedirectResponse(f"/meldingen/{report}", status_code=303)


def ending(visit: Visit) -> Response:
    """Ask once more before everything that was typed is thrown away."""
    draft = _draft(visit)
    if draft.outcome:
        return _done(draft)
    visit.note("desk.view", "intake_draft", draft.id)
    return visit.show("desk_end.html", draft=draft, empty=desk_view.is_empty(draft.fields))


def end(visit: Visit) -> Response:
    """The talk ended without advice or report: nothing of it is kept."""
    draft = _draft(visit, lock=True)
    if not draft.outcome:
        drafts.finish(visit.db, draft, "ended", by=visit.actor, at=visit.at)
    return RedirectResponse(PATH, status_code=303)


def take_over(visit: Visit) -> Response:
    """Go on with a call that a colleague left."""
    draft = as_id(visit.request.path_params["id"])
    try:
        drafts.take_over(
            visit.db,
            visit.region,
            draft,
            visit.member.id,
            by=visit.actor,
            at=visit.at,
            at_once=visit.may("desk.take_over"),
        )
    except Conflict as error:
        return _index(visit, 409, {"gesprekken": error.message})
    return _to(draft)


def remove(visit: Visit) -> Response:
    """Throw away a call that became nothing, with a reason."""
    draft = drafts.unread(visit.db, visit.region, as_id(visit.request.path_params["id"]))
    lying = draft.saved_at + drafts.ABANDONED <= visit.at
    if not (draft.staff == visit.member.id or lying or visit.may("desk.take_over")):
        raise NotAllowed("Uw collega werkt nu aan dit gesprek. Vraag uw collega, of uw teamleider.")
    try:
        with visit.db.transaction():
            drafts.finish(visit.db, draft, "removed", by=visit.actor, at=visit.at, reason=visit.form.get("reden", ""))
    except ReasonMissing as error:
        return _index(visit, 400, {f"reden-{draft.id}": error.message})
    except Conflict as error:
        return _index(visit, 409, {"gesprekken": error.message})
    return RedirectResponse(PATH, status_code=303)


def give_back(request: Request, form: Mapping[str, str], visit: Visit | None) -> Response | None:
    """What was typed, back to who typed it, when his session ended meanwhile. Nothing is looked up for it."""
    if not any(desk_form.typed(form, {}).values()) and not any(form.get(name) for name in desk_form.ADVICE):
        return None
    token = forgery.form_token(visit.session_token) if visit else ""
    return _given_back(form, 403 if visit else 401, path=request.scope["path"], token=token)


def _given_back(form: Mapping[str, str], status: int, message: str = "", path: str = "", token: str = "") -> Response:
    """A page with what was typed. `path`: where it can be sent again; empty: nowhere, because of `message`."""
    return templates.page(
        "desk_signed_out.html",
        status,
        message=message,
        path=path,
        typed=[(name, value) for name, value in form.items() if name not in (forgery.FIELD, "handeling")],
        shown=[(desk_view.label_of(name), value) for name, value in desk_form.typed(form, form).items() if value],
        form_token=token,
    )


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────


def _draft(visit: Visit, *, lock: bool = False) -> Draft:
    wanted = as_id(visit.request.path_params["id"])
    return drafts.find(visit.db, visit.region, wanted, visit.member.id, by=visit.actor, lock=lock)


def _save(visit: Visit, draft: Draft) -> int:
    text = visit.form.get("versie", "")
    version = int(text) if text.isdecimal() else -1
    return drafts.save(
        visit.db, visit.region, draft.id, visit.member.id, version, draft.fields, by=visit.actor, at=visit.at
    )


def _changed(fields: dict[str, str], doing: str) -> tuple[dict[str, str], str]:
    """The fields after a button that adds or takes away a row, and where the page opens then."""
    if doing in ROWS:
        fields, number = desk_form.with_row(fields, ROWS[doing])
        return fields, f"#{ROWS[doing]}{number}.{FIRST[ROWS[doing]]}" if number else ""
    if doing.startswith("weg-"):
        row = doing.removeprefix("weg-")
        return desk_form.without_row(fields, row), "#om-wie"
    return fields, ""


def _to(draft: UUID, place: str = "") -> Response:
    return RedirectResponse(f"{PATH}/{draft}{place}", status_code=303)


def _done(draft: Draft) -> Response:
    if draft.outcome == "report":
        return RedirectResponse(f"/meldingen/{draft.outcome_id}", status_code=303)
    if draft.outcome == "advice":
        return RedirectResponse(f"{desk_advice.PATH}/{draft.outcome_id}", status_code=303)
    return RedirectResponse(PATH, status_code=303)


def _index(visit: Visit, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    mine, others = desk_view.mine_and_others(visit)
    visit.note("desk.list", "intake_draft", None, {"count": len(mine) + len(others)})
    return visit.show(
        "desk_list.html",
        status,
        mine=mine,
        others=others,
        errors=errors or {},
        form=visit.form,
        at_once=visit.may("desk.take_over"),
    )


def _check(visit: Visit, draft: Draft, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    if wrong := desk_form.wrong(draft.fields, local_day(visit.at)):
        return desk_view.page(visit, draft, 400, wrong)
    visit.note("desk.view", "intake_draft", draft.id)
    looks = desk_view.look(visit, draft, draft.fields, desk_form.filled_persons(draft.fields))
    found = [one.known for one in looks.values() if one.known]
    return visit.show(
        "desk_check.html",
        status,
        draft=draft,
        parts=desk_view.read_back(draft.fields),
        unsafe=desk_form.said(draft.fields, "nu_veilig") == "nee",
        lately=register.reported_lately(visit.db, visit.region, found, visit.at),
        not_looked=[one.message for one in looks.values() if one.message],
        errors=errors or {},
        form=visit.form,
    )


def _at_the_door(visit: Visit, draft: Draft, supplements: UUID | None) -> UUID:
    """Store the report as everything else that comes in; gives its id."""
    body = desk.body(draft.fields, local_day(visit.at))
    if supplements and (reference := drafts.reference_of_own(visit.db, visit.region, supplements)):
        body["melding"]["kenmerk"] = reference
    with transaction("door") as door:
        present(
            door,
            sessions.key_of(visit.session_token),
            purpose=purpose_of("desk.work"),
            origin=origin_of(visit.request),
            request=uuid7().hex,
        )
        message = own.message(door, visit.region, str(draft.id), body)
        return own.record(
            door,
            visit.region,
            message,
            channel="desk",
            kind=desk.kind(draft.fields),
            actor=visit.actor,
            supplements=supplements,
        ).report


routes: list[BaseRoute] = [
    screen(PATH, index, "desk.view"),
    screen(PATH, start, "desk.work", "POST"),
    screen(f"{PATH}/{{id}}", show, "desk.view"),
    screen(f"{PATH}/{{id}}", act, "desk.work", "POST", LONG_FORM, max_fields=MAX_FIELDS, give_back=give_back),
    screen(f"{PATH}/{{id}}/bewaren", keep, "desk.work", "POST", LONG_FORM, max_fields=MAX_FIELDS),
    screen(f"{PATH}/{{id}}/bekend", look, "desk.work", "POST", LONG_FORM, max_fields=MAX_FIELDS),
    screen(f"{PATH}/{{id}}/sleutel", key, "desk.view"),
    screen(f"{PATH}/{{id}}/melding", check, "desk.work"),
    screen(f"{PATH}/{{id}}/melding", record, "desk.work", "POST"),
    screen(f"{PATH}/{{id}}/advies", desk_advice.show, "desk.work"),
    screen(f"{PATH}/{{id}}/advies", desk_advice.act, "desk.work", "POST", LONG_FORM, give_back=give_back),
    screen(f"{PATH}/{{id}}/einde", ending, "desk.work"),
    screen(f"{PATH}/{{id}}/einde", end, "desk.work", "POST"),
    screen(f"{PATH}/{{id}}/overnemen", take_over, "desk.work", "POST"),
    screen(f"{PATH}/{{id}}/verwijderen", remove, "desk.work", "POST"),
]
