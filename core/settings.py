"""Settings from the environment (prefix `VEILIG_`): described, validated, and never half set."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import SettingsError

PREFIX = "VEILIG_"
BESIDE_THE_CODE = Path(__file__).resolve().parent.parent / ".data"


class Settings(BaseSettings):
    """Every option of the product. An unknown or half-set option stops the start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str | None = Field(
        None, description="PostgreSQL 15-18, e.g. postgresql://user@host/veilig. Empty: the embedded engine."
    )
    redis_url: str | None = Field(
        None, description="Redis or Valkey, e.g. redis://host:6379/0. Empty: the embedded engine."
    )
    data: Path = Field(
        default_factory=lambda: BESIDE_THE_CODE,
        description="Folder of the embedded engines and of the secret key. Empty: `.data` beside the code.",
    )
    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the web process.")
    metrics_port: int = Field(8001, ge=0, le=65535, description="Port of the Prometheus metrics; 0 = off.")
    worker_threads: int = Field(8, ge=1, le=64, description="Threads of one worker process.")
    pool_size: int = Field(12, ge=2, le=100, description="Database connections of one process.")
    demo: bool = Field(False, description="Demo mode: ready logins, shown loudly on every page.")
    demo_households: int = Field(60, ge=1, description="Households that `veilig run` invents on a first start.")
    demo_days: int = Field(730, ge=1, description="Days of history that `veilig run` invents.")
    secret_key: str | None = Field(
        None,
        min_length=32,
        description="Key of keyed hashes (BSN look-up). Empty: made once in the data folder.",
    )
    xsd_dir: Path | None = Field(
        None,
        description="Folder of the official StUF Jeugdzorg XSDs: incoming reports are checked, advisory.",
    )
    decree_days: Path | None = Field(
        None, description="Own file of days off by royal decree; empty: the list that comes with the product."
    )
    terms: Path | None = Field(
        None, description="Own file of terms; empty: radar/casework/terms.toml that comes with the product."
    )
    questionnaires: Path | None = Field(
        None, description="Folder with own versions of the safety assessment, beside those of the product."
    )
    signers: Path | None = Field(
        None, description="Own file of who may sign; empty: radar/casework/signers.toml that comes with the product."
    )
    day_zero_rule: Literal["receipt_day", "next_working_day"] = Field(
        "receipt_day", description="Which day is day 0 of the five working days (not settled in any source)."
    )
    send_bv01: bool = Field(
        False, description="Also send the functional answers Bv01/Fo01 to senders with a reply address."
    )
    max_message_bytes: int = Field(2 * 1024 * 1024, ge=1024, description="Largest message that a feed may send.")
    trusted_proxy: str | None = Field(
        None, description="IP address of the proxy whose client-certificate headers are believed."
    )
    client_certificate_header: str = Field(
        "x-client-cert-sha256", description="Header in which that proxy passes the certificate's SHA-256."
    )
    session_idle_minutes: int = Field(30, ge=1, description="A session without a request ends after this.")
    session_hours: int = Field(10, ge=1, description="A session ends after this in any case.")
    secure_cookies: bool = Field(True, description="`__Host-` cookies, https only (127.0.0.1 and localhost count).")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    @model_validator(mode="after")
    def _no_demo_on_production(self) -> Settings:
        if self.demo and self.database_url and os.environ.get("VEILIG_DEMO_ON_OWN_DATABASE") != "yes":
            raise ValueError(
                "VEILIG_DEMO is for the embedded database; to use it on a database of your own, "
                "set VEILIG_DEMO_ON_OWN_DATABASE=yes"
            )
        return self


_SWITCHES = {"VEILIG_DEMO_ON_OWN_DATABASE"}


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Raises SettingsError with one clear sentence."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _SWITCHES
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingsError(f"Unknown setting {unknown[0]}: see docs/operations.md for the list.")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = "_".join(str(part) for part in first["loc"]).upper()
        name = f"{PREFIX}{field}" if field else "Settings"
        raise SettingsError(f"{name}: {first['msg']}.") from None
