"""Mail and text messages: fixed texts to a channel that was said to be safe, begun once, and nothing else (D7)."""

from __future__ import annotations

import email
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core import database, jobs
from core.database import Db, Row, now
from core.errors import Conflict, NotFound, SettingsError
from core.settings import settings
from radar.outbound import mail, notices, release, safe_contacts
from tests.radar.outbound.desk import Door
from tests.radar.outbound.sink import Provider, Sink, mail_sink, sms_provider
from tests.web.conftest import FATHER, MOTHER, PERSON
from workers.work import carry_out

SECRET = "onopvallend.adres@post.example"
NUMBER = "+31612345678"
WORD = "Heb je de fiets al gevonden?"
ALWAYS: dict[str, Any] = {"weekdays": range(1, 8), "from_hour": 0, "to_hour": 24}
SUNDAY = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Sink]:
    with mail_sink() as found:
        monkeypatch.setenv("VEILIG_SMTP_URL", f"smtp://dienst:geheim@127.0.0.1:{found.port}")
        monkeypatch.setenv("VEILIG_SMTP_FROM", "bericht@regio.example")
        monkeypatch.setenv("VEILIG_START_PAGE", "https://www.regio.example")
        settings.cache_clear()
        yield found


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Provider]:
    with sms_provider() as found:
        monkeypatch.setenv("VEILIG_SMS_URL", f"http://127.0.0.1:{found.port}/sms")
        monkeypatch.setenv("VEILIG_SMS_TOKEN", "sleutel")
        settings.cache_clear()
        yield found


@pytest.fixture
def door(db: Db) -> Door:
    return Door(db)


def agree(door: Door, channel: str = "mail", address: str = SECRET, **changes: Any) -> UUID:
    with door.db.transaction():
        values: dict[str, Any] = ALWAYS | {"by": "bram", "at": now(door.db)} | changes
        return safe_contacts.agree(door.db, door.mother, channel=channel, address=address, **values)


def send(door: Door, template: str = "call", channel: str = "mail") -> UUID:
    with door.db.transaction():
        return notices.to_person(door.db, door.report, door.mother, template, channel, by="bram", at=now(door.db))


def work(door: Door, notice: UUID) -> Row:
    """The job is done now; gives it."""
    door.db.execute("UPDATE job SET due_at = now() WHERE subject_id = %s AND state = 'new'", (notice,))
    (job,) = jobs.of_subject(door.db, notice)
    carry_out(job["id"])
    (job,) = jobs.of_subject(door.db, notice)
    return job


def state(door: Door, notice: UUID) -> str:
    row = door.db.execute("SELECT state FROM notice WHERE id = %s", (notice,)).fetchone()
    assert row
    return str(row["state"])


# ── what is in it ───────────────────────────────────────────────────────────────────────────────────────────────


def canaries(door: Door) -> set[str]:
    """Everything that stands somewhere about these people and this report."""
    row = door.db.execute("SELECT number FROM cases WHERE id = %s", (door.case,)).fetchone()
    assert row
    found = {
        str(door.report),
        str(door.case),
        row["number"],
        WORD,
        "bram",
        "Veilig Thuis",
        "Voorbeeldregio",
        "melding",
    }
    for person in (PERSON, MOTHER, FATHER):
        found |= {*person["naam"].values(), person["geboortedatum"]["tekst"]}
        found |= {value for one in person["adressen"] for value in one.values() if len(value) > 3}
    return {one for one in found if len(one) > 4}  # Jan is also a month in the date


