"""Who gets in: sign-in, sessions, rights, forged forms, and the wall around each region."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from core.staff import DEMO_LOGINS, ROLES, check_password, ensure_demo_staff
from web import navigation
from web.access.guard import ACTIONS
from web.access.matrix import matrix, may
from web.app import create_app

OURS = {"sec-fetch-site": "same-origin"}
PASSWORD = "een lang wachtwoord"
PARTNER = {"/partner", "/partner/antwoord", "/partner/{token}"}
"""The doors of a partner: they have a visit of their own (test_partner.py), never a session of staff."""
SENDER = {"/aansluiting", "/aansluiting/token", "/aansluiting/seintje", "/aansluiting/einde"}
"""The doors of a sender: a visit of its own too (test_sender.py)."""
SIGNING_IN = {
    "/inloggen",
    "/inloggen/code",
    "/inloggen/instellen",
    "/inloggen/passkey",
    "/inloggen/extern",
    "/inloggen/terug",
    "/aanmelden/{token}",
}
"""The doors of who has no session yet (test_sign_in.py, test_second_factor.py, test_oidc.py)."""
FORMS = {
    "/melden-beroepskracht",
    "/melden-beroepskracht/apotheek",
    "/melden-beroepskracht/sluiten",
    "/melden-beroepskracht/ontvangen",
    "/melden-beroepskracht/ontvangen/bewijs",
    "/melden-beroepskracht/persoon/{nummer}",
    "/melden-beroepskracht/{stap}",
}
"""The form of a professional: it has a visit of its own (test_professional.py)."""
CITIZEN = {"/contact", "/contact/stijl.css", "/contact/pagina.js", "/weg"}
"""The form for everybody: no session, no cookie (test_citizen.py)."""
METADATA = "/.well-known/oauth-authorization-server"
OPEN = {"/", "/static/{name}", "/health/live", "/health/ready", METADATA}
OPEN |= PARTNER | SENDER | FORMS | CITIZEN | SIGNING_IN
Sign = Callable[[str], Any]
WEB = Path(__file__).parents[2] / "web"
SOURCES = "".join(file.read_text("utf-8") for file in [*WEB.rglob("*.py"), *WEB.rglob("*.html")]).replace("'", '"')


def walk(routes: list[BaseRoute], before: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path of the route table."""
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(list(route.routes), before + route.path)
        elif isinstance(route, Route):
            for method in sorted(route.methods or ()):
                yield method, before + route.path


def screens(app: Starlette) -> list[tuple[str, str]]:
    found = [(method, path) for method, path in walk(app.routes) if not path.startswith("/api/") and path not in OPEN]
    assert len(found) > 12
    return found


def concrete(path: str) -> str:
    return re.sub(r"\{[a-z]+\}", lambda _: str(uuid7()), path)


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def audit_rows(db: Db, action: str) -> list[dict[str, Any]]:
    return db.execute("SELECT * FROM audit_entry WHERE action = %s ORDER BY at", (action,)).fetchall()


def test_what_is_open_is_a_route_that_there_is(client: Any) -> None:
    assert {path for _, path in walk(client.app.routes)} >= OPEN


def test_without_a_visit_the_doors_of_a_partner_show_and_change_nothing(client: Any, db: Db) -> None:
    for method, path in walk(client.app.routes):
        if path in PARTNER:
            answer = client.request(method, concrete(path), headers=OURS)
            form_for_the_code = method != "POST" and path == "/partner/{token}"
            assert answer.status_code in ((200,) if form_for_the_code else (403, 404)), (method, path)
    assert db.execute("SELECT FROM audit_entry WHERE action LIKE 'handover.%'").fetchall() == []


def test_without_a_visit_the_doors_of_a_sender_show_and_change_nothing(client: Any, db: Db) -> None:
    for method, path in walk(client.app.routes):
        if path in SENDER:
            answer = client.request(method, path, headers=OURS)
            assert answer.status_code == (403 if method == "POST" else 200), (method, path)
            assert method == "HEAD" or "client_secret" in answer.text or answer.status_code == 403
    rows = db.execute("SELECT action, outcome FROM audit_entry WHERE action LIKE 'sender.%'").fetchall()
    assert rows == [{"action": "sender.enter", "outcome": "refused"}]


def test_every_screen_without_a_session_goes_to_the_sign_in_page(client: Any) -> None:
    for method, path in screens(client.app):
        answer = client.request(method, concrete(path), headers=OURS)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/inloggen"), (method, path)


