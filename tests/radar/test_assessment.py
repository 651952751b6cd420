"""The safety assessment: parts A, B and C as data, a draft that loses nothing, and a second pair of eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Db, connection_options
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from core.settings import settings
from radar.casework import acute, assessment, decision, forwarding, ledger, questionnaire, service, steps
from radar.casework.assessment import Incomplete, Intended, OwnSignature, StaleDraft
from radar.casework.questionnaire import Questionnaire, judge
from radar.casework.states import DECISIONS
from tests.radar import arrivals, desk
from tests.web.conftest import World
from workers import verify

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BRAM = {"by": "bram", "role": "assessor"}
GWEN = {"by": "gwen", "role": "behavioural_scientist"}
QUESTIONS = questionnaire._read(questionnaire.FOLDER / "2026-11.toml")
BY_PART = {part.code: part for part in QUESTIONS.parts}


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(db: Db, world: World) -> UUID:
    """A report that was checked and waits for its assessment."""
    made = world.report(NOW, state="received")
    desk.check(db, made, at=NOW)
    return made


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the operator for questionnaires of his own; empty."""
    folder = tmp_path / "questionnaires"
    folder.mkdir()
    monkeypatch.setenv("VEILIG_QUESTIONNAIRES", str(folder))
    settings.cache_clear()
    yield folder
    questionnaire._load.cache_clear()


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return dict(row)


def state(db: Db, report: UUID) -> str:
    return str(one(db, "SELECT state FROM report WHERE id = %s", report)["state"])


def open_kinds(db: Db, report: UUID) -> set[str]:
    rows = db.execute("SELECT kind FROM task WHERE report_id = %s AND done_at IS NULL", (report,))
    return {row["kind"] for row in rows}


def draft(db: Db, report: UUID, **changes: str) -> tuple[UUID, int]:
    """A complete draft of bram with these changes; its id and revision."""
    row = assessment.start(db, report, by="bram", at=NOW)
    answers = desk.complete_answers(**changes)
    return row["id"], assessment.save(db, row["id"], row["revision"], answers, by="bram", at=NOW)


def next_version(folder: Path, version: str = "2027-02") -> None:
    """A later version with one question more and another wording."""
    text = (questionnaire.FOLDER / "2026-11.toml").read_text(encoding="utf-8")
    text = text.replace('version = "2026-11"', f'version = "{version}"')
    text = text.replace("Is iemand nu in direct lichamelijk gevaar?", "Is er nu gevaar?")
    text += '\n[[parts.questions]]\ncode = "spoken_doctor"\ntext = "Is een arts gesproken?"\nkind = "yes_no"\n'
    (folder / f"{version}.toml").write_text(text, encoding="utf-8")


# ── what the answers mean ───────────────────────────────────────────────────────────────────────────────────────


def test_all_no_is_complete_and_positive_nowhere() -> None:
    judgement = judge(QUESTIONS, desk.complete_answers(QUESTIONS))
    assert (judgement.acute, judgement.structural, judgement.harmful) == (False, False, False)
    assert judgement.missing == {}
    assert judgement.not_asked == ()


def test_part_c_is_skipped_when_part_b_is_positive() -> None:
    answers = desk.complete_answers(QUESTIONS, structural_repeated="yes")
    assert not any(code.startswith("harmful") for code in answers)
    judgement = judge(QUESTIONS, answers)
    assert judgement.structural
    assert judgement.not_asked == ("harmful",)
    assert judgement.missing == {}


def test_an_answer_in_part_c_is_refused_while_part_b_is_positive() -> None:
    answers = desk.complete_answers(QUESTIONS, structural_repeated="yes", harmful_development="yes")
    judgement = judge(QUESTIONS, answers)
    assert not judgement.harmful
    assert list(judgement.missing) == ["harmful_development"]
    assert "leeg" in judgement.missing["harmful_development"]


