"""A rule set in plain words, as the page docs/linking.md: tests/test_docs.py writes it and checks that it is true.

The words stand here; every figure and word list comes from the rules, and the example is decided by the engine.
A field, level, sign, key or limit without words stops the page with a KeyError: nothing is left out unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

from radar.linking.compare import compare, rarity
from radar.linking.decide import Decision, Outcome, decide_on
from radar.linking.household import RECENT
from radar.linking.normalise import AddressKey, Features
from radar.linking.profile import Profile
from radar.linking.rules import LEVELS, FieldName, HouseholdSign, KeyKind, Rules

Score = Mapping[str, Any]
WIDTH = 118
SIZES = (20_000, 100_000, 1_000_000, 10_000_000)

_INTRODUCTION = """\
# Linking

Two of three reports concern people already known. For each person in a report the radar asks: is this somebody of
the register, and which household is the report about? It answers with reasons in words, asks a member of staff where
it doubts, and every answer can be taken back.

This page is made from the live rules (`radar/linking/describe.py`; `PYTHONPATH=. .venv/bin/python tests/test_docs.py`
writes it again, a test fails when it is not true). What staff see on the screen is Dutch, with the same levels.

## Six steps

1. **Normalise** (`normalise.py`). Names to small letters without accents; prefixes, titles and initials apart; own
   and partner's name apart; damaged text (misread UTF-8, HTML, a scanned 0 for o) mended; dates with unknown parts;
   addresses and phone numbers in one form. The BSN becomes a keyed hash.
2. **Block** (`block.py`). Who shares a search key with somebody in the report is a candidate; nobody else is
   compared. So a report's work follows the number of its candidates, not the size of the register.
3. **Compare** (`compare.py`). Each candidate has one profile: everything that was ever said of the person. Per field
   the best agreement gives evidence in bits. What is missing on one side says nothing.
4. **Decide** (`decide.py`). The people of a report are decided together: their company is evidence too.
5. **Household** (`household.py`). Signs for and against each household of those recognised, beside the chance that
   it is a household that we do not know yet.
6. **Explain** (`explain.py`). Every link is stored with its reasons, their weights and the version of the rules.
"""

_WEIGHING = """\
## Evidence in bits

One bit makes it twice as likely; two bits four times. A link has two rivals and must beat both. A **stranger**, who
agrees by chance: the larger the register, the more there are. And a **housemate**, who shares surname, address and
phone by nature: only what is one's own counts. So each level has two weights, and the odds of a link are what is left
against both rivals together: practically the worse of the two.

