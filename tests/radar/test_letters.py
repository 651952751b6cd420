"""Letters: nothing but the named fields, every letter of a name, the same bytes, no names in the properties."""
# ruff: noqa: RUF001 -- look-alikes are what this is about

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import unicodedata
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.ttfonts import TTFont

from core.database import Db
from core.errors import Conflict, NotFound, SettingsError
from core.ids import uuid7
from radar.casework import letters
from radar.casework.letters import FieldsMissing, Unwritable, drawing, store, templates
from radar.outbound import recipients
from tests.web.conftest import FATHER, MOTHER, World

AT = datetime(2026, 3, 4, 9, tzinfo=UTC)
GIVEN = {"regio": "Voorbeeldstreek", "datum": "4 maart 2026", "kenmerk": "VT-2026-ABCDE-FGHIJ"}
FIELDS = {"aan": "Maria Voorbeeld", "over": "u", "bellen": "0800-2000", "medewerker": "Bram Proef"}
NAMES = [
    "Şahin", "Łukasz Wójcik", "Čapek", "Ștefan Țîrlea", "Đorđe", "Ħal", "Ġorġ", "Żółć", "ąęśćńźż", "Güngör İlhan",
    "ığdır", "Őrsi Űű", "Ľudmila ľ ť ď Ď", "Ķīna ģ ļ ņ", "ǻ Ǻ", "Nguyễn Thị Hằng", "Zoë Čeněk", "Ŵyn ŷ ỳ ẽ",
    "D'Ancona", "’t Hart", "ij IJ", "Ŧ ŧ", "Ŀŀ", "Müller-Weiß ẞ", "van der Voort à Campo",
]  # fmt: skip


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    household, case = world.household(AT)
    return world.report(AT, [MOTHER, FATHER], household=household, case=case)


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def words(content: bytes) -> str:
    """The text as a reading program says it: by the fonts' own tables, and what stands for composed letters."""
    text = content.decode("latin-1")
    places = re.finditer(rb"/Length (\d+)[^>]*>>\s*stream\r?\n", content)
    raw = [content[one.end() : one.end() + int(one[1])] for one in places]
    streams = [zlib.decompress(base64.a85decode(one[:-2]) if one.endswith(b"~>") else one) for one in raw]
    tables = {}
    for font, number in re.findall(r"/(F\d\+\d) (\d+) 0 R", text):
        target = re.search(r"/ToUnicode (\d+) 0 R", text.split(f"\n{number} 0 obj")[1].split("endobj")[0])
        assert target is not None
        table = content.split(f"\n{target[1]} 0 obj".encode())[1].split(b"stream", 1)[1].lstrip()
        pairs = re.findall(
            r"^<([0-9A-F]{2})> <((?:[0-9A-F]{4})+)>$", zlib.decompressobj().decompress(table).decode(), re.MULTILINE
        )
        tables[font] = {int(code, 16): bytes.fromhex(value).decode("utf-16-be") for code, value in pairs}
    said = ""
    for page in (one.decode("latin-1") for one in streams if b" Tf " in one):
        composed = re.compile(r"/Span <</ActualText <FEFF([0-9A-F]+)>>> BDC.*?EMC", re.DOTALL)
        page = composed.sub(lambda one: f"(\x00{one[1]}) Tj ", page)
        font = ""
        for name, shown in re.findall(r"/(F\d\+\d) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", page, re.DOTALL):
            if name:
                font = name
            elif shown.startswith("\x00"):
                said += bytes.fromhex(shown[1:]).decode("utf-16-be")
            else:
                said += "".join(tables[font][ord(code)] for code in unescaped(shown))
    return said


def unescaped(text: str) -> str:
    """A PDF string without its backslashes."""
    return re.sub(
        r"\\([0-7]{3}|.)", lambda one: chr(int(one[1], 8)) if len(one[1]) == 3 else one[1], text, flags=re.DOTALL
    )


def letter(**changes: str) -> bytes:
    text = templates.texts()["person_notice"]
    return drawing.draw(GIVEN, text.subject, templates.filled(text, FIELDS | changes, GIVEN))


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_every_letter_of_a_name_comes_out_and_can_be_read_aloud(name: str) -> None:
    assert name in words(letter(aan=name))
    assert unicodedata.normalize("NFC", name) in words(letter(aan=unicodedata.normalize("NFD", name)))


