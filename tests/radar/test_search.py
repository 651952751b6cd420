"""Searching for persons: what may be searched with, spelling, what is hidden, quota, and what is noticed after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import sealing
from core.database import Db, connection_options, now
from core.errors import NotFound, SettingsError
from core.ids import uuid7
from core.settings import settings as product_settings
from radar.linking.rules import load
from radar.protection import whereabouts
from radar.search import policy, rows, searches, watch
from radar.search.find import Found, find
from radar.search.searches import Context, Expired
from radar.search.terms import LONGEST, Terms, TermsRefused
from tests.radar.test_hard_cases import CASES, Case, Person, Region, address, one_database, prepared
from tests.radar.test_linking_properties import PEOPLE, only_year
from web.access import sessions
from workers.engines import EmbeddedPostgres

RULES = load()
CALL = Context("safety", note="De huisarts belt over het gezin.")
JAN = {"given": "Jan", "surname": "Voorbeeld", "birth_year": "1980"}


def terms(**form: str) -> Terms:
    return Terms.read(form, RULES)


def refused(**form: str) -> dict[str, str]:
    with pytest.raises(TermsRefused) as caught:
        terms(**form)
    return caught.value.errors


def form_of(person: Person) -> dict[str, str]:
    """Somebody of the hard cases as the search form is filled in."""
    full = person.get("full", "")
    surname = " ".join(part for part in (person.get("prefix"), person.get("surname") or full) if part)
    form = {"given": person.get("given", ""), "surname": surname, "bsn": person.get("bsn", "")}
    form["phone"] = person.get("phone", "")
    birth = person.get("birth", "")
    if birth and birth != "unborn":
        parts = [part.lstrip("0") for part in birth.split("-")]
        form |= dict(zip(("birth_year", "birth_month", "birth_day"), parts, strict=True))
    if person.get("at"):
        home = address(person["at"])
        if "postcode" in home:
            form["postcode"] = home["postcode"]
            form["house_number"] = f"{home['huisnummer']} {home.get('toevoeging', '')}".strip()
    return form


# ── what may be searched with ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "form",
    [
        {"surname": "Voorbeeld"},
        {"given": "Jan", "surname": "Voorbeeld"},
        {"birth_year": "1980", "birth_month": "3", "birth_day": "5"},
        {"postcode": "1234AB", "house_number": "12"},
        {"phone": "0612345678"},
        {},
    ],
)
def test_one_kind_of_data_is_too_little(form: dict[str, str]) -> None:
    assert "minstens twee soorten" in refused(**form)["given"]


@pytest.mark.parametrize(
    "form",
    [
        {"bsn": "999993653"},
        {"reference": "PL9999-2026000001-1"},
        {"given": "Jan", "surname": "Voorbeeld", "birth_year": "1980"},
        {"surname": "Voorbeeld", "postcode": "1234 ab", "house_number": "12-A"},
        {"phone": "06-12345678", "birth_year": "1980"},
        {"postcode": "1234AB", "house_number": "12", "phone": "+31 6 12345678"},
    ],
)
def test_two_kinds_or_a_number_are_enough(form: dict[str, str]) -> None:
    assert terms(**form).fields


def test_a_surname_with_only_a_year_finds_too_many() -> None:
    """It has no key to look somebody up with; that is said before anybody is looked up."""
    assert "voorletter" in refused(surname="Jansen", birth_year="1980")["given"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({**JAN, "birth_day": "31", "birth_month": "2"}, "birth_day"),
        ({**JAN, "birth_month": "13"}, "birth_month"),
        ({**JAN, "birth_day": "4"}, "birth_month"),
        ({"surname": "Voorbeeld", "birth_month": "4"}, "birth_year"),
        ({**JAN, "birth_year": "80"}, "birth_year"),
        ({**JAN, "birth_year": "١٩٨٠"}, "birth_year"),
        ({"bsn": "999993654"}, "bsn"),
        ({**JAN, "phone": "112"}, "phone"),
        ({**JAN, "postcode": "0123AB", "house_number": "1"}, "postcode"),
        ({**JAN, "house_number": "1"}, "postcode"),
        ({**JAN, "postcode": "1234AB"}, "house_number"),
        ({**JAN, "postcode": "1234AB", "house_number": "A"}, "house_number"),
    ],
)
def test_what_cannot_be_right_is_said_beside_its_field(form: dict[str, str], field: str) -> None:
    assert set(refused(**form)) == {field}


@pytest.mark.parametrize("text", ["\x00", "Voor\x00beeld", "\ud800", "a" * (LONGEST + 1), "x" * 50_000, "\x1b[2J"])
def test_what_cannot_be_read_is_refused_before_anything_is_compared(text: str) -> None:
    """F8: a text of 50,000 characters is refused by its length, not after it was compared."""
    assert set(refused(**JAN | {"surname": text})) == {"surname"}


def test_neither_terms_nor_their_refusal_show_what_was_typed() -> None:
    assert "Voorbeeld" not in repr(terms(**JAN))
    assert "1980" not in repr(terms(**JAN))
    with pytest.raises(TermsRefused) as caught:
        terms(surname="Voorbeeld")
    assert "Voorbeeld" not in str(caught.value) + repr(caught.value)


def test_the_figures_refuse_a_search_by_one_field(tmp_path: Any) -> None:
    file = tmp_path / "search.toml"
    file.write_text(policy.FILE.read_text().replace("least_fields = 2", "least_fields = 1"))
    with pytest.raises(SettingsError, match=r"search\.toml"):
        policy.policy.load(file)


# ── spelling ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def many(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    """One database for the cases of this module; each makes a region of its own in it."""
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


def same(case: Case) -> list[tuple[Person, str]]:
    """The mentions of a case that the machine must recognise by themselves, and who they are."""
    sure = [one for one in case.report if one["want"].startswith("same: ") and "|" not in one["want"]]
    return [(one, one["want"].removeprefix("same: ")) for one in sure]


@pytest.mark.parametrize(
    "case", [case for case in CASES if same(case)], ids=lambda case: f"{case.group}: {case.title}"
)
def test_who_would_be_linked_is_found(case: Case, many: Db) -> None:
    """The hard cases of linking as searches: whoever types what a reporter wrote finds the same person."""
    region = prepared(case, many)
    for person, name in same(case):
        try:
            wanted = Terms.read(form_of(person), RULES)
        except TermsRefused:
            continue
        found = find(many, region.id, wanted, RULES, everything=True)
        assert region.persons[name] & {hit.person for hit in found.hits}, f"{case.story}\n{form_of(person)}"


@pytest.fixture(scope="module")
def town(many: Db) -> Region:
    """The look-alikes of the linker's own properties, each known once."""
    region = Region(many, RULES)
    for name, person in PEOPLE.items():
        region.learn([person | {"is": name}])
    return region


