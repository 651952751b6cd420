"""Value objects for who and where: each keeps the raw text and says how far it can be trusted."""

from __future__ import annotations

from core.identity.addresses import Address
from core.identity.bsn import Bsn
from core.identity.dates import PartialDate
from core.identity.names import DutchName, split_prefix
from core.identity.oin import InvalidOin, parse_oin
from core.identity.phones import Phone

__all__ = [
    "Address",
    "Bsn",
    "DutchName",
    "InvalidOin",
    "PartialDate",
    "Phone",
    "parse_oin",
    "split_prefix",
]
