"""`/api/v1/overdrachten`: the handovers that wait for an answer of the sender's team, and that answer."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import audit, problems
from core.database import Db, Row, connect_async, present, transaction
from core.errors import Conflict, NotAllowed, NotFound
from core.ids import uuid7
from intake import senders
from intake.input_errors import InputError, InvalidMessage, read_json
from intake.senders import Sender
from radar.casework import handover, handover_shares, handovers
from radar.casework.handover_kinds import MAX_TEXT, title_of, told
from radar.outbound import gate
from web.api.edge import body_of, sender_of

MISSING = "Geen overdracht die wacht op een antwoord van uw team."
PATHS = {"name": "$.naam", "reason": "$.reden", "started_on": "$.gestartOp"}


def _iso_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif value is None:
        return None
    raise PydanticCustomError("datum", "Geef een dag die bestaat, als 2026-03-01.")


class HandoverAnswer(BaseModel):
    """The answer of a partner. An acceptance that takes the safety watch needs `gestartOp`, not in the future."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    answer: Literal["aanvaard", "geweigerd"] = Field(alias="antwoord")
    name: Annotated[str, Field(min_length=1, max_length=handover.MAX_NAME)] = Field(alias="naam")
    reason: Annotated[str, Field(max_length=MAX_TEXT)] = Field("", alias="reden")
    started_on: Annotated[date | None, BeforeValidator(_iso_day)] = Field(None, alias="gestartOp")


async def index(request: Request) -> Response:
    """The open offers of the sender's team."""
    return await run_in_threadpool(_index, await _sender(request))


async def show(request: Request) -> Response:
    """One open offer with what is shared; 404 for everything else."""
    return await run_in_threadpool(_show, await _sender(request), request.path_params["id"])


async def answer(request: Request) -> Response:
    """200 when it is recorded, also when the same answer comes again; 400 names the fields; 409 who was first."""
    sender = await _sender(request)
    raw = await body_of(request)
    try:
        given = read_json(raw, HandoverAnswer.model_validate)
        return await run_in_threadpool(_answer, sender, request.path_params["id"], given)
    except InvalidMessage as error:
        invalid = [(found.path, found.text) for found in error.errors]
        detail = "Verbeter de genoemde gegevens en stuur het antwoord opnieuw. Er is niets opgeslagen."
        body = problems.problem(400, error.message, detail, invalid=invalid)
        return Response(body, 400, media_type=problems.MEDIA_TYPE)


async def _sender(request: Request) -> Sender:
    async with connect_async() as db:
        sender = await sender_of(request, db)
        await senders.require_still_valid(db, sender)
        return sender


def _present(db: Db, sender: Sender) -> None:
    present(db, senders.key_of(sender), purpose="care", request=uuid7().hex)


def _index(sender: Sender) -> Response:
    with transaction("web") as db:
        _present(db, sender)
        team = _team(db, sender)
        found = [_summary(row) for row in handovers.open_of_team(db, team["id"], team["now"])]
        audit.append(db, sender.region, _actor(team), "handover.list", "team", team["id"], {"rows": len(found)})
    return JSONResponse({"overdrachten": found})


def _show(sender: Sender, identifier: str) -> Response:
    with transaction("web") as db:
        _present(db, sender)
        team = _team(db, sender)
        row = _waiting(db, team, identifier)
        parts = handover_shares.shared(db, row["report_id"], row["shares"])
        details = {"parts": row["shares"], "report": str(row["report_id"]), "sender": str(sender.id)}
        audit.append(db, sender.region, _actor(team), "handover.view", "handover", row["id"], details)
        content = told(row["kind"], row["content"])
        response = JSONResponse(_summary(row) | _shown(content, parts))
        passed = gate.pass_out(
            db,
            "handover",
            row["id"],
            bytes(response.body),
            by=_actor(team),
            at=team["now"],
            texts=handover_shares.texts(parts, content),
        )
    if passed is None:
        raise NotFound(MISSING)  # after the commit: that it was held stays
    return response


def _shown(content: list[handover_shares.Line], parts: list[handover_shares.Part]) -> dict[str, Any]:
    return {
        "inhoud": [_line(line) for line in content],
        "onderdelen": [
            {
                "code": part.code,
                "titel": part.title,
                "groepen": [[_line(line) for line in one] for one in part.groups],
            }
            for part in parts
        ],
    }


def _answer(sender: Sender, identifier: str, given: HandoverAnswer) -> Response:
    state = {"aanvaard": "accepted", "geweigerd": "refused"}[given.answer]
    with transaction("web") as db:
        _present(db, sender)
        team = _team(db, sender)
        row = _own(db, team, identifier)
        common: dict[str, Any] = {"by": _actor(team), "role": "partner", "name": given.name, "at": team["now"]}
        try:
            with db.transaction():
                if given.answer == "aanvaard":
                    handover.accept(db, row["id"], started_on=given.started_on, **common)
                else:
                    handover.refuse(db, row["id"], reason=given.reason, **common)
            replay = False
        except handover.Incomplete as error:
            raise InvalidMessage(
                tuple(InputError(PATHS[name], text) for name, text in error.errors.items())
            ) from None
        except Conflict:
            now = handovers.find(db, sender.region, row["id"])
            replay = (now["state"], now["answered_by"], now["answered_name"]) == (
                state,
                _actor(team),
                given.name.strip(),
            )
            if not replay:
                raise
    headers = {"Idempotent-Replay": "true"} if replay else {}
    return JSONResponse({"id": str(row["id"]), "status": given.answer}, headers=headers)


def _team(db: Db, sender: Sender) -> Row:
    """The partner for which this sender answers, and `now` by the database's clock.

    Raises NotAllowed for a sender without a partner, or whose proof was withdrawn a moment ago.
    """
    row = db.execute(
        "SELECT t.id, t.name, now() AS now FROM sender s"
        " JOIN team t ON t.id = s.team_id AND t.region_id = s.region_id"
        " WHERE s.id = %s AND (t.valid_to IS NULL OR t.valid_to >= (now() AT TIME ZONE 'Europe/Amsterdam')::date)",
        (sender.id,),
    ).fetchone()
    if row is None:
        raise NotAllowed("Deze afzender hoort niet bij een partner die overdrachten krijgt.")
    return row


def _own(db: Db, team: Row, identifier: str) -> Row:
    """A handover to this team, answered or not; hidden and missing are the same. Raises NotFound."""
    try:
        wanted = UUID(identifier)
    except ValueError:
        raise NotFound(MISSING) from None
    row = db.execute(f"{handovers.SELECT} WHERE h.id = %s AND h.team_id = %s", (wanted, team["id"])).fetchone()
    if row is None:
        raise NotFound(MISSING)
    return row


def _waiting(db: Db, team: Row, identifier: str) -> Row:
    row = _own(db, team, identifier)
    if row["state"] != "offered":
        raise NotFound(MISSING)
    return row


def _actor(team: Row) -> str:
    return f"partner:{team['name']}"


def _summary(row: Row) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "soort": row["kind"],
        "titel": title_of(row["kind"]),
        "neemtZichtOver": row["takes_watch"],
        "aangebodenOp": _utc(row["offered_at"]),
        "antwoordVoor": _utc(row["due_at"]) if row["due_at"] else None,
    }


def _line(line: handover_shares.Line) -> dict[str, str]:
    return {"label": line.label, "tekst": line.text}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
