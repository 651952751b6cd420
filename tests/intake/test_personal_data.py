"""The check on texts without personal data: numbers are found however they are spaced, names as far as lists go."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.identity.bsn import WEIGHTS, passes_eleven_test
from intake import personal_data
from intake.personal_data import KINDS, excerpts, found

SEPARATORS = st.sampled_from(["", "", "", " ", ".", "-", "/", "  ", " - ", "\u00a0", "\u2011", "\t", "\n", "\u200b"])
AROUND = st.text(st.sampled_from("abcxyzABC .,:;!?\n()éñ"), max_size=30)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.excerpt) for one in found(text)]


def covers(text: str, kind: str, start: int, end: int) -> bool:
    return any(one.kind == kind and one.start <= start and end <= one.end for one in found(text))


@st.composite
def bsns(draw: st.DrawFn) -> str:
    """A number that passes the 11-test and is nobody's: it starts with 9."""
    middle = draw(st.lists(st.integers(0, 9), min_size=7, max_size=7))
    last = sum(weight * digit for weight, digit in zip(WEIGHTS, [9, *middle], strict=False)) % 11
    assume(last < 10)
    number = "".join(map(str, [9, *middle, last]))
    assume(passes_eleven_test(number) and number != "999999999")
    return number


@st.composite
def spaced(draw: st.DrawFn, digits: str) -> str:
    gaps = draw(st.lists(SEPARATORS, min_size=len(digits) - 1, max_size=len(digits) - 1))
    return "".join(digit + gap for digit, gap in zip(digits, [*gaps, ""], strict=True))


@given(st.data(), bsns(), AROUND, AROUND)
@settings(max_examples=300)
def test_a_bsn_is_found_however_it_is_spaced(data: st.DataObject, bsn: str, before: str, after: str) -> None:
    number = data.draw(spaced(bsn))
    text = before + number + after
    assert covers(text, "bsn", len(before), len(before) + len(number))


@given(bsns(), st.text("0123456789", min_size=1, max_size=6), st.text("0123456789", max_size=6), st.booleans())
def test_a_bsn_that_stands_among_other_digits_is_found(bsn: str, before: str, after: str, apart: bool) -> None:
    gap = " " if apart else ""
    text = f"nr {before}{gap}{bsn}{gap}{after}."
    start = 3 + len(before + gap)
    hits = [one for one in found(text) if one.kind in ("bsn", "phone") and one.start < start + 9 and start < one.end]
    assert hits
    if apart:
        assert covers(text, "bsn", start, start + 9)


@given(st.from_regex(r"0(6[1-58][0-9]{7}|[1-57][0-9]{8})", fullmatch=True), st.data(), AROUND, AROUND)
@settings(max_examples=300)
def test_a_phone_number_is_found_however_it_is_spaced(
    number: str, data: st.DataObject, before: str, after: str
) -> None:
    typed = data.draw(spaced(number))
    assert covers(before + typed + after, "phone", len(before), len(before) + len(typed))


@pytest.mark.parametrize(
    "number",
    ["+31 6 12345678", "+31 (0)6-1234 5678", "0031612345678", "31612345678", "(020) 123 45 67", "+32 470 12 34 56",
     "06.12.34.56.78", "tel:0612345678", "00 49 151 12345678", "\uff10\uff16 12345678"],
)  # fmt: skip
def test_the_ways_in_which_people_write_a_phone_number(number: str) -> None:
    assert "phone" in [kind for kind, _ in kinds(f"bel mij op {number} na vijf uur")]


