"""The file of an old register: what is read from it, and the sentence for each file that is none."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.deadlines import AMSTERDAM
from workers.register_file import MAX_LINE, MAX_PERSONS, UnusableFile, check, person, reports

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HEADER = "report_id,report_ts,source_type,role,voornamen,geslachtsnaam,geboortedatum,bsn"
GOOD = "m1,2021-04-30T13:45:00,politie,kind,Saar,Voorbeeld,2012-03-04,999993653"
NEXT = "m2,2021-05-01T08:00:00,politie,pleger,Jan,Voorbeeld,1980-00-00,"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes lines, or bytes as they are."""

    def made(*lines: str, raw: bytes | None = None) -> Path:
        path = tmp_path / "oud.csv"
        path.write_bytes("\n".join([*lines, ""]).encode() if raw is None else raw)
        return path

    return made


def said(path: Path) -> str:
    """The sentence about a file that cannot be loaded."""
    with pytest.raises(UnusableFile) as caught:
        check(path, NOW)
    return caught.value.message


# ── what is read ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_becomes_a_betrokkene_as_intake_stores_it() -> None:
    line = {
        "role": "slachtoffer", "voornamen": "Mia", "voorvoegsel": "van den", "geslachtsnaam": "Zandbergh",
        "partner_voorvoegsel": "de", "partner_geslachtsnaam": "Proefland", "geslacht": "V",
        "geboortedatum": "1982-07-00", "bsn": "999993653", "straat": "Proefweg", "huisnummer": "12",
        "toevoeging": "bis", "postcode": "1234AB", "woonplaats": "Voorbeeldstad", "telefoon": "0612345678",
    }  # fmt: skip
    assert person(line) == {
        "naam": {
            "voornamen": "Mia", "voorvoegsel": "van den", "geslachtsnaam": "Zandbergh", "voorvoegselPartner": "de",
            "geslachtsnaamPartner": "Proefland",
        },
        "rol": {"code": "111"},
        "geslacht": "V",
        "bsn": "999993653",
        "geboortedatum": {"tekst": "19820700"},
        "telefoonnummers": ["0612345678"],
        "adressen": [{
            "soort": "formeel", "straat": "Proefweg", "huisnummer": "12", "toevoeging": "bis", "postcode": "1234AB",
            "woonplaats": "Voorbeeldstad",
        }],
    }  # fmt: skip


def test_an_empty_field_is_not_there_and_half_an_address_is_kept() -> None:
    assert person({"geslachtsnaam": "", "role": "", "straat": ""}) == {"naam": {}}
    assert person({"woonplaats": "Voorbeeldstad"})["adressen"] == [
        {"soort": "formeel", "woonplaats": "Voorbeeldstad"}
    ]
    assert person({"role": "413"})["rol"] == {"code": "413"}


def test_lines_that_stand_together_are_one_report_in_dutch_time(write: Write) -> None:
    path = write(HEADER, GOOD, GOOD.replace("Saar", "Anne"), NEXT.replace("08:00:00", "08:00:00+00:00"))
    found = [one for one, _ in reports(path)]
    assert [(one.reference, one.reporter_kind) for one in found] == [("m1", "politie"), ("m2", "politie")]
    assert [one["naam"]["voornamen"] for one in found[0].persons] == ["Saar", "Anne"]
    assert found[0].received_at == datetime(2021, 4, 30, 13, 45, tzinfo=AMSTERDAM)
    assert found[1].received_at == datetime(2021, 5, 1, 8, tzinfo=UTC)
    assert check(path, NOW) == 2


def test_a_missing_column_is_empty_and_an_unknown_one_is_passed_over(write: Write) -> None:
    path = write("kleur,geslachtsnaam,report_ts,report_id", "blauw,Voorbeeld,2021-04-30,m1")
    [(one, lines)] = reports(path)
    assert (one.reporter_kind, one.persons) == ("overig", [{"naam": {"geslachtsnaam": "Voorbeeld"}}])
    assert lines[0]["kleur"] == "blauw"
    assert check(path, NOW) == 1


def test_a_byte_order_mark_an_empty_line_and_quoted_text_are_read(write: Write) -> None:
    names = ["Ta\tb", 'Quo"te', "new\nline", "back\\slash", "com,ma", "Žofia"]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER.split(","))
    for name in names:
        writer.writerow(["m1", "2021-04-30", "politie", "kind", name, "Voorbeeld", "", ""])
    path = write(raw=b"\xef\xbb\xbf" + text.getvalue().encode() + b"\r\n")
    [(one, _)] = reports(path)
    assert [found["naam"]["voornamen"] for found in one.persons] == names
    assert check(path, NOW) == 1


@pytest.mark.parametrize("birth", ["", "2012-03-04", "2012-00-00", "2012-03", "2012", "20120304", "9999-99-99"])
def test_a_date_of_birth_may_be_partly_known_or_impossible(write: Write, birth: str) -> None:
    assert check(write(HEADER, GOOD.replace("2012-03-04", birth)), NOW) == 1


