"""`veilig audit` and `veilig verify audit`, the clock's work on the trail, and the processing log."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from psycopg.types.json import Jsonb

from core import audit, checkpoints
from core.database import Db, present
from core.events import events
from core.ids import uuid7
from core.secrets import forget_key, keyed_hash, new_token, token_hash
from core.settings import settings
from radar.oversight import processing
from workers import clock, oversight
from workers.cli import main
from workers.verify import verify

Ids = dict[str, UUID]


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def ids(db: Db) -> Ids:
    """A region with Bram, a report of two persons, of whom the first is linked to a person; Bram read it twice."""
    forget_key()
    found = {name: uuid7() for name in ("region", "bram", "sender", "message", "report", "one", "two", "person")}
    db.execute("INSERT INTO region (id, name, oin) VALUES (%(region)s, 'Voorbeeld', '00000099000000200001')", found)
    db.execute(
        "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
        " VALUES (%(bram)s, %(region)s, 'bram', 'Bram Beoordelaar', 'assessor', 'x')",
        found,
    )
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%(sender)s, %(region)s, '00000099000000001000',"
        " 'Politie Voorbeeld', 'politie')",
        found,
    )
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
        " answer_status, answer_type, answer) VALUES (%(message)s, %(region)s, %(sender)s, 'corv', now(), 'x',"
        " sha256('x'), 'report', 200, 'text/xml', '')",
        found,
    )
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at,"
        " content, remarks, acute_signals, acute_rules) VALUES (%(report)s, %(region)s, %(message)s, %(sender)s,"
        " 'politie', 'PL1', now(), '{}', '[]', '[]', '1')",
        found,
    )
    for number, name in enumerate(("one", "two"), start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (found[name], found["region"], found["report"], number, Jsonb({"naam": {"geslachtsnaam": "Proef"}})),
        )
    db.execute("INSERT INTO person (id, region_id) VALUES (%(person)s, %(region)s)", found)
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        " VALUES (gen_random_uuid(), %(region)s, %(one)s, %(person)s, 'automatic', 'same', 20, '[]', '2026-11')",
        found,
    )
    for _ in range(2):
        audit.append(db, found["region"], "bram", "report.view", "report", found["report"])
    return found


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_is_printed_to_be_kept_elsewhere_and_the_trail_verifies(ids: Ids) -> None:
    printed = run("audit", "checkpoint").output.strip()
    assert checkpoints.file().read_text().strip() == printed
    told = run("verify", "audit").output
    assert "1 checkpoints" in told
    assert "The audit trail holds." in told


def test_verify_audit_tells_each_breach_and_fails(ids: Ids, db: Db) -> None:
    run("audit", "checkpoint")
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    db.execute("UPDATE audit_entry SET actor = 'gwen' WHERE actor = 'bram' AND number = 1")
    told = run("verify", "audit", code=1).output
    assert re.search(r"BREACH  chain .* line 1: changed", told)
    assert "1 breaches." in told
    assert [finding.breaches for finding in verify(db) if finding.text.startswith("the audit chain")] == [1, 0]


def test_verify_audit_finds_a_trail_that_was_counted_again(ids: Ids, db: Db) -> None:
    run("audit", "checkpoint")
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    db.execute("DELETE FROM audit_entry WHERE actor = 'bram' AND number = 2")
    db.execute(
        "UPDATE audit_head h SET number = 1, hash = e.hash FROM audit_entry e"
        " WHERE (e.region_id, e.chain, e.number) = (h.region_id, h.chain, 1) AND h.region_id = %s",
        (ids["region"],),
    )
    assert list(audit.breaches(db)) == []
    assert "is gone" in run("verify", "audit", code=1).output
    assert sum(finding.breaches for finding in verify(db) if "checkpoints" in finding.text) == 1


def test_another_person_verifies_with_the_public_key_and_a_copy(ids: Ids, tmp_path: Path) -> None:
    run("audit", "checkpoint")
    copy, key = tmp_path / "copy.jsonl", tmp_path / "public.pem"
    copy.write_bytes(checkpoints.file().read_bytes())
    key.write_text(run("audit", "key").output)
    run("verify", "audit", "--checkpoints", str(copy), "--public-key", str(key))
    key.write_text("no key")
    assert "holds no public key" in run("verify", "audit", "--public-key", str(key), code=2).output


def test_a_restore_is_said_with_its_reason_and_shown_at_each_verification(ids: Ids) -> None:
    run("audit", "restored", "--reason", " ", code=2)
    run("audit", "restored", "--reason", "Back-up van maandag na brand")
    assert "Back-up van maandag na brand" in run("verify", "audit").output


def test_verify_alone_still_checks_every_rule(ids: Ids) -> None:
    told = CliRunner().invoke(main, ["verify"]).output
    assert "the audit chain agrees with its signed checkpoints" in told


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_clock_sets_one_checkpoint_an_hour_and_reviews_yesterday(ids: Ids, db: Db) -> None:
    oversight.oversee()
    oversight.oversee()
    assert checkpoints.count() == 1
    days = db.execute(
        "SELECT day = (now() AT TIME ZONE 'Europe/Amsterdam')::date - 1 AS yesterday FROM log_review_day"
    )
    assert [row["yesterday"] for row in days] == [True]
    assert {clock.oversee_hourly.__name__, clock.note_processing_every_minute.__name__} <= set(
        clock.run.__code__.co_names
    )


def test_the_clock_goes_on_when_the_trail_fell(
    ids: Ids, db: Db, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("audit", "checkpoint")
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    db.execute("DELETE FROM audit_entry")
    db.execute("DELETE FROM audit_head")
    monkeypatch.setattr(oversight, "EVERY", -oversight.EVERY)
    oversight.oversee()
    assert checkpoints.count() == 1
    assert "audit.trail_fell" in "".join(capsys.readouterr())
    assert db.execute("SELECT count(*) AS n FROM log_review_day").fetchone() == {"n": 1}


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_of_a_person_merges_a_day_and_tells_no_name(ids: Ids, db: Db) -> None:
    told = run("audit", "person", str(ids["person"])).output.splitlines()
    assert len(told) == 1
    assert "medewerker, Voorbeeld: Melding gelezen (2 keer" in told[0]
    assert "bram" not in told[0]
    line = db.execute("SELECT * FROM audit_entry WHERE action = 'log.person'").fetchone()
    assert line is not None
    assert (line["actor"], line["persons"], line["details"]) == ("operator", [ids["person"]], {"rows": 2})
    assert "Melding gelezen" in run("audit", "person", str(ids["two"])).output
    assert run("audit", "person", str(ids["person"]), "--to", "2020-01-01").output == ""


def test_the_log_of_a_colleague_knows_lines_of_before_sessions_were_in_them(ids: Ids) -> None:
    assert "bram: Melding gelezen (2 keer" in run("audit", "staff", "bram").output
    run("audit", "staff", "niemand", code=1)


def test_a_breach_is_a_list_of_all_lines(ids: Ids) -> None:
    for choice in (("--report", str(ids["report"])), ("--person", str(ids["person"])), ("--staff", "bram")):
        answer = run("audit", "breach", *choice)
        rows = list(csv.DictReader(io.StringIO(answer.stdout)))
        seen = [row for row in rows if row["handeling"] == "Melding gelezen"]
        assert [(row["gebruiker"], row["melding"]) for row in seen] == [("bram", str(ids["report"]))] * 2
    assert "2 lines, 1 people, 1 reports." in run("audit", "breach", "--staff", "bram").stderr
    run("audit", "breach", code=2)
    run("audit", "breach", "--staff", "bram", "--origin", "192.0.2.7", code=2)
    empty = run("audit", "breach", "--origin", "192.0.2.7").stdout
    assert len(empty.splitlines()) == 1


def test_a_review_of_one_day_by_hand(ids: Ids) -> None:
    day = "2020-01-01"
    assert run("audit", "review", "--day", day).output == "0 new findings.\n"


# ── the processing log ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def ldv(ids: Ids, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The processing log is on."""
    path = tmp_path / "ldv" / "log.jsonl"
    monkeypatch.setenv("VEILIG_LDV_FILE", str(path))
    monkeypatch.setenv("VEILIG_LDV_REGISTER", "https://register.voorbeeld/")
    settings.cache_clear()
    return path


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_line_of_the_trail_is_one_line_per_data_subject(ids: Ids, ldv: Path) -> None:
    assert processing.relay() == 2
    found = records(ldv)
    assert len(found) == 4
    subjects = {record["attributes"]["dpl.core.data_subject_id"] for record in found}  # type: ignore[index]
    assert subjects == {keyed_hash(f"ldv:{ids[name]}").hex() for name in ("person", "two")}
    one = found[0]
    assert set(one) == {"trace_id", "span_id", "status", "name", "start_time", "end_time", "resource", "attributes"}
    assert (one["name"], one["status"]) == ("report.view", "Ok")
    assert len(str(one["trace_id"])) == 32
    assert len({record["span_id"] for record in found}) == 4
    activity = one["attributes"]["dpl.core.processing_activity_id"]  # type: ignore[index]
    assert activity == "https://register.voorbeeld/melding-beoordelen"


