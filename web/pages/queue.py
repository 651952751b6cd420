"""The deadline queue: what must be done, most urgent first, page by page; and who does it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core import live
from core.errors import NotAllowed, VeiligError
from radar.casework import dossier, tasks
from radar.casework.queue import KINDS, PAGE, Filter, Mark, Position, QueueItem, counts, items
from radar.casework.reminders import end_of_next_working_day
from web.access.guard import Visit

RIGHTS = dict.fromkeys(KINDS, "report.view") | {
    "review_link": "review.view",
    "quarantine": "quarantine.view",
    "dead_job": "job.view",
    "break_glass": "break_glass.told",
    "outgoing": "outbound.view",
}
PAGES = {
    "acute_check": "/meldingen/{report}/acuut",
    "direct_action": "/meldingen/{report}/acuut",
    "assess": "/meldingen/{report}/beoordeling",
    "sign": "/meldingen/{report}/beoordeling",
    "recheck": "/meldingen/{report}/acuut",
    "handover": "/meldingen/{report}/overdracht",
    "service": "/meldingen/{report}/traject",
    "monitor": "/meldingen/{report}/monitoring",
    "feedback": "/meldingen/{report}/terugkoppeling",
    "notify": "/meldingen/{report}/betrokkenen",
    "inform": "/meldingen/{report}/traject",
    "person_request": "/meldingen/{report}/rechten",
    "review_link": "/koppelvoorstellen/{subject}",
    "review_route": "/meldingen/{subject}#besluit",
    "quarantine": "/quarantaine/{subject}",
    "dead_job": "/taken/{subject}",
    "break_glass": "/noodinzage/bericht/{subject}",
    "outgoing": "/uitgaand/{subject}",
}
"""Where each kind of task is done."""
FILTERS = ("team", "wie", "soort", "risico", "telaat", "morgen", "signaal", "klok")
MARKS: dict[str, Mark] = {"herinnerd": "reminded", "opgeschaald": "escalated"}
TICK = "taak-"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class NothingTicked(VeiligError):
    """Vink eerst een of meer taken aan."""

    status = 400


class ChoiceMissing(VeiligError):
    """Kies wie de taken krijgt."""

    status = 400


def show(visit: Visit) -> Response:
    return _page(visit, dict(visit.request.query_params))


def divide(visit: Visit) -> Response:
    """Take, give or hand on the ticked tasks, or one; then back to the same rows."""
    query = _query(visit.form.get("terug", ""))
    address = _address(visit, query)
    try:
        with visit.db.transaction():
            asked, moved = _divide(visit)
    except NotAllowed:
        raise
    except VeiligError as error:
        return _page(visit, query, error.status, error.message)
    place = {"na": query["na"]} if "na" in query else {}
    return RedirectResponse(_link(address | place | {"verdeeld": f"{moved}-{asked - moved}"}), status_code=303)


def _page(visit: Visit, query: Mapping[str, str], status: int = 200, error: str | None = None) -> Response:
    may_see = may_see_kinds(visit)
    chosen = _filter(visit, query, may_see)
    after = _position(query["na"]) if "na" in query else None
    number = live.number(visit.db)
    found = items(visit.db, visit.region, chosen, visit.at, after, PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    counted = counts(visit.db, visit.region, may_see, chosen, visit.at, visit.member.id)
    visit.note("queue.view", "queue", details={"rows": len(shown)})
    address = _address(visit, query)
    place = {"na": query["na"]} if "na" in query else {}
    return visit.show(
        "queue.html",
        status,
        items=shown,
        counts=counted,
        kinds={kind: KINDS[kind] for kind in may_see},
        teams=[team for team in dossier.teams(visit.db, visit.region) if team["kind"] == "veilig_thuis"],
        colleagues=tasks.colleagues(visit.db, visit.region),
        chosen=address,
        everything={"team": "alle"} if visit.member.team else {},
        first=after is None,
        here=urlencode(address | place),
        live_number=number,
        refresh=_link(address | place),
        first_page=_link(address),
        next_page=_link(address | {"na": _token(shown[-1].position)}) if more else None,
        link=_link,
        page_of=page_of,
        divided=_divided(query),
        error=error,
        ticked={name for name in visit.form if name.startswith(TICK)},
        typed=visit.form,
    )


def page_of(item: QueueItem) -> str:
    """The page on which this task is done."""
    return PAGES[item.kind].format(report=item.report_id, subject=item.subject_id)


def may_see_kinds(visit: Visit) -> tuple[str, ...]:
    return tuple(kind for kind in KINDS if visit.may(RIGHTS[kind]))


def _divide(visit: Visit) -> tuple[int, int]:
    """How many tasks were asked for and how many moved. Who may not assign moves only what is his or nobody's."""
    form, db, region = visit.form, visit.db, visit.region
    one = form.get("neem")
    asked = [_id(one)] if one else [_id(name.removeprefix(TICK)) for name in form if name.startswith(TICK)]
    action = "nemen" if one else form.get("handeling")
    if not asked:
        raise NothingTicked
    lead = visit.may("task.assign")
    if action == "geven" and not lead:
        raise NotAllowed("Uw rol mag geen taken aan een collega geven. U kunt wel zelf een taak nemen of doorgeven.")
    among = None if lead and action != "nemen" else visit.member.id
    found = tasks.movable(db, region, asked, may_see_kinds(visit), among)
    who: dict[str, Any] = {"by": visit.actor, "at": visit.at}
    match action:
        case "nemen":
            moved = tasks.assign(db, region, found, visit.member.id, **who)
        case "terugleggen":
            moved = tasks.assign(db, region, found, None, **who)
        case "geven":
            moved = tasks.assign(db, region, found, _id(form.get("collega")), **who)
        case "doorgeven":
            moved = tasks.hand_on(db, region, found, _id(form.get("naar")), **who)
        case _:
            raise ChoiceMissing
    return len(asked), moved


