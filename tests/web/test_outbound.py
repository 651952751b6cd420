"""The screens of what leaves: what waits, what was held and why, two persons, partners, and safe ways to reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db, now
from core.deadlines import local_day
from core.ids import uuid7
from core.settings import settings
from radar.casework import handover, invite, letters, notices
from radar.casework.handover_kinds import KINDS
from radar.outbound import gate, recipients, release, rows
from radar.outbound.kinds import rules
from tests.radar.test_letters import words as words_of
from tests.web.conftest import FATHER, MOTHER, OURS, PERSON, World

NOW = datetime.now(UTC)
RECEIVED = NOW - timedelta(days=3)
Sign = Callable[..., Any]
READERS = ["intake_worker", "assessor", "behavioural_scientist", "team_lead"]
FIELDS = {"aan": "Maria", "over": "u", "bellen": "0800-2000", "medewerker": "Bram"}


def send(client: Any, path: str, **form: str) -> Any:
    token = client.get("/uitgaand").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


@pytest.fixture
def report(world: World) -> UUID:
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [PERSON, MOTHER, FATHER], household=household, case=case)
    for number in (1, 2, 3):
        world.link(made, number, uuid7(), "automatic", household=household)
    notices.begin(world.db, made, RECEIVED)
    return made


def mention(db: Db, report: UUID, number: int = 2) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def letter(db: Db, report: UUID, by: str = "bram", **changes: str) -> tuple[UUID, UUID]:
    """A letter to the mother that waits for its release, and its row at the gate."""
    with db.transaction():
        made = letters.make(db, report, "person_notice", FIELDS | changes, mention(db, report), by, now(db))
    return made, release.required(db, "person_notice", made)["id"]


def one(db: Db, outgoing: UUID) -> dict[str, Any]:
    return rows.locked(db, outgoing)


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_what_waits_what_was_held_and_what_went(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    _, waits = letter(db, report)
    went_letter, went = letter(db, report)
    held_letter, held = letter(db, report)
    with db.transaction():
        recipients.check_person(db, mention(db, report), "asked", by="bram", at=now(db))
        for made in (went_letter, held_letter):
            letters.let_go(db, world.region, made, by="bram", at=now(db))
        assert letters.sent(db, went_letter, "bram", now(db))
        gate.hold(db, one(db, held), [gate.Objection("link_changed", "x")], now(db))
    sign_in(world.staff("assessor"))
    page = client.get("/uitgaand").text
    first, rest = page.split('id="klaar"')
    _, last = rest.split('id="weg"')
    assert (f"/uitgaand/{held}" in first, f"/uitgaand/{waits}" in first) == (True, True)
    assert first.index(str(held)) < first.index(str(waits)), "what was held is first"
    assert "Een koppeling is veranderd na de vrijgave." in first
    assert f"/uitgaand/{went}" in last
    assert f'href="/uitgaand/{held}"' in client.get("/wachtrij?soort=outgoing").text, "and it is a task"


def test_an_empty_list_says_so(client: Any, world: World, sign_in: Sign) -> None:
    sign_in(world.staff("intake_worker"))
    page = client.get("/uitgaand").text
    assert "Er is niets tegengehouden en niets wacht op vrijgave." in page
    assert 'href="/uitgaand" aria-current="true"' in page


@pytest.mark.parametrize("role", ["trusted_physician", "auditor", "administrator"])
def test_who_has_no_part_in_it_sees_none_of_it(client: Any, world: World, sign_in: Sign, role: str) -> None:
    sign_in(world.staff(role))
    assert client.get("/uitgaand").status_code == 403


def test_a_privacy_officer_sees_exports_and_nothing_of_a_report(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    _, waits = letter(db, report)
    sign_in(world.staff("privacy_officer"))
    page = client.get("/uitgaand").text
    assert str(waits) not in page
    assert "Maria" not in page
    assert client.get(f"/uitgaand/{waits}").status_code == 404


def test_another_region_and_what_does_not_exist_look_the_same(
    client: Any, new_world: Callable[[], World], sign_in: Sign, db: Db
) -> None:
    theirs, ours = new_world(), new_world()
    household, case = theirs.household(RECEIVED)
    elsewhere = theirs.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)
    _, outgoing = letter(db, elsewhere)
    sign_in(ours.staff("team_lead"))
    hidden, missing = client.get(f"/uitgaand/{outgoing}"), client.get(f"/uitgaand/{uuid7()}")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert str(outgoing) not in client.get("/uitgaand").text
    for path in ("vrijgeven", "intrekken", "ontvanger"):
        assert send(client, f"/uitgaand/{outgoing}/{path}", gelezen="ja", reden="x").status_code == 404
    assert one(db, outgoing)["state"] == "proposed"


# ── release ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dangerous_letter_takes_two_persons_who_both_read_it(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    bram, gwen = world.staff("assessor", "bram"), world.staff("behavioural_scientist", "gwen")
    made, outgoing = letter(db, report, over="uw kind in de Voorbeeldstraat")
    path, paper = f"/uitgaand/{outgoing}", f"/meldingen/{report}/brieven/{made}"
    sign_in(bram)
    page = client.get(path).text
    assert "Twee personen moeten dit lezen en vrijgeven." in page
    assert "In de tekst staat een adres of een telefoonnummer." in page
    assert f'href="{paper}"' in page
    unread = send(client, f"{path}/vrijgeven")
    assert (unread.status_code, "Lees eerst wat er weggaat." in unread.text) == (400, True)
    blind = send(client, f"{path}/vrijgeven", gelezen="ja")
    assert (blind.status_code, "Open eerst het concept" in blind.text) == (400, True)
    assert "CONCEPT" in words_of(client.get(paper).content)
    unchecked = send(client, f"{path}/vrijgeven", gelezen="ja")
    assert (unchecked.status_code, "nog niet gecontroleerd" in unchecked.text) == (409, True)
    assert send(client, f"{path}/ontvanger", hoe="").status_code == 400
    assert send(client, f"{path}/ontvanger", hoe="asked").status_code == 303
    assert send(client, f"{path}/vrijgeven", gelezen="ja").status_code == 303
    assert one(db, outgoing)["state"] == "proposed"
    assert "U gaf dit zelf al vrij." in client.get(path).text
    again = send(client, f"{path}/vrijgeven", gelezen="ja")
    assert (again.status_code, "Een ander moet" in again.text) == (409, True)
    assert "CONCEPT" in words_of(client.get(paper).content), "not yet"
    sign_in(gwen)
    assert f'href="{path}"' in client.get("/wachtrij?soort=outgoing").text
    client.get(paper)
    assert send(client, f"{path}/vrijgeven", gelezen="ja").status_code == 303
    row = one(db, outgoing)
    assert (row["state"], row["released_by"], row["second_by"]) == ("released", "bram", "gwen")
    assert "Afdruk " in words_of(client.get(paper).content)
    assert "CONCEPT" not in words_of(client.get(paper).content)


def test_a_letter_that_is_held_when_it_is_printed_is_not_given(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor", "bram"))
    made, outgoing = letter(db, report)
    base = f"/meldingen/{report}/betrokkenen/{mention(db, report)}"
    assert send(client, f"{base}/vrijgeven", brief=str(made), hoe="asked").status_code == 303
    db.execute("UPDATE link SET state = 'undone', decided_at = now(), decided_by = 'x' WHERE mention_id = %s",
               (mention(db, report),))  # fmt: skip
    refused = client.get(f"/meldingen/{report}/brieven/{made}")
    assert (refused.status_code, "mag nu niet weg" in refused.text) == (409, True)
    assert not refused.content.startswith(b"%PDF")
    assert (one(db, outgoing)["state"], one(db, outgoing)["held_why"]) == ("held", ["link_changed"])
    assert send(client, f"{base}/verstuurd", brief=str(made)).status_code == 409
    assert "Een koppeling is veranderd" in client.get(f"/uitgaand/{outgoing}").text
    client.get(f"/meldingen/{report}/brieven/{made}")
    assert send(client, f"/uitgaand/{outgoing}/vrijgeven", gelezen="ja").status_code == 303
    assert send(client, f"{base}/verstuurd", brief=str(made)).status_code == 303
    assert one(db, outgoing)["state"] == "sent"


def test_what_is_withdrawn_needs_a_reason(client: Any, world: World, sign_in: Sign, report: UUID, db: Db) -> None:
    sign_in(world.staff("assessor", "bram"))
    _, outgoing = letter(db, report)
    assert send(client, f"/uitgaand/{outgoing}/intrekken", reden=" ").status_code == 400
    assert send(client, f"/uitgaand/{outgoing}/intrekken", reden="Zij belde zelf.").status_code == 303
    assert one(db, outgoing)["state"] == "withdrawn"
    page = client.get(f"/meldingen/{report}/betrokkenen").text
    assert "Ingetrokken: deze brief gaat niet weg." in page
    assert "Brief vrijgeven" not in page


def test_an_intake_worker_reads_and_does_not_release_letters(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("intake_worker"))
    _, outgoing = letter(db, report)
    assert "Ik heb gelezen" not in client.get(f"/uitgaand/{outgoing}").text
    assert send(client, f"/uitgaand/{outgoing}/vrijgeven", gelezen="ja").status_code == 403


def test_each_look_is_on_record(client: Any, world: World, sign_in: Sign, report: UUID, db: Db) -> None:
    sign_in(world.staff("assessor"))
    _, outgoing = letter(db, report)
    client.get("/uitgaand")
    client.get(f"/uitgaand/{outgoing}")
    found = db.execute("SELECT action FROM audit_entry WHERE action LIKE 'outbound.%%' ORDER BY at").fetchall()
    assert [row["action"] for row in found] == ["outbound.list", "outbound.view"]


# ── partners ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_checks_a_partner_and_what_is_wrong_stands_beside_its_field(
    client: Any, world: World, sign_in: Sign, db: Db
) -> None:
    sign_in(world.staff("team_lead"))
    world.checked(world.local_team, local_day(NOW - timedelta(days=1)))
    db.execute("ALTER TABLE partner_check DISABLE TRIGGER partner_check_append_only")
    db.execute("DELETE FROM partner_check WHERE verified_until = '2099-01-01'")
    assert "krijgt nu niets" in client.get("/uitgaand/partners").text
    path = f"/uitgaand/partners/{world.local_team}"
    wrong = send(client, path, hoe="", tot="", domein="https://x", postbus="x")
    assert wrong.status_code == 400
    for field in ("hoe", "tot", "domein", "postbus"):
        assert f'id="fout-{field}-{world.local_team}"' in wrong.text
    assert 'value="https://x"' in wrong.text, "what was typed stays"
    until = local_day(NOW + timedelta(days=200)).isoformat()
    assert send(client, path, hoe="Teruggebeld", tot=until).status_code == 303
    page = client.get("/uitgaand/partners").text
    assert "krijgt nu niets" not in page
    assert "Gecontroleerd tot en met" in page
    assert send(client, f"/uitgaand/partners/{world.team}", hoe="x", tot=until).status_code == 404


def test_only_a_lead_checks_partners(client: Any, world: World, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    assert client.get("/uitgaand/partners").status_code == 403
    assert send(client, f"/uitgaand/partners/{world.local_team}", hoe="x").status_code == 403


def test_an_offer_to_a_lapsed_partner_is_refused_at_its_field(
    client: Any, world: World, sign_in: Sign, db: Db
) -> None:
    household, case = world.household(RECEIVED)
    report = world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case, state="handover")
    db.execute("ALTER TABLE partner_check DISABLE TRIGGER partner_check_append_only")
    db.execute("UPDATE partner_check SET verified_until = '2026-01-31'")
    sign_in(world.staff("assessor"))
    answer = send(
        client, f"/meldingen/{report}/overdracht", soort="direct", team=str(world.local_team), dagen="5",
        daarna="monitor", gelezen="ja", deel_persons="ja",
    )  # fmt: skip
    assert answer.status_code == 400
    assert "de controle van de organisatie tot 31-01-2026 en dat is voorbij" in answer.text
    assert db.execute("SELECT FROM handover").fetchone() is None


def test_a_partner_gets_a_nudge_without_content(
    client: Any, world: World, sign_in: Sign, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    household, case = world.household(RECEIVED)
    report = world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case, state="handover")
    db.execute(
        "INSERT INTO partner_check (id, region_id, team_id, verified_until, domain, domain_until, mailbox, how,"
        " checked_at, checked_by) VALUES (%s, %s, %s, '2099-01-01', 'wijk.example', '2099-01-01',"
        " 'post@wijk.example',"
        " 'Gebeld', now(), 'teun')",
        (uuid7(), world.region, world.local_team),
    )
    sign_in(world.staff("assessor"))
    offered = send(
        client, f"/meldingen/{report}/overdracht", soort="direct", team=str(world.local_team), dagen="5",
        daarna="monitor", gelezen="ja", deel_persons="ja",
        **{f"veld_{one.name}": "x" for one in KINDS["direct"].fields},
    )  # fmt: skip
    assert offered.status_code == 200, offered.text
    (row,) = db.execute("SELECT * FROM outgoing WHERE kind = 'handover'").fetchall()
    assert (row["state"], row["parts"]) == ("released", ["form", "persons"])
    path = f"/uitgaand/{row['id']}"
    assert "Seintje sturen" not in client.get(path).text, "no mail on this system"
    assert send(client, f"{path}/seintje").status_code == 409
    monkeypatch.setenv("VEILIG_SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("VEILIG_SMTP_FROM", "bericht@regio.example")
    settings.cache_clear()
    assert "Seintje sturen" in client.get(path).text
    assert send(client, f"{path}/seintje").status_code == 303
    (notice,) = db.execute("SELECT * FROM notice").fetchall()
    assert (notice["template"], notice["team_id"], notice["state"]) == ("ready", world.local_team, "waiting")
    assert db.execute("SELECT FROM job WHERE kind = 'send_notice' AND subject_id = %s", (notice["id"],)).rowcount == 1


def offered_to_partner(client: Any, world: World, db: Db) -> UUID:
    """An offer that the partner opened with its link and code."""
    household, case = world.household(RECEIVED)
    report = world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case, state="handover")
    chosen = KINDS["direct"]
    with db.transaction():
        made = handover.offer(
            db,
            report,
            kind="direct",
            team_id=world.local_team,
            shares=chosen.shares,
            content={field.name: "Verzonnen afspraak." for field in chosen.fields},
            afterwards="monitor",
            days=5,
            by="bram",
            role="assessor",
            at=now(db),
        )
        sent = invite.invite(db, made, by="bram", at=now(db))
    assert client.post(sent.url_path, data={"code": sent.code}, headers=OURS).status_code == 303
    return made


def test_a_partner_that_lapses_sees_nothing_more_and_somebody_hears_of_it(client: Any, world: World, db: Db) -> None:
    made = offered_to_partner(client, world, db)
    page = client.get("/partner")
    assert (page.status_code, "Maria" in page.text) == (200, True)
    sent = db.execute("SELECT actor, details FROM audit_entry WHERE action = 'outbound.send'").fetchall()
    assert [(row["actor"], row["details"]["sha256"]) for row in sent] == [
        ("partner:Wijkteam Dal", hashlib.sha256(page.content).hexdigest())
    ]
    db.execute("ALTER TABLE partner_check DISABLE TRIGGER partner_check_append_only")
    db.execute("UPDATE partner_check SET verified_until = current_date - 1")
    gone = client.get("/partner")
    assert (gone.status_code, "Maria" in gone.text) == (404, False)
    row = release.required(db, "handover", made)
    assert (row["state"], row["held_why"]) == ("held", ["recipient_partner"])
    tasks = db.execute("SELECT subject_id FROM task WHERE kind = 'outgoing' AND done_at IS NULL").fetchall()
    assert tasks == [{"subject_id": row["id"]}]


def test_a_link_that_falls_away_closes_the_page_of_a_partner(client: Any, world: World, db: Db) -> None:
    made = offered_to_partner(client, world, db)
    assert client.get("/partner").status_code == 200
    row = release.required(db, "handover", made)
    elsewhere = world.report(RECEIVED, [MOTHER])
    link = world.link(elsewhere, 1, uuid7(), "automatic")
    db.execute("UPDATE outgoing SET links = links || %s WHERE id = %s", (link, row["id"]))
    assert client.get("/partner").status_code == 200, "also a link that he may not see himself is known to hold"
    db.execute("UPDATE link SET state = 'undone', decided_at = now(), decided_by = 'x' WHERE id = %s", (link,))
    assert client.get("/partner").status_code == 404
    assert release.required(db, "handover", made)["held_why"] == ["link_changed"]


# ── exports ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_large_log_file_waits_for_a_second_person(
    client: Any, world: World, sign_in: Sign, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bea = world.staff("privacy_officer", "anna"), world.staff("privacy_officer", "bea")
    limits = rules().limits.model_copy(update={"export_rows": 1})
    few = rules().model_copy(update={"limits": limits})
    for module in ("radar.outbound.exports", "radar.outbound.release"):
        monkeypatch.setattr(f"{module}.rules", lambda: few)
    question = {"soort": "periode", "van": local_day(NOW - timedelta(days=2)).isoformat()}
    sign_in(anna)
    for _ in range(3):
        client.get("/uitgaand")
    refused = send(client, "/log/uitvoer", **question)
    assert refused.status_code == 409, refused.text[:300]
    assert "moet een tweede persoon dit vrijgeven" in refused.text
    (row,) = db.execute("SELECT * FROM outgoing WHERE kind = 'export'").fetchall()
    assert (row["state"], row["released_by"], row["dangers"]) == ("proposed", "anna", ["bulk"])
    own = send(client, f"/uitgaand/{row['id']}/vrijgeven", gelezen="ja")
    assert own.status_code == 409
    sign_in(bea)
    assert send(client, f"/uitgaand/{row['id']}/vrijgeven", gelezen="ja").status_code == 303
    sign_in(anna)
    given = send(client, "/log/uitvoer", **question)
    assert given.headers["content-type"] == "text/csv; charset=utf-8"
    sent = db.execute("SELECT details FROM audit_entry WHERE action = 'outbound.send'").fetchall()
    assert len(sent) == 1


# ── safe ways to reach somebody ─────────────────────────────────────────────────────────────────────────────────

SAFE = {"manier": "phone", "adres": "06 12345678", "dag_1": "ja", "vanaf": "9", "totuur": "12", "woord": "fietsbel"}


def test_a_safe_way_is_agreed_shown_on_record_and_ended(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/betrokkenen/{mention(db, report)}/bereiken"
    assert "Er is niets afgesproken. Stuur deze persoon niets." in client.get(path).text
    wrong = send(client, path, **SAFE | {"adres": "12", "dag_1": "", "vanaf": "x"})
    assert wrong.status_code == 400
    for field in ("adres", "dagen", "vanaf"):
        assert f'id="fout-{field}"' in wrong.text
    assert 'value="fietsbel"' in wrong.text
    assert send(client, path, **SAFE).status_code == 303
    page = client.get(path).text
    assert "ma, van 9 tot 12 uur. Er is een codewoord." in page
    assert "+31612345678" not in page
    assert "fietsbel" not in page
    contact = page.split('name="contact" value="')[1].split('"')[0]
    shown = send(client, f"{path}/tonen", contact=contact).text
    assert ("+31612345678" in shown, "fietsbel" in shown) == (True, True)
    assert db.execute("SELECT FROM audit_entry WHERE action = 'safe_contact.open'").fetchone() is not None
    assert send(client, f"{path}/einde", contact=contact).status_code == 303
    assert "Er is niets afgesproken." in client.get(path).text
    assert send(client, f"{path}/tonen", contact=contact).status_code == 404


def test_seeing_a_number_asks_to_prove_oneself_again(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor"), stepped_up=False)
    path = f"/meldingen/{report}/betrokkenen/{mention(db, report)}/bereiken"
    send(client, path, **SAFE)
    answer = send(client, f"{path}/tonen", contact=str(uuid7()))
    assert (answer.status_code, answer.headers["location"].startswith("/bevestigen")) == (303, True)


def test_a_message_without_a_safe_channel_is_refused(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/betrokkenen/{mention(db, report)}/bereiken"
    answer = send(client, f"{path}/bericht", tekst="call", manier="sms")
    assert (answer.status_code, "niet gezegd dat dit veilig is" in answer.text) == (409, True)
    stranger = mention(db, report, 3)
    assert send(client, f"/meldingen/{uuid7()}/betrokkenen/{stranger}/bereiken", **SAFE).status_code == 404
