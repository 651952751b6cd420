"""Rules and texts that an administrator keeps: what is in force, changing it, trying it, putting it in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from core.documents import Version
from core.errors import Conflict, NotFound, ReasonMissing
from core.toml_text import head_of, written
from radar import differences
from radar.documents import ALL, Described, WrongDocument, activate, add, faults, history, listing, store, versions
from radar.documents.catalogue import GROUPS
from radar.documents.rehearsal import LISTS, SAYS, Said, rehearse
from radar.documents.store import MAX_TEXT, in_force, stored, verified
from web.access.guard import LONG_FORM, Upload, Visit, screen
from web.language import constants, say, t
from web.pages.document_form import (
    Fields,
    Lines,
    Rows,
    count_of,
    errors_of,
    fields_of,
    place_name,
    sections_of,
    table_of,
)

MAX_FIELDS = 800
NOT_YET = "Dit klopt nog niet. Hieronder staat per regel wat u kunt doen."
PATH = "/regels-en-teksten"
constants(GROUPS)
constants(SAYS)
constants(LISTS)
constants({f"{one.code}.{number}": text for one in ALL.values() for number, text in enumerate((one.about, one.when))})
constants({one.code: one.title for one in ALL.values() if one.effect != "letter"})


def index(visit: Visit) -> Response:
    """Every kind, with what is in force."""
    found = listing(visit.db, visit.region)
    visit.note("documents.view", "documents")
    groups = {name: [one for one in found if one.described.group == code] for code, name in GROUPS.items()}
    return visit.show("documents.html", groups=groups)


def show(visit: Visit) -> Response:
    """One kind: what is in force, its versions and its history."""
    return _show(visit, _kind(visit))


def file(visit: Visit) -> Response:
    """A version as a file, to keep or to change elsewhere; without a number the one in force."""
    one, asked = _kind(visit), visit.request.query_params.get("versie", "")
    version = _version(visit, one, asked) if asked else in_force(visit.db, visit.region, one)
    details = {"kind": one.code, "number": version.number if version else None}
    visit.note("documents.export", "document", version.id if version else None, details)
    name = f"{one.code.replace('.', '-')}-{version.number if version else 0}.{'json' if one.kind.is_json else 'toml'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_text(one, version), media_type="text/plain", headers=headers)


def edit(visit: Visit) -> Response:
    """The document in a form, or as text for who asks that or where there is no form."""
    one = _kind(visit)
    asked = visit.request.query_params.get("versie", "")
    version = _version(visit, one, asked) if asked else in_force(visit.db, visit.region, one)
    visit.note("documents.view", "document", version.id if version else None, {"kind": one.code})
    return _editor(visit, one, _text(one, version), {})


def save(visit: Visit) -> Response:
    """Store what was typed as a new version; what is wrong stands beside its field and everything typed is kept."""
    one = _kind(visit)
    current = in_force(visit.db, visit.region, one)
    typed, sections = dict(visit.form), sections_of(one.code)
    as_text = not sections or "tekst" in typed
    base = typed.get("basis", "") if not as_text else ""
    if as_text:
        text = typed.get("tekst", "")
    else:
        started = _text(one, _based_on(visit, one, base, current))
        table = table_of(sections, one.kind.table(started), typed)
        text = written(table, head_of(started))
        if "erbij" in typed:
            return _editor(visit, one, text, {}, typed=typed, more=typed["erbij"])
    try:
        with visit.db.transaction():
            made = add(
                visit.db, visit.region, one.code, text, typed.get("toelichting", ""), by=visit.actor, at=visit.at
            )
    except WrongDocument as error:
        if as_text:
            return _editor(
                visit, one, text, {"tekst": t(NOT_YET)}, status=error.status, typed=typed, faults=error.faults
            )
        said = errors_of(sections, table, error.faults)
        return _editor(visit, one, text, said, status=error.status, typed=typed, table=table)
    except ReasonMissing as error:
        return _editor(visit, one, text, {"toelichting": error.message}, status=400, typed=typed)
    except Conflict as error:
        return _editor(visit, one, text, {"document": error.message}, status=error.status, typed=typed)
    return RedirectResponse(f"{PATH}/{quote(one.code)}/versies/{made.number}", status_code=303)


def bring_in(visit: Visit) -> Response:
    """A file as a new version, with the same checks; the text that does not fit comes back to be mended."""
    one = _kind(visit)
    sent: Upload | None = next((file for file in visit.files if file.field == "bestand"), None)
    try:
        if sent is None or not sent.content.strip():
            return _show(visit, one, 400, {"bestand": t("Kies een bestand.")})
        text = sent.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _show(visit, one, 400, {"bestand": t("Dit bestand is geen tekst in UTF-8. Kies een ander bestand.")})
    if len(text) > MAX_TEXT:
        return _show(visit, one, 400, {"bestand": t("Dit bestand is te groot. Kies een ander bestand.")})
    try:
        with visit.db.transaction():
            made = add(
                visit.db, visit.region, one.code, text, visit.form.get("toelichting", ""), by=visit.actor, at=visit.at
            )
    except WrongDocument as error:
        typed = {**visit.form, "tekst": text}
        return _editor(visit, one, text, {"tekst": t(NOT_YET)}, status=error.status, typed=typed, faults=error.faults)
    except ReasonMissing as error:
        return _show(visit, one, 400, {"toelichting": error.message})
    except Conflict as error:
        return _show(visit, one, error.status, {"bestand": error.message})
    return RedirectResponse(f"{PATH}/{quote(one.code)}/versies/{made.number}", status_code=303)


def version(visit: Visit) -> Response:
    """One version, what it would change beside the one in force, and how it reads."""
    one = _kind(visit)
    return _shown_version(visit, one, _version(visit, one, visit.request.path_params["nummer"]))


def choose(visit: Visit) -> Response:
    """The last look before a version is put in force."""
    one = _kind(visit)
    return _shown_version(visit, one, _version(visit, one, visit.request.path_params["nummer"]), choosing=True)


def use(visit: Visit) -> Response:
    """Put a version in force, by somebody who did not make it."""
    one = _kind(visit)
    wanted = _version(visit, one, visit.request.path_params["nummer"])
    against = visit.form.get("naast", "")
    number = int(against) if against.isdecimal() and len(against) < 9 else 0
    shown = [said.dutch for said in rehearse(visit.db, visit.region, one, wanted, visit.at).sentences]
    try:
        with visit.db.transaction():
            activate(
                visit.db,
                visit.region,
                one.code,
                wanted.number if wanted else None,
                visit.form.get("reden", ""),
                against=number or None,
                shown=shown,
                by=visit.actor,
                at=visit.at,
            )
    except ReasonMissing as error:
        return _shown_version(visit, one, wanted, 400, {"reden": error.message}, choosing=True)
    except (WrongDocument, Conflict) as error:
        return _shown_version(visit, one, wanted, error.status, {"besluit": error.message}, choosing=True)
    return RedirectResponse(f"{PATH}/{quote(one.code)}", status_code=303)


def _kind(visit: Visit) -> Described:
    return store.find(visit.request.path_params["soort"])


def _version(visit: Visit, one: Described, number: str) -> Version | None:
    """A version by its number; 0 is the file."""
    if not number.isdecimal() or len(number) > 8:
        raise NotFound
    return stored(visit.db, visit.region, one, int(number)).version if int(number) else None


def _based_on(visit: Visit, one: Described, number: str, current: Version | None) -> Version | None:
    try:
        return _version(visit, one, number)
    except NotFound:
        return current


def _text(one: Described, version: Version | None) -> str:
    return version.text if version else one.kind.built_in()


def _show(visit: Visit, one: Described, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    current = in_force(db, region, one)
    table = one.kind.table(_text(one, current))
    visit.note("documents.view", "document", current.id if current else None, {"kind": one.code})
    return visit.show(
        "document.html",
        status,
        one=one,
        current=current,
        name=table.get("version", ""),
        source=table.get("source", ""),
        verified=verified(table),
        text=_text(one, current),
        versions=versions(db, region, one),
        history=history(db, region, one),
        errors=errors or {},
        form=visit.form,
    )


def _editor(
    visit: Visit,
    one: Described,
    text: str,
    errors: Mapping[str, str],
    *,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    table: Mapping[str, Any] | None = None,
    more: str = "",
    faults: list[faults.Fault] | None = None,
) -> Response:
    """The form with what was typed (normalised: empty rows gone), or the text."""
    sections = sections_of(one.code)
    given = typed or {}
    query = visit.request.query_params.get("als")
    as_text = not sections or "tekst" in given or (not given and query == "tekst")
    current = in_force(visit.db, visit.region, one)
    values: dict[str, Any] = {
        "one": one,
        "current": current,
        "as_text": as_text,
        "text": given.get("tekst", text) if as_text else "",
        "errors": errors,
        "faults": faults or [],
        "has_form": bool(sections),
        "basis": given.get("basis") or visit.request.query_params.get("versie") or (current.number if current else 0),
        "note_form": {"toelichting": given.get("toelichting", "")},
        "named": [name for name in errors if name != "document"],
    }
    if not as_text:
        shown = table if table is not None else one.kind.table(text)
        form: Fields = fields_of(sections, shown)
        counts = {
            section.path: count_of(section, form) + (3 if more == section.path else 1)
            for section in sections
            if isinstance(section, Rows | Lines)
        }
        values |= {"sections": sections, "form": form, "counts": counts, "place_name": place_name}
    return visit.show("document_edit.html", status, **values)


def _shown_version(
    visit: Visit,
    one: Described,
    version: Version | None,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    *,
    choosing: bool = False,
) -> Response:
    db, region = visit.db, visit.region
    current = in_force(db, region, one)
    about = stored(db, region, one, version.number) if version else None
    if version and (wrong := faults.of(one.kind, version.text)):
        errors = {"besluit": " ".join(fault.sentence for fault in wrong)} | dict(errors or {})
        rehearsed = None
    else:
        rehearsed = rehearse(db, region, one, version, visit.at)
    details = {"kind": one.code, "number": version.number if version else None}
    visit.note("documents.rehearse", "document", version.id if version else None, details)
    before, after = (one.kind.table(_text(one, which)) for which in (current, version))
    return visit.show(
        "document_version.html",
        status,
        one=one,
        version=version,
        about=about,
        current=current,
        is_current=(current.id if current else None) == (version.id if version else None),
        own=about is not None and about.made_by == visit.actor and not about.activated,
        differences=differences.between(before, after),
        rehearsal=rehearsed,
        told=_told,
        text=_text(one, version),
        choosing=choosing,
        errors=errors or {},
        form=visit.form,
    )


def _told(said: Said) -> str:
    return say(SAYS[said.code], **{name: t(value) for name, value in said.values.items()})


routes = [
    screen(PATH, index, "documents.view"),
    screen(f"{PATH}/{{soort}}", show, "documents.view"),
    screen(f"{PATH}/{{soort}}/bestand", file, "documents.view"),
    screen(f"{PATH}/{{soort}}/wijzigen", edit, "documents.change"),
    screen(f"{PATH}/{{soort}}/wijzigen", save, "documents.change", "POST", LONG_FORM, max_fields=MAX_FIELDS),
    screen(f"{PATH}/{{soort}}/invoeren", bring_in, "documents.change", "POST", LONG_FORM, max_files=1),
    screen(f"{PATH}/{{soort}}/versies/{{nummer}}", version, "documents.view"),
    screen(f"{PATH}/{{soort}}/versies/{{nummer}}/gebruiken", choose, "documents.activate"),
    screen(f"{PATH}/{{soort}}/versies/{{nummer}}/gebruiken", use, "documents.activate", "POST"),
]
