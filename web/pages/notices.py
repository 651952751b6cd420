"""The persons concerned of a report: who must be told and when, by letter or in a talk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.deadlines import AMSTERDAM
from core.errors import Conflict, NotFound, VeiligError
from intake.models import Report
from radar.casework import letters, notices
from radar.casework.letters import FieldsMissing, Unwritable
from radar.casework.notices import NotYet, Waiting, WrongWay
from radar.outbound import recipients
from radar.outbound.kinds import rules
from web import wording
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages.forms import day_of, mention_of, report_of

TO_MAKE = ("person_notice", "information")
"""The letters that a person makes here; the others belong to an answer or to feedback."""
PHONE = "0800-2000"
HELD = "Deze brief mag nu niet weg. Kijk bij Uitgaand waarom."
FIELD_OF: dict[type[VeiligError], str] = {
    NotYet: "dag",
    WrongWay: "hoe",
}


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def letter(visit: Visit) -> Response:
    """Make a letter to this person; it is not sent by that."""
    report, mention = report_of(visit), mention_of(visit)
    template = visit.form.get("brief", "")
    if template not in TO_MAKE:
        raise NotFound
    fields = {name: visit.form.get(name, "") for name in letters.texts()[template].fields}
    try:
        # A savepoint: what is refused leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            letters.make(visit.db, report.id, template, fields, mention.id, visit.actor, visit.at)
    except (FieldsMissing, Unwritable, Conflict) as error:
        return _refused(visit, report, f"{template}-{mention.id}", error)
    return _back(report)


def let_go(visit: Visit) -> Response:
    """Somebody read the letter, made sure that it reaches this person and nobody else, and releases it."""
    report, mention = report_of(visit), mention_of(visit)
    row = _letter(visit, report.id, visit.form.get("brief", ""))
    if row["mention_id"] != mention.id:
        raise NotFound
    where = f"vrijgeven-{row['id']}"
    try:
        with visit.db.transaction():
            recipients.check_person(visit.db, mention.id, visit.form.get("hoe", ""), by=visit.actor, at=visit.at)
            letters.let_go(visit.db, visit.region, row["id"], by=visit.actor, at=visit.at)
    except recipients.CheckIncomplete as error:
        return _page(visit, report, 400, {f"hoe-{where}": error.errors["how"]}, where)
    except Conflict as error:
        return _page(visit, report, 409, {f"hoe-{where}": error.message}, where)
    return _back(report)


def posted(visit: Visit) -> Response:
    """This letter was posted; with the notice the person is told."""
    report, mention = report_of(visit), mention_of(visit)
    row = _letter(visit, report.id, visit.form.get("brief", ""))
    if row["mention_id"] != mention.id:
        raise NotFound
    try:
        with visit.db.transaction():
            left = letters.sent(visit.db, row["id"], visit.actor, visit.at)
            if left and row["template"] == "person_notice":
                notices.told(
                    visit.db,
                    mention.id,
                    how="letter",
                    told_at=visit.at,
                    letter_id=row["id"],
                    by=visit.actor,
                    at=visit.at,
                )
    except Conflict as error:
        return _refused(visit, report, "", error)
    return _back(report) if left else _page(visit, report, 409, {"betrokkene": HELD})


def talk(visit: Visit) -> Response:
    """The person, or who represents him, was told in a talk."""
    report, mention = report_of(visit), mention_of(visit)
    how = visit.form.get("hoe", "")
    try:
        with visit.db.transaction():
            if how not in ("talk", "representative"):
                raise WrongWay
            notices.told(
                visit.db,
                mention.id,
                how=how,
                told_at=_moment(visit.form),
                note=visit.form.get("notitie", ""),
                by=visit.actor,
                at=visit.at,
            )
    except (WrongWay, NotYet, Conflict) as error:
        return _refused(visit, report, f"gesprek-{mention.id}", error)
    return _back(report)


def download(visit: Visit) -> Response:
    """The PDF: to print and post once it was released, else a draft to read; never kept by a browser."""
    report = report_of(visit)
    row = _letter(visit, report.id, visit.request.path_params["brief"])
    who = {"by": visit.actor, "name": visit.member.name}
    content = letters.copy(visit.db, visit.region, row["id"], **who, at=visit.at)
    visit.note("letter.read", "letter", row["id"])
    if content is None:
        return _page(visit, report, 409, {"betrokkene": HELD})
    headers = {
        "Content-Disposition": f'attachment; filename="brief-{row["id"]}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _letter(visit: Visit, report_id: UUID, letter_id: object) -> Row:
    wanted = as_id(letter_id)
    for row in letters.of_report(visit.db, visit.region, report_id):
        if row["id"] == wanted:
            return row
    raise NotFound


def _moment(form: Mapping[str, str]) -> datetime:
    day = day_of(form.get("dag", ""), NotYet())
    try:
        hours = datetime.strptime(form.get("tijd", ""), "%H:%M").time()
    except ValueError:
        raise NotYet("Vul de dag en de tijd in waarop het gesprek was.") from None
    return datetime.combine(day, hours, tzinfo=AMSTERDAM)


def _refused(visit: Visit, report: Report, where: str, error: VeiligError) -> Response:
    """The page again, with the error beside its field in the form that was sent: `where`."""
    if isinstance(error, Conflict):
        return _page(visit, report, 409, {"betrokkene": error.message}, where)
    names: tuple[str, ...] = (FIELD_OF.get(type(error), ""),)
    if isinstance(error, FieldsMissing):
        names = error.names
    elif isinstance(error, Unwritable):
        names = (_unwritable(visit.form),)
    return _page(visit, report, 400, {f"{name}-{where}": error.message for name in names}, where)


def _unwritable(form: Mapping[str, str]) -> str:
    """The first field with the character that cannot be written."""
    for name, value in form.items():
        try:
            letters.check(value)
        except Unwritable:
            return name
    return "aan"


def _back(report: Report) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/betrokkenen", status_code=303)


def _page(
    visit: Visit,
    report: Report,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    where: str = "",
) -> Response:
    visit.note("notices.view", "report", report.id)
    db, today = visit.db, visit.at.astimezone(AMSTERDAM).date()
    return visit.show(
        "notices.html",
        status,
        report=report,
        persons=[_card(visit, one) for one in notices.waiting(db, visit.region, report.id, today)],
        letters={str(row["id"]): row for row in letters.of_report(db, visit.region, report.id)},
        checks={code: way.title for code, way in rules().person_checks.ways.items()},
        texts=letters.texts(),
        to_make=TO_MAKE,
        ways=notices.HOW,
        errors=errors or {},
        where=where,
        form=visit.form,
        today=today.isoformat(),
    )


def _card(visit: Visit, one: Waiting) -> dict[str, Any]:
    """A person with what stands in a new letter before somebody changes it."""
    name = wording.person_name(one.person)
    child = one.age is not None and one.age[1] < 12
    return {
        "one": one,
        "name": name,
        "defaults": {
            "aan": f"ouder(s) of verzorger(s) van {name}" if child else name,
            "over": name if child else "u",
            "bellen": PHONE,
            "medewerker": visit.member.name,
        },
    }
