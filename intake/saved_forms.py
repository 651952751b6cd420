"""Forms of professionals without a login, kept sealed while they are filled in, and to go on with later by a code.

A browser holds a random token, a person may hold a random code; of both only a keyed hash is kept. Sending has three
steps: `start_sending` asks for a job, the report is recorded at the door, `finish` puts its files there and empties
the form. After a crash in between the job does the last one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core import jobs
from core.database import Db, Row, now
from core.ids import uuid7
from core.sealing import seal, unseal
from core.secrets import keyed_hash, new_token
from core.settings import settings
from intake import attachments

FormKind = Literal["professional", "pharmacy"]
JOB = "finish_form"
GRACE = timedelta(minutes=2)
"""Longer than a request takes: until then the request itself finishes what it began."""
GROUPS, DIGITS = 8, 4
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""Of a number to name on the phone: no vowels, so no words, and nothing that looks like something else."""


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """A form that is open in a browser; once it was sent it has a `number`, and no answers any more."""

    id: UUID
    kind: FormKind
    answers: dict[str, str]
    region: UUID | None
    number: str
    sent_at: datetime | None

    @property
    def sent(self) -> bool:
        return self.sent_at is not None


@dataclass(frozen=True, slots=True, repr=False)
class SavedFile:
    """A file of a form, without its content."""

    id: UUID
    name: str
    kind: str
    size: int


def begin(db: Db, kind: FormKind, answers: Mapping[str, str], identifier: UUID | None = None) -> str | None:
    """A new form; returns the token for its browser, shown once.

    `identifier`: of a form of one page, which may be sent twice; None when it was sent as a report already.
    """
    token, identifier = new_token(), identifier or uuid7()
    made = db.execute(
        "INSERT INTO saved_form (id, kind, visit_hash, visit_until, answers)"
        " VALUES (%s, %s, %s, now() + make_interval(mins => %s), %s) ON CONFLICT (id) DO UPDATE SET visit_hash ="
        " excluded.visit_hash, visit_until = excluded.visit_until, answers = excluded.answers"
        " WHERE saved_form.sent_at IS NULL AND saved_form.kind = 'pharmacy'",
        (identifier, kind, _visit_hash(token), settings().form_minutes, _sealed(identifier, answers)),
    )
    return token if made.rowcount else None


def open_form(db: Db, token: str) -> Form | None:
    """The form that this browser has open, locked for this transaction; None when there is none (any more)."""
    if not token:
        return None
    row = db.execute(
        "SELECT * FROM saved_form WHERE visit_hash = %s AND visit_until > now() FOR UPDATE", (_visit_hash(token),)
    ).fetchone()
    return _form(row) if row else None


def write(db: Db, form: Form, answers: Mapping[str, str]) -> None:
    """Keep these answers; the form stays open for as long as it may lie idle."""
    db.execute(
        "UPDATE saved_form SET answers = %s, visit_until = now() + make_interval(mins => %s)"
        " WHERE id = %s AND sent_at IS NULL",
        (_sealed(form.id, answers), settings().form_minutes, form.id),
    )


def new_code(db: Db, form: Form) -> str:
    """A code to go on with later, shown once; an earlier one is worth nothing from now on."""
    digits = f"{secrets.randbelow(10 ** (GROUPS * DIGITS)):0{GROUPS * DIGITS}}"
    db.execute(
        "UPDATE saved_form SET code_hash = %s, code_until = now() + make_interval(hours => %s)"
        " WHERE id = %s AND sent_at IS NULL",
        (_code_hash(digits), settings().form_code_hours, form.id),
    )
    return " ".join(digits[start : start + DIGITS] for start in range(0, len(digits), DIGITS))


def go_on(db: Db, code: str) -> str | None:
    """Use a code: the token for this browser. None, the same for a wrong, a used and an expired one.

    A browser that still has the form open has it no more.
    """
    token = new_token()
    taken = db.execute(
        "UPDATE saved_form SET code_hash = NULL, code_until = NULL, visit_hash = %s,"
        " visit_until = now() + make_interval(mins => %s)"
        " WHERE code_hash = %s AND code_until > now() AND sent_at IS NULL",
        (_visit_hash(token), settings().form_minutes, _code_hash(code)),
    )
    return token if taken.rowcount else None


def leave(db: Db, form: Form) -> None:
    """This browser has the form no more; without a code it is gone for good at the next clearing."""
    db.execute("UPDATE saved_form SET visit_hash = NULL, visit_until = now() WHERE id = %s", (form.id,))


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────


