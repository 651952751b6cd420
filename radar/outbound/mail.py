"""Mail by SMTP and text messages by a provider's web address: one fixed text to one address, and whether it went.

Three answers: it went, it surely did not (may be tried again), or nobody knows (is never tried again by itself).
"""

from __future__ import annotations

import json
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import unquote, urlsplit

from core.database import Row
from core.errors import VeiligError
from core.settings import settings

TIMEOUT_S = 5.0
"""Below the idle-in-transaction limit of the job that sends."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class NotSent(VeiligError):
    """Het bericht is zeker niet verstuurd."""


class NobodyKnows(VeiligError):
    """Het is niet bekend of het bericht is verstuurd."""


def is_set(channel: str) -> bool:
    """Whether this installation can send by this channel."""
    return (settings().smtp_url if channel == "mail" else settings().sms_url) is not None


def message(to: str, subject: str, text: str, made: Row) -> bytes:
    """The bytes of a mail: sender, receiver, a fixed subject and a fixed text; no names, no software, no host.

    `made`: `made_at` is its moment, so that the same notice has the same bytes but for its number.
    """
    mail = EmailMessage(policy=SMTP)
    sender = settings().smtp_from or ""
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(made["made_at"])
    mail["Message-ID"] = make_msgid(made["id"].hex, domain=sender.partition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail.as_bytes()


def send_mail(to: str, content: bytes) -> None:
    """Hand a mail to the server, over TLS; a server on this machine may do without. Raises NotSent, NobodyKnows."""
    where = urlsplit(settings().smtp_url or "")
    try:
        with _server(where.scheme, where.hostname or "", where.port) as server:
            if where.username:
                server.login(unquote(where.username), unquote(where.password or ""))
            if server.mail(settings().smtp_from or "")[0] != 250 or server.rcpt(to)[0] not in (250, 251):
                raise NotSent
            _hand_over(server, content)
    except (OSError, smtplib.SMTPException):
        raise NotSent from None


def _server(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    name = "localhost"  # what we call ourselves: not the name of this machine
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, local_hostname=name, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, port or 587, local_hostname=name, timeout=TIMEOUT_S)
    if host not in LOOPBACK:
        server.starttls(context=context)
    return server


def _hand_over(server: smtplib.SMTP, content: bytes) -> None:
    """From here on a broken line leaves it unknown: the server may have taken it."""
    try:
        status, _ = server.data(content)
    except smtplib.SMTPDataError:
        raise NotSent from None
    except (OSError, smtplib.SMTPException):
        raise NobodyKnows from None
    if status != 250:
        raise NotSent


def send_sms(to: str, text: str) -> None:
    """Ask the provider to send a text message. Raises NotSent, NobodyKnows.

    The form of the request (JSON with `to` and `text`) is our own: no provider's interface was verified.
    """
    where = urlsplit(settings().sms_url or "")
    secure = where.scheme == "https"
    if not secure and where.hostname not in LOOPBACK:
        raise NotSent
    kind = HTTPSConnection if secure else HTTPConnection
    line = kind(where.hostname or "", where.port, timeout=TIMEOUT_S)
    try:
        line.connect()
    except (OSError, socket.gaierror, ssl.SSLError):
        raise NotSent from None
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {settings().sms_token}"}
    try:
        line.request("POST", where.path or "/", json.dumps({"to": to, "text": text}), headers)
        status = line.getresponse().status
    except (OSError, HTTPException):
        raise NobodyKnows from None
    finally:
        line.close()
    if 400 <= status < 500:
        raise NotSent
    if not 200 <= status < 300:
        raise NobodyKnows
