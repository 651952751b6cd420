"""The sentences of a template: where one begins and ends, what stands in it, and that it comes back in English."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

from web.sentences import Reader, counted_in, fits

ENGLISH = {
    "Geopend op {opened_at}": "Opened on {opened_at}",
    "te laat": "late",
    "op tijd": "in time",
    "Wie": "Who",
    "Hoofdmenu": "Main menu",
    "<b>{n} meldingen</b> van <a>dokter {name}</a>": "<a>doctor {name}</a> sent <b>{n} reports</b>",
    "Kies een taak & ga door": "Choose a task & go on",
    "Nog niets": "Nothing yet",
    "Zaak {number} is weg": "Case is gone",
    "Uw naam": "Your name",
    "Ja": "Yes",
    "in <b>{n}</b> delen": "in <b>{n}</b> parts",
}


def found(source: str) -> list[str]:
    """The sentences of this template."""
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text

    Reader(note).walk(Environment(trim_blocks=True, lstrip_blocks=True).parse(source))
    return seen


def english(source: str, **values: Any) -> str:
    class Speaking(Environment):
        def _parse(self, source: str, name: str | None, filename: str | None) -> Any:
            tree = super()._parse(source, name, filename)
            Reader(lambda text: ENGLISH.get(text, text)).walk(tree)
            return tree

    made = Speaking(loader=DictLoader({"page": source}), autoescape=True, undefined=StrictUndefined)
    return made.get_template("page").render(**values)


@pytest.mark.parametrize(
    ("source", "sentences"),
    [
        ("<p>Geopend op {{ case.opened_at|day }}</p>", ["Geopend op {opened_at}"]),
        ("<p>Een</p><p>Twee</p>", ["Een", "Twee"]),
        ("<h2>Personen <span class=\"count\">{{ n }}</span></h2>", ["Personen"]),
        ("<p>{{ icon('back') }}Wachtrij</p>", ["Wachtrij"]),
        ('<a href="/x/{{ id }}">Naar het dossier</a>', ["Naar het dossier"]),
        ("<p><b>{{ n }} keer</b> door <a href='/'>{{ who }}</a>.</p>", ["<b>{n} keer</b> door <a>{who}</a>."]),
        ("<p>Met <b>een</b> en <b>twee</b>.</p>", ["Met <b>een</b> en <b2>twee</b2>."]),
        ("<p><span>een</span><span>twee</span></p>", ["een", "twee"]),
        ("<p>{% if a %}Ja{% else %}Nee{% endif %}, dus.</p>", ["Ja", "Nee", ", dus."]),
        ('<input aria-label="Zoek in {{ place }}" value="ja" name="naam">', ["Zoek in"]),
        ("<p>{{ 'te laat' if late else 'op tijd' }}</p>", ["te laat", "op tijd"]),
        ("<p class=\"{{ 'warm' if x else 'koud' }}\">{{ {'a': 'Het een', 'b': 'Het ander'}.get(y, 'Niets') }}</p>",
         ["Het een", "Het ander", "Niets"]),
        ("<script nonce='x'>const a = 'Niet dit';</script><style>p{}</style><p>Wel dit</p>", ["Wel dit"]),
        ("<!-- een opmerking --><p>Tekst</p>", ["Tekst"]),
        ("<svg><path d=\"M1 2\"/><title>Tijdlijn</title></svg>", ["Tijdlijn"]),
        ("{% macro m(e) %} aria-describedby=\"fout-{{ e }}\"{% endmacro %}<p>Tekst</p>", ["Tekst"]),
        ("{{ text('naam', 'Uw naam', form, hint='Zoals u heet') }}", ["Uw naam", "Zoals u heet"]),
        ("{{ choice('a', 'Vraag?', [('ja', 'Ja'), ('nee', 'Nee')]) }}", ["Vraag?", "Ja", "Nee"]),
        ("{% set rows = (('a', 'Acute check'), ('b', 'Weg')) %}", ["Acute check", "Weg"]),
        ("{% set section = 'wachtrij' %}{% extends 'base.html' %}", []),
        ("<p>&nbsp;·&nbsp; {{ x }} / {{ y }}</p>", []),
        ("<td data-label=\"Termijn\">{{ x }}</td>", ["Termijn"]),
        ("<p>Een\n   lange   zin</p>", ["Een lange zin"]),
    ],
)  # fmt: skip
def test_a_sentence_runs_from_tag_to_tag(source: str, sentences: list[str]) -> None:
    assert found(source) == sentences


def test_the_english_stands_where_the_dutch_stood_with_its_values_escaped() -> None:
    page = "<p> Geopend op {{ case.opened_at }} </p>"
    assert english(page, case={"opened_at": "<1>"}) == "<p> Opened on &lt;1&gt; </p>"


def test_values_and_tags_may_change_places_and_keep_their_attributes() -> None:
    page = '<p><b class="x">{{ n }} meldingen</b> van <a href="/m/{{ id }}">dokter {{ name }}</a></p>'
    assert (
        english(page, n=3, id=7, name="Jan") == '<p><a href="/m/7">doctor Jan</a> sent <b class="x">3 reports</b></p>'
    )


def test_words_in_an_expression_and_in_an_attribute_are_said_in_english() -> None:
    page = """<td title="Wie" class="Wie">{{ 'te laat' if late else 'op tijd' }}</td>"""
    assert english(page, late=False) == '<td title="Who" class="Wie">in time</td>'


def test_a_label_given_to_a_macro_is_said_in_english_and_its_name_is_left_alone() -> None:
    macro = "{% macro field(name, label) %}<label for='{{ name }}'>{{ label }}</label>{% endmacro %}"
    page = macro + "{{ field('ja', 'Uw naam') }}"
    assert english(page) == "<label for='ja'>Your name</label>"


def test_a_branch_inside_a_tag_does_not_confuse_what_follows() -> None:
    page = '<a href="/x"{% if here %} aria-current="true"{% endif %}>Wie</a>'
    assert english(page, here=True) == '<a href="/x" aria-current="true">Who</a>'
    assert english(page, here=False) == '<a href="/x">Who</a>'


def test_without_a_translation_the_dutch_stays_as_it_was() -> None:
    page = "<p>Nooit  gezien: <b>{{ x }}</b>.</p>"
    assert english(page, x=1) == "<p>Nooit  gezien: <b>1</b>.</p>"


def test_a_translation_that_loses_a_value_is_not_used() -> None:
    assert english("<p>Zaak {{ number }} is weg</p>", number=5) == "<p>Zaak 5 is weg</p>"
    assert not fits("Zaak {number} is weg", "Case is gone")
    assert fits("<b>{n}</b> van {name}", "{name} has <b>{n}</b>")


def test_what_is_counted_gives_its_two_forms() -> None:
    tree = Environment().parse("{{ n|amount('taak', 'taken') }} {{ m|amount(one, many) }}")
    assert list(counted_in(tree)) == [("taak", "taken")]
