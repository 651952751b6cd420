"""`/api/v1/gesprekken`: chats that the supplier of the chat delivers when they ended. A chat never makes a report."""

from __future__ import annotations

from psycopg import Error as DatabaseError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import problems
from core.database import connect_async, now, present, transaction
from core.errors import Conflict, NotAllowed, Unavailable
from core.ids import uuid7
from intake import chats
from intake.input_errors import InvalidMessage
from intake.senders import CHAT, Sender, key_of
from web.api.edge import ON_TRIAL, TooLarge, body_of, is_trial, sender_of


async def receive(request: Request) -> Response:
    """201 with the number it has here, 200 when it was here before; 400 with every error at once; 403 for a sender of
    reports; 409 when the reference belongs to another chat.
    """
    async with connect_async() as db:
        sender = await sender_of(request, db)
    if sender.kind != CHAT:
        raise NotAllowed("Deze afzender levert geen chatgesprekken.")
    on_trial = is_trial(request)
    raw = await body_of(request)
    if len(raw) > chats.MAX_BYTES:
        raise TooLarge
    try:
        found = await run_in_threadpool(_store, sender, chats.read(raw), on_trial)
    except InvalidMessage as error:
        invalid = [(one.path, one.text) for one in error.errors]
        detail = "Verbeter de genoemde gegevens en stuur het gesprek opnieuw. Er is niets opgeslagen."
        return _problem(400, error.message, detail, invalid)
    except Conflict as error:
        detail = "Het eerste gesprek met deze referentie blijft staan. Er is niets opgeslagen."
        return _problem(409, error.message, detail, [("$.referentie", error.message)])
    except DatabaseError:
        raise Unavailable("Probeer het over een minuut opnieuw, met hetzelfde bericht.") from None
    status = 200 if found.again else 201
    if on_trial:
        return JSONResponse({"proef": True, "opgeslagen": False, "zouAntwoorden": status}, headers=ON_TRIAL)
    headers = {"Idempotent-Replay": "true"} if found.again else {}
    return JSONResponse({"id": str(found.id), "status": "ontvangen"}, status, headers)


def _store(sender: Sender, message: chats.ChatMessage, on_trial: bool) -> chats.Received:
    with transaction("door") as db, db.transaction(force_rollback=on_trial):
        present(db, key_of(sender), purpose="intake", request=uuid7().hex)
        return chats.receive(db, sender, message, now(db))


def _problem(status: int, title: str, detail: str, invalid: list[tuple[str, str]]) -> Response:
    body = problems.problem(status, title, detail, invalid=invalid)
    return Response(body, status, media_type=problems.MEDIA_TYPE)
