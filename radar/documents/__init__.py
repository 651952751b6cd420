"""Rules and texts as versioned documents: what there is, what a version must satisfy, what it would change, and which
one is in force. How a process reads them is in core/documents.py.
"""

from __future__ import annotations

from radar.documents.catalogue import ALL, Described
from radar.documents.store import (
    Listed,
    Stored,
    WrongDocument,
    activate,
    add,
    history,
    listing,
    require_fit,
    versions,
)

__all__ = [
    "ALL",
    "Described",
    "Listed",
    "Stored",
    "WrongDocument",
    "activate",
    "add",
    "history",
    "listing",
    "require_fit",
    "versions",
]
