"""Reads an element into plain values by the table of `elements`: one pass over the children, nothing lost.

What the table does not know is kept raw. An element that may occur once and occurs twice is reported, never dropped.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from intake.corv.codes import NIL_WITHOUT_REASON
from intake.corv.elements import NAMESPACES, Element, Shape, tags_of
from intake.remarks import Remark, remark

_STUF = "{" + NAMESPACES["StUF"] + "}"
_XSI = "{" + NAMESPACES["xsi"] + "}"

_NO_VALUE = (_STUF + "noValue", "noValue")
_NIL = _XSI + "nil"
_INDICATOR = _STUF + "indOnvolledigeDatum"
_TECHNICAL = (
    "entiteittype",
    "exact",
    "functie",
    "indOnvolledigeDatum",
    "naam",
    "noValue",
    "scope",
    "sleutelGegevensbeheer",
    "sleutelOntvangend",
    "sleutelSynchronisatie",
    "sleutelVerzendend",
    "verwerkingssoort",
)
_KNOWN_ATTRIBUTES = {
    *_TECHNICAL,
    *(_STUF + name for name in _TECHNICAL),
    *(_XSI + name for name in ("nil", "type", "schemaLocation", "noNamespaceSchemaLocation")),
}

_EXTRA_TAGS = tags_of("extraElement")

Values = dict[str, Any]


def string_value(node: etree._Element) -> str:
    """All text in an element, also behind comments and inside child elements (lxml's `.text` stops at the first)."""
    parts = [node.text or ""]
    for child in node:
        if isinstance(child.tag, str):
            parts.append(string_value(child))
        parts.append(child.tail or "")
    return "".join(parts)


def raw_xml(node: etree._Element) -> str:
    """The element as XML text, without what follows it."""
    return etree.tostring(node, encoding="unicode", with_tail=False)


class Reader:
    """Collects beside the values: what was unknown (kept raw), remarks, and the first element that came twice."""

    def __init__(self) -> None:
        self.unknown: list[Values] = []
        self.remarks: list[Remark] = []
        self.duplicate: str | None = None

    def keep(self, path: str, xml: str, code: str) -> None:
        """Keep something raw, with a remark."""
        self.unknown.append({"path": path, "xml": xml})
        self.remarks.append(remark(code, path))

    def stray(self, text: str | None, path: str) -> None:
        """Text where the standard has only elements is kept too."""
        if text and not text.isspace():
            self.keep(path, text, "VT-W109")

    def fill(self, node: etree._Element, shape: Shape, values: Values, path: str) -> None:
        """Read the children of `node` into `values`."""
        known = shape.by_tag
        times: dict[str, int] = {}
        self.stray(node.text, path)
        for child in node:
            element = known.get(child.tag)  # the tag of a comment is a function, so it is never found
            if element is None:
                self.keep(path, raw_xml(child), "VT-W111")
            else:
                count = times[element.name] = times.get(element.name, 0) + 1
                place = f"{path}/{element.name}[{count}]" if element.many else f"{path}/{element.name}"
                if count > 1 and not element.many:
                    self.duplicate = self.duplicate or place
                else:
                    self._read(child, element, values, place)
            self.stray(child.tail, path)

    def _read(self, node: etree._Element, element: Element, values: Values, path: str) -> None:
        reason = self._reason(node, path) if node.attrib else None
        if reason is not None:
            _holder(values, element.reason_path).setdefault(element.reason, reason)
        value: Any
        if element.kind == "inside":
            assert element.children is not None  # noqa: S101 - the table is ours
            self.fill(node, element.children, values, path)
            return
        if element.kind == "group":
            assert element.children is not None  # noqa: S101 - the table is ours
            value = dict(element.preset)
            self.fill(node, element.children, value, path)
            if reason is not None and not len(node):
                return
        elif element.kind == "extra":
            value = self._extras(node, path)
        else:
            text = self._text(node, path)
            if reason is not None and not text:
                return
            value = self._simple(node, element, text, path)
        if value is None:
            return
        holder = _holder(values, element.path[:-1])
        if element.kind == "extra" or not element.listed:
            holder[element.path[-1]] = value
        else:
            holder.setdefault(element.path[-1], []).append(value)

    def _simple(self, node: etree._Element, element: Element, text: str, path: str) -> Any:
        match element.kind:
            case "text":
                return text
            case "date":
                return {"text": text.strip(), "indicator": node.get(_INDICATOR)}
            case "yesno":
                answer = {"ja": True, "nee": False}.get(text.strip().lower())
                if answer is None:
                    self.keep(path, raw_xml(node), "VT-W110")
                return answer
        return text.strip()

    def _text(self, node: etree._Element, path: str) -> str:
        if len(node) == 0:
            return node.text or ""
        self.keep(path, raw_xml(node), "VT-W109")
        return string_value(node)

    def _reason(self, node: etree._Element, path: str) -> str | None:
        self.look_at_attributes(node, path)
        given = node.get(_NO_VALUE[0]) or node.get(_NO_VALUE[1])
        if given:
            return given.strip()
        return NIL_WITHOUT_REASON if (node.get(_NIL) or "").strip() in ("true", "1") else None

    def look_at_attributes(self, node: etree._Element, path: str) -> None:
        """Keep every attribute that neither StUF nor XML Schema knows."""
        for name, value in node.attrib.items():
            if name not in _KNOWN_ATTRIBUTES:
                self.keep(f"{path}/@", f"{name!s}={value!s}", "VT-W111")

    def _extras(self, node: etree._Element, path: str) -> list[Values]:
        extras: list[Values] = []
        self.stray(node.text, path)
        for child in node:
            if child.tag in _EXTRA_TAGS:
                reason = self._reason(child, path)
                text = self._text(child, path)
                name = child.get("naam") or child.get(_STUF + "naam") or ""
                extra: Values = {"name": name, "indicator": child.get(_INDICATOR)}
                extra["value"] = None if reason is not None and not text else text
                extra["reasons"] = {} if reason is None else {"waarde": reason}
                extras.append(extra)
            else:
                self.keep(path, raw_xml(child), "VT-W111")
            self.stray(child.tail, path)
        return extras


def _holder(values: Values, path: tuple[str, ...]) -> Values:
    for name in path:
        values = values.setdefault(name, {})
    return values