def typo(draw: st.DrawFn, text: str) -> str:
    """One letter of the last word left out, doubled, or two swapped; never the first, which the keys are made of."""
    *before, last = text.split(" ")
    place = draw(st.integers(1, len(last) - 2))
    left_out = last[:place] + last[place + 1 :]
    doubled = last[:place] + last[place] + last[place:]
    swapped = last[:place] + last[place + 1] + last[place] + last[place + 2 :]
    return " ".join([*before, draw(st.sampled_from([left_out, doubled, swapped]))])


@st.composite
def heard_badly(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Somebody known, as one types him in a hurry: a typing error, swapped names or days, or only the year."""
    name = draw(st.sampled_from(sorted(PEOPLE)))
    form = form_of(PEOPLE[name])
    for field in draw(st.sets(st.sampled_from(("bsn", "phone", "postcode", "house_number")), max_size=4)):
        form.pop(field, None)
    if "postcode" not in form or "house_number" not in form:
        form = {field: value for field, value in form.items() if field not in ("postcode", "house_number")}
    damage = draw(st.sampled_from(["typo", "swapped names", "year", "swapped days", "initial", "capitals"]))
    if damage == "typo":
        # With a consonant less, the birth date must carry the search: only a year is too little for that.
        assume(not only_year(PEOPLE[name]))
        form["surname"] = typo(draw, form["surname"])
    elif damage == "swapped names":
        form["given"], form["surname"] = form["surname"], form["given"].split()[0]
    elif damage == "year":
        form["birth_month"] = form["birth_day"] = ""
    elif damage == "swapped days":
        assume(int(form["birth_day"]) <= 12)
        form["birth_month"], form["birth_day"] = form["birth_day"], form["birth_month"]
    elif damage == "initial":
        form["given"] = f"{form['given'][0]}."
    else:
        form["surname"], form["given"] = form["surname"].upper(), form["given"].upper()
    return name, form


@settings(max_examples=300)
@given(said=heard_badly())
def test_one_mistake_does_not_hide_anybody(said: tuple[str, dict[str, str]], town: Region) -> None:
    name, form = said
    hits = find(town.db, town.id, Terms.read(form, RULES), RULES, everything=True).hits
    assert town.persons[name] & {hit.person for hit in hits}


@settings(max_examples=100)
@given(texts=st.fixed_dictionaries({name: st.text(max_size=40) for name in Terms.__slots__}))
def test_any_text_is_searched_with_or_refused(texts: Mapping[str, str], town: Region) -> None:
    wrong: set[str] = set()
    found = Found()
    try:
        found = find(town.db, town.id, Terms.read(texts, RULES), RULES, everything=True)
    except TermsRefused as error:
        wrong = set(error.errors)
    assert wrong <= set(Terms.__slots__)
    assert found.count <= 2 * policy.policy().shown


@pytest.mark.parametrize("wild", ["%", "_", "V%", "Voorbeel_", "%%%", "' OR true --", "\\"])
def test_wildcards_are_letters_like_any_other(wild: str, town: Region) -> None:
    assert not find(town.db, town.id, terms(reference=wild), RULES, everything=True).count
    with_year = {"given": "Jan", "surname": wild, "birth_year": "1801"}
    assert "birth_year" in refused(**with_year)


def test_reasons_say_what_agrees_and_never_a_number(town: Region) -> None:
    wanted = terms(surname="Zandberg", given="Gerrit", phone="0641234567", birth_year="1979")
    best = find(town.db, town.id, wanted, RULES, everything=True).hits[0]
    assert best.person in town.persons["gerrit"]
    texts = [reason["text"] for reason in best.reasons]
    assert "Telefoonnummer gelijk" in texts
    assert "0641234567" not in str(texts)
    assert best.said["naam"]["voornamen"] == "Gerrit"


def test_the_best_stands_first_and_no_more_than_ten_are_shown(many: Db) -> None:
    region = Region(many, RULES)
    for day in range(1, 15):
        region.arrive([{"given": "Bo", "surname": "Proefman", "birth": f"1990-05-{day:02}", "sex": "V"}])
    exact = {"birth_year": "1990", "birth_month": "5", "birth_day": "9"}
    found = find(many, region.id, terms(given="Bo", surname="Proefman", **exact), RULES, everything=True)
    assert found.hits[0].said["geboortedatum"]["tekst"] == "19900509"
    assert (len(found.hits), found.more) == (policy.policy().shown, True)


def test_who_is_in_a_shelter_is_not_listed_by_its_address(many: Db) -> None:
    """An address of very many people is no evidence: it finds nobody, with or without a phone number."""
    region = Region(many, RULES)
    region.crowd({"number": RULES.limits.persons_per_door + 1, "at": "hidden_shelter", "phone": "0612345678"})
    shelter = {"postcode": "1111BB", "house_number": "3"}
    assert not find(many, region.id, terms(phone="0612345678", **shelter), RULES, everything=True).hits
    assert not find(many, region.id, terms(birth_year="1980", **shelter), RULES, everything=True).hits


PHONED = {"given": "Gerrit", "surname": "Zandbergh", "birth_year": "1979", "phone": "0641234567"}


def test_a_protected_address_or_phone_number_finds_nobody_and_is_no_reason(db: Db) -> None:
    region = Region(db, RULES)
    region.learn([PEOPLE["gerrit"] | {"is": "gerrit"}])
    home = {name: value for name, value in form_of(PEOPLE["gerrit"]).items() if name in ("postcode", "house_number")}
    by_secrets = [terms(phone=PHONED["phone"], **home), terms(phone=PHONED["phone"], birth_year="1979")]
    assert all(find(db, region.id, one, RULES, everything=True).count for one in by_secrets)
    mention = db.execute("SELECT id FROM mention").fetchone()
    assert mention is not None
    with db.transaction():
        whereabouts.protect(db, mention["id"], "Zit in de opvang.", by="bram", at=now(db))
    for one in by_secrets:
        assert find(db, region.id, one, RULES, everything=True) == Found()
    (hit,) = find(db, region.id, terms(**PHONED, **home), RULES, everything=True).hits
    assert hit.protected
    assert not {"phone", "address"} & {reason["field"] for reason in hit.reasons}


# ── who searches: sight, quota and record ───────────────────────────────────────────────────────────────────


@pytest.fixture
def region(db: Db) -> Region:
    made = Region(db, RULES)
    made.learn([PEOPLE["jan"] | {"is": "jan"}, PEOPLE["mia"] | {"is": "mia"}])
    made.learn([PEOPLE["gerrit"] | {"is": "gerrit"}])
    return made


Colleague = Callable[..., UUID]


@pytest.fixture
def colleague(db: Db, region: Region) -> Colleague:
    def add(name: str, role: str = "intake_worker") -> UUID:
        staff = uuid7()
        db.execute(
            "INSERT INTO staff (id, region_id, username, name, role, password_hash) VALUES (%s, %s, %s, %s, %s, '-')",
            (staff, region.id, name.split()[0].lower(), name, role),
        )
        return staff

    return add


@pytest.fixture
def me(colleague: Colleague) -> UUID:
    return colleague("Ilse Intake")


@contextmanager
def as_member(as_web: Callable[[str], Db], db: Db, staff: UUID) -> Iterator[Db]:
    """A connection of the screens on which this member asks."""
    yield as_web(sessions.key_of(sessions.start(db, staff)))


def restrict(db: Db, region: Region, person: UUID, contact: UUID) -> None:
    """A restriction as radar.protection sets it: the person, and every report that names him."""
    restriction = uuid7()
    db.execute(
        "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, 'Bekende van een collega.', 'teun', now())",
        (restriction, region.id, person, contact),
    )
    db.execute(
        "INSERT INTO restricted_report (report_id, restriction_id, region_id) SELECT DISTINCT m.report_id, %s::uuid,"
        " m.region_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.person_id = %s"
        " ON CONFLICT DO NOTHING",
        (restriction, person),
    )


def exclude(db: Db, region: Region, person: UUID, staff: UUID) -> None:
    db.execute(
        "INSERT INTO exclusion (id, region_id, staff_id, person_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, 'Familie.', 'teun', now())",
        (uuid7(), region.id, staff, person),
    )


def person_of(region: Region, name: str) -> UUID:
    return next(iter(region.persons[name]))


GERRIT = {"given": "Gerrit", "surname": "Zandbergh", "birth_year": "1979", "bsn": "959083017"}
NOBODY = {"given": "Nie", "surname": "Mand", "birth_year": "1990"}


def test_the_database_hides_what_the_member_may_not_see(
    as_web: Callable[[str], Db], db: Db, region: Region, me: UUID, colleague: Colleague
) -> None:
    contact = colleague("Cas Contact")
    with as_member(as_web, db, me) as mine, as_member(as_web, db, contact) as theirs:
        assert find(mine, region.id, terms(**GERRIT), RULES).count == 1
        restrict(db, region, person_of(region, "gerrit"), contact)
        assert find(mine, region.id, terms(**GERRIT), RULES) == Found()
        assert find(theirs, region.id, terms(**GERRIT), RULES).count == 1
        exclude(db, region, person_of(region, "jan"), me)
        assert find(mine, region.id, terms(**JAN), RULES) == Found()
        assert find(theirs, region.id, terms(**JAN), RULES).count == 1


def test_another_region_finds_nobody_even_with_our_keys(
    as_web: Callable[[str], Db], db: Db, region: Region, many: Db
) -> None:
    other = Region(db, RULES)
    stranger = uuid7()
    db.execute(
        "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
        " VALUES (%s, %s, 'vera', 'Vera Vreemd', 'assessor', '-')",
        (stranger, other.id),
    )
    with as_member(as_web, db, stranger) as theirs:
        assert find(theirs, other.id, terms(**GERRIT), RULES) == Found()
        assert find(theirs, region.id, terms(**GERRIT), RULES) == Found()


def test_what_only_a_hidden_report_says_finds_nobody(
    as_web: Callable[[str], Db], db: Db, region: Region, me: UUID, colleague: Colleague
) -> None:
    """Gerrit is known by two reports. The one that tells of his new phone number also names somebody restricted."""
    both = [PEOPLE["gerrit"] | {"is": "gerrit", "phone": "0687654321"}, PEOPLE["amna"] | {"is": "amna"}]
    region.learn(both)
    restrict(db, region, person_of(region, "amna"), colleague("Cas Contact"))
    new_phone = terms(phone="0687654321", birth_year="1979")
    with as_member(as_web, db, me) as mine:
        assert find(mine, region.id, new_phone, RULES) == Found()
        (hit,) = find(mine, region.id, terms(**GERRIT), RULES).hits
        assert len(hit.reports) == 1
    assert find(db, region.id, new_phone, RULES, everything=True).count == 1


Search = Callable[..., tuple[UUID, bool]]
Watched = Callable[..., set[str]]


@pytest.fixture
def searched(as_web: Callable[[str], Db], db: Db, region: Region) -> Search:
    """A search of this member as the screens do it: its id, and whether it was within the quota."""

    def begin(staff: UUID, at: datetime, **form: str) -> tuple[UUID, bool]:
        with as_member(as_web, db, staff) as mine, mine.transaction():
            return searches.begin(mine, region.id, staff, CALL, terms(**form), by="ilse", at=at)

    return begin


@pytest.fixture
def watched(db: Db, searched: Search) -> Watched:
    """The alarms of this member after one more search, which was looked at twice."""

    def alarms(staff: UUID, at: datetime, **form: str) -> set[str]:
        search, _ = searched(staff, at, **form)
        with db.transaction():
            watch.watch(db, search)
            watch.watch(db, search)
        return {row["code"] for row in db.execute("SELECT code FROM search_alarm WHERE staff_id = %s", (staff,))}

    return alarms


def test_terms_are_kept_sealed_and_hashed_and_the_audit_row_holds_codes_only(
    db: Db, region: Region, me: UUID, searched: Search
) -> None:
    search, _ = searched(me, now(db), **GERRIT)
    row = rows.search(db, search)
    assert row is not None
    assert b"Zandbergh" not in bytes(row["terms"])
    assert searches.typed(row) == (terms(**GERRIT), CALL.note)
    assert bytes(row["terms_hash"]) == terms(**GERRIT | {"surname": "ZANDBERGH"}).hashed(RULES)
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(bytes(row["terms"]), f"search.terms:{uuid7()}")
    entry = db.execute("SELECT details::text AS said FROM audit_entry WHERE action = 'search.use'").fetchone()
    assert entry is not None
    assert '"results": 1' in entry["said"]
    assert not any(word in entry["said"] for word in ("Zandbergh", "Gerrit", "959083017", "huisarts"))


def test_a_result_is_its_searchers_own_for_a_quarter_of_an_hour(
    as_web: Callable[[str], Db], db: Db, region: Region, me: UUID, colleague: Colleague, searched: Search
) -> None:
    at = now(db)
    search, _ = searched(me, at, **GERRIT)
    late = at + timedelta(minutes=15)
    with as_member(as_web, db, me) as mine, as_member(as_web, db, colleague("Bram Buur")) as theirs:
        assert searches.look(mine, region.id, me, search, by="ilse", at=late).found.count == 1
        with pytest.raises(NotFound):
            searches.look(theirs, region.id, me, search, by="bram", at=at)
        with pytest.raises(NotFound):
            searches.look(mine, region.id, me, uuid7(), by="ilse", at=at)
        with pytest.raises(Expired):
            searches.look(mine, region.id, me, search, by="ilse", at=late + timedelta(seconds=1))


def test_a_result_no_longer_shows_what_was_hidden_meanwhile(
    as_web: Callable[[str], Db], db: Db, region: Region, me: UUID, colleague: Colleague, searched: Search
) -> None:
    at = now(db)
    with as_member(as_web, db, me) as mine:
        search, _ = searched(me, at, **GERRIT)
        assert searches.look(mine, region.id, me, search, by="ilse", at=at).found.count == 1
        restrict(db, region, person_of(region, "gerrit"), colleague("Cas Contact"))
        assert searches.look(mine, region.id, me, search, by="ilse", at=at).found == Found()


@pytest.mark.parametrize(("setting", "hours"), [("VEILIG_SEARCHES_PER_HOUR", 1), ("VEILIG_SEARCHES_PER_DAY", 24)])
def test_the_quota_holds_and_comes_back(
    setting: str, hours: int, db: Db, region: Region, me: UUID, monkeypatch: pytest.MonkeyPatch, searched: Search
) -> None:
    monkeypatch.setenv(setting, "3")
    product_settings.cache_clear()
    at = now(db)
    outcomes = [searched(me, at + timedelta(minutes=n), **GERRIT)[1] for n in range(5)]
    assert outcomes == [True, True, True, False, False]
    over = db.execute("SELECT id, results FROM search WHERE outcome = 'refused'").fetchall()
    assert [row["results"] for row in over] == [0, 0]
    with pytest.raises(NotFound):
        searches.look(db, region.id, me, over[0]["id"], by="ilse", at=at)
    assert searched(me, at + timedelta(hours=hours, minutes=1), **GERRIT)[1]


def test_the_context_is_asked_for(db: Db, region: Region) -> None:
    report = region.receive([PEOPLE["wilma"]])
    right = Context("safety", report)
    assert searches.wrong_context(db, region.id, right) == {}
    assert searches.wrong_context(db, region.id, CALL) == {}
    assert set(searches.wrong_context(db, region.id, Context("nieuwsgierig", report))) == {"purpose"}
    assert set(searches.wrong_context(db, region.id, Context("safety", uuid7()))) == {"report"}
    assert set(searches.wrong_context(db, uuid7(), right)) == {"report"}
    for note in ("", "x", " " * 50, "x" * 301, "a\x00bcdef", "\ud800bcdef"):
        assert set(searches.wrong_context(db, region.id, Context("safety", note=note))) == {"note"}


# ── what is noticed afterwards ──────────────────────────────────────────────────────────────────────────────


def test_an_ordinary_search_raises_no_alarm(db: Db, region: Region, me: UUID, watched: Watched) -> None:
    assert watched(me, now(db), **GERRIT) == set()


def test_own_name_and_that_of_a_colleague_are_told_to_a_reviewer(
    db: Db, region: Region, me: UUID, colleague: Colleague, watched: Watched
) -> None:
    colleague("Bram van der Beoordelaar")
    assert watched(me, now(db), given="Kees", surname="Intaake", birth_year="1990") == {"own_name"}
    other = colleague("Olga Onbekend")
    found = {"given": "B.", "surname": "v.d. Beoordelaar", "birth_year": "1980"}
    assert watched(other, now(db), **found) == {"colleague"}
    alarms = db.execute("SELECT details FROM audit_entry WHERE action = 'search.alarm' ORDER BY at").fetchall()
    assert [one["details"]["code"] for one in alarms] == ["own_name", "colleague"]


def test_the_own_address_is_recognised_without_being_kept(db: Db, region: Region, me: UUID, watched: Watched) -> None:
    watch.set_home(db, {"id": me, "region_id": region.id}, "4321 BA", "7", by="teun")
    home = db.execute("SELECT home_key FROM staff WHERE id = %s", (me,)).fetchone()
    assert home is not None
    assert b"4321" not in bytes(home["home_key"])
    assert watched(me, now(db), surname="Buurman", postcode="4321BA", house_number="8") == set()
    assert watched(me, now(db), surname="Buurman", postcode="4321BA", house_number="7-A") == {"own_address"}


def test_many_misses_are_an_alarm_but_one_typed_again_is_one_miss(
    db: Db, region: Region, me: UUID, watched: Watched
) -> None:
    at, most = now(db), policy.policy().misses
    for minute in range(most + 3):
        codes = watched(me, at + timedelta(minutes=minute), given="Nie", surname="Mand", birth_year="1990")
    assert codes == set()
    for year in range(1991, 1990 + most):
        codes = watched(me, at + timedelta(minutes=20), **NOBODY | {"birth_year": str(year)})
    assert codes == {"misses"}


def test_the_same_person_again_and_again_is_an_alarm_however_it_is_typed(
    db: Db, region: Region, me: UUID, watched: Watched
) -> None:
    at = now(db)
    spellings = [GERRIT, {**GERRIT, "given": "Ger"}, {**GERRIT, "surname": "Zandberg"}, {"bsn": GERRIT["bsn"]}]
    codes = [watched(me, at + timedelta(days=day), **form) for day, form in enumerate(spellings)]
    assert codes == [set(), set(), set(), {"again"}]


def test_over_the_quota_is_an_alarm(
    db: Db, region: Region, me: UUID, monkeypatch: pytest.MonkeyPatch, watched: Watched
) -> None:
    monkeypatch.setenv("VEILIG_SEARCHES_PER_HOUR", "1")
    product_settings.cache_clear()
    assert watched(me, now(db), **GERRIT) == set()
    assert watched(me, now(db), **GERRIT) == {"quota"}


def test_the_contact_of_a_restricted_person_is_told_and_the_searcher_is_not(
    as_web: Callable[[str], Db],
    db: Db,
    region: Region,
    me: UUID,
    colleague: Colleague,
    searched: Search,
    watched: Watched,
) -> None:
    contact = colleague("Cas Contact")
    restrict(db, region, person_of(region, "gerrit"), contact)
    with as_member(as_web, db, me) as mine, as_member(as_web, db, contact) as theirs:
        search, _ = searched(me, now(db), **GERRIT)
        with db.transaction():
            watch.watch(db, search)
        assert rows.notices(mine, me) == []
        assert mine.execute("SELECT FROM search_alarm").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mine.execute("SELECT FROM search_touch")
        (told,) = rows.notices(theirs, contact)
        assert (told["searcher"], told["person_id"]) == ("ilse", person_of(region, "gerrit"))
        assert told["report_id"] is not None
        assert not rows.notice_seen(mine, me, search, now(db))
        assert rows.notice_seen(theirs, contact, search, now(db))
        assert rows.notices(theirs, contact) == []
        assert watched(contact, now(db), **GERRIT) == set(), "the contact's own search is his work"


def test_who_must_stay_away_and_searches_is_an_alarm(db: Db, region: Region, me: UUID, watched: Watched) -> None:
    exclude(db, region, person_of(region, "gerrit"), me)
    assert watched(me, now(db), **GERRIT) == {"excluded"}


def test_searches_are_read_by_their_searcher_and_the_auditor_of_the_region(
    as_web: Callable[[str], Db], db: Db, region: Region, me: UUID, colleague: Colleague, searched: Search
) -> None:
    searched(me, now(db), **GERRIT)
    seen = {}
    for role in ("auditor", "team_lead", "privacy_officer"):
        with as_member(as_web, db, colleague(f"{role.title()} Rol", role)) as theirs:
            seen[role] = len(rows.of_region(theirs, region.id, now(db) - timedelta(hours=1)))
    with as_member(as_web, db, me) as mine:
        seen["me"] = len(rows.of_region(mine, region.id, now(db) - timedelta(hours=1)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mine.execute("UPDATE search SET results = 0")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mine.execute("DELETE FROM search")
    assert seen == {"auditor": 1, "team_lead": 0, "privacy_officer": 0, "me": 1}
