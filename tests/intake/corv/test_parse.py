"""Reading a vtMeldingDi01: the header says whether it is for us, the content loses nothing (standards.md 1.3-1.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from intake.corv import parse
from intake.corv.parse import Reading, moment, read
from intake.corv.write import stuf_moment, write_report
from intake.message import MessageAddress
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report

GOOD = write_report(sample_report())
SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "corv"


def reading(raw: bytes, own: tuple[str, ...] = (VEILIG_THUIS_OIN,), sender: str = POLICE_OIN) -> Reading:
    return read(raw, own, sender)


def changed(old: str, new: str) -> bytes:
    assert old.encode() in GOOD
    return GOOD.replace(old.encode(), new.encode(), 1)


PERSON = "object/betreft/gerelateerde/heeftBetrokken[1]/gerelateerde"


def codes(result: Reading) -> list[tuple[str, str]]:
    return [(remark.code, remark.path) for remark in result.remarks]


def test_the_header_is_read() -> None:
    header = reading(GOOD).header
    assert header is not None
    assert (header.function, header.reference) == ("vtMeldingDi01", "c0ffee00-0000-4000-8000-000000000001")
    assert (header.sender_oin, header.sender_application) == (POLICE_OIN, "CORV")
    assert (header.receiver_oin, header.receiver_application) == (VEILIG_THUIS_OIN, "VTINTAKE")
    assert header.sent_at == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    assert (header.sent_at_raw, header.cross_reference) == ("20260115103000", None)
    assert header.version == "jz0100/1.0.9"


HEADER_FAULTS = {
    "berichtcode": (">Di01<", ">Lk01<", "VT-E022", "StUF022"),
    "functie": (">vtMeldingDi01<", ">vcobDi01<", "VT-E040", "StUF040"),
    "receiver": (VEILIG_THUIS_OIN, "00000099000000009000", "VT-E010", "StUF010"),
    "no sender": (f"<StUF:organisatie>{POLICE_OIN}</StUF:organisatie>", "", "VT-E013", "StUF013"),
    "sender is another": (POLICE_OIN, "00000099000000003000", "VT-E052", "StUF052"),
    "reference of 41": ("c0ffee00-0000-4000-8000-000000000001", "x" * 41, "VT-E055", "StUF055"),
    "reference empty": ("c0ffee00-0000-4000-8000-000000000001", " ", "VT-E055", "StUF055"),
}


@pytest.mark.parametrize(("old", "new", "code", "stuf"), HEADER_FAULTS.values(), ids=HEADER_FAULTS.keys())
def test_a_header_fault_refuses_and_keeps_the_header_for_the_answer(old: str, new: str, code: str, stuf: str) -> None:
    result = reading(changed(old, new))
    assert result.fault is not None
    assert (result.fault.code, result.fault.stuf, result.fault.level) == (code, stuf, "header")
    assert result.message is None
    assert result.header is not None
    assert result.fault.text.endswith(".")


def test_another_message_of_the_standard_is_an_unsupported_function() -> None:
    result = reading(GOOD.replace(b"vtMeldingDi01", b"vcobDi01"))
    assert result.fault is not None
    assert (result.fault.code, result.fault.level) == ("VT-E040", "header")


def test_a_message_without_a_header_is_a_header_fault() -> None:
    start, end = GOOD.index(b"<JZ:stuurgegevens>"), GOOD.index(b"<JZ:object")
    result = reading(GOOD[:start] + GOOD[end:])
    assert result.fault is not None
    assert (result.fault.code, result.fault.level) == ("VT-E055", "header")
    assert result.header is None


CONTENT_FAULTS = {
    "no object": lambda: GOOD[: GOOD.index(b"<JZ:object")] + b"</JZ:vtMeldingDi01>",
    "kenmerk empty": lambda: changed("PL9999-2026000001-1", "  "),
    "kenmerk nil": lambda: changed(
        "<JZ:identificatieVtMelding>PL9999-2026000001-1<", '<JZ:identificatieVtMelding xsi:nil="true"><'
    ),
    "nobody concerned": lambda: (
        GOOD[: GOOD.index(b"<JZ:heeftBetrokken")]
        + GOOD[GOOD.rindex(b"</JZ:heeftBetrokken>") + len(b"</JZ:heeftBetrokken>") :]
    ),
}


@pytest.mark.parametrize("raw", CONTENT_FAULTS.values(), ids=CONTENT_FAULTS.keys())
def test_only_what_cannot_be_routed_is_refused_on_content(raw: object) -> None:
    assert callable(raw)
    result = reading(raw())
    assert result.fault is not None
    assert (result.fault.code, result.fault.level) == ("VT-E055", "content")
    assert result.header is not None


ACCEPTED = {
    "bsn fails the 11-test": (">999993653<", ">111111111<", ("VT-W101", "betrokkenen[0].bsn")),
    "bsn of five digits": (">999993653<", ">12345<", ("VT-W101", "betrokkenen[0].bsn")),
    "postcode of 4 digits": ("1234AB", "1234", ("VT-W102", "betrokkenen[0].adressen[0].postcode")),
    "postcode that cannot be": ("1234AB", "0234AB", ("VT-W102", "betrokkenen[0].adressen[0].postcode")),
    "SASH without level": ("<JZ:SASHniveau>matig</JZ:SASHniveau>", "", ("VT-W103", "melding.sash.niveau")),
    "incident in the future": (">20260114<", ">20270114<", ("VT-W104", "incident.datum")),
    "31 February": (">20260114<", ">20260231<", ("VT-W104", "incident.datum")),
    "birth year only": ('"V">20150301', '"M">20150301', ("VT-W104", "betrokkenen[1].geboortedatum")),
    "old role": (">jeugdige<", ">vader<", ("VT-W105", "betrokkenen[1].rol")),
    "no contact": ("<JZ:telefoonnummer>0900-0000</JZ:telefoonnummer>", "", ("VT-W106", "melding.contact")),
    "no description": (
        ">Fictief voorbeeld.</JZ:omschrijvingI", "></JZ:omschrijvingI", ("VT-W108", "incident.omschrijving"),
    ),
    "no agendering": (
        "<JZ:indicatieAgenderingAfstemmingsoverlegGewenst>Nee</JZ:indicatieAgenderingAfstemmingsoverlegGewenst>",
        "",
        ("VT-W108", "melding.agenderingGewenst"),
    ),
    "yes or no is neither": (
        ">Nee</JZ:indicatieA",
        ">misschien</JZ:indicatieA",
        ("VT-W110", "object/indicatieAgenderingAfstemmingsoverlegGewenst"),
    ),
    "sex X": (">O<", ">X<", ("VT-W110", "betrokkenen[1].geslacht")),
    "tijdstip unreadable": ("20260115103000", "20261315103000", ("VT-W104", "bericht.tijdstip")),
    "unknown element": ("<BG:taal>", "<BG:hobby>schaken</BG:hobby><BG:taal>", ("VT-W111", PERSON)),
    "unknown attribute": ("<BG:taal>", '<BG:taal zeker="nee">', ("VT-W111", f"{PERSON}/taal/@")),
    "text between elements": ("<BG:taal>", "let op: mes<BG:taal>", ("VT-W109", PERSON)),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_dirty_data_is_accepted_with_a_remark(old: str, new: str, expected: tuple[str, str]) -> None:
    before, result = reading(GOOD), reading(changed(old, new))
    assert result.message is not None
    assert expected in codes(result)
    assert expected not in codes(before)


def test_the_good_sample_has_no_remarks() -> None:
    result = reading(GOOD)
    assert result.remarks == ()
    assert result.message == sample_report()


def test_what_is_not_understood_is_kept_as_it_came() -> None:
    raw = changed("<BG:taal>", 'let op: mes<BG:hobby soort="1">schaken</BG:hobby><!-- snel --><BG:taal zeker="nee">')
    message = reading(raw).message
    assert message is not None
    kept = " | ".join(item.xml for item in message.unknown)
    for piece in ("let op: mes", "schaken</BG:hobby>", "<!-- snel -->", "zeker=nee"):
        assert piece in kept
    assert message.persons[0].language == "Nederlands"


def test_unknown_is_not_the_same_as_none() -> None:
    raw = changed(
        "<BG:inp.bsn>999993653</BG:inp.bsn><BG:geslachtsnaam>Voorbeeld",
        '<BG:inp.bsn xsi:nil="true" StUF:noValue="vastgesteldOnbekend"/><BG:geslachtsnaam>Voorbeeld',
    ).replace(b"<BG:nationaliteit>Nederlandse</BG:nationaliteit>", b'<BG:nationaliteit xsi:nil="1"/>')
    message = reading(raw).message
    assert message is not None
    mother, child = message.persons
    assert (mother.bsn, mother.nationality) == (None, None)
    assert mother.reasons == {"bsn": "vastgesteldOnbekend", "nationaliteit": "zonderReden"}
    assert child.reasons == {"bsn": "waardeOnbekend"}


def test_a_whole_person_or_address_can_be_without_a_value() -> None:
    raw = changed(
        "<BG:taal>Nederlands</BG:taal>",
        "<BG:taal>Nederlands</BG:taal>"
        '<BG:formeelVerblijfadresBinnenland xsi:nil="true" StUF:noValue="nietGeautoriseerd"/>',
    )
    message = reading(raw).message
    assert message is not None
    assert message.persons[0].reasons == {"adresFormeelBinnenland": "nietGeautoriseerd"}
    assert len(message.persons[0].addresses) == 1


def test_the_four_addresses_by_their_names_in_the_standard_misspelling_included() -> None:
    addresses = (
        "<BG:formeelVerblijfsadresBuitenland><BG:lnd.landcode>6029</BG:lnd.landcode>"
        "<BG:sub.adresBuitenland1>Rue 1</BG:sub.adresBuitenland1></BG:formeelVerblijfsadresBuitenland>"
        "<BG:formeelVerblijfadresBinnenland><BG:wpl.woonplaatsNaam>A</BG:wpl.woonplaatsNaam></BG:formeelVerblijfadresBinnenland>"
        "<BG:feitelijkVerblijfsadresBuitenland><BG:lnd.landcode>5010</BG:lnd.landcode></BG:feitelijkVerblijfsadresBuitenland>"
    )
    message = reading(
        changed("<BG:feitelijkVerblijfsadresBinnenland>", addresses + "<BG:feitelijkVerblijfsadresBinnenland>")
    ).message
    assert message is not None
    assert message.persons[0].addresses == (
        MessageAddress(kind="formeel", area="buitenland", country_code="6029", line_1="Rue 1"),
        MessageAddress(kind="formeel", area="binnenland", town="A"),
        MessageAddress(kind="feitelijk", area="buitenland", country_code="5010"),
        sample_report().persons[0].addresses[0],
    )


def test_the_sash_level_counts_however_it_is_spelled() -> None:
    message = reading(changed(">matig<", "> HOOG <")).message
    assert message is not None
    assert message.report.sash.level == "hoog"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("20260115103000", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        ("20260715103000", datetime(2026, 7, 15, 8, 30, tzinfo=UTC)),
        ("20260115", datetime(2026, 1, 14, 23, tzinfo=UTC)),
        ("202601151030", datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        ("20260115103000123", datetime(2026, 1, 15, 9, 30, 0, 123000, tzinfo=UTC)),
        ("2026011510300012", datetime(2026, 1, 15, 9, 30, 0, 120000, tzinfo=UTC)),
        ("20261025023000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("00010101", None),
        ("20261315", None),
        ("20260115250000", None),
        ("202601151", None),
        ("202601151030001234", None),
        ("\uff12\uff10\uff12\uff16\uff10\uff11\uff11\uff15", None),
        ("", None),
    ],
)
def test_tijdstip_is_dutch_time(text: str, utc: datetime | None) -> None:
    assert moment(text) == utc


def test_a_moment_is_written_as_17_digits_in_dutch_time() -> None:
    assert stuf_moment(datetime(2026, 7, 15, 8, 30, 1, 123456, tzinfo=UTC)) == "20260715103001123"


def test_the_future_starts_after_the_day_of_receipt() -> None:
    late = read(GOOD, {VEILIG_THUIS_OIN}, POLICE_OIN, today=date(2026, 1, 14))
    assert ("VT-W104", "melding.datum") in codes(late)
    assert ("VT-W104", "incident.datum") not in codes(late)


def test_an_error_of_our_own_becomes_a_fault_that_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("999993653")

    monkeypatch.setattr(parse, "remarks", broken)
    result = reading(GOOD)
    assert result.fault is not None
    assert (result.fault.code, result.fault.retry, result.fault.level) == ("VT-E058", True, "content")
    assert result.header is not None
    assert "999993653" not in result.fault.details

    monkeypatch.setattr(parse, "guard", broken)
    result = reading(GOOD)
    assert result.fault is not None
    assert (result.fault.code, result.fault.level, result.header) == ("VT-E058", "xml", None)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample messages are not on this machine")
def test_the_shared_samples() -> None:
    result = reading((SAMPLES / "vtMeldingDi01-voorbeeld.xml").read_bytes())
    assert result.message is not None
    assert codes(result) == [("VT-W104", "betrokkenen[0].geboortedatum")]
    (person,) = result.message.persons
    assert (person.bsn, person.role.code, person.name.prefix) == ("999993653", "301", "van den")
    assert (result.message.report.reference, result.message.situation.arrest) == ("PL9999-2026000001-1", "Nee")
    feedback = reading((SAMPLES / "vtTerugkoppelingDi01-voorbeeld.xml").read_bytes())
    assert feedback.fault is not None
    assert feedback.fault.code == "VT-E052", "it is our own message, not the police's"