def add_file(db: Db, form: Form, name: str, content: bytes) -> None:
    """Keep a file with the form; the same one twice is once. Raises attachments.NotTaken with what to do."""
    file = attachments.checked(name, content, [one.size for one in files(db, form)])
    identifier = uuid7()
    db.execute(
        "INSERT INTO saved_file (id, form_id, name, content, kind, size, sha256)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            identifier,
            form.id,
            seal(file.name.encode(), f"saved_file.name:{identifier}"),
            seal(file.content, f"saved_file.content:{identifier}"),
            file.kind,
            len(file.content),
            file.mark,
        ),
    )


def drop_file(db: Db, form: Form, identifier: UUID) -> None:
    """Take a file away again; one that is not there is no objection."""
    db.execute("DELETE FROM saved_file WHERE id = %s AND form_id = %s", (identifier, form.id))


def files(db: Db, form: Form) -> list[SavedFile]:
    """The files of a form, in the order in which they came."""
    rows = db.execute(
        "SELECT id, name, kind, size FROM saved_file WHERE form_id = %s ORDER BY added_at, id", (form.id,)
    ).fetchall()
    return [
        SavedFile(
            row["id"], unseal(bytes(row["name"]), f"saved_file.name:{row['id']}").decode(), row["kind"], row["size"]
        )
        for row in rows
    ]


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────


def start_sending(db: Db, form: Form, region: UUID) -> tuple[UUID, str]:
    """Write down that this form is being sent, and to whom; gives its region and number. To be committed before the
    report is recorded.

    A form that was tried before keeps its number, and its region too when the report is there already.
    """
    attempt = uuid7()
    row = db.execute(
        "UPDATE saved_form f SET region_id = CASE WHEN EXISTS (SELECT FROM message m WHERE m.sender_id = f.region_id"
        " AND m.reference = f.id::text AND m.outcome = 'report') THEN region_id ELSE %s END,"
        " number = coalesce(number, %s), sending = %s WHERE id = %s RETURNING region_id, number",
        (region, _number(), attempt, form.id),
    ).fetchone()
    if row is None:
        raise LookupError("saved_form")
    jobs.enqueue(db, row["region_id"], JOB, attempt, now(db) + GRACE)
    return row["region_id"], row["number"]


def finish(db: Db, attempt: UUID) -> None:
    """Put the files of a form at the report that it became, and empty the form. May be done twice.

    `attempt`: a try to send, or the form itself.

    Nothing happens when there is no such report: then its sender saw that, and the form waits for another try.
    """
    row = db.execute(
        "SELECT f.id, f.region_id, r.id AS report, r.received_at FROM saved_form f"
        " JOIN message m ON m.sender_id = f.region_id AND m.reference = f.id::text AND m.outcome = 'report'"
        " JOIN report r ON r.message_id = m.id WHERE %s IN (f.sending, f.id) AND f.sent_at IS NULL FOR UPDATE OF f",
        (attempt,),
    ).fetchone()
    if row is None:
        return
    for file in db.execute(
        "SELECT * FROM saved_file WHERE form_id = %s ORDER BY added_at, id", (row["id"],)
    ).fetchall():
        found = attachments.File(
            unseal(bytes(file["name"]), f"saved_file.name:{file['id']}").decode(),
            file["kind"],
            unseal(bytes(file["content"]), f"saved_file.content:{file['id']}"),
        )
        attachments.put(db, row["region_id"], row["report"], found, by="form", at=row["received_at"])
    db.execute("DELETE FROM saved_file WHERE form_id = %s", (row["id"],))
    db.execute(
        "UPDATE saved_form SET answers = '', code_hash = NULL, code_until = NULL, report_id = %s, sent_at = now()"
        " WHERE id = %s",
        (row["report"], row["id"]),
    )


def forget_old(db: Db) -> int:
    """Delete what nobody can open any more, and never a form of which the report is still to be finished."""
    return db.execute(
        "DELETE FROM saved_form f WHERE visit_until < now() AND coalesce(code_until < now(), true)"
        " AND (sent_at IS NOT NULL OR NOT EXISTS (SELECT FROM message m WHERE m.sender_id = f.region_id"
        " AND m.reference = f.id::text AND m.outcome = 'report'))"
    ).rowcount


def _form(row: Row) -> Form:
    answers = bytes(row["answers"])
    opened = json.loads(unseal(answers, f"saved_form.answers:{row['id']}")) if answers else {}
    return Form(row["id"], row["kind"], opened, row["region_id"], row["number"] or "", row["sent_at"])


def _sealed(identifier: UUID, answers: Mapping[str, str]) -> bytes:
    return seal(json.dumps(dict(answers), ensure_ascii=False).encode(), f"saved_form.answers:{identifier}")


def _visit_hash(token: str) -> bytes:
    return keyed_hash(f"form_visit:{token}")


def _code_hash(code: str) -> bytes:
    """Spaces, dashes and dots between the digits do not count."""
    return keyed_hash(f"form_code:{''.join(letter for letter in code if letter.isdecimal())}")


def _number() -> str:
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
