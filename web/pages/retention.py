"""Until when data are kept: what may be destroyed next month, and each destruction from proposal to certificate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import Row
from core.deadlines import AMSTERDAM
from core.errors import NotFound, VeiligError
from radar.rights import certificate, destruction, holds, orders, retention
from web.access.guard import Visit, screen
from web.access.scope import as_id

AHEAD = timedelta(days=31)


def show(visit: Visit) -> Response:
    return _page(visit)


def propose(visit: Visit) -> Response:
    """Propose to destroy what is due: a person everywhere, or a whole form that was sent on."""
    form, db = visit.form, visit.db
    mention, report = form.get("persoon", ""), form.get("melding", "")
    try:
        with db.transaction():
            if mention:
                _due(visit, mention)
                order = destruction.propose(
                    db, as_id(mention), "retention", form.get("reden", ""), by=visit.actor, at=visit.at
                )
            else:
                order = destruction.propose_file(
                    db, as_id(report), "forwarded", form.get("reden", ""), by=visit.actor, at=visit.at
                )
    except NotFound:
        raise
    except VeiligError as error:
        return _page(visit, error, mention or report)
    return RedirectResponse(f"/vernietigingen/{order}", status_code=303)


def one(visit: Visit) -> Response:
    """One destruction: what goes, which sentences, who proposed and who confirmed."""
    return _order_page(visit, _order(visit))


def choose(visit: Visit) -> Response:
    """Which sentences about him go from the file of others."""
    erase = [int(name[4:]) for name, value in visit.form.items() if name.startswith("zin-") and value == "weg"]

    def work(order: Row) -> None:
        destruction.choose(visit.db, order["id"], erase, by=visit.actor, at=visit.at)

    return _do(visit, work)


def confirm(visit: Visit) -> Response:
    """The second person agrees; the work behind the screens carries it out."""
    return _do(visit, lambda order: destruction.confirm(visit.db, order["id"], by=visit.actor, at=visit.at))


def stop(visit: Visit) -> Response:
    return _do(
        visit,
        lambda order: destruction.stop(
            visit.db, order["id"], visit.form.get("reden", ""), by=visit.actor, at=visit.at
        ),
    )


def download(visit: Visit) -> Response:
    """The certificate, which holds no personal data of persons concerned."""
    order = _order(visit)
    content = certificate.pdf(visit.db, visit.region, order["id"])
    if content is None:
        raise NotFound
    visit.note("certificate.read", "destruction_order", order["id"])
    headers = {
        "Content-Disposition": f'attachment; filename="verklaring-{order["id"]}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _do(visit: Visit, work: Callable[[Row], None]) -> Response:
    order = _order(visit)
    try:
        with visit.db.transaction():
            work(order)
    except NotFound:
        raise
    except VeiligError as error:
        return _order_page(visit, order, error)
    return RedirectResponse(f"/vernietigingen/{order['id']}", status_code=303)


def _order(visit: Visit) -> Row:
    row = visit.db.execute(
        "SELECT o.*, q.kind AS request_kind FROM destruction_order o LEFT JOIN person_request q ON q.id ="
        " o.request_id"
        " WHERE o.id = %s AND o.region_id = %s",
        (as_id(visit.request.path_params["id"]), visit.region),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def _due(visit: Visit, mention: str) -> None:
    """Only who stands in the list can be proposed from it. Raises NotFound."""
    if as_id(mention) not in {row.mention_id for row in retention.due(visit.db, visit.region, _until(visit))}:
        raise NotFound


def _until(visit: Visit) -> date:
    return visit.at.astimezone(AMSTERDAM).date() + AHEAD


def _page(visit: Visit, error: VeiligError | None = None, where: str = "") -> Response:
    visit.note("retention.view", "region", visit.region)
    today = visit.at.astimezone(AMSTERDAM).date()
    errors = {f"reden-{where}": error.message} if error else {}
    return visit.show(
        "retention.html",
        (409 if error.status in (403, 409) else error.status) if error else 200,
        due=retention.due(visit.db, visit.region, _until(visit)),
        until=_until(visit),
        waiting=orders.waiting(visit.db, visit.region),
        holds=holds.to_review(visit.db, visit.region, today),
        hold_kinds=holds.KINDS,
        grounds=destruction.GROUNDS,
        today=today,
        errors=errors,
        where=where,
        form=visit.form,
    )


def _order_page(visit: Visit, order: Row, error: VeiligError | None = None) -> Response:
    visit.note("destruction.view", "destruction_order", order["id"])
    persons = visit.db.execute(
        "SELECT m.id, m.person, m.report_id, m.destroyed_at, r.received_at FROM mention m JOIN report r"
        " ON r.id = m.report_id WHERE m.id = ANY(%s) ORDER BY r.received_at, m.id",
        (order["mentions"],),
    ).fetchall()
    files = visit.db.execute(
        "SELECT id, received_at, destroyed_at FROM report WHERE id = ANY(%s) ORDER BY received_at, id",
        (order["reports"],),
    ).fetchall()
    waits = order["confirmed_at"] is None and order["stopped_at"] is None
    return visit.show(
        "destruction.html",
        (409 if error.status in (403, 409) else error.status) if error else 200,
        order=order,
        persons=persons,
        files=files,
        sentences=orders.sentences_of(visit.db, order) if waits else [],
        waits=waits,
        grounds=destruction.GROUNDS,
        counted=certificate.KINDS,
        error=error.message if error else "",
        form=visit.form,
    )


routes: list[BaseRoute] = [
    screen("/bewaartermijnen", show, "retention.view"),
    screen("/bewaartermijnen", propose, "destruction.propose", "POST"),
    screen("/vernietigingen/{id}", one, "destruction.view"),
    screen("/vernietigingen/{id}/zinnen", choose, "destruction.propose", "POST"),
    screen("/vernietigingen/{id}/bevestigen", confirm, "destruction.confirm", "POST"),
    screen("/vernietigingen/{id}/stoppen", stop, "destruction.propose", "POST"),
    screen("/vernietigingen/{id}/verklaring", download, "destruction.view"),
]
