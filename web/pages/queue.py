"""The deadline queue: what must be done, most urgent first, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from radar.casework import dossier
from radar.casework.queue import KINDS, PAGE, Filter, Position, counts, items
from web.access.guard import Visit

RIGHTS = {
    "assess": "report.view",
    "review_link": "review.view",
    "review_route": "report.view",
    "quarantine": "quarantine.view",
    "dead_job": "job.view",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def show(visit: Visit) -> Response:
    at = visit.at
    query = visit.request.query_params
    may_see = tuple(kind for kind in KINDS if visit.may(RIGHTS[kind]))
    chosen = _filter(query, may_see)
    after = _position(query["na"]) if "na" in query else None
    found = items(visit.db, visit.region, chosen, at, after, PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    counted = counts(visit.db, visit.region, may_see, chosen, at)
    visit.note("queue.view", "queue", details={"rows": len(shown)})
    address = {name: query[name] for name in ("team", "soort", "risico", "telaat", "signaal") if query.get(name)}
    return visit.show(
        "queue.html",
        items=shown,
        counts=counted,
        kinds={kind: KINDS[kind] for kind in may_see},
        teams=dossier.teams(visit.db, visit.region),
        chosen=address,
        first=after is None,
        first_page=_link(address),
        next_page=_link(address | {"na": _token(shown[-1].position)}) if more else None,
    )


def _filter(query: Mapping[str, str], may_see: tuple[str, ...]) -> Filter:
    """The filter in the address; a value that is not on the form is a wrong request."""
    kind, team, risk = query.get("soort"), query.get("team"), query.get("risico")
    try:
        if kind and kind not in may_see:
            raise ValueError
        if risk and risk not in ("0", "1", "2"):
            raise ValueError
        return Filter(
            kinds=(kind,) if kind else may_see,
            team=UUID(team) if team else None,
            risk=int(risk) if risk else None,
            overdue=query.get("telaat") == "1",
            signal=query.get("signaal") == "1",
        )
    except ValueError:
        raise HTTPException(400) from None


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