@pytest.mark.parametrize(
    "template", [code for code, one in notices.texts().notices.items() if one.audience == "person"]
)
def test_a_mail_to_a_person_is_its_fixed_text_and_nothing_else(door: Door, sink: Sink, template: str) -> None:
    agree(door, code_word=WORD)
    notice = send(door, template)
    assert work(door, notice)["state"] == "done"
    ((sender, receiver, raw),) = sink.mails
    told = email.message_from_bytes(raw)
    text = notices.texts().notices[template]
    assert (sender, receiver) == ("bericht@regio.example", SECRET)
    assert (told["From"], told["To"], told["Subject"]) == ("bericht@regio.example", SECRET, text.subject)
    assert told.get_payload(decode=True).decode().strip() == text.text  # type: ignore[union-attr]
    assert set(told.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    for secret in canaries(door):
        assert secret.lower().encode() not in raw.lower(), secret
    assert state(door, notice) == "sent"
    assert sink.logins, "and we were signed in there"


def test_a_mail_to_a_partner_names_our_start_page_only(door: Door, sink: Sink) -> None:
    team = door.world.local_team
    with pytest.raises(Conflict, match="geen postbus"):
        notices.to_partner(door.db, door.report, team, "ready", by="bram", at=now(door.db))
    door.db.execute(
        "INSERT INTO partner_check (id, region_id, team_id, verified_until, domain, domain_until, mailbox, how,"
        " checked_at, checked_by) VALUES (gen_random_uuid(), %s, %s, '2099-01-01', 'wijk.example', '2099-01-01',"
        " 'post@wijk.example', 'x', '2026-01-01', 'teun')",
        (door.world.region, team),
    )
    with door.db.transaction():
        notice = notices.to_partner(door.db, door.report, team, "ready", by="bram", at=now(door.db))
    work(door, notice)
    ((_, receiver, raw),) = sink.mails
    assert receiver == "post@wijk.example"
    assert b"https://www.regio.example" in raw
    for secret in canaries(door):
        assert secret.lower().encode() not in raw.lower(), secret


def test_a_text_message_is_its_fixed_text(door: Door, provider: Provider) -> None:
    agree(door, "sms", NUMBER)
    notice = send(door, "call", "sms")
    work(door, notice)
    assert provider.asked == [({"to": NUMBER, "text": notices.texts().notices["call"].text}, "Bearer sleutel")]
    assert state(door, notice) == "sent"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Er is een bericht voor u.", "Er is een bericht voor {naam}."),
        ("Er is een bericht voor u.", "Kijk op {start}."),
        ('subject = "Er staat iets voor u klaar"', 'subject = "Over {casus}"'),
        ("Er is een bericht voor u.", "Er is een bericht voor u." * 20),
    ],
)
def test_a_text_with_something_to_fill_in_stops_the_start(tmp_path: Path, old: str, new: str) -> None:
    text = notices.FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "notices.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"notices\.toml"):
        notices.texts.load(file)


# ── only where it is safe ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_safe_channel_nothing_is_sent(door: Door, sink: Sink) -> None:
    with pytest.raises(Conflict, match="niet gezegd dat dit veilig is"):
        send(door)
    agree(door, "phone", NUMBER)
    for channel in ("mail", "sms", "phone"):
        with pytest.raises(Conflict):
            send(door, channel=channel)
    with pytest.raises(NotFound):
        send(door, "ready")
    assert sink.mails == []


def test_without_a_server_nothing_is_planned(door: Door) -> None:
    agree(door)
    with pytest.raises(Conflict, match="niet ingesteld"):
        send(door)
    assert door.db.execute("SELECT FROM notice").fetchone() is None


def test_a_channel_that_ended_meanwhile_gets_nothing(door: Door, sink: Sink) -> None:
    contact = agree(door)
    notice = send(door)
    with door.db.transaction():
        safe_contacts.end(door.db, contact, by="bram", at=now(door.db))
    assert work(door, notice)["state"] == "done"
    assert (sink.mails, state(door, notice)) == ([], "waiting")
    outgoing = release.required(door.db, "notice", notice)
    assert (outgoing["state"], outgoing["held_why"], door.tasks()) == ("held", ["safe_contact"], [outgoing["id"]])


def test_it_waits_for_the_hours_that_are_safe(door: Door, sink: Sink) -> None:
    at = now(door.db)
    local = at.astimezone(safe_contacts.AMSTERDAM)
    tomorrow = (local + timedelta(days=1)).isoweekday()
    agree(door, weekdays=[tomorrow], from_hour=10, to_hour=12)
    notice = send(door)
    (job,) = jobs.of_subject(door.db, notice)
    due = job["due_at"].astimezone(safe_contacts.AMSTERDAM)
    assert (due.isoweekday(), due.hour, due.minute) == (tomorrow, 10, 0)
    work(door, notice)  # a worker that comes too early
    assert (sink.mails, door.objections(release.required(door.db, "notice", notice)["id"])) == ([], ["not_released"])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (SUNDAY, "2026-11-02 09:00"),  # Monday
        (SUNDAY + timedelta(days=1, hours=-2), "2026-11-02 11:00"),  # it is safe now: 11.00 here
        (SUNDAY + timedelta(days=1, hours=2), "2026-11-04 09:00"),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "2026-10-26 09:00"),  # over the end of summer time
    ],
)
def test_the_next_safe_moment_is_counted_on_the_clock_here(at: datetime, expected: str) -> None:
    row: Row = {"weekdays": [1, 3], "from_hour": 9, "to_hour": 12}
    found = safe_contacts.next_moment(row, at)
    assert f"{found.astimezone(safe_contacts.AMSTERDAM):%Y-%m-%d %H:%M}" == expected
    assert safe_contacts.is_safe(row, found)


