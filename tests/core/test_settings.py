"""Settings: every option described, and a wrong one stops the start with one clear sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, settings
from core.version import VERSION


def test_every_option_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VEILIG_PROT", "8000", "Unknown setting VEILIG_PROT"),
        ("VEILIG_PORT", "seventy", "VEILIG_PORT:"),
        ("VEILIG_PORT", "70000", "VEILIG_PORT:"),
        ("VEILIG_SECRET_KEY", "short", "VEILIG_SECRET_KEY:"),
        ("VEILIG_DAY_ZERO_RULE", "tomorrow", "VEILIG_DAY_ZERO_RULE:"),
    ],
)
def test_a_wrong_option_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(SettingsError) as caught:
        settings()
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_demo_refuses_a_database_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DATABASE_URL", "postgresql://db.example/veilig")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="VEILIG_DEMO_ON_OWN_DATABASE"):
        settings()
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()
    assert settings().demo


def test_the_version_in_the_audit_trail_is_that_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
