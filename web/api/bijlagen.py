"""`/api/v1/meldingen/{id}/bijlagen`: a file with a report that this sender sent before."""

from __future__ import annotations

from email.message import Message

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.database import connect_async, now, present, transaction
from core.ids import uuid7
from core.settings import settings
from intake import attachments
from intake.senders import Sender, key_of, require_still_valid
from web.api.edge import body_of, sender_of


async def receive(request: Request) -> Response:
    """202 with the number of the file, the same for the same bytes; 400 says what is wrong; else 404."""
    async with connect_async() as db:
        sender = await sender_of(request, db)
        await require_still_valid(db, sender)
    content = await body_of(request, settings().attachment_bytes)
    identifier = request.path_params["id"][:100]
    return await run_in_threadpool(_store, sender, identifier, _name(request), content)


def _store(sender: Sender, identifier: str, name: str, content: bytes) -> Response:
    with transaction("web") as db:
        present(db, key_of(sender), purpose="intake", request=uuid7().hex)
        report = attachments.report_of_sender(db, sender.id, identifier)
        stored, again = attachments.store(
            db, sender.region, report, name, content, by=f"sender:{sender.oin}", at=now(db)
        )
    headers = {"Idempotent-Replay": "true"} if again else {}
    return JSONResponse({"bijlagenummer": str(stored), "status": "ontvangen"}, 202, headers)


def _name(request: Request) -> str:
    """The file name of the header Content-Disposition (RFC 6266); names do not belong in an address."""
    header = Message()
    header["Content-Disposition"] = request.headers.get("content-disposition", "")[:1000].replace("\n", " ")
    return header.get_filename("") or ""
