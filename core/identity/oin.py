"""The organisation number (organisatie-identificatienummer, OIN) that senders and receivers carry."""

from __future__ import annotations

import re

from core.errors import VeiligError

_OIN = re.compile(r"[0-9]{20}")


class InvalidOin(VeiligError):
    """Een OIN heeft precies 20 cijfers."""

    status = 400


def parse_oin(raw: str) -> str:
    """The 20 digits of an OIN, outer white space removed. Raises InvalidOin.

    The OIN itself may hold letters, but StUF-JZ `oinNummer` allows digits only (standards.md 2.2).
    """
    text = raw.strip()
    if not _OIN.fullmatch(text):
        raise InvalidOin
    return text
