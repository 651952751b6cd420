"""Reading what people type and bring as a file: every value comes back as it was, and nothing breaks the reader."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.registers import files
from radar.registers.files import WrongFile
from radar.registers.kinds import MUNICIPALITIES, PARTNERS, REGISTERS, ROUTING, SENDERS, TEAMS
from radar.registers.plan import typed_of
from radar.registers.typed import Names, parse

OURS, LOCAL = uuid4(), uuid4()
NAMES = Names({OURS: "Team Noord"}, {LOCAL: "Wijkteam Dal"}, {})
ROWS: dict[str, dict[str, Any]] = {
    "regio": {"name": "Veilig Thuis", "oin": "0" * 20, "application": "VT1", "phone": "+31 88 12"},
    "teams": {"name": "Oost", "phone": None, "valid_from": date(2020, 1, 1), "valid_to": None, "successor_id": OURS},
    "gemeenten": {
        "code": "0001",
        "name": "'s-Dal",
        "valid_from": date(2020, 1, 1),
        "valid_until": date(2021, 1, 1),
        "successor": "0002",
    },
    "partners": {
        "name": "Raad",
        "kind": "child_protection_board",
        "phone": None,
        "oin": "1" * 20,
        "delivery_url": "https://raad.example/vto",
        "valid_from": date(2020, 1, 1),
        "valid_to": date(2030, 1, 1),
    },
    "routering": {
        "municipality": "Dal",
        "place": None,
        "postcode_from": 1200,
        "postcode_to": 1300,
        "team_id": OURS,
        "partner_id": LOCAL,
        "valid_from": date(2020, 1, 1),
        "valid_to": None,
    },
    "afzenders": {
        "oin": "2" * 20,
        "name": "GGZ",
        "kind": "zorg",
        "certificate_sha256": "ab" * 32,
        "reply_url": None,
        "team_id": None,
    },
}


@pytest.mark.parametrize("path", list(REGISTERS))
def test_a_line_typed_as_it_is_shown_is_the_same_line(path: str) -> None:
    register, row = REGISTERS[path], ROWS[path]
    assert set(register.columns) == set(row)
    parsed = parse(register, typed_of(register, row, NAMES), NAMES)
    assert (parsed.values, parsed.errors) == (row, {})


@pytest.mark.parametrize("path", list(REGISTERS))
def test_a_file_reads_back_as_it_was_written(path: str) -> None:
    register, row = REGISTERS[path], {"id": uuid4(), **ROWS[path]}
    (line,) = files.read(register, files.written(register, [row], NAMES).encode())
    assert line == {"kenmerk": str(row["id"]), **typed_of(register, row, NAMES)}


@pytest.mark.parametrize("name", ["=1+1", "+31", "-x", "@x", "'=x", "''+", "'s-Dal"])
def test_a_spreadsheet_runs_nothing_of_ours_and_the_name_comes_back(name: str) -> None:
    row = {"id": uuid4(), **ROWS["teams"], "name": name}
    text = files.written(TEAMS, [row], NAMES)
    cells = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert files.read(TEAMS, text.encode())[0]["naam"] == name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sign", [";", ",", "\t"])
def test_the_ways_of_a_spreadsheet_are_read(encoding: str, sign: str) -> None:
    text = f'CODE{sign}Naam{sign}geldig_vanaf\r\n"0001"{sign}"Súdwest"{sign}1-2-2020\r\n\r\n'
    (line,) = files.read(MUNICIPALITIES, text.encode(encoding))
    assert line == {"code": "0001", "naam": "Súdwest", "geldig_vanaf": "1-2-2020"}
    assert parse(MUNICIPALITIES, line, NAMES).values["valid_from"] == date(2020, 2, 1)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for register in REGISTERS.values():
        try:
            lines = files.read(register, content)
        except WrongFile:
            continue
        assert all(isinstance(cell, str) for line in lines for cell in line.values())


@given(st.sampled_from([MUNICIPALITIES, PARTNERS, ROUTING, SENDERS, TEAMS]), st.data())
def test_whatever_is_typed_is_a_value_or_a_sentence(register: Any, data: Any) -> None:
    typed = {one.name: data.draw(st.text(max_size=30)) for one in register.fields}
    parsed = parse(register, typed, NAMES)
    assert set(parsed.values) == set(register.columns)
    for one in register.fields:
        if one.needed and parsed.values[one.column] is None:
            assert parsed.errors[one.name].endswith(".")
