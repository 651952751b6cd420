"""Background work that stopped: what it was, and the button that gives it a new life."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from core import jobs
from core.models import Job
from web.access.guard import Visit
from web.access.scope import find

REPORT_WORK = ("link_report", "route_report")


def show(visit: Visit) -> Response:
    job = find(visit.db, visit.region, Job, visit.request.path_params["id"])
    visit.note("job.view", "job", job.id)
    about_report = job.kind in REPORT_WORK and visit.may("report.view")
    return visit.show("job.html", job=job, about_report=about_report)


def redrive(visit: Visit) -> Response:
    """Raises Conflict when it is not dead any more."""
    job = find(visit.db, visit.region, Job, visit.request.path_params["id"])
    jobs.redrive(visit.db, job.id, visit.actor)
    return RedirectResponse(f"/taken/{job.id}", status_code=303)
