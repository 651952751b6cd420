"""Dutch names: first names, prefix (voorvoegsel) and surname, split without losing a letter."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PREFIXES = Path(__file__).parents[1] / "data" / "prefixes.txt"

# Typographic, modifier and backtick apostrophes, all to the plain one.
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\u0060\u00b4", "'"))


@lru_cache(maxsize=1)
def _prefix_pattern() -> re.Pattern[str]:
    """All table prefixes, longest first. One-letter entries are left out: they would eat initials."""
    lines = PREFIXES.read_text(encoding="utf-8").splitlines()
    entries = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    longest_first = sorted((entry for entry in entries if len(entry) > 1), key=lambda e: (-len(e), e))
    # A prefix ends at a space; one that ends in an apostrophe may touch the name: d'Ancona.
    choices = [re.escape(entry) + (r"\ ?" if entry.endswith("'") else r"\ ") for entry in longest_first]
    return re.compile(rf"({'|'.join(choices)})(?=\S)", re.IGNORECASE)


def split_prefix(surname: str) -> tuple[str, str]:
    """('van den', 'Voorbeeld') from 'van den Voorbeeld'; ('', surname) when there is no prefix in front.

    The longest entry of BRP table 36 wins, in any letter case, and is returned as typed, with every
    kind of apostrophe as '.
    What is left is never empty. Runs of white space become one space.
    """
    text = " ".join(surname.split())
    # The translation maps one character to one, so positions in both texts are the same.
    match = _prefix_pattern().match(text.translate(_APOSTROPHES))
    if match is None:
        return "", text
    return match.group(1).strip(), text[match.end() :]


@dataclass(frozen=True, slots=True, repr=False)
class DutchName:
    """A name in its three parts; `raw` is what was received, in one line. Its repr shows no name."""

    first_names: str
    prefix: str
    surname: str
    raw: str

    @classmethod
    def parse(cls, first_names: str | None, prefix: str | None, surname: str | None) -> DutchName:
        """Tidy white space; split the prefix off the surname only when none was given.

        A given prefix is kept as it is: the table is not a whitelist.
        """
        received = [part for part in (first_names, prefix, surname) if part]
        given_prefix = " ".join((prefix or "").split()).translate(_APOSTROPHES)
        rest = " ".join((surname or "").split())
        if not given_prefix:
            given_prefix, rest = split_prefix(rest)
        return cls(" ".join((first_names or "").split()), given_prefix, rest, " ".join(received))

    def display(self) -> str:
        """'Test van den Voorbeeld', 'Test d'Ancona'."""
        glue = "" if self.prefix.endswith("'") else " "
        family = glue.join(part for part in (self.prefix, self.surname) if part)
        return " ".join(part for part in (self.first_names, family) if part)

    def sort_key(self) -> str:
        """'voorbeeld, test van den': lower case and without accents, as Dutch lists are sorted."""
        given = " ".join(part for part in (self.first_names, self.prefix) if part)
        text = ", ".join(part for part in (self.surname, given) if part)
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        return "".join(character for character in decomposed if not unicodedata.combining(character))

    def __repr__(self) -> str:
        return f"DutchName(complete={bool(self.first_names and self.surname)})"