def test_no_letter_is_ever_the_empty_box() -> None:
    """The fonts say that they have Đ and ď, and hold the empty box (glyph 0) for them."""
    faces = [TTFont(name, f"{name}.ttf").face.charToGlyph for name in (drawing.PLAIN, drawing.BOLD)]
    assert faces[0][ord("Đ")] == 0
    drawn = 0
    for code in (*range(0x20, 0x250), *range(0x1E00, 0x1F00)):
        try:
            found = drawing.glyphs(chr(code))
        except Unwritable:
            continue
        drawn += 1
        for shape in [*(one.drawn for one in found), *(mark.shape for one in found for mark in one.marks)]:
            assert all(face.get(ord(part)) for face in faces for part in shape), (chr(code), shape)
    assert drawn > 500


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Жанна", "'Ж' (U+0416)"),
        ("Ελένη", "'Ε' (U+0395)"),
        ("محمد", "U+0645"),
        ("李", "U+674E"),
        ("a\x07b", "U+0007"),
        ("Ŋ", "U+014A"),
        ("😀", "U+1F600"),
    ],
)
def test_a_letter_that_cannot_be_drawn_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(Unwritable) as error:
        letter(aan=f"Maria {text}")
    assert named in error.value.message
    assert "Latijnse letters" in error.value.message


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=120))
def test_a_text_is_drawn_whole_or_refused_never_with_a_letter_missing(text: str) -> None:
    try:
        found = drawing.glyphs(text)
    except Unwritable:
        return
    kept = "".join(one for one in text.translate(drawing._SPACES) if unicodedata.category(one) != "Cf")
    assert "".join(one.said for one in found) == unicodedata.normalize("NFC", kept)


@given(st.text(alphabet="abcdefghij şłWMi ", max_size=900))
def test_lines_fit_the_page_and_lose_no_word(text: str) -> None:
    found = drawing.lines(drawing.glyphs(text), drawing.PLAIN, drawing.SIZE)
    for line in found:
        assert drawing._width(line, drawing.PLAIN, drawing.SIZE) <= drawing.WIDTH
    said = "".join(one.said for line in found for one in line)
    assert said.replace(" ", "") == unicodedata.normalize("NFC", text).replace(" ", "")


def test_a_long_letter_goes_on_on_the_next_page() -> None:
    text = templates.texts()["feedback"]
    long = "\n".join(f"Regel {number} van een lang bericht." for number in range(110))
    fields = {"aan": "A", "bericht": long, "bellen": "1", "medewerker": "B"}
    content = drawing.draw(GIVEN, text.subject, templates.filled(text, fields, GIVEN))
    said = words(content)
    assert "Regel 109 van een lang bericht." in said
    assert "bladzijde 3" in said