def test_every_form_without_its_token_is_refused(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    forms = [path for method, path in screens(client.app) if method == "POST"]
    assert len(forms) >= 5
    for path in forms:
        assert client.post(concrete(path), headers=OURS).status_code == 403, path
        assert client.post(concrete(path), headers=OURS, data={"formulier": "0" * 64}).status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "https://elders.example"},
        {"origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_the_token(
    client: Any, world: Any, sign_in: Sign, headers: dict[str, str]
) -> None:
    sign_in(world.staff("team_lead"))
    token = token_in(client.get("/wachtrij").text)
    assert client.post("/uitloggen", data={"formulier": token}, headers=headers).status_code == 403
    assert client.get("/wachtrij").status_code == 200
    body = {"gebruikersnaam": "team_lead1", "wachtwoord": PASSWORD}
    client.cookies.clear()
    assert client.post("/inloggen", data=body, headers=headers).status_code == 403
    assert not client.cookies


def test_a_browser_without_fetch_metadata_is_believed_by_its_origin(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    token = token_in(client.get("/wachtrij").text)
    answer = client.post("/uitloggen", data={"formulier": token}, headers={"origin": "https://testserver"})
    assert answer.status_code == 303


def test_signing_out_ends_the_session_on_the_server(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    kept = dict(client.cookies)
    token = token_in(client.get("/wachtrij").text)
    assert client.post("/uitloggen", data={"formulier": token}, headers=OURS).status_code == 303
    client.cookies.update(kept)
    assert client.get("/wachtrij").headers["location"] == "/inloggen"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE staff_session SET idle_until = now() - interval '1 second'",
        "UPDATE staff_session SET ends_at = now() - interval '1 second'",
        "UPDATE staff_session SET ended_at = now()",
        "UPDATE staff SET active = false",
    ],
)
def test_a_session_ends_by_idleness_by_age_by_sign_out_and_with_the_login(
    client: Any, world: Any, sign_in: Sign, db: Db, change: str
) -> None:
    sign_in(world.staff("team_lead"))
    assert client.get("/wachtrij").status_code == 200
    db.execute(change)
    assert client.get("/wachtrij").headers["location"] == "/inloggen"


