"""Logins: names, passwords that are not guessed, and changes of rights that keep their reason."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from core import staff
from core.database import Db
from core.errors import Conflict, NotFound, SettingsError
from core.ids import uuid7
from core.settings import settings
from core.staff import (
    DEMO_LOGINS,
    ROLES,
    BadPassword,
    Member,
    add_staff,
    change,
    check_password,
    login_of,
    login_of_subject,
    look_up,
    password_problem,
    right_password,
    set_password,
)

GOOD = "zeven paarse olifanten"
TEUN = Member(UUID(int=1), UUID(int=2), "teun.lead", "Teun Teamleider", "team_lead")


@pytest.fixture
def region(db: Db) -> UUID:
    made = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeld', '00000099000000002001')", (made,))
    return made


def test_every_role_has_a_dutch_name_a_demo_login_and_a_place_in_the_database(db: Db, region: UUID) -> None:
    assert [login.role for login in DEMO_LOGINS] == list(ROLES)
    for role in ROLES:
        add_staff(db, region, f"een-{role}", "Iemand", role)  # type: ignore[arg-type]
    count = db.execute("SELECT count(DISTINCT role) AS n FROM staff").fetchone()
    assert count == {"n": len(ROLES)}


def test_a_user_name_is_one_list_for_all_regions_and_knows_no_capitals(db: Db, region: UUID) -> None:
    made = add_staff(db, region, "  Nora ", "Nora", "assessor", GOOD)
    with pytest.raises(Conflict):
        add_staff(db, region, "nora", "Een ander", "assessor", GOOD)
    login = look_up(db, " NORA\x00 ")
    assert login is not None
    assert login.member == Member(made, region, "nora", "Nora", "assessor")
    assert login_of(db, made) == login


def test_the_provider_names_one_login(db: Db, region: UUID) -> None:
    add_staff(db, region, "een", "Een", "assessor", oidc_subject="sub-1")
    with pytest.raises(Conflict):
        add_staff(db, region, "twee", "Twee", "assessor", oidc_subject="sub-1")
    found = login_of_subject(db, "sub-1")
    assert found is not None
    assert found.member.username == "een"
    assert login_of_subject(db, "sub-2") is None


def test_a_login_without_a_password_has_no_right_one_and_costs_the_same_work(
    db: Db, region: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_staff(db, region, "zonder", "Zonder", "assessor")
    checked: list[str] = []
    real = staff._verify
    monkeypatch.setattr(staff, "_verify", lambda known, typed: checked.append(known) or real(known, typed))
    for typed in ("", "None", GOOD):
        assert not right_password(look_up(db, "zonder"), typed)
    assert not right_password(None, GOOD)
    assert len(checked) == 4
    assert all(known.startswith("$argon2id$") for known in checked)


def test_a_blocked_login_has_no_right_password(db: Db, region: UUID) -> None:
    add_staff(db, region, "weg", "Weg", "assessor", GOOD)
    assert check_password(db, "weg", GOOD) is not None
    db.execute("UPDATE staff SET active = false")
    assert check_password(db, "weg", GOOD) is None


def test_an_old_hash_is_renewed_at_a_right_sign_in(db: Db, region: UUID) -> None:
    add_staff(db, region, "oud", "Oud", "assessor", GOOD)
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    db.execute("UPDATE staff SET password_hash = %s", (old,))
    assert check_password(db, "oud", "fout") is None
    assert look_up(db, "oud").password_hash == old  # type: ignore[union-attr]
    assert check_password(db, "oud", GOOD) is not None
    assert look_up(db, "oud").password_hash != old  # type: ignore[union-attr]
    assert check_password(db, "oud", GOOD) is not None


def test_a_stamp_changes_with_the_password(db: Db, region: UUID) -> None:
    add_staff(db, region, "een", "Een", "assessor")
    stamps = [look_up(db, "een").stamp]  # type: ignore[union-attr]
    member = look_up(db, "een").member  # type: ignore[union-attr]
    for password in (GOOD, GOOD + "!"):
        set_password(db, member, password)
        stamps.append(look_up(db, "een").stamp)  # type: ignore[union-attr]
    assert len(set(stamps)) == 3


@pytest.mark.parametrize(
    "password",
    [
        "kort",
        "elf tekens.",
        "x" * 201,
        "aaaaaaaaaaaaaaaa",
        "Wachtwoord2026!",
        "ik ben TEUN.LEAD zelf",
        "teamleider zijn",
    ],
)
def test_a_password_that_is_guessed_first_is_refused_with_a_reason(password: str) -> None:
    assert password_problem(password, TEUN)


@pytest.mark.parametrize(
    "password", [GOOD, "correct horse battery", "ÿéàöß ñandú ☃☃", "x8#Kq2!vR9zT", "a" * 5 + "bcdefgh jkl"]
)
def test_a_long_one_is_right_whatever_signs_it_has(password: str) -> None:
    assert password_problem(password, TEUN) is None


def test_a_weak_password_changes_nothing(db: Db, region: UUID) -> None:
    add_staff(db, region, "een", "Een", "assessor", GOOD)
    with pytest.raises(BadPassword):
        set_password(db, look_up(db, "een").member, "kort")  # type: ignore[union-attr]
    assert check_password(db, "een", GOOD) is not None


def test_a_change_of_rights_keeps_who_and_why_and_stays_in_the_region(db: Db, region: UUID) -> None:
    member = add_staff(db, region, "een", "Een", "assessor", GOOD)
    team, partner = uuid7(), uuid7()
    for made, name, kind in ((team, "Noord", "veilig_thuis"), (partner, "Wijkteam", "local_team")):
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (made, region, name, kind),
        )
    change(db, region, member, "team_lead", team, True, "Nieuwe functie", "fenna")
    assert look_up(db, "een").member.role == "team_lead"  # type: ignore[union-attr]
    row = db.execute("SELECT role, team_id, reason, changed_by FROM staff_change").fetchone()
    assert row == {"role": "team_lead", "team_id": team, "reason": "Nieuwe functie", "changed_by": "fenna"}
    wrong: list[tuple[Any, ...]] = [
        (uuid7(), member, "assessor", None),
        (region, uuid7(), "assessor", None),
        (region, member, "baas", None),
        (region, member, "assessor", partner),
        (region, member, "assessor", uuid7()),
    ]
    for place, who, role, where in wrong:
        with pytest.raises(NotFound):
            change(db, place, who, role, where, True, "x", "fenna")


def test_a_storm_of_sign_ins_takes_the_memory_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most, gate = 0, 0, threading.Lock()
    everybody = threading.Barrier(4)

    class Slow:
        def verify(self, known: str, typed: str) -> bool:
            nonlocal at_work, most
            with gate:
                at_work += 1
                most = max(most, at_work)
            everybody.wait(10)  # nobody goes on before four are at it
            with gate:
                at_work -= 1
            return True

    monkeypatch.setattr(staff, "_hasher", Slow())
    threads = [threading.Thread(target=staff._verify, args=("x", "y")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 4


def test_demo_is_for_this_machine_unless_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_HOST", "0.0.0.0")
    settings.cache_clear()
    with pytest.raises(SettingsError, match="VEILIG_DEMO_ON_NETWORK"):
        settings()
    monkeypatch.setenv("VEILIG_DEMO_ON_NETWORK", "yes")
    assert settings().demo
