"""Notices by mail and text message: fixed texts to a channel that was said to be safe, begun once (security.md D7).

That it begins is committed before it leaves. Whoever finds it begun does not send it again: a person decides.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from core import audit
from core.database import Db, Row, now, transaction
from core.documents import Kind
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.settings import settings
from intake.delivery import NotDelivered
from radar.outbound import gate, mail, recipients, release, rows, safe_contacts
from radar.outbound.gate import Objection

FILE = Path(__file__).with_name("notices.toml")
JOB = release.NOTICE_JOB
UNKNOWN = Objection("unknown", gate.TEXTS["unknown"])
UNSAFE = Objection("safe_contact", "Deze manier is niet meer veilig, of dit is geen veilig moment.")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Notice(_Data):
    """One fixed text, for a person or for a partner."""

    title: str
    audience: Literal["person", "partner"]
    subject: str
    text: str

    @model_validator(mode="after")
    def _fixed(self) -> Self:
        used = {name for one in (self.subject, self.text) for _, name, _, _ in Formatter().parse(one)} - {None}
        if used - ({"start"} if self.audience == "partner" else set()):
            raise ValueError("a notice is a fixed text")
        if len(self.text) > 300:
            raise ValueError("a notice is short")
        return self


class Notices(_Data):
    """The whole file."""

    version: str
    notices: dict[str, Notice]


texts = Kind("notices", "file of notices", lambda: FILE, Notices.model_validate)
"""The texts in force. Raises SettingsError when the file is wrong."""


def to_person(
    db: Db, report_id: UUID, mention_id: UUID, template: str, channel: str, *, by: str, at: datetime
) -> UUID:
    """Send a notice to a person at his next safe moment; gives its id.

    Raises NotFound; Conflict without a channel that he said is safe, or that this installation does not have.
    """
    known = texts().notices.get(template)
    if known is None or known.audience != "person":
        raise NotFound
    contact = next((row for row in safe_contacts.of_person(db, mention_id) if row["channel"] == channel), None)
    if contact is None or channel not in ("mail", "sms"):
        raise Conflict("Deze persoon heeft niet gezegd dat dit veilig is. Stuur niets.")
    return _plan(db, report_id, template, channel, ("person", mention_id), contact["id"], None, by, at)


def to_partner(db: Db, report_id: UUID, team_id: UUID, template: str, *, by: str, at: datetime) -> UUID:
    """Send a notice to the mailbox of a partner; gives its id. Raises NotFound; Conflict without a mailbox."""
    known = texts().notices.get(template)
    region = db.execute("SELECT region_id FROM report WHERE id = %s", (report_id,)).fetchone()
    if known is None or known.audience != "partner" or region is None:
        raise NotFound
    if not recipients.partner(db, region["region_id"], team_id, at)["mailbox"]:
        raise Conflict("Van deze partner is geen postbus vastgelegd.")
    return _plan(db, report_id, template, "mail", ("partner", team_id), None, team_id, by, at)


def _plan(
    db: Db,
    report_id: UUID,
    template: str,
    channel: str,
    recipient: tuple[Literal["person", "partner"], UUID],
    contact_id: UUID | None,
    team_id: UUID | None,
    by: str,
    at: datetime,
) -> UUID:
    if not mail.is_set(channel):
        raise Conflict("Mail of sms is op dit systeem niet ingesteld. Vraag de beheerder.")
    notice = uuid7()
    db.execute(
        "INSERT INTO notice (id, region_id, report_id, template, template_version, channel, contact_id, team_id,"
        " made_at, made_by) SELECT %s, region_id, id, %s, %s, %s, %s, %s, %s, %s FROM report WHERE id = %s",
        (notice, template, texts().version, channel, contact_id, team_id, at, by, report_id),
    )
    made = release.propose(
        db,
        kind="notice",
        subject=notice,
        report_id=report_id,
        recipient=recipient,
        parts=["notice"],
        by=by,
        at=at,
    )
    release.release(db, made, by=by, at=at)
    return notice


def send(db: Db, notice_id: UUID) -> None:
    """Job 'send_notice': send it once. Raises NotDelivered when it surely did not go: then it is tried again."""
    row = db.execute(
        "SELECT n.*, j.generation AS job_generation FROM notice n LEFT JOIN job j ON j.kind = 'send_notice'"
        " AND j.subject_id = n.id WHERE n.id = %s",
        (notice_id,),
    ).fetchone()
    if row is None or row["state"] in ("sent", "unknown"):
        return
    if row["state"] == "begun":
        _nobody_knows(db, row)  # another began it and did not come back
        return
    to = _address(db, row, now(db))
    if to is None:
        gate.hold(db, release.required(db, "notice", notice_id), [UNSAFE], now(db))
        return
    content = _content(row, to)
    if gate.pass_out(db, "notice", notice_id, content, by="system", at=now(db)) is None:
        return
    if not _begin(row):
        _nobody_knows(db, row)
        return
    try:
        _hand_over(row, to, content)
    except mail.NotSent:
        _take_back(row)
        raise NotDelivered from None
    except mail.NobodyKnows:
        _nobody_knows(db, row)
        return
    db.execute("UPDATE notice SET state = 'sent', sent_at = clock_timestamp() WHERE id = %s", (notice_id,))
    details = {"template": row["template"], "channel": row["channel"]}
    audit.append(db, row["region_id"], "system", "notice.send", "report", row["report_id"], details)


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The notices about a report, newest first, with the person or partner they are for."""
    return db.execute(
        "SELECT n.id, n.template, n.channel, n.state, n.made_at, n.made_by, n.sent_at, c.mention_id, n.team_id,"
        " o.id AS outgoing FROM notice n LEFT JOIN safe_contact c ON c.id = n.contact_id"
        " LEFT JOIN outgoing o ON o.kind = 'notice' AND o.subject_id = n.id"
        " WHERE n.region_id = %s AND n.report_id = %s ORDER BY n.made_at DESC, n.id DESC",
        (region, report_id),
    ).fetchall()


