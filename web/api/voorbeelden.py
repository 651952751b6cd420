"""`/api/v1/voorbeelden`: the test set for suppliers; with a token the messages carry the OIN of that sender."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.database import connect_async
from core.errors import NotFound
from intake.examples import MEDIA_TYPES, PATHS, Example, examples
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN
from web.api.edge import sender_of

MISSING = "Geen voorbeeld met deze naam."


async def index(request: Request) -> Response:
    """The set: per example its title, where it goes and what must come back."""
    found = await _examples(request)
    return JSONResponse({"voorbeelden": [_summary(one) for one in found]})


async def show(request: Request) -> Response:
    """One message as it goes over the line, or all of them in `voorbeelden.zip`."""
    name = request.path_params["name"]
    found = await _examples(request)
    if name == "voorbeelden.zip":
        return Response(_zip(found), media_type="application/zip")
    for one in found:
        if name == one.file:
            return Response(one.body, media_type=MEDIA_TYPES[one.door])
    raise NotFound(MISSING)


async def _examples(request: Request) -> tuple[Example, ...]:
    """For whom: who proves himself gets his own. A token that does not hold is refused, as everywhere."""
    if "authorization" not in request.headers:
        return _made(POLICE_OIN, VEILIG_THUIS_OIN)
    async with connect_async() as db:
        sender = await sender_of(request, db)
    return _made(sender.oin, sender.region_oin)


@lru_cache(maxsize=16)
def _made(sender: str, receiver: str) -> tuple[Example, ...]:
    return examples(sender, receiver)


def _zip(found: tuple[Example, ...]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in found:
            archive.writestr(zipfile.ZipInfo(one.file), one.body)
    return held.getvalue()


def _summary(one: Example) -> dict[str, Any]:
    return {
        "naam": one.file,
        "titel": one.title,
        "pad": PATHS[one.door],
        "contentType": MEDIA_TYPES[one.door],
        "status": one.status,
        "uitkomst": one.outcome,
        "code": one.code or None,
        "fouten": list(one.paths),
        "waarschuwingen": list(one.warnings),
    }