Company counts by its chance: the less certain that another is of the candidate's household, the closer to nobody.
"""

_FIELDS: dict[FieldName, str] = {
    "bsn": "BSN",
    "birth": "Date of birth",
    "first_name": "First name",
    "surname": "Surname",
    "sex": "Sex",
    "phone": "Phone",
    "address": "Address",
    "order": "Order of the names",
    "company": "Company in the report",
}
_LEVELS: dict[tuple[FieldName, str], str] = {
    ("bsn", "same"): "the same valid number",
    ("bsn", "different"): "another valid number",
    ("birth", "same"): "the same day",
    ("birth", "swapped"): "the same with day and month swapped",
    ("birth", "year_month"): "the same year and month, no day known",
    ("birth", "year"): "the same year, no more known",
    ("birth", "one_part"): "one of day, month and year differs",
    ("birth", "near_year"): "only a year known, at most two years apart (an estimate)",
    ("birth", "different"): "different",
    ("first_name", "same"): "the same first first name",
    ("first_name", "other_given"): "one of the other first names",
    ("first_name", "nickname"): "a nickname or short form of the same name",
    ("first_name", "alike"): "a typing error, or another spelling of the same sound",
    ("first_name", "initial"): "only the first initial can be compared, and agrees",
    ("first_name", "initials"): "two initials agree",
    ("first_name", "resembles"): "somewhat alike",
    ("first_name", "different"): "different, or junior against senior",
    ("surname", "same"): "one of the surnames (own or partner's) is the same",
    ("surname", "alike"): "a typing error, the same sound, or part of a double name",
    ("surname", "resembles"): "somewhat alike",
    ("surname", "different"): "different",
    ("sex", "same"): "the same",
    ("sex", "different"): "different",
    ("phone", "same"): "the same number",
    ("address", "door"): "the same front door, now or before",
    ("address", "house"): "the same house number, an addition is missing",
    ("address", "near"): "the same street or postcode, another number or another addition",
    ("address", "different"): "elsewhere",
    ("order", "swapped"): "first name and surname stood in each other's field",
    ("company", "several"): "several others of the candidate's household are in the report",
    ("company", "one"): "one other of the candidate's household is in the report",
    ("company", "nobody_of_one"): "the only other person in the report is not of that household",
    ("company", "nobody_of_several"): "none of several others in the report is of that household",
}
_SIGNS: dict[HouseholdSign, str] = {
    "known": "it is a household that we know, and not one that we do not know yet",
    "nobody_recognised": "nobody at the report's address is recognised as a member",
    "member": "a member is recognised, who was last seen in this household",
    "former_member": "somebody is recognised who has since been seen in another household",
    "lives_elsewhere": "a member, not a child, lives at another address by what the report says",
    "missing": f"a member seen in the household's last {RECENT // 365} years is not in the report",
    "most_missing": "more members are missing than are recognised",
    "shares": "somebody unknown shares the surname with address or phone",
    "stranger": "somebody in the report is not known in it",
    "same_address": "the report's address was this household's address",
    "other_address": "the report's address is new for it",
    "alone_elsewhere": "one member alone, at a new address, with others missing: has somebody left?",
}
_KEYS: dict[KeyKind, str] = {
    "bsn": "the BSN",
    "birth_first": "birth date (day and month in either order) and first initial",
    "birth_surname": "birth date and the sound of a surname",
    "name": "the sounds of first name and surname, in either order",
    "name_year": "first initial, sound of a surname, birth year",
    "house_first": "house and first initial",
    "house_surname": "house and the sound of a surname",
    "door": "the front door",
    "phone": "the phone number",
}
_LIMITS = {
    "automatic": "bits from which the machine links",
    "proposed": "bits from which a member of staff is asked; below it the mention is somebody new",
    "margin": "bits that the best candidate must be ahead of the next; closer, a member of staff chooses",
    "household": "bits of surname, phone and address together from which they alone point to a household",
    "housemates": "bits that a link must win from the housemates who could be meant instead",
    "persons_per_key": "a key with more persons is too common to search with",
    "persons_per_door": "an address or phone of more persons is an institution, and no evidence",
    "candidates": "candidates per mention that are compared, those with the rarest keys first",
}
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "same_person": (
        "Same person",
        "linked by the machine (*automatic*), or a question to a member of staff (*proposed*); until it is answered, "
        "the mention is a person of its own",
    ),
    "same_household": ("Same household, another person", "somebody new, who shares surname with address or phone"),
    "new": ("New", "nobody in the register fits"),
    "too_little": ("Too little to say", "hardly a name, or less; it stands by itself"),
    "outside": ("(Outside)", "reporter, informant or professional: not of the family, never compared"),
}
_QUESTIONS = {
    "contradiction": "at least two of first name, birth date, sex and BSN speak against it while the rest fits: "
    "perhaps somebody else's BSN",
    "not_sure": "the odds lie between the two limits",
    "runner_up": "another candidate, or another person in the same report, fits nearly as well",
    "names_only": "only names and sex agree, however rare they are, and nobody else of that household was recognised",
    "initial_only": "no BSN or birth date agrees, and of the first name one letter: a brother may have it too",
}

_NEVER = (
    "What is **missing**: a field that one side lacks says nothing, for or against.",
    "A BSN that fails the 11-test, and the **codes** 000000000 (unknown) and 999999999 (unborn). A BSN that is "
    "plainly somebody else's (the mother's on the child) is left out for that mention, and staff is asked.",
    "**1 January**: only the year counts. A year before 1890 is no year.",
    "**Placeholders** in the place of a name: {unnamed}. 'Zoon van Jan' is not Jan, 'Jan en Mia' is not one person.",
    "A child **not born yet** never links ({unborn}; birth date 99999999).",
    "**Institutions**: an address or phone of more than {door} persons, or a street with {institution} in its name. "
    "Phone numbers of one repeated digit{phones}. Addresses abroad or without a house number.",
    "A **flat neighbour** is no housemate: another addition behind the number is another family. It counts as the "
    "same street, and never points to a household.",
    "Who is **outside the family** (roles 391 to 491: reporter, informant, contact, professionals).",
)

_WEIGHTS_FOUND = """\
## How the weights were found

