"""What must be said in English: every sentence of the templates, and the words in Python that reach a screen.

In Python that is what `say`, `t` and `counted` get, tables named by `constants`, the docstring of an error (its
message) and whole sentences of the screens. `python -m web.language` prints what has no English, ready for a .po.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

import core
import intake
import radar
import web
from core.errors import SettingsError, VeiligError
from web import language
from web.language import Msgid
from web.sentences import Reader, counted_in, fits
from web.templates import TEMPLATES, environment

ROOT = Path(__file__).parent.parent
SCREENS = (
    "web/pages",
    "web/access",
    "web/errors.py",
    "intake/channels",
    "intake/advice.py",
    "intake/attachments.py",
    "radar/registers",
)
"""Where a whole sentence in Python is read by a person. Elsewhere it comes through an error, a table or `say`."""
TABLES = ("radar/registers",)
"""Below the doors, where words stand in tables of their own make: what is translated there must still be there."""
MARKED = {"say": 1, "t": 1, "counted": 2, "amount": 2, "_amount": 2}
"""Functions that get words, and how many of these stand first (a count comes before them)."""
_SENTENCE = re.compile(r"[A-Z][^{}<>\n]* [^{}<>\n]*[.?:]")
NOT_SAID = {"SettingsError", "ValueError", "AssertionError", "Field", "info", "warning", "error", "execute"}
"""Calls whose text is for who runs the product, or is no text at all."""


@dataclass(frozen=True, slots=True)
class Use:
    """One message and where it stands."""

    msgid: Msgid
    place: str


@lru_cache(maxsize=1)
def uses() -> tuple[Use, ...]:
    """All that can be said, each place apart."""
    return tuple(_of_templates()) + tuple(_of_python())


def _of_templates() -> Iterator[Use]:
    for path in sorted(TEMPLATES.iterdir()):
        place = str(path.relative_to(ROOT))
        tree = environment().parse(path.read_text("utf-8"))
        yield from (Use(pair, place) for pair in counted_in(tree))
        found: list[str] = []

        def note(text: str, found: list[str] = found) -> str:
            found.append(text)
            return text

        Reader(note).walk(tree)
        yield from (Use(text, place) for text in found)


def _of_python() -> Iterator[Use]:
    _load()
    for table in language.REGISTERED.tables:
        yield from (Use(words, "constants") for words in table.values() if isinstance(words, str) and words)
    for error in _errors(VeiligError):
        if error.status != VeiligError.status and error.__doc__:
            yield Use(error.__doc__, error.__module__)
    for package in ("web", "radar", "intake", "core"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from _of_module(path)


def _load() -> None:
    """Every module below the doors, so that every table and every error is known."""
    for package in (core, intake, radar, web):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith("web.language"):
                importlib.import_module(found.name)


def _errors(kind: type[VeiligError]) -> Iterator[type[VeiligError]]:
    if not issubclass(kind, SettingsError):
        yield kind
        for below in kind.__subclasses__():
            yield from _errors(below)


def _of_module(path: Path) -> Iterator[Use]:
    place = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text("utf-8"))
    screen = place.startswith(SCREENS)
    silent = _silent(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (wanted := MARKED.get(_called(node))):
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if len(words) == wanted:
                yield Use(words[0] if wanted == 1 else (words[0], words[1]), place)
        elif isinstance(node, ast.Constant) and screen and id(node) not in silent and _is_sentence(node.value):
            yield Use(str(node.value), place)


@lru_cache(maxsize=1)
def _literals() -> frozenset[Msgid]:
    """Every text in the modules of TABLES."""
    trees = [ast.parse(path.read_text("utf-8")) for place in TABLES for path in sorted((ROOT / place).rglob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return frozenset(node.value for node in nodes if isinstance(node.value, str))


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and bool(_SENTENCE.fullmatch(value))


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _silent(tree: ast.Module) -> set[int]:
    """Text that nobody reads on a screen: docstrings and notes, the parts of an f-string, what NOT_SAID gets."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as note):
                found.add(id(note))
            case ast.JoinedStr():
                found |= {id(part) for part in ast.walk(node)}
            case ast.Call() if _called(node) in NOT_SAID:
                found |= {id(part) for part in ast.walk(node)}
    return found


@dataclass(frozen=True, slots=True)
class Report:
    """What is not right: no English, English of what is not said (any more), and English that does not fit."""

    missing: dict[Msgid, list[str]]
    orphaned: dict[str, list[Msgid]]
    misfits: dict[str, list[Msgid]]


def report() -> Report:
    """Compare what can be said with what the .po files hold."""
    wanted: dict[Msgid, list[str]] = {}
    for use in uses():
        places = wanted.setdefault(use.msgid, [])
        if use.place not in places:
            places.append(use.place)
    known: set[Msgid] = set()
    orphaned: dict[str, list[Msgid]] = {}
    misfits: dict[str, list[Msgid]] = {}
    for path in language.files():
        for msgid, said in language.messages(path):
            known |= {msgid} if isinstance(msgid, str) else {msgid, msgid[0]}
            if msgid not in wanted and msgid not in _literals():
                orphaned.setdefault(path.name, []).append(msgid)
            elif isinstance(msgid, str) and not fits(msgid, said[0]):
                misfits.setdefault(path.name, []).append(msgid)
    return Report({one: places for one, places in wanted.items() if one not in known}, orphaned, misfits)


def skeleton(missing: dict[Msgid, list[str]], only: Iterable[str]) -> Catalog:
    """What is missing, as a catalogue to fill in; `only` are parts of the paths that one cares about."""
    asked = tuple(only)
    catalogue = Catalog(locale=language.ENGLISH, fuzzy=False)
    for msgid, places in missing.items():
        if not asked or any(name in place for name in asked for place in places):
            catalogue.add(msgid, locations=[(place, 0) for place in places])
    return catalogue


def main() -> None:
    """`python -m web.language [part of a path]...`: the missing ones as .po; the rest on standard error."""
    found = report()
    write_po(
        sys.stdout.buffer, skeleton(found.missing, sys.argv[1:]), omit_header=True, include_lineno=False, width=0
    )
    for title, per_file in (("orphaned", found.orphaned), ("does not fit", found.misfits)):
        for name, msgids in per_file.items():
            for msgid in msgids:
                print(f"{name}: {title}: {msgid}", file=sys.stderr)
    print(f"missing: {len(found.missing)}", file=sys.stderr)
    sys.exit(bool(found.missing or found.orphaned or found.misfits))