def test_no_user_and_no_name_stands_in_it(ids: Ids, ldv: Path) -> None:
    processing.relay()
    text = ldv.read_text()
    assert "bram" not in text
    assert str(ids["bram"]) not in text
    assert "Proef" not in text
    assert str(ids["person"]) not in text


def test_the_request_is_the_trace(ids: Ids, db: Db, ldv: Path) -> None:
    processing.relay()
    token = new_token()
    db.execute(
        "INSERT INTO staff_session (token_hash, staff_id, how, idle_until, ends_at)"
        " VALUES (%s, %s, 'password', now() + interval '1 hour', now() + interval '1 hour')",
        (token_hash(token), ids["bram"]),
    )
    with db.transaction():
        present(db, f"staff:{token}", request="cd" * 16)
        audit.append(db, ids["region"], "bram", "report.view", "report", ids["report"])
    processing.relay()
    assert {record["trace_id"] for record in records(ldv)[4:]} == {"cd" * 16}


def test_it_is_written_once_and_a_list_says_whom_it_showed(ids: Ids, db: Db, ldv: Path) -> None:
    processing.relay()
    assert processing.relay() == 0
    audit.append(db, ids["region"], "bram", "queue.view", "queue", persons=[ids["report"]])
    audit.append(db, ids["region"], "bram", "queue.view", "queue")
    audit.append(db, ids["region"], "system", "rules.view", "rules")
    assert processing.relay() == 3
    added = records(ldv)[4:]
    assert [record["name"] for record in added] == ["queue.view"] * 3
    assert ["dpl.core.data_subject_id" in str(record["attributes"]) for record in added] == [True, True, False]


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_what_a_crash_left_half_written_is_completed(
    ids: Ids, db: Db, ldv: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """The power goes after `cut` bytes of the batch; the next round makes the file as if nothing had happened."""
    processing.relay()
    whole = ldv.read_bytes()
    ldv.unlink()
    db.execute("DELETE FROM ldv_cursor")

    def cut_short(path: Path, block: bytes, place: int) -> None:
        path.write_bytes(block[: cut % (len(block) + 1)])
        raise OSError(5, "power")

    with monkeypatch.context() as broken:
        broken.setattr(processing, "_complete", cut_short)
        with pytest.raises(Exception, match="processing log"):
            processing.relay()
    audit.append(db, ids["region"], "bram", "report.view", "report", ids["report"])
    processing.relay()
    assert ldv.read_bytes().startswith(whole)
    spans = [record["span_id"] for record in records(ldv)]
    assert len(spans) == len(set(spans)) == 6


def test_it_is_off_unless_it_is_asked_for(ids: Ids) -> None:
    assert processing.relay() == 0
    assert "is off" in run("audit", "processing", code=2).output


def test_every_action_on_data_of_persons_has_an_activity_for_the_register() -> None:
    assert [name for name, event in events().items() if event.sensitive and not event.activity] == []
    about_persons = ("report.", "case.", "link.", "vault.", "whereabouts.", "reporter.", "search.", "bsn.")
    assert [name for name in events() if name.startswith(about_persons) and not events()[name].sensitive] == []
