"""The guard on every screen: one transaction in which the session, the rights, the form and the work stand or fall.

A handler is a plain function of a `Visit`. It runs in a thread, after the guard has settled who is asking, whether
his role may do the action, and for a form that it came from our own page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import audit, documents
from core.database import Db, Role, Row, now, present, transaction
from core.deadlines import AMSTERDAM
from core.errors import NotAllowed, NotFound
from core.ids import uuid7
from core.staff import Member
from radar.casework import notifications
from radar.protection import break_glass
from web import templates
from web.access import forgery, sessions, typed_back
from web.access.arrival import origin_of
from web.access.matrix import may, needs_step_up, purpose_of, sees

MultiPartParser.spool_max_size = 256 * 1024 * 1024
"""A file is held in memory, within the limit of its route: on a disk it would lie unsealed."""

MAX_FIELDS = 60
MAX_FORM_BYTES = 64 * 1024
LONG_FORM = 256 * 1024
"""A form whose fields are written over hours, as the safety assessment."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LIVE = "x-live"
"""The header with which an open page fetches itself again (static/live.js)."""
SIGN_IN = "/inloggen"
STEP_UP = "/bevestigen"


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """A file as a form sent it; nobody looked at it yet."""

    field: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in, inside one transaction."""

    request: Request
    db: Db
    member: Member
    session_token: str
    at: datetime
    """Now, by the database's clock."""
    form: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Upload, ...] = ()

    @property
    def region(self) -> UUID:
        return self.member.region

    @property
    def stepped_up(self) -> bool:
        """Whether he proved himself again in the last minutes."""
        until = self.member.stepped_up_until
        return until is not None and until > self.at

    @property
    def actor(self) -> str:
        """The name in the audit trail and in decisions."""
        return self.member.username

    def may(self, action: str) -> bool:
        return may(self.member.role, action)

    def sees(self, field: str) -> bool:
        """Whether the role may see this kind of field (matrix.toml)."""
        return sees(self.member.role, field)

    def note(
        self,
        action: str,
        object_kind: str,
        object_id: UUID | None = None,
        details: Mapping[str, Any] | None = None,
        persons: Collection[UUID] = (),
    ) -> None:
        """Write in the audit trail that this was seen or done, in the same transaction.

        `persons`: whose data a list or a search showed, as persons, mentions or reports; of one file the trail knows.
        """
        audit.append(self.db, self.region, self.actor, action, object_kind, object_id, details, persons=persons)

    def glass(self) -> list[Row]:
        """What he has open by break-glass, for the banner on every page."""
        return break_glass.running(self.db, self.member.id, self.at) if self.may("break_glass.open") else []

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page for this visitor."""
        token = forgery.form_token(self.session_token)
        return templates.page(
            template,
            status,
            now=self.at.astimezone(AMSTERDAM),
            member=self.member,
            may=self.may,
            sees=self.sees,
            form_token=token,
            glass=self.glass(),
            fresh=notifications.unseen(self.db, self.member.id) if self.may("notification.view") else 0,
            **values,
        )


Handler = Callable[[Visit], Response]
GiveBack = Callable[[Request, Mapping[str, str], Visit | None], Response | None]
"""Gives what was typed back to who typed it when his session ended meanwhile; the visit when he has a new one."""
ACTIONS: dict[tuple[str, str], str] = {}
"""Method and path of every screen, and the right that it asks: what the rights matrix is tested against."""


def screen(
    path: str,
    handler: Handler,
    action: str,
    method: str = "GET",
    max_bytes: int = MAX_FORM_BYTES,
    at: Role = "web",
    max_fields: int = MAX_FIELDS,
    give_back: GiveBack | None = None,
    max_files: int = 0,
) -> Route:
    """A route that only somebody with the right to `action` reaches. `method` is GET or POST.

    `at` is "door" for the few screens that read or write what proves who somebody is: `veilig_web` cannot.
    A form of our own page whose session ended comes back with what was typed: nothing is done with it, and nothing is
    lost. `give_back` makes that page where names of fields say too little.
    """

    ACTIONS[method, path] = action

    async def endpoint(request: Request) -> Response:
        form, files = (
            await read_upload(request, max_bytes, max_fields, max_files) if request.method == "POST" else ({}, ())
        )
        return await run_in_threadpool(visited, request, form, handler, action, at, give_back, files)

    return Route(path, endpoint, methods=[method], name=f"{method} {path}", max_body_size=max_bytes)


async def read_form(
    request: Request, max_bytes: int = MAX_FORM_BYTES, max_fields: int = MAX_FIELDS
) -> dict[str, str]:
    """The text fields of a form; files and repeated fields are not ours and are left out."""
    return (await read_upload(request, max_bytes, max_fields))[0]


async def read_upload(
    request: Request, max_bytes: int = MAX_FORM_BYTES, max_fields: int = MAX_FIELDS, max_files: int = 0
) -> tuple[dict[str, str], tuple[Upload, ...]]:
    """The text fields and the files of a form; a file field that was left empty sends nothing.

    How large a file may be is the limit of its route.
    """
    async with request.form(max_files=max_files, max_fields=max_fields, max_part_size=max_bytes) as form:
        fields = {name: value.replace("\x00", "") for name, value in form.items() if isinstance(value, str)}
        files = [
            Upload(name, value.filename, await value.read())
            for name, value in form.multi_items()
            if isinstance(value, UploadFile) and value.filename
        ]
    return fields, tuple(files)


def visited(
    request: Request,
    form: Mapping[str, str],
    handler: Handler,
    action: str,
    at: Role = "web",
    give_back: GiveBack | None = None,
    files: tuple[Upload, ...] = (),
) -> Response:
    token = sessions.token_of(request)
    try:
        with transaction(at) as db:
            member = entered(db, request, token, action)
            if member is None:
                typed = _typed(request, form, None, give_back, files)
                return typed or RedirectResponse(SIGN_IN, status_code=303)
            documents.in_region(member.region)
            visit = Visit(request, db, member, token, now(db), form, files)
            if request.method == "POST":
                if _of_older_session(visit) and (typed := _typed(request, form, visit, give_back, files)):
                    return typed
                _refuse_forgery(visit)
            if not visit.may(action):
                raise NotAllowed("Uw rol mag dit niet. Vraag uw teamleider als u dit voor uw werk nodig hebt.")
            if needs_step_up(action) and not visit.stepped_up:
                kept = typed_back.page(request, form, "prove", token, files=bool(files))
                return kept or RedirectResponse(_step_up(request), status_code=303)
            return handler(visit)
    except (NotFound, NotAllowed):
        # The work is rolled back; that somebody tried stays.
        with transaction("web") as db:
            if (member := entered(db, request, token, action)) is not None:
                wanted = _first_id(request.scope["path"])
                audit.append(db, member.region, member.username, action, "request", wanted, outcome="refused")
        raise


def _typed(
    request: Request,
    form: Mapping[str, str],
    visit: Visit | None,
    give_back: GiveBack | None,
    files: tuple[Upload, ...],
) -> Response | None:
    """What was typed in a session that ended, by the page's own way or the common one."""
    if request.method != "POST" or not forgery.from_our_own_page(request):
        return None
    if give_back:
        return give_back(request, form, visit)
    why: typed_back.Why = "again" if visit else "signed out"
    return typed_back.page(request, form, why, visit.session_token if visit else "", files=bool(files))


