"""Pages when rows are hidden: hidden looks as missing, work stays in sight, and a hit points to a person to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.routing import Route

from core.database import Db
from core.deadlines import local_day
from core.ids import uuid7
from radar.protection import restrictions
from tests.web.conftest import OURS
from web import pages

Sign = Callable[[str], Any]
EMERGENCY = {"code": "danger", "toelichting": "De politie staat nu aan de deur."}


@pytest.fixture
def people(world: Any) -> dict[str, UUID]:
    """bram is the contact; gwen sees nothing of it; teun and tess lead; petra keeps the privacy."""
    names = {
        "bram": "assessor",
        "gwen": "assessor",
        "teun": "team_lead",
        "tess": "team_lead",
        "petra": "privacy_officer",
    }
    for name, role in names.items():
        world.staff(role, name)
    rows = world.db.execute("SELECT username, id FROM staff")
    return {row["username"]: row["id"] for row in rows}


@pytest.fixture
def hidden(family: dict[str, UUID], people: dict[str, UUID], world: Any) -> dict[str, UUID]:
    """The family with its child restricted: three reports are hidden, the supplement is not."""
    world.db.execute("UPDATE staff SET team_id = %s WHERE username = 'bram'", (world.team,))
    with world.db.transaction():
        restriction = restrictions.restrict(
            world.db,
            world.region,
            mention_of(world.db, family["first"]),
            contact=people["bram"],
            reason="Kind van een collega.",
            by="teun",
            role="team_lead",
            at=at(world.db),
        )
    return family | {"restriction": restriction}


def at(db: Db) -> Any:
    row = db.execute("SELECT now() AS at").fetchone()
    assert row
    return row["at"]


def mention_of(db: Db, report: UUID, number: int = 1) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row
    found: UUID = row["id"]
    return found


def post(client: Any, page: str, path: str, **fields: str) -> Any:
    """Send a form of this page, as the browser does."""
    token = re.search(r'name="formulier" value="([0-9a-f]+)"', client.get(page).text)
    assert token
    return client.post(path, data={"formulier": token[1], **fields}, headers=OURS)


REPORT_PAGES = sorted(
    {
        route.path
        for route in pages.routes
        if isinstance(route, Route) and route.path.startswith("/meldingen/{id}") and "GET" in (route.methods or ())
        and route.path.count("{") == 1
    }
)  # fmt: skip


class TestHiddenIsMissing:
    @pytest.mark.parametrize("path", REPORT_PAGES)
    def test_every_page_of_a_hidden_report_answers_as_one_that_does_not_exist(
        self, hidden: dict[str, UUID], sign_in: Sign, path: str
    ) -> None:
        client = sign_in("gwen")
        answers = {
            (answer.status_code, answer.content, tuple(sorted(set(answer.headers) - {"date"})))
            for answer in (client.get(path.replace("{id}", str(one))) for one in (hidden["third"], uuid7()))
        }
        assert len(answers) == 1
        assert answers.pop()[0] == 404

    def test_so_does_a_case_of_which_everything_is_hidden(
        self, hidden: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        db.execute("UPDATE report SET case_id = NULL, household_id = NULL WHERE id = %s", (hidden["supplement"],))
        client = sign_in("gwen")
        found, missing = (client.get(f"/casussen/{one}") for one in (hidden["case"], uuid7()))
        assert (found.status_code, found.content) == (missing.status_code, missing.content)
        assert found.status_code == 404
        assert sign_in("bram").get(f"/casussen/{hidden['case']}").status_code == 200

    def test_so_does_a_proposal_on_a_restricted_person(
        self, hidden: dict[str, UUID], sign_in: Sign, world: Any, people: dict[str, UUID]
    ) -> None:
        child = restrictions.person_of(world.db, world.region, mention_of(world.db, hidden["first"]))
        question = world.link(hidden["supplement"], 1, child, "proposed")
        client = sign_in("gwen")
        found, missing = (client.get(f"/koppelvoorstellen/{one}") for one in (question, uuid7()))
        assert (found.status_code, found.content) == (missing.status_code, missing.content)
        assert str(question) not in client.get("/koppelvoorstellen").text
        assert sign_in("bram").get(f"/koppelvoorstellen/{question}").status_code == 200

    def test_the_contact_reads_everything(self, hidden: dict[str, UUID], sign_in: Sign) -> None:
        client = sign_in("bram")
        for name in ("first", "second", "third"):
            assert client.get(f"/meldingen/{hidden[name]}").status_code == 200


class TestWorkStaysInSight:
    def test_the_queue_shows_a_blind_line_with_the_contact(self, hidden: dict[str, UUID], sign_in: Sign) -> None:
        text = sign_in("gwen").get("/wachtrij?team=alle").text
        assert "Afgeschermde melding, contact: Naam van bram" in text
        assert f"/meldingen/{hidden['third']}" not in text
        assert f"/noodinzage/{hidden['third']}" in text
        assert f"/meldingen/{hidden['third']}/beoordeling" in sign_in("bram").get("/wachtrij?team=alle").text

    def test_a_lead_sees_in_the_overview_that_it_waits(self, hidden: dict[str, UUID], sign_in: Sign) -> None:
        answer = sign_in("teun").get("/overzicht?team=alle")
        assert answer.status_code == 200
        assert "Afgeschermde melding, contact: Naam van bram" in answer.text
        assert f"/meldingen/{hidden['third']}" not in answer.text

    def test_a_lead_cannot_give_it_to_who_may_not_see_it(
        self, hidden: dict[str, UUID], sign_in: Sign, people: dict[str, UUID], db: Db
    ) -> None:
        task = db.execute(
            "SELECT id FROM task WHERE report_id = %s AND kind = 'assess' AND done_at IS NULL", (hidden["third"],)
        ).fetchone()
        assert task
        answer = post(
            sign_in("teun"), "/wachtrij?team=alle", "/wachtrij/verdelen", handeling="geven",
            collega=str(people["gwen"]), **{f"taak-{task['id']}": "1"},
        )  # fmt: skip
        assert answer.status_code == 409
        assert "kan niet naar deze collega" in answer.text

    def test_counts_are_of_what_he_may_see(self, hidden: dict[str, UUID], sign_in: Sign) -> None:
        assert "4 meldingen over dit huishouden" in sign_in("bram").get(f"/casussen/{hidden['case']}").text
        assert "1 melding over dit huishouden" in sign_in("gwen").get(f"/casussen/{hidden['case']}").text


class TestBlindHit:
    def test_the_report_and_its_case_name_the_contact_and_nothing_else(
        self, hidden: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        db.execute("UPDATE team SET phone = '088 123 00 00'")
        client = sign_in("gwen")
        for path in (f"/meldingen/{hidden['supplement']}", f"/casussen/{hidden['case']}"):
            text = client.get(path).text
            assert "Er is een treffer in een afgeschermd dossier." in text
            assert "Contact: Naam van bram, Team Noord, 088 123 00 00" in text
            for name in ("first", "second", "third"):
                assert str(hidden[name]) not in text
        assert "treffer" not in sign_in("bram").get(f"/meldingen/{hidden['supplement']}").text

    def test_deciding_on_a_link_of_that_family_is_for_the_contact(
        self, hidden: dict[str, UUID], sign_in: Sign, world: Any
    ) -> None:
        other = world.link(hidden["supplement"], 2, uuid7(), "automatic", household=hidden["household"])
        answer = post(
            sign_in("gwen"), f"/meldingen/{hidden['supplement']}", f"/koppelingen/{other}", handeling="bevestigen"
        )
        assert answer.status_code == 409
        assert "Naam van bram" in answer.text


class TestKnowSomebody:
    def test_the_button_works_at_once(self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign) -> None:
        client = sign_in("gwen")
        page = f"/meldingen/{family['third']}/bescherming"
        assert page in client.get(f"/meldingen/{family['third']}").text
        assert "/bescherming" in client.get(f"/casussen/{family['case']}").text
        mention = re.search(r'name="(persoon-[0-9a-f-]+)"', client.get(page).text)
        assert mention
        answer = post(client, page, page, handeling="ken-ik", **{mention[1]: "1"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/wachtrij")
        for name in ("first", "second", "third"):
            assert client.get(f"/meldingen/{family[name]}").status_code == 404
        text = client.get("/wachtrij?team=alle").text
        assert "Afgeschermde melding, contact: Naam van te" in text

    def test_without_a_tick_the_form_says_so(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign
    ) -> None:
        page = f"/meldingen/{family['third']}/bescherming"
        answer = post(sign_in("gwen"), page, page, handeling="ken-ik")
        assert answer.status_code == 409
        assert "Kruis aan wie u kent." in answer.text

    def test_a_mention_of_another_report_is_not_taken(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        page = f"/meldingen/{family['third']}/bescherming"
        name = f"persoon-{mention_of(db, family['first'])}"
        assert post(sign_in("gwen"), page, page, handeling="ken-ik", **{name: "1"}).status_code == 409
        assert not db.execute("SELECT FROM exclusion").fetchall()


class TestRestricting:
    def test_from_the_person_in_a_report_to_the_list(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        client, page = sign_in("teun"), f"/meldingen/{family['third']}/bescherming"
        fields = {"handeling": "afschermen", "persoon": str(mention_of(db, family["third"]))}
        answer = post(client, page, page, **fields, collega="", reden="Kind van een collega.")
        assert answer.status_code == 400
        assert "Kind van een collega." in answer.text, "the typed text stays"
        answer = post(client, page, page, **fields, collega=str(people["bram"]), reden="Kind van een collega.")
        assert (answer.status_code, answer.headers["location"]) == (303, "/afgeschermd")
        assert client.get(f"/meldingen/{family['third']}").status_code == 404
        text = client.get("/afgeschermd").text
        assert "Contact: Naam van bram" in text
        assert "Voorbeeld" not in re.sub(r"Voorbeeldregio", "", text), "no name of a person concerned"

    def test_an_assessor_has_no_form_for_it_and_is_refused(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        client, page = sign_in("gwen"), f"/meldingen/{family['third']}/bescherming"
        assert "Dossier afschermen" not in client.get(page).text
        for act in ("afschermen", "uitsluiten"):
            fields = {"persoon": str(mention_of(db, family["third"])), "collega": str(people["gwen"]), "reden": "Ik."}
            assert post(client, page, page, handeling=act, **fields).status_code == 403

    def test_excluding_an_organisation(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, world: Any
    ) -> None:
        client, page = sign_in("teun"), f"/meldingen/{family['third']}/bescherming"
        answer = post(
            client, page, page, handeling="uitsluiten", persoon=str(mention_of(world.db, family["third"])),
            organisatie=str(world.local_team), reden="De ex werkt daar.",
        )  # fmt: skip
        assert answer.status_code == 303
        assert "Wijkteam Dal" in client.get("/afgeschermd").text


class TestKeeping:
    def test_the_contact_lets_a_colleague_in_and_puts_him_out(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        path = f"/afgeschermd/{hidden['restriction']}"
        fields = {"collega": str(people["gwen"]), "doel": "safety", "reden": "Werkt mee.", "welke": path[13:]}
        client = sign_in("bram")
        refused = post(client, "/afgeschermd", path, handeling="toegang", tot="", **fields)
        assert refused.status_code == 400
        assert "hoogstens 90 dagen" in refused.text
        assert "Werkt mee." in refused.text
        until = (local_day(datetime.now(UTC)) + timedelta(days=3)).isoformat()
        assert post(client, "/afgeschermd", path, handeling="toegang", tot=until, **fields).status_code == 303
        assert sign_in("gwen").get(f"/meldingen/{hidden['third']}").status_code == 200
        grant = db.execute("SELECT id FROM access_grant").fetchone()
        assert grant
        client = sign_in("bram")
        post(client, "/afgeschermd", path, handeling="intrekken", toegang=str(grant["id"]))
        assert sign_in("gwen").get(f"/meldingen/{hidden['third']}").status_code == 404

    def test_two_persons_lift_it(self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign) -> None:
        path = f"/afgeschermd/{hidden['restriction']}"
        client = sign_in("teun")
        assert post(client, "/afgeschermd", path, handeling="voorstellen", reden="").status_code == 400
        assert post(client, "/afgeschermd", path, handeling="voorstellen", reden="Niet nodig.").status_code == 303
        assert post(client, "/afgeschermd", path, handeling="opheffen").status_code == 403
        assert post(sign_in("petra"), "/afgeschermd", path, handeling="opheffen").status_code == 303
        assert sign_in("gwen").get(f"/meldingen/{hidden['third']}").status_code == 200

    def test_who_is_no_contact_sees_an_empty_list_and_changes_nothing(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        client, path = sign_in("gwen"), f"/afgeschermd/{hidden['restriction']}"
        assert "U bent van geen dossier het contact." in client.get("/afgeschermd").text
        token = re.search(r'name="formulier" value="([0-9a-f]+)"', client.get("/wachtrij").text)
        assert token
        fields = {"formulier": token[1], "collega": str(people["gwen"]), "doel": "safety", "reden": "Ik wil."}
        until = (local_day(datetime.now(UTC)) + timedelta(days=3)).isoformat()
        answer = client.post(path, data=fields | {"handeling": "toegang", "tot": until}, headers=OURS)
        assert answer.status_code == 404
        assert client.post(path, data=fields | {"handeling": "contact"}, headers=OURS).status_code == 403
        assert not db.execute("SELECT FROM access_grant").fetchall()

    def test_a_contact_who_is_away_hands_his_work_to_a_lead(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        client, until = sign_in("bram"), (local_day(datetime.now(UTC)) + timedelta(days=3)).isoformat()
        path = f"/afgeschermd/afwezig/{people['bram']}"
        assert post(client, "/afgeschermd", path, tot=until).status_code == 303
        assert "Afwezig tot en met" in client.get("/afgeschermd").text
        rows = db.execute(
            "SELECT DISTINCT s.role FROM task t JOIN staff s ON s.id = t.staff_id WHERE t.report_id = %s"
            " AND t.done_at IS NULL",
            (hidden["third"],),
        ).fetchall()
        assert rows == [{"role": "team_lead"}]
        assert post(sign_in("gwen"), "/wachtrij", path, tot="").status_code == 403

    def test_a_lead_makes_another_the_contact(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign
    ) -> None:
        path = f"/afgeschermd/{hidden['restriction']}"
        client = sign_in("tess")
        assert post(client, "/afgeschermd", path, handeling="contact", collega="").status_code == 400
        post(client, "/afgeschermd", path, handeling="contact", collega=str(people["gwen"]))
        assert sign_in("gwen").get(f"/meldingen/{hidden['third']}").status_code == 200
        assert sign_in("bram").get(f"/meldingen/{hidden['third']}").status_code == 404

    def test_an_exclusion_is_ended_by_another(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        client, page = sign_in("teun"), f"/meldingen/{family['third']}/bescherming"
        post(client, page, page, handeling="ken-ik", **{f"persoon-{mention_of(db, family['third'])}": "1"})
        exclusion = db.execute("SELECT id FROM exclusion").fetchone()
        assert exclusion
        path = f"/uitsluitingen/{exclusion['id']}"
        assert "Naam van teun" not in client.get("/afgeschermd").text.split("Uitsluitingen")[1]
        assert post(client, "/afgeschermd", path, reden="Toch niet.").status_code == 404
        petra = sign_in("petra")
        assert post(petra, "/afgeschermd", path, reden="").status_code == 400
        assert post(petra, "/afgeschermd", path, reden="Andere persoon.").status_code == 303
        assert sign_in("teun").get(f"/meldingen/{family['third']}").status_code == 200


class TestBreakGlass:
    def test_open_banner_stop(self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db) -> None:
        client, page = sign_in("gwen"), f"/noodinzage/{hidden['third']}"
        refused = post(client, page, page, code="", toelichting=EMERGENCY["toelichting"])
        assert refused.status_code == 400
        assert EMERGENCY["toelichting"] in refused.text
        answer = post(client, page, page, **EMERGENCY)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/meldingen/{hidden['third']}")
        for path in (f"/meldingen/{hidden['third']}", "/wachtrij", f"/casussen/{hidden['case']}"):
            text = client.get(path).text
            assert 'class="glass"' in text
            assert "Noodinzage" in text
        stop = re.search(r'action="(/noodinzage/[0-9a-f-]+/stop)"', text)
        assert stop
        assert post(client, "/wachtrij", stop[1]).status_code == 303
        assert client.get(f"/meldingen/{hidden['third']}").status_code == 404
        assert 'class="glass"' not in client.get("/wachtrij").text

    def test_a_lead_is_told_at_once(self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign) -> None:
        page = f"/noodinzage/{hidden['third']}"
        post(sign_in("gwen"), page, page, **EMERGENCY)
        assert "Noodinzage nakijken" not in sign_in("bram").get("/wachtrij?team=alle").text
        client = sign_in("teun")
        told = re.search(r'href="(/noodinzage/bericht/[0-9a-f-]+)"', client.get("/wachtrij?team=alle").text)
        assert told
        text = client.get(told[1]).text
        assert "Naam van gwen" in text
        assert EMERGENCY["toelichting"] in text
        assert sign_in("petra").get(told[1]).status_code == 200
        assert sign_in("gwen").get(told[1]).status_code == 403

    def test_where_nothing_is_hidden_there_is_no_such_page(
        self, family: dict[str, UUID], people: dict[str, UUID], sign_in: Sign
    ) -> None:
        client = sign_in("gwen")
        found, missing = (client.get(f"/noodinzage/{one}") for one in (family["third"], uuid7()))
        assert (found.status_code, found.content) == (missing.status_code, missing.content)
        assert found.status_code == 404

    def test_nobody_stops_that_of_another(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        page = f"/noodinzage/{hidden['third']}"
        post(sign_in("gwen"), page, page, **EMERGENCY)
        grant = db.execute("SELECT id FROM access_grant WHERE kind = 'break_glass'").fetchone()
        assert grant
        assert post(sign_in("tess"), "/wachtrij", f"/noodinzage/{grant['id']}/stop").status_code == 404

    def test_every_step_is_on_record(
        self, hidden: dict[str, UUID], people: dict[str, UUID], sign_in: Sign, db: Db
    ) -> None:
        page = f"/noodinzage/{hidden['third']}"
        client = sign_in("gwen")
        client.get(f"/meldingen/{hidden['third']}")
        post(client, page, page, **EMERGENCY)
        rows = db.execute("SELECT action, outcome FROM audit_entry WHERE actor = 'gwen' ORDER BY at").fetchall()
        assert [(row["action"], row["outcome"]) for row in rows] == [
            ("report.view", "refused"),
            ("break_glass.view", "ok"),
            ("grant.give", "ok"),
            ("break_glass.start", "ok"),
        ]
