"""The form of a professional: a page per step, kept sealed on the server, sent as a report. No login.

Whatever is sent is kept before it is judged, so that nothing typed is lost; every page can be reached again by its
address. The browser holds one random token and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.database import Db, transaction
from core.errors import NotAllowed, NotFound
from core.settings import settings
from intake import attachments, saved_forms
from intake.channels import professional_form as fields
from intake.codelists import codelists, options
from intake.filetypes import NAMES
from intake.input_errors import InvalidMessage
from intake.saved_forms import Form
from web import language, templates
from web.access import forgery, public_limits
from web.access.arrival import origin_of
from web.access.guard import LONG_FORM, MAX_FORM_BYTES, Upload, read_upload
from web.pages import professional_sending as sending
from web.pages import professional_visit as visit
from web.pages.professional_visit import PATH

WRONG_CODE = "Deze code klopt niet of geldt niet meer. Kijk de code na, begin opnieuw, of bel 0800-2000."
CHOOSE_FILE = "Kies eerst een bestand."
MAX_FIELDS = 80
PHARMACY = "apotheek"

LISTS = codelists()
ROLES = {role: role.capitalize() for role in fields.ROLES}
WORDS = tuple(
    language.constants(table)
    for table in (
        fields.STEPS,
        fields.SECTORS,
        fields.GROUNDS,
        fields.WATCH,
        fields.WEIGHING,
        dict(fields.REACHED),
        dict(fields.SEXES),
        dict(fields.YES_NO),
        ROLES,
        fields.TOO_LONG,
        {one.text: one.text for part in (LISTS.capacities, LISTS.occasions, LISTS.natures) for one in part},
        NAMES,
        {one: one for one in (WRONG_CODE, CHOOSE_FILE)},
    )
)


# ── the start ────────────────────────────────────────────────────────────────────────────────────────────────────


def start(request: Request) -> Response:
    """What this form is for, a way in, and the way back to a form that was saved."""
    if request.query_params.get("soort") == PHARMACY:
        return sending.pharmacy_page(request, {}, {})
    with transaction("door") as db:
        form = saved_forms.open_form(db, visit.token_of(request))
    return _start(request, going_on=form is not None and not form.sent)


def _start(request: Request, status: int = 200, error: str = "", going_on: bool = False, busy: str = "") -> Response:
    gone = request.query_params.get("weg") == "ja"
    return templates.page(
        "professional.html",
        status,
        path=PATH,
        query=visit.query(request),
        error=error,
        busy=busy,
        gone=gone,
        going_on=going_on,
        hours=settings().form_code_hours,
    )


async def enter(request: Request) -> Response:
    form, _ = await read_upload(request)
    return await run_in_threadpool(_enter, request, form)


def _enter(request: Request, sent: Mapping[str, str]) -> Response:
    """Begin a form, or go on with one by its code: used once, and then this browser has it."""
    if not forgery.from_our_own_page(request):
        raise NotAllowed(visit.FOREIGN)
    if sent.get("handeling") != "code":
        with transaction("door") as db:
            wait = public_limits.check(db, origin_of(request), visit.BEGIN_USE)
        if wait:
            return _start(request, 429, busy=visit.wait_words(wait))
        with transaction("door") as db:
            token = saved_forms.begin(db, "professional", {})
        return visit.to(request, "situatie", token)
    with transaction("door") as db:
        wait = public_limits.check(db, origin_of(request), visit.CODE_USE)
    if wait:
        return _start(request, 429, visit.wait_words(wait))
    with transaction("door") as db:
        token = saved_forms.go_on(db, sent.get("code", "")[:200])
    return visit.to(request, "controle", token) if token else _start(request, 403, language.t(WRONG_CODE))


# ── the steps ────────────────────────────────────────────────────────────────────────────────────────────────────


def show(request: Request) -> Response:
    """One step with what was typed before."""
    step = _step(request)
    with transaction("door") as db:
        form = saved_forms.open_form(db, visit.token_of(request))
        if form is None:
            return visit.gone(request)
        if form.sent:
            return visit.to(request, "ontvangen")
        return _page(request, db, form, step, form.answers, {})


async def act(request: Request) -> Response:
    sent, files = await read_upload(request, LONG_FORM, MAX_FIELDS, max_files=1)
    return await run_in_threadpool(_act, request, _step(request), sent, files)


def _act(request: Request, step: str, sent: Mapping[str, str], files: tuple[Upload, ...]) -> Response:
    """Keep what was typed, then look at it, and go where was asked."""
    typed = {name: text for name, text in fields.taken(sent, fields.fields_of(step)).items() if text}
    with transaction("door") as db:
        form = visit.open_form(request, db, sent)
        if form is None:
            return _begun_again(request, db, step, typed)
        if form.sent:
            return visit.to(request, "ontvangen")
        kept = {name: text for name, text in form.answers.items() if name not in fields.fields_of(step)}
        answers = kept | typed
        saved_forms.write(db, form, answers)
        where = sent.get("naar", "verder")
        if step == "bijlagen" and (wrong := _files(db, form, where, sent, files)):
            return _page(request, db, form, step, answers, {"bestand": wrong}, 400)
        match where:
            case "bewaren":
                return _saved(request, db, form, step)
            case "terug":
                return visit.to(request, _beside(step, -1))
            case "toevoegen" | "weg":
                return visit.to(request, step)
            case "versturen" if step == "controle":
                pass
            case _:
                if errors := fields.errors(step, answers, visit.codes(db)):
                    return _page(request, db, form, step, answers, errors, 400)
                return visit.to(request, "controle" if where == "nakijken" else _beside(step, 1))
    return _send(request, form, answers)


def _files(db: Db, form: Form, where: str, sent: Mapping[str, str], files: tuple[Upload, ...]) -> str:
    """Add or take away a file; gives what is wrong. A file that was chosen is added, whatever button was used."""
    if where == "weg":
        try:
            saved_forms.drop_file(db, form, UUID(sent.get("bestand", "")))
        except ValueError:
            raise NotFound from None
    for file in files:
        try:
            with db.transaction():
                saved_forms.add_file(db, form, file.name, file.content)
        except attachments.NotTaken as error:
            return language.say(error.text, **error.values)
    return language.t(CHOOSE_FILE) if where == "toevoegen" and not files else ""


def show_person(request: Request) -> Response:
    """One person: his page is empty for a new one."""
    number = _number(request)
    with transaction("door") as db:
        form = saved_forms.open_form(db, visit.token_of(request))
        if form is None:
            return visit.gone(request)
        if form.sent:
            return visit.to(request, "ontvangen")
        return _person(request, form, number, fields.person(form.answers, number), {})


async def act_person(request: Request) -> Response:
    sent, _ = await read_upload(request)
    return await run_in_threadpool(_act_person, request, _number(request), sent)


def _act_person(request: Request, number: int, sent: Mapping[str, str]) -> Response:
    typed = fields.taken(sent, fields.PERSON_FIELDS)
    with transaction("door") as db:
        form = visit.open_form(request, db, sent)
        if form is None:
            return _begun_again(request, db, f"persoon/{number}", fields.with_person({}, number, typed))
        if form.sent:
            return visit.to(request, "ontvangen")
        there = fields.persons(form.answers)
        if sent.get("naar") == "weg":
            typed = {}
        elif sent.get("zelfdeAdres") == "ja" and (others := [one for one in there if one != number]):
            first = fields.person(form.answers, others[0])
            typed |= {name: first.get(name, "") for name in fields.ADDRESS}
        saved_forms.write(db, form, fields.with_person(form.answers, number, typed))
        if sent.get("naar") in ("weg", "terug"):
            return visit.to(request, "personen")
        if errors := fields.person_errors(typed):
            return _person(request, form, number, typed, errors, 400)
        if sent.get("naar") == "bewaren":
            return _saved(request, db, form, "personen")
        following = max([*there, number]) + 1
        more = sent.get("naar") == "nog" and following <= fields.MAX_PERSONS
        return visit.to(request, f"persoon/{following}" if more else "personen")


async def leave(request: Request) -> Response:
    sent, _ = await read_upload(request)
    return await run_in_threadpool(_leave, request, sent)


def _leave(request: Request, sent: Mapping[str, str]) -> Response:
    """This browser forgets the form: saved with a code it waits, else it is gone."""
    with transaction("door") as db:
        if form := visit.open_form(request, db, sent):
            saved_forms.leave(db, form)
    return visit.without_cookie(RedirectResponse(PATH + visit.query(request), status_code=303))


def _send(request: Request, form: Form, answers: Mapping[str, str]) -> Response:
    with transaction("door") as db:
        errors = fields.all_errors(answers, visit.codes(db))
        if errors:
            return _page(request, db, form, "controle", answers, {}, 400, errors)
    with transaction("door") as db:
        wait = public_limits.check(db, origin_of(request), visit.USE, str(form.id))
    if wait:
        with transaction("door") as db:
            return _page(request, db, form, "controle", answers, {"versturen": visit.wait_words(wait)}, 429)
    with transaction("door") as db:
        region = visit.region_of(db, answers)
        if region is None:
            return _page(request, db, form, "controle", answers, {"versturen": language.t(visit.NOT_HERE)}, 503)
    try:
        sending.record(form, answers, region)
    except InvalidMessage as error:
        with transaction("door") as db:
            told = {"versturen": " ".join(dict.fromkeys(one.text for one in error.errors))}
            return _page(request, db, form, "controle", answers, told, 400)
    return visit.to(request, "ontvangen")


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _page(
    request: Request,
    db: Db,
    form: Form,
    step: str,
    answers: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
    wrong: Mapping[str, Mapping[str, str]] | None = None,
) -> Response:
    lists = codelists()
    return templates.page(
        "professional_step.html",
        status,
        path=PATH,
        query=visit.query(request),
        form_token=visit.form_field(request),
        step=step,
        steps=fields.STEPS,
        place=list(fields.STEPS).index(step) + 1,
        form=answers,
        errors=errors,
        wrong=wrong or {},
        persons=[(one, fields.shown_name(fields.person(answers, one))) for one in fields.persons(answers)],
        roles_of={one: ROLES.get(fields.person(answers, one).get("rol", ""), "") for one in fields.persons(answers)},
        more_persons=max([0, *fields.persons(answers)]) + 1,
        most_persons=fields.MAX_PERSONS,
        files=saved_forms.files(db, form) if step in ("bijlagen", "controle") else [],
        kinds=NAMES,
        largest=settings().attachment_bytes // 1024**2,
        municipalities=visit.choices(db),
        yes_no=fields.YES_NO,
        sectors=list(fields.SECTORS.items()),
        grounds=list(fields.GROUNDS.items()),
        capacities=options(lists.capacities, "professional"),
        occasions=options(lists.occasions),
        natures=options(lists.natures),
        weighing=list(fields.WEIGHING.items()),
        reached=fields.REACHED,
        watch=list(fields.WATCH.items()),
    )


def _person(
    request: Request,
    form: Form,
    number: int,
    one: Mapping[str, str],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    others = [other for other in fields.persons(form.answers) if other != number]
    return templates.page(
        "professional_person.html",
        status,
        path=PATH,
        query=visit.query(request),
        form_token=visit.form_field(request),
        number=number,
        known=number in fields.persons(form.answers),
        first=fields.shown_name(fields.person(form.answers, others[0])) if others else "",
        form=one,
        errors=errors,
        sexes=fields.SEXES,
        person_roles=list(ROLES.items()),
        unsafe=form.answers.get("nuVeilig") == "nee",
    )


def _saved(request: Request, db: Db, form: Form, step: str) -> Response:
    """The code, shown once. The form stays open here until it is closed or lies idle."""
    code = saved_forms.new_code(db, form)
    return templates.page(
        "professional_code.html",
        path=PATH,
        query=visit.query(request),
        form_token=visit.form_field(request),
        code=code,
        hours=settings().form_code_hours,
        step=step,
    )


def _begun_again(request: Request, db: Db, step: str, typed: Mapping[str, str]) -> Response:
    """The form was gone: what was typed just now is kept in a new one, and the page says so."""
    if not typed:
        return visit.gone(request)
    return visit.to(request, step, saved_forms.begin(db, "professional", typed))


def _step(request: Request) -> str:
    step: str = request.path_params["stap"]
    if step not in fields.STEPS:
        raise NotFound
    return step


def _number(request: Request) -> int:
    text: str = request.path_params["nummer"]
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:4]) <= fields.MAX_PERSONS:
        raise NotFound
    return int(text[:4])


def _beside(step: str, way: int) -> str:
    steps = list(fields.STEPS)
    return steps[min(max(0, steps.index(step) + way), len(steps) - 1)]


routes: list[BaseRoute] = [
    Route(PATH, start, methods=["GET"]),
    Route(PATH, enter, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/apotheek", sending.pharmacy, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/sluiten", leave, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/ontvangen", sending.received, methods=["GET"]),
    Route(f"{PATH}/ontvangen/bewijs", sending.receipt, methods=["GET"]),
    Route(f"{PATH}/persoon/{{nummer}}", show_person, methods=["GET"]),
    Route(f"{PATH}/persoon/{{nummer}}", act_person, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/{{stap}}", show, methods=["GET"]),
    # A file may come with it: the limit of the whole application holds (web/app.py).
    Route(f"{PATH}/{{stap}}", act, methods=["POST"]),
]
"""The doors of this form; none needs a session of staff."""