def test_unknown_is_an_answer_and_makes_no_part_positive() -> None:
    unknown = {code: "unknown" for code, question in QUESTIONS.fields.items() if question.kind == "yes_no"}
    judgement = judge(QUESTIONS, desk.complete_answers(QUESTIONS, **unknown))
    assert judgement.missing == {}
    assert (judgement.acute, judgement.structural, judgement.harmful) == (False, False, False)


def test_each_part_asks_why() -> None:
    answers = {code: text for code, text in desk.complete_answers().items() if not code.endswith("_explanation")}
    missing = judge(QUESTIONS, answers | {"acute_explanation": " \n"}).missing
    assert list(missing) == [f"{part.code}_explanation" for part in QUESTIONS.parts]


def test_an_answer_that_is_not_in_the_list_is_no_answer() -> None:
    assert judge(QUESTIONS, desk.complete_answers(acute_danger="misschien")).missing == {
        "acute_danger": "Kies een van de antwoorden."
    }


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        code: st.sampled_from([*question.options, "", "iets anders"]) if question.options else st.text(max_size=5)
        for code, question in QUESTIONS.fields.items()
    },
)


@given(ANSWERS)
def test_whatever_the_answers_each_part_is_judged_by_its_own_and_c_never_beside_b(answers: dict[str, str]) -> None:
    judgement = judge(QUESTIONS, answers)

    def positive(code: str) -> bool:
        return any(answers.get(question.code) in question.positive for question in BY_PART[code].questions)

    assert judgement.acute == positive("acute")
    assert judgement.structural == positive("structural")
    assert judgement.harmful == (positive("harmful") and not judgement.structural)
    assert judgement.not_asked == (("harmful",) if judgement.structural else ())
    for code, question in QUESTIONS.fields.items():
        text = answers.get(code, "").strip()
        skipped = judgement.structural and question in BY_PART["harmful"].fields
        good = not text if skipped else bool(text) and (not question.options or answers[code] in question.options)
        assert (code in judgement.missing) == (not good)


@given(ANSWERS, st.dictionaries(st.text(min_size=1, max_size=8).map(lambda text: f"x_{text}"), st.text(max_size=5)))
def test_what_is_no_question_changes_nothing(answers: dict[str, str], others: dict[str, str]) -> None:
    assert judge(QUESTIONS, answers | others) == judge(QUESTIONS, answers)


# ── the files ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_product_says_that_its_questions_are_not_the_instrument_of_2019() -> None:
    assert QUESTIONS.verified is False
    assert "Instrument 2019 niet gevonden" in QUESTIONS.source


def test_the_operators_later_version_is_used_for_what_is_new_and_the_old_one_stays(
    db: Db, report: UUID, world: World, own_folder: Path
) -> None:
    assert questionnaire.current().version == "2026-11"
    desk.assess(db, report, "no_steps", at=NOW)
    begun = world.report(NOW)
    open_draft = assessment.start(db, begun, by="bram", at=NOW)
    next_version(own_folder)
    questionnaire._load.cache_clear()
    assert questionnaire.current().version == "2027-02"
    [old] = assessment.signed(db, world.region, report)
    questions = questionnaire.version(old["questionnaire"])
    assert questions.fields["acute_danger"].text == "Is iemand nu in direct lichamelijk gevaar?"
    assert "spoken_doctor" not in questions.fields
    assert judge(questions, old["answers"]).missing == {}
    # A draft keeps the version with which it was begun; a new assessment gets the new one.
    assert assessment.start(db, begun, by="gwen", at=LATER)["questionnaire"] == open_draft["questionnaire"]
    fresh = assessment.start(db, world.report(NOW), by="bram", at=LATER)
    assert fresh["questionnaire"] == "2027-02"
    assert assessment.unreadable_versions(db) == []


