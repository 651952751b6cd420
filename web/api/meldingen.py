"""`/api/v1/meldingen`: the JSON twin of the feed, the state of a sender's own message, and what it was told of it."""

from __future__ import annotations

from psycopg import Error as DatabaseError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import problems
from core.database import connect_async, now, present, transaction
from core.errors import Unavailable
from core.ids import uuid7
from intake import progress, trial
from intake.channels import json_api
from intake.input_errors import InvalidMessage
from intake.senders import Sender, key_of, require_still_valid
from radar.casework import feedback_rows
from web.api.edge import ON_TRIAL, body_of, is_trial, sender_of


async def receive(request: Request) -> Response:
    """202 with the receipt number; 400 with every error at once; 409 when the reference is taken."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
    on_trial = is_trial(request)
    raw = await body_of(request)  # no connection is held while a sender takes its time
    try:
        async with connect_async() as db:
            if on_trial:
                return _told(await trial.of_message(db, sender, raw, json_api.deliver))
            answer = await json_api.deliver(db, sender, raw)
    except InvalidMessage as error:
        invalid = [(found.path, found.text) for found in error.errors]
        detail = "Verbeter de genoemde gegevens en stuur het bericht opnieuw. Er is niets opgeslagen."
        body = problems.problem(400, error.message, detail, "VT-E055", invalid)
        return Response(body, 400, ON_TRIAL if on_trial else None, problems.MEDIA_TYPE)
    except DatabaseError:
        # The commit may or may not have happened; the sender sends again and gets the stored answer if it did.
        raise Unavailable("Probeer het over een minuut opnieuw, met hetzelfde bericht.") from None
    headers = {"Idempotent-Replay": "true"} if answer.replay else {}
    return Response(answer.body, answer.status, headers, answer.media_type)


def _told(verdict: trial.Verdict) -> Response:
    """200 for what would have been taken, so that nobody holds it for a receipt; else the refusal itself."""
    if verdict.answer.kept == "report":
        return JSONResponse(verdict.to_json(), headers=ON_TRIAL)
    return Response(verdict.answer.body, verdict.answer.status, ON_TRIAL, verdict.answer.media_type)


async def state(request: Request) -> Response:
    """The state of one of the sender's own messages; 404 for everything else."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
        return JSONResponse(await progress.of_message(db, sender, request.path_params["id"][:100]))


async def feedback(request: Request) -> Response:
    """What was told about one of the sender's own reports; 404 for everything else."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
        await require_still_valid(db, sender)
    return await run_in_threadpool(_feedback, sender, request.path_params["id"][:100])


def _feedback(sender: Sender, identifier: str) -> Response:
    with transaction("web") as db:
        present(db, key_of(sender), purpose="care", request=uuid7().hex)
        return JSONResponse(feedback_rows.of_sender(db, sender, identifier, now(db)))
