"""Functional answers on their way out (Bv01, Fo01): sent to the reply address of the sender, by a durable job.

Sent at least once: a stored body never changes, so its referentienummer lets the receiver see a repeat.
"""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener
from uuid import UUID

from core import audit
from core.database import Db
from core.errors import VeiligError

TIMEOUT_S = 5.0
"""Below the idle-in-transaction limit: the row stays locked while its answer is on its way."""


class NotDelivered(VeiligError):
    """Het antwoord kon niet worden afgeleverd."""


class _NoRedirect(HTTPRedirectHandler):
    """An answer goes to the address that the operator set, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def send_reply(db: Db, reply_id: UUID) -> None:
    """Post one stored answer to its sender's reply address; without such an address there is nothing to do.

    Raises NotDelivered, after which the job is tried again.
    """
    row = db.execute(
        "SELECT o.*, s.reply_url FROM outgoing_reply o JOIN message m ON m.id = o.message_id"
        " JOIN sender s ON s.id = m.sender_id WHERE o.id = %s FOR UPDATE OF o",
        (reply_id,),
    ).fetchone()
    if row is None or row["sent_at"] or not row["reply_url"]:
        return
    _post(row["reply_url"], bytes(row["body"]), row["kind"])
    db.execute("UPDATE outgoing_reply SET sent_at = now() WHERE id = %s", (reply_id,))
    audit.append(db, row["region_id"], "system", "reply.send", "message", row["message_id"], {"kind": row["kind"]})


def _post(url: str, body: bytes, kind: str) -> None:
    if urlsplit(url).scheme not in ("https", "http"):
        raise NotDelivered
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{kind}"'}
    request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 (scheme checked above)
    opener = build_opener(_NoRedirect, ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            status = response.status
    except HTTPError as error:
        error.close()
        status = error.code
    except OSError:
        raise NotDelivered from None
    if not 200 <= status < 300:
        raise NotDelivered
