"""The screens of rights: a request from receipt to decision, retention, and a destruction by two persons."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import database
from core.database import Db
from core.deadlines import local_day
from radar.rights import copy, destruction, requests
from tests.radar.rights.people import ABOUT_BOTH, ABOUT_HIM, asked, family, granted, mention
from tests.web.conftest import World
from web.access import sessions
from web.access.forgery import form_token
from web.access.matrix import may

OURS = {"sec-fetch-site": "same-origin"}
NOW = datetime.now(UTC)
RECEIVED = NOW - timedelta(days=9)
Sign = Callable[[str], Any]
ROLES = [
    "intake_worker",
    "assessor",
    "behavioural_scientist",
    "trusted_physician",
    "team_lead",
    "privacy_officer",
    "auditor",
    "administrator",
]


def send(client: Any, path: str, **form: str) -> Any:
    token = form_token(client.cookies[sessions.cookie_name()])
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


@pytest.fixture
def report(world: World) -> UUID:
    return family(world, RECEIVED)


def audited(db: Db, action: str) -> int:
    row = db.execute(
        "SELECT count(*) AS n FROM audit_entry WHERE action = %s AND outcome = 'ok'", (action,)
    ).fetchone()
    assert row is not None
    return int(row["n"])


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_the_matrix_says(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db, role: str
) -> None:
    request = asked(db, report, 3, "access", at=NOW)
    sign_in(world.staff(role))
    pages = {
        f"/meldingen/{report}/rechten": "rights.view",
        f"/verzoeken/{request}": "rights.view",
        "/bewaartermijnen": "retention.view",
    }
    for path, action in pages.items():
        assert client.get(path).status_code == (200 if may(role, action) else 403), path
    posts = {
        f"/meldingen/{report}/rechten/{mention(db, report, 3)}/verzoek": "request.receive",
        f"/meldingen/{report}/rechten/blokkade": "hold.place",
        f"/verzoeken/{request}/besluit": "request.prepare",
        f"/verzoeken/{request}/lezen/vrijgeven": "request.release",
        "/bewaartermijnen": "destruction.propose",
    }
    for path, action in posts.items():
        status = send(client, path).status_code
        assert (status == 403) is not may(role, action), path
        assert status in (400, 403, 404, 409), path
    assert db.execute("SELECT FROM person_request WHERE decided_at IS NOT NULL").fetchone() is None


def test_another_region_sees_none_of_it(client: Any, new_world: Callable[[], World], sign_in: Sign, db: Db) -> None:
    theirs, ours = new_world(), new_world()
    report = family(theirs, RECEIVED)
    request = granted(db, report, at=NOW)
    order = destruction.propose(db, mention(db, report, 3), "request", "x", request_id=request, by="x", at=NOW)
    sign_in(ours.staff("privacy_officer"))
    for path in (f"/meldingen/{report}/rechten", f"/verzoeken/{request}", f"/vernietigingen/{order}", "/verzoeken/x"):
        assert client.get(path).status_code == 404, path
    for path in (f"/verzoeken/{request}/nagaan", f"/vernietigingen/{order}/bevestigen", f"/verzoeken/{request}/xx"):
        assert send(client, path).status_code == 404, path


def test_an_access_request_from_receipt_to_letter(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    base = f"/meldingen/{report}/rechten"
    sign_in(world.staff("intake_worker"))
    father = mention(db, report, 3)
    answer = send(client, f"{base}/{father}/verzoek", soort="access", ontvangen=f"{NOW:%Y-%m-%d}", notitie="Alles.")
    assert answer.status_code == 303
    page = answer.headers["location"]
    assert "16 jaar of ouder" in client.get(page).text
    assert "Vastleggen wie het vraagt" not in client.get(page).text, "an intake worker takes it in"
    sign_in(world.staff("assessor", "bram"))
    assert "Afschrift klaarzetten" not in client.get(page).text, "nothing before it is known who asks"
    refused = send(client, f"{page}/nagaan", wie="self", naam="Jan Proef", hoe="known", kan="ja")
    assert refused.status_code == 400
    assert 'id="fout-gebeld-nagaan"' in refused.text
    assert 'value="Jan Proef"' in refused.text
    assert send(client, f"{page}/nagaan", wie="self", naam="Jan Proef", hoe="document", kan="ja").status_code == 303
    assert send(client, f"{page}/afschrift").status_code == 303
    shown = client.get(page).text
    assert ABOUT_HIM in shown
    assert "nog geen reden" in shown
    early = send(client, f"{page}/voorleggen")
    assert (early.status_code, "hoort een reden" in early.text) == (409, True)
    request = UUID(page.rsplit("/", 1)[1])
    made = copy.of_request(db, request)
    assert made is not None
    (both,) = [row["number"] for row in copy.items_of(db, made["id"]) if row["text"] == ABOUT_BOTH]
    assert send(client, f"{page}/stuk", nummer=str(both), grond="other_person", reden=" ").status_code == 400
    assert send(client, f"{page}/stuk", nummer=str(both), grond="other_person", reden="Ook Maria.").status_code == 303
    for ground in ("other_person", "whereabouts"):
        assert send(client, f"{page}/redenen", grond=ground, reden="Dit gaat over anderen.").status_code == 303
    assert send(client, f"{page}/voorleggen").status_code == 303
    words = "U krijgt een afschrift van uw gegevens."
    assert send(client, f"{page}/besluit", besluit="partly", reden=words).status_code == 303
    own = send(client, f"{page}/lezen/vrijgeven")
    assert (own.status_code, "Een ander dan wie het besluit voorstelde" in own.text) == (409, True)
    sign_in(world.staff("privacy_officer", "gwen"))
    assert send(client, f"{page}/lezen/vrijgeven").status_code == 303
    after = client.get(page).text
    assert "Voor een deel toegewezen op" in after
    assert after.count("(PDF)") == 2
    templates = [row["template"] for row in db.execute("SELECT template FROM letter ORDER BY template")]
    assert templates == ["access_copy", "request_answer"]
    for action in (
        "request.receive",
        "request.verify",
        "copy.prepare",
        "copy.submit",
        "request.decide",
        "copy.release",
    ):
        assert audited(db, action) == 1, action


def test_a_refusal_needs_concrete_words_per_report_and_keeps_what_was_typed(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    page = f"/verzoeken/{asked(db, report, 3, 'destruction', at=NOW)}"
    sign_in(world.staff("assessor"))
    form = {"besluit": "refused", "reden": "Wij vernietigen niets.", f"grond-{report}": "other_person"}
    answer = send(client, f"{page}/besluit", **form, **{f"waarom-{report}": "Groot belang."})
    assert answer.status_code == 400
    assert 'id="gronden-besluit"' in answer.text
    assert ">Groot belang.</textarea>" in answer.text
    assert '<option value="other_person" selected>' in answer.text


def test_a_statement_and_a_correction_are_shown_beside_the_report(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor", "bram"))
    page = f"/verzoeken/{asked(db, report, 3, 'statement', at=NOW)}"
    words = "Zo is het niet gegaan, zegt Jan."
    assert send(client, f"{page}/verklaring", tekst="", dag=f"{NOW:%Y-%m-%d}").status_code == 400
    assert send(client, f"{page}/verklaring", tekst=words, dag=f"{NOW:%Y-%m-%d}").status_code == 303
    page = f"/verzoeken/{asked(db, report, 3, 'correction', at=NOW)}"
    form = {"wat": "Postcode", "was": "4321ZZ", "wordt": "4321ZX", "bron": "BRP", "dag": f"{NOW:%Y-%m-%d}"}
    assert send(client, f"{page}/correctie", **form).status_code == 303
    assert send(client, f"{page}/besluit", besluit="granted", reden="Wij zetten het erbij.").status_code == 303
    sign_in(world.staff("team_lead", "gwen"))
    assert send(client, f"{page}/lezen/vrijgeven").status_code == 303
    for path in (f"/meldingen/{report}/rechten", f"/meldingen/{report}"):
        shown = client.get(path).text
        assert words in shown, path
        assert "4321ZX" in shown, path
        assert "Eigen verklaring van Jan Proef" in shown, path


def test_a_term_is_lengthened_and_the_task_follows(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    request = asked(db, report, 3, "access", at=NOW)
    page = f"/verzoeken/{request}"
    sign_in(world.staff("assessor"))
    assert send(client, f"{page}/verlengen", weken="9", reden="Veel.").status_code == 400
    assert send(client, f"{page}/verlengen", weken="4", reden="Veel meldingen.").status_code == 303
    row = db.execute(
        "SELECT t.due_at = d.due_at AS same FROM task t JOIN deadline d ON d.subject_id = t.subject_id"
        " WHERE t.subject_id = %s",
        (request,),
    ).fetchone()
    assert row == {"same": True}
    assert "Termijn verlengen" not in client.get(page).text


def test_two_persons_destroy_and_the_page_gives_the_certificate(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    request = granted(db, report, at=NOW)
    page = f"/verzoeken/{request}"
    sign_in(world.staff("team_lead", "teun"))
    answer = send(client, f"{page}/vernietigen", reden="Op verzoek.")
    assert answer.status_code == 303
    order = db.execute("SELECT id FROM destruction_order").fetchone()
    assert order is not None
    here = f"/vernietigingen/{order['id']}"
    shown = client.get(here).text
    assert ABOUT_HIM in shown
    assert re.search(r'name="zin-1" value="weg" checked', shown)
    own = send(client, f"{here}/bevestigen")
    assert (own.status_code, "Een ander dan wie het voorstelde" in own.text) == (409, True)
    sign_in(world.staff("behavioural_scientist", "saar"))
    assert send(client, f"{here}/bevestigen").status_code == 403
    sign_in(world.staff("privacy_officer", "petra"))
    assert send(client, f"{here}/bevestigen").status_code == 303
    assert "Wordt nu uitgevoerd" in client.get(here).text
    with db.transaction():
        destruction.carry_out(db, order["id"])
    assert "Uitgevoerd op" in client.get(here).text
    content = client.get(f"{here}/verklaring")
    assert (content.status_code, content.content[:5], content.headers["cache-control"]) == (200, b"%PDF-", "no-store")
    sign_in(world.staff("assessor", "bram"))
    assert "Vernietigde gegevens" in client.get(f"/meldingen/{report}/rechten").text
    assert client.get(f"/meldingen/{report}").status_code == 200


def test_an_order_bears_the_name_of_who_is_signed_in(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    """Also when our own code would say something else: the database compares."""
    request = granted(db, report, at=NOW)
    order = destruction.propose(db, mention(db, report, 3), "request", "x", request_id=request, by="bram", at=NOW)
    sign_in(world.staff("team_lead", "teun"))
    key = sessions.key_of(client.cookies[sessions.cookie_name()])
    forged = "UPDATE destruction_order SET confirmed_at = now(), confirmed_by = 'gwen' WHERE id = %s"
    with database.transaction("web") as web:
        web.execute("SELECT set_config('veilig.key', %s, true)", (key,))
        with pytest.raises(psycopg.errors.IntegrityError), web.transaction():
            web.execute(forged, (order,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction("web") as web:
        web.execute("SELECT destroy_order(%s)", (order,))


def test_what_is_due_is_listed_and_proposed(client: Any, world: World, sign_in: Sign, db: Db) -> None:
    old = family(world, datetime(2005, 3, 1, 9, tzinfo=UTC), state="closed")
    sign_in(world.staff("team_lead", "teun"))
    shown = client.get("/bewaartermijnen").text
    assert shown.count("twintig jaar na") >= 3
    father = mention(db, old, 3)
    assert send(client, "/bewaartermijnen", persoon=str(father), reden="").status_code == 400
    answer = send(client, "/bewaartermijnen", persoon=str(father), reden="De termijn is voorbij.")
    assert answer.status_code == 303
    assert "Voorgesteld, wacht op een tweede persoon" in client.get("/bewaartermijnen").text
    young = family(world, RECEIVED)
    stranger = mention(db, young, 3)
    assert send(client, "/bewaartermijnen", persoon=str(stranger), reden="x").status_code == 404


def test_a_hold_is_placed_and_ended(client: Any, world: World, sign_in: Sign, report: UUID, db: Db) -> None:
    base = f"/meldingen/{report}/rechten"
    sign_in(world.staff("team_lead"))
    form = {"soort": "court", "reden": "Zaak loopt.", "kijken": f"{NOW + timedelta(days=60):%Y-%m-%d}"}
    bad = send(client, f"{base}/blokkade", **form | {"kijken": ""})
    assert (bad.status_code, 'id="fout-kijken-blokkade"' in bad.text) == (400, True)
    assert send(client, f"{base}/blokkade", **form).status_code == 303
    assert "Zaak loopt." in client.get(base).text
    row = db.execute("SELECT id FROM retention_hold").fetchone()
    assert row is not None
    assert send(client, f"{base}/blokkade/{row['id']}", reden="Uitspraak gedaan.").status_code == 303
    assert "Voorbij sinds" in client.get(base).text


def test_readiness_says_no_after_a_restore(client: Any, world: World, db: Db, report: UUID) -> None:
    request = granted(db, report, at=NOW)
    order = destruction.propose(db, mention(db, report, 3), "request", "x", request_id=request, by="bram", at=NOW)
    assert client.get("/health/ready").json()["checks"]["destroyed"] is True
    destruction.confirm(db, order, by="gwen", at=NOW)
    # As if an older copy was put back: the register knows, this database does not.
    with db.transaction(force_rollback=True):
        destruction.carry_out(db, order)
    db.execute("UPDATE destruction_order SET stopped_at = now(), stopped_by = 'x', stopped_why = 'x'")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["destroyed"]) == (503, False)


def test_every_field_has_a_label_and_an_id_of_its_own(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    request = asked(db, report, 3, "access", at=NOW)
    copy.prepare(db, request, by="bram", at=NOW)
    other = requests.receive(db, mention(db, report, 2), "correction", local_day(NOW), by="ilse", at=NOW)
    sign_in(world.staff("team_lead"))
    for path in (f"/meldingen/{report}/rechten", f"/verzoeken/{request}", f"/verzoeken/{other}", "/bewaartermijnen"):
        page = client.get(path).text
        ids = re.findall(r'\bid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        for kind in re.findall(r"<(?:input|select|textarea)\b[^>]*>", page):
            if 'type="hidden"' not in kind:
                found = re.search(r'\bid="([^"]+)"', kind)
                assert found is not None, kind
                assert f'for="{found[1]}"' in page, kind
