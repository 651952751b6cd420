"""The scanner is asked over a real socket; whatever it says that we do not understand is no verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import settings
from intake import scanner
from tests.intake.clamd import EICAR, clamd


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> object:
    def put(address: str) -> None:
        monkeypatch.setenv("VEILIG_SCANNER", address)
        settings.cache_clear()

    return put


@pytest.mark.parametrize("unix", [False, True])
def test_a_virus_is_found_and_the_whole_file_was_sent(at: object, tmp_path: Path, unix: bool) -> None:
    assert callable(at)
    with clamd(tmp_path / "s" if unix else None) as (address, seen):
        at(address)
        assert scanner.is_set()
        large = b"%PDF-1.7" + bytes(200_000)
        assert scanner.scan(large) == ""
        assert scanner.scan(EICAR) == "Eicar-Test-Signature"
        assert seen == [large, EICAR]


@pytest.mark.parametrize("answer", [b"", b"stream: Size limit ERROR", b"INSTREAM size limit exceeded. ERROR", b"OK"])
def test_an_answer_without_a_verdict_is_tried_again_later(at: object, answer: bytes) -> None:
    assert callable(at)
    with clamd(answer=answer) as (address, _):
        at(address)
        with pytest.raises(scanner.ScannerAway):
            scanner.scan(b"x")


def test_nobody_at_home_is_tried_again_later(at: object) -> None:
    assert callable(at)
    with clamd() as (address, _):
        at(address)
    with pytest.raises(scanner.ScannerAway):
        scanner.scan(b"x")


def test_without_a_setting_there_is_no_scanner() -> None:
    assert not scanner.is_set()
