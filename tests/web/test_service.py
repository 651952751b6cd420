"""The page of investigation and V&V: every form, its errors beside the fields, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core.calendar import dutch_date
from core.database import Db
from core.deadlines import AMSTERDAM, local_day
from core.ids import uuid7
from radar.casework import conditions, contacts, findings, service, steps
from tests.radar import desk
from tests.web.chromium import enter, violations
from web.wording import day_text

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
RECEIVED, DECIDED = NOW - timedelta(days=9), NOW - timedelta(days=7)
GWEN: dict[str, Any] = {"by": "gwen", "role": "behavioural_scientist", "at": NOW}
TYPED = {"met", "contact_tekst", "contact_dag", "grond", "wat", "wie", "samenvatting", "start_dag"}
"""Fields that hold what somebody typed."""
Sign = Callable[[str], Any]


def someone(given: str, born: str) -> dict[str, Any]:
    return {
        "rol": {"tekst": "betrokkene"},
        "naam": {"voornamen": given, "geslachtsnaam": "Voorbeeld"},
        "geboortedatum": {"tekst": born, "indicatie": "V"},
    }


@pytest.fixture
def report(world: Any) -> UUID:
    """A report of nine days ago that is being assessed."""
    household, case = world.household(RECEIVED)
    made: UUID = world.report(
        RECEIVED, [someone("Tess", "20150301"), someone("Maria", "19880612")], household=household, case=case
    )
    return made


@pytest.fixture
def investigation(db: Db, world: Any, report: UUID) -> UUID:
    return decided(db, world, report, "investigation")


def decided(db: Db, world: Any, report: UUID, kind: str) -> UUID:
    desk.assess(db, report, kind, at=DECIDED)
    [running] = service.of_report(db, world.region, report)
    found: UUID = running["id"]
    return found


def path(report: UUID, act: str = "") -> str:
    return f"/meldingen/{report}/traject{'/' if act else ''}{act}"


def send(client: Any, report: UUID, act: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path(report, act), data={"formulier": token, **form}, headers=OURS)


def seen(client: Any, report: UUID) -> str:
    answer = client.get(path(report))
    assert answer.status_code == 200
    return text_of(answer)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1])))


def running(db: Db, world: Any, report: UUID) -> dict[str, Any]:
    row: dict[str, Any] = service.of_report(db, world.region, report)[0]
    return row


def state(db: Db, report: UUID) -> str:
    row = db.execute("SELECT state FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    return str(row["state"])


def clock(moment: datetime, name: str) -> dict[str, str]:
    local = moment.astimezone(AMSTERDAM)
    return {f"{name}_dag": f"{local:%Y-%m-%d}", f"{name}_tijd": f"{local:%H:%M}"}


def a_contact(**changes: str) -> dict[str, str]:
    values = {"soort": "informant", "met": "Juf Anna", "hoe": "call", "contact_tekst": "Zij maakt zich zorgen."}
    return values | clock(NOW - timedelta(days=1), "contact") | changes


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────


def test_before_the_decision_the_page_says_what_comes_first(
    client: Any, world: Any, sign_in: Sign, report: UUID
) -> None:
    sign_in(world.staff("assessor"))
    text = seen(client, report)
    assert "Er loopt nu geen traject" in text
    assert "Daarvoor is nodig: eerst de veiligheidsbeoordeling met een besluit." in text
    assert "Toch zelf doen" not in text
    assert "Beëindigen" not in text
    assert "Contact vastleggen" in text


def test_the_page_shows_the_decision_the_start_and_both_readings(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("assessor"))
    text = seen(client, report)
    row = running(db, world, report)
    assert "In onderzoek" in text
    assert "Begonnen nog niet" in text
    norm, legal = dutch_date(row["norm_due_on"]), dutch_date(row["legal_due_on"])
    assert f"Besloten {day_text(DECIDED)}" in text
    assert f"Norm {norm} tien weken na het besluit Wettelijk {legal} tien weken na het besluit" in text
    assert f"norm {dutch_date(row['start_norm_on'])}, wettelijk {dutch_date(row['start_legal_on'])}" in text
    assert "Hoe is deze datum berekend?" in text


def test_each_look_is_in_the_audit_trail(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("intake_worker"))
    seen(client, report)
    rows = db.execute("SELECT actor, object_id FROM audit_entry WHERE action = 'service.view'").fetchall()
    assert rows == [{"actor": "intake_worker1", "object_id": report}]


def test_what_people_typed_is_shown_as_text(
    client: Any, world: Any, sign_in: Sign, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("assessor"))
    assert send(client, report, "contact", **a_contact(met=NASTY, contact_tekst=NASTY)).status_code == 303
    assert send(client, report, "plan", plan=NASTY, gezien="").status_code == 303
    page = client.get(path(report)).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# ── the whole way ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_investigation_from_its_start_to_monitoring(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("assessor"))
    begun = NOW - timedelta(days=2)
    answer = send(client, report, "begin", **clock(begun, "start"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path(report)}#stand")
    [bram] = service.workers(db, world.region)
    assert send(client, report, "leiding", leiding=str(bram["id"])).status_code == 303
    plan = {"plan": "Praten met allen.", "gezien": "", "vorm_child_abuse": "ja", "vorm_other": "ja"}
    assert send(client, report, "plan", **plan).status_code == 303
    row = running(db, world, report)
    assert row["started_at"] == begun.replace(second=0, microsecond=0)
    assert (row["lead"], row["forms"]) == ("Naam van assessor1", ["child_abuse", "other"])
    assert "Nog geen conclusie over: Kindermishandeling , Ander huiselijk geweld ." in seen(client, report)

    for form, result in (("child_abuse", "not_confirmed"), ("child_abuse", "confirmed"), ("other", "refuted")):
        found = {"vorm": form, "uitkomst": result, "grond": "Het kind vertelde het."}
        assert send(client, report, "conclusie", **found).status_code == 303
    text = seen(client, report)
    assert "Kindermishandeling: bevestigd" in text
    assert "Eerdere conclusies over kindermishandeling" in text

    ending = {"einde": "completed", "samenvatting": "Het is zo.", "hierna": "monitor"}
    refused = send(client, report, "einde", **ending)
    assert refused.status_code == 409
    assert "Leg eerst ten minste een veiligheidsvoorwaarde vast." in text_of(refused)
    assert "Het is zo." in text_of(refused)
    due_on = local_day(NOW) + timedelta(days=14)
    agreed = {"wat": "Vader slaapt elders", "wie": "Vader", "wanneer": due_on.isoformat()}
    assert send(client, report, "voorwaarde", **agreed).status_code == 303
    assert send(client, report, "einde", **ending).status_code == 303

    assert state(db, report) == "monitoring"
    text = seen(client, report)
    assert "In onderzoek: Afgerond" in text
    assert "Vader slaapt elders" in text
    assert "Toch zelf doen" in text


def test_conditions_after_the_investigation_begin_at_once(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    service.start(db, investigation, NOW - timedelta(days=1), **GWEN)
    findings.find(db, investigation, "other", "not_confirmed", "Niets gebleken.", **GWEN)
    sign_in(world.staff("team_lead"))
    answer = send(client, report, "einde", einde="completed", samenvatting="Verder.", hierna="conditions_after")
    assert answer.status_code == 303
    assert running(db, world, report)["kind"] == "conditions"
    text = seen(client, report)
    assert "Voorwaarden en vervolg" in text
    assert "Conclusie vastleggen" not in text


def test_the_contact_without_information_warns_until_it_was_told(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("intake_worker"))
    assert send(client, report, "contact", **a_contact()).status_code == 303
    warning = "Nog niet verteld over werkwijze, gegevens, inzage en klachten."
    assert warning in seen(client, report)
    told = a_contact(verteld="ja") | clock(NOW - timedelta(hours=1), "contact")
    assert send(client, report, "contact", **told).status_code == 303
    text = seen(client, report)
    assert warning not in text
    assert "Verteld over werkwijze, gegevens, inzage en klachten" in text
    [later, first] = contacts.of_report(db, world.region, report)
    assert (first["informed"], later["informed"], later["service_id"]) == (False, True, investigation)


def test_a_contact_with_a_person_concerned_names_him(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID
) -> None:
    sign_in(world.staff("intake_worker"))
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = 2", (report,)).fetchone()
    assert row is not None
    answer = send(
        client, report, "contact", **a_contact(soort="person", betrokkene=str(row["id"]), met="via haar zus")
    )
    assert answer.status_code == 303
    assert "Betrokkene: Maria Voorbeeld, via haar zus" in seen(client, report)


def test_a_condition_is_settled_and_an_overdue_one_stands_out(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    earlier = NOW - timedelta(days=5)
    condition = conditions.make(db, report, "Oma past op", "Oma", local_day(earlier), **{**GWEN, "at": earlier})
    sign_in(world.staff("assessor"))
    assert "te laat Loopt" in seen(client, report)
    form = {"voorwaarde": str(condition), "stand": "not_met"}
    refused = send(client, report, "voorwaarde-stand", **form)
    assert refused.status_code == 400
    assert f'id="fout-notitie-{condition}"' in refused.text
    assert send(client, report, "voorwaarde-stand", **form, notitie="Zij kwam niet.").status_code == 303
    text = seen(client, report)
    assert "Niet nagekomen Zij kwam niet. assessor1," in text
    assert "te laat Loopt" not in text


def test_from_handover_it_is_taken_on(client: Any, world: Any, sign_in: Sign, db: Db, report: UUID) -> None:
    desk.assess(db, report, "handover", team=world.local_team, at=DECIDED)
    sign_in(world.staff("assessor"))
    assert "Toch zelf doen" in seen(client, report)
    assert send(client, report, "oppakken", dienst="conditions", reden="Het team kan niet.").status_code == 303
    assert (state(db, report), running(db, world, report)["kind"]) == ("conditions", "conditions")


def test_overdue_is_said_and_blocks_nothing(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    household, case = world.household(NOW - timedelta(days=200))
    report = world.report(NOW - timedelta(days=200), [someone("Tess", "20150301")], household=household, case=case)
    desk.assess(db, report, "investigation", at=NOW - timedelta(days=195))
    sign_in(world.staff("assessor"))
    assert "De termijn is voorbij. U kunt gewoon doorwerken en afronden." in seen(client, report)
    ending = {"einde": "moved_away", "samenvatting": "Vertrokken.", "hierna": "close"}
    assert send(client, report, "einde", **ending).status_code == 303
    assert state(db, report) == "closed"
    assert "Voortijdig beëindigd: vertrokken, onbekend waarheen" in seen(client, report)


def test_while_the_decision_is_revised_it_runs_on_and_cannot_be_ended(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    steps.take(db, report, "revise", by="teun", role="team_lead", reason="Nieuwe feiten.", at=NOW)
    sign_in(world.staff("assessor"))
    text = seen(client, report)
    assert "Het traject loopt door tot er een nieuw besluit is." in text
    assert "Traject beëindigen" not in text
    answer = send(client, report, "einde", einde="ended_early", samenvatting="Stop.", hierna="close")
    assert answer.status_code == 409
    assert running(db, world, report)["ended_at"] is None


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("act", "form", "field"),
    [
        ("begin", {"start_dag": "gisteren", "start_tijd": "10:00"}, "start_dag"),
        ("begin", {"start_dag": "0001-01-01", "start_tijd": "00:00"}, "start_dag"),
        ("begin", {"start_dag": "9999-12-31", "start_tijd": "23:59"}, "start_dag"),
        ("leiding", {"leiding": "niemand"}, "leiding"),
        ("contact", a_contact(soort=""), "soort"),
        ("contact", a_contact(soort="person"), "betrokkene"),
        ("contact", a_contact(met=" "), "met"),
        ("contact", a_contact(hoe="rook"), "hoe"),
        ("contact", a_contact(contact_tijd=""), "contact_dag"),
        ("contact", a_contact(contact_dag="9999-12-31"), "contact_dag"),
        ("contact", a_contact(contact_tekst=""), "contact_tekst"),
        ("conclusie", {"vorm": "roddel", "uitkomst": "confirmed", "grond": "Ja."}, "vorm"),
        ("conclusie", {"vorm": "other", "uitkomst": "misschien", "grond": "Ja."}, "uitkomst"),
        ("conclusie", {"vorm": "other", "uitkomst": "confirmed"}, "grond"),
        ("voorwaarde", {"wie": "Vader", "wanneer": "2199-01-01"}, "wat"),
        ("voorwaarde", {"wat": "Weg", "wanneer": "2199-01-01"}, "wie"),
        ("voorwaarde", {"wat": "Weg", "wie": "Vader", "wanneer": "2020-01-01"}, "wanneer"),
        ("voorwaarde", {"wat": "Weg", "wie": "Vader"}, "wanneer"),
        ("einde", {"samenvatting": "Klaar.", "hierna": "close"}, "einde"),
        ("einde", {"einde": "ended_early", "hierna": "close"}, "samenvatting"),
        ("einde", {"einde": "ended_early", "samenvatting": "Klaar.", "hierna": "revise"}, "hierna"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_typed_text_stays(
    client: Any,
    world: Any,
    sign_in: Sign,
    db: Db,
    report: UUID,
    investigation: UUID,
    act: str,
    form: dict[str, str],
    field: str,
) -> None:
    sign_in(world.staff("assessor"))
    answer = send(client, report, act, **form)
    assert answer.status_code == 400
    assert f'aria-invalid="true" aria-describedby="fout-{field}"' in answer.text
    assert f'<a href="#{field}">' in answer.text
    page = unescape(answer.text)
    for name in TYPED & form.keys():
        assert form[name] in page
    row = running(db, world, report)
    assert (row["started_at"], row["lead_id"], row["ended_at"]) == (None, None, None)
    assert contacts.of_report(db, world.region, report) == []
    assert conditions.of_report(db, world.region, report, NOW) == []
    assert findings.of_service(db, world.region, investigation) == []


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"reden": "Omdat."}, "dienst"),
        ({"dienst": "regional_task", "reden": "Omdat."}, "dienst"),
        ({"dienst": "conditions"}, "reden"),
    ],
)
def test_taking_it_on_needs_what_and_why(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, form: dict[str, str], field: str
) -> None:
    desk.assess(db, report, "handover", team=world.local_team, at=DECIDED)
    sign_in(world.staff("assessor"))
    answer = send(client, report, "oppakken", **form)
    assert (answer.status_code, f'id="fout-{field}"' in answer.text) == (400, True)
    assert state(db, report) == "handover"


def test_what_a_colleague_did_meanwhile_is_told(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("assessor"))
    service.plan(db, investigation, "Het plan van Gwen", **GWEN)
    answer = send(client, report, "plan", plan="Mijn plan", gezien="")
    assert answer.status_code == 409
    text = text_of(answer)
    assert "Intussen schreef gwen het plan." in text
    assert "Het plan van Gwen" in text
    assert "Mijn plan" in text
    # The page now shows it, so a second try is a choice.
    [read_at] = re.findall(r'name="gezien" value="([^"]+)"', answer.text)
    assert send(client, report, "plan", plan="Mijn plan", gezien=unescape(read_at)).status_code == 303

    ended: dict[str, str] = {"outcome": "ended_early", "summary": "Toch niet.", "next_move": "close"}
    with db.transaction():
        service.end(db, investigation, **ended, **GWEN)
    answer = send(client, report, "einde", einde="ended_early", samenvatting="Mijn tekst", hierna="close")
    assert answer.status_code == 409
    assert "Er loopt nu geen traject. Misschien heeft een collega het net beëindigd." in text_of(answer)
    assert "Afgesloten" in text_of(answer)


def test_two_people_end_it_on_their_screens_and_it_ends_once(
    new_world: Any, client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("assessor"))
    barrier = Barrier(2)
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    form = {"formulier": token, "einde": "ended_early", "samenvatting": "Stop.", "hierna": "close"}

    def ending(_: int) -> int:
        barrier.wait(10)
        status: int = client.post(path(report, "einde"), data=form, headers=OURS).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ending, range(2))) == [303, 409]
    closed = db.execute("SELECT count(*) AS n FROM report_step WHERE report_id = %s AND move = 'close'", (report,))
    assert closed.fetchone() == {"n": 1}


def test_an_intake_worker_reads_it_and_notes_contacts_only(
    client: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("intake_worker"))
    page = client.get(path(report)).text
    assert re.findall(rf'action="{path(report)}/([a-z-]+)"', page) == ["contact"]
    assert send(client, report, "contact", **a_contact()).status_code == 303
    for act in ("oppakken", "begin", "leiding", "plan", "conclusie", "voorwaarde", "voorwaarde-stand", "einde"):
        assert send(client, report, act, einde="ended_early", samenvatting="x", hierna="close").status_code == 403
    assert running(db, world, report)["ended_at"] is None


def test_an_administrator_sees_nothing_of_it(
    client: Any, world: Any, sign_in: Sign, report: UUID, investigation: UUID
) -> None:
    sign_in(world.staff("administrator"))
    assert client.get(path(report)).status_code == 403
    assert send(client, report, "contact", **a_contact()).status_code == 403


def test_another_region_an_unknown_form_and_a_condition_of_elsewhere_are_not_found(
    client: Any, new_world: Any, world: Any, sign_in: Sign, db: Db, report: UUID, investigation: UUID
) -> None:
    other = world.report(RECEIVED, [someone("Tess", "20150301")])
    decided(db, world, other, "conditions")
    condition = conditions.make(db, other, "Oma past op", "Oma", local_day(NOW), **GWEN)
    sign_in(world.staff("team_lead"))
    assert send(client, report, "bestaat-niet").status_code == 404
    answer = send(client, report, "voorwaarde-stand", voorwaarde=str(condition), stand="met")
    assert answer.status_code == 404
    assert client.get(path(uuid7())).status_code == 404
    sign_in(new_world().staff("team_lead"))
    assert client.get(path(report)).status_code == 404
    assert send(client, report, "contact", **a_contact()).status_code == 404
    assert contacts.of_report(db, world.region, report) == []
    [kept] = conditions.of_report(db, world.region, other, NOW)
    assert kept["state"] == "open"


# ── in a browser ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_the_page_passes_axe_with_everything_open_and_fits_a_phone(
    browser: Browser, address: str, world: Any, db: Db, report: UUID, investigation: UUID, width: int, scheme: Any
) -> None:
    service.plan(db, investigation, "Praten", {"child_abuse", "other"}, **GWEN)
    for result in ("not_confirmed", "confirmed"):
        findings.find(db, investigation, "child_abuse", result, "Het kind vertelde het.", **GWEN)
    conditions.make(db, report, "Vader slaapt elders", "Vader", local_day(NOW), **GWEN)
    when = {"mention_id": None, "happened_at": NOW - timedelta(days=1), "informed": False}
    note: dict[str, Any] = {"with_kind": "informant", "who": "Juf Anna", "how": "call", "summary": "Zorgen."}
    contacts.note(db, report, investigation, **when, **note, **GWEN)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    page.goto(address + path(report))
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Traject beëindigen").click()
    page.wait_for_selector("#fout-einde")
    assert violations(page) == []
    # A refused form is told on the console as well: that one only.
    assert [text for text in complaints if "400" not in text] == []
    context.close()
