"""The sentences of a template: found in what is between the tags, and put into another language when it is compiled.

A sentence runs on through a value, which becomes `{name}`, and through a tag within a line (<b>, <a>, <br>), which
stands in it without its attributes. It ends at every other tag and at every `{% %}`. Words in an attribute that
people read or hear are a sentence too, and so are the constants that an expression may give ('te laat' or 'op tijd').
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, nodes

from web.language import catalogue

INLINE = frozenset("a abbr b bdi br cite code em i ins del kbd mark q s small span strong sub sup time u".split())
READ = frozenset({"title", "aria-label", "aria-description", "alt", "placeholder", "data-label", "label"})
"""Attributes whose words are read or heard; `data-label` names a cell where a table has become a list."""
RAW = frozenset({"script", "style"})
KEEP = frozenset("lower capitalize upper title trim safe escape e string default d join t".split())
"""Filters through which a constant stays words."""
_TAG_START = re.compile(r"<(/?)([a-zA-Z][\w-]*)|<!--|<!")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*([\"'])")
_LONE_ATTRIBUTE = re.compile(r"\s*[a-z][a-z-]+=\"")
_WORD = re.compile(r"(?<![&\w])[^\W\d_]")
"""A letter that is not in the name of a sign, as in &nbsp;"""
_PART = re.compile(r"\{(\w+)\}|<(/?)([a-z]+\d*)>")
_BULLET = re.compile(r"(\s+·\s+)")

Atom = nodes.Expr | str
"""A value, or text as it stands in the page."""
Translate = Callable[[str], str]


@dataclass(slots=True)
class Piece:
    """A run of atoms of one kind: 'text', 'value', 'open', 'close', 'void' (within a line) or 'break'."""

    kind: str
    atoms: list[Atom]
    name: str = ""


@dataclass(slots=True)
class State:
    """Where in the HTML the reader stands; `{% %}` may come in between anywhere."""

    mode: str = "text"
    quote: str = ""
    read: bool = False
    name: str = ""
    raw: str = ""


@dataclass(slots=True)
class Reader:
    """Goes through a template in its order; each sentence goes to `translate`, and what comes back is put there."""

    translate: Translate
    state: State = field(default_factory=State)

    def walk(self, node: nodes.Node) -> None:
        match node:
            case nodes.Output():
                node.nodes = _merged(self.output(node.nodes))
            case nodes.If():
                before = _copy(self.state)
                for body in (node.body, node.elif_, node.else_):
                    self.state = _copy(before)
                    for child in body:
                        self.walk(child)
            case nodes.Macro() | nodes.CallBlock():
                before, self.state = self.state, State()
                for child in node.body:
                    self.walk(child)
                self.state = before
            case nodes.Assign():
                constants(node.node, self.translate, strict=True)
            case nodes.For():
                constants(node.iter, self.translate, strict=True)
                for child in (*node.body, *node.else_):
                    self.walk(child)
            case _:
                for child in node.iter_child_nodes():
                    self.walk(child)

    def output(self, found: Sequence[nodes.Expr]) -> list[nodes.Expr]:
        """One stretch of text and values without a `{% %}`."""
        pieces: list[Piece] = []
        for node in found:
            if isinstance(node, nodes.TemplateData):
                self._scan(node.data, pieces)
            else:
                self._value(node, pieces)
        atoms: list[Atom] = []
        for segment in _segments(pieces):
            atoms += segment[0].atoms if segment[0].kind == "break" else self._line(segment)
        return [nodes.TemplateData(atom) if isinstance(atom, str) else atom for atom in atoms]

    def _value(self, node: nodes.Expr, pieces: list[Piece]) -> None:
        if self.state.mode == "text":
            constants(node, self.translate)
            pieces.append(Piece("value", [node]))
        elif self.state.mode == "attribute" and self.state.read:
            constants(node, self.translate)
            pieces[-1:] = (
                [Piece(pieces[-1].kind, [*pieces[-1].atoms, node], pieces[-1].name)]
                if pieces
                else [Piece("break", [node])]
            )
        else:
            _to_tag(pieces, node)

    def _scan(self, data: str, pieces: list[Piece]) -> None:
        """Cut text of the template at its tags."""
        state, at = self.state, 0
        while at < len(data):
            if state.mode == "text":
                at = self._text(data, at, pieces)
            elif state.mode == "raw":
                end = data.find(f"</{state.raw}", at)
                end = len(data) if end < 0 else end
                _to_tag(pieces, data[at:end])
                at = end
                if end < len(data):
                    state.mode = "text"
            elif state.mode == "comment":
                end = data.find("-->", at)
                end = len(data) if end < 0 else end + 3
                _to_tag(pieces, data[at:end])
                at = end
                if data[:end].endswith("-->"):
                    state.mode = "text"
            elif state.mode == "attribute":
                end = data.find(state.quote, at)
                stop = len(data) if end < 0 else end
                self._attribute(data[at:stop], pieces)
                at = stop
                if end >= 0:
                    _to_tag(pieces, state.quote)
                    state.mode, at = "tag", end + 1
            else:
                at = self._tag(data, at, pieces)

    def _text(self, data: str, at: int, pieces: list[Piece]) -> int:
        if not pieces and at == 0 and (found := _LONE_ATTRIBUTE.match(data)):
            # A macro or branch that gives attributes: a tag that began elsewhere.
            self.state.mode = "tag"
            pieces.append(Piece("break", []))
            return at
        found = _TAG_START.search(data, at)
        end = found.start() if found else len(data)
        for part in _BULLET.split(data[at:end]):
            if part:
                pieces.append(Piece("break" if _BULLET.fullmatch(part) else "text", [part]))
        if found is None:
            return end
        if found[0] == "<!--":
            self.state.mode = "comment"
            pieces.append(Piece("break", []))
            return end
        name = (found[2] or "").lower()
        kind = "break" if name not in INLINE else "void" if name == "br" else "close" if found[1] else "open"
        pieces.append(Piece(kind, [found[0]], name))
        self.state.mode, self.state.name = "tag", "" if found[1] else name
        return found.end()

    def _tag(self, data: str, at: int, pieces: list[Piece]) -> int:
        """Inside a tag: up to its end, or to the opening quote of a value."""
        attribute = _ATTRIBUTE.search(data, at)
        end = data.find(">", at)
        if attribute and (end < 0 or attribute.start() < end):
            _to_tag(pieces, data[at : attribute.end()])
            self.state.mode, self.state.quote = "attribute", attribute[2]
            self.state.read = attribute[1].lower() in READ
            return attribute.end()
        if end < 0:
            # An attribute's name whose quote comes after a value is not written here.
            _to_tag(pieces, data[at:])
            return len(data)
        _to_tag(pieces, data[at : end + 1])
        self.state.mode = "text"
        if self.state.name in RAW:
            self.state.mode, self.state.raw = "raw", self.state.name
            pieces[-1].kind = "break"
        return end + 1

    def _attribute(self, text: str, pieces: list[Piece]) -> None:
        if text:
            _to_tag(pieces, _edges(text, self.translate) if self.state.read else text)

    def _line(self, segment: list[Piece]) -> list[Atom]:
        """A stretch within one element: its sentence in the other language, with what stood around it."""
        before, inner, after = _trimmed(segment)
        if not any(piece.kind == "text" and _WORD.search(str(piece.atoms[0])) for piece in inner):
            return [atom for piece in segment for atom in piece.atoms]
        message, parts = _message(inner)
        lead, tail = _space(inner)
        said = self.translate(message)
        atoms = [atom for piece in before for atom in piece.atoms] + [lead]
        atoms += _filled(said, parts) if said != message and fits(message, said) else _bare(inner, lead, tail)
        return [*atoms, tail, *(atom for piece in after for atom in piece.atoms)]


def constants(node: Any, translate: Translate, strict: bool = False) -> None:
    """Put the words that this expression may give into the other language, in place.

    `strict`: only what looks like words (a capital or a space), for what a macro is given or a template sets.
    """
    match node:
        case nodes.Const(value=str() as text):
            if _WORD.search(text) and (not strict or " " in text.strip() or text[:1].isupper()):
                node.value = _edges(text, translate)
        case nodes.CondExpr():
            constants(node.expr1, translate, strict)
            constants(node.expr2, translate, strict)
        case nodes.Concat():
            for one in node.nodes:
                constants(one, translate, strict)
        case nodes.Add() | nodes.Or():
            constants(node.left, translate, strict)
            constants(node.right, translate, strict)
        case nodes.And():
            constants(node.right, translate, strict)
        case nodes.Filter() if node.name in KEEP:
            constants(node.node, translate, strict and node.name != "t")
            if node.name in ("default", "d"):
                for one in node.args:
                    constants(one, translate, strict)
        case nodes.Tuple() | nodes.List():
            for one in node.items:
                constants(one, translate, strict)
        case nodes.Dict():
            for pair in node.items:
                constants(pair.value, translate, strict)
        case nodes.Getitem():
            constants(node.node, translate, strict) if isinstance(node.node, nodes.Dict | nodes.Tuple) else None
        case nodes.Call(node=nodes.Getattr(node=nodes.Dict() as table, attr="get")):
            constants(table, translate, strict)
            for one in node.args[1:]:
                constants(one, translate, strict)
        case nodes.Call(node=nodes.Name()):
            for one in (*node.args, *(pair.value for pair in node.kwargs)):
                constants(one, translate, strict=True)


def counted_in(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """What a template counts: one and many of `|amount('taak', 'taken')`."""
    for node in tree.find_all(nodes.Filter):
        words = [one.value for one in node.args if isinstance(one, nodes.Const)]
        if node.name == "amount" and len(words) == 2:
            yield words[0], words[1]


class InEnglish(Environment):
    """An environment whose templates are put into English when they are compiled."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        known = catalogue().sentences
        Reader(lambda text: known.get(text, text)).walk(tree)
        return tree


