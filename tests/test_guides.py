"""The user guides tell the truth where a machine can check it: labels, menus, links."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from core.staff import ROLES
from tests.pictures import SHOTS, index
from web.access import matrix
from web.navigation import ENTRIES, menu

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FOLDER = DOCS / "gebruik"
INDEX = FOLDER / "README.md"
OF_ROLE = {
    "intake_worker": "intakemedewerker.md",
    "assessor": "beoordelaar.md",
    "behavioural_scientist": "gedragswetenschapper.md",
    "trusted_physician": "vertrouwensarts.md",
    "team_lead": "teamleider.md",
    "privacy_officer": "privacyfunctionaris.md",
    "auditor": "auditor.md",
    "administrator": "functioneel-beheerder.md",
}
OUTSIDE = {"burger.md", "beroepskracht.md", "afzender.md"}
HELP = {"Is er nu gevaar? Bel 112.", "Is iemand nu in gevaar? Bel 112."}
"""Said in bold before anything else; not the name of something on a screen."""
GUIDES = sorted(path.name for path in FOLDER.glob("*.md") if path != INDEX)
PAGES = sorted((ROOT / "README.md", *DOCS.rglob("*.md")))


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def bold(text: str) -> list[str]:
    """What a guide calls by its name, with line ends as spaces."""
    return [re.sub(r"\s+", " ", one).strip() for one in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)]


def links(text: str) -> list[str]:
    """The targets of links and pictures, without those to the web and to a part of the same page."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [one.partition("#")[0] for one in found if not re.match(r"[a-z]+:|#", one)]


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" .:")


@cache
def on_screens() -> frozenset[str]:
    """Every text that a template shows between two tags or hands to a macro, and every text constant of the code."""
    found: set[str] = set()
    for path in (ROOT / "web" / "templates").glob("*.html"):
        source = re.sub(r"\{#.*?#\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found.update(re.findall(r"[>}]([^<>{}]+)(?=[<{])", source))
        found.update(re.findall(r"'([^'\n]+)'", source))
    for folder in ("web", "radar", "core", "intake"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return frozenset(plain(one) for one in found)


def buttons() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "web" / "templates").glob("*.html")]
    return {plain(one) for source in sources for one in re.findall(r">([^<>{}]+)</button>", source)}


def test_every_role_has_a_guide_and_so_has_everybody_from_outside() -> None:
    assert OF_ROLE.keys() == ROLES.keys()
    assert set(GUIDES) == {*OF_ROLE.values(), *OUTSIDE, "iedereen.md"}


def test_the_index_names_every_guide_once() -> None:
    named = [one for one in links(INDEX.read_text(encoding="utf-8")) if "/" not in one]
    assert sorted(named) == GUIDES


@pytest.mark.parametrize("name", GUIDES)
def test_every_label_in_a_guide_stands_on_a_screen(name: str) -> None:
    wrong = [one for one in bold(read(name)) if one not in HELP and plain(one) not in on_screens()]
    assert wrong == []
    assert bold(read(name)), "a guide without a label helps nobody"


def test_a_label_that_is_on_no_screen_is_found() -> None:
    assert plain("Melding vastleggen") in on_screens()
    assert plain("Melding wegtoveren") not in on_screens()


@pytest.mark.parametrize(("role", "name"), OF_ROLE.items())
def test_the_menu_in_a_guide_is_the_menu_of_that_role(role: str, name: str) -> None:
    [line] = [one for one in read(name).splitlines() if one.startswith("Uw menu: ")]
    groups = menu(lambda action: matrix.may(role, action), "")
    assert bold(line) == [entry.label for group in groups for entry in group.entries]


@pytest.mark.parametrize(("role", "name"), OF_ROLE.items())
def test_a_guide_sends_nobody_to_a_page_of_the_menu_that_he_may_not_open(role: str, name: str) -> None:
    paths: dict[str, set[str]] = {}
    for one in ENTRIES:
        paths.setdefault(one.label, set()).add(one.action)
    closed = {label for label, actions in paths.items() if not any(matrix.may(role, one) for one in actions)}
    closed -= buttons()  # "Bewaren" is a page and a button
    assert closed.isdisjoint(bold(read(name)))


@pytest.mark.parametrize("name", sorted(OF_ROLE.values()))
def test_a_guide_says_how_to_begin_what_is_hidden_what_is_recorded_and_what_to_do_when_it_fails(name: str) -> None:
    text = read(name)
    for title in ("## Zo begint u", "## Wat u niet", "## Als er iets misgaat"):
        assert title in text
    assert "## Wat over u wordt vastgelegd" in text or "[voor iedereen](iedereen.md)" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_between_pages_of_the_docs_resolves(page: Path) -> None:
    missing = [one for one in links(page.read_text(encoding="utf-8")) if not (page.parent / one).exists()]
    assert missing == []


def test_the_page_of_pictures_is_the_list_of_screens_and_every_picture_is_small() -> None:
    assert (DOCS / "screens.md").read_text(encoding="utf-8") == index(SHOTS)
    kept = list((DOCS / "pictures" / "screens").glob("*.png"))
    assert {path.stem.rpartition("-")[0] for path in kept} == {shot.name for shot in SHOTS}
    assert sum(path.stat().st_size for path in kept) < 4_000_000
