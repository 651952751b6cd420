"""Where a sender proves itself with its client id and secret: for a short-lived token, or for its own page."""

from __future__ import annotations

from core.database import transaction
from intake import sender_access
from intake.sender_access import Issued, Kind
from web.access import sender_lane


def prove(client_id: str, secret: str, kind: Kind, origin: str) -> Issued | int:
    """The token; or 0 for a pair that does not belong together, or for how many seconds to wait.

    One transaction at the door, which stays in every case.
    """
    with transaction("door") as db:
        issued = sender_access.issue(db, client_id, secret, kind)
        if issued is not None:
            return issued
        if held := sender_lane.must_wait(db, origin):
            return held
        sender_lane.refused(db, origin)
        sender_access.refuse(db, kind)
        return 0
