"""Letters: versioned texts with named fields, drawn as a PDF and kept with their hash. Nothing else gets in."""

from __future__ import annotations

from radar.casework.letters.drawing import Unwritable, check
from radar.casework.letters.store import copy, kind_of, let_go, make, may_go, of_report, sent, unsent, words
from radar.casework.letters.templates import FieldsMissing, Text, texts

__all__ = [
    "FieldsMissing",
    "Text",
    "Unwritable",
    "check",
    "copy",
    "kind_of",
    "let_go",
    "make",
    "may_go",
    "of_report",
    "sent",
    "texts",
    "unsent",
    "words",
]
