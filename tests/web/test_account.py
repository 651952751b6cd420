"""My account, proving oneself again, and what a lead and an administrator do with the logins of others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import sign_up
from core.database import Db, present, transaction
from core.errors import Conflict, NotFound
from core.settings import settings
from tests.web.signing import (
    OURS,
    PASSWORD,
    code,
    give_app,
    login,
    outcomes,
    send_password,
    sign_in_wholly,
    token_in,
)
from web.access import sessions

Sign = Callable[..., Any]
PROOFS = "/mijn-account/bewijzen"


def send(client: Any, path: str, page: str = "/mijn-account", **fields: str) -> Any:
    token = token_in(client.get(page).text)
    return client.post(path, data={"formulier": token} | fields, headers=OURS)


def live(db: Db) -> int:
    row = db.execute("SELECT count(*) AS n FROM staff_session WHERE ended_at IS NULL").fetchone()
    assert row is not None
    return int(row["n"])


def as_web(token: str, query: Any) -> None:
    """What an attacker does who can send SQL of his own in this session."""
    with transaction("web") as web:
        present(web, sessions.key_of(token))
        web.execute(query)


def id_of(db: Db, username: str) -> UUID:
    return login(db, username).member.id


# ── my own ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_my_account_shows_my_sessions_and_who_tried_to_sign_in_as_me(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    other = world.staff("assessor")
    client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
    send_password(client, username, "fout")
    send_password(client, other, "fout")
    sign_in_wholly(client, db, username, secret)
    page = client.get("/mijn-account").text
    assert "Firefox op Windows" in page
    assert "deze sessie" in page
    assert page.count("<td>Mislukt</td>") == 1
    assert "Authenticator-app" in page
    assert outcomes(db, "account.view") == ["ok"]


def test_i_end_one_of_my_sessions_or_all_but_this_one(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    username = world.staff("team_lead")
    elsewhere = [sessions.start(db, id_of(db, username)) for _ in range(3)]
    sign_in(username)
    found = re.findall(r'name="sessie" value="([^"]+)"', client.get("/mijn-account").text)
    assert len(found) == len(elsewhere)
    assert send(client, "/mijn-account/sessies", sessie=found[0]).headers["location"] == "/mijn-account"
    assert live(db) == 3
    send(client, "/mijn-account/sessies")
    assert live(db) == 1
    assert client.get("/wachtrij").status_code == 200
    assert outcomes(db, "session.end_other") == ["ok", "ok"]


def test_i_end_no_session_of_another(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    other = world.staff("assessor")
    sessions.start(db, id_of(db, other))
    theirs = db.execute("SELECT id FROM staff_session").fetchone()
    assert theirs is not None
    sign_in(world.staff("team_lead"))
    assert str(theirs["id"]) not in client.get("/mijn-account").text
    assert send(client, "/mijn-account/sessies", sessie=str(theirs["id"])).status_code == 303
    assert send(client, "/mijn-account/sessies", sessie="geen-id").status_code == 404
    assert live(db) == 2


def test_a_change_of_role_works_at_the_next_request(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    username = world.staff("team_lead")
    sign_in(username)
    assert client.get("/overzicht").status_code == 200
    db.execute("UPDATE staff SET role = 'intake_worker' WHERE username = %s", (username,))
    assert client.get("/overzicht").status_code == 403


# ── proving oneself again ────────────────────────────────────────────────────────────────────────────────────


def test_what_changes_a_proof_asks_for_one_and_the_session_goes_on_under_another_token(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in(username, stepped_up=False)
    before = client.cookies["__Host-veilig"]
    assert client.get(PROOFS).headers["location"] == f"/bevestigen?naar={PROOFS.replace('/', '%2F')}"
    page = client.get(f"/bevestigen?naar={PROOFS}")
    assert page.status_code == 200
    proof = {"naar": PROOFS, "wachtwoord": PASSWORD, "code": code(secret)}
    answer = send(client, "/bevestigen", **proof)
    assert answer.headers["location"] == PROOFS
    after = client.cookies["__Host-veilig"]
    assert after != before
    assert client.get(PROOFS).status_code == 200
    client.cookies.clear()
    client.cookies.set("__Host-veilig", before, domain="testserver.local")
    assert client.get("/wachtrij").headers["location"] == "/inloggen"
    assert live(db) == 1
    assert outcomes(db, "session.step_up") == ["ok"]


@pytest.mark.parametrize("wrong", [{"wachtwoord": "fout"}, {"code": "000000"}, {"code": ""}, {"sleutel": "{}"}])
def test_half_a_proof_is_none_and_is_written_down(
    client: Any, world: Any, sign_in: Sign, db: Db, wrong: dict[str, str]
) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in(username, stepped_up=False)
    proof = {"naar": "/wachtrij", "wachtwoord": PASSWORD, "code": code(secret)} | wrong
    answer = send(client, "/bevestigen", **proof)
    assert answer.headers["location"] == "/bevestigen?naar=%2Fwachtrij&mis=fout"
    assert "klopt niet" in client.get(answer.headers["location"]).text
    assert client.get(PROOFS).status_code == 303
    assert outcomes(db, "session.start") == ["refused"]


def test_a_proof_is_guessed_as_slowly_as_a_sign_in(
    client: Any, world: Any, sign_in: Sign, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_SIGN_IN_FIRST_WAIT_SECONDS", "60")
    settings.cache_clear()
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in(username, stepped_up=False)
    missed = [send(client, "/bevestigen", wachtwoord="fout").headers["location"][-5:] for _ in range(6)]
    assert missed == ["=fout"] * 5 + ["wacht"]
    right = send(client, "/bevestigen", wachtwoord=PASSWORD, code=code(secret))
    assert right.headers["location"].endswith("mis=wacht")


def test_without_a_second_factor_nobody_proves_himself_by_the_password_alone(
    client: Any, world: Any, sign_in: Sign
) -> None:
    sign_in(world.staff("team_lead"), stepped_up=False)
    answer = send(client, "/bevestigen", naar="/", wachtwoord=PASSWORD)
    assert answer.headers["location"].endswith("mis=fout")


def test_after_a_proof_one_goes_to_our_own_pages_only(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in(username)
    assert "elders.example" not in client.get("/bevestigen?naar=//elders.example").text
    proof = {"naar": "https://elders.example", "wachtwoord": PASSWORD, "code": code(secret)}
    assert send(client, "/bevestigen", **proof).headers["location"] == "/"


# ── my proofs ────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_password_ends_my_other_sessions(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    username = world.staff("team_lead")
    sessions.start(db, id_of(db, username))
    sign_in(username)
    new = {"handeling": "wachtwoord", "nieuw": "zeven paarse olifanten", "nogmaals": "zeven paarse olifanten"}
    wrong = send(client, PROOFS, PROOFS, wachtwoord="fout", **new)
    assert wrong.status_code == 400
    assert "huidige wachtwoord klopt niet" in wrong.text
    unequal = send(client, PROOFS, PROOFS, wachtwoord=PASSWORD, **(new | {"nogmaals": "iets anders"}))
    assert "niet gelijk" in unequal.text
    weak = send(client, PROOFS, PROOFS, wachtwoord=PASSWORD, **(new | {"nieuw": "kort", "nogmaals": "kort"}))
    assert "ten minste 12" in weak.text
    assert live(db) == 2
    assert send(client, PROOFS, PROOFS, wachtwoord=PASSWORD, **new).headers["location"] == "/mijn-account"
    assert live(db) == 1
    assert client.get("/wachtrij").status_code == 200
    client.cookies.clear()
    assert send_password(client, username).status_code == 403
    assert send_password(client, username, "zeven paarse olifanten").status_code == 303
    assert outcomes(db, "password.change") == ["ok"]


def test_i_add_an_app_and_take_the_old_one_away_but_never_the_last(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    username = world.staff("team_lead")
    give_app(db, username)
    sign_in(username)
    assert "Verwijder" not in client.get(PROOFS).text
    assert send(client, PROOFS, PROOFS, handeling="app").headers["location"] == PROOFS
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", client.get(PROOFS).text)
    assert secret is not None
    assert send(client, PROOFS, PROOFS, handeling="app_code", code="x").status_code == 400
    typed = code(secret[1].replace(" ", ""))
    assert send(client, PROOFS, PROOFS, handeling="app_code", code=typed).headers["location"] == "/mijn-account"
    first, second = re.findall(r'name="factor" value="([^"]+)"', client.get(PROOFS).text)
    assert send(client, PROOFS, PROOFS, handeling="einde", factor=first).headers["location"] == "/mijn-account"
    assert send(client, PROOFS, PROOFS, handeling="einde", factor=second).status_code == 400
    assert outcomes(db, "factor.end") == ["ok"]


# ── what the database lets a screen do ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        "SELECT password_hash FROM staff",
        "SELECT secret FROM second_factor",
        "SELECT public_key FROM second_factor",
        "SELECT code_hash FROM sign_up",
        "SELECT token_hash FROM sign_up",
        "SELECT * FROM staff_device",
        "SELECT * FROM spent_ticket",
        "UPDATE staff_session SET stepped_up_until = now() + interval '1 day'",
        "UPDATE staff_session SET ends_at = now() + interval '1 day'",
        "UPDATE staff SET password_hash = 'x'",
        "INSERT INTO second_factor (id) VALUES (gen_random_uuid())",
        "INSERT INTO staff_session (token_hash) VALUES ('x')",
        "SELECT managed_member(gen_random_uuid())",
    ],
)
def test_no_screen_reads_or_makes_a_proof_even_by_injected_sql(world: Any, db: Db, query: str) -> None:
    token = sessions.start(db, id_of(db, world.staff("administrator")))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_web(token, query)


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "privacy_officer", "auditor"])
def test_who_manages_nobody_changes_nobody_even_by_injected_sql(world: Any, db: Db, role: str) -> None:
    me, other = id_of(db, world.staff(role)), id_of(db, world.staff("team_lead"))
    sessions.start(db, other)
    token = sessions.start(db, me)
    with transaction("web") as web:
        present(web, sessions.key_of(token))
        assert web.execute("UPDATE staff SET role = 'team_lead', active = false").rowcount == 0
        assert web.execute("UPDATE staff_session SET ended_at = now() WHERE staff_id <> %s", (me,)).rowcount == 0
        assert web.execute("SELECT * FROM staff_overview()").fetchall() == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_web(token, f"SELECT end_sessions_of('{other}')")


def test_an_administrator_does_not_change_himself_even_by_injected_sql(world: Any, db: Db) -> None:
    token = sessions.start(db, id_of(db, world.staff("administrator")))
    with transaction("web") as web:
        present(web, sessions.key_of(token))
        assert web.execute("UPDATE staff SET role = 'assessor'").rowcount == 0


# ── the members of staff ─────────────────────────────────────────────────────────────────────────────────────


def test_an_administrator_adds_a_member_who_gets_in_with_link_and_code(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    sign_in(world.staff("administrator"))
    member = {"naam": "Nora Nieuw", "gebruikersnaam": "Nora", "rol": "assessor", "team": str(world.team)}
    page = send(client, "/medewerkers", "/medewerkers", **member)
    assert page.status_code == 200
    path, shown = re.findall(r"<code[^>]*>([^<]+)</code>", page.text)
    row = db.execute("SELECT role, team_id, password_hash FROM staff WHERE username = 'nora'").fetchone()
    assert row == {"role": "assessor", "team_id": world.team, "password_hash": None}
    client.cookies.clear()
    body = {"code": shown, "wachtwoord": "zeven paarse olifanten", "nogmaals": "zeven paarse olifanten"}
    assert client.post(path, data=body, headers=OURS).headers["location"] == "/inloggen/instellen"
    assert outcomes(db, "staff.add") == ["ok"]
    assert outcomes(db, "staff.invite") == ["ok"]


def test_a_member_without_name_role_or_with_a_taken_name_is_told_beside_the_field(
    client: Any, world: Any, sign_in: Sign
) -> None:
    taken = world.staff("assessor")
    sign_in(world.staff("administrator"))
    empty = send(client, "/medewerkers", "/medewerkers", naam="  ", rol="baas", gebruikersnaam="a b")
    assert empty.status_code == 400
    assert 'id="fout-naam"' in empty.text
    assert 'id="fout-rol"' in empty.text
    assert 'value="a b"' in empty.text
    again = send(client, "/medewerkers", "/medewerkers", naam="X", rol="assessor", gebruikersnaam=taken)
    assert again.status_code == 409
    assert "bestaat al" in again.text


def test_a_change_needs_a_reason_and_its_history_stays(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    other = world.staff("assessor")
    path = f"/medewerkers/{id_of(db, other)}"
    sign_in(world.staff("administrator"))
    assert send(client, f"{path}/rechten", path, rol="team_lead", reden=" ").status_code == 409
    assert send(client, f"{path}/rechten", path, rol="team_lead", reden="Nieuwe functie").headers["location"] == path
    assert login(db, other).member.role == "team_lead"
    assert "Nieuwe functie" in client.get(path).text
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        db.execute("UPDATE staff_change SET reason = 'anders'")
    assert send(client, f"{path}/rechten", path, rol="baas", reden="x").status_code == 404


def test_blocking_ends_every_session_at_once_and_keeps_out(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    other = world.staff("assessor")
    token = sessions.start(db, id_of(db, other))
    path = f"/medewerkers/{id_of(db, other)}"
    sign_in(world.staff("team_lead"))
    assert send(client, f"{path}/blokkeren", path, reden="Uit dienst").headers["location"] == path
    assert live(db) == 1
    client.cookies.clear()
    client.cookies.set("__Host-veilig", token, domain="testserver.local")
    assert client.get("/wachtrij").headers["location"] == "/inloggen"
    assert send_password(client, other).status_code == 403
    assert outcomes(db, "staff.end_sessions") == ["ok"]


def test_a_lead_acts_in_his_own_team_and_never_on_who_watches_him(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    lead, inside, outside = (world.staff(role, role) for role in ("team_lead", "assessor", "intake_worker"))
    admin, privacy = world.staff("administrator"), world.staff("privacy_officer")
    db.execute("UPDATE staff SET team_id = %s WHERE username = ANY(%s)", (world.team, [lead, inside, privacy]))
    sign_in(lead)
    answers = {
        name: send(client, f"/medewerkers/{id_of(db, name)}/sessies").status_code
        for name in (inside, outside, admin, privacy, lead)
    }
    assert answers == {inside: 303, outside: 403, admin: 403, privacy: 403, lead: 403}
    assert send(client, f"/medewerkers/{id_of(db, inside)}/rechten", reden="x").status_code == 403


def test_a_member_of_another_region_does_not_exist(
    client: Any, new_world: Callable[[], Any], sign_in: Sign, db: Db
) -> None:
    ours, theirs = new_world(), new_world()
    other = id_of(db, theirs.staff("assessor"))
    sign_in(ours.staff("administrator"))
    assert client.get(f"/medewerkers/{other}").status_code == 404
    assert send(client, f"/medewerkers/{other}/blokkeren", reden="x").status_code == 404


# ── recovery by two persons ──────────────────────────────────────────────────────────────────────────────────


def test_a_recovery_takes_two_persons_and_the_member_is_told(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    kwijt = world.staff("assessor", "kwijt")
    give_app(db, kwijt)
    sessions.start(db, id_of(db, kwijt))
    sign_in(world.staff("administrator"))
    path = f"/medewerkers/{id_of(db, kwijt)}"
    begun = send(client, f"{path}/herstellen", path, reden="Telefoon verloren, gezien aan de balie")
    (shown,) = re.findall(r"<code>(\d{8})</code>", begun.text)
    assert "/aanmelden/" not in begun.text
    assert live(db) == 2
    reset = db.execute("SELECT id FROM sign_in_reset").fetchone()
    assert reset is not None
    confirm = f"/medewerkers/herstel/{reset['id']}/bevestigen"
    assert send(client, confirm).status_code == 409
    sign_in(world.staff("team_lead"))
    assert confirm in client.get("/medewerkers").text
    confirmed = send(client, confirm)
    (link,) = re.findall(r"<code[^>]*>(/aanmelden/[^<]+)</code>", confirmed.text)
    assert shown not in confirmed.text
    row = db.execute("SELECT password_hash FROM staff WHERE username = 'kwijt'").fetchone()
    assert row == {"password_hash": None}
    assert db.execute("SELECT FROM second_factor WHERE ended_at IS NULL").fetchall() == []
    assert live(db) == 2  # the two who did it
    client.cookies.clear()
    assert send_password(client, kwijt).status_code == 403
    body = {"code": shown, "wachtwoord": "zeven paarse olifanten", "nogmaals": "zeven paarse olifanten"}
    assert client.post(link, data=body, headers=OURS).headers["location"] == "/inloggen/instellen"
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", client.get("/inloggen/instellen").text)
    assert secret is not None
    typed = {"code": code(secret[1].replace(" ", ""))}
    told = client.post("/inloggen/instellen", data=typed, headers=OURS)
    assert told.headers["location"] == "/mijn-account"
    page = client.get("/mijn-account").text
    assert "Uw inlog is hersteld" in page
    assert "Telefoon verloren" in page
    send(client, "/mijn-account/gezien")
    assert "Uw inlog is hersteld" not in client.get("/mijn-account").text
    assert outcomes(db, "staff.confirm_reset") == ["ok"]


def test_nobody_recovers_himself_confirms_his_own_or_confirms_twice(world: Any, db: Db) -> None:
    one, two, three = (id_of(db, world.staff("administrator", name)) for name in ("een", "twee", "drie"))
    with pytest.raises(Conflict):
        sign_up.start_reset(db, world.region, one, "reden", one, "een")
    sign_up.start_reset(db, world.region, one, "reden", two, "twee")
    reset = db.execute("SELECT id FROM sign_in_reset").fetchone()
    assert reset is not None
    for who in (one, two):
        with pytest.raises(Conflict):
            sign_up.confirm_reset(db, world.region, reset["id"], who, "x")
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute("UPDATE sign_in_reset SET confirmed_by = %s, confirmed_at = now(), ended_at = now()", (who,))
    with transaction("web") as web:
        present(web, sessions.key_of(sessions.start(db, three)))
        assert sign_up.confirm_reset(web, world.region, reset["id"], three, "drie").startswith("/aanmelden/")
    with pytest.raises(NotFound):
        sign_up.confirm_reset(db, world.region, reset["id"], three, "drie")


def test_a_recovery_that_nobody_confirms_runs_out(world: Any, db: Db) -> None:
    one, two, three = (id_of(db, world.staff("administrator", name)) for name in ("een", "twee", "drie"))
    sign_up.start_reset(db, world.region, one, "reden", two, "twee")
    db.execute("UPDATE sign_in_reset SET ends_at = now() - interval '1 second'")
    reset = db.execute("SELECT id FROM sign_in_reset").fetchone()
    assert reset is not None
    with pytest.raises(NotFound):
        sign_up.confirm_reset(db, world.region, reset["id"], three, "drie")
