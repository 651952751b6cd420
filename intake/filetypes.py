"""What kind of file this is, by its content: a name or a declared type proves nothing. Nothing is opened or run."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Literal

from intake.input_rules import ILLEGAL_CHARACTERS

Kind = Literal["pdf", "png", "jpeg", "tiff", "docx", "odt", "text"]
ENDINGS: dict[Kind, str] = {
    "pdf": ".pdf",
    "png": ".png",
    "jpeg": ".jpg",
    "tiff": ".tif",
    "docx": ".docx",
    "odt": ".odt",
    "text": ".txt",
}
NAMES: dict[Kind, str] = {
    "pdf": "PDF",
    "png": "foto (PNG)",
    "jpeg": "foto (JPEG)",
    "tiff": "scan (TIFF)",
    "docx": "Word-document",
    "odt": "OpenDocument-tekst",
    "text": "tekst",
}
STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
ZIP = b"PK\x03\x04"
MAX_PARTS = 2000
_NOT_TEXT = re.compile("[\x7f-\x9f]")
"""Control characters that a message may hold, and a text file has no use for."""
ODT = b"application/vnd.oasis.opendocument.text"


def kind_of(content: bytes) -> Kind | None:
    """The kind of this content; None for everything that we do not take."""
    for start, kind in STARTS:
        if content.startswith(start):
            return kind
    if content.startswith(ZIP):
        return _document(content)
    return "text" if _is_text(content) else None


def _document(content: bytes) -> Kind | None:
    """A zip with the parts of a text document and without macros; of its parts only the list is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {entry.filename for entry in archive.infolist()[: MAX_PARTS + 1]}
            if len(parts) > MAX_PARTS or any(part.startswith("Basic/") or "vbaProject" in part for part in parts):
                return None
            if {"[Content_Types].xml", "word/document.xml"} <= parts:
                return "docx"
            if {"mimetype", "content.xml"} <= parts:
                with archive.open("mimetype") as part:
                    return "odt" if part.read(len(ODT) + 1).strip() == ODT else None
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, NotImplementedError):
        return None
    return None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not _NOT_TEXT.search(text) and not ILLEGAL_CHARACTERS.search(text.replace("\f", ""))
