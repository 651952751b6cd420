"""Hard cases, as a table: who was known, who is in the new report, and what the radar must make of it.

Wanted per mention: `=name` linked by the machine, `?name` put to a person, `home` somebody else of the same
household, `new`, `thin` (too little is known) or `outside`. Alternatives are separated by a bar.
All people are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from radar.linking import block, rules
from radar.linking.decide import Candidate, Decision, compare_all, decide_on, likely_households
from radar.linking.normalise import Features, features

RULES = rules.load()
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}
ELSEWHERE = {"straat": "Proefweg", "huisnummer": "80", "postcode": "9876ZX", "woonplaats": "Probeerde"}
FLAT = {"straat": "Torenhof", "huisnummer": "5", "postcode": "4321BA", "woonplaats": "Testdam"}
SHELTER = {"straat": "Vrouwenopvang De Brug", "huisnummer": "1", "postcode": "1111AA", "woonplaats": "Testdam"}
BSN = "999993653"
OTHER_BSN = "999990019"

Person = dict[str, Any]


def who(
    first: str = "",
    last: str = "",
    birth: str = "",
    sex: str = "",
    *,
    prefix: str = "",
    bsn: str = "",
    at: Person | None = None,
    phone: str = "",
    role: str = "111",
) -> Person:
    """One betrokkene as intake writes it. `birth` is yyyymmdd, 00 for unknown parts."""
    person: Person = {
        "naam": {"voornamen": first, "geslachtsnaam": last, "voorvoegsel": prefix},
        "rol": {"code": role},
        "geslacht": sex,
        "bsn": bsn,
    }
    if birth:
        person["geboortedatum"] = {"tekst": birth}
    if at:
        person["adressen"] = [{"soort": "formeel"} | at]
    if phone:
        person["telefoonnummers"] = [phone]
    return person


def read(person: Person) -> Features:
    return features(person, RULES, hasher=lambda text: text.encode())


def ident(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)


def link(known: dict[str, list[Person]], report: list[Person], size: int = 100_000) -> list[Decision]:
    """The engine over a register in memory. 'family/name' makes somebody a member of that family."""
    candidates = {
        ident(name): Candidate(
            ident(name),
            tuple(read(person) for person in persons),
            frozenset({ident(name.split("/")[0])}) if "/" in name else frozenset(),
        )
        for name, persons in known.items()
    }
    mentions = [read(person) for person in report]
    keys = {
        person: {key for one in candidate.mentions for key in block.keys(one, RULES)}
        for person, candidate in candidates.items()
    }
    pairs = [
        {
            person
            for person, own in keys.items()
            if own & set(block.chosen(block.by_kind(one, RULES), RULES.search_keys))
        }
        for one in mentions
    ]
    evidence = compare_all(mentions, candidates, pairs, RULES)
    homes = likely_households(evidence, candidates, RULES, size)
    members = {person for person, candidate in candidates.items() if candidate.households & homes}
    wider = [found | members for found in pairs]
    return decide_on(mentions, compare_all(mentions, candidates, wider, RULES), candidates, RULES, size)


def said(decision: Decision, known: dict[str, list[Person]]) -> str:
    names = {ident(name): name.split("/")[-1] for name in known}
    if decision.person is not None:
        return ("=" if decision.state == "automatic" else "?") + names[decision.person]
    return {"same_household": "home", "too_little": "thin"}.get(decision.outcome, decision.outcome)


@dataclass(frozen=True)
class Case:
    story: str
    known: dict[str, list[Person]]
    report: list[Person]
    wanted: list[str]


JAN = who("Jan Pieter", "Voorbeeld", "19800305", "M", at=HOME)
MIA = who("Mia", "Testers", "19820711", "V", at=HOME)
ANNE = who("Anne", "Voorbeeld", "20150602", "V", at=HOME, role="115")
SAAR = who("Saar", "Voorbeeld", "20150602", "V", at=HOME, role="115")

CASES = [
    Case("the same person, every field", {"f/jan": [JAN]}, [JAN], ["=jan"]),
    Case("a stranger", {"f/jan": [JAN]}, [who("Karel", "Anders", "19550101", "M", at=ELSEWHERE)], ["new"]),
    Case("an exact BSN and a matching name", {"f/jan": [JAN | {"bsn": BSN}]},
         [who("Jan", "Voorbeeld", bsn=BSN)], ["=jan"]),
    Case("twins: the other one was known", {"f/anne": [ANNE], "f/jan": [JAN]}, [JAN, SAAR], ["=jan", "home"]),
    Case("twins: both known, both reported", {"f/anne": [ANNE], "f/saar": [SAAR]}, [SAAR, ANNE], ["=saar", "=anne"]),
    Case("twins with one first letter, initial only",
         {"f/sem": [who("Sem", "Voorbeeld", "20150602", "M", at=HOME)],
          "f/sam": [who("Stan", "Voorbeeld", "20150602", "M", at=HOME)]},
         [who("S.", "Voorbeeld", "20150602", "M", at=HOME)], ["?sem|?sam"]),
    Case("father and son with one name", {"f/jan": [JAN]},
         [who("Jan", "Voorbeeld", "20100909", "M", at=HOME)], ["home"]),
    Case("father and son, both known", {"f/jan": [JAN], "f/son": [who("Jan", "Voorbeeld", "20100909", "M", at=HOME)]},
         [who("Jan", "Voorbeeld", "20100909", "M"), JAN], ["=son", "=jan"]),
    Case("a sister never reported before", {"f/anne": [ANNE]},
         [who("Lotte", "Voorbeeld", "20180120", "V", at=HOME)], ["home"]),
    Case("same surname, other door of the flat",
         {"f/jan": [who("Jan", "Jansen", "19800305", "M", at=FLAT | {"toevoeging": "3"})]},
         [who("Piet", "Jansen", "19790104", "M", at=FLAT | {"toevoeging": "14"})], ["new"]),
    Case("same common surname in a flat, addition left out",
         {"f/jan": [who("Jan", "Jansen", "19800305", "M", at=FLAT | {"toevoeging": "3"})]},
         [who("Piet", "Jansen", "19790104", "M", at=FLAT)], ["new"]),
    Case("the family moved", {"f/jan": [JAN], "f/anne": [ANNE]},
         [who("Jan", "Voorbeeld", "19800305", "M", at=ELSEWHERE), who("Anne", "Voorbeeld", "20150602", "V")],
         ["=jan", "=anne"]),
    Case("married name instead of maiden name", {"f/mia": [MIA], "f/jan": [JAN]},
         [JAN, who("Mia", "Voorbeeld", "19820711", "V", at=HOME)], ["=jan", "=mia"]),
    Case("double name", {"f/mia": [MIA]}, [who("Mia", "Voorbeeld-Testers", "19820711", "V")], ["=mia"]),
    Case("only the name is the same, at another address",
         {"f/joke": [who("Joke", "Zeldenthuis", "19911224", "V", at=HOME)]},
         [who("Joke", "Zeldenthuis", "", "V", at=ELSEWHERE)], ["?joke"]),
    Case("only the name is the same, in the company of the household",
         {"f/joke": [who("Joke", "Zeldenthuis", "19911224", "V", at=HOME)], "f/jan": [JAN]},
         [JAN, who("Joke", "Zeldenthuis", "", "V")], ["=jan", "=joke"]),
    Case("nickname", {"f/kees": [who("Cornelis", "Voorbeeld", "19700404", "M", at=HOME)]},
         [who("Kees", "Voorbeeld", "19700404", "M")], ["=kees"]),
    Case("prefix in the surname", {"f/jo": [who("Jo", "Proefstra", "19700404", "V", prefix="van der")]},
         [who("Jo", "van der Proefstra", "19700404", "V")], ["=jo"]),
    Case("prefix behind, in short", {"f/jo": [who("Jo", "Proefstra", "19700404", "V", prefix="van der")]},
         [who("Jo", "Proefstra v.d.", "19700404", "V")], ["=jo"]),
    Case("BSN 000000000 is nobody's", {"f/jan": [who("Jan", "Voorbeeld", "19800305", bsn="000000000")]},
         [who("Els", "Anders", "19910203", bsn="000000000")], ["new"]),
    Case("BSN 999999999 is nobody's", {"f/jan": [who("Jan", "Voorbeeld", "19800305", bsn="999999999")]},
         [who("Els", "Anders", "19910203", bsn="999999999")], ["thin"]),
    Case("unborn children are not each other", {"f/baby": [who("Ongeboren", "Jansen", at=HOME)]},
         [who("Ongeboren", "Jansen", at=HOME)], ["thin"]),
    Case("unborn by its date of birth", {"f/baby": [who("Kind", "Jansen", "99999999", at=HOME)]},
         [who("Kind", "Jansen", "99999999", at=HOME)], ["thin"]),
    Case("a name that is no name", {"f/nn": [who("Onbekend", "Onbekend", "19800305", "M")]},
         [who("Onbekend", "Onbekend", "19800305", "M")], ["thin"]),
    Case("1 January says the year only", {"f/ali": [who("Ali", "Hassan", "19850101", "M")]},
         [who("Omar", "Hassan", "19850101", "M")], ["new"]),
    Case("Turkish: Öztürk, Oezturk", {"f/ay": [who("Ayşe", "Öztürk", "19850614", "V")]},
         [who("Ayse", "Ozturk", "19850614", "V")], ["=ay"]),
    Case("Turkish: dotless i", {"f/yi": [who("I\u015f\u0131k", "Y\u0131ld\u0131r\u0131m", "19850614", "V")]},
         [who("Isik", "Yildirim", "19850614", "V")], ["=yi"]),
    Case("Arabic: El, Al- and no article", {"f/mo": [who("Mohammed", "El Amrani", "19850614", "M")]},
         [who("Mohamed", "Amrani", "19850614", "M")], ["=mo"]),
    Case("Arabic: Khalid, Chalid", {"f/kh": [who("Khalid", "Al-Khattabi", "19850614", "M")]},
         [who("Chalid", "Alchattabi", "19850614", "M")], ["=kh"]),
    Case("Polish: ł, and -ska for a woman", {"f/gosia": [who("Małgorzata", "Wróblewska", "19850614", "V")]},
         [who("Gosia", "Wroblewski", "19850614", "V")], ["=gosia"]),
    Case("Ukrainian: Cyrillic and Latin", {"f/ol": [who("Олена", "Шевченко", "19850614", "V")]},
         [who("Olena", "Shevchenko", "19850614", "V")], ["=ol"]),
    Case("Tigrinya: y and i", {"f/te": [who("Tesfay", "Ghebremariam", "19850614", "M")]},
         [who("Tesfai", "Gebremariam", "19850614", "M")], ["=te"]),
    Case("a shelter is no home", {"f/a": [who("Amina", "Jansen", "19850614", "V", at=SHELTER)]},
         [who("Anja", "Jansen", "19880101", "V", at=SHELTER)], ["new"]),
    Case("initials only, with the address", {"f/jan": [JAN], "f/mia": [MIA]},
         [who("J.P.", "Voorbeeld", "19800305", "M", at=HOME)], ["=jan"]),
    Case("day and month swapped", {"f/jan": [JAN]}, [who("Jan", "Voorbeeld", "19800503", "M", at=HOME)], ["=jan"]),
    Case("first name and surname swapped", {"f/te": [who("Tesfay", "Kidane", "19850614", "M", at=HOME)]},
         [who("Kidane", "Tesfay", "19850614", "M", at=HOME)], ["=te"]),
    Case("the mother's BSN filled in for the child", {"f/mia": [MIA | {"bsn": BSN}], "f/jan": [JAN]},
         [who("Bram", "Voorbeeld", "20160707", "M", bsn=BSN, at=HOME)], ["home|?mia"]),
    Case("somebody else's BSN altogether", {"f/mia": [MIA | {"bsn": BSN}]},
         [who("Karel", "Anders", "19600101", "M", bsn=BSN, at=ELSEWHERE)], ["new|?mia"]),
    Case("same name and birth date, other BSN", {"f/jan": [JAN | {"bsn": BSN}]},
         [who("Jan", "Voorbeeld", "19800305", "M", bsn=OTHER_BSN, at=ELSEWHERE)], ["new|?jan"]),
    Case("a common name alone says nothing", {"f/jan": [who("Jan", "Jansen", "", "M")]},
         [who("Jan", "Jansen", "", "M")], ["new|?jan"]),
    Case("two look-alikes: a person chooses",
         {"f/a": [who("Eva", "Voorbeeld", "19800305", "V")], "g/b": [who("Eva", "Voorbeeld", "19800305", "V")]},
         [who("Eva", "Voorbeeld", "19800305", "V")], ["?a|?b"]),
    Case("two mentions of one report are two people", {"f/jan": [JAN]}, [JAN, JAN], ["?jan", "home"]),
    Case("the others decide: a child by first name only", {"f/jan": [JAN], "f/mia": [MIA], "f/anne": [ANNE]},
         [JAN, MIA, who("Anne", "", "20150000", "V")], ["=jan", "=mia", "=anne"]),
    Case("reporter with the same name", {"f/jan": [JAN]}, [JAN | {"rol": {"code": "391"}}], ["outside"]),
    Case("a professional is not of the family", {"f/jan": [JAN]}, [JAN | {"rol": {"code": "413"}}], ["outside"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.story)
def test_hard_case(case: Case) -> None:
    found = [said(decision, case.known) for decision in link(case.known, case.report)]
    assert len(found) == len(case.wanted)
    for got, wanted in zip(found, case.wanted, strict=True):
        assert got in wanted.split("|"), (found, case.wanted)


def test_a_larger_register_asks_for_more() -> None:
    known = {"f/jan": [who("Jan", "Proefstra", "19800000", "M")]}
    report = [who("Jan", "Proefstra", "19800000", "M")]
    small, large = link(known, report, 100)[0], link(known, report, 3_000_000)[0]
    assert small.score > large.score
