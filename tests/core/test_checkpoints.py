"""Signed checkpoints outside the database: they find what a superuser does who counts every hash again."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core import audit, checkpoints
from core.checkpoints import TrailFell
from core.database import Db, Row, transaction
from core.errors import SettingsError
from core.ids import uuid7
from core.settings import settings

REGION = uuid7()


def add(db: Db, lines: int = 3) -> None:
    for number in range(lines):
        audit.append(db, REGION, "ilse", "report.view", "report", uuid7(), {"number": number})


def disarmed(db: Db, *statements: str) -> None:
    """What only a superuser can do: the guard is off."""
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    for statement in statements:
        db.execute(statement)
    db.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def count_again(db: Db) -> None:
    """Count every hash again from the first line on, with the product's own formula, and put the heads right."""
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    for strand in db.execute("SELECT DISTINCT region_id, chain FROM audit_entry").fetchall():
        previous = b""
        for number, row in enumerate(lines_of(db, strand), start=1):
            row["number"] = number
            digest = audit.hash_of(previous, row)
            db.execute(
                "UPDATE audit_entry SET number = %s, hash = %s WHERE region_id = %s AND chain = %s AND at = %s",
                (number, digest, row["region_id"], row["chain"], row["at"]),
            )
            previous = digest
            db.execute(
                "UPDATE audit_head SET number = %s, hash = %s WHERE region_id = %s AND chain = %s",
                (number, digest, row["region_id"], row["chain"]),
            )
    db.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def lines_of(db: Db, strand: Row) -> list[Row]:
    return db.execute(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS micros, details::text AS details_text"
        " FROM audit_entry WHERE region_id = %(region_id)s AND chain = %(chain)s ORDER BY number",
        strand,
    ).fetchall()


def flaws(db: Db) -> set[tuple[int, str]]:
    return {(flaw.number, flaw.what.split(" of region")[0]) for flaw in checkpoints.flaws(db)}