The levels of agreement were counted on labelled, invented data: the public generator (seed 1, the register up to one
year before the end), and a harder mix of damage that we made with the same generator (twice the error rates, more
communities, seed 11). The weights were fitted to those counts by regularised logistic regression, pulled towards
values set by hand, with two rivals: stranger and housemate. Then three were set back by hand for caution, so that all
of [the hard cases](../tests/radar/hard_cases.toml) hold: a BSN that differs, a first name that differs, and the limit
of proposals. Measured on other seeds, below.

## Known limits

- A name that is not in the frequency table counts as rare, however common it is: all unlisted names weigh alike.
- A household that split without a report that shows it (no new address, nobody missing) is still one household here.
- The weights come from invented data. A region should fit them on its own confirmed links, and rehearse the outcome
  on its own reports before it is put in force (docs/operations.md).
"""

_SCORES = """\
## Scorecard

Automatic links only: a question counts as somebody new. Made with `veilig link-file`; the scores by the generator's
own `metrics.py`. Aims and the best peer (splink 5) are for one million persons of the public data. A dash: there is
no aim for that row, or no measurement.
"""


def page(rules: Rules, scores: Mapping[str, Sequence[Score]]) -> str:
    """The whole page in Markdown. `scores`: measured rows per version of the rules, newest version first."""
    parts = (
        _INTRODUCTION,
        _WEIGHING,
        f"Rule set in this version of the product: **{rules.version}**.\n",
        _levels(rules),
        _rarity(rules),
        _register(rules),
        "## Decisions\n",
        _table("outcome|means", _OUTCOMES.values()),
        _limits(rules),
        "A member of staff is asked, and told why, when\n",
        _table("reason|when", ((f"`{code}`", text) for code, text in _QUESTIONS.items())),
        "A yes or no of a member of staff outranks the machine for ever, and holds for everything known of both.\n",
        _example(rules),
        _household(rules),
        _never(rules),
        _keys(rules),
        _WEIGHTS_FOUND,
        _SCORES,
        *(_scorecard(version, rows) for version, rows in scores.items()),
    )
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    return fill(text, WIDTH, break_on_hyphens=False) + "\n\n"


def _table(heads: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [heads.split("|"), ["---"] * (heads.count("|") + 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _listed(words: Iterable[str], last: str = "and") -> str:
    *most, final = sorted(words)
    return f"{', '.join(most)} {last} {final}" if most else final


def _bits(value: float) -> str:
    return f"{value + 0.0:+.1f}" if round(value, 1) else "0"


def _levels(rules: Rules) -> str:
    rows = [
        (_FIELDS[field], _LEVELS[field, level], _bits(weight.stranger), _bits(weight.housemate))
        for field in LEVELS
        for level, weight in rules.weights[field].items()
    ]
    shown = [(field if not n or field != rows[n - 1][0] else "", *rest) for n, (field, *rest) in enumerate(rows)]
    return _table("field|level|bits against a stranger|bits against a housemate", shown)


def _rarity(rules: Rules) -> str:
    known = rules.frequencies
    rows = []
    for field, table, other in (
        ("surname", known.surname, known.other_surname),
        ("first_name", known.first_name, known.other_first_name),
    ):
        common = max(table, key=lambda name: table[name])
        counts = rules.rarity_counts["surname" if field == "surname" else "first_name"]
        for name, share in ((common.title(), table[common]), ("any that is not listed", other)):
            rows.append((field.replace("_", " "), name, f"{share:g}", _bits(rarity(share) * counts)))
    listed = f"{len(known.surname)} surnames and {len(known.first_name)} first names are listed."
    text = f"A name that agrees counts more the rarer it is, on top of its weight against a stranger. {listed}"
    return _paragraph(text) + _table("field|name|per 100,000 persons|bits on top", rows)


def _register(rules: Rules) -> str:
    size = rules.register_size
    text = (
        "The register counts against a stranger: one bit for every doubling. The clock counts the persons of each "
        f"region every hour; a register of fewer than {size.smallest:,} counts as one of that size."
    )
    return _paragraph(text) + _table(
        "persons|bits to beat", ((f"{n:,}", f"{rules.register_bits(n):.1f}") for n in SIZES)
    )


def _limits(rules: Rules) -> str:
    return _table("limit|value|what", ((f"`{name}`", f"{value:g}", _LIMITS[name]) for name, value in rules.limits))


def _example(rules: Rules) -> str:
    """One comparison, decided by the engine."""
    home = AddressKey("1234AB", "12", "", "voorbeeldstraat", "testdam")
    known = Profile()
    known.add(Features(("johannes", "pieter"), "jp", ("voorbeeld",), birth=(1980, 3, 5), sex="M", addresses=(home,)))
    said = Features(("jan",), "j", ("voorbeelt",), birth=(1980, 5, 3), sex="M", addresses=(home,))
    evidence, persons = compare(said, known, rules), SIZES[2]
    (decision,) = decide_on([said], [{"known": evidence}], {"known": known}, rules, persons)
    rows = [
        (_FIELDS[one.field], _LEVELS[one.field, one.level], _bits(one.stranger), _bits(one.housemate))
        for one in evidence.fields
    ]
    rows.append(("Together", "", _bits(evidence.stranger), _bits(evidence.housemate)))
    rows.append(("To beat", "", _bits(-rules.register_bits(persons)), _bits(-rules.limits.housemates)))
    text = (
        "The register, of a million persons, knows Johannes Pieter Voorbeeld, born 5 March 1980, "
        "Voorbeeldstraat 12. A report on one person names Jan Voorbeelt, born 3 May 1980, same address. "
        f"{_told(decision)}"
    )
    return "### An example\n\n" + _paragraph(text) + _table("field|level|stranger|housemate", rows)


def _told(decision: Decision) -> str:
    why = f" (`{decision.why_proposed}`)" if decision.why_proposed else ""
    return f"Odds: {_bits(decision.score)} bits; the outcome is *{decision.state}*{why}."


def _household(rules: Rules) -> str:
    text = (
        "Only who was linked by the machine or by staff counts, never a proposal. The report is about the address "
        "that most of its central people share; the others live elsewhere. Each household that somebody in it "
        "belongs to, or did, gets the bits of its signs, those about persons once for each up to a small number. The "
        "best one above 0 is the household of the report; if there is none, it is a new one."
    )
    rest = (
        f"That a child (role {_codes(rules.child_roles)}) lives elsewhere says nothing: a child may belong to two "
        f"households. In choosing the address, role {_codes(rules.peripheral_roles)} does not count as central."
    )
    signs = _table("sign|bits", ((_SIGNS[one], _bits(bits)) for one, bits in rules.household.items()))
    return "## Household\n\n" + _paragraph(text) + signs + "\n" + _paragraph(rest).removesuffix("\n")


def _codes(roles: Iterable[int]) -> str:
    return ", ".join(str(one) for one in sorted(roles))


def _never(rules: Rules) -> str:
    words = {
        "unnamed": _listed(rules.unnamed),
        "unborn": _listed(rules.unborn),
        "door": rules.limits.persons_per_door,
        "institution": _listed(rules.institution_words, "or"),
        "phones": f", and {_listed(rules.stop_phones)}" if rules.stop_phones else "",
    }
    bullets = (fill("- " + text.format_map(words), WIDTH, subsequent_indent="  ") for text in _NEVER)
    return "\n".join(("## What is never evidence\n", *bullets, ""))


def _keys(rules: Rules) -> str:
    text = (
        "Every person stands under these keys, hashed with the region, so that one region never "
        "finds another's people. Two first reports on one family at the same moment wait for each other on the keys "
        "marked as lock."
    )
    rows = (
        (what, "yes" if kind in rules.search_keys else "no", "yes" if kind in rules.lock_keys else "")
        for kind, what in _KEYS.items()
    )
    return "## Search keys\n\n" + _paragraph(text) + _table("key|searched with|lock", rows)


def _scorecard(version: str, rows: Iterable[Score]) -> str:
    heads = "data|seed|persons|what|value|aim|best peer"
    cells = (
        (
            row["data"],
            str(row["seed"]),
            f"{row['persons']:,}",
            row["what"],
            *(_figure(row[name]) for name in _FIGURES),
        )
        for row in rows
    )
    return f"### {version}\n\n" + _table(heads, cells)


_FIGURES = ("value", "aim", "best_peer")


def _figure(value: Any) -> str:
    """A measured figure as it was written down (text, so that .9860 keeps its nought)."""
    return str(value) if value is not None else "–"  # noqa: RUF001