def _first_id(path: str) -> UUID | None:
    """What he tried to reach, when the path names something: whether it exists is not asked."""
    found = _ID.search(path)
    return UUID(found[0]) if found else None


def entered(db: Db, request: Request, token: str, action: str, *, quiet: bool = False) -> Member | None:
    """Tell the database whose transaction this is, and find out for ourselves; None without a live session.

    `quiet`: a page that stands open asks by itself (static/live.js says so): that does not keep the session alive.
    """
    if not token:
        return None
    present(db, sessions.key_of(token), purpose=purpose_of(action), origin=origin_of(request), request=uuid7().hex)
    return sessions.find(db, seen=not quiet and LIVE not in request.headers)


def _step_up(request: Request) -> str:
    """Where he proves himself again; a form that was sent goes back to its page, for it is not sent a second time."""
    path = request.scope["path"]
    return f"{STEP_UP}?{urlencode({'naar': path if request.method == 'GET' else '/'})}"


def _of_older_session(visit: Visit) -> bool:
    """Whether this form came from our own page, but with the token of a session that ended."""
    return forgery.from_our_own_page(visit.request) and not forgery.right_token(
        visit.session_token, visit.form.get(forgery.FIELD, "")
    )


def _refuse_forgery(visit: Visit) -> None:
    genuine = forgery.from_our_own_page(visit.request)
    if not genuine or not forgery.right_token(visit.session_token, visit.form.get(forgery.FIELD, "")):
        raise NotAllowed(
            "Dit formulier hoort niet bij uw sessie. Ga terug, laad de pagina opnieuw en probeer het nog eens."
        )