def _address(db: Db, row: Row, at: datetime) -> str | None:
    """Where it goes, looked up at the last moment; None when that is safe no longer."""
    if row["team_id"]:
        known: str | None = recipients.partner(db, row["region_id"], row["team_id"], at)["mailbox"]
        return known
    contact = safe_contacts.for_sending(db, row["contact_id"])
    return safe_contacts.address_of(contact) if contact and safe_contacts.is_safe(contact, at) else None


def _content(row: Row, to: str) -> bytes:
    notice = texts().notices[row["template"]]
    text = notice.text.replace("{start}", settings().start_page or "onze website")
    return mail.message(to, notice.subject, text, row) if row["channel"] == "mail" else text.encode()


def _hand_over(row: Row, to: str, content: bytes) -> None:
    if row["channel"] == "mail":
        mail.send_mail(to, content)
    else:
        mail.send_sms(to, content.decode())


def _begin(row: Row) -> bool:
    """Committed at once, so that whoever comes after us knows; False when another was first."""
    with transaction() as own:
        begun = own.execute(
            "UPDATE notice SET state = 'begun', begun_at = clock_timestamp(), generation = %s"
            " WHERE id = %s AND state = 'waiting'",
            (row["job_generation"] or 0, row["id"]),
        )
        return begun.rowcount == 1


def _take_back(row: Row) -> None:
    with transaction() as own:
        own.execute(
            "UPDATE notice SET state = 'waiting', begun_at = NULL, generation = NULL"
            " WHERE id = %s AND state = 'begun'",
            (row["id"],),
        )


def _nobody_knows(db: Db, row: Row) -> None:
    db.execute("UPDATE notice SET state = 'unknown' WHERE id = %s AND state = 'begun'", (row["id"],))
    gate.hold(db, rows.locked(db, release.required(db, "notice", row["id"])["id"]), [UNKNOWN], now(db))
