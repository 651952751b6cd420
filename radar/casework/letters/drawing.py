"""A letter on A4 as PDF: the same bytes for the same words, Dutch, no personal data in the properties.

The fonts that come with reportlab have no ş-with-comma, ć-on-a-vowel and the like. Such a letter is drawn from its
parts (the letter and its accent), with the letter itself in the file for who copies it or has it read aloud. A letter
that cannot be drawn is refused by name: never an empty box in somebody's name.
"""

# ruff: noqa: RUF001 -- look-alikes are what this is about
from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from core.errors import VeiligError

PLAIN, BOLD = "Vera", "VeraBd"
SIZE, LEADING, GAP = 10.5, 15.5, 8.0
LEFT, TOP, BOTTOM = 25 * mm, A4[1] - 25 * mm, 25 * mm
WIDTH = A4[0] - 2 * LEFT
CAPITALS_RISE = 0.18
"""How much higher (in em) an accent stands on a capital or a tall letter than on an x."""
TALL = frozenset("bdfhklt")
_ABOVE = dict(zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c", "`´ˆ˜¯˘˙¨˚˝ˇ", strict=True))
_BELOW = {"\u0327": "¸", "\u0328": "˛", "\u0326": ",", "\u0323": ".", "\u0331": "¯"}
_BELOW_RISE = {"\u0326": -0.2, "\u0323": -0.2, "\u0331": -0.75}
_STROKED = {"Ħ": "H", "ħ": "h", "Ŧ": "T", "ŧ": "t"}
_SAME_LOOK = {"ij": "ij", "IJ": "IJ", "ŀ": "l·", "Ŀ": "L·", "ẞ": "ß", "Đ": "Ð", "ʼ": "’", "‐": "-", "‑": "-"}
_SPACES = str.maketrans(dict.fromkeys("\u2007\u2009\u202f\t", " "))
_drawing = Lock()


class Unwritable(VeiligError):
    """Dit teken kan niet in een brief."""

    status = 400


@dataclass(frozen=True, slots=True)
class Mark:
    """A shape on or under a letter: what, how far to the right (0 left edge, 1 right edge) and how high, in em."""

    shape: str
    place: float
    rise: float


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter of the text: `drawn` from the font, with the marks that the font has no letter for."""

    said: str
    drawn: str
    marks: tuple[Mark, ...] = ()


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """The characters that both fonts have; registers the fonts."""
    known = []
    for name in (PLAIN, BOLD):
        font = TTFont(name, f"{name}.ttf")
        pdfmetrics.registerFont(font)
        # The fonts name characters (Đ, ď) for which they hold nothing but the empty box, which is glyph 0.
        known.append({chr(code) for code, glyph in font.face.charToGlyph.items() if glyph})
    return frozenset(known[0] & known[1])


def glyphs(text: str) -> list[Glyph]:
    """The text letter by letter, as it will be drawn. Raises Unwritable, naming the character."""
    # Characters without a shape, as come along when somebody copies a name, are left out.
    seen = "".join(one for one in text.translate(_SPACES) if unicodedata.category(one) != "Cf")
    return list(_glyphs(unicodedata.normalize("NFC", seen)))


def check(text: str) -> None:
    """Whether a letter can hold this text. Raises Unwritable, naming the character."""
    for line in text.splitlines():
        glyphs(line)


def _glyphs(text: str) -> Iterator[Glyph]:
    # A letter and the accents behind it that no single character exists for belong together.
    clusters: list[str] = []
    for character in text:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    for cluster in clusters:
        yield Glyph(cluster, cluster) if cluster in _known() else _composed(cluster)


def _composed(cluster: str) -> Glyph:
    if cluster in _SAME_LOOK:
        return Glyph(cluster, _SAME_LOOK[cluster])
    if cluster in _STROKED:
        return Glyph(cluster, _STROKED[cluster], (Mark("-", 0.35, 0.25 if cluster != "ŧ" else 0.0),))
    base, *accents = list(unicodedata.normalize("NFD", cluster))
    # As many accents as the font has a letter for: ǻ is å with an acute.
    while accents and len(whole := unicodedata.normalize("NFC", base + accents[0])) == 1 and whole in _known():
        base = whole
        del accents[0]
    if base not in _known() or not base.isprintable() or any(one not in _ABOVE | _BELOW for one in accents):
        raise Unwritable(_refusal(cluster))
    marked = base in "ÀÁÂÃÄÅàáâãäåÈÉÊËèéêëÌÍÎÏìíîïÒÓÔÕÖòóôõöÙÚÛÜùúûü"
    tall = base[0].isupper() or base in TALL
    rise = CAPITALS_RISE * tall + 0.2 * marked
    marks = []
    for one in accents:
        if one == "\u030c" and base in "dltL":
            marks.append(Mark("’", 1.15, 0.0))
        elif one == "\u0327" and base == "g":
            marks.append(Mark("‘", 0.5, 0.0))
        elif one in _ABOVE:
            marks.append(Mark(_ABOVE[one], 0.5, rise))
            rise += 0.2
        else:
            place = 0.85 if one == "\u0328" else 0.5
            marks.append(Mark(_BELOW[one], place, _BELOW_RISE.get(one, 0.0)))
    above = any(one in _ABOVE for one in accents)
    return Glyph(cluster, "ı" if base == "i" and above else base, tuple(marks))


def _refusal(cluster: str) -> str:
    code = " ".join(f"U+{ord(one):04X}" for one in cluster)
    shown = cluster if cluster.isprintable() else ""
    return f"Het teken '{shown}' ({code}) kan niet in een brief. Schrijf het in gewone Latijnse letters."


def draw(given: Mapping[str, str], subject: str, paragraphs: Sequence[str], foot: str = "") -> bytes:
    """The letter. `given`: regio, datum and kenmerk; `foot`: what each page says of this copy. Raises Unwritable."""
    head = [(BOLD, 13.0, f"Veilig Thuis {given['regio']}".replace("Veilig Thuis Veilig Thuis", "Veilig Thuis"))]
    about = [(PLAIN, SIZE, f"{name}: {given[key]}") for name, key in (("Datum", "datum"), ("Kenmerk", "kenmerk"))]
    blocks = [head, about, [(BOLD, SIZE, subject)]]
    blocks += [[(PLAIN, SIZE, line) for line in part.splitlines()] for part in paragraphs]
    ready = [
        [(font, size, one) for font, size, text in block for one in lines(glyphs(text), font, size)]
        for block in blocks
    ]
    target = io.BytesIO()
    # One at a time: a font keeps what it has of each document.
    with _drawing:
        canvas = Canvas(target, pagesize=A4, invariant=1, pageCompression=1, lang="nl")
        canvas.setTitle(subject)
        canvas.setAuthor(head[0][2])
        canvas.setSubject("Brief")
        canvas.setCreator("Veilig Thuis Radar")
        _pages(canvas, ready, given["kenmerk"], foot)
        canvas.save()
    return target.getvalue()


Line = tuple[str, float, list[Glyph]]


def _pages(canvas: Canvas, blocks: Sequence[Sequence[Line]], reference: str, foot: str) -> None:
    page, y = 1, TOP
    for block in blocks:
        for font, size, line in block:
            if y < BOTTOM:
                _foot(canvas, reference, page, foot)
                canvas.showPage()
                page, y = page + 1, TOP
            _line(canvas, LEFT, y, font, size, line)
            y -= LEADING
        y -= GAP
    _foot(canvas, reference, page, foot)
    canvas.showPage()


def _foot(canvas: Canvas, reference: str, page: int, more: str) -> None:
    _line(canvas, LEFT, BOTTOM - 2 * LEADING, PLAIN, 8.0, glyphs(f"Kenmerk {reference}, bladzijde {page}"))
    if more:
        _line(canvas, LEFT, BOTTOM - 3 * LEADING, PLAIN, 8.0, glyphs(more))


def lines(text: Sequence[Glyph], font: str, size: float, width: float = WIDTH) -> list[list[Glyph]]:
    """Break at spaces, and within a word only when it is wider than the page. At least one line."""
    found: list[list[Glyph]] = [[]]
    for word in _words(text):
        if found[-1] and _width([*found[-1], Glyph(" ", " "), *word], font, size) > width:
            found.append([])
        elif found[-1]:
            found[-1].append(Glyph(" ", " "))
        for one in word:
            if found[-1] and _width([*found[-1], one], font, size) > width:
                found.append([])
            found[-1].append(one)
    return found


def _words(text: Sequence[Glyph]) -> list[list[Glyph]]:
    words: list[list[Glyph]] = [[]]
    for one in text:
        if one.drawn == " ":
            words.append([])
        else:
            words[-1].append(one)
    return [word for word in words if word]


def _width(text: Sequence[Glyph], font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth("".join(one.drawn for one in text), font, size))


def _line(canvas: Canvas, x: float, y: float, font: str, size: float, line: Sequence[Glyph]) -> None:
    """Draw in runs: what the font has goes as one string, a composed letter on its own."""
    canvas.setFont(font, size)
    run: list[Glyph] = []
    for one in [*line, None]:
        if one is not None and one.said == one.drawn and not one.marks:
            run.append(one)
            continue
        if run:
            canvas.drawString(x, y, "".join(plain.drawn for plain in run))
            x += _width(run, font, size)
            run = []
        if one is not None:
            _compose(canvas, x, y, font, size, one)
            x += _width([one], font, size)


def _compose(canvas: Canvas, x: float, y: float, font: str, size: float, one: Glyph) -> None:
    # Parts that are drawn over each other, said as the one letter that they are (PDF 32000-1, 14.9.4).
    said = one.said.encode("utf-16-be").hex().upper()
    canvas._code.append(f"/Span <</ActualText <FEFF{said}>>> BDC")
    canvas.drawString(x, y, one.drawn)
    width = _width([one], font, size)
    for mark in one.marks:
        own = float(pdfmetrics.stringWidth(mark.shape, font, size))
        canvas.drawString(x + mark.place * width - own / 2, y + mark.rise * size, mark.shape)
    canvas._code.append("EMC")
