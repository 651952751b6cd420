"""Signing in as a person does, for the tests: the password, the code of an app, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyotp

from core.database import Db
from core.staff import Login, look_up
from web.access import second_factor
from web.access.second_factor import STEP_S

OURS = {"sec-fetch-site": "same-origin"}
PASSWORD = "een lang wachtwoord"


def login(db: Db, username: str) -> Login:
    found = look_up(db, username)
    assert found is not None
    return found


def give_app(db: Db, username: str) -> str:
    """This member gets an authenticator app that is proven; returns its secret. Its next code is right at once."""
    member, now = login(db, username).member, datetime.now(UTC)
    second_factor.begin(db, member)
    begun = second_factor.begun(db, member)
    assert begun is not None
    assert second_factor.confirm(db, member, code(begun.secret), now)
    forget_steps(db)
    return begun.secret


def forget_steps(db: Db) -> None:
    """Some time goes by: the code of now was not used yet."""
    db.execute("UPDATE second_factor SET last_step = last_step - 10 WHERE last_step IS NOT NULL")


def code(secret: str, steps: int = 0) -> str:
    """The code of now, or of so many steps of 30 s from now."""
    return pyotp.TOTP(secret).at(int(datetime.now(UTC).timestamp()) + steps * STEP_S)


def send_password(client: Any, username: str, password: str = PASSWORD, **headers: str) -> Any:
    body = {"gebruikersnaam": username, "wachtwoord": password}
    return client.post("/inloggen", data=body, headers=OURS | headers)


def send_code(client: Any, typed: str, path: str = "/inloggen/code") -> Any:
    return client.post(path, data={"code": typed}, headers=OURS)


def sign_in_wholly(client: Any, db: Db, username: str, secret: str) -> Any:
    """Password and code; returns the last answer."""
    assert send_password(client, username).headers["location"] == "/inloggen/code"
    forget_steps(db)
    return send_code(client, code(secret))


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def outcomes(db: Db, action: str) -> list[str]:
    rows = db.execute("SELECT outcome FROM audit_entry WHERE action = %s ORDER BY at, number", (action,))
    return [row["outcome"] for row in rows]
