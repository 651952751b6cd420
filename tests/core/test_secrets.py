"""The secret key: made once, private, and never guessed from what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import secrets
from core.errors import SettingsError
from core.settings import settings


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("VEILIG_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    secrets.forget_key()
    yield tmp_path / "data"
    secrets.forget_key()


def test_the_key_is_made_once_and_only_its_owner_reads_it(own_folder: Path) -> None:
    first = secrets.keyed_hash("999993653")
    secrets.forget_key()
    assert secrets.keyed_hash("999993653") == first
    assert (own_folder / "secret.key").stat().st_mode & 0o077 == 0


def test_another_key_gives_another_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    first = secrets.keyed_hash("999993653")
    monkeypatch.setenv("VEILIG_SECRET_KEY", "k" * 32)
    settings.cache_clear()
    secrets.forget_key()
    assert secrets.keyed_hash("999993653") != first


def test_a_broken_key_file_is_one_sentence(own_folder: Path) -> None:
    own_folder.mkdir()
    (own_folder / "secret.key").write_text("short")
    with pytest.raises(SettingsError, match="too short"):
        secrets.keyed_hash("x")


def test_tokens_are_long_and_differ() -> None:
    tokens = {secrets.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert len(secrets.token_hash(tokens.pop())) == 32
