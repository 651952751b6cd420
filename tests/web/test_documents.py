"""Regels en teksten on the screens: made by one, put in force by another, with its consequences shown before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from core import documents
from core.documents import in_region, one_edition
from intake.codelists import codelists
from intake.terms import calendar
from radar.casework import letters, questionnaire, terms
from radar.documents import ALL, store
from tests.web.conftest import OURS, World
from web.pages.document_form import fields_of, sections_of, table_of

Sign = Callable[..., Any]
PATH = "/regels-en-teksten"
LETTER = "letter.information"


@pytest.fixture
def following(world: World) -> Iterator[World]:
    """This process follows the database; it looks when the test says so."""
    documents.follow("door")
    documents.look()
    yield world
    documents.forget()


@pytest.fixture
def maker(world: World) -> str:
    return world.staff("administrator", "anna")


@pytest.fixture
def second(world: World) -> str:
    return world.staff("team_lead", "bram")


def token(page: Any) -> str:
    found = re.search(r'name="formulier" value="([^"]+)"', page.text)
    assert found, page.text[:400]
    return found[1]


def fields(page: Any) -> dict[str, str]:
    """Every field of the form as a browser would send it, but for the buttons."""
    form = page.text[page.text.index('class="document-form"') :]
    found = {
        name: unescape(text)
        for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    }
    for tag in re.findall(r"<input[^>]*>", form):
        name, kind = re.search(r'name="([^"]+)"', tag), re.search(r'type="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and (kind is None or kind[1] != "checkbox" or " checked" in tag):
            found[name[1]] = unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def change(client: Any, code: str, note: str = "Anders, want dat is duidelijker.", **changed: str) -> Any:
    """Open the form of this kind, change fields (dots are written as __) and send it."""
    page = client.get(f"{PATH}/{code}/wijzigen")
    assert page.status_code == 200
    sent = fields(page) | {name.replace("__", "."): text for name, text in changed.items()}
    return client.post(f"{PATH}/{code}/wijzigen", data=sent | {"toelichting": note, "bewaren": "ja"}, headers=OURS)


def use(client: Any, code: str, number: int, reason: str = "Nagekeken en akkoord.", **more: str) -> Any:
    page = client.get(f"{PATH}/{code}/versies/{number}/gebruiken")
    against = re.search(r'name="naast" value="(\d+)"', page.text)
    sent = {"formulier": token(page), "naast": against[1] if against else "0", "reden": reason} | more
    return client.post(f"{PATH}/{code}/versies/{number}/gebruiken", data=sent, headers=OURS)


def audited(world: World, action: str) -> list[dict[str, Any]]:
    rows = world.db.execute("SELECT details FROM audit_entry WHERE action = %s ORDER BY at", (action,)).fetchall()
    return [row["details"] for row in rows]


class TestReading:
    def test_the_list_shows_every_kind_with_its_version_source_and_doubt(self, sign_in: Sign, maker: str) -> None:
        page = sign_in(maker).get(PATH)
        assert page.status_code == 200
        for one in ALL.values():
            assert f'href="{PATH}/{one.code}"' in page.text
        assert "niet alles nagekeken" in page.text
        assert "meegeleverd" in page.text

    @pytest.mark.parametrize("code", sorted(ALL))
    def test_every_kind_can_be_read_edited_and_exported(self, sign_in: Sign, maker: str, code: str) -> None:
        client = sign_in(maker)
        for path in ("", "/wijzigen", "/wijzigen?als=tekst", "/versies/0", "/versies/0/gebruiken"):
            assert client.get(f"{PATH}/{code}{path}").status_code == 200, path
        sent = client.get(f"{PATH}/{code}/bestand")
        assert sent.text == ALL[code].kind.built_in()
        assert "attachment" in sent.headers["content-disposition"]

    @pytest.mark.parametrize("code", sorted(code for code in ALL if sections_of(code)))
    def test_a_form_that_is_not_changed_gives_the_document_again(self, sign_in: Sign, maker: str, code: str) -> None:
        table = ALL[code].kind.table(ALL[code].kind.built_in())
        assert table_of(sections_of(code), table, fields_of(sections_of(code), table)) == table
        refused = change(sign_in(maker), code)
        assert refused.status_code == 409
        assert "Er is niets anders" in refused.text

    def test_what_is_not_there_is_not_found(self, sign_in: Sign, maker: str) -> None:
        client = sign_in(maker)
        for path in ("weather", f"{LETTER}/versies/1", f"{LETTER}/versies/x", f"{LETTER}/bestand?versie=9"):
            assert client.get(f"{PATH}/{path}").status_code == 404


class TestALetter:
    def test_it_is_changed_by_one_used_by_another_and_the_next_letter_has_it(
        self, sign_in: Sign, maker: str, second: str, following: World
    ) -> None:
        client = sign_in(maker)
        made = change(client, LETTER, paragraphs__1="Dag {aan},")
        assert made.headers["location"] == f"{PATH}/{LETTER}/versies/1"
        page = client.get(made.headers["location"])
        assert "Dag mevrouw Voorbeeld," in page.text  # as it will read
        assert "<del>" in page.text
        assert "U hebt deze versie zelf gemaakt" in page.text
        refused = use(client, LETTER, 1)
        assert refused.status_code in (403, 409)
        client = sign_in(second)
        assert use(client, LETTER, 1).headers["location"] == f"{PATH}/{LETTER}"
        documents.look()
        with one_edition(following.region):
            text = letters.texts()["information"]
        assert text.paragraphs[0] == "Dag {aan},"
        assert re.fullmatch(r"\d{4}-\d\d-d1", text.version)
        with one_edition():
            assert letters.texts()["information"].paragraphs[0] == "Beste {aan},"
        assert audited(following, "documents.add") == [{"kind": LETTER, "number": 1}]
        assert audited(following, "documents.activate") == [{"kind": LETTER, "number": 1, "before": None}]

    def test_another_region_keeps_its_own_letter_and_does_not_see_ours(
        self, sign_in: Sign, maker: str, second: str, new_world: Callable[[], World], following: World
    ) -> None:
        other = new_world()
        theirs = other.staff("administrator", "olga")
        change(sign_in(maker), LETTER, paragraphs__1="Dag {aan},")
        use(sign_in(second), LETTER, 1)
        client = sign_in(theirs)
        assert client.get(f"{PATH}/{LETTER}/versies/1").status_code == 404
        assert "Dag {aan}" not in client.get(f"{PATH}/{LETTER}").text
        change(client, LETTER, paragraphs__1="Hallo {aan},")
        assert client.get(f"{PATH}/{LETTER}/versies/1").status_code == 200
        with one_edition():
            in_region(other.region)
            documents.look()
            assert letters.texts()["information"].paragraphs[0] == "Beste {aan},"

    def test_a_paragraph_is_added_and_one_taken_away(self, sign_in: Sign, maker: str) -> None:
        client = sign_in(maker)
        page = client.get(f"{PATH}/{LETTER}/wijzigen")
        sent = fields(page) | {"erbij": "paragraphs", "paragraphs.2.weg": "ja"}
        more = client.post(f"{PATH}/{LETTER}/wijzigen", data=sent, headers=OURS)
        assert more.status_code == 200
        kept = fields(more)
        assert kept["paragraphs.2"].startswith("Zo werken wij.")
        before = len([name for name in fields(page) if re.fullmatch(r"paragraphs\.\d+", name)])
        assert len([name for name in kept if re.fullmatch(r"paragraphs\.\d+", name)]) == before + 1
        assert client.get(f"{PATH}/{LETTER}/versies/1").status_code == 404

    def test_back_to_the_file_needs_nobody_else(
        self, sign_in: Sign, maker: str, second: str, following: World
    ) -> None:
        change(sign_in(maker), LETTER, paragraphs__1="Dag {aan},")
        use(sign_in(second), LETTER, 1)
        client = sign_in(maker)
        assert use(client, LETTER, 0, "Er staat een fout in.").status_code == 303
        assert use(client, LETTER, 1, "Toch niet.").status_code == 303
        page = client.get(f"{PATH}/{LETTER}")
        assert page.text.count("Nagekeken en akkoord.") == 1
        assert "Er staat een fout in." in page.text


class TestWhatIsWrong:
    def test_a_field_that_does_not_exist_is_refused_beside_what_was_typed(self, sign_in: Sign, maker: str) -> None:
        refused = change(sign_in(maker), LETTER, paragraphs__1="Dag {adres},")
        assert refused.status_code == 400
        assert "Deze velden bestaan niet: adres" in refused.text
        assert "Dag {adres}," in refused.text
        assert "Anders, want dat is duidelijker." in refused.text

    @pytest.mark.parametrize("brace", ["Dag {aan", "Dag aan}", "Dag {aan!r}", "Dag {0}", "Dag {}"])
    def test_a_brace_that_stands_alone_is_refused_in_dutch(self, sign_in: Sign, maker: str, brace: str) -> None:
        refused = change(sign_in(maker), LETTER, paragraphs__1=brace)
        assert refused.status_code == 400
        assert "Er is nog niets opgeslagen." in refused.text
        assert re.search("accolade|niet alleen een naam|Tussen accolades", refused.text)

    def test_a_note_is_asked_for(self, sign_in: Sign, maker: str) -> None:
        refused = change(sign_in(maker), LETTER, note=" ", paragraphs__1="Dag {aan},")
        assert refused.status_code == 400
        assert 'id="fout-toelichting"' in refused.text
        assert "Dag {aan}," in refused.text

    def test_a_day_that_is_no_date_is_told_at_its_field(self, sign_in: Sign, maker: str) -> None:
        refused = change(sign_in(maker), "holidays", day__6__date="7 mei", day__6__source="Stcrt. 2027, 1")
        assert refused.status_code == 400
        assert 'id="fout-day.6.date"' in refused.text
        assert 'value="7 mei"' in refused.text

    def test_a_code_twice_is_refused(self, sign_in: Sign, maker: str) -> None:
        refused = change(sign_in(maker), "code_lists", natures__12__code="01", natures__12__text="Nog een")
        assert refused.status_code == 400
        assert 'id="fout-natures.12.group"' in refused.text  # first what the field itself lacks
        refused = change(
            sign_in(maker),
            "code_lists",
            natures__12__code="01",
            natures__12__text="Nog een",
            natures__12__group="any",
        )
        assert "Elke code mag maar één keer" in refused.text
        assert 'value="Nog een"' in refused.text

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("least_fields = 2", "least_fields = 1", "Regel 8, least_fields: maak het 2 of meer."),
            ("shown = 10", 'shown = "veel"', "shown: zet hier een geheel getal."),
            ("bits = 4.0", "bits = ", "dit is niet goed te lezen"),
            ("read = 25", "read = 25\nread = 26", "dit staat er al eerder in"),
            ("misses = 8", "gossip = 8", "gossip: dit bestaat niet."),
            ("verified = false", "", "verified: dit ontbreekt."),
        ],
    )
    def test_a_text_is_refused_with_the_line_and_kept(
        self, sign_in: Sign, maker: str, old: str, new: str, said: str
    ) -> None:
        client = sign_in(maker)
        page = client.get(f"{PATH}/search/wijzigen")
        text = fields(page)["tekst"]
        assert old in text
        typed = text.replace(old, new, 1)
        refused = client.post(
            f"{PATH}/search/wijzigen",
            data={"formulier": token(page), "tekst": typed, "toelichting": "Proef"},
            headers=OURS,
        )
        assert refused.status_code == 400
        assert said in unescape(refused.text)
        assert fields(refused)["tekst"].strip() == typed.strip()

    def test_a_reason_is_asked_for_and_a_newer_version_in_between_is_noticed(
        self, sign_in: Sign, maker: str, second: str, world: World
    ) -> None:
        change(sign_in(maker), LETTER, paragraphs__1="Dag {aan},")
        change(sign_in(maker), LETTER, paragraphs__1="Hallo {aan},")
        client = sign_in(second)
        refused = use(client, LETTER, 1, " ")
        assert refused.status_code == 400
        assert 'id="fout-reden"' in refused.text
        assert use(client, LETTER, 1).status_code == 303
        late = use(client, LETTER, 2, naast="0")
        assert late.status_code == 409
        assert "ondertussen een andere versie" in late.text
        again = use(client, LETTER, 1)
        assert again.status_code == 409
        assert "Deze versie geldt al." in again.text

    def test_putting_in_force_asks_for_a_step_up(self, sign_in: Sign, maker: str, second: str) -> None:
        change(sign_in(maker), LETTER, paragraphs__1="Dag {aan},")
        client = sign_in(second, stepped_up=False)
        asked = client.get(f"{PATH}/{LETTER}/versies/1/gebruiken")
        assert asked.headers["location"].startswith("/bevestigen?naar=")
        assert client.get(f"{PATH}/{LETTER}/versies/1").status_code == 200


class TestFiles:
    def send(self, client: Any, code: str, content: bytes, note: str = "Uit het bestand") -> Any:
        page = client.get(f"{PATH}/{code}")
        return client.post(
            f"{PATH}/{code}/invoeren",
            data={"formulier": token(page), "toelichting": note},
            files={"bestand": ("eigen.toml", content)},
            headers=OURS,
        )

    def test_what_was_exported_is_brought_in_again_and_changed(self, sign_in: Sign, maker: str) -> None:
        client = sign_in(maker)
        text = client.get(f"{PATH}/terms/bestand").text
        made = self.send(
            client,
            "terms",
            text.replace("days = 60", "days = 90", 1).replace("remind_days = 14", "remind_days = 10", 1).encode(),
        )
        assert made.headers["location"] == f"{PATH}/terms/versies/1"
        again = client.get(f"{PATH}/terms/bestand?versie=1").text
        assert "remind_days = 10" in again
        assert re.search(r'^version = "\d{4}-\d\d-d1"', again, re.MULTILINE)
        assert "# Every term of the work" in again  # comments stay

    def test_a_wrong_file_comes_back_as_text_to_mend(self, sign_in: Sign, maker: str) -> None:
        refused = self.send(sign_in(maker), "terms", b"version = 3\n")
        assert refused.status_code == 400
        assert "version: zet hier een tekst" in unescape(refused.text)
        assert "version = 3" in fields(refused)["tekst"]

    @pytest.mark.parametrize(
        ("content", "note", "place"),
        [(b"", "x", "bestand"), (b"\xff\xfe\x00", "x", "bestand"), (b"a" * 70_000, "x", "bestand")],
    )
    def test_what_is_no_text_is_refused(
        self, sign_in: Sign, maker: str, content: bytes, note: str, place: str
    ) -> None:
        refused = self.send(sign_in(maker), "terms", content, note)
        assert refused.status_code == 400
        assert f'id="fout-{place}"' in refused.text


class TestWhatItWouldChange:
    def test_a_day_by_decree_moves_no_running_term_and_says_which_would(
        self, sign_in: Sign, maker: str, second: str, following: World
    ) -> None:
        report = following.report(datetime.now(UTC) - timedelta(hours=1))
        [before] = following.db.execute("SELECT norm_due_on, due_at FROM deadline").fetchall()
        day = before["norm_due_on"]
        changed = change(
            sign_in(maker),
            "holidays",
            years="2026, 2027, 2028, 2029",
            day__6__date=day.isoformat(),
            day__6__source="Verzonnen besluit",
        )
        assert changed.status_code == 303, unescape(changed.text)
        client = sign_in(second)
        page = client.get(f"{PATH}/holidays/versies/1")
        assert "1 lopende termijnen zijn nagerekend. 1 zouden een andere datum hebben" in page.text
        assert f"/meldingen/{report}" in page.text
        assert use(client, "holidays", 1).status_code == 303
        [after] = following.db.execute("SELECT norm_due_on, due_at FROM deadline").fetchall()
        assert after == before
        assert following.db.execute("SELECT count(*) AS n FROM deadline_entry").fetchall() == [{"n": 1}]
        documents.look()
        assert calendar().why_not(day) == "vrije dag bij koninklijk besluit (Verzonnen besluit)"

    def test_a_code_that_ends_is_counted_and_keeps_its_text(
        self, sign_in: Sign, maker: str, second: str, following: World
    ) -> None:
        assert change(sign_in(maker), "code_lists", capacities__1__ended="ja").status_code == 303
        client = sign_in(second)
        page = client.get(f"{PATH}/code_lists/versies/1")
        assert "Deze keuzes vervallen bij hoedanigheid: 01. Ze staan nu in 0 adviezen" in page.text
        use(client, "code_lists", 1)
        documents.look()
        assert codelists().capacity("01") == "Politie"

    def test_an_acute_word_tells_of_how_many_reports_it_is_about(
        self, sign_in: Sign, maker: str, following: World
    ) -> None:
        following.report(datetime.now(UTC) - timedelta(days=3))
        client = sign_in(maker)
        page = client.get(f"{PATH}/acute/wijzigen")
        text = fields(page)["tekst"].replace('"level": "show"', '"level": "acute"', 1)
        made = client.post(
            f"{PATH}/acute/wijzigen",
            data={"formulier": token(page), "tekst": text, "toelichting": "Matig is ook acuut"},
            headers=OURS,
        )
        assert made.status_code == 303, unescape(made.text)
        page = client.get(made.headers["location"])
        assert "Bekeken: 1 meldingen van de laatste 90 dagen" in page.text

    def test_a_feedback_text_is_previewed_per_reporter(self, sign_in: Sign, maker: str) -> None:
        client = sign_in(maker)
        made = change(client, "feedback", **{"closing__VT-03__citizen": "Wij zijn klaar."})
        page = client.get(made.headers["location"])
        assert "1 teksten lezen anders." in page.text
        assert "Wij zijn klaar." in page.text
        assert "burger" in page.text

    def test_terms_count_from_then_on(self, sign_in: Sign, maker: str, second: str, following: World) -> None:
        client = sign_in(maker)
        page = client.get(f"{PATH}/terms/wijzigen")
        text = fields(page)["tekst"].replace("working_days = ", "working_days = 1", 1)
        sent = {"formulier": token(page), "tekst": text, "toelichting": "Ruimer"}
        made = client.post(f"{PATH}/terms/wijzigen", data=sent, headers=OURS)
        assert made.status_code == 303, unescape(made.text)
        before = terms.terms().small_steps.working_days
        assert use(sign_in(second), "terms", 1).status_code == 303
        documents.look()
        assert terms.terms().small_steps.working_days == int(f"1{before}")


def test_a_questionnaire_that_was_replaced_still_loads(
    sign_in: Sign, maker: str, second: str, following: World
) -> None:
    client = sign_in(maker)
    first = questionnaire.current().version
    for number, word in ((1, "Vragen, eerste proef"), (2, "Vragen, tweede proef")):
        page = sign_in(maker).get(f"{PATH}/questionnaire/wijzigen")
        text = re.sub(r'^title = ".*"', f'title = "{word}"', fields(page)["tekst"], count=1, flags=re.MULTILINE)
        sent = {"formulier": token(page), "tekst": text, "toelichting": "Proef"}
        made = client.post(f"{PATH}/questionnaire/wijzigen", data=sent, headers=OURS)
        assert made.status_code == 303, unescape(made.text)
        assert use(sign_in(second), "questionnaire", number).status_code == 303
        documents.look()
        assert questionnaire.current().title == word
    assert len(questionnaire.catalogue()) == 3
    assert questionnaire.version(first).version == first
    [one, two] = sorted(set(questionnaire.catalogue()) - {first})
    assert questionnaire.version(one).title == "Vragen, eerste proef"
    assert questionnaire.current().version == two


def test_a_version_in_force_that_does_not_fit_stops_a_migration(world: World) -> None:
    store.require_fit(world.db)
    world.db.execute(
        "INSERT INTO document (id, kind, number, content, made_by, made_at, note, checked_with) VALUES"
        " ('0198c0de-0000-7000-8000-000000000001', 'search', 1, 'version = 3', 'anna', now(), 'x', '0')"
    )
    world.db.execute(
        "INSERT INTO document_activation (id, kind, number, document_id, activated_by, activated_at, reason,"
        " rehearsal) VALUES ('0198c0de-0000-7000-8000-000000000002', 'search', 1,"
        " '0198c0de-0000-7000-8000-000000000001', 'bram', now(), 'x', '[]')"
    )
    with pytest.raises(store.DocumentDoesNotFit, match="veilig documents activate search file"):
        store.require_fit(world.db)