def rewrite(change: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = checkpoints.file().read_bytes().splitlines()
    checkpoints.file().write_bytes(b"".join(line + b"\n" for line in change(lines)))


@pytest.fixture
def trail(db: Db) -> Db:
    """Three lines, a checkpoint, three lines, a checkpoint, and two lines after it."""
    for _ in range(2):
        add(db)
        checkpoints.write(db, "system")
    add(db, 2)
    return db


def test_an_untouched_trail_agrees_with_its_checkpoints(trail: Db) -> None:
    assert flaws(trail) == set()
    assert checkpoints.count() == 2
    newest = checkpoints.newest()
    assert newest is not None
    assert (newest.number, newest.kind, newest.lines) == (2, "regular", 7)


def test_each_checkpoint_holds_the_hash_of_the_one_before(trail: Db) -> None:
    first, second = (json.loads(line) for line in checkpoints.file().read_text().splitlines())
    assert (first["number"], first["previous"], second["number"]) == (1, "", 2)
    assert len(second["previous"]) == 64


def test_the_file_and_its_key_are_for_the_owner_only(trail: Db) -> None:
    for path in (checkpoints.file(), settings().data / "checkpoint.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


ATTACKS = {
    "an edit": ["UPDATE audit_entry SET actor = 'bram' WHERE number = 2 AND actor = 'ilse'"],
    "a deletion": ["DELETE FROM audit_entry WHERE number = 2 AND actor = 'ilse'"],
    "a truncated tail": ["DELETE FROM audit_entry WHERE number > 4 AND actor = 'ilse'"],
    "an emptied trail": ["DELETE FROM audit_entry WHERE actor = 'ilse'", "DELETE FROM audit_head WHERE number > 2"],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_superuser_does_and_hides_by_counting_again_is_found(trail: Db, attack: str) -> None:
    disarmed(trail, *ATTACKS[attack])
    if attack == "an emptied trail":
        assert list(audit.breaches(trail)) == []
    else:
        assert list(audit.breaches(trail)) != []
        count_again(trail)
        assert list(audit.breaches(trail)) == [], "the chain alone does not find it"
    assert {number for number, _ in flaws(trail)} & {1, 2}


def test_a_rewritten_tail_is_found_at_the_checkpoint_after_it(trail: Db) -> None:
    disarmed(trail, "UPDATE audit_entry SET details = '{}' WHERE number = 5 AND actor = 'ilse'")
    count_again(trail)
    strand = trail.execute("SELECT chain FROM audit_entry WHERE actor = 'ilse'").fetchone()
    assert strand is not None
    assert flaws(trail) == {(2, f"line 6 of strand {strand['chain']}")}


def test_what_came_after_the_last_checkpoint_is_not_vouched_for(trail: Db) -> None:
    """Said out loud in docs: only the next checkpoint makes these lines firm."""
    disarmed(trail, "UPDATE audit_entry SET details = '{}' WHERE number = 8 AND actor = 'ilse'")
    count_again(trail)
    assert flaws(trail) == set()


def test_no_checkpoint_is_set_on_a_trail_that_fell(trail: Db) -> None:
    disarmed(trail, "DELETE FROM audit_entry WHERE number > 4 AND actor = 'ilse'")
    count_again(trail)
    with pytest.raises(TrailFell):
        checkpoints.write(trail, "system")
    assert checkpoints.count() == 2


def test_a_removed_tail_of_the_file_is_found(trail: Db) -> None:
    rewrite(lambda lines: lines[:-1])
    assert flaws(trail) == {(2, "the trail speaks of this checkpoint, and the file does not hold it")}


def test_a_removed_line_in_the_middle_is_found(trail: Db) -> None:
    checkpoints.write(trail, "system")
    rewrite(lambda lines: [lines[0], lines[2]])
    assert (3, "the checkpoint before it is missing or was changed") in flaws(trail)


def test_a_file_and_a_database_cut_back_together_are_found_with_a_copy_from_elsewhere(
    trail: Db, tmp_path: Path
) -> None:
    """The one attack that our own file cannot show: who holds both takes back both. A copy elsewhere shows it."""
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(checkpoints.file().read_bytes())
    disarmed(
        trail,
        "DELETE FROM audit_entry WHERE action = 'audit.checkpoint' AND details->>'number' = '2'",
        "DELETE FROM audit_entry WHERE actor = 'ilse' AND number > 3",
    )
    count_again(trail)
    rewrite(lambda lines: lines[:-1])
    assert flaws(trail) == set()
    assert [flaw.number for flaw in checkpoints.flaws(trail, copy)] == [2]


def test_a_line_signed_with_another_key_is_found(trail: Db) -> None:
    key = Ed25519PrivateKey.generate()

    def forge(lines: list[bytes]) -> list[bytes]:
        content = json.loads(lines[-1])
        del content["signature"]
        text = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        content["signature"] = base64.b64encode(key.sign(text)).decode()
        return [*lines[:-1], json.dumps(content, separators=(",", ":"), sort_keys=True).encode()]

    rewrite(forge)
    assert (2, "the signature is not right") in flaws(trail)


def test_a_signature_that_is_no_signature_is_found(trail: Db) -> None:
    for signature in ("x", "", "\u00e9", 7):

        def damage(lines: list[bytes], signature: object = signature) -> list[bytes]:
            content = json.loads(lines[-1]) | {"signature": signature}
            return [*lines[:-1], json.dumps(content, separators=(",", ":"), sort_keys=True).encode()]

        rewrite(damage)
        assert (2, "the signature is not right") in flaws(trail)


def test_a_changed_number_in_the_file_is_found(trail: Db) -> None:
    rewrite(lambda lines: [lines[0].replace(b'"number":1', b'"number":1 '), *lines[1:]])
    assert (2, "the checkpoint before it is missing or was changed") in flaws(trail)
    rewrite(lambda lines: [lines[0], lines[1].replace(b'"kind":"regular"', b'"kind":"restored"')])
    assert (2, "the signature is not right") in flaws(trail)


def test_half_a_line_after_a_crash_does_not_stop_the_next_checkpoint(trail: Db) -> None:
    with checkpoints.file().open("ab") as opened:
        opened.write(b'{"number":3,"ki')
    made = checkpoints.write(trail, "system")
    assert made.number == 3
    assert flaws(trail) == {(3, "the line cannot be read")}
    assert checkpoints.restores() == []


def test_a_database_put_back_from_a_backup_says_so_and_goes_on(trail: Db) -> None:
    backup = {table: trail.execute(f"SELECT * FROM {table}").fetchall() for table in ("audit_entry", "audit_head")}
    add(trail)
    checkpoints.write(trail, "system")
    disarmed(trail, "DELETE FROM audit_entry", "DELETE FROM audit_head")
    for table, rows in backup.items():
        for row in rows:
            values = [json.dumps(value) if isinstance(value, dict) else value for value in row.values()]
            marks = ", ".join(["%s"] * len(row))
            trail.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    with pytest.raises(TrailFell):
        checkpoints.write(trail, "system")
    made = checkpoints.write(trail, "operator", "restored", "Back-up van 03.00 uur na een defecte schijf")
    add(trail)
    checkpoints.write(trail, "system")
    assert flaws(trail) == set()
    assert [one.reason for one in checkpoints.restores()] == [made.reason]
    disarmed(trail, "UPDATE audit_entry SET details = '{}' WHERE number = 2 AND actor = 'ilse'")
    count_again(trail)
    assert flaws(trail) != set()


def test_a_worker_may_set_a_checkpoint(trail: Db) -> None:
    with transaction("worker") as db:
        made = checkpoints.write(db, "system")
    assert made.number == 3
    assert flaws(trail) == set()


def test_a_key_that_is_set_must_be_there_and_fit(db: Db, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILIG_CHECKPOINT_KEY", str(tmp_path / "none.pem"))
    settings.cache_clear()
    with pytest.raises(SettingsError, match="cannot be read"):
        checkpoints.write(db, "system")
    (tmp_path / "none.pem").write_text("no key")
    with pytest.raises(SettingsError, match="no private key"):
        checkpoints.write(db, "system")
    own = Ed25519PrivateKey.generate()
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "none.pem").write_bytes(pem)
    checkpoints.write(db, "system")
    assert flaws(db) == set()
    (tmp_path / "public.pem").write_bytes(checkpoints.public_key())
    believed = checkpoints.read_public_key(tmp_path / "public.pem")
    assert list(checkpoints.flaws(db, None, [believed])) == []
