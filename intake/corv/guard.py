"""The guard before the parser: one linear look at the bytes, so that nothing dangerous ever reaches lxml.

Refused: too large, not UTF-8, illegal characters, DOCTYPE and entities, processing instructions, too deep, too many
elements or attributes (standards.md 10.2 step 1; security.md F9).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from core.errors import VeiligError
from intake.corv.codes import ERRORS

_BOM = b"\xef\xbb\xbf"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"<\?xml[ \t\r\n][^<>?]{0,200}\?>")
_ENCODING = re.compile(r"""encoding[ \t\r\n]{0,20}=[ \t\r\n]{0,20}["']([^"']{0,40})["']""", re.IGNORECASE)
# Every "<" of a well-formed message is one of these, the last is anything else. Possessive, so that it is linear; the
# one literal "<" in front makes the search fast.
_MARKUP = re.compile(
    r"""<(?:(?P<end>/)
    |(?P<start>[^<>"'/!?=\s][^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+)*+>)
    |(?P<skip>!--(?:[^-]++|-(?!->))*+-->|!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>)
    |(?P<refused>))""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""=\s*+(?:"[^"]*+"|'[^']*+')""")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may be at most: `size` in bytes; the standard's own message is 10 levels deep."""

    size: int = 2 * 1024 * 1024
    depth: int = 64
    elements: int = 20_000
    attributes: int = 40_000
    attributes_per_element: int = 64


DEFAULT_LIMITS = Limits()


class Refused(VeiligError):
    """Dit bericht is geweigerd."""

    status = 400

    def __init__(self, code: str, stuf_code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.stuf_code = stuf_code
        self.text = text


def _refused(text: str, code: str = "VT-E055") -> Refused:
    return Refused(code, ERRORS[code].stuf, text)


def guard(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> etree._Element:
    """Check `raw` and parse it. Returns the root element; raises `Refused` with a text free of personal data."""
    scan(raw, limits)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=False,
        remove_pis=False,
        recover=False,
    )
    try:
        root = etree.fromstring(raw.removeprefix(_BOM), parser)
    except etree.XMLSyntaxError as error:
        # The message of lxml quotes the document; the line number does not.
        raise _refused(f"Het bericht is geen geldige XML (regel {error.lineno}).") from None
    except ValueError:
        raise _refused("Het bericht is geen geldige XML.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("Een DOCTYPE is niet toegestaan.")
    return root


def scan(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Everything that is checked before a parser sees the bytes. Raises `Refused`. Time is linear in the size."""
    if len(raw) > limits.size:
        raise _refused(f"Het bericht is groter dan {limits.size} bytes.", "VT-E301")
    try:
        text = raw.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise _refused("Het bericht is niet in UTF-8.") from None
    if _ILLEGAL.search(text):
        raise _refused("Het bericht bevat een teken dat in XML niet mag.")
    start = 0
    if text.startswith("<?xml"):
        start = _after_declaration(text)
    _scan_markup(text, start, limits)


def _after_declaration(text: str) -> int:
    declaration = _DECLARATION.match(text)
    if declaration is None:
        raise _refused("De XML-declaratie is niet leesbaar.")
    encoding = _ENCODING.search(declaration.group())
    if encoding is not None and encoding.group(1).lower() not in ("utf-8", "utf8"):
        raise _refused("Het bericht noemt een andere codering dan UTF-8.")
    return declaration.end()


def _scan_markup(text: str, position: int, limits: Limits) -> None:
    depth = elements = attributes = 0
    for found in _MARKUP.finditer(text, position):
        kind = found.lastgroup
        if kind == "end":
            depth -= 1
        elif kind == "start":
            tag = found.group("start")
            elements += 1
            if tag[-2] != "/":
                depth += 1
            if "=" in tag:
                here = len(_QUOTED.findall(tag))
                attributes += here
                if here > limits.attributes_per_element or attributes > limits.attributes:
                    raise _refused("Het bericht bevat te veel attributen.")
            if depth > limits.depth:
                raise _refused(f"Het bericht is dieper dan {limits.depth} lagen.")
            if elements > limits.elements:
                raise _refused(f"Het bericht heeft meer dan {limits.elements} elementen.")
        elif kind == "refused":
            raise _refused_markup(text[found.end() : found.end() + 1])


def _refused_markup(following: str) -> Refused:
    if following == "!":
        return _refused("Een DOCTYPE, ENTITY of andere declaratie is niet toegestaan.")
    if following == "?":
        return _refused("Een verwerkingsinstructie is niet toegestaan.")
    return _refused("Het bericht is geen geldige XML.")