def test_the_same_words_give_the_same_bytes_also_in_another_process() -> None:
    assert letter() == letter()
    assert letter() != letter(aan="Iemand Anders")
    code = (
        "import hashlib, sys; from radar.casework.letters import drawing, templates;"
        " t = templates.texts()['person_notice'];"
        f" g = {GIVEN!r}; b = drawing.draw(g, t.subject, templates.filled(t, {FIELDS!r}, g));"
        " sys.stdout.write(hashlib.sha256(b).hexdigest())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == hashlib.sha256(letter()).hexdigest()


def test_the_properties_say_the_language_and_the_title_and_nothing_of_a_person() -> None:
    content = letter(aan="Maria Voorbeeld", over="Test Voorbeeld")
    assert b"/Lang (nl)" in content
    assert b"/Title (Wij hebben gegevens over u vastgelegd)" in content
    assert b"/MediaBox [ 0 0 595.2756 841.8898 ]" in content
    properties = re.findall(rb"/(?:Title|Author|Subject|Keywords|Creator|Producer) \((.*?)\)", content)
    assert b"Veilig Thuis Voorbeeldstreek" in properties
    for name in (b"Maria", b"Voorbeeld\x00", b"Bram", b"Test", b"VT-2026"):
        assert not any(name in one for one in properties)


def test_the_letter_says_what_the_law_asks_and_not_who_reported() -> None:
    said = words(letter())
    for part in ("gegevens vastgelegd over u", "van iemand anders", "gegevens te zien", "vernietigen", "klacht"):
        assert part.replace(" ", "") in said.replace(" ", ""), part
    for text in templates.texts().values():
        if text.to_person:
            assert "melder" not in " ".join([text.subject, *text.paragraphs]).lower()
            assert not {"adres", "melder", "bsn"} & text.fields.keys()


# ── the texts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_named_fields_get_in_and_all_of_them_must() -> None:
    text = templates.texts()["person_notice"]
    for wrong in (FIELDS | {"adres": "Geheimweg 1"}, FIELDS | {"kenmerk": "anders"}):
        with pytest.raises(FieldsMissing, match="geen veld"):
            templates.filled(text, wrong, GIVEN)
    with pytest.raises(FieldsMissing) as error:
        templates.filled(text, {"aan": " ", "over": "u"}, GIVEN)
    assert error.value.names == ("aan", "bellen", "medewerker")
    with pytest.raises(FieldsMissing, match="hoogstens 40 tekens"):
        templates.filled(text, FIELDS | {"bellen": "0" * 41}, GIVEN)


def test_what_is_typed_is_text_and_never_a_field() -> None:
    typed = "{kenmerk} {aan.__class__}"
    first = templates.filled(templates.texts()["person_notice"], FIELDS | {"aan": typed}, GIVEN)[0]
    assert first == f"Beste {typed},"


def test_a_paragraph_without_its_optional_field_is_left_out() -> None:
    text = templates.texts()["feedback"]
    fields = {"aan": "A", "bericht": "Er komt hulp.", "bellen": "1", "medewerker": "B"}
    assert not any("zicht" in part for part in templates.filled(text, fields, GIVEN))
    watched = templates.filled(text, fields | {"zicht": "de wijkagent"}, GIVEN)
    assert "Wie houdt zicht op de veiligheid: de wijkagent" in watched


GOOD = """version = "1"
title = "T"
subject = "S"
to_person = true
paragraphs = ["Beste {aan}"]
[fields]
aan = { label = "Naam" }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{aan}", "{adres}"),
        ("{aan}", "{aan.__class__}"),
        ("{aan}", "{aan!r}"),
        ("{aan}", "{}"),
        ('"S"', '"Voor {aan}"'),
        ('aan = { label = "Naam" }', 'aan = { label = "Naam" }\nadres = { label = "Adres" }'),
        ('paragraphs = ["Beste {aan}"]', "paragraphs = []"),
        ("to_person = true\n", ""),
        ('version = "1"', "version = 1"),
    ],
)
def test_a_wrong_file_is_refused_as_a_whole(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "proef.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert templates.kind_of(file).load(file).fields.keys() == {"aan"}
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"proef\.toml"):
        templates.kind_of(file).load(file)


# ── kept ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_kept_with_its_version_and_hash_and_sent_once(db: Db, world: World, report: UUID) -> None:
    made = letters.make(db, report, "person_notice", FIELDS, mention(db, report), "bram", AT)
    with pytest.raises(Conflict, match="nog niet vrijgegeven"):
        letters.sent(db, made, "bram", AT)
    recipients.check_person(db, mention(db, report), "asked", by="bram", at=AT)
    letters.let_go(db, world.region, made, by="bram", at=AT)
    content = letters.copy(db, world.region, made, by="bram", name="Bram", at=AT)
    assert content is not None
    row = db.execute("SELECT * FROM letter WHERE id = %s", (made,)).fetchone()
    assert row is not None
    assert (row["template"], row["template_version"], bytes(row["sha256"])) == (
        "person_notice",
        "2026-11",
        hashlib.sha256(store.original(db, made)).digest(),
    )
    number = db.execute("SELECT number FROM cases").fetchone()
    assert number is not None
    assert f"Kenmerk: {number['number']}" in words(content)
    assert "Datum: 4 maart 2026" in words(content)
    assert letters.sent(db, made, "bram", AT + timedelta(days=1))
    with pytest.raises(Conflict):
        letters.sent(db, made, "gwen", AT + timedelta(days=2))
    (listed,) = letters.of_report(db, world.region, report)
    assert (listed["sent_by"], listed["mention_id"]) == ("bram", mention(db, report))
    audited = db.execute("SELECT action, details FROM audit_entry WHERE object_id = %s ORDER BY at", (made,))
    found = {row["action"]: row["details"] for row in audited}
    assert found == {"letter.make": {"template": "person_notice", "version": "2026-11"}, "letter.send": {}}


def test_what_cannot_be_made_leaves_nothing(db: Db, world: World, report: UUID) -> None:
    other = World(db, 2)
    household, case = other.household(AT)
    elsewhere = other.report(AT, [MOTHER], household=household, case=case)
    no_case = world.report(AT, [MOTHER])
    tries: list[tuple[type[Exception], tuple[Any, ...]]] = [
        (NotFound, (report, "geen_brief", FIELDS, mention(db, report))),
        (NotFound, (report, "person_notice", FIELDS, mention(db, elsewhere))),
        (NotFound, (report, "person_notice", FIELDS, None)),
        (NotFound, (report, "feedback", {}, mention(db, report))),
        (NotFound, (uuid7(), "person_notice", FIELDS, None)),
        (Conflict, (no_case, "person_notice", FIELDS, mention(db, no_case))),
        (FieldsMissing, (report, "person_notice", {}, mention(db, report))),
        (Unwritable, (report, "person_notice", FIELDS | {"aan": "Жанна"}, mention(db, report))),
    ]
    for error, (where, template, fields, who) in tries:
        with pytest.raises(error):
            letters.make(db, where, template, fields, who, "bram", AT)
    assert db.execute("SELECT FROM letter").fetchone() is None
    with pytest.raises(NotFound):
        letters.sent(db, uuid7(), "bram", AT)
    made = letters.make(db, report, "person_notice", FIELDS, mention(db, report), "bram", AT)
    with pytest.raises(NotFound):
        letters.copy(db, other.region, made, by="bram", name="Bram", at=AT)
    assert letters.of_report(db, other.region, report) == []
