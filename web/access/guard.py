"""The guard on every screen: one transaction in which the session, the rights, the form and the work stand or fall.

A handler is a plain function of a `Visit`. It runs in a thread, after the guard has settled who is asking, whether
his role may do the action, and for a form that it came from our own page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import audit
from core.database import Db, transaction
from core.deadlines import AMSTERDAM
from core.errors import NotAllowed, NotFound
from core.staff import Member
from web import templates
from web.access import forgery, sessions
from web.access.matrix import may

MAX_FIELDS = 60
MAX_FORM_BYTES = 256 * 1024
SIGN_IN = "/inloggen"


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

    @property
    def region(self) -> UUID:
        return self.member.region

    @property
    def actor(self) -> str:
        """The name in the audit trail and in decisions."""
        return self.member.username

    def may(self, action: str) -> bool:
        return may(self.member.role, action)

    def note(
        self, action: str, object_kind: str, object_id: UUID | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        """Write in the audit trail that this was seen or done, in the same transaction."""
        audit.append(self.db, self.region, self.actor, action, object_kind, object_id, details)

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """The page for this visitor."""
        token = forgery.form_token(self.session_token)
        return templates.page(
            template,
            status,
            now=self.at.astimezone(AMSTERDAM),
            member=self.member,
            may=self.may,
            form_token=token,
            **values,
        )


Handler = Callable[[Visit], Response]


def screen(path: str, handler: Handler, action: str, method: str = "GET") -> Route:
    """A route that only somebody with the right to `action` reaches. `method` is GET or POST."""

    async def endpoint(request: Request) -> Response:
        form = await read_form(request) if request.method == "POST" else {}
        return await run_in_threadpool(_visit, request, form, handler, action)

    return Route(path, endpoint, methods=[method], name=f"{method} {path}", max_body_size=MAX_FORM_BYTES)


async def read_form(request: Request) -> dict[str, str]:
    """The text fields of a form; files and repeated fields are not ours and are left out."""
    async with request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_FORM_BYTES) as form:
        return {name: value.replace("\x00", "") for name, value in form.items() if isinstance(value, str)}


def _visit(request: Request, form: Mapping[str, str], handler: Handler, action: str) -> Response:
    token = sessions.token_of(request)
    try:
        with transaction() as db:
            member = sessions.find(db, token) if token else None
            if member is None:
                return RedirectResponse(SIGN_IN, status_code=303)
            visit = Visit(request, db, member, token, _now(db), form)
            if request.method == "POST":
                _refuse_forgery(visit)
            if not visit.may(action):
                raise NotAllowed("Uw rol mag dit niet. Vraag uw teamleider als u dit voor uw werk nodig hebt.")
            return handler(visit)
    except (NotFound, NotAllowed):
        # The work is rolled back; that somebody tried stays.
        with transaction() as db:
            if (member := sessions.find(db, token)) is not None:
                audit.append(db, member.region, member.username, action, "request", outcome="refused")
        raise


def _now(db: Db) -> datetime:
    row = db.execute("SELECT now() AS at").fetchone()
    if row is None:
        raise NotFound
    moment: datetime = row["at"]
    return moment


def _refuse_forgery(visit: Visit) -> None:
    genuine = forgery.from_our_own_page(visit.request)
    if not genuine or not forgery.right_token(visit.session_token, visit.form.get(forgery.FIELD, "")):
        raise NotAllowed(
            "Dit formulier hoort niet bij uw sessie. Ga terug, laad de pagina opnieuw en probeer het nog eens."
        )