def test_what_a_person_agreed_is_sealed_and_opened_on_record(door: Door) -> None:
    contact = agree(door, code_word=WORD)
    stored = door.db.execute("SELECT * FROM safe_contact").fetchone()
    assert stored
    for value in stored.values():
        assert SECRET.encode() not in bytes(str(value), "utf-8")
        assert not isinstance(value, bytes) or SECRET.encode() not in value
    assert safe_contacts.open_for(door.db, contact, by="bram") == (SECRET, WORD)
    assert len(door.audited("safe_contact.open")) == 1
    assert SECRET not in str(door.db.execute("SELECT * FROM audit_entry").fetchall())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "duif"}, "channel"),
        ({"address": "geen adres"}, "address"),
        ({"channel": "sms", "address": "12"}, "address"),
        ({"weekdays": []}, "weekdays"),
        ({"weekdays": [8]}, "weekdays"),
        ({"from_hour": 12, "to_hour": 12}, "hours"),
        ({"from_hour": -1}, "hours"),
        ({"code_word": "x" * 101}, "code_word"),
    ],
)
def test_an_agreement_that_is_not_whole_is_refused(door: Door, change: dict[str, Any], field: str) -> None:
    with pytest.raises(safe_contacts.ContactIncomplete) as refused:
        agree(door, **change)
    assert list(refused.value.errors) == [field]


def test_a_new_agreement_ends_the_one_before(door: Door) -> None:
    agree(door)
    second = agree(door, address="anders@post.example")
    assert [row["id"] for row in safe_contacts.of_person(door.db, door.mother)] == [second]


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_surely_did_not_go_is_tried_again(door: Door, sink: Sink) -> None:
    agree(door)
    notice = send(door)
    sink.refuse = True
    job = work(door, notice)
    assert (job["state"], job["error"], state(door, notice)) == ("new", "NotDelivered", "waiting")
    assert release.required(door.db, "notice", notice)["state"] == "released", "it did not go: that is rolled back"
    sink.refuse = False
    assert work(door, notice)["state"] == "done"
    assert (len(sink.mails), state(door, notice)) == (1, "sent")
    work(door, notice)
    assert len(sink.mails) == 1


def test_what_nobody_knows_of_is_shown_to_a_person_and_never_sent_again_by_itself(door: Door, sink: Sink) -> None:
    agree(door)
    notice = send(door)
    sink.after_data = "hang up"
    assert work(door, notice)["state"] == "done"
    outgoing = release.required(door.db, "notice", notice)
    assert (state(door, notice), outgoing["held_why"], door.tasks()) == ("unknown", ["unknown"], [outgoing["id"]])
    sink.after_data = "take"
    work(door, notice)
    assert len(sink.mails) == 1
    assert door.release(outgoing["id"], "bram", now(door.db)), "a person says: once more"
    work(door, notice)
    assert (len(sink.mails), state(door, notice), door.tasks()) == (2, "sent", [])


def test_a_worker_that_died_after_it_began_leaves_it_to_a_person(door: Door, sink: Sink) -> None:
    agree(door)
    notice = send(door)
    door.db.execute("UPDATE notice SET state = 'begun', begun_at = now(), generation = 1 WHERE id = %s", (notice,))
    assert work(door, notice)["state"] == "done"
    assert (sink.mails, state(door, notice), len(door.tasks())) == ([], "unknown", 1)


def test_a_server_that_is_away_is_tried_again(door: Door, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(door)
    notice = send(door)
    monkeypatch.setenv("VEILIG_SMTP_URL", "smtp://127.0.0.1:9")
    settings.cache_clear()
    assert work(door, notice)["state"] == "new"
    assert state(door, notice) == "waiting"


@pytest.mark.parametrize(("status", "after"), [(400, "waiting"), (500, "unknown"), (302, "unknown"), (204, "sent")])
def test_what_a_provider_answers_decides_what_is_known(
    door: Door, provider: Provider, status: int, after: str
) -> None:
    agree(door, "sms", NUMBER)
    notice = send(door, "call", "sms")
    provider.status = status
    work(door, notice)
    assert (state(door, notice), len(provider.asked)) == (after, 1)


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    [
        {"VEILIG_SMTP_URL": "smtps://mail.example"},
        {"VEILIG_SMTP_FROM": "x@y.example"},
        {"VEILIG_SMS_URL": "https://sms.example"},
        {"VEILIG_SMS_TOKEN": "x"},
        {"VEILIG_SMTP_URL": "http://mail.example", "VEILIG_SMTP_FROM": "x@y.example"},
        {"VEILIG_SMS_URL": "ftp://sms.example", "VEILIG_SMS_TOKEN": "x"},
    ],
)
def test_a_half_set_option_stops_the_start(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(SettingsError):
        settings()


def test_a_provider_elsewhere_is_spoken_to_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_SMS_URL", "http://sms.example/")
    monkeypatch.setenv("VEILIG_SMS_TOKEN", "x")
    settings.cache_clear()
    with pytest.raises(mail.NotSent):
        mail.send_sms(NUMBER, "x")


def test_it_is_sent_under_the_role_of_the_workers(door: Door, sink: Sink) -> None:
    """The role that passes no row policy of its own reaches all that the gate and the sending need."""
    agree(door)
    notice = send(door)
    database.act_as("worker")
    assert work(door, notice)["state"] == "done"
    assert (len(sink.mails), state(door, notice)) == (1, "sent")
