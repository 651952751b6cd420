"""The files of a report on the screens: a list, adding, and a download that no browser opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.database import Db
from core.settings import settings
from intake import attachments
from tests.intake.clamd import EICAR, clamd
from tests.web.conftest import OURS, World, session_of
from tests.web.test_access import audit_rows, token_in
from web.access import sessions
from workers import work

PDF = b"%PDF-1.7 Kanarie"


@pytest.fixture
def report(world: World) -> UUID:
    return world.report(datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def page(world: World, report: UUID, sign_in: Callable[..., Any]) -> Any:
    client = sign_in(world.staff("assessor"))

    class Page:
        path = f"/meldingen/{report}/bijlagen"

        def get(self) -> Any:
            return client.get(self.path)

        def post(self, data: dict[str, str] | None = None, files: Any = None, below: str = "") -> Any:
            sent = {"formulier": token_in(self.get().text), **(data or {})}
            return client.post(self.path + below, data=sent, files=files, headers=OURS)

    return Page()


def only(db: Db) -> UUID:
    row = db.execute("SELECT id FROM attachment").fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def jobs(db: Db) -> None:
    while row := db.execute("SELECT id FROM job WHERE state = 'new' AND kind = 'scan_attachment' LIMIT 1").fetchone():
        work.carry_out(row["id"])


def test_a_colleague_adds_a_file_and_takes_it_along_as_a_download(
    page: Any, report: UUID, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Er zijn geen bijlagen" in page.get().text
    assert page.post(files={"bestand": ("../<b>verslag</b>.html", PDF)}).status_code == 303
    with clamd() as (address, _):
        monkeypatch.setenv("VEILIG_SCANNER", address)
        settings.cache_clear()
        jobs(db)
    shown = page.get()
    assert "Gescand, niets gevonden" in shown.text
    assert "<b>verslag" not in shown.text
    answer = page.post(below=f"/{only(db)}")
    assert answer.content == PDF
    headers = answer.headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert "sandbox" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
    (line,) = audit_rows(db, "attachment.download")
    assert line["object_id"] == only(db)
    assert line["details"] == {"report": str(report), "scanned": True}
    assert len(audit_rows(db, "attachment.view")) >= 2


def test_without_a_scanner_the_page_says_so_and_a_download_asks_for_a_yes(page: Any, db: Db) -> None:
    page.post(files={"bestand": ("verslag.pdf", PDF)})
    jobs(db)
    assert "Er is geen virusscanner ingesteld." in page.get().text
    asked = page.post(below=f"/{only(db)}")
    assert asked.status_code == 409
    assert f'id="fout-toch-{only(db)}"' in asked.text
    assert audit_rows(db, "attachment.download") == []
    assert page.post({"toch": "ja"}, below=f"/{only(db)}").content == PDF
    assert audit_rows(db, "attachment.download")[0]["details"]["scanned"] is False


def test_a_virus_is_given_to_nobody(page: Any, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    with clamd() as (address, _):
        monkeypatch.setenv("VEILIG_SCANNER", address)
        settings.cache_clear()
        page.post(files={"bestand": ("eicar.txt", EICAR)})
        jobs(db)
        assert "Geweigerd door de scanner" in page.get().text
        answer = page.post({"toch": "ja"}, below=f"/{only(db)}")
    assert answer.status_code == 409
    assert EICAR not in answer.content


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (None, "Kies eerst een bestand."),
        ({"bestand": ("a.exe", b"MZ\x00")}, "Dit soort bestand"),
        ({"bestand": ("a.pdf", b"")}, "leeg"),
        ({"bestand": ("a.pdf", b"%PDF-" + b"x" * 3000)}, "te groot"),
    ],
)
def test_a_wrong_file_gets_a_sentence_beside_the_field(
    page: Any, db: Db, monkeypatch: pytest.MonkeyPatch, files: Any, words: str
) -> None:
    monkeypatch.setenv("VEILIG_ATTACHMENT_BYTES", "2048")
    settings.cache_clear()
    answer = page.post(files=files)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'id="fout-bestand"' in answer.text
    assert db.execute("SELECT FROM attachment").fetchall() == []


def test_what_waits_is_scanned_again_on_request(page: Any, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    page.post(files={"bestand": ("verslag.pdf", PDF)})
    jobs(db)
    with clamd() as (address, _):
        monkeypatch.setenv("VEILIG_SCANNER", address)
        settings.cache_clear()
        assert page.post({"handeling": "scannen"}).status_code == 303
        jobs(db)
    assert "Gescand, niets gevonden" in page.get().text


def test_a_file_that_is_hidden_is_missing(
    page: Any, world: World, new_world: Callable[[], World], db: Db, sign_in: Callable[..., Any]
) -> None:
    page.post(files={"bestand": ("verslag.pdf", PDF)})
    stored = only(db)
    assert page.post(below=f"/{uuid4()}").status_code == 404
    assert page.post(below="/geen-nummer").status_code == 404
    other = new_world()
    client = sign_in(other.staff("team_lead"))
    token = token_in(client.get("/wachtrij").text)
    answers = [
        client.post(f"{page.path}/{one}", data={"formulier": token, "toch": "ja"}, headers=OURS)
        for one in (stored, uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("role", ["administrator", "auditor", "privacy_officer"])
def test_who_sees_no_report_sees_no_file(world: World, report: UUID, sign_in: Callable[..., Any], role: str) -> None:
    assert sign_in(world.staff(role)).get(f"/meldingen/{report}/bijlagen").status_code == 403


def test_a_file_of_a_restricted_report_is_hidden_by_the_database_too(
    page: Any, world: World, report: UUID, db: Db, as_web: Callable[[str], Db]
) -> None:
    page.post(files={"bestand": ("verslag.pdf", PDF)})
    seen = as_web(sessions.key_of(session_of(db, world.staff("intake_worker"))))
    assert len(attachments.of_report(seen, world.region, report)) == 1
    person, contact = uuid4(), world.staff("team_lead")
    world.link(report, 1, person, "new")
    restriction = uuid4()
    db.execute(
        "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " SELECT %s, %s, %s, id, 'Bekende', 'x', now() FROM staff WHERE username = %s",
        (restriction, world.region, person, contact),
    )
    assert attachments.of_report(seen, world.region, report) == []
