"""The terms of one report: both readings, how each date was counted, extensions, and until when data are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotFound, ReasonMissing
from intake.models import Report
from radar.casework import ledger, notices, terms
from radar.casework.ledger import WrongExtension
from radar.rights import retention
from web import wording
from web.access.guard import Visit
from web.access.scope import as_id
from web.language import constants
from web.pages.forms import report_of

WITH = constants({"informant": "een informant", "reporter": "de melder", "partner": "een partner"})


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def extend(visit: Visit) -> Response:
    """Lengthen the term of one person; when something is missing the form comes back with what was typed."""
    report, deadline = report_of(visit), _deadline(visit)
    weeks = visit.form.get("weken", "")
    try:
        # A savepoint: a refused extension leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            notices.extend(
                visit.db,
                deadline,
                int(weeks) if weeks.isdecimal() and len(weeks) < 4 else 0,
                reason=visit.form.get("reden", ""),
                by=visit.actor,
                at=visit.at,
            )
    except WrongExtension as error:
        return _page(visit, report, 400, {f"weken-{deadline}": error.message})
    except ReasonMissing as error:
        return _page(visit, report, 400, {f"reden-{deadline}": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"termijn": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/termijnen", status_code=303)


def withdraw(visit: Visit) -> Response:
    """Take an extension back."""
    report, deadline = report_of(visit), _deadline(visit)
    number = visit.form.get("nummer", "")
    known = number.isdecimal() and len(number) < 5
    try:
        with visit.db.transaction():
            notices.withdraw(
                visit.db,
                deadline,
                int(number) if known else 0,
                reason=visit.form.get("reden", ""),
                by=visit.actor,
                at=visit.at,
            )
    except ReasonMissing as error:
        return _page(visit, report, 400, {f"terug-{deadline}-{number}" if known else "termijn": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"termijn": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/termijnen", status_code=303)


def _deadline(visit: Visit) -> UUID:
    """The term of the address, when it is one of this report. Raises NotFound."""
    path = visit.request.path_params
    row = visit.db.execute(
        "SELECT id FROM deadline WHERE id = %s AND report_id = %s AND region_id = %s",
        (as_id(path["term"]), as_id(path["id"]), visit.region),
    ).fetchone()
    if row is None:
        raise NotFound
    deadline: UUID = row["id"]
    return deadline


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    visit.note("terms.view", "report", report.id)
    rows = [_shown(row) for row in ledger.of_report(visit.db, visit.region, report.id)]
    known = terms.terms().terms
    used = {row["kind"] for row in rows} | {"retention"}
    return visit.show(
        "terms.html",
        status,
        report=report,
        terms=rows,
        kinds=known,
        own=[kind for code, kind in known.items() if code in used and not kind.verified],
        kept=retention.of_report(visit.db, visit.region, report.id),
        version=terms.terms().version,
        target=visit.request.path_params.get("term", ""),
        errors=errors or {},
        form=visit.form,
    )


def _shown(row: Row) -> dict[str, Any]:
    entries = list(_entries(row["entries"]))
    return {
        **row,
        "entries": entries,
        "who": _who(row),
        "extensions": [one for one in entries if one["kind"] == "extension" and one["holds"]],
    }


def _who(row: Row) -> str:
    if row["person"] is not None:
        return wording.person_name(row["person"])
    return WITH.get(row["with_kind"] or "", "") or row["about"] or "de hele melding"


def _entries(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The entries with their moments; `holds`: an extension that was not taken back, `late`: made after the term."""
    taken_back = {one["withdraws"] for one in found}
    due_at: datetime | None = None
    for one in found:
        at = datetime.fromisoformat(one["at"])
        late = one["kind"] == "extension" and due_at is not None and at >= due_at
        due_at = datetime.fromisoformat(one["due_at"])
        yield {**one, "at": at, "holds": one["number"] not in taken_back, "late": late}
