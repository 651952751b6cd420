"""`POST /api/v1/corv/berichten`: the police and Halt feed, in StUF."""

from __future__ import annotations

from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.database import connect_async
from core.errors import Unavailable
from intake import trial
from intake.corv import door
from intake.corv.parse import fault
from intake.receive import Answer
from intake.senders import NotAuthentic
from web.api.edge import ON_TRIAL, NoTrial, TooLarge, body_of, is_trial, sender_of


async def receive(request: Request) -> Response:
    """Bv03 after the commit; Fo03 when refused; 503 with Retry-After when nothing could be stored."""
    try:
        async with connect_async() as db:
            sender = await sender_of(request, db)
        on_trial = is_trial(request)
        raw = await body_of(request)  # no connection is held while a sender takes its time
        async with connect_async() as db:
            if on_trial:
                return _told(await trial.of_message(db, sender, raw, door.deliver))
            answer = await door.deliver(db, sender, raw)
    except NotAuthentic as error:
        return _refusal("VT-E052", error.message, status=401, **{"WWW-Authenticate": "Bearer"})
    except NoTrial as error:
        return _refusal("VT-E055", error.message, status=400)
    except TooLarge as error:
        return _refusal("VT-E301", error.message, status=413)
    except (DatabaseError, PoolTimeout, Unavailable):
        # The commit may or may not have happened; the sender sends again and gets the stored answer if it did.
        return _refusal("VT-E046", "Probeer het over een minuut opnieuw.", status=503)
    return _response(answer, {"Idempotent-Replay": "true"} if answer.replay else {})


def _told(verdict: trial.Verdict) -> Response:
    """In JSON, with the StUF answer as text in it: a Bv03 by itself would say that the report is stored."""
    told = verdict.to_json() | {"antwoord": verdict.answer.body.decode()}
    return JSONResponse(told, headers=ON_TRIAL)


def _refusal(code: str, details: str, status: int, **headers: str) -> Response:
    answer = door.refused(None, None, fault(code, "xml", details), soap=False, at=None)
    return _response(Answer(status, answer.media_type, answer.body), headers)


def _response(answer: Answer, headers: dict[str, str]) -> Response:
    return Response(answer.body, answer.status, headers, answer.media_type)