def _copy(state: State) -> State:
    return State(state.mode, state.quote, state.read, state.name, state.raw)


def _to_tag(pieces: list[Piece], atom: Atom) -> None:
    """More of the tag that is being read; one that began before this stretch is a break."""
    if pieces and pieces[-1].kind in ("open", "close", "void", "break"):
        pieces[-1].atoms.append(atom)
    else:
        pieces.append(Piece("break", [atom]))


def _edges(text: str, translate: Translate) -> str:
    """The translation of words with the white space around them kept."""
    words = text.strip()
    if not _WORD.search(words):
        return text
    start = text.index(words)
    return text[:start] + translate(" ".join(words.split())) + text[start + len(words) :]


def _segments(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """The stretches between breaks; a tag within a line that has no other half here is a break as well."""
    opened: list[int] = []
    lone = set()
    for place, piece in enumerate(pieces):
        if piece.kind == "break":
            lone.update(opened)
            opened.clear()
        elif piece.kind == "open":
            opened.append(place)
        elif piece.kind == "close":
            if opened and pieces[opened[-1]].name == piece.name:
                opened.pop()
            else:
                lone.add(place)
    lone.update(opened)
    segment: list[Piece] = []
    depth = 0
    for place, piece in enumerate(pieces):
        if piece.kind == "break" or place in lone:
            if segment:
                yield segment
            yield [Piece("break", piece.atoms)]
            segment = []
            continue
        if piece.kind == "open" and not depth and segment and segment[-1].kind == "close":
            # Two elements side by side without a word between are two sentences.
            yield segment
            segment = []
        depth += {"open": 1, "close": -1}.get(piece.kind, 0)
        segment.append(piece)
    if segment:
        yield segment


def _trimmed(segment: list[Piece]) -> tuple[list[Piece], list[Piece], list[Piece]]:
    """The sentence, and what stands before and after it that needs no words: a picture, a tag around all, a line."""
    start, end = 0, len(segment)
    changed = True
    while changed and start < end:
        changed = False
        while start < end and _idle(segment[start]):
            start, changed = start + 1, True
        while start < end and _idle(segment[end - 1]):
            end, changed = end - 1, True
        if start < end and segment[start].kind == "open":
            close = _close(segment, start)
            if close == end - 1 or not _has_words(segment[start:close]):
                start, end, changed = (start + 1, end - 1, True) if close == end - 1 else (close + 1, end, True)
        if start < end and segment[end - 1].kind == "close":
            opening = next(
                at for at in range(end - 1, -1, -1) if segment[at].kind == "open" and _close(segment, at) == end - 1
            )
            if opening >= start and not _has_words(segment[opening:end]):
                end, changed = opening, True
    return segment[:start], segment[start:end], segment[end:]


def _idle(piece: Piece) -> bool:
    if piece.kind == "value":
        return isinstance(piece.atoms[0], nodes.Call)
    return piece.kind == "void" or (piece.kind == "text" and not str(piece.atoms[0]).strip())


def _has_words(pieces: Sequence[Piece]) -> bool:
    return any(piece.kind == "text" and _WORD.search(str(piece.atoms[0])) for piece in pieces)


def _close(segment: Sequence[Piece], start: int) -> int:
    depth = 0
    for at in range(start, len(segment)):
        depth += {"open": 1, "close": -1}.get(segment[at].kind, 0)
        if depth == 0:
            return at
    raise AssertionError("segments hold both halves of a tag")


def _message(pieces: Sequence[Piece]) -> tuple[str, dict[str, list[Atom]]]:
    """The sentence as it is translated, and what each of its placeholders stands for."""
    parts: dict[str, list[Atom]] = {}
    names: list[str] = []
    text = ""
    for piece in pieces:
        match piece.kind:
            case "text":
                text += str(piece.atoms[0])
            case "value":
                name = _unique(_name(piece.atoms[0]), parts, "{%s}")
                parts[f"{{{name}}}"] = piece.atoms
                text += f"{{{name}}}"
            case "open" | "void":
                name = _unique(piece.name, parts, "<%s>")
                parts[f"<{name}>"] = piece.atoms
                names += [name] if piece.kind == "open" else []
                text += f"<{name}>"
            case _:
                name = names.pop()
                parts[f"</{name}>"] = piece.atoms
                text += f"</{name}>"
    return " ".join(text.split()), parts


def _unique(name: str, taken: dict[str, list[Atom]], form: str) -> str:
    number = 2
    found = name
    while form % found in taken:
        found, number = f"{name}{number}", number + 1
    return found


def _name(atom: Any) -> str:
    """What a value is called in a sentence: its own last name, whatever filters it passes."""
    while isinstance(atom, nodes.Filter) and atom.node is not None:
        atom = atom.node
    match atom:
        case nodes.Name():
            return str(atom.name)
        case nodes.Getattr():
            return str(atom.attr)
        case _:
            return "value"


def _space(pieces: Sequence[Piece]) -> tuple[str, str]:
    first = str(pieces[0].atoms[0]) if pieces[0].kind == "text" else ""
    last = str(pieces[-1].atoms[0]) if pieces[-1].kind == "text" else ""
    return first[: len(first) - len(first.lstrip())], last[len(last.rstrip()) :]


def _bare(pieces: Sequence[Piece], lead: str, tail: str) -> list[Atom]:
    """The stretch as it was, without the space around it."""
    atoms = [atom for piece in pieces for atom in piece.atoms]
    if lead:
        atoms[0] = str(atoms[0])[len(lead) :]
    if tail:
        atoms[-1] = str(atoms[-1])[: -len(tail)]
    return atoms


def fits(message: str, said: str) -> bool:
    """Whether a translation has the values and tags of its sentence, each once: else the Dutch is shown."""
    return sorted(part[0] for part in _PART.finditer(message)) == sorted(part[0] for part in _PART.finditer(said))


def _filled(said: str, parts: dict[str, list[Atom]]) -> list[Atom]:
    """A translated sentence with its values and tags put back."""
    atoms: list[Atom] = []
    at = 0
    for found in _PART.finditer(said):
        atoms += [said[at : found.start()], *parts[found[0]]]
        at = found.end()
    return [*atoms, said[at:]]


def _merged(found: list[nodes.Expr]) -> list[nodes.Expr]:
    """Neighbouring pieces of text as one."""
    merged: list[nodes.Expr] = []
    for node in found:
        if isinstance(node, nodes.TemplateData) and merged and isinstance(merged[-1], nodes.TemplateData):
            merged[-1] = nodes.TemplateData(merged[-1].data + node.data)
        else:
            merged.append(node)
    return merged