def test_a_version_that_was_used_and_is_gone_is_named(db: Db, world: World, own_folder: Path) -> None:
    next_version(own_folder)
    assessment.start(db, world.report(NOW), by="bram", at=NOW)
    (own_folder / "2027-02.toml").unlink()
    questionnaire._load.cache_clear()
    assert assessment.unreadable_versions(db) == ["2027-02"]
    with pytest.raises(NotFound, match="2027-02"):
        questionnaire.version("2027-02")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('version = "2026-11"', 'version = "later"', "version"),
        ('kind = "choice"', 'kind = "yes_no"', "choices belong"),
        ('positive = ["yes"]', 'positive = ["perhaps"]', "positive names no answer"),
        ('positive = ["yes"]\n', "", "no answer makes it positive"),
        ('skipped_by = "structural"', 'skipped_by = "spoken"', "earlier part"),
        ('code = "acute_care"', 'code = "acute_danger"', "same code"),
        ('code = "harmful"', 'code = "hurtful"', "parts missing: harmful"),
        ('code = "weapon"', 'code = "threat"', "acute signs"),
        ('title = "Veiligheidsbeoordeling"', 'name = "x"', "title"),
    ],
)
def test_a_questionnaire_that_does_not_fit_stops_the_start(
    own_folder: Path, before: str, after: str, says: str
) -> None:
    text = (questionnaire.FOLDER / "2026-11.toml").read_text(encoding="utf-8").replace("2026-11", "2027-01")
    before = before.replace("2026-11", "2027-01")
    assert before in text
    (own_folder / "2027-01.toml").write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        questionnaire.catalogue()


def test_a_version_of_the_product_is_never_replaced(own_folder: Path) -> None:
    (own_folder / "2026-11.toml").write_bytes((questionnaire.FOLDER / "2026-11.toml").read_bytes())
    with pytest.raises(SettingsError, match="a version never changes"):
        questionnaire.catalogue()


def test_a_folder_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILIG_QUESTIONNAIRES", str(tmp_path / "weg"))
    with pytest.raises(SettingsError, match="VEILIG_QUESTIONNAIRES"):
        questionnaire.catalogue()


def test_more_questions_than_a_form_holds_are_refused() -> None:
    many = [{"code": f"vraag_{n}", "text": "Hoe?", "kind": "text"} for n in range(questionnaire.MAX_FIELDS)]
    data = QUESTIONS.model_dump()
    data["parts"][0]["questions"] = many
    with pytest.raises(ValueError, match="more than"):
        Questionnaire.model_validate(data)


# ── the draft ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_one_draft_per_report_whoever_begins_it(db: Db, report: UUID) -> None:
    first = assessment.start(db, report, by="bram", at=NOW)
    second = assessment.start(db, report, by="gwen", at=LATER)
    assert first["id"] == second["id"]
    assert second["started_by"] == "bram"


@pytest.mark.parametrize("wrong", ["received", "closed", "monitoring"])
def test_only_a_report_that_is_being_assessed_gets_a_draft(db: Db, world: World, wrong: str) -> None:
    with pytest.raises(Conflict):
        assessment.start(db, world.report(NOW, state=wrong), by="bram", at=NOW)
    with pytest.raises(NotFound):
        assessment.start(db, uuid7(), by="bram", at=NOW)


def test_a_save_over_newer_text_is_refused_says_who_and_when_and_keeps_both(db: Db, report: UUID) -> None:
    row = assessment.start(db, report, by="bram", at=NOW)
    theirs = {"acute_danger": "yes", "acute_explanation": "Hij dreigt."}
    assert assessment.save(db, row["id"], 0, theirs, by="gwen", at=LATER) == 1
    mine = {"acute_danger": "yes", "acute_explanation": "Geen gevaar."}
    with pytest.raises(StaleDraft, match=r"gwen bewaarde .* op 04-03-2026 om 14\.00 uur") as caught:
        assessment.save(db, row["id"], 0, mine, by="bram", at=LATER, intended=Intended("no_steps", None, "Klaar."))
    stale = caught.value
    assert (stale.theirs, stale.mine, stale.revision) == (theirs, mine, 1)
    assert stale.changed == ["acute_explanation"]
    assert stale.other_decision
    assert one(db, "SELECT answers, revision, saved_by FROM assessment") == {
        "answers": theirs,
        "revision": 1,
        "saved_by": "gwen",
    }
    # Who has seen both may save on top of it.
    assert assessment.save(db, row["id"], stale.revision, mine, by="bram", at=LATER) == 2