@given(
    st.integers(1000, 9999),
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2),
    st.sampled_from(["", " ", "  ", "-", ".", "\u00a0", "\n"]),
    st.booleans(),
    AROUND,
)
@settings(max_examples=300)
def test_a_postcode_is_found(digits: int, letters: str, gap: str, small: bool, before: str) -> None:
    assume(letters not in ("SA", "SD", "SS"))
    year = 1900 <= digits <= 2099 and small and gap
    assume(not (year and letters.lower() in personal_data.lists().behind_a_year))
    code = f"{digits}{gap}{letters.lower() if small else letters}"
    assert covers(f"{before}{code}, dus", "postcode", len(before), len(before) + len(code))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zij wonen op Voorbeeldstraat 12a, 1234 AB.", ["Voorbeeldstraat 12a", "1234 AB"]),
        ("de moeder woont op 1234ab 12", ["1234ab 12"]),
        ("het is in de dorpsstraat nr 4 gebeurd", ["dorpsstraat nr 4"]),
        ("op de Laan van Voorbeeld 3", ["Laan van Voorbeeld 3"]),
        ("zij woont in de Voorbeeldstraat", ["Voorbeeldstraat"]),
        ("postbus 123 in de stad", ["postbus 123"]),
    ],
)
def test_addresses(text: str, expected: list[str]) -> None:
    assert [excerpt for kind, excerpt in kinds(text) if kind in ("address", "postcode")] == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("De buurman heet jan en hij drinkt.", "jan"),
        ("Zijn dochter Fenne van der Voorbeeld komt niet op school.", "Fenne van der Voorbeeld"),
        ("Mevrouw Proef belde.", "Proef"),
        ("het gaat om een kind genaamd xylo", "xylo"),
        ("Mohamed slaat zijn zus.", "Mohamed"),
        ("de familie De Boer", "De Boer"),
        ("gisteren sloeg fatima haar broertje", "fatima"),
        ("Jansen is de vader.", "Jansen"),
        ("my neighbour is called bob", "bob"),
        ("hij woont in Dalstad", "Dalstad"),
        ("vader is Jan-Willem", "Jan-Willem"),
        ("naam: pietje", "pietje"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert ("name", name) in kinds(text)


@pytest.mark.parametrize("text", ["geboren 12 mei 2010", "geb. 12-05-'10", "12/05/2010", "2010-05-12", "12052010",
                                  "jarig op 3 maart", "born 3rd of May 2010"])  # fmt: skip
def test_dates_that_may_be_a_day_of_birth(text: str) -> None:
    assert "birth_date" in [kind for kind, _ in kinds(f"het kind is {text}.")]


@pytest.mark.parametrize("mail", ["x.y@voorbeeld.nl", "x (at) voorbeeld.nl", "naam+iets@mail.voorbeeld.co.uk"])
def test_mail_addresses(mail: str) -> None:
    assert ("email", mail) in kinds(f"mail naar {mail} graag")


@pytest.mark.parametrize(
    "text",
    [
        "Een leerkracht vraagt wat zij kan doen als een leerling zegt dat vader slaat. Bespreek het met een collega.",
        "In 2019 is hij gestopt met drinken. Sinds 2021 en 2022 gaat het slechter.",
        "Mevrouw zegt dat de GGD, de politie en Veilig Thuis helpen. Zij wil 0800-2000 bellen, of 112.",
        "Advies: volg stap 3 van de meldcode. Overleg met de intern begeleider.",
        "Er zijn 3 kinderen van 4, 8 en 12 jaar. Het gebeurt 2 keer per week, al 6 maanden.",
        "Wil je weten wat je kunt doen? Ik wil dat het stopt. Dat heet een kindcheck.",
        "",
    ],
)
def test_ordinary_advice_raises_no_alarm(text: str) -> None:
    assert kinds(text) == []


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_each_find_is_a_piece_of_the_text_and_none_of_a_kind_overlap(text: str) -> None:
    finds = found(text)
    assert finds == sorted(finds)
    last: dict[str, int] = {}
    for one in finds:
        assert one.excerpt == text[one.start : one.end] != ""
        assert one.kind in KINDS
        assert one.start >= last.get(one.kind, 0)
        last[one.kind] = one.end


def test_a_find_shows_no_personal_data_in_its_repr() -> None:
    (one,) = found("bel 0612345678")
    assert "0612345678" not in repr(one)
    assert one.title == "Telefoonnummer"


def test_excerpts_are_each_named_once_in_order() -> None:
    assert excerpts(found("Dat zegt Karel. Volgens Fenne sloeg Karel.")) == ["Karel", "Fenne"]


@pytest.mark.parametrize(
    "piece", ["1 ", "0 ", "0", "a.", "A a.", "laan a ", "a@", "geboren ", " ", "Jan ", "12-", "("]
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    def seconds(length: int) -> float:
        began = thread_time()  # of this thread alone: a busy machine is no finding
        found((piece * length)[:length])
        return thread_time() - began

    found(piece)
    short, long = (min(seconds(length) for _ in range(3)) for length in (4_000, 40_000))
    assert long < 60 * max(short, 0.002)
