"""The main menu: what a role may reach, in groups; a new page adds one line at the end of its group."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple

from web.language import constants

GROUPS = constants(
    {
        "work": "Werk",
        "incoming": "Binnenkomst",
        "files": "Dossiers",
        "control": "Kwaliteit en toezicht",
        "admin": "Beheer",
    }
)
SHORT = 7
"""With so few pages a menu needs no groups."""


class Entry(NamedTuple):
    """One page of the menu. `section` is what its pages and those below it call themselves; empty: the first word of
    the path. `without`: not for who may do this, because another entry shows the same.
    """

    path: str
    label: str
    action: str
    group: str
    section: str = ""
    without: str = ""

    def is_here(self, section: str) -> bool:
        """Whether a page of this section belongs under this entry."""
        return section == (self.section or self.path.strip("/").partition("/")[0])


ENTRIES: tuple[Entry, ...] = (
    Entry("/wachtrij", "Wachtrij", "queue.view", "work"),
    Entry("/overzicht", "Overzicht", "overview.view", "work"),
    Entry("/koppelvoorstellen", "Koppelvoorstellen", "review.list", "work"),
    # incoming
    Entry("/gesprekken", "Gesprekken", "desk.view", "incoming"),
    Entry("/adviezen", "Adviezen", "advice.view", "incoming"),
    Entry("/quarantaine", "Quarantaine", "quarantine.list", "incoming"),
    # files
    Entry("/zoeken", "Zoeken", "search.use", "files"),
    Entry("/afgeschermd", "Afgeschermd", "restriction.keep", "files"),
    Entry("/uitgaand", "Uitgaand", "outbound.view", "files"),
    # control
    Entry("/kwaliteit", "Kwaliteit", "quality.view", "control"),
    Entry("/kwaliteit/steekproef", "Steekproef", "quality.review", "control", "kwaliteit", without="quality.view"),
    Entry("/logcontrole", "Log", "log.review.view", "control", "log"),
    Entry("/bewaartermijnen", "Bewaren", "retention.view", "control", "bewaren"),
    # admin
    Entry("/medewerkers", "Medewerkers", "staff.change", "admin"),
    Entry("/regels-en-teksten", "Regels en teksten", "documents.view", "admin"),
    Entry("/beheer", "Beheer", "register.view", "admin"),
)


class Group(NamedTuple):
    """What stands together in the menu; `here` is whether this page is one of them."""

    name: str
    entries: tuple[Entry, ...]
    here: bool


def menu(may: Callable[[str], bool], section: str) -> tuple[Group, ...]:
    """The groups of who `may`, in the order of GROUPS; one nameless group when there is little to group."""
    mine = [one for one in ENTRIES if may(one.action) and not (one.without and may(one.without))]
    if len(mine) <= SHORT:
        return (Group("", tuple(mine), False),) if mine else ()
    order = list(GROUPS)
    mine.sort(key=lambda one: order.index(one.group))
    found = []
    for name, together in groupby(mine, key=lambda one: one.group):
        entries = tuple(together)
        found.append(Group(name, entries, any(one.is_here(section) for one in entries)))
    return tuple(found)