def test_within_a_day_the_order_is_free(write: Write) -> None:
    """The night on which the clock goes back has 02:50 before 02:10; and many old systems know only the day."""
    path = write(
        HEADER,
        GOOD.replace("2021-04-30T13:45:00", "2021-10-31T02:50:00"),
        NEXT.replace("2021-05-01T08:00:00", "2021-10-31T02:10:00"),
    )
    assert check(path, NOW) == 2


# ── files that are none ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "kolom report_id ontbreekt in de eerste regel"),
        ([GOOD], "kolom report_id ontbreekt in de eerste regel"),
        ([HEADER.replace(",", ";"), GOOD], "kolom report_id ontbreekt in de eerste regel (met komma's"),
        ([HEADER.replace("report_ts", "datum"), GOOD], "kolom report_ts ontbreekt"),
        ([HEADER.replace("geslachtsnaam", "naam"), GOOD], "kolom geslachtsnaam ontbreekt"),
        ([HEADER, GOOD, NEXT.replace("2021-05-01T08:00:00", "01-05-2021")], "regel 3, kolom report_ts: geen datum"),
        ([HEADER, GOOD, NEXT.replace("2021-05-01", "0001-01-01")], "regel 3, kolom report_ts: geen datum"),
        ([HEADER, GOOD, NEXT.replace("2021", "2027")], "regel 3, kolom report_ts: dit moment is nog niet geweest"),
        ([HEADER, NEXT, GOOD], "regel 3, kolom report_ts: eerder dan de regel ervoor: zet de oudste"),
        ([HEADER, GOOD, NEXT, GOOD], "regel 4, kolom report_id: de regels van deze melding staan niet bij elkaar"),
        ([HEADER, GOOD, NEXT.replace("m2", "")], "regel 3, kolom report_id: leeg"),
        ([HEADER, GOOD, NEXT.replace("m2", "m" * 201)], "regel 3, kolom report_id: leeg, langer dan 200 tekens"),
        ([HEADER, GOOD, NEXT.replace("m2", '"m\n2"')], "regel 4, kolom report_id: leeg, langer dan 200 tekens"),
        ([HEADER, GOOD, NEXT.replace("politie", "po\tlitie\\")], "regel 3, kolom source_type: "),
        ([HEADER, GOOD, NEXT.replace("pleger", "leerkracht")], "regel 3, kolom role: onbekende rol; het mag"),
        ([HEADER, GOOD, NEXT.replace("pleger", "99999")], "regel 3, kolom role: onbekende rol"),
        ([HEADER, GOOD, NEXT.replace("1980-00-00", "10-09-1980")], "regel 3, kolom geboortedatum: geen datum"),
        ([HEADER, GOOD, f"{NEXT},nog een veld"], "regel 3: niet zoveel velden als de eerste regel"),
        ([HEADER, GOOD, "m2,2021-05-01"], "regel 3: niet zoveel velden als de eerste regel"),
        ([HEADER, GOOD, NEXT.replace("Jan", "Ja\0n")], "regel 3: er staat een NUL-teken in"),
        ([HEADER, GOOD, NEXT.replace("Jan", "J" * 200_000)], f"regel 3: langer dan {MAX_LINE} tekens"),
        ([HEADER, GOOD, NEXT.replace("Jan", '"Jan')], "vanaf regel 3: dit is geen CSV"),
        ([HEADER, GOOD, NEXT.replace("Jan", '"Jan' + "\nx" * 100_000)], "vanaf regel 3: dit is geen CSV"),
        ([HEADER, *[GOOD] * (MAX_PERSONS + 1)], f"regel 2, kolom report_id: meer dan {MAX_PERSONS} regels"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_with_its_line_and_column(write: Write, lines: list[str], sentence: str) -> None:
    found = said(write(*lines))
    assert found.startswith("oud.csv")
    assert sentence in found
    assert len(found) < 200
    assert "Voorbeeld" not in found, "no personal data in an error"


def test_what_is_no_text_in_utf_8_is_refused(write: Write) -> None:
    latin = "\n".join([HEADER, GOOD, NEXT.replace("Jan", "André"), ""]).encode("latin-1")
    assert said(write(raw=latin)) == "oud.csv, na regel 0: dit is geen tekst in UTF-8."
    late = "\n".join([HEADER, *[GOOD] * 500, ""]).encode() + latin
    assert said(write(raw=late)).startswith("oud.csv, na regel ")
    assert said(write(raw="\n".join([HEADER, GOOD]).encode("utf-16"))).endswith("dit is geen tekst in UTF-8.")
    assert said(write(raw=b"")) == said(write())


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    assert said(tmp_path / "weg.csv") == "weg.csv is niet te lezen: No such file or directory."


def test_reading_without_the_check_stops_with_a_sentence_as_well(write: Write) -> None:
    """A labelled file to measure with is damaged on purpose: only what cannot be read at all is refused."""
    odd = NEXT.replace("pleger", "leerkracht").replace("1980-00-00", "10-09-1980")
    assert len(list(reports(write(HEADER, GOOD, odd)))) == 2
    with pytest.raises(UnusableFile, match="regel 2, kolom report_ts"):
        list(reports(write(HEADER, GOOD.replace("2021-04-30", "gisteren"))))
