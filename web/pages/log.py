"""The log: of one person, one colleague, one report, one network address or a period; and all of it as a file.

For an access request (AVG 15), for oversight, and for a breach (AVG 33 and 34). Reading the log is in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from starlette.responses import Response

from core.database import Row
from core.errors import NotFound, VeiligError
from core.settings import settings
from radar.outbound import exports
from radar.oversight import export, log
from radar.oversight.log import Period
from web.access.guard import Visit
from web.language import constants

Kind = Literal["persoon", "medewerker", "melding", "adres", "periode"]
KINDS: dict[Kind, str] = constants(
    {
        "persoon": "Eén persoon: wie zag zijn of haar gegevens",
        "melding": "Eén melding: wie zag deze melding",
        "medewerker": "Eén medewerker: wat zag en deed hij of zij",
        "adres": "Eén netwerkadres: wat gebeurde vandaar",
        "periode": "Alles in een periode",
    }
)
SHOWN = 500
"""Lines on the page; the file holds all."""
NOTED: dict[Kind, tuple[str, str]] = {
    "persoon": ("log.person", "person"),
    "melding": ("log.person", "report"),
    "medewerker": ("log.staff", "staff"),
    "adres": ("log.view", "log"),
    "periode": ("log.view", "log"),
}


class WrongNumber(VeiligError):
    """Er is niets met dit nummer. Neem het over van de pagina van de melding of de betrokkene."""

    status = 400


class WrongPeriod(VeiligError):
    """Vul een dag in als 2026-03-09, en het begin niet na het einde."""

    status = 400


class PeriodMissing(WrongPeriod):
    """Vul in vanaf welke dag."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the log is asked for."""

    kind: Kind
    what: str
    period: Period


def show(visit: Visit) -> Response:
    """The question, not answered yet."""
    visit.note("log.view", "log")
    return _page(visit)


def direct(visit: Visit) -> Response:
    """The log of what the address names: a person, a colleague or a report."""
    path = visit.request.path_params
    kind: Kind | None = next((one for one in KINDS if one == path["soort"]), None)
    if kind not in ("persoon", "medewerker", "melding"):
        raise NotFound
    try:
        return _answered(visit, Asked(kind, path["id"], log.ALWAYS))
    except WrongNumber:
        raise NotFound from None


def ask(visit: Visit) -> Response:
    """The log of what the form names: an address of the network stands in no address of a page."""
    try:
        return _answered(visit, _asked(visit.form))
    except WrongNumber as error:
        return _page(visit, 400, {"wat": error.message})
    except WrongPeriod as error:
        return _page(visit, 400, {"van": error.message})


def download(visit: Visit) -> Response:
    """All lines as a file. It is counted and named in the log; who made it stands in every row."""
    try:
        asked = _asked(visit.form)
        rows = _rows(visit, asked)
    except (WrongNumber, WrongPeriod) as error:
        return _page(visit, 400, {"wat" if isinstance(error, WrongNumber) else "van": error.message})
    about = _id(asked.what) if asked.kind in ("persoon", "melding", "medewerker") else None
    visit.note("log.export", NOTED[asked.kind][1], about, {"kind": asked.kind, "rows": len(rows)})
    names = log.names_of(visit.db, visit.region)
    # With a mark in front, as spreadsheets need to read it as UTF-8.
    text = "\ufeff" + export.as_csv(rows, names, visit.actor, visit.at)
    content = exports.take_out(
        visit.db,
        visit.region,
        visit.member.id,
        ":".join((asked.kind, asked.what, *(visit.form.get(name, "") for name in ("van", "tot")))),
        text.encode(),
        rows=len(rows),
        parts=["log"],
        by=visit.actor,
        at=visit.at,
    )
    if content is None:
        return _page(visit, 409, {"wat": exports.refusal(len(rows))})
    headers = {
        "Content-Disposition": f'attachment; filename="log-{visit.at:%Y%m%d-%H%M}.csv"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _answered(visit: Visit, asked: Asked) -> Response:
    rows = _rows(visit, asked)
    action, object_kind = NOTED[asked.kind]
    about = _id(asked.what) if object_kind != "log" else None
    visit.note(action, object_kind, about, {"kind": asked.kind, "rows": len(rows)})
    named = asked.kind != "persoon" or settings().log_names
    names = log.names_of(visit.db, visit.region)
    entries = log.merged(rows, names if named else None, log.organisation_of(visit.db, visit.region))
    return _page(
        visit, asked=asked, names=names, entries=entries[:SHOWN], total=len(entries), extent=export.extent(rows)
    )


def _page(
    visit: Visit,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    asked: Asked | None = None,
    names: Mapping[UUID, str] | None = None,
    **found: object,
) -> Response:
    if names is None:
        names = log.names_of(visit.db, visit.region)
    return visit.show(
        "log.html",
        status,
        kinds=KINDS,
        staff=sorted(names.items(), key=lambda one: one[1].casefold()),
        errors=errors or {},
        asked=asked,
        form=visit.form or _form(asked),
        entries=found.get("entries", []),
        total=found.get("total", 0),
        extent=found.get("extent"),
    )


def _rows(visit: Visit, asked: Asked) -> list[Row]:
    db, region, what = visit.db, visit.region, asked.what
    try:
        match asked.kind:
            case "medewerker":
                return log.of_staff(db, region, _id(what), asked.period)
            case "adres":
                return log.of_origin(db, region, what, asked.period)
            case "periode":
                return log.of_period(db, region, asked.period)
            case _:
                return log.of_person(db, region, _id(what), asked.period)
    except NotFound:
        raise WrongNumber from None


def _asked(form: Mapping[str, str]) -> Asked:
    kind: Kind = next((one for one in KINDS if one == form.get("soort")), "persoon")
    period = Period(_day(form.get("van", "")), _day(form.get("tot", "")))
    if period.since >= period.until:
        raise WrongPeriod
    if kind == "periode" and period.first is None:
        raise PeriodMissing
    what = form.get("medewerker" if kind == "medewerker" else "wat", "").strip()
    if not what and kind != "periode":
        raise WrongNumber("Vul in waarover het gaat.")
    return Asked(kind, what, period)


def _form(asked: Asked | None) -> Mapping[str, str]:
    if asked is None:
        return {}
    return {"soort": asked.kind, "medewerker" if asked.kind == "medewerker" else "wat": asked.what}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise WrongPeriod from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongNumber from None