def test_the_same_answers_again_change_nothing_also_from_an_old_page(db: Db, report: UUID) -> None:
    row = assessment.start(db, report, by="bram", at=NOW)
    answers = {"acute_danger": "no"}
    assert assessment.save(db, row["id"], 0, answers, by="bram", at=NOW) == 1
    assert assessment.save(db, row["id"], 0, answers, by="bram", at=LATER) == 1
    saves = one(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'assessment.save'")
    assert saves == {"n": 1}


def test_a_draft_keeps_the_decision_that_is_being_typed_and_no_unknown_fields(
    db: Db, world: World, report: UUID
) -> None:
    row = assessment.start(db, report, by="bram", at=NOW)
    given = {"acute_danger": "no", "iets": "anders", "acute_explanation": "  "}
    wanted = Intended("handover", world.local_team, "Loopt al. ")
    revision = assessment.save(db, row["id"], 0, given, by="bram", at=NOW, intended=wanted)
    assessment.save(db, row["id"], revision, {"acute_danger": "yes"}, by="bram", at=LATER)
    kept = one(db, "SELECT answers, path, team_id, reason FROM assessment")
    assert kept == {
        "answers": {"acute_danger": "yes"},
        "path": "handover",
        "team_id": world.local_team,
        "reason": "Loopt al.",
    }
    with pytest.raises(decision.UnknownPath):
        assessment.save(db, row["id"], 2, {}, by="bram", at=NOW, intended=Intended("acute"))
    with pytest.raises(decision.TeamMissing):
        assessment.save(db, row["id"], 2, {}, by="bram", at=NOW, intended=Intended(None, uuid7()))
    with pytest.raises(assessment.TooLong):
        assessment.save(db, row["id"], 2, {"acute_explanation": "x" * 4001}, by="bram", at=NOW)


# ── submit ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_submitted_assessment_waits_for_a_signature_and_changes_no_more(db: Db, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    assert state(db, report) == "signing"
    assert open_kinds(db, report) == {"assess", "sign"}
    due = one(db, "SELECT due_at FROM task WHERE kind = 'sign'")["due_at"]
    assert due == datetime(2026, 3, 5, 23, tzinfo=UTC), "the end of the next working day"
    with pytest.raises(Conflict, match="bram heeft deze beoordeling ingediend"):
        assessment.save(db, made, 2, {}, by="bram", at=LATER)
    with pytest.raises(Conflict):
        assessment.submit(db, made, 2, "no_steps", None, "Nog eens.", **BRAM, at=LATER)


def test_what_is_missing_is_said_per_field(db: Db, report: UUID) -> None:
    made, revision = draft(db, report, acute_danger="", spoken_explanation=" ")
    with pytest.raises(Incomplete) as caught:
        assessment.submit(db, made, revision, "no_steps", None, "Omdat.", **BRAM, at=NOW)
    assert set(caught.value.fields) == {"acute_danger", "spoken_explanation"}
    assert state(db, report) == "assessing"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"path": "acute"}, decision.UnknownPath),
        ({"path": ""}, decision.UnknownPath),
        ({"path": "handover"}, decision.TeamMissing),
        ({"path": "handover", "team_id": uuid7()}, decision.TeamMissing),
        ({"reason": " "}, ReasonMissing),
        ({"role": "intake_worker"}, NotAllowed),
        ({"revision": 0}, StaleDraft),
        ({"assessment_id": uuid7()}, NotFound),
    ],
)
def test_what_does_not_fit_is_not_submitted(
    db: Db, report: UUID, change: dict[str, Any], error: type[Exception]
) -> None:
    made, revision = draft(db, report)
    values = {"assessment_id": made, "revision": revision, "path": "no_steps", "team_id": None, "reason": "Omdat."}
    with pytest.raises(error), db.transaction():
        assessment.submit(db, **(values | BRAM | {"at": NOW} | change))
    assert state(db, report) == "assessing"
    assert one(db, "SELECT submitted_at FROM assessment")["submitted_at"] is None
    assert "sign" not in open_kinds(db, report)


