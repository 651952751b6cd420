"""The log: whose data was seen by whom, for a person, for oversight and for a breach; and no log, no view."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from core import audit
from core.database import Db, present, transaction
from core.ids import uuid7
from core.settings import settings
from tests.web.conftest import OURS, World, session_of

SignIn = Callable[..., Any]


@pytest.fixture
def officer(world: World) -> str:
    return world.staff("privacy_officer")


def person_of(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute(
        "SELECT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id"
        " WHERE m.report_id = %s AND m.number = %s AND l.state IN ('new', 'automatic', 'confirmed')",
        (report, number),
    ).fetchone()
    assert row is not None
    found: UUID = row["person_id"]
    return found


def token_of(page: str) -> str:
    found = re.search(r'name="formulier" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def ask(client: Any, path: str = "/log", **fields: str) -> Any:
    token = token_of(client.get("/log").text)
    return client.post(path, data={"formulier": token, **fields}, headers=OURS)


def rows_of(page: str) -> list[str]:
    """The text of each row of the table, without its tags."""
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("<tr")[1:]]


def by_people(page: str) -> list[str]:
    """The rows of what people did, not what the system did with the seeded family."""
    return [row for row in rows_of(page) if "het systeem" not in row]


# ── no audit, no view ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/meldingen/{third}", "/wachtrij", "/casussen/{case}", "/koppelvoorstellen"])
def test_without_the_right_to_write_the_trail_there_is_no_view(
    world: World, family: dict[str, UUID], sign_in: SignIn, path: str
) -> None:
    client = sign_in(world.staff("team_lead"))
    client.raise_server_exceptions = False
    address = path.format(**family)
    assert client.get(address).status_code == 200
    world.db.execute("REVOKE EXECUTE ON FUNCTION audit_append FROM veilig_web")
    refused = client.get(address)
    assert refused.status_code in (500, 503)
    assert "Voorbeeld" not in refused.text
    assert "Dalstad" not in refused.text


def test_each_view_is_one_line_with_person_role_purpose_and_request(
    world: World, family: dict[str, UUID], sign_in: SignIn
) -> None:
    name = world.staff("assessor")
    sign_in(name).get(f"/meldingen/{family['third']}")
    (row,) = world.db.execute("SELECT * FROM audit_entry WHERE action = 'report.view'").fetchall()
    staff = world.db.execute("SELECT id FROM staff WHERE username = %s", (name,)).fetchone()
    assert staff is not None
    assert (row["actor"], row["staff_id"], row["role"], row["purpose"]) == (name, staff["id"], "assessor", "care")
    assert (row["object_id"], row["case_id"], row["event"]) == (family["third"], family["case"], "R")
    assert row["origin"]
    assert len(row["request"]) == 32
    assert list(audit.breaches(world.db)) == []


# ── who may read the log ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "team_lead", "administrator", "trusted_physician"])
def test_the_log_is_for_the_privacy_officer_and_the_auditor(world: World, sign_in: SignIn, role: str) -> None:
    client = sign_in(world.staff(role))
    assert client.get("/log").status_code == 403
    assert client.get("/logcontrole").status_code == 403


def test_an_auditor_reads_and_does_not_export(world: World, family: dict[str, UUID], sign_in: SignIn) -> None:
    client = sign_in(world.staff("auditor"))
    page = ask(client, soort="melding", wat=str(family["third"]))
    assert page.status_code == 200
    assert "/log/uitvoer" not in page.text
    assert not re.search(r"\bCSV\b", page.text)
    assert ask(client, "/log/uitvoer", soort="melding", wat=str(family["third"])).status_code == 403


def test_the_log_of_another_region_does_not_exist(
    new_world: Callable[[], World], sign_in: SignIn, family: dict[str, UUID]
) -> None:
    other = new_world()
    client = sign_in(other.staff("privacy_officer", "vreemd"))
    hidden = client.get(f"/log/melding/{family['third']}")
    missing = client.get(f"/log/melding/{uuid7()}")
    assert (hidden.status_code, hidden.text) == (missing.status_code, missing.text)
    assert hidden.status_code == 404


def test_the_database_itself_gives_the_log_to_nobody_else(world: World) -> None:
    thing = uuid7()
    audit.append(world.db, world.region, "ilse", "report.view", "report", thing)
    lines = "SELECT count(*) AS n FROM log_lines(%s, ARRAY[%s::uuid], NULL, NULL, NULL, '-infinity', 'infinity')"
    with transaction("web") as db:
        assert db.execute(lines, (world.region, thing)).fetchone() == {"n": 0}, "who shows no key reads nothing"
    seen = {}
    for role in ("assessor", "team_lead", "administrator", "privacy_officer", "auditor"):
        token = session_of(world.db, world.staff(role, f"{role}x"))
        with transaction("web") as db:
            present(db, f"staff:{token}")
            row = db.execute(lines, (world.region, thing)).fetchone()
            seen[role] = row["n"] if row else 0
    assert seen == {"assessor": 0, "team_lead": 0, "administrator": 0, "privacy_officer": 1, "auditor": 1}


# ── the log of one person ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def read(world: World, family: dict[str, UUID], sign_in: SignIn) -> dict[str, UUID]:
    """An assessor read the third report twice and the second once, and the case; a team lead the supplement."""
    client = sign_in(world.staff("assessor", "bram"))
    for report in ("third", "third", "second"):
        client.get(f"/meldingen/{family[report]}")
    client.get(f"/casussen/{family['case']}")
    sign_in(world.staff("team_lead", "teun")).get(f"/meldingen/{family['supplement']}")
    return family


def test_the_log_of_a_person_follows_his_links(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    father = person_of(world.db, read["third"], 3)
    page = sign_in(officer).get(f"/log/persoon/{father}").text
    shown = by_people(page)
    assert len(shown) == 2, "the report that names him, and the case"
    assert "Melding gelezen" in shown[0]
    assert "2 keer" in shown[0]
    assert "Casus gelezen" in shown[1]


def test_a_corrected_link_corrects_the_log(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    mother = person_of(world.db, read["second"], 2)
    client = sign_in(officer)
    assert any("Melding gelezen" in row for row in rows_of(client.get(f"/log/persoon/{mother}").text))
    world.db.execute(
        "UPDATE link SET state = 'undone', decided_at = now(), decided_by = 'teun' WHERE person_id = %s"
        " AND state IN ('new', 'automatic')",
        (mother,),
    )
    assert not any("Melding gelezen" in row for row in rows_of(client.get(f"/log/persoon/{mother}").text))


def test_a_person_concerned_is_told_role_and_organisation_and_no_name(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = person_of(world.db, read["third"], 1)
    client = sign_in(officer)
    page = client.get(f"/log/persoon/{child}").text
    table = " ".join(rows_of(page))
    assert "beoordelaar, Voorbeeldregio 1" in table
    assert "Naam van bram" not in table
    assert "bram" not in table
    monkeypatch.setenv("VEILIG_LOG_NAMES", "true")
    settings.cache_clear()
    assert "Naam van bram" in " ".join(rows_of(client.get(f"/log/persoon/{child}").text))


def test_the_log_of_a_person_does_not_name_who_reported(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    audit.append(world.db, world.region, "sender:00000099000000001000", "report.receive", "report", read["third"])
    child = person_of(world.db, read["third"], 1)
    table = " ".join(rows_of(sign_in(officer).get(f"/log/persoon/{child}").text))
    assert "de afzender van de melding" in table
    assert "00000099000000001000" not in table
    assert "Politie" not in table


def test_the_log_of_a_restricted_person_is_whole(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    """The privacy officer does not see the report; the log of its person he gives in full."""
    father = person_of(world.db, read["third"], 3)
    restriction = uuid7()
    world.db.execute(
        "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " SELECT %s, region_id, %s, id, 'bekend persoon', 'teun', now() FROM staff WHERE username = 'teun'",
        (restriction, father),
    )
    world.db.execute(
        "INSERT INTO restricted_report (report_id, restriction_id, region_id) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (read["third"], restriction, world.region),
    )
    assert len(by_people(sign_in(officer).get(f"/log/persoon/{father}").text)) == 2


def test_reading_the_log_of_a_person_is_in_that_log(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    father = person_of(world.db, read["third"], 3)
    client = sign_in(officer)
    client.get(f"/log/persoon/{father}")
    assert any("Log van één persoon bekeken" in row for row in rows_of(client.get(f"/log/persoon/{father}").text))


def test_the_period_is_kept_to(world: World, read: dict[str, UUID], officer: str, sign_in: SignIn) -> None:
    client = sign_in(officer)
    early = ask(client, soort="melding", wat=str(read["third"]), tot="2020-01-01").text
    assert "Niets in het log" in early
    assert rows_of(ask(client, soort="melding", wat=str(read["third"]), van="2020-01-01").text)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"soort": "persoon", "wat": "geen nummer"}, "Er is niets met dit nummer"),
        ({"soort": "persoon", "wat": "01a20410-6355-7001-8d1a-6ebcf8441b53"}, "Er is niets met dit nummer"),
        ({"soort": "melding", "wat": ""}, "Vul in waarover het gaat"),
        ({"soort": "periode"}, "Vul in vanaf welke dag"),
        ({"soort": "adres", "wat": "192.0.2.7", "van": "gisteren"}, "Vul een dag in"),
        ({"soort": "adres", "wat": "192.0.2.7", "van": "2026-02-02", "tot": "2026-01-01"}, "Vul een dag in"),
    ],
)
def test_a_wrong_question_gets_a_sentence_beside_its_field(
    world: World, officer: str, sign_in: SignIn, fields: dict[str, str], told: str
) -> None:
    page = ask(sign_in(officer), **fields)
    assert page.status_code == 400
    assert told in page.text
    assert 'aria-invalid="true"' in page.text
    if fields.get("wat"):
        assert f'value="{fields["wat"]}"' in page.text


# ── one colleague, and a breach ─────────────────────────────────────────────────────────────────────────────


def test_the_log_of_a_colleague_holds_what_he_saw_whatever_name_the_code_gave_him(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    row = world.db.execute("SELECT id FROM staff WHERE username = 'bram'").fetchone()
    assert row is not None
    shown = rows_of(sign_in(officer).get(f"/log/medewerker/{row['id']}").text)
    assert [one.count("Melding gelezen") + one.count("Casus gelezen") for one in shown] == [1, 1, 1]
    assert not any(str(read["supplement"]) in one for one in shown)


def test_a_breach_list_equals_what_was_seen(
    world: World, family: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    """Three colleagues read what they read; the list of one of them, of one file, of the period, is exactly that."""
    truth: list[tuple[str, UUID]] = []
    for name, role, reports in (
        ("bram", "assessor", ("first", "second", "third", "second")),
        ("gwen", "behavioural_scientist", ("third",)),
        ("ilse", "intake_worker", ("supplement", "third")),
    ):
        client = sign_in(world.staff(role, name))
        for report in reports:
            assert client.get(f"/meldingen/{family[report]}").status_code == 200
            truth.append((name, family[report]))
    client = sign_in(officer)
    bram = world.db.execute("SELECT id FROM staff WHERE username = 'bram'").fetchone()
    assert bram is not None

    def seen(**fields: str) -> list[tuple[str, UUID]]:
        answer = ask(client, "/log/uitvoer", **fields)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/csv")
        rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
        return [(row["gebruiker"], UUID(row["melding"])) for row in rows if row["handeling"] == "Melding gelezen"]

    assert seen(soort="medewerker", medewerker=str(bram["id"])) == [one for one in truth if one[0] == "bram"]
    third = [one for one in truth if one[1] == family["third"]]
    assert seen(soort="melding", wat=str(family["third"])) == third
    father = person_of(world.db, family["third"], 3)
    assert seen(soort="persoon", wat=str(father)) == third
    assert seen(soort="periode", van="2020-01-01") == truth
    origin = world.db.execute("SELECT DISTINCT origin FROM audit_entry WHERE origin IS NOT NULL").fetchall()
    assert seen(soort="adres", wat=origin[0]["origin"]) == truth


def test_an_export_asks_for_a_fresh_proof_and_is_counted(
    world: World, read: dict[str, UUID], officer: str, sign_in: SignIn
) -> None:
    client = sign_in(officer, stepped_up=False)
    asked = ask(client, "/log/uitvoer", soort="melding", wat=str(read["third"]))
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/bevestigen")
    client = sign_in(officer)
    answer = ask(client, "/log/uitvoer", soort="melding", wat=str(read["third"]))
    (line,) = world.db.execute("SELECT * FROM audit_entry WHERE action = 'log.export'").fetchall()
    listed = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert (line["object_id"], line["details"]["rows"]) == (read["third"], len(listed))
    assert {row["uitgevoerd door"] for row in listed} == {officer}
    assert answer.headers["cache-control"] == "no-store"


def test_no_cell_of_the_file_is_a_formula(world: World, officer: str, sign_in: SignIn) -> None:
    for text in ("=1+1", "+31", "-1", "@SUM(A1)", "\tx"):
        audit.append(world.db, world.region, text, "report.view", "report", uuid7())
    answer = ask(sign_in(officer), "/log/uitvoer", soort="periode", van="2020-01-01")
    cells = [cell for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
