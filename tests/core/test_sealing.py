"""Sealing: what the keys outside the database open, and what nobody opens."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import keyring, sealing
from core.database import Db
from core.errors import SettingsError
from core.ids import uuid7
from core.settings import settings

PLACE = "second_factor.secret:1"
KEY = bytes(range(32))
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def write_ring(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o600)


def line(name: str, secret: bytes = KEY) -> str:
    return f"{name} {base64.b64encode(secret).decode()}"


@pytest.fixture
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key ring with one known key, set as a production install sets it."""
    path = tmp_path / "ring"
    write_ring(path, line("first"))
    monkeypatch.setenv("VEILIG_KEY_RING", str(path))
    settings.cache_clear()
    return path


# ── the cipher ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cipher_is_AES_256_GCM_as_NIST_publishes_it() -> None:
    # NIST GCM test vector, AES-256: zero key, zero nonce, one zero block.
    made = AESGCM(bytes(32)).encrypt(bytes(12), bytes(16), None)
    assert made.hex() == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"


def test_keys_are_derived_for_one_purpose_each_by_HKDF() -> None:
    # RFC 5869 with SHA-256, no salt: HMAC(HMAC(zeros, key), info || 01).
    extracted = hmac.digest(bytes(32), KEY, "sha256")
    assert keyring.derived(KEY, "seal values") == hmac.digest(extracted, b"veilig:seal values\x01", "sha256")
    assert keyring.derived(KEY, "seal values") != keyring.derived(KEY, "wrap data keys")


def test_a_sealed_value_can_be_opened_by_the_layout_that_the_docs_give(ring_file: Path) -> None:
    sealed = sealing.seal(b"geheim", PLACE)
    header = b"\x00vts\x01\x05first"
    assert sealed.startswith(header)
    nonce, rest = sealed[len(header) : len(header) + 12], sealed[len(header) + 12 :]
    key = AESGCM(keyring.derived(KEY, "seal values"))
    assert key.decrypt(nonce, rest, header + PLACE.encode()) == b"geheim"


@pytest.mark.parametrize("plain", [b"", b"x", "Ünïcødé".encode(), os.urandom(100_000)])
def test_what_is_sealed_comes_back(plain: bytes) -> None:
    assert sealing.unseal(sealing.seal(plain, PLACE), PLACE) == plain


def test_the_same_value_is_sealed_differently_each_time() -> None:
    assert len({sealing.seal(b"same", PLACE) for _ in range(50)}) == 50


# ── what is not opened ──────────────────────────────────────────────────────────────────────────────────────


def test_every_changed_byte_is_noticed() -> None:
    sealed = sealing.seal(b"geheim", PLACE)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(bytes(changed), PLACE)


def test_every_shortened_value_is_noticed() -> None:
    sealed = sealing.seal(b"geheim", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(sealed[:length], PLACE)


@pytest.mark.parametrize("place", ["second_factor.secret:2", "second_factor.other:1", "other.secret:1", ""])
def test_a_value_moved_to_another_row_or_column_is_refused(place: str) -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealing.seal(b"geheim", PLACE), place)


def test_a_value_of_one_message_does_not_open_with_the_key_of_another() -> None:
    one, other = sealing.new_key(uuid7()), sealing.new_key(uuid7())
    sealed = one.seal(b"geheim", "message.raw:1")
    assert one.unseal(sealed, "message.raw:1") == b"geheim"
    for opens in (other.unseal, sealing.unseal):
        with pytest.raises(sealing.Unreadable):
            opens(sealed, "message.raw:1")


def test_without_its_key_in_the_ring_nothing_opens(ring_file: Path) -> None:
    sealed = sealing.seal(b"geheim", PLACE)
    write_ring(ring_file, line("second", os.urandom(32)))
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealed, PLACE)
    write_ring(ring_file, line("first", os.urandom(32)))
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealed, PLACE)


def test_what_fails_tells_nothing_of_the_content() -> None:
    sealed = sealing.seal(b"geheim adres", PLACE)
    with pytest.raises(sealing.Unreadable) as caught:
        sealing.unseal(sealed, "elsewhere")
    assert "geheim" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert KEY.hex() not in repr(sealing.new_key(uuid7()))


def test_plain_values_from_before_are_told_apart() -> None:
    assert sealing.is_sealed(sealing.seal(b"", PLACE))
    assert sealing.is_sealed(sealing.new_key(uuid7()).seal(b"", PLACE))
    assert not any(sealing.is_sealed(plain) for plain in (b"", b"<?xml", b"{}", b"\x00", b"\x00<\x00m"))


# ── the ring ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_ring_is_made_once_in_the_data_folder_for_the_owner_only() -> None:
    sealed = sealing.seal(b"geheim", PLACE)
    path = settings().data / "key.ring"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 1
    assert sealing.unseal(sealed, PLACE) == b"geheim"
    assert sorted(path.parent.iterdir()) == [path]


