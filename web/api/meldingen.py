"""`/api/v1/meldingen`: the JSON twin of the feed, the state of a sender's own message, and what it was told of it."""

from __future__ import annotations

from psycopg import Error as DatabaseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import problems
from core.database import connect_async
from core.errors import Unavailable
from intake import progress
from intake.channels import json_api
from intake.input_errors import InvalidMessage
from radar.casework import feedback_rows
from web.api.edge import body_of, sender_of


async def receive(request: Request) -> Response:
    """202 with the receipt number; 400 with every error at once; 409 when the reference is taken."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
    raw = await body_of(request)  # no connection is held while a sender takes its time
    try:
        async with connect_async() as db:
            answer = await json_api.deliver(db, sender, raw)
    except InvalidMessage as error:
        invalid = [(found.path, found.text) for found in error.errors]
        detail = "Verbeter de genoemde gegevens en stuur het bericht opnieuw. Er is niets opgeslagen."
        body = problems.problem(400, error.message, detail, "VT-E055", invalid)
        return Response(body, 400, media_type=problems.MEDIA_TYPE)
    except DatabaseError:
        # The commit may or may not have happened; the sender sends again and gets the stored answer if it did.
        raise Unavailable("Probeer het over een minuut opnieuw, met hetzelfde bericht.") from None
    headers = {"Idempotent-Replay": "true"} if answer.replay else {}
    return Response(answer.body, answer.status, headers, answer.media_type)


async def state(request: Request) -> Response:
    """The state of one of the sender's own messages; 404 for everything else."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
        return JSONResponse(await progress.of_message(db, sender, request.path_params["id"][:100]))


async def feedback(request: Request) -> Response:
    """What was told about one of the sender's own reports; 404 for everything else."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
        return JSONResponse(await feedback_rows.of_sender(db, sender, request.path_params["id"][:100]))