def test_a_team_of_another_region_gets_nothing(db: Db, report: UUID) -> None:
    made, revision = draft(db, report)
    other = World(db, 2)
    with pytest.raises(decision.TeamMissing):
        assessment.submit(db, made, revision, "handover", other.local_team, "Omdat.", **BRAM, at=NOW)


def test_danger_seen_in_part_a_begins_direct_action(db: Db, report: UUID) -> None:
    made, revision = draft(db, report, acute_danger="yes")
    assessment.submit(db, made, revision, "conditions", None, "Er is nu gevaar.", **BRAM, at=LATER)
    assert acute.in_danger(db, report)
    assert open_kinds(db, report) == {"assess", "sign", "direct_action"}
    assert one(db, "SELECT risk FROM task WHERE kind = 'sign'")["risk"] == 2


def test_direct_action_that_runs_already_is_not_begun_again(db: Db, world: World) -> None:
    report = world.report(NOW, state="received")
    desk.check(db, report, acute=True, at=NOW)
    made, revision = draft(db, report, acute_danger="yes")
    assessment.submit(db, made, revision, "conditions", None, "Er is nu gevaar.", **BRAM, at=LATER)
    assert one(db, "SELECT count(*) AS n FROM acute_check") == {"n": 1}


# ── the second signature ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("handover", "handover"),
        ("conditions", "conditions"),
        ("investigation", "investigation"),
        ("regional_task", "regional_task"),
        ("no_steps", "closed"),
        ("not_receivable", "not_receivable"),
        ("wrongly_addressed", "wrongly_addressed"),
    ],
)
def test_the_second_signature_carries_the_decision_out(
    db: Db, world: World, report: UUID, path: str, target: str
) -> None:
    team = world.local_team if path == "handover" else None
    made = desk.assess(db, report, path, team=team, at=LATER)
    assert state(db, report) == target
    row = one(db, "SELECT id, signed_by, signed_at, submitted_by, path FROM assessment")
    assert row == {"id": made, "signed_by": "gwen", "signed_at": LATER, "submitted_by": "bram", "path": path}
    decided = one(db, "SELECT path, decided_by, reason FROM route WHERE state = 'decided'")
    assert decided == {"path": path, "decided_by": "gwen", "reason": "Omdat."}
    assert one(db, "SELECT met_at FROM deadline WHERE kind = 'safety_assessment'")["met_at"] == LATER
    assert not {"assess", "sign"} & open_kinds(db, report)


def test_joining_needs_other_work_in_the_case(db: Db, report: UUID) -> None:
    with pytest.raises(Conflict, match="een andere melding in de casus"):
        desk.assess(db, report, "join", at=LATER)


