"""Senders: add one, give it a new key with an overlap, a place for callbacks, end it. A key is shown once, to who
proved himself.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import Row
from core.errors import Conflict
from intake import senders, webhooks
from intake.callback import WrongAddress
from radar.registers import change, rows
from radar.registers.kinds import SENDERS
from web.access.guard import Visit, screen
from web.access.scope import as_id
from web.language import constants
from web.pages.registers import HOME, item, number, store

PATH = f"{HOME}/{SENDERS.path}"
OVERLAPS = constants({"0": "meteen", "1": "1 uur", "24": "1 dag", "168": "1 week", "720": "30 dagen"})
"""Hours that the earlier key stays good."""
CHOOSE = "Kies hoe lang de oude sleutel nog werkt."
SURE = "Zet een vinkje: na het intrekken komt er niets meer binnen van deze afzender."


def new(visit: Visit) -> Response:
    return item(visit, SENDERS, None)


def add(visit: Visit) -> Response:
    """A new sender with its first key."""
    try:
        with visit.db.transaction():
            made = store(visit, SENDERS, None)
            row = rows.one(visit.db, visit.region, SENDERS, made) if made else {}
            key = senders.give_token(visit.db, row["id"])
    except change.Wrong as error:
        return item(visit, SENDERS, None, error.errors, 400)
    except Conflict as error:
        return item(visit, SENDERS, None, {"opslaan": error.message}, 409)
    return _shown_once(visit, row, key, "")


def ask_key(visit: Visit) -> Response:
    return _key_form(visit, _sender(visit))


def give_key(visit: Visit) -> Response:
    """A new key; the earlier ones end after the overlap."""
    row, hours = _sender(visit), visit.form.get("overlap", "")
    if hours not in OVERLAPS:
        return _key_form(visit, row, {"overlap": CHOOSE}, 400)
    try:
        with visit.db.transaction():
            overlap = timedelta(hours=number(hours) or 0)
            key = senders.rotate(visit.db, visit.region, row["oin"], overlap, visit.actor)
    except Conflict as error:
        return _key_form(visit, row, {"overlap": error.message}, 409)
    return _shown_once(visit, row, key, OVERLAPS[hours])


def revoke(visit: Visit) -> Response:
    row = _sender(visit)
    if visit.form.get("zeker") != "ja":
        return item(visit, SENDERS, row, {"zeker": SURE}, 400)
    senders.revoke(visit.db, visit.region, row["oin"], visit.actor)
    return RedirectResponse(f"{PATH}/{row['id']}", status_code=303)


def ask_webhook(visit: Visit) -> Response:
    return _webhook_form(visit, _sender(visit))


def set_webhook(visit: Visit) -> Response:
    """Where this sender hears that there is feedback; the secret that signs it is shown once."""
    row = _sender(visit)
    try:
        secret = webhooks.set_address(visit.db, visit.region, row["id"], visit.form.get("adres", ""), visit.actor)
    except WrongAddress as error:
        return _webhook_form(visit, row, {"adres": error.message}, 400)
    if secret is None:
        return RedirectResponse(f"{PATH}/{row['id']}", status_code=303)
    return visit.show("register_webhook_shown.html", one=row, secret=secret)


def _sender(visit: Visit) -> Row:
    found: UUID = as_id(visit.request.path_params["id"])
    return rows.one(visit.db, visit.region, SENDERS, found)


def _key_form(visit: Visit, row: Row, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return visit.show(
        "register_key.html", status, one=row, overlaps=list(OVERLAPS.items()), errors=errors or {}, form=visit.form
    )


def _webhook_form(visit: Visit, row: Row, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    form = dict(visit.form) if errors else {"adres": webhooks.address_of(visit.db, row["id"])}
    return visit.show("register_webhook.html", status, one=row, errors=errors or {}, form=form)


def _shown_once(visit: Visit, row: Row, key: str, overlap: str) -> Response:
    return visit.show("register_key_shown.html", one=row, key=key, overlap=overlap)


routes_of_senders: list[BaseRoute] = [
    screen(f"{PATH}/nieuw", new, "register.token"),
    screen(PATH, add, "register.token", "POST"),
    screen(f"{PATH}/{{id}}/sleutel", ask_key, "register.token"),
    screen(f"{PATH}/{{id}}/sleutel", give_key, "register.token", "POST"),
    screen(f"{PATH}/{{id}}/terugmelding", ask_webhook, "register.token"),
    screen(f"{PATH}/{{id}}/terugmelding", set_webhook, "register.token", "POST"),
    screen(f"{PATH}/{{id}}/intrekken", revoke, "register.change", "POST"),
]
