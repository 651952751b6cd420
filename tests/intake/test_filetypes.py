"""What a file is follows from its content; what we do not know for sure is refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import settings
from intake.attachments import MAX_NAME, NotTaken, checked, clean_name
from intake.filetypes import ENDINGS, ODT, kind_of


def zipped(**parts: bytes) -> bytes:
    """A zip with these parts; `__` in a name is a slash, `_` a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


DOCX = zipped(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"})
OPEN = zipped(**{"mimetype": ODT, "content.xml": b"<office/>"})


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0....", "jpeg"),
        (b"II*\x00....", "tiff"),
        (b"MM\x00*....", "tiff"),
        (DOCX, "docx"),
        (OPEN, "odt"),
        ("Één gesprek.\r\nMet een tab\t.".encode(), "text"),
        (b"\xef\xbb\xbfMet een BOM", "text"),
    ],
)
def test_what_we_take(content: bytes, kind: str) -> None:
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"MZ\x90\x00",
        b"\x7fELF",
        b"GIF89a\x01\x00\x01\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"Rar!\x1a\x07",
        b"PK\x03\x04 geen zip",
        b"tekst met \x00 erin",
        b"tekst met \x1b[2J erin",
        "geen utf-8: é".encode("cp1252"),
        zipped(**{"a.exe": b"MZ"}),
        zipped(**{"[Content_Types].xml": b"", "word/document.xml": b"", "word/vbaProject.bin": b""}),
        zipped(**{"mimetype": ODT, "content.xml": b"", "Basic/script.xml": b""}),
        zipped(**{"mimetype": b"application/epub+zip", "content.xml": b""}),
        zipped(**{f"deel{number}": b"" for number in range(2001)}),
        DOCX[:-10],
    ],
)
def test_what_we_refuse(content: bytes) -> None:
    assert kind_of(content) is None


@given(st.binary(max_size=300))
def test_no_content_is_too_strange_to_judge(content: bytes) -> None:
    assert kind_of(content) in (None, *ENDINGS)
    assert kind_of(b"PK\x03\x04" + content) is None


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("verslag.pdf", "verslag.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\map\\verslag.exe", "verslag.pdf"),
        ("verslag\u202efdp.exe", "verslag_fdp.pdf"),
        ('a"b\r\nSet-Cookie: x.pdf', "a_b Set-Cookie_ x.pdf"),
        ("", "bijlage.pdf"),
        ("...", "bijlage.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("Één gesprek (2).PDF", "Één gesprek (2).pdf"),
    ],
)
def test_a_name_is_cleaned_and_gets_the_ending_of_what_it_is(name: str, cleaned: str) -> None:
    assert clean_name(name, "pdf") == cleaned


@given(st.text(max_size=300))
def test_no_name_has_a_path_or_a_control_character(name: str) -> None:
    cleaned = clean_name(name, "text")
    assert cleaned.endswith(".txt")
    assert len(cleaned) <= MAX_NAME + 4
    assert not set(cleaned) & set('/\\"\r\n\t\0<>|:*?')


def test_the_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"ATTACHMENT_BYTES": 2048, "ATTACHMENTS_PER_REPORT": 3, "ATTACHMENTS_TOTAL_BYTES": 4096}
    for name, value in limits.items():
        monkeypatch.setenv(f"VEILIG_{name}", str(value))
    settings.cache_clear()
    pdf = b"%PDF-1.7" + b"x" * 1000
    assert checked("a.pdf", pdf, [1000, 1000]).kind == "pdf"
    for content, before in ((pdf + b"x" * 2048, []), (pdf, [1, 1, 1]), (pdf, [2000, 1500]), (b"", [])):
        with pytest.raises(NotTaken):
            checked("a.pdf", content, before)
