"""Settings from the environment (prefix `VEILIG_`): described, validated, and never half set."""

from __future__ import annotations

import os
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import SettingsError

PREFIX = "VEILIG_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
BESIDE_THE_CODE = Path(__file__).resolve().parent.parent / ".data"


class Settings(BaseSettings):
    """Every option of the product. An unknown or half-set option stops the start."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str | None = Field(
        None, description="PostgreSQL 15-18, e.g. postgresql://user@host/veilig. Empty: the embedded engine."
    )
    web_database_url: str | None = Field(
        None,
        description="The same database signed in as `veilig_web`. Empty: as the owner acting as that role"
        " (safe against our mistakes, not against injected SQL). The same holds for the next two.",
    )
    door_database_url: str | None = Field(None, description="The same database signed in as `veilig_door`.")
    worker_database_url: str | None = Field(None, description="The same database signed in as `veilig_worker`.")
    redis_url: str | None = Field(
        None, description="Redis or Valkey, e.g. redis://host:6379/0. Empty: the embedded engine."
    )
    data: Path = Field(
        default_factory=lambda: BESIDE_THE_CODE,
        description="Folder of the embedded engines and of the secret key. Empty: `.data` beside the code.",
    )
    host: str = Field("127.0.0.1", description="Address the web process listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the web process.")
    hosts: str = Field(
        "",
        description="Host names under which the web process answers, with commas between them. Empty: VEILIG_HOST,"
        " localhost and 127.0.0.1 only.",
    )
    metrics_port: int = Field(8001, ge=0, le=65535, description="Port of the Prometheus metrics; 0 = off.")
    worker_threads: int = Field(8, ge=1, le=64, description="Threads of one worker process.")
    pool_size: int = Field(12, ge=2, le=100, description="Database connections of one process.")
    patience: int = Field(
        1,
        ge=1,
        le=20,
        description="Factor on the time limits of database connections and statements. More than 1 only where the"
        " machine itself is slow or stands still now and then: people wait that much longer for an error.",
    )
    demo: bool = Field(False, description="Demo mode: ready logins, shown loudly on every page.")
    demo_households: int = Field(60, ge=1, description="Households that `veilig run` invents on a first start.")
    demo_days: int = Field(730, ge=1, description="Days of history that `veilig run` invents.")
    secret_key: str | None = Field(
        None,
        min_length=32,
        description="Key of keyed hashes (BSN look-up). Empty: made once in the data folder.",
    )
    key_ring: Path | None = Field(
        None,
        description="File of the keys that seal personal data, kept apart from the database and its backups. "
        "Empty: made once in the data folder.",
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
    searches_per_hour: int = Field(30, ge=1, description="Searches for persons that one colleague may do in an hour.")
    searches_per_day: int = Field(100, ge=1, description="The same in 24 hours.")
    sender_token_minutes: int = Field(
        15, ge=1, le=60, description="A token that a sender gets at /api/v1/token is good for this long."
    )
    webhook_networks: str = Field(
        "",
        description="Networks outside the public internet to which callbacks of senders may go, with commas between"
        " them, e.g. 10.20.0.0/16. Only where this holds 127.0.0.0/8 also over http, to this machine: for a demo.",
    )
    live_seconds: int = Field(2, ge=1, le=60, description="How often a web process looks whether open pages changed.")
    live_pages_per_member: int = Field(
        4,
        ge=0,
        le=100,
        description="Pages of one colleague that one web process keeps up to date at a time; 0 = off.",
    )
    session_idle_minutes: int = Field(30, ge=1, description="A session without a request ends after this.")
    session_hours: int = Field(10, ge=1, description="A session ends after this in any case.")
    step_up_minutes: int = Field(
        10, ge=1, le=60, description="After proving oneself, vaults and exports open this long without asking again."
    )
    password_min_length: int = Field(12, ge=12, le=64, description="Least length of a password that one chooses.")
    sign_up_hours: int = Field(24, ge=1, le=168, description="A link to set up a login is good for this long.")
    sign_in_free_tries: int = Field(
        5, ge=1, description="Wrong sign-ins on one name, in the window, before anybody has to wait."
    )
    sign_in_free_tries_per_address: int = Field(
        20, ge=1, description="The same from one network address, on whatever names."
    )
    sign_in_first_wait_seconds: int = Field(
        5,
        ge=1,
        description="The first wait; each further failure doubles it. A browser or address from which the"
        " member signed in before waits for its own failures only.",
    )
    sign_in_longest_wait_minutes: int = Field(15, ge=1, description="No wait is longer than this.")
    sign_in_window_minutes: int = Field(60, ge=1, description="Failures older than this no longer count.")
    sign_in_kept_days: int = Field(
        90, ge=1, description="Attempts to sign in, and browsers that are known, are forgotten after this."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="How browsers reach the screens, e.g. https://radar.example.nl. Passkeys and OIDC need it;"
        " empty: passkeys on localhost only.",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])\S+$",
        description="Address of the OIDC provider (issuer). Empty: no OIDC.",
    )
    oidc_client_id: str | None = Field(None, description="What that provider calls this installation.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="Secret of that client (client_secret_basic); or give a key instead."
    )
    oidc_client_key: Path | None = Field(
        None, description="PEM file with the RSA or EC key of that client (private_key_jwt, as NL GOV asks)."
    )
    oidc_scopes: str = Field("openid", description="Scopes to ask for, with spaces between them; `openid` is one.")
    oidc_acr: str | None = Field(
        None,
        description="Accepted levels of assurance (acr), the lowest first, with spaces between them,"
        " e.g. http://eidas.europa.eu/LoA/substantial http://eidas.europa.eu/LoA/high.",
    )
    oidc_claim: str = Field("sub", description="Claim of the ID token that names the member (staff.oidc_subject).")
    secure_cookies: bool = Field(True, description="`__Host-` cookies, https only (127.0.0.1 and localhost count).")
    checkpoints: Path | None = Field(
        None,
        description="File of the signed checkpoints of the audit trail, best on storage that can only grow and that"
        " the database's administrator cannot reach. Empty: made in the data folder.",
    )
    checkpoint_key: Path | None = Field(
        None, description="File of the key that signs them (Ed25519, PEM). Empty: made once in the data folder."
    )
    log_names: bool = Field(
        False, description="Name colleagues in the log of one person; else their role and organisation are told."
    )
    log_review_rules: Path | None = Field(
        None, description="Own file of risk rules for the log review; empty: radar/oversight/risk.toml of ours."
    )
    destruction_register: Path | None = Field(
        None,
        description="File of what was destroyed, outside every backup, so that a restore does not bring it back."
        " Empty: made in the data folder.",
    )
    ldv_file: Path | None = Field(
        None, description="File of the processing log (Logius Logboek Dataverwerkingen), JSON lines. Empty: off."
    )
    ldv_register: str = Field(
        "https://register.example/verwerkingen/",
        description="Start of the addresses of the processing activities in your register (AVG 30).",
    )
    smtp_url: str | None = Field(
        None,
        description="Server for mail without content: smtps://user:password@host:465, or smtp://host:587 (STARTTLS). "
        "Empty: no mail.",
    )
    smtp_from: str | None = Field(None, description="The neutral address that such mail comes from.")
    sms_url: str | None = Field(
        None, description="Web address of the provider that sends a text message (POST, JSON). Empty: no SMS."
    )
    sms_token: str | None = Field(None, description="What our messages to that provider are signed in with (Bearer).")
    start_page: str | None = Field(
        None, description="The organisation's own start page, the one thing that a mail to a partner names."
    )
    exit_url: str = Field(
        "https://www.knmi.nl/",
        pattern=r"^https?://[^/?#\s]+(/[^\s]*)?$",
        description="The neutral page where the way out of the public forms ends; nothing on it is about violence.",
    )
    chat_url: str = Field(
        "https://veiligthuis.nl/",
        pattern=r"^(https://[^/?#\s]+(/[^\s]*)?)?$",
        description="The page with the chat of Veilig Thuis, a link on the public form. Empty: no link.",
    )
    public_sends_at_once: int = Field(
        10, ge=1, description="Public forms that one network address may send at once before it has to wait."
    )
    public_seconds_per_send: int = Field(
        30, ge=1, description="After so many seconds such an address may send one more. It is never shut out."
    )
    public_sends_a_minute: int = Field(
        120, ge=1, description="Public forms of all addresses together in a minute, before each waits for a moment."
    )
    public_longest_wait_seconds: int = Field(
        300, ge=1, le=3600, description="No wait on a public form is longer; after it that form is taken in any case."
    )
    attachment_bytes: int = Field(10 * 1024 * 1024, ge=1024, description="Largest file that may come with a report.")
    attachments_per_report: int = Field(20, ge=1, description="Files that may come with one report.")
    attachments_total_bytes: int = Field(
        40 * 1024 * 1024, ge=1024, description="Size of all files of one report together."
    )
    scanner: str | None = Field(
        None,
        pattern=r"^(tcp://[^/?#\s:]+:[0-9]{1,5}|unix:///\S+)$",
        description="Virus scanner that speaks the protocol of clamd (INSTREAM): tcp://host:3310 or unix:///path."
        " Empty: files are not scanned, and every download says so.",
    )
    form_minutes: int = Field(
        120, ge=10, description="A form of a professional that lies idle is gone after this, unless it was saved."
    )
    form_code_hours: int = Field(72, ge=1, le=720, description="How long a code opens a saved form again.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    @model_validator(mode="after")
    def _whole_oidc(self) -> Settings:
        """OIDC is set whole or not at all."""
        needed = {"CLIENT_ID": self.oidc_client_id, "ACR": self.oidc_acr}
        given = {"CLIENT_SECRET": self.oidc_client_secret, "CLIENT_KEY": self.oidc_client_key}
        if self.oidc_issuer is None:
            if extra := [name for name, value in (needed | given).items() if value]:
                raise ValueError(f"VEILIG_OIDC_{extra[0]} is set and VEILIG_OIDC_ISSUER is not")
            return self
        for name, value in needed.items():
            if not value:
                raise ValueError(f"VEILIG_OIDC_ISSUER is set, so VEILIG_OIDC_{name} must be set too")
        if sum(value is not None for value in given.values()) != 1:
            raise ValueError("set one of VEILIG_OIDC_CLIENT_SECRET and VEILIG_OIDC_CLIENT_KEY")
        if self.public_url is None:
            raise ValueError("VEILIG_OIDC_ISSUER is set, so VEILIG_PUBLIC_URL must be set too")
        if "openid" not in self.oidc_scopes.split():
            raise ValueError("VEILIG_OIDC_SCOPES must hold openid")
        return self

    @model_validator(mode="after")
    def _no_halves(self) -> Settings:
        for one, other in (("smtp_url", "smtp_from"), ("sms_url", "sms_token")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"{PREFIX}{one.upper()} and {PREFIX}{other.upper()} go together")
        for name, schemes in (("smtp_url", ("smtp", "smtps")), ("sms_url", ("https", "http"))):
            url = getattr(self, name)
            if url is not None and (urlsplit(url).scheme not in schemes or not urlsplit(url).hostname):
                raise ValueError(f"{PREFIX}{name.upper()} must start with {schemes[0]}:// or {schemes[1]}://")
        return self

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in value.split(","):
            if one.strip():
                ip_network(one.strip())  # a ValueError here stops the start with its text
        return value

    @model_validator(mode="after")
    def _no_demo_on_production(self) -> Settings:
        if self.demo and self.database_url and os.environ.get("VEILIG_DEMO_ON_OWN_DATABASE") != "yes":
            raise ValueError(
                "VEILIG_DEMO is for the embedded database; to use it on a database of your own, "
                "set VEILIG_DEMO_ON_OWN_DATABASE=yes"
            )
        if self.demo and self.host not in LOOPBACK and os.environ.get("VEILIG_DEMO_ON_NETWORK") != "yes":
            raise ValueError(
                "VEILIG_DEMO has logins that everybody knows and is for this machine only (VEILIG_HOST=127.0.0.1); "
                "to show it on a network, set VEILIG_DEMO_ON_NETWORK=yes"
            )
        return self


_SWITCHES = {"VEILIG_DEMO_ON_OWN_DATABASE", "VEILIG_DEMO_ON_NETWORK"}


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
