"""The screens themselves: what they show, what they note in the audit trail, and what their forms do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

import core.models
import intake.models
import radar.models
import radar.quality.models
import radar.signals.models
from core.database import Db
from core.ids import uuid7
from intake import message as message_model
from intake import vault
from web import templates
from web.app import MAX_BODY
from web.headers import HEADERS
from web.pages import elements, queue

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
Sign = Callable[[str], Any]


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def audit(db: Db) -> list[tuple[str, str, UUID | None]]:
    rows = db.execute(
        "SELECT * FROM audit_entry WHERE action NOT LIKE 'session%%' AND action <> 'staff.add' ORDER BY at"
    )
    return [(row["actor"], row["action"], row["object_id"]) for row in rows]


def send(client: Any, path: str, **form: str) -> Any:
    token = token_in(client.get("/wachtrij").text)
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def digest(db: Db) -> str:
    """All rows but those of the audit trail."""
    tables = db.execute(
        "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'public'"
        " AND table_name NOT LIKE 'audit%%' ORDER BY 1"
    ).fetchall()
    text = [str(db.execute(f'SELECT * FROM "{row["t"]}" ORDER BY 1').fetchall()) for row in tables]
    return hashlib.sha256("".join(text).encode()).hexdigest()


# ── every page ──────────────────────────────────────────────────────────────────────────────────────────────────


def pages(ids: dict[str, UUID]) -> dict[str, tuple[str, UUID | None]]:
    return {
        "/wachtrij": ("queue.view", None),
        f"/meldingen/{ids['third']}": ("report.view", ids["third"]),
        f"/meldingen/{ids['third']}/bericht": ("report.raw", ids["third"]),
        f"/casussen/{ids['case']}": ("case.view", ids["case"]),
        "/quarantaine": ("quarantine.list", None),
        f"/quarantaine/{ids['quarantine']}": ("quarantine.view", ids["quarantine"]),
        f"/taken/{ids['job']}": ("job.view", ids["job"]),
    }


def test_one_view_is_one_row_in_the_audit_trail_and_changes_nothing_else(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    username = world.staff("team_lead")
    sign_in(username)
    world.open_vaults(username, family["third"])
    before = digest(db)
    for path, (action, object_id) in pages(family).items():
        known = len(audit(db))
        assert client.get(path).status_code == 200, path
        assert audit(db)[known:] == [(username, action, object_id)], path
    assert digest(db) == before


def test_a_page_that_fails_leaves_no_row_of_a_view(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(world.staff("team_lead"))
    monkeypatch.setattr(queue, "counts", lambda *_: 1 / 0)
    before = audit(db)
    assert client.get("/wachtrij").status_code == 500
    assert audit(db) == before


def only_our_script(page: str) -> bool:
    """Whether each script of a page is a file of ours, with the word of this answer."""
    ours = re.compile(r'<script nonce="[\w-]{22}" src="/static/[\w.]+" defer>')
    return all(ours.fullmatch(tag) for tag in re.findall(r"<script[^>]*>?", page))


def test_every_page_has_a_title_and_an_address_without_personal_data(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("team_lead"))
    titles = []
    for path in [*pages(family), "/bestaat-niet"]:
        page = client.get(path).text
        titles.append(page.split("<title>")[1].split("</title>")[0])
        assert page.count("<h1") == 1, path
        assert only_our_script(page), path
        assert " style=" not in page
        assert len(page.encode()) < 100_000
    assert all(title.endswith(" Veilig Thuis Radar") for title in titles)
    for word in ("Voorbeeld", "Maria", "999993653"):
        assert not any(word in title for title in titles)


def test_the_security_headers_are_on_every_answer(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [client.get("/inloggen"), client.get("/wachtrij"), client.get("/x"), client.put("/wachtrij")]
    answers.append(client.post("/inloggen", headers={"content-length": str(MAX_BODY + 1)} | OURS, content=b""))
    sign_in(world.staff("assessor"))
    answers += [client.get("/wachtrij"), client.post("/uitloggen", headers=OURS)]
    answers += [client.get(path) for path in templates.static_paths().values()]
    monkeypatch.setattr(queue, "counts", lambda *_: 1 / 0)
    answers.append(client.get("/wachtrij"))
    assert {answer.status_code for answer in answers} == {200, 303, 403, 404, 405, 413, 500}
    for answer in answers:
        for name, value in HEADERS.items():
            told = answer.headers[name]
            # A page with a script of ours adds which one, and may ask us alone for what is new.
            own = re.escape(value) + r"; script-src 'nonce-[\w-]{22}'; connect-src 'self'"
            assert told == value or (name == "Content-Security-Policy" and re.fullmatch(own, told)), told
        is_static = (
            answer.headers["content-type"].startswith(("text/css", "text/javascript", "image/"))
            if answer.content
            else False
        )
        assert answer.headers["cache-control"] == ("public, max-age=31536000, immutable" if is_static else "no-store")


def test_an_unknown_error_shows_and_logs_no_text(
    client: Any, world: Any, sign_in: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("bsn 999993653 van Maria")

    sign_in(world.staff("assessor"))
    monkeypatch.setattr(queue, "counts", fail)
    with structlog.testing.capture_logs() as logs:
        answer = client.get("/wachtrij")
    assert answer.status_code == 500
    assert "999993653" not in answer.text + str(logs)
    assert "Traceback" not in answer.text
    assert logs[0]["error"] == "RuntimeError"
    assert logs[0]["number"] in answer.text


@pytest.mark.usefixtures("impatient")
def test_without_a_database_the_page_says_so(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    sign_in(world.staff("assessor"))
    db.execute("ALTER TABLE staff_session RENAME TO elsewhere")
    assert client.get("/wachtrij").status_code == 500
    db.execute("ALTER TABLE elsewhere RENAME TO staff_session")
    with db.transaction():
        db.execute("LOCK TABLE staff_session")
        answer = client.get("/wachtrij")
    assert answer.status_code == 503
    assert "Even niet bereikbaar" in answer.text
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "VERZONNEN"])
def test_other_methods_are_refused(client: Any, method: str) -> None:
    assert client.request(method, "/wachtrij").status_code == 405
    assert client.request(method, "/inloggen").status_code == 405


def test_a_slash_too_many_is_not_redirected(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    assert client.get("/wachtrij/").status_code == 404


def test_errors_of_the_api_are_problems(client: Any) -> None:
    answer = client.get("/api/v1/bestaat-niet")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert {"title", "detail"} <= answer.json().keys()


def test_a_form_may_not_be_large(client: Any) -> None:
    answer = client.post("/inloggen", data={"gebruikersnaam": "x" * 200_000}, headers=OURS)
    assert answer.status_code in (400, 413)


# ── templates, static files, tables ─────────────────────────────────────────────────────────────────────────────


def test_every_template_has_the_one_suffix_and_none_switches_escaping_off() -> None:
    files = sorted(templates.TEMPLATES.rglob("*"))
    assert len(files) >= 10
    assert {path.suffix for path in files} == {".html"}
    assert templates.environment().autoescape is True
    for path in files:
        text = path.read_text("utf-8")
        assert not any(word in text for word in ("|safe", "| safe", "autoescape", "Markup", "onclick", "javascript:"))


def test_static_names_follow_their_content(client: Any) -> None:
    assert set(templates.static_paths()) == {path.name for path in templates.STATIC.iterdir()}
    for path in templates.static_paths().values():
        answer = client.get(path)
        assert hashlib.sha256(answer.content).hexdigest()[:12] in path
    assert client.get("/static/radar.css").status_code == 404
    assert client.get("/static/..%2ftemplates.py").status_code == 404


TABLES = [
    table
    for module in (core.models, intake.models, radar.models, radar.quality.models, radar.signals.models)
    for table in vars(module).values()
    if isinstance(table, type) and issubclass(table, SQLModel) and table.__module__ == module.__name__
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.__tablename__))
def test_each_class_has_the_columns_of_its_table(db: Db, table: Any) -> None:
    rows = db.execute(
        "SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable,"
        " coalesce(i.indisprimary, false) AS key FROM pg_attribute a"
        " LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)"
        " WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped",
        (table.__tablename__,),
    ).fetchall()
    in_database = {(row["name"], row["type"], row["nullable"], row["key"]) for row in rows}
    dialect = postgresql.dialect()
    in_class = {
        (column.name, column.type.compile(dialect).lower(), column.nullable, column.primary_key)
        for column in table.__table__.columns
    }
    assert in_class == in_database


def test_every_element_of_the_message_has_a_dutch_label() -> None:
    parts = [
        part
        for part in vars(message_model).values()
        if isinstance(part, type) and issubclass(part, message_model.Part)
    ]
    names = {field.alias for part in parts for field in part.model_fields.values()} - {elements.NO_VALUE}
    names |= {name for part in parts for name in part.EXTRA_REASONS}
    assert names - elements.LABELS.keys() == set()


# ── the report ──────────────────────────────────────────────────────────────────────────────────────────────────


def everything_nasty(value: Any) -> Any:
    """The same message with an attack in every text."""
    match value:
        case dict():
            return {name: everything_nasty(inner) for name, inner in value.items()}
        case list():
            return [everything_nasty(inner) for inner in value]
        case str():
            return value + NASTY
    return value


def test_every_text_of_a_message_is_shown_and_escaped(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    row = db.execute("SELECT r.*, m.person FROM report r JOIN mention m ON m.report_id = r.id LIMIT 1").fetchone()
    assert row is not None
    signal = [{"rule": "x", "level": "show", "text": NASTY, "words": [NASTY]}]
    report = world.report(
        datetime.now(UTC),
        [everything_nasty(row["person"])],
        content=everything_nasty(row["content"]),
        signals=signal,
        remarks=[{"code": NASTY, "pad": NASTY, "tekst": NASTY}],
        raw=NASTY.encode(),
        reference=NASTY,
        municipality=NASTY,
        kind=NASTY,
    )
    username = world.staff("team_lead")
    sign_in(username)
    world.open_vaults(username, report)
    for path in (f"/meldingen/{report}", f"/meldingen/{report}/bericht", "/wachtrij"):
        page = client.get(path).text
        assert only_our_script(page), path
        assert "&lt;script&gt;" in page, path


def test_all_of_the_message_can_be_read(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    row = db.execute("SELECT content FROM report WHERE id = %s", (family["third"],)).fetchone()
    assert row is not None
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{family['third']}").text
    texts = [text for _, text in elements.flat(vault.part(row["content"], ()).content)]
    shown = [text for text in texts if text.split("\n")[0] in page]
    # The dates are shown in words, the reason for an unknown value as a sentence.
    assert sorted(set(texts) - set(shown)) == ["20260114", "20260115", "waardeOnbekend"]
    # Who reported is sealed: its page says where, not who.
    assert "Basisteam Voorbeeld" not in page
    assert elements.SEALED in page
    assert "14 januari 2026" in page
    assert "onbekend bij de melder" in page
    assert "1985 (maand en dag onbekend)" in page
    assert "Niet meegestuurd: aanvullende informatie, aangifte, eergerelateerd geweld." in page


def test_the_ledger_tells_each_step_and_both_readings(client: Any, world: Any, sign_in: Sign) -> None:
    report = world.report(datetime(2026, 4, 1, 10, tzinfo=UTC))
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}").text
    assert "vrijdag 10 april 2026" in page
    assert "dinsdag 7 april 2026" in page
    assert "Telt niet mee: Goede Vrijdag." in page
    assert "Telt niet mee: Tweede Paasdag." in page
    assert "Norm" in page
    assert "Wettelijk" in page


def test_a_supplement_shows_what_changed(client: Any, world: Any, family: dict[str, UUID], sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{family['supplement']}").text
    assert "<del>Voorbeeldstraat 1, Dalstad</del>" in page
    assert "<ins>Voorbeeldstraat 1a, Dalstad</ins>" in page
    assert "<del>Jan Proef</del>" in page
    assert f"/meldingen/{family['third']}" in page
    assert "Anders dan" not in client.get(f"/meldingen/{family['third']}").text


def test_the_report_shows_where_it_stands_and_the_way_to_the_work(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{family['third']}").text
    assert '<li class="phase phase-now" aria-current="step">Beoordeling</li>' in page
    assert page.count('aria-current="step"') == 1
    for area in ("acuut", "beoordeling", "zicht", "termijnen", "betrokkenen", "overdracht", "traject", "doorsturen"):
        assert f'href="/meldingen/{family["third"]}/{area}"' in page, area
    done = client.get(f"/meldingen/{family['first']}").text
    assert '<li class="phase phase-now" aria-current="step">Afgesloten</li>' in done
    assert "doorsturen" not in done


# ── case, links, quarantine, jobs ───────────────────────────────────────────────────────────────────────────────


def test_the_case_shows_household_watch_time_line_and_links(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/casussen/{family['case']}").text
    assert page.count('class="mark') == 4
    assert page.count("mark-acute") == 1
    assert 'role="img" aria-labelledby="tijd-titel tijd-uitleg"' in page
    for text in (
        "Test Voorbeeld",
        "Maria Voorbeeld",
        "Jan Proef",
        "Veilig Thuis</b>, Team Noord",
        "Geboortedatum gelijk",
    ):
        assert text in page, text
    for state in ("Nieuwe persoon", "Automatisch gekoppeld", "Voorstel, nog nakijken", "Bevestigd"):
        assert state in page, state
    for report in ("first", "second", "third", "supplement"):
        assert f"/meldingen/{family[report]}" in page


@pytest.mark.parametrize(
    ("link", "action", "state"),
    [
        ("automatic", "bevestigen", "confirmed"),
        ("proposed", "afwijzen", "rejected"),
    ],
)
def test_a_word_on_a_link_is_carried_out_and_ends_its_task(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db, link: str, action: str, state: str
) -> None:
    username = world.staff("assessor")
    sign_in(username)
    answer = send(client, f"/koppelingen/{family[link]}", handeling=action)
    assert answer.status_code == 200
    assert "Gevolgen" in answer.text
    row = db.execute("SELECT state, decided_by FROM link WHERE id = %s", (family[link],)).fetchone()
    assert row == {"state": state, "decided_by": username}
    open_tasks = "SELECT count(*) AS n FROM task WHERE subject_id = %s AND done_at IS NULL"
    assert db.execute(open_tasks, (family[link],)).fetchone() == {"n": 0}


def test_a_word_on_a_link_that_was_given_before_is_a_conflict(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    sign_in(world.staff("assessor"))
    assert send(client, f"/koppelingen/{family['automatic']}", handeling="bevestigen").status_code == 200
    before = digest(db)
    assert send(client, f"/koppelingen/{family['automatic']}", handeling="bevestigen").status_code == 409
    assert send(client, f"/koppelingen/{family['automatic']}", handeling="weg").status_code == 400
    assert digest(db) == before


def test_quarantine_shows_the_bytes_as_text_and_ends_with_a_choice(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    sign_in(world.staff("intake_worker"))
    path = f"/quarantaine/{family['quarantine']}"
    page = client.get(path).text
    assert "&lt;melding&gt;&lt;naam&gt;\ufffd\ufffd Jansen &amp; &lt;script&gt;" in page
    assert path in client.get("/quarantaine").text
    answer = send(client, f"{path}/afhandelen")
    assert answer.status_code == 400
    assert 'id="fout-resultaat"' in answer.text
    assert send(client, f"{path}/afhandelen", resultaat="resent").status_code == 303
    assert "De afzender heeft het bericht opnieuw" in client.get(path).text
    assert path not in client.get("/quarantaine").text
    assert path in client.get("/quarantaine?toon=afgehandeld").text
    assert send(client, f"{path}/afhandelen", resultaat="resent").status_code == 409


def test_the_quarantine_list_goes_on(client: Any, world: Any, sign_in: Sign) -> None:
    start = datetime.now(UTC) - timedelta(days=1)
    items = [world.quarantine(start + timedelta(seconds=number), b"%d" % number) for number in range(55)]
    sign_in(world.staff("intake_worker"))
    first = client.get("/quarantaine").text
    link = first.split('class="button second" href="')[1].split('"')[0]
    second = client.get(link.replace("&amp;", "&")).text
    for number, item in enumerate(items):
        assert (str(item) in first, str(item) in second) == (number < 50 or number == 49, number >= 50), number
    assert client.get("/quarantaine?na=x").status_code == 400


def test_a_stopped_job_gets_a_new_life_from_a_team_lead(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    path = f"/taken/{family['job']}"
    sign_in(world.staff("assessor"))
    page = client.get(path).text
    assert "OperationalError" in page
    assert "/opnieuw" not in page
    sign_in(world.staff("team_lead"))
    assert "Opnieuw proberen" in client.get(path).text
    assert send(client, f"{path}/opnieuw").status_code == 303
    assert db.execute("SELECT state, attempts FROM job WHERE id = %s", (family["job"],)).fetchone() == {
        "state": "new",
        "attempts": 0,
    }
    assert "wacht op een poging" in client.get(path).text
    assert send(client, f"{path}/opnieuw").status_code == 409


def test_long_raw_text_is_cut_and_says_so(client: Any, world: Any, sign_in: Sign) -> None:
    report = world.report(datetime.now(UTC), raw=b"\x00<" * 60_000)
    username = world.staff("assessor")
    sign_in(username)
    world.open_vaults(username, report)
    page = client.get(f"/meldingen/{report}/bericht")
    assert page.status_code == 200
    assert "langer dan hier past" in page.text
    assert "120000 bytes" in page.text


def test_no_handler_or_template_names_a_person_in_an_address() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(templates.TEMPLATES).glob("*.html"))
    addresses = [part.split('"')[0].split("#")[0] for part in source.split('href="')[1:]]
    assert addresses
    numbered = "/persoon/{{ more_persons }}"  # a number: the how-maniest
    told = [address.replace(numbered, "") for address in addresses]
    assert not any(word in address for address in told for word in ("person", "naam", "bsn"))


def test_an_id_that_is_no_id_is_not_found(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    for path in ("/meldingen/1", f"/casussen/{uuid7()}x", "/quarantaine/%00", "/taken/é"):
        assert client.get(path).status_code == 404