def test_being_seen_keeps_a_session_alive(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    sign_in(world.staff("team_lead"))
    db.execute("UPDATE staff_session SET seen_at = now() - interval '29 minutes'")
    assert client.get("/wachtrij").status_code == 200
    row = db.execute("SELECT now() - seen_at < interval '1 minute' AS fresh FROM staff_session").fetchone()
    assert row == {"fresh": True}


def test_the_database_holds_no_token(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    sign_in(world.staff("assessor"))
    token = client.cookies["__Host-veilig"]
    row = db.execute("SELECT * FROM staff_session").fetchone()
    assert row is not None
    assert token not in str(row)


def test_unknown_name_wrong_password_and_closed_login_look_the_same(client: Any, world: Any, db: Db) -> None:
    known, closed = world.staff("assessor", "bestaat"), world.staff("assessor", "weg")
    db.execute("UPDATE staff SET active = false WHERE username = 'weg'")
    answers = [
        client.post("/inloggen", data={"gebruikersnaam": name, "wachtwoord": password}, headers=OURS)
        for name, password in (
            (known, "fout"),
            ("onbekend", "fout"),
            (closed, PASSWORD),
            (known, PASSWORD + "x" * 400),
        )
    ]
    assert {answer.status_code for answer in answers} == {403}
    names = (known, "onbekend", closed, known)
    assert len({answer.text.replace(name, "") for answer, name in zip(answers, names, strict=True)}) == 1
    assert [row["outcome"] for row in audit_rows(db, "session.start")] == ["refused"] * 4
    assert "fout" not in str(audit_rows(db, "session.start"))


def test_an_unknown_name_costs_a_password_check_too(db: Db, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.staff as staff

    checked: list[str] = []
    real = staff._verify
    monkeypatch.setattr(staff, "_verify", lambda known, typed: checked.append(known) or real(known, typed))
    assert check_password(db, "niemand", "geheim") is None
    assert check_password(db, world.staff("assessor"), "geheim") is None
    assert len(checked) == 2
    assert all(known.startswith("$argon2id$") for known in checked)


def test_demo_logins_exist_once_and_cover_every_role(db: Db, world: Any) -> None:
    ensure_demo_staff(db, world.region)
    ensure_demo_staff(db, world.region)
    assert {login.role for login in DEMO_LOGINS} == set(ROLES)
    for login in DEMO_LOGINS:
        member = check_password(db, login.username, login.password)
        assert member is not None
        assert (member.role, member.region) == (login.role, world.region)


def test_demo_logins_are_named_in_demo_mode_only(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "demo-ilse" not in client.get("/inloggen").text
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()
    page = client.get("/inloggen").text
    assert "demo-ilse" in page
    assert "verzonnen" in page


def test_the_matrix_knows_every_role_and_denies_what_it_does_not_name() -> None:
    assert set().union(*matrix().actions.values()) == set(ROLES)
    assert set().union(*matrix().fields.values()) == set(ROLES) - {"auditor", "administrator"}
    assert not any(may(role, "report.destroy") for role in ROLES)
    assert not may("onbekend", "queue.view")
    assert [role for role in ROLES if may(role, "job.redrive")] == ["team_lead"]


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_reaches_exactly_what_the_matrix_says(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, role: str
) -> None:
    pages = {
        "queue.view": "/wachtrij",
        "report.view": f"/meldingen/{family['third']}",
        **{
            f"{right}.view": f"/meldingen/{family['third']}/{path}"
            for right, path in (
                ("acute", "acuut"),
                ("assessment", "beoordeling"),
                ("watch", "zicht"),
                ("terms", "termijnen"),
                ("notices", "betrokkenen"),
                ("handover", "overdracht"),
                ("service", "traject"),
                ("feedback", "terugkoppeling"),
                ("monitoring", "monitoring"),
                ("forwarding", "doorsturen"),
            )
        },
        "overview.view": "/overzicht",
        "case.view": f"/casussen/{family['case']}",
        "quarantine.list": "/quarantaine",
        "quarantine.view": f"/quarantaine/{family['quarantine']}",
        "job.view": f"/taken/{family['job']}",
    }
    sign_in(world.staff(role))
    for action, path in pages.items():
        assert client.get(path).status_code == (200 if may(role, action) else 403), action
    token = token_in(client.get("/mijn-account").text)
    forms = {
        # Without a version of the questions it is a form of another version, and so never mixed in.
        "assessment.write": (f"/meldingen/{family['third']}/beoordeling", 409),
        "assessment.revise": (f"/meldingen/{family['second']}/beoordeling/herzien", 400),
        "acute.act": (f"/meldingen/{family['third']}/acuut", 400),
        "quarantine.resolve": (f"/quarantaine/{family['quarantine']}/afhandelen", 400),
        "link.decide": (f"/koppelingen/{family['automatic']}", 400),
    }
    for action, (path, wrong) in forms.items():
        # An empty form is a wrong form for who may send it, and refused for who may not.
        answer = client.post(path, data={"formulier": token}, headers=OURS)
        assert answer.status_code == (wrong if may(role, action) else 403), action


@pytest.mark.parametrize("role", list(ROLES))
def test_every_screen_is_open_to_exactly_the_roles_of_the_matrix(
    client: Any, world: Any, sign_in: Sign, role: str
) -> None:
    """Each route of the application with a number that is nobody's: refused by role, or not."""
    sign_in(world.staff(role))
    token = token_in(client.get("/mijn-account").text)
    walked = {(method, path) for method, path in (*screens(client.app), ("GET", "/")) if method != "HEAD"}
    assert walked == ACTIONS.keys()
    assert len(walked) > 100
    for method, path in sorted(walked):
        action = ACTIONS[method, path]
        if action == "session.end":
            continue  # test_signing_out_ends_the_session_on_the_server
        answer = client.request(method, concrete(path), headers=OURS, data={"formulier": token})
        refused = answer.status_code == 403 and "Uw rol mag dit niet." in answer.text
        assert refused == (not may(role, action)), (method, path, action, answer.status_code)


def test_every_action_of_the_matrix_is_asked_somewhere() -> None:
    # What is asked inside a page, for a part of it or a button.
    inside = {action for action in matrix().actions if f'"{action}"' in SOURCES}
    assert matrix().actions.keys() == {*ACTIONS.values()} | inside


AT_WORK = ["/wachtrij", "/koppelvoorstellen", "/zoeken", "/uitgaand", "/quarantaine", "/kwaliteit/steekproef"]
MENU = {
    "intake_worker": AT_WORK,
    "assessor": AT_WORK,
    "behavioural_scientist": AT_WORK,
    "trusted_physician": ["/wachtrij", "/zoeken"],
    "team_lead": [
        "/wachtrij",
        "/overzicht",
        "/koppelvoorstellen",
        "/zoeken",
        "/afgeschermd",
        "/uitgaand",
        "/quarantaine",
        "/kwaliteit",
        "/bewaartermijnen",
    ],
    "privacy_officer": ["/afgeschermd", "/uitgaand", "/logcontrole", "/bewaartermijnen"],
    "auditor": ["/logcontrole"],
    "administrator": ["/wachtrij", "/kwaliteit", "/medewerkers"],
}


@pytest.mark.parametrize("role", list(ROLES))
def test_the_menu_holds_what_a_role_may_open(client: Any, world: Any, sign_in: Sign, role: str) -> None:
    sign_in(world.staff(role))
    menu = client.get("/mijn-account").text.split('aria-label="Hoofdmenu"')[1].split("</nav>")[0]
    shown = [part.split('"')[0] for part in menu.split('href="')[1:]]
    groups = navigation.menu(lambda action: may(role, action), "")
    assert shown == [one.path for group in groups for one in group.entries]
    assert set(MENU[role]) <= set(shown), "at least the work of this role"
    for path in shown:
        page = client.get(path)
        assert page.status_code == 200, path
        current = page.text.split('aria-label="Hoofdmenu"')[1].split("</nav>")[0]
        assert current.count('aria-current="true"') == 1
        assert f'<a href="{path}" aria-current="true">' in current


AREAS = (
    "notities",
    "bijlagen",
    "acuut",
    "beoordeling",
    "zicht",
    "termijnen",
    "betrokkenen",
    "overdracht",
    "traject",
    "terugkoppeling",
    "monitoring",
    "doorsturen",
    "kluis",
    "afscherming",
    "herleidbaar",
    "bescherming",
    "rechten",
    "zoeken",
)


def test_every_area_of_a_report_is_in_these_walks(client: Any) -> None:
    found = {path.removeprefix("/meldingen/{id}/") for method, path in screens(client.app) if method == "GET"}
    assert {area for area in found if not area.startswith("/") and "/" not in area} == {*AREAS, "bericht", "live"}


def test_another_region_and_nothing_at_all_are_the_same_page(
    client: Any, new_world: Callable[[], Any], sign_in: Sign, db: Db
) -> None:
    ours, theirs = new_world(), new_world()
    at = datetime.now(UTC)
    household, case = theirs.household(at)
    report = theirs.report(at, household=household, case=case)
    hidden = {
        "/meldingen/{}": report,
        "/meldingen/{}/bericht": report,
        **{f"/meldingen/{{}}/{area}": report for area in AREAS},
        "/casussen/{}": case,
        "/quarantaine/{}": theirs.quarantine(at, b"x"),
        "/taken/{}": theirs.dead_job(report),
    }
    sign_in(ours.staff("team_lead"))
    for path, object_id in hidden.items():
        answers = [client.get(path.format(one)) for one in (object_id, uuid7(), "geen-id")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(answer.headers.items()) for answer in answers}) == 1
    token = token_in(client.get("/wachtrij").text)
    link = theirs.link(report, 1, uuid7(), "automatic")
    for path in (f"/meldingen/{report}/beoordeling", f"/koppelingen/{link}", f"/taken/{hidden['/taken/{}']}/opnieuw"):
        assert client.post(path, data={"formulier": token, "handeling": "ongedaan"}, headers=OURS).status_code == 404
    assert "0</b> open" in client.get("/wachtrij").text
    refused = db.execute("SELECT count(*) AS n FROM audit_entry WHERE outcome = 'refused'").fetchone()
    assert refused == {"n": 3 * len(hidden) + 3}


def test_no_screen_query_forgets_the_region() -> None:
    """Every query of the dossier and the queue names region_id; the ledger hangs on a deadline that did."""
    import radar.casework.dossier as dossier

    source = Path(str(dossier.__file__)).read_text("utf-8")
    functions = source.split("\ndef ")[1:]
    without = [text.split("(")[0] for text in functions if "region_id" not in text]
    assert without == ["ledger"]


def test_the_app_starts_without_a_database() -> None:
    assert create_app().routes
