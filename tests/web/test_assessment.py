"""The acute check and the safety assessment on the screen: nothing typed is lost, and another person signs."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.database import Db
from core.errors import SettingsError
from core.ids import uuid7
from core.settings import settings
from radar.casework import acute, assessment, questionnaire
from tests.radar import desk
from tests.web.chromium import enter, violations
from tests.web.conftest import MOTHER, PERSON
from web.app import create_app
from web.pages.assessment import FIELD

with warnings.catch_warnings():
    # As in conftest.py: starlette announces a successor of httpx for its client.
    warnings.simplefilter("ignore")

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
Sign = Callable[[str], Any]
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def send(client: Any, path: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def received(world: Any, **more: Any) -> UUID:
    made: UUID = world.report(NOW - timedelta(minutes=5), state="received", **more)
    return made


def checked(world: Any, **more: Any) -> UUID:
    made = received(world, **more)
    desk.check(world.db, made, at=NOW - timedelta(minutes=4))
    return made


def filled(**changes: str) -> dict[str, str]:
    """A complete form as a browser sends it, for a draft that nobody saved yet."""
    answers = {FIELD + code: text for code, text in desk.complete_answers().items()}
    return answers | {"versie": questionnaire.current().version, "revisie": "0", "pad": "", "team": ""} | changes


def state(db: Db, report: UUID) -> str:
    row = db.execute("SELECT state FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    return str(row["state"])


def draft(world: Any, report: UUID) -> dict[str, Any]:
    row = assessment.draft(world.db, world.region, report)
    assert row is not None
    return dict(row)


def hidden(html: str, name: str) -> str:
    return html.split(f'name="{name}" value="')[1].split('"')[0]


# ── the acute check ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_check_shows_what_the_machine_saw_and_waits_for_no_linking(
    client: Any, world: Any, sign_in: Sign
) -> None:
    signals = [{"rule": "wapen", "level": "acute", "text": "Er is een wapen genoemd.", "words": ["mes"]}]
    report = received(world, signals=signals)
    sign_in(world.staff("intake_worker"))
    page = client.get(f"/meldingen/{report}/acuut").text
    assert "Er is een wapen genoemd." in page
    assert "gezien: mes" in page
    assert "Nog niet vergeleken. Wacht daar niet op." in page
    for sign in questionnaire.current().acute_signs:
        assert sign.text in page


def test_an_acute_check_leads_to_the_log_and_another_to_the_report(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    first, second = received(world), received(world)
    sign_in(world.staff("intake_worker"))
    answer = send(
        client, f"/meldingen/{first}/acuut", handeling="check", acuut="ja", teken_weapon="ja", reden="Een mes."
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meldingen/{first}/acuut")
    page = client.get(f"/meldingen/{first}/acuut").text
    assert "Direct handelen loopt" in page
    assert "Er is een wapen gebruikt, of daarmee gedreigd" in page
    answer = send(
        client, f"/meldingen/{second}/acuut", handeling="check", acuut="nee", risico="1", reden="Rustig nu."
    )
    assert answer.headers["location"] == f"/meldingen/{second}"
    row = db.execute("SELECT risk FROM task WHERE kind = 'assess' AND subject_id = %s", (second,)).fetchone()
    assert row == {"risk": 1}


@pytest.mark.parametrize(
    ("form", "place"),
    [
        ({"reden": "Zo."}, "acuut"),
        ({"acuut": "nee", "reden": " ", "risico": "0"}, "reden"),
        ({"acuut": "nee", "reden": "Zo."}, "risico"),
        ({"acuut": "nee", "reden": "Zo.", "risico": "9"}, "risico"),
        ({"acuut": "ja", "reden": "Zo.", "teken_niets": "ja"}, "tekens"),
    ],
)
def test_a_check_that_is_not_complete_comes_back_with_its_text(
    client: Any, world: Any, sign_in: Sign, db: Db, form: dict[str, str], place: str
) -> None:
    report = received(world)
    sign_in(world.staff("assessor"))
    answer = send(client, f"/meldingen/{report}/acuut", handeling="check", teken_weapon="ja", **form)
    assert answer.status_code == 400
    assert f'id="fout-{place}"' in answer.text
    assert f'href="#{place}"' in answer.text
    assert re.search(r'name="teken_weapon" value="ja" checked', answer.text)
    assert form["reden"] in answer.text
    assert state(db, report) == "received"


def test_a_second_check_is_told_that_somebody_was_first(client: Any, world: Any, sign_in: Sign) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    answer = send(client, f"/meldingen/{report}/acuut", handeling="check", acuut="ja", reden="Zo.")
    assert answer.status_code == 409
    assert "In veiligheidsbeoordeling" in answer.text
    assert send(client, f"/meldingen/{report}/acuut", handeling="iets").status_code == 400


def test_the_log_takes_lines_until_a_person_says_that_it_is_over(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    report = received(world)
    desk.check(db, report, acute=True, at=NOW - timedelta(minutes=4))
    sign_in(world.staff("intake_worker"))
    path = f"/meldingen/{report}/acuut"
    line = {"handeling": "logboek", "gebeld": NASTY, "afgesproken": "Zij gaan."}
    assert send(client, path, **line, wanneer="2026-01-05T09:30").status_code == 303
    [kept] = acute.actions(db, world.region, report)
    assert kept["at"] == datetime(2026, 1, 5, 8, 30, tzinfo=UTC), "typed as the time in the Netherlands"
    page = client.get(path).text
    assert NASTY not in page
    assert "Zij gaan." in page
    for wrong, place in (({"wanneer": "gisteren"}, "wanneer"), ({"wanneer": "2099-01-01T10:00"}, "wanneer")):
        answer = send(client, path, **line, **wrong)
        assert answer.status_code == 400
        assert f'id="fout-{place}"' in answer.text
        assert "Zij gaan." in answer.text
    assert send(client, path, **(line | {"gebeld": ""}), wanneer="2026-01-05T09:30").status_code == 400
    assert send(client, f"{path}/voorbij", reden="Voorbij.").status_code == 403, "an intake worker does not end it"
    sign_in(world.staff("assessor"))
    assert send(client, f"{path}/voorbij", reden=" ", risico="1").status_code == 400
    assert 'id="fout-risico"' in send(client, f"{path}/voorbij", reden="Hij zit vast.").text
    assert send(client, f"{path}/voorbij", reden="Hij zit vast.", risico="1").status_code == 303
    page = client.get(path).text
    assert "Gevaar voorbij" in page
    assert "Direct handelen loopt" not in page
    assert send(client, path, **line, wanneer="2026-01-05T09:30").status_code == 409


def test_the_risk_of_a_waiting_report_is_looked_at_again(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    report = checked(world)
    sign_in(world.staff("intake_worker"))
    path = f"/meldingen/{report}/acuut/risico"
    assert send(client, path, reden="Zo.").status_code == 400
    assert send(client, path, risico="1", reden="").status_code == 400
    assert send(client, path, risico="1", reden="Buren belden.").status_code == 303
    assert send(client, path, risico="2", reden="Hij dreigt.").status_code == 303
    assert acute.in_danger(db, report)
    assert send(client, path, risico="0", reden="Valt mee.").status_code == 409


# ── the form ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_the_check_there_is_no_assessment(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    report = received(world)
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}/beoordeling").text
    assert "Eerst komt de" in page
    assert "<textarea" not in page
    assert send(client, f"/meldingen/{report}/beoordeling", handeling="bewaren", **filled()).status_code == 409
    assert db.execute("SELECT count(*) AS n FROM assessment").fetchone() == {"n": 0}


def test_the_form_has_every_question_with_the_history_and_the_signals_beside_it(
    client: Any, world: Any, sign_in: Sign, family: dict[str, UUID]
) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{family['third']}/beoordeling")
    for question in questionnaire.current().fields.values():
        assert question.text in page.text
    for other in ("first", "second", "supplement"):
        assert f"/meldingen/{family[other]}" in page.text
    assert "De politie vulde SASH in" in page.text
    assert "De buren hoorden geschreeuw" in page.text
    nonce = page.text.split('<script nonce="')[1].split('"')[0]
    assert f"script-src 'nonce-{nonce}'; connect-src 'self'" in page.headers["content-security-policy"]
    noted = world.db.execute("SELECT count(*) AS n FROM audit_entry WHERE action = 'assessment.view'").fetchone()
    assert noted == {"n": 1}


def test_looking_makes_no_draft_and_the_proposal_is_chosen_when_it_is_a_decision(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    report = checked(world)
    db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at)"
        " VALUES (%s, %s, %s, 'proposed', %s, 'handover', 'Hoort bij Dal.', now())",
        (uuid7(), world.region, report, world.local_team),
    )
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}/beoordeling").text
    assert '<option value="handover" selected>' in page
    assert f'<option value="{world.local_team}" selected>' in page
    assert db.execute("SELECT count(*) AS n FROM assessment").fetchone() == {"n": 0}
    db.execute("UPDATE route SET path = 'acute'")
    assert " selected" not in client.get(f"/meldingen/{report}/beoordeling").text


def test_what_was_saved_comes_back_also_when_half(client: Any, world: Any, sign_in: Sign) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/beoordeling"
    half = {"versie": "2026-11", "revisie": "0", "vraag_acute_danger": "yes", "vraag_acute_explanation": NASTY}
    answer = send(client, path, handeling="bewaren", reden="Half klaar", pad="conditions", **half)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = client.get(path).text
    assert re.search(r'name="vraag_acute_danger" value="yes" checked', page)
    assert "&lt;script&gt;" in page
    assert NASTY not in page
    assert "Half klaar" in page
    assert '<option value="conditions" selected>' in page
    assert hidden(page, "revisie") == "1"
    assert "Laatst bewaard door assessor1" in page


def test_a_form_that_is_not_complete_is_saved_and_says_per_field_what_is_missing(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    form = filled(pad="handover", reden="")
    del form["vraag_acute_danger"]
    answer = send(client, f"/meldingen/{report}/beoordeling", handeling="indienen", **form)
    assert answer.status_code == 400
    for place in ("vraag_acute_danger", "team", "reden"):
        assert f'id="fout-{place}"' in answer.text
        assert f'href="#{place}"' in answer.text
        assert f'id="{place}"' in answer.text
    assert "Uw antwoorden zijn wel bewaard" in answer.text
    assert draft(world, report)["answers"]["spoken_explanation"] == "Verzonnen toelichting."
    assert state(db, report) == "assessing"


def test_part_c_is_not_asked_when_b_is_positive_and_is_emptied_by_a_button_only(
    client: Any, world: Any, sign_in: Sign
) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/beoordeling"
    form = filled(vraag_structural_repeated="yes", pad="no_steps", reden="Omdat.")
    refused = send(client, path, handeling="indienen", **form)
    assert refused.status_code == 400
    assert 'id="fout-vraag_harmful_problems"' in refused.text
    assert draft(world, report)["answers"]["harmful_explanation"] == "Verzonnen toelichting.", "nothing vanished"
    assert re.search(r"<div data-skip>", refused.text)
    again = form | {"revisie": hidden(refused.text, "revisie")}
    asked = again | {"vraag_structural_repeated": "no"}
    assert send(client, path, handeling="leeg-harmful", **asked).status_code == 303
    assert "harmful_explanation" in draft(world, report)["answers"], "a part that is asked is not emptied"
    again["revisie"] = str(draft(world, report)["revision"])
    assert send(client, path, handeling="leeg-harmful", **again).status_code == 303
    assert not [code for code in draft(world, report)["answers"] if code.startswith("harmful")]
    page = client.get(path).text
    assert "Dit deel is niet nodig" in page
    form = {name: text for name, text in form.items() if not name.startswith("vraag_harmful")}
    answer = send(client, path, handeling="indienen", **(form | {"revisie": hidden(page, "revisie")}))
    assert answer.status_code == 303
    assert draft(world, report)["submitted_by"] == "assessor1"
    assert "Overgeslagen" in client.get(path).text


def test_a_stale_form_gets_both_texts_and_may_then_be_saved(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    report = checked(world)
    row = assessment.start(db, report, by="gwen", at=NOW)
    theirs = desk.complete_answers(acute_explanation="Tekst van Gwen.")
    assessment.save(db, row["id"], 0, theirs, by="gwen", at=NOW)
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/beoordeling"
    answer = send(client, path, handeling="indienen", **filled(vraag_acute_explanation="Mijn tekst.", reden="Ja."))
    assert answer.status_code == 409
    assert "gwen bewaarde deze beoordeling op" in answer.text
    assert "Mijn tekst.</textarea>" in answer.text
    assert re.search(r"Bewaard door gwen:</b> <span class=\"text\">Tekst van Gwen\.", answer.text)
    assert answer.text.count('class="theirs"') == 2, "the answer and the decision"
    assert draft(world, report)["answers"] == theirs
    again = filled(vraag_acute_explanation="Samen.", revisie=hidden(answer.text, "revisie"))
    assert send(client, path, handeling="bewaren", **again).status_code == 303
    assert draft(world, report)["answers"]["acute_explanation"] == "Samen."


def test_a_form_of_another_version_of_the_questions_is_not_mixed_in(client: Any, world: Any, sign_in: Sign) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/beoordeling"
    answer = send(client, path, handeling="bewaren", **filled(versie="2020-01"))
    assert answer.status_code == 409
    assert "andere vragenlijst" in answer.text
    assert assessment.draft(world.db, world.region, report) is None


# ── saving while typing ─────────────────────────────────────────────────────────────────────────────────────────


def test_saving_while_typing_answers_with_the_revision_and_what_is_not_asked(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    report = checked(world)
    sign_in(world.staff("assessor"))
    path = f"/meldingen/{report}/beoordeling/bewaren"
    answer = send(client, path, **filled(vraag_structural_repeated="yes"))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["revision"], found["skipped"]) == (1, ["harmful"])
    assert re.fullmatch(r"Bewaard om \d\d\.\d\d uur\.", found["message"])
    stale = send(client, path, **filled(revisie="0", vraag_acute_explanation="Anders."))
    assert stale.status_code == 409
    assert "assessor1 bewaarde deze beoordeling" in stale.json()["message"]
    assert send(client, path, **filled(revisie="1", team="geen-team")).status_code == 400
    desk_answers = draft(world, report)
    assessment.save(db, desk_answers["id"], 1, desk.complete_answers(), by="gwen", at=NOW)
    assessment.submit(db, desk_answers["id"], 2, "no_steps", None, "Omdat.", by="gwen", role="assessor", at=NOW)
    late = send(client, path, **filled(revisie="3"))
    assert late.status_code == 409
    assert "staat op" in late.json()["message"]


# ── the second signature ────────────────────────────────────────────────────────────────────────────────────────


def test_another_signs_what_was_submitted(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    report = checked(world)
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff("assessor"))
    done = send(client, path, handeling="indienen", **filled(pad="investigation", reden="Onbekend wat er is."))
    assert done.status_code == 303
    own = client.get(path).text
    assert "U hebt deze beoordeling zelf ingediend" in own
    assert "/tekenen" not in own
    assert send(client, f"{path}/tekenen", revisie="2").status_code == 403
    sign_in(world.staff("assessor", "anna"))
    page = client.get(path).text
    assert "gedragswetenschapper, teamleider" in page
    assert "/tekenen" not in page
    assert send(client, f"{path}/tekenen", revisie="2").status_code == 403
    sign_in(world.staff("behavioural_scientist"))
    page = client.get(path).text
    assert "Onbekend wat er is." in page
    assert "Verzonnen toelichting." in page
    assert send(client, f"{path}/tekenen", revisie="1").status_code == 409
    answer = send(client, f"{path}/tekenen", revisie=hidden(page.split("/tekenen")[1], "revisie"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meldingen/{report}")
    assert state(db, report) == "investigation"
    page = client.get(path).text
    assert "Getekend door behavioural_scientist1" in page
    assert "<textarea" not in page.split('class="aside"')[0]
    assert send(client, f"{path}/tekenen", revisie="2").status_code == 404


def test_what_is_given_back_shows_why_and_opens_again(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    report = checked(world)
    desk.submit(db, report, "no_steps", at=NOW)
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff("team_lead"))
    empty = send(client, f"{path}/teruggeven", terug=" ")
    assert empty.status_code == 400
    assert 'id="fout-terug"' in empty.text
    assert send(client, f"{path}/teruggeven", terug="Wie sprak de kinderen?").status_code == 303
    sign_in(world.staff("assessor"))
    page = client.get(path).text
    assert "Teruggegeven door team_lead1" in page
    assert "Wie sprak de kinderen?" in page
    assert "Verzonnen toelichting.</textarea>" in page
    assert send(client, f"{path}/teruggeven", terug="Nog eens.").status_code == 409


def test_a_team_lead_has_a_decision_taken_anew_and_what_was_signed_stays(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    household, case = world.household(NOW - timedelta(days=1))
    report = checked(world, household=household, case=case)
    desk.assess(db, report, "conditions", at=NOW - timedelta(minutes=2), reason="Afspraken zijn genoeg.")
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff("team_lead"))
    assert f'action="{path}/herzien"' in client.get(path).text
    empty = send(client, f"{path}/herzien", herzien=" ")
    assert empty.status_code == 400
    assert 'id="fout-herzien"' in empty.text
    assert 'href="#herzien"' in empty.text
    assert state(db, report) == "conditions"
    done = send(client, f"{path}/herzien", herzien=f"Nieuwe feiten. {NASTY}")
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert state(db, report) == "assessing"
    page = client.get(path).text
    assert f'action="{path}/herzien"' not in page
    assert "Afspraken zijn genoeg." in page
    assert "Getekend door gwen" in page
    assert 'name="handeling" value="indienen"' in page
    again = send(client, f"{path}/herzien", herzien="Nog eens.")
    assert again.status_code == 409
    assert "Wat wel kan" in again.text
    sign_in(world.staff("assessor"))
    assert "Afspraken zijn genoeg." in client.get(path).text
    new = send(client, path, handeling="indienen", **filled(pad="investigation", reden="Toch onderzoek."))
    assert new.status_code == 303
    assert state(db, report) == "signing"
    history = client.get(f"/meldingen/{report}").text
    assert "Nieuwe feiten. &lt;script&gt;" in history
    assert NASTY not in history


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "behavioural_scientist", "administrator"])
def test_only_a_team_lead_revises(client: Any, world: Any, sign_in: Sign, db: Db, role: str) -> None:
    report = checked(world)
    desk.assess(db, report, "conditions", at=NOW)
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff(role))
    assert "/herzien" not in client.get(path).text
    assert send(client, f"{path}/herzien", herzien="Nieuwe feiten.").status_code == 403
    assert state(db, report) == "conditions"


@pytest.mark.parametrize("now", ["received", "assessing", "signing", "forwarded", "imported"])
def test_without_a_decision_there_is_nothing_to_revise(
    client: Any, world: Any, sign_in: Sign, db: Db, now: str
) -> None:
    report = world.report(NOW, state=now)
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff("team_lead"))
    assert "/herzien" not in client.get(path).text
    assert send(client, f"{path}/herzien", herzien="Nieuwe feiten.").status_code == 409
    assert state(db, report) == now


def test_a_decision_is_not_revised_while_a_partner_must_answer(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    report = world.report(NOW, state="handover")
    db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, takes_watch, afterwards, days, shares,"
        " content, offered_at, offered_by) VALUES (%s, %s, %s, 'direct', %s, true, 'monitor', 5, '[]', '{}', %s,"
        " 'bram')",
        (uuid7(), world.region, report, world.local_team, NOW),
    )
    sign_in(world.staff("team_lead"))
    answer = send(client, f"/meldingen/{report}/beoordeling/herzien", herzien="Nieuwe feiten.")
    assert answer.status_code == 409
    assert "geen overdracht die nog op antwoord wacht" in answer.text
    assert "Nieuwe feiten.</textarea>" in answer.text


def test_an_old_assessment_is_read_with_its_own_questions(
    client: Any, world: Any, sign_in: Sign, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = checked(world)
    desk.assess(db, report, "no_steps", at=NOW)
    text = (questionnaire.FOLDER / "2026-11.toml").read_text(encoding="utf-8").replace("2026-11", "2027-02")
    text = text.replace("Is iemand nu in direct lichamelijk gevaar?", "Is er nu gevaar?")
    (tmp_path / "2027-02.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("VEILIG_QUESTIONNAIRES", str(tmp_path))
    settings.cache_clear()
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}/beoordeling").text
    assert "Is iemand nu in direct lichamelijk gevaar?" in page
    assert "Vragenlijst van versie 2026-11" in page
    fresh = client.get(f"/meldingen/{checked(world)}/beoordeling").text
    assert "Is er nu gevaar?" in fresh
    # One that was made with a version that is gone shows its answers by code.
    db.execute("ALTER TABLE assessment DISABLE TRIGGER assessment_signed")
    db.execute("UPDATE assessment SET questionnaire = '2019-01'")
    page = client.get(f"/meldingen/{report}/beoordeling").text
    assert "staan niet bij dit systeem" in page
    assert "<code>acute_explanation</code>" in page


def test_a_wrong_questionnaire_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2027-02.toml").write_text("version = 1")
    monkeypatch.setenv("VEILIG_QUESTIONNAIRES", str(tmp_path))
    settings.cache_clear()
    with pytest.raises(SettingsError, match=r"2027-02\.toml: not a valid questionnaire"):
        create_app()


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_intake_worker_reads_and_an_administrator_sees_nothing(client: Any, world: Any, sign_in: Sign) -> None:
    report = checked(world)
    path = f"/meldingen/{report}/beoordeling"
    sign_in(world.staff("intake_worker"))
    page = client.get(path)
    assert page.status_code == 200
    assert "Een beoordelaar vult haar in" in page.text
    assert send(client, path, handeling="bewaren", **filled()).status_code == 403
    assert send(client, f"{path}/bewaren", **filled()).status_code == 403
    sign_in(world.staff("administrator"))
    assert client.get(path).status_code == 403
    assert client.get(f"/meldingen/{report}/acuut").status_code == 403


def test_a_report_of_another_region_is_not_there(client: Any, new_world: Any, sign_in: Sign) -> None:
    here, there = new_world(), new_world()
    report = checked(there)
    sign_in(here.staff("team_lead"))
    for path in (f"/meldingen/{report}/acuut", f"/meldingen/{report}/beoordeling"):
        assert client.get(path).status_code == 404
        assert send(client, path, handeling="check", acuut="ja", reden="Zo.").status_code == 404
    for act in ("tekenen", "herzien"):
        assert send(client, f"/meldingen/{report}/beoordeling/{act}").status_code == 404


# ── in a browser ────────────────────────────────────────────────────────────────────────────────────────────────


def opened(context: BrowserContext, address: str, path: str) -> Page:
    page = context.new_page()
    page.goto(address + path)
    return page


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, address: str, world: Any, db: Db, width: int
) -> None:
    fresh, danger, waiting = received(world), received(world), checked(world, persons=[PERSON, MOTHER])
    desk.check(db, danger, acute=True, at=NOW)
    acute.note_action(db, danger, "Politie", "Zij gaan.", NOW, by="ilse", at=NOW)
    desk.submit(db, waiting, "no_steps", at=NOW)
    decided = checked(world)
    desk.assess(db, decided, "conditions", at=NOW)
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    for report, area in (
        (fresh, "acuut"),
        (danger, "acuut"),
        (danger, "beoordeling"),
        (waiting, "beoordeling"),
        (decided, "beoordeling"),
    ):
        page.goto(f"{address}/meldingen/{report}/{area}")
        assert violations(page) == [], area
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{address}/meldingen/{danger}/beoordeling")
    page.click("text=Indienen voor de tweede handtekening")
    page.wait_for_selector("[role=alert]")
    assert violations(page) == [], "with errors"
    assert [text for text in complaints if "400" not in text] == []
    context.close()


@pytest.mark.browser
def test_typing_is_saved_by_itself_and_an_old_tab_is_told_and_keeps_its_text(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    report = checked(world)
    context = browser.new_context()
    enter(context.new_page(), address)
    path = f"/meldingen/{report}/beoordeling"
    first, second = opened(context, address, path), opened(context, address, path)
    first.fill("#vraag_acute_explanation", "Uit het eerste tabblad.")
    expect(first.locator("#bewaarstand")).to_contain_text("Bewaard om")
    assert draft(world, report)["answers"] == {"acute_explanation": "Uit het eerste tabblad."}
    second.fill("#vraag_acute_explanation", "Uit het tweede tabblad.")
    expect(second.locator("#bewaarstand")).to_contain_text("Niet bewaard. teun bewaarde deze beoordeling")
    assert second.input_value("#vraag_acute_explanation") == "Uit het tweede tabblad."
    assert draft(world, report)["answers"] == {"acute_explanation": "Uit het eerste tabblad."}
    second.click("button[value=bewaren]:not(.hidden)")
    second.wait_for_selector("[role=alert]")
    assert second.input_value("#vraag_acute_explanation") == "Uit het tweede tabblad."
    assert "Uit het eerste tabblad." in second.inner_text(".theirs")
    second.click("button[value=bewaren]:not(.hidden)")
    expect(second.locator("#bewaarstand")).to_contain_text("Laatst bewaard door teun")
    assert draft(world, report)["answers"] == {"acute_explanation": "Uit het tweede tabblad."}
    context.close()


@pytest.mark.browser
def test_part_c_says_at_once_that_it_is_not_needed(browser: Browser, address: str, world: Any) -> None:
    report = checked(world)
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/meldingen/{report}/beoordeling")
    note = page.locator("[data-part=harmful] [data-skip]")
    expect(note).to_be_hidden()
    page.check("#vraag_structural_repeated-yes")
    expect(note).to_be_visible()
    page.check("#vraag_structural_repeated-no")
    expect(note).to_be_hidden()
    context.close()


@pytest.mark.browser
def test_who_sends_the_form_while_it_is_being_saved_gets_no_conflict_with_himself(
    browser: Browser, address: str, world: Any
) -> None:
    report = checked(world)
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/meldingen/{report}/beoordeling")
    page.fill("#vraag_acute_explanation", "Eerst.")
    with page.expect_request("**/bewaren"):
        pass
    page.fill("#vraag_acute_explanation", "Daarna.")
    page.click("button[value=bewaren]:not(.hidden)")
    expect(page.locator("#bewaarstand")).to_contain_text("Laatst bewaard door teun")
    assert draft(world, report)["answers"] == {"acute_explanation": "Daarna."}
    context.close()


@pytest.mark.browser
def test_without_javascript_the_form_is_saved_by_its_button(browser: Browser, address: str, world: Any) -> None:
    report = checked(world)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", "teun")
    page.fill("#wachtwoord", "demo-teun")
    page.click("button:text('Inloggen')")
    page.goto(f"{address}/meldingen/{report}/beoordeling")
    page.check("#vraag_acute_danger-yes")
    page.check("#vraag_harmful_problems-yes")
    page.focus("#vraag_acute_danger-yes")
    page.keyboard.press("Enter")
    assert page.is_checked("#vraag_harmful_problems-yes"), "Enter saves and empties nothing"
    page.fill("#reden", "Met de knop.")
    page.click("button[value=bewaren]:not(.hidden)")
    assert page.input_value("#reden") == "Met de knop."
    assert page.is_checked("#vraag_acute_danger-yes")
    context.close()