def _id(text: str | None) -> UUID:
    try:
        return UUID(text)
    except (TypeError, ValueError):
        raise ChoiceMissing from None


def _query(text: str) -> dict[str, str]:
    """The address from which the form came, as it sent it."""
    try:
        return dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        raise HTTPException(400) from None


def _divided(query: Mapping[str, str]) -> tuple[int, int] | None:
    """What the form before this page did: how many moved, how many not."""
    moved, _, left = query.get("verdeeld", "").partition("-")
    if moved.isdecimal() and left.isdecimal() and len(moved) + len(left) < 7:
        return int(moved), int(left)
    return None


def _address(visit: Visit, query: Mapping[str, str]) -> dict[str, str]:
    """The filter as it stands in the address: known names only, and only what can be asked."""
    _filter(visit, query, may_see_kinds(visit))
    return {name: query[name] for name in FILTERS if query.get(name)}


def _filter(visit: Visit, query: Mapping[str, str], may_see: tuple[str, ...]) -> Filter:
    """The filter in the address; a value that is not on the form is a wrong request.

    Who works in a team sees that team, until he asks for another or for all. With a team comes what no team has yet,
    so that nobody overlooks it.
    """
    kind, risk, mark = (query.get(name) or None for name in ("soort", "risico", "klok"))
    try:
        if kind and kind not in may_see:
            raise ValueError
        if risk and risk not in ("0", "1", "2"):
            raise ValueError
        if mark and mark not in MARKS:
            raise ValueError
        return Filter(
            kinds=(kind,) if kind else may_see,
            risk=int(risk) if risk else None,
            overdue=query.get("telaat") == "1",
            signal=query.get("signaal") == "1",
            due_until=end_of_next_working_day(visit.at) if query.get("morgen") == "1" else None,
            marked=MARKS[mark] if mark else None,
            **_of_team(query.get("team"), visit.member.team),
            **_of_person(query.get("wie"), visit.member.id),
        )
    except ValueError:
        raise HTTPException(400) from None


def _of_team(asked: str | None, own: UUID | None) -> dict[str, Any]:
    match asked:
        case None | "":
            return {"team": own, "no_team": own is not None}
        case "alle":
            return {}
        case "geen":
            return {"no_team": True}
        case _:
            return {"team": UUID(asked), "no_team": True}


def _of_person(asked: str | None, me: UUID) -> dict[str, Any]:
    match asked:
        case None | "":
            return {}
        case "ik":
            return {"staff": me}
        case "niemand":
            return {"nobody": True}
        case _:
            return {"staff": UUID(asked)}


def _token(position: Position) -> str:
    """The place in the order, as one word for the address; it holds no personal data."""
    micros = (position.due_at - EPOCH) // MICROSECOND
    packed = bytes([position.risk]) + micros.to_bytes(8, "big", signed=True) + position.id.bytes
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _position(token: str) -> Position:
    try:
        packed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        if len(packed) != 25 or packed[0] > 2:
            raise ValueError
        due_at = EPOCH + int.from_bytes(packed[1:9], "big", signed=True) * MICROSECOND
        return Position(packed[0], due_at, UUID(bytes=packed[9:]))
    except (ValueError, OverflowError, binascii.Error):
        raise HTTPException(400) from None


def _link(query: Mapping[str, str]) -> str:
    return f"/wachtrij?{urlencode(query)}" if query else "/wachtrij"
