"""Writes messages by the tables of their elements; here the `vtMeldingDi01`, for demo feed, tests and round trips."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lxml import etree

from core.deadlines import AMSTERDAM
from intake.corv.check import BERICHTCODE
from intake.corv.codes import NIL_WITHOUT_REASON
from intake.corv.elements import HEADER, MESSAGE, NAMESPACES, OBJECT, Element, Shape
from intake.message import Envelope, MessageDate, Part, ReportMessage

_NO_VALUE = "{" + NAMESPACES["StUF"] + "}noValue"
_INDICATOR = "{" + NAMESPACES["StUF"] + "}indOnvolledigeDatum"
_ENTITY = "{" + NAMESPACES["StUF"] + "}entiteittype"
_NIL = "{" + NAMESPACES["xsi"] + "}nil"
# These types of the standard declare noValue themselves, and so without a namespace.
_LOCAL_NO_VALUE = {"VTMNPS", "VTMZOS", "ZOS", "ZOSNPS", "VTMBTR", "NPSNPSSIR"}


def write_report(message: ReportMessage) -> bytes:
    """The message as XML in UTF-8, with what is filled in and in the order of the standard.

    Valid against the official XSD when the values are: nothing is cut or corrected here. Not written, because
    the standard has no place for it: `unknown`, `capacity_code`, `submitter.kind`, a role code without a text.
    """
    return as_bytes(tree(MESSAGE, OBJECT, message.envelope, message))


def tree(name: str, shape: Shape, envelope: Envelope, content: Part) -> etree._Element:
    """The Di01 message `name`: stuurgegevens and an object of this shape, filled from `content`."""
    root = etree.Element(_name("JZ", name), nsmap=NAMESPACES)
    header = etree.SubElement(root, _name("JZ", "stuurgegevens"))
    etree.SubElement(header, _name("StUF", "berichtcode")).text = BERICHTCODE
    if envelope.sent_at_raw is None and envelope.sent_at is not None:
        envelope = envelope.model_copy(update={"sent_at_raw": stuf_moment(envelope.sent_at)})
    _write_children(header, Shape("", HEADER.elements[1:]), envelope)
    body = etree.SubElement(root, _name("JZ", "object"), {_ENTITY: shape.entity})
    _write_children(body, shape, content)
    return root


def as_bytes(root: etree._Element) -> bytes:
    """As it goes over the line."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def stuf_moment(at: datetime) -> str:
    """An aware time as the 17 digits of StUF `yyyymmddhhmmssmmm`, in Dutch time."""
    local = at.astimezone(AMSTERDAM)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}"


def _name(prefix: str, name: str) -> str:
    return "{" + NAMESPACES[prefix] + "}" + name


def _write_children(node: etree._Element, shape: Shape, part: Part) -> None:
    for element in shape.elements:
        holder: Any = part
        for name in element.path[:-1]:
            holder = getattr(holder, name)
        _write(node, element, part, holder, holder.reasons.get(element.reason))


def _write(parent: etree._Element, element: Element, part: Part, holder: Part, reason: str | None) -> None:
    match element.kind:
        case "inside":
            node = _add(parent, element)
            _write_children(node, _shape(element), part)
            if reason is not None:
                _mark(node, element, reason)
            elif not element.required and len(node) == 0:
                parent.remove(node)
            return
        case "extra":
            if getattr(holder, element.path[-1]):
                _write_extras(_add(parent, element), getattr(holder, element.path[-1]))
            return
    value = getattr(holder, element.path[-1])
    values = value if element.listed else () if value is None else (value,)
    preset = element.preset.items()
    values = [one for one in values if all(getattr(one, name) == given for name, given in preset)]
    for one in values:
        node = _add(parent, element)
        _write_value(node, element, one)
        if reason is not None and not element.many:
            _mark(node, element, reason)
    if reason is not None and (element.many or not values):
        _mark(_add(parent, element), element, reason)


def _write_value(node: etree._Element, element: Element, value: Any) -> None:
    if isinstance(value, MessageDate):
        node.text = value.text
        if value.indicator is not None:
            node.set(_INDICATOR, value.indicator)
    elif isinstance(value, Part):
        _write_children(node, _shape(element), value)
    elif isinstance(value, bool):
        node.text = "Ja" if value else "Nee"
    else:
        node.text = value


def _write_extras(node: etree._Element, extras: tuple[Any, ...]) -> None:
    for extra in extras:
        child = etree.SubElement(node, _name("StUF", "extraElement"), {"naam": extra.name})
        child.text = extra.value
        if extra.indicator is not None:
            child.set(_INDICATOR, extra.indicator)
        if (reason := extra.reasons.get("waarde")) is not None:
            _set_reason(child, _NO_VALUE, reason, nillable=True)


def _add(parent: etree._Element, element: Element) -> etree._Element:
    node = etree.SubElement(parent, _name(element.prefix, element.name))
    if element.children is not None and element.children.entity:
        node.set(_ENTITY, element.children.entity)
    return node


def _mark(node: etree._Element, element: Element, reason: str) -> None:
    entity = element.children.entity if element.children else ""
    local = element.kind == "yesno" or entity in _LOCAL_NO_VALUE
    _set_reason(node, "noValue" if local else _NO_VALUE, reason, element.nillable)


def _set_reason(node: etree._Element, attribute: str, reason: str, nillable: bool) -> None:
    if reason != NIL_WITHOUT_REASON:
        node.set(attribute, reason)
    if (nillable and not node.text and len(node) == 0) or reason == NIL_WITHOUT_REASON:
        node.set(_NIL, "true")


def _shape(element: Element) -> Shape:
    if element.children is None:
        raise ValueError(f"{element.name} has no children in the standard")
    return element.children
