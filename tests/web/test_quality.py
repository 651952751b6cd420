"""Rule sets, rehearsals, the blind sample and its figures on the screens: what they show, hide, refuse and note."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.ids import uuid7
from core.staff import ROLES
from radar.linking import register
from radar.linking.rules import FOLDER, load
from radar.quality import rehearsal, rows, rulesets, sample
from radar.quality.intervals import Estimate
from radar.quality.policy import policy
from radar.quality.sample import Quality
from tests.web.chromium import enter, violations
from web.access.matrix import may
from web.pages.interval_drawing import draw, percent, with_interval
from workers import work

OURS = {"sec-fetch-site": "same-origin"}
Sign = Callable[[str], Any]


def who(first: str, last: str, birth: str, street: str = "Voorbeeldlaan", postcode: str = "1234AB") -> dict[str, Any]:
    return {
        "naam": {"voornamen": first, "geslachtsnaam": last},
        "rol": {"code": "111", "tekst": "ouder met gezag"},
        "geboortedatum": {"tekst": birth, "indicatie": "V"},
        "bsn": "999993653" if last == "Voorbeeld" and birth == "19800305" else None,
        "adressen": [
            {
                "soort": "feitelijk",
                "straat": street,
                "huisnummer": "12",
                "postcode": postcode,
                "woonplaats": "Dalstad",
            }
        ],
    }


JAN, MIA = who("Jan", "Voorbeeld", "19800305"), who("Mia", "Testers", "19820711")
OTHER_JAN = who("Jan", "Voorbeeld", "19550305", "Proefweg", "9876ZX")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """One report is enough to rehearse, and every decision is in the sample."""
    real = policy()
    small = real.model_copy(
        update={
            "rehearsal": real.rehearsal.model_copy(update={"least": 1, "part": 2}),
            "sample": real.sample.model_copy(update={"link_share": 1.0, "non_link_share": 1.0}),
        }
    )
    for module in (rehearsal, sample):
        monkeypatch.setattr(module, "policy", lambda: small)


@pytest.fixture
def register_of(world: Any, figures: None) -> dict[str, UUID]:
    """Four reports, linked by the real engine: a first Jan, another Jan and Mia, and the second pair again, twice."""
    return fill(world)


def fill(world: Any) -> dict[str, UUID]:
    start = datetime.now(UTC) - timedelta(days=40)
    reports = {}
    for number, (name, persons) in enumerate(
        {"first": [OTHER_JAN], "second": [JAN, MIA], "third": [JAN, MIA], "fourth": [JAN]}.items()
    ):
        at = start + timedelta(days=number)
        reports[name] = world.report(at, persons)
        with world.db.transaction():
            register.link_report(world.db, reports[name], at)
    return reports


def drawn(world: Any) -> list[dict[str, Any]]:
    with world.db.transaction():
        sample.draw(world.db, world.region, datetime.now(UTC) + timedelta(hours=1))
    return world.db.execute("SELECT * FROM quality_sample ORDER BY id").fetchall()


def rules_text(version: str, **limits: float) -> str:
    document = json.loads((FOLDER / f"{load().version}.json").read_text("utf-8"))
    document |= {"version": version, "source": "Een proef."}
    document["limits"] |= limits
    return json.dumps(document)


def add_rules(world: Any, version: str, **limits: float) -> None:
    with world.db.transaction():
        rulesets.add(world.db, world.region, rules_text(version, **limits), "teun", datetime.now(UTC))


def carry_out_all(db: Db) -> None:
    while row := db.execute("SELECT id FROM job WHERE kind = 'rehearse_rules' AND state = 'new'").fetchone():
        assert work.carry_out(row["id"])


def rehearsed(world: Any, version: str) -> UUID:
    with world.db.transaction():
        asked = rehearsal.ask(world.db, world.region, version, "teun", datetime.now(UTC))
    carry_out_all(world.db)
    return asked


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def send(client: Any, path: str, **form: str) -> Any:
    token = token_in(client.get("/mijn-account").text)
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def noted(db: Db, action: str) -> list[dict[str, Any]]:
    return db.execute(
        "SELECT actor, object_id, outcome, details FROM audit_entry WHERE action = %s ORDER BY at", (action,)
    ).fetchall()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("<main", 1)[1].split("</main>")[0]).split())


# ── rule sets and rehearsal ─────────────────────────────────────────────────────────────────────────────────────


def test_from_a_new_rule_set_to_the_one_in_force(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    lead = world.staff("team_lead")
    sign_in(lead)
    assert send(client, "/regels", regels=rules_text("streng-1", automatic=55)).headers["location"] == "/regels"
    assert "streng-1" in client.get("/regels").text
    asked = send(client, "/regels/proefdraaien", versie="streng-1", aantal="3")
    path = asked.headers["location"]
    waiting = client.get(path).text
    assert "0 van 3 meldingen" in text_of(waiting)
    assert '<progress id="voortgang" max="3" value="0"' in waiting
    assert "Het proefdraaien is nog niet klaar." in text_of(waiting)
    carry_out_all(db)
    page = client.get(path).text
    assert "Van automatisch naar vraag" in text_of(page)
    # Every mention of the three reports that was linked by the machine becomes a question.
    number = rows.change_counts(db, UUID(path.rsplit("/", 1)[1]))["to_question"]
    share = f"{number * 100 / 3:.1f}".replace(".", ",")
    assert f"+{share} per 100 meldingen , {share} erbij en 0 eraf." in text_of(page)
    assert f'href="/meldingen/{register_of["fourth"]}#personen"' in page
    assert f'href="/meldingen/{register_of["first"]}' not in page
    assert "limits.automatic" in page
    refused = send(client, f"{path}/activeren", reden=" ")
    assert refused.status_code == 400
    assert 'id="fout-reden"' in refused.text
    assert send(client, f"{path}/activeren", reden="Te veel fout gekoppeld.").headers["location"] == "/regels"
    overview = text_of(client.get("/regels").text)
    assert f"streng-1 in gebruik Een proef. {lead}" in overview
    assert "Te veel fout gekoppeld." in overview
    assert rulesets.active(db, world.region).limits.automatic == 55
    (row,) = noted(db, "rules.activate")
    assert (row["actor"], row["details"]["version"], row["details"]["before"]) == (lead, "streng-1", load().version)
    again = send(client, f"{path}/activeren", reden="Nog eens.")
    assert (again.status_code, "al in gebruik" in again.text) == (409, True)


@pytest.mark.usefixtures("figures")
def test_a_form_that_is_wrong_comes_back_with_what_is_wrong(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    sign_in(world.staff("administrator"))
    for text, said in (
        ("", "Plak hier de regels."),
        ("{", "geen geldige JSON op regel 1"),
        (rules_text("x", margin=-1), "bij limits.margin: de waarde moet 0.0 of meer zijn"),
        (rules_text("Groot"), "bij version"),
        ('{"<script>alert(1)</script>": 1}', "dit veld ontbreekt"),
    ):
        answer = send(client, "/regels", regels=text)
        assert answer.status_code == 400, said
        assert said in answer.text
        assert "<script>" not in answer.text
    taken = send(client, "/regels", regels=rules_text(load().version))
    assert (taken.status_code, "bestaat al" in taken.text) == (409, True)
    add_rules(world, "proef-1")
    for form, status, field in (
        ({}, 400, "aantal"),
        ({"versie": "proef-1", "aantal": "veel"}, 400, "aantal"),
        ({"versie": "proef-1", "aantal": "-5"}, 400, "aantal"),
        ({"versie": "proef-1", "aantal": "999999"}, 400, "aantal"),
        ({"versie": "", "aantal": "10"}, 400, "versie"),
        ({"versie": "weg", "aantal": "10"}, 400, "versie"),
        ({"versie": load().version, "aantal": "10"}, 409, "versie"),
    ):
        answer = send(client, "/regels/proefdraaien", **form)
        assert (answer.status_code, f'id="fout-{field}"' in answer.text) == (status, True), form
    assert db.execute("SELECT count(*) AS n FROM rehearsal").fetchone() == {"n": 0}


def test_a_rule_set_is_read_as_a_file(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    add_rules(world, "proef-1", margin=7)
    answer = client.get("/regels/document?versie=proef-1")
    assert answer.json() == json.loads(rules_text("proef-1", margin=7))
    assert answer.headers["content-disposition"] == 'attachment; filename="proef-1.json"'
    for wrong in ("", "weg", "../../geheim", "proef-1.json"):
        assert client.get("/regels/document", params={"versie": wrong}).status_code == 404


def test_what_goes_against_a_decision_is_said_first(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    db.execute(
        "UPDATE link SET state = 'confirmed', decided_by = 'bram', decided_at = now() WHERE state = 'automatic'"
        " AND mention_id IN (SELECT id FROM mention WHERE report_id = %s AND number = 1)",
        (register_of["third"],),
    )
    add_rules(world, "blind-1", automatic=59, proposed=58)
    path = f"/regels/proef/{rehearsed(world, 'blind-1')}"
    sign_in(world.staff("team_lead"))
    page = client.get(path).text
    assert "1 verandering is in strijd met een besluit" in text_of(page)
    lines = page.split('<tr role="row"')
    first = next(row for row in lines if "/meldingen/" in row)
    assert "In strijd met een besluit" in first
    assert str(register_of["third"]) in first
    assert "een medewerker zei: dezelfde persoon" in first
    only = client.get(f"{path}?soort=contradicts").text
    assert only.count(f"/meldingen/{register_of['third']}") == 1
    assert str(register_of["fourth"]) not in only
    for wrong in ("soort=alles", "vanaf=x", "vanaf=-1", "vanaf=99999999"):
        assert client.get(f"{path}?{wrong}").status_code == 400


def test_a_rehearsal_whose_job_stopped_says_so(client: Any, world: Any, register_of: Any, sign_in: Sign) -> None:
    add_rules(world, "proef-1")
    with world.db.transaction():
        asked = rehearsal.ask(world.db, world.region, "proef-1", "teun", datetime.now(UTC))
    world.db.execute("UPDATE job SET state = 'dead', finished_at = now() WHERE kind = 'rehearse_rules'")
    sign_in(world.staff("team_lead"))
    page = client.get(f"/regels/proef/{asked}").text
    assert "Vastgelopen na 0 van 4 meldingen" in text_of(page)
    job = world.db.execute("SELECT id FROM job WHERE kind = 'rehearse_rules'").fetchone()["id"]
    assert client.get(f"/taken/{job}").status_code == 200
    assert f"/taken/{job}" in page


# ── the blind pair ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_blind_page_tells_nothing_of_what_the_machine_decided(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    """Pairs of both strata look alike, and hold no outcome, score, reason, rule set, or way to the report."""
    pairs = {row["id"]: row for row in drawn(world)}
    assert {row["stratum"] for row in pairs.values()} == {"link", "non_link"}
    links = db.execute("SELECT id, person_id, score, reasons FROM link").fetchall()
    sign_in(world.staff("assessor"))
    shapes = set()
    seen: set[UUID] = set()
    while "/kwaliteit/steekproef/" in (page := client.get("/kwaliteit/steekproef").text):
        pair = UUID(page.split('action="/kwaliteit/steekproef/')[1].split('"')[0])
        seen.add(pair)
        main = page.split("<main", 1)[1].split("</main>")[0]
        words = text_of(page).lower()
        for secret in ("automatisch", "voorstel", "nieuwe persoon", "bits", "waarschijnlijk", "gekoppeld"):
            assert secret not in words, secret
        for secret in ("/meldingen/", "/koppel", "/casussen/", "link", "non_link", "automatic", load().version):
            assert secret not in main, secret
        for row in links:
            assert str(row["id"]) not in main
            assert str(row["person_id"]) not in main
            assert not any(one["text"] in words for one in row["reasons"])
        names = re.sub(r"<td.*?</td>", "", main, flags=re.S)
        shapes.add(
            re.sub(r"[0-9a-f-]{36}|[0-9]+ pa\w+ wacht\w*|value=\"[0-9a-f]{64}\"", "", names).split("<tbody")[0]
        )
        assert send(client, f"/kwaliteit/steekproef/{pair}", antwoord="cannot_tell").status_code == 303
    assert seen == set(pairs)
    assert len(shapes) == 1
    assert "Alles is beoordeeld" in page
    assert len(noted(db, "quality.answer")) == len(pairs)


def test_both_sides_are_shown_and_no_number_is_written_out(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    pairs = drawn(world)
    keep = next(row for row in pairs if row["stratum"] == "non_link" and len(row["others"]) > 1)
    db.execute("DELETE FROM quality_sample WHERE id <> %s", (keep["id"],))
    sign_in(world.staff("intake_worker"))
    page = client.get("/kwaliteit/steekproef").text
    words = text_of(re.sub(r"</?mark>", "", page))
    assert "5 maart 1955" in words
    assert "5 maart 1980" in words
    assert "Mia Testers" in words
    assert "999993653" not in page
    assert "eindigt op 653" in words
    assert "1 paar wacht" in words
    (row,) = noted(db, "quality.pair")
    assert row["object_id"] == keep["id"]


def test_an_answer_is_given_once_and_a_wrong_one_comes_back(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    pairs = drawn(world)
    sign_in(world.staff("assessor"))
    path = f"/kwaliteit/steekproef/{pairs[0]['id']}"
    for wrong in ({}, {"antwoord": "misschien"}):
        answer = send(client, path, **wrong)
        assert (answer.status_code, 'id="fout-antwoord"' in answer.text) == (400, True)
    assert send(client, path, antwoord="same").status_code == 303
    answer = send(client, path, antwoord="different")
    assert (answer.status_code, "net beoordeeld" in answer.text) == (409, True)
    row = db.execute("SELECT answer, answered_by FROM quality_sample WHERE id = %s", (pairs[0]["id"],)).fetchone()
    assert row == {"answer": "same", "answered_by": "assessor1"}


# ── the figures ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lead_sees_the_figures_with_their_interval_and_the_open_questions(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    sign_in(world.staff("team_lead"))
    assert "nog niets getrokken" in text_of(client.get("/kwaliteit").text)
    pairs = drawn(world)
    empty = text_of(client.get("/kwaliteit").text)
    assert f"{len(pairs)} te beoordelen" in empty
    assert "nog niet te zeggen" in empty
    wrong = next(row for row in pairs if row["stratum"] == "link")
    missed = next(row for row in pairs if row["stratum"] == "non_link")
    for row in pairs:
        said = {wrong["id"]: "different", missed["id"]: "same"}.get(
            row["id"], "same" if row["stratum"] == "link" else "different"
        )
        assert send(client, f"/kwaliteit/steekproef/{row['id']}", antwoord=said).status_code == 303
    (figures,) = sample.quality(db, world.region)
    page = client.get("/kwaliteit").text
    words = text_of(page)
    assert with_interval(figures.precision) in words
    assert with_interval(figures.recall) in words
    assert page.count('<circle class="mark"') == 2
    assert "2 open vragen" in words
    report = db.execute("SELECT report_id AS r FROM mention WHERE id = %s", (wrong["mention_id"],)).fetchone()
    assert report
    assert f'href="/meldingen/{report["r"]}#personen">Koppeling die misschien niet klopt' in page
    assert "Gemiste koppeling" in page
    state = db.execute("SELECT state FROM link WHERE id = %s", (wrong["link_id"],)).fetchone()
    assert state == {"state": "automatic"}
    db.execute(
        "UPDATE link SET state = 'undone', decided_by = 'teun', decided_at = now() WHERE id = %s", (wrong["link_id"],)
    )
    assert "1 open vraag" in text_of(client.get("/kwaliteit").text)


def quality(low: float, value: float | None, name: str = "2026-11-basis") -> Quality:
    one = Estimate(value, low, 1.0)
    return Quality(name, one, one, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_the_axis_leaves_no_interval_out_and_a_long_name_is_cut() -> None:
    assert draw([]) is None
    assert draw([quality(0.0, None)]) is None
    drawing = draw([quality(0.961, 0.99), quality(0.72, 0.8, "x" * 60), quality(0.0, None)])
    assert drawing
    assert [text for _, text in drawing.ticks] == ["50%", "60%", "70%", "80%", "90%", "100%"]
    assert len(drawing.bars) == 4
    assert all(drawing.ticks[0][0] <= bar.low <= bar.x <= bar.high <= drawing.ticks[-1][0] for bar in drawing.bars)
    assert all(len(bar.name) < 36 for bar in drawing.bars)
    assert next(text for _, text in (draw([quality(0.991, 1.0)]) or drawing).ticks) == "99%"


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.99999, "99,9%"), (0.975, "97,5%"), (0.1, "10%"), (0.0001, "0,1%"), (0.0, "0%")],
)
def test_a_share_is_never_rounded_to_certainty(share: float, text: str) -> None:
    assert percent(share) == text


# ── who may what ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_reaches_exactly_what_the_matrix_says(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db, role: str
) -> None:
    add_rules(world, "proef-1")
    asked, pair = rehearsed(world, "proef-1"), drawn(world)[0]["id"]
    sign_in(world.staff(role))
    pages = {
        "quality.view": ("/kwaliteit",),
        "quality.review": ("/kwaliteit/steekproef",),
        "rules.view": ("/regels", "/regels/document?versie=proef-1", f"/regels/proef/{asked}"),
    }
    forms = {
        "quality.review": f"/kwaliteit/steekproef/{pair}",
        "rules.add": "/regels",
        "rules.rehearse": "/regels/proefdraaien",
        "rules.activate": f"/regels/proef/{asked}/activeren",
    }
    for action, paths in pages.items():
        for path in paths:
            assert client.get(path).status_code == (200 if may(role, action) else 403), path
    for action, path in forms.items():
        assert send(client, path).status_code == (400 if may(role, action) else 403), path
    assert db.execute("SELECT count(*) AS n FROM rule_activation").fetchone() == {"n": 0}


def test_the_matrix_says_what_was_meant() -> None:
    lead, administrator = {"team_lead"}, {"team_lead", "administrator"}
    wanted = {
        "quality.view": administrator,
        "quality.review": {"intake_worker", "assessor", "behavioural_scientist"} | lead,
        **dict.fromkeys(("rules.view", "rules.add", "rules.rehearse", "rules.activate"), administrator),
    }
    for action, roles in wanted.items():
        assert {role for role in ROLES if may(role, action)} == roles, action


def test_an_administrator_gets_no_way_to_a_report(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign
) -> None:
    add_rules(world, "streng-1", automatic=55)
    asked = rehearsed(world, "streng-1")
    sign_in(world.staff("administrator"))
    for path in (f"/regels/proef/{asked}", "/kwaliteit", "/regels"):
        page = client.get(path).text
        assert "/meldingen/" not in page
        for word in ("Jan", "Mia", "Testers"):
            assert word not in page


def test_another_region_and_nothing_at_all_are_the_same_page(
    client: Any, new_world: Callable[[], Any], figures: None, sign_in: Sign, db: Db
) -> None:
    ours, theirs = new_world(), new_world()
    fill(theirs)
    add_rules(theirs, "hun-regels")
    hidden = {"/regels/proef/{}": rehearsed(theirs, "hun-regels")}
    pair = drawn(theirs)[0]["id"]
    sign_in(ours.staff("team_lead"))
    for path, object_id in hidden.items():
        answers = [client.get(path.format(one)) for one in (object_id, uuid7(), "geen-id")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
    assert client.get("/regels/document?versie=hun-regels").status_code == 404
    assert "hun-regels" not in client.get("/regels").text
    assert "Alles is beoordeeld" in client.get("/kwaliteit/steekproef").text
    for path in (f"/kwaliteit/steekproef/{pair}", f"/regels/proef/{hidden['/regels/proef/{}']}/activeren"):
        assert send(client, path, antwoord="same", reden="Zo.").status_code == 404
    assert db.execute("SELECT count(*) AS n FROM quality_sample WHERE answer IS NOT NULL").fetchone() == {"n": 0}


def test_one_view_is_one_row_in_the_audit_trail(
    client: Any, world: Any, register_of: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    add_rules(world, "proef-1")
    asked = rehearsed(world, "proef-1")
    drawn(world)
    sign_in(world.staff("team_lead"))
    for path, action in (
        ("/kwaliteit", "quality.view"),
        ("/kwaliteit/steekproef", "quality.pair"),
        ("/regels", "rules.view"),
        (f"/regels/proef/{asked}", "rules.rehearsal.view"),
    ):
        before = db.execute("SELECT count(*) AS n FROM audit_entry").fetchone()
        assert client.get(path).status_code == 200
        after = db.execute("SELECT count(*) AS n FROM audit_entry").fetchone()
        assert before
        assert after
        assert after["n"] == before["n"] + 1
        assert noted(db, action)[-1]["outcome"] == "ok"


# ── in a browser ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Any, address: str, world: Any, figures: None, width: int, scheme: Any
) -> None:
    fill(world)
    add_rules(world, "streng-1", automatic=55)
    done = rehearsed(world, "streng-1")
    add_rules(world, "proef-2")
    with world.db.transaction():
        waiting = rehearsal.ask(world.db, world.region, "proef-2", "teun", datetime.now(UTC))
    pairs = drawn(world)
    for row, said in zip(pairs[:-1], ("different", "same", "same", "different"), strict=False):
        with world.db.transaction():
            sample.answer(world.db, world.region, row["id"], said, "bram", datetime.now(UTC))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    for path in (
        "/kwaliteit",
        "/kwaliteit/steekproef",
        "/regels",
        f"/regels/proef/{done}",
        f"/regels/proef/{waiting}",
    ):
        page.goto(address + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert complaints == []
    context.close()
