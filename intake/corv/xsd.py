"""Optional advice from the official XSD, which the operator supplies (EUPL; we do not ship it).

Folder: the unpacked "StUF-koppelvlak Jeugdzorg, vtberichten, schemas (resolved)" zip, holding
`jz0100_msg_vtberichten_resolved*.xsd` and the files beside it. The "normatieve" zip has Windows paths inside and
cannot be loaded.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from core.errors import SettingsError
from intake.corv.elements import ABROAD, AT_HOME, CONTACT, HEADER, INFORMING, MESSAGE, OBJECT, Shape
from intake.corv.guard import DEFAULT_LIMITS, guard
from intake.corv.parse import SOAP

MAX_FINDINGS = 50
_ELEMENT = re.compile(r"Element '\{[^}']*\}([^']*)'")


class NoSchema(SettingsError):
    """In de map met XSD's staat geen jz0100_msg_vtberichten_resolved*.xsd dat te laden is."""


class OfficialSchema:
    """The schema of the standard, loaded once; `validate` may be called from several threads."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.rglob("jz0100_msg_vtberichten_resolved*.xsd"))
        if not files:
            raise NoSchema
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            self._schema = etree.XMLSchema(etree.parse(str(files[-1]), parser))
        except etree.LxmlError:
            raise NoSchema from None
        self._lock = threading.Lock()

    def validate(self, raw: bytes) -> list[str]:
        """What the XSD says of a message, as "element: rule"; empty when it is valid.

        lxml's messages quote the values, so only the name of a known element and the rule are kept. Raises
        `Refused` when the guard refuses the bytes.
        """
        # The size was judged at the door, whose limit is a setting: advice may not refuse what was accepted there.
        root = guard(raw, replace(DEFAULT_LIMITS, size=max(DEFAULT_LIMITS.size, len(raw))))
        if root.tag == f"{{{SOAP}}}Envelope":
            body = root.find(f"{{{SOAP}}}Body")
            root = body[0] if body is not None and len(body) else root
        # A document of its own: the schema is for the message, not for its envelope.
        document = etree.ElementTree(root)
        with self._lock:
            if self._schema.validate(document):
                return []
            entries: Any = self._schema.error_log
            found = [_finding(entry.message, entry.type_name) for entry in entries]
        return list(dict.fromkeys(found))[:MAX_FINDINGS]


@cache
def official_schema(folder: Path) -> OfficialSchema:
    """The schema in `folder`, loaded at the first call. Raises `NoSchema`."""
    return OfficialSchema(folder)


def _finding(message: str, rule: str) -> str:
    element = _ELEMENT.search(message)
    name = element.group(1) if element and element.group(1) in _KNOWN else "onbekend onderdeel"
    return f"{name}: {rule.removeprefix('SCHEMAV_').replace('_', '-').lower()}"


def _names(shape: Shape) -> set[str]:
    names = {element.name for element in shape.elements}
    for element in shape.elements:
        if element.children is not None:
            names |= _names(element.children)
    return names


_KNOWN = {MESSAGE, "stuurgegevens", "object", "extraElement"}.union(
    *(_names(shape) for shape in (HEADER, OBJECT, CONTACT, INFORMING, AT_HOME, ABROAD))
)