def test_a_ring_that_is_set_is_never_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_KEY_RING", str(tmp_path / "nowhere"))
    settings.cache_clear()
    with pytest.raises(SettingsError, match="cannot be read"):
        sealing.seal(b"x", PLACE)
    assert not (tmp_path / "nowhere").exists()


def test_a_ring_that_others_can_read_is_refused(ring_file: Path) -> None:
    ring_file.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        sealing.seal(b"x", PLACE)


@pytest.mark.parametrize(
    "lines",
    [[], ["first"], ["first AAAA"], [line("Capital")], [line("a"), line("a")], [line("x" * 41)], ["first !!!"]],
    ids=["empty", "no key", "short key", "odd id", "twice", "long id", "no base64"],
)
def test_a_ring_that_is_not_right_is_refused_by_line(ring_file: Path, lines: list[str]) -> None:
    write_ring(ring_file, *lines)
    with pytest.raises(SettingsError) as caught:
        keyring.ring()
    assert base64.b64encode(KEY).decode() not in caught.value.message


def test_comments_and_empty_lines_are_allowed(ring_file: Path) -> None:
    write_ring(ring_file, "# made on 2 November", "", line("first"), line("second", bytes(32)))
    assert [key.id for key in keyring.ring().keys] == ["first", "second"]


def test_a_new_key_seals_at_once_and_the_old_one_still_opens(ring_file: Path) -> None:
    before = sealing.seal(b"before", PLACE)
    name = keyring.add_key(date(2026, 11, 2))
    after = sealing.seal(b"after", PLACE)
    assert (sealing.ring_key_id(before), sealing.ring_key_id(after)) == ("first", name)
    assert name.startswith("20261102-")
    assert (sealing.unseal(before, PLACE), sealing.unseal(after, PLACE)) == (b"before", b"after")
    assert ring_file.stat().st_mode & 0o777 == 0o600


def test_the_newest_key_and_an_unknown_one_are_not_dropped(ring_file: Path) -> None:
    name = keyring.add_key(date(2026, 11, 2))
    for wrong in (name, "unknown"):
        with pytest.raises(SettingsError, match="nothing was dropped"):
            keyring.drop_key(wrong)
    keyring.drop_key("first")
    assert [key.id for key in keyring.ring().keys] == [name]


# ── data keys ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stored(db: Db) -> Callable[[], sealing.DataKey]:
    """Make a data key and store it, as receipt does."""

    def make() -> sealing.DataKey:
        key = sealing.new_key(uuid7())
        db.execute(
            "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, %s, %s)",
            (key.id, uuid7(), key.kek, key.wrapped),
        )
        return key

    return make


def test_a_data_key_comes_back_from_the_database(db: Db, stored: Callable[[], sealing.DataKey]) -> None:
    key = stored()
    sealed = key.seal(b"geheim", "message.raw:1")
    assert sealing.key_of(db, key.id).unseal(sealed, "message.raw:1") == b"geheim"
    assert sealing.keys_of(db, [key.id, uuid7()]).keys() == {key.id}


def test_a_message_without_a_key_is_unreadable(db: Db) -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.key_of(db, uuid7())


def test_wrapped_keys_cannot_be_swapped(db: Db, stored: Callable[[], sealing.DataKey]) -> None:
    one, other = stored(), stored()
    db.execute("UPDATE data_key SET wrapped = %s WHERE id = %s", (other.wrapped, one.id))
    with pytest.raises(sealing.Unreadable):
        sealing.key_of(db, one.id)


def test_a_destroyed_key_opens_nothing_ever_again(db: Db, stored: Callable[[], sealing.DataKey]) -> None:
    key = stored()
    assert sealing.destroy_key(db, key.id, AT)
    assert not sealing.destroy_key(db, key.id, AT)
    with pytest.raises(sealing.Destroyed):
        sealing.key_of(db, key.id)
    row = db.execute("SELECT wrapped, destroyed_at FROM data_key WHERE id = %s", (key.id,)).fetchone()
    assert row == {"wrapped": None, "destroyed_at": AT}
    with pytest.raises(sealing.Destroyed):
        sealing.key_or_new(db, key.id, uuid7())


def test_a_message_from_before_gets_its_key_once(db: Db) -> None:
    message, region = uuid7(), uuid7()
    first = sealing.key_or_new(db, message, region)
    sealed = first.seal(b"geheim", "message.raw:1")
    assert sealing.key_or_new(db, message, region).unseal(sealed, "message.raw:1") == b"geheim"


def test_the_table_holds_either_a_key_or_the_moment_of_its_end(db: Db) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute(
            "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, 'x', NULL)", (uuid7(), UUID(int=1))
        )
