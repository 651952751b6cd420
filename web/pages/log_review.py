"""The log review: what the risk rules and the sample found, break-glass to look at, and the outcome of each."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.errors import NotFound
from radar.oversight import log, review
from radar.oversight.review import NoteMissing, OutcomeMissing
from web.access.guard import Visit
from web.access.scope import as_id

GLASS = "noodinzage"


def index(visit: Visit) -> Response:
    """What waits, overdue on top; or what was done."""
    done = visit.request.query_params.get("toon") == "afgehandeld"
    found = review.findings(visit.db, visit.region, reviewed=done)
    grants = review.grants(visit.db, visit.region, reviewed=done)
    visit.note("log.review.view", "log", details={"rows": len(found) + len(grants)})
    return visit.show(
        "log_review_list.html",
        done=done,
        grants=grants,
        findings=found,
        outcomes=review.OUTCOMES,
        overdue=sum(row["due_at"] <= visit.at for row in found)
        + sum(row["review_due_at"] <= visit.at for row in grants),
        last=review.last_day(visit.db, visit.region),
    )


def show(visit: Visit) -> Response:
    """One finding with the lines of the log that it is about."""
    return _finding(visit)


def settle(visit: Visit) -> Response:
    """The outcome of a finding."""
    return _settle(visit, review.settle, _finding)


def show_grant(visit: Visit) -> Response:
    """One break-glass, with what was done while it lasted."""
    return _grant(visit)


def settle_grant(visit: Visit) -> Response:
    """The outcome of a break-glass."""
    return _settle(visit, review.settle_grant, _grant)


def _settle(visit: Visit, work: Callable[..., None], page: Callable[..., Response]) -> Response:
    try:
        # A savepoint: what is refused leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            form = visit.form
            work(visit.db, _id(visit), visit.member, form.get("uitkomst", ""), form.get("notitie", ""), visit.at)
    except OutcomeMissing as error:
        return page(visit, 400, {"uitkomst": error.message})
    except NoteMissing as error:
        return page(visit, 400, {"notitie": error.message})
    return RedirectResponse("/logcontrole", status_code=303)


def _finding(visit: Visit, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    row, lines = review.finding(visit.db, visit.region, _id(visit))
    visit.note("log.review.view", "log_finding", row["id"], {"rows": len(lines)})
    names = log.names_of(visit.db, visit.region)
    return visit.show(
        "log_review.html",
        status,
        finding=row,
        grant=None,
        entries=log.merged(lines, names, log.organisation_of(visit.db, visit.region)),
        mine=row["staff_id"] == visit.member.id,
        path=f"/logcontrole/{row['id']}",
        outcomes=review.OUTCOMES,
        errors=errors or {},
        form=visit.form,
    )


def _grant(visit: Visit, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    wanted = _id(visit)
    known = [*review.grants(visit.db, visit.region), *review.grants(visit.db, visit.region, reviewed=True)]
    row = next((one for one in known if one["id"] == wanted), None)
    if row is None:
        raise NotFound
    lines = review.grant_lines(visit.db, row)
    visit.note("log.review.view", "access_grant", row["id"], {"rows": len(lines)})
    names = log.names_of(visit.db, visit.region)
    return visit.show(
        "log_review.html",
        status,
        finding=None,
        grant=row,
        entries=log.merged(lines, names, log.organisation_of(visit.db, visit.region)),
        mine=visit.member.id == row["staff_id"] or visit.actor == row["granted_by"],
        path=f"/logcontrole/{GLASS}/{row['id']}",
        outcomes=review.OUTCOMES,
        errors=errors or {},
        form=visit.form,
    )


def _id(visit: Visit) -> UUID:
    return as_id(visit.request.path_params["id"])