def test_nobody_signs_what_he_submitted_himself(db: Db, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    with pytest.raises(OwnSignature):
        assessment.sign(db, made, by="bram", role="team_lead", at=LATER)
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE assessment SET signed_at = now(), signed_by = 'bram' WHERE id = %s", (made,))
    assert state(db, report) == "signing"


@pytest.mark.parametrize("path", ["conditions", "investigation"])
def test_a_service_of_our_own_is_signed_by_another_discipline(db: Db, report: UUID, path: str) -> None:
    made = desk.submit(db, report, path, at=NOW)
    with pytest.raises(NotAllowed, match="gedragswetenschapper, teamleider"):
        assessment.sign(db, made, by="anna", role="assessor", at=LATER)
    assessment.sign(db, made, by="lies", role="team_lead", at=LATER)
    assert state(db, report) == path


def test_an_assessor_signs_the_other_decisions_and_an_intake_worker_none(db: Db, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    with pytest.raises(NotAllowed):
        assessment.sign(db, made, by="ilse", role="intake_worker", at=LATER)
    assessment.sign(db, made, by="anna", role="assessor", at=LATER)
    assert state(db, report) == "closed"


def test_the_operator_says_who_signs(db: Db, report: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "signers.toml"
    file.write_text('version = "1"\ndefault = ["team_lead"]\n[paths]\nconditions = ["assessor"]\n')
    monkeypatch.setenv("VEILIG_SIGNERS", str(file))
    settings.cache_clear()
    made = desk.submit(db, report, "no_steps", at=NOW)
    with pytest.raises(NotAllowed, match="teamleider"):
        assessment.sign(db, made, **GWEN, at=LATER)
    assert assessment.signers().of("conditions") == ["assessor"]
    assessment.sign(db, made, by="lies", role="team_lead", at=LATER)
    assert state(db, report) == "closed"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('version = "1"\ndefault = ["administrator"]', "not a valid file"),
        ('version = "1"\ndefault = []', "not a valid file"),
        ('version = "1"\ndefault = ["assessor"]\n[paths]\nacute = ["assessor"]', "no such decision: acute"),
        ("geen toml", "not a valid file"),
    ],
)
def test_a_wrong_file_of_signers_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    file = tmp_path / "signers.toml"
    file.write_text(text)
    monkeypatch.setenv("VEILIG_SIGNERS", str(file))
    with pytest.raises(SettingsError, match=says):
        assessment.signers()


def test_every_decision_has_signers_who_may_make_the_move() -> None:
    for path in DECISIONS:
        assert set(assessment.signers().of(path)) <= set(steps.MOVES[path].roles)


def test_what_is_signed_is_what_was_seen(db: Db, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    seen = one(db, "SELECT revision FROM assessment")["revision"]
    assessment.give_back(db, made, "Vul aan.", **GWEN, at=NOW)
    again = one(db, "SELECT revision FROM assessment")["revision"]
    assessment.submit(db, made, again, "not_receivable", None, "Toch niet.", **BRAM, at=LATER)
    with pytest.raises(Conflict, match="intussen veranderd"):
        assessment.sign(db, made, **GWEN, at=LATER, revision=seen)
    now = one(db, "SELECT revision FROM assessment")["revision"]
    assessment.sign(db, made, **GWEN, at=LATER, revision=now)
    assert state(db, report) == "not_receivable"


def test_of_two_who_sign_at_the_same_moment_one_signs(db: Db, database_url: str, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    together = Barrier(2)

    def sign(by: str) -> str:
        with psycopg.connect(database_url, **connection_options()) as own, own.transaction():
            together.wait(10)
            try:
                with own.transaction():
                    assessment.sign(own, made, by=by, role="team_lead", at=LATER)
            except Conflict as error:
                return error.message
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(sign, ("gwen", "lies")))
    signer = one(db, "SELECT signed_by FROM assessment")["signed_by"]
    assert answers == [f"{signer} heeft deze beoordeling al getekend.", "signed"]
    assert one(db, "SELECT count(*) AS n FROM route WHERE state = 'decided'") == {"n": 1}


def test_a_signed_assessment_never_changes(db: Db, report: UUID) -> None:
    made = desk.assess(db, report, "no_steps", at=LATER)
    with pytest.raises(Conflict, match="gwen heeft deze beoordeling"):
        assessment.sign(db, made, by="lies", role="team_lead", at=LATER)
    with pytest.raises(Conflict, match="getekend"):
        assessment.save(db, made, 2, {}, by="bram", at=LATER)
    for query in ("UPDATE assessment SET answers = '{}'", "DELETE FROM assessment"):
        with pytest.raises(psycopg.errors.IntegrityError, match="never changes"):
            db.execute(query)


def test_what_is_given_back_opens_again_with_what_was_said_and_all_that_was_typed(db: Db, report: UUID) -> None:
    made = desk.submit(db, report, "no_steps", at=NOW)
    with pytest.raises(ReasonMissing):
        assessment.give_back(db, made, " ", **GWEN, at=LATER)
    assessment.give_back(db, made, "Wie sprak de kinderen?", **GWEN, at=LATER)
    assert state(db, report) == "assessing"
    assert open_kinds(db, report) == {"assess"}
    row = assessment.start(db, report, by="bram", at=LATER)
    assert row["id"] == made
    assert (row["returned_by"], row["returned_why"]) == ("gwen", "Wie sprak de kinderen?")
    assert (row["path"], row["reason"], row["answers"]) == ("no_steps", "Omdat.", desk.complete_answers())
    with pytest.raises(Conflict, match="niet \\(meer\\) ingediend"):
        assessment.sign(db, made, **GWEN, at=LATER)
    reasons = [line["reason"] for line in steps.history(db, row["region_id"], report)]
    assert "Wie sprak de kinderen?" in reasons


def test_a_wrong_move_names_the_moves_that_there_are(db: Db, report: UUID) -> None:
    made, _ = draft(db, report)
    with pytest.raises(steps.WrongMove, match=re.escape("'Beoordeling indienen'")):
        assessment.give_back(db, made, "Vul aan.", **GWEN, at=NOW)


def test_a_decision_that_is_revised_gets_a_new_assessment_beside_the_old_one(
    db: Db, world: World, report: UUID
) -> None:
    first = desk.assess(db, report, "no_steps", at=LATER)
    steps.take(db, report, "revise", by="lies", role="team_lead", reason="Nieuwe feiten.", at=LATER)
    second = desk.assess(db, report, "wrongly_addressed", at=LATER + timedelta(hours=1))
    assert [row["id"] for row in assessment.signed(db, world.region, report)] == [second, first]
    assert state(db, report) == "wrongly_addressed"


# ── revising a decision ─────────────────────────────────────────────────────────────────────────────────────────

DECIDED = arrivals.DAY + timedelta(days=1)
REVISED = arrivals.DAY + timedelta(days=20)
LIES: dict[str, Any] = {"by": "lies", "role": "team_lead", "reason": "Nieuwe feiten.", "at": REVISED}


@pytest.fixture
def decided(db: Db) -> UUID:
    """A report of which an investigation was decided."""
    arrivals.found_region(db)
    made = arrivals.arrive(db, arrivals.JAN)
    desk.assess(db, made, "investigation", at=DECIDED)
    return made


def revise(db: Db, report: UUID) -> None:
    with db.transaction():
        decision.revise(db, report, **LIES)


def breaches(db: Db) -> list[str]:
    return [found.text for found in verify.verify(db) if found.breaches and found.text not in arrivals.LAID_PLAIN]


def term(db: Db, kind: str, subject: UUID) -> dict[str, Any]:
    row = ledger.find(db, arrivals.REGION, kind, subject)
    assert row
    return dict(row)


def test_a_revision_opens_the_assessment_again_and_what_runs_goes_on(db: Db, decided: UUID) -> None:
    (running,) = service.of_report(db, arrivals.REGION, decided)
    before = term(db, "investigation", running["id"])
    revise(db, decided)
    assert state(db, decided) == "assessing"
    task = one(db, "SELECT * FROM task WHERE kind = 'assess' AND subject_id = %s AND done_at IS NULL", decided)
    assert (task["opened_at"], task["report_id"]) == (REVISED, decided)
    assert service.of_report(db, arrivals.REGION, decided) == [running]
    assert {"assess", "service"} <= open_kinds(db, decided)
    assert term(db, "investigation", running["id"]) == before
    step = one(db, "SELECT * FROM report_step WHERE report_id = %s ORDER BY number DESC LIMIT 1", decided)
    assert (step["move"], step["actor"], step["reason"]) == ("revise", "lies", "Nieuwe feiten.")
    assert arrivals.holder(db, decided) == "veilig_thuis"
    assert breaches(db) == []


@pytest.mark.parametrize("other", ["conditions", "no_steps"])
def test_another_decision_ends_what_ran_as_replaced(db: Db, decided: UUID, other: str) -> None:
    (running,) = service.of_report(db, arrivals.REGION, decided)
    revise(db, decided)
    later = REVISED + timedelta(days=1)
    desk.assess(db, decided, other, at=later)
    row = one(db, "SELECT outcome, ended_at FROM service WHERE id = %s", running["id"])
    assert row == {"outcome": "replaced", "ended_at": later}
    dropped = term(db, "investigation", running["id"])
    assert (dropped["met_at"], dropped["dropped_at"]) == (None, later)
    found = [one["kind"] for one in service.of_report(db, arrivals.REGION, decided) if one["ended_at"] is None]
    assert found == (["conditions"] if other == "conditions" else [])
    assert breaches(db) == []


def test_the_same_decision_again_keeps_its_clock(db: Db, decided: UUID) -> None:
    (running,) = service.of_report(db, arrivals.REGION, decided)
    before = term(db, "investigation", running["id"])
    revise(db, decided)
    desk.assess(db, decided, "investigation", at=REVISED + timedelta(days=1))
    assert [row["id"] for row in service.of_report(db, arrivals.REGION, decided)] == [running["id"]]
    assert term(db, "investigation", running["id"]) == before
    assert breaches(db) == []


def test_a_term_that_was_met_stays_met_when_the_decision_is_revised(db: Db, decided: UUID) -> None:
    before = term(db, "safety_assessment", decided)
    assert before["met_at"] == DECIDED
    revise(db, decided)
    assert term(db, "safety_assessment", decided) == before
    desk.assess(db, decided, "conditions", at=REVISED + timedelta(days=1))
    assert term(db, "safety_assessment", decided) == before
    assert len(assessment.signed(db, arrivals.REGION, decided)) == 2
    assert breaches(db) == []


def test_a_case_that_was_closed_is_watched_again_when_its_decision_is_revised(db: Db) -> None:
    arrivals.found_region(db)
    report = arrivals.arrive(db, arrivals.JAN)
    desk.assess(db, report, "no_steps", at=DECIDED)
    assert arrivals.holder(db, report) is None
    revise(db, report)
    assert arrivals.holder(db, report) == "veilig_thuis"
    assert breaches(db) == []


def test_what_was_once_decided_is_not_sent_on_as_no_report(db: Db, decided: UUID) -> None:
    revise(db, decided)
    with pytest.raises(Conflict, match="nog nooit een besluit"), db.transaction():
        forwarding.forward(db, decided, to="Gemeente", **LIES)
    assert state(db, decided) == "assessing"
    assert breaches(db) == []


@pytest.mark.parametrize("role", ["assessor", "behavioural_scientist", "intake_worker", "partner"])
def test_only_a_team_lead_with_a_reason_revises(db: Db, decided: UUID, role: str) -> None:
    with pytest.raises(NotAllowed):
        decision.revise(db, decided, **LIES | {"role": role})
    with pytest.raises(ReasonMissing):
        decision.revise(db, decided, **LIES | {"reason": " "})
    assert state(db, decided) == "investigation"


def test_an_assessment_that_is_long_overdue_is_submitted_and_signed_like_any_other(db: Db, world: World) -> None:
    report = world.report(NOW - timedelta(days=400), state="received")
    desk.assess(db, report, "conditions", at=NOW)
    assert state(db, report) == "conditions"
    row = one(db, "SELECT due_at < met_at AS late, met_at FROM deadline WHERE kind = 'safety_assessment'")
    assert row == {"late": True, "met_at": NOW}


def test_the_audit_trail_has_every_act_and_no_text(db: Db, report: UUID) -> None:
    desk.assess(db, report, "no_steps", at=LATER, reason="Moeder heet Voorbeeld.")
    rows = db.execute("SELECT action, details::text AS details FROM audit_entry WHERE object_id = %s", (report,))
    found = {row["action"]: row["details"] for row in rows}
    assert {"assessment.save", "assessment.submit", "assessment.sign"} <= found.keys()
    assert not any("Voorbeeld" in details or "Verzonnen" in details for details in found.values())
