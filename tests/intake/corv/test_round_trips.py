"""Model to XML to model, and model to JSON to model: equal for every message the standard can carry."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from intake.corv.codes import NO_VALUE_REASONS, ROLES
from intake.corv.parse import moment, read
from intake.corv.write import write_report
from intake.message import ReportMessage
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report

Fields = dict[str, st.SearchStrategy[Any]]

letters = st.characters(exclude_characters="\ufffe\uffff", exclude_categories=("Cs",), min_codepoint=32)
text = st.text(letters | st.sampled_from("\t\n\r<>&\"'"), max_size=12)
code = st.text(letters, max_size=12).map(str.strip)
filled = st.text(letters, min_size=1, max_size=12).map(lambda value: value.strip() or "x")
reason = st.sampled_from(NO_VALUE_REASONS)
day = st.fixed_dictionaries({"tekst": code}, optional={"indicatie": st.sampled_from("VDMJ")})


def part(may: Fields, must: Fields | None = None, groups: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """A part with any of its fields; what is absent may have a reason, and so may a whole group."""

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        found = {name: draw(values) for name, values in (must or {}).items()}
        reasons = {}
        for name, values in may.items():
            match draw(st.integers(0, 2)):
                case 0:
                    found[name] = draw(values)
                case 1 if name not in NEVER_NIL:
                    reasons[name] = draw(reason)
        reasons |= {name: draw(reason) for name in groups if draw(st.booleans())}
        return found | ({"geenWaardeReden": reasons} if reasons else {})

    return build()


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


NEVER_NIL = {"extra", "extraKoppeling", "adressen", "rol", "sash", "indiener", "situatie", "incident"}
extra = some(
    st.fixed_dictionaries({"naam": text, "waarde": text}, optional={"indicatie": code})
    | st.fixed_dictionaries({"naam": text, "geenWaardeReden": st.fixed_dictionaries({"waarde": reason})})
)
names: Fields = {"voornamen": text, "voorvoegsel": text, "geslachtsnaam": text}
numbers: Fields = {"bsn": code, "vreemdelingennummer": code, "rni": text, "extra": extra}
mentioned = part(numbers, {"naam": part(names | {"volledigeNaam": text})})
at_home = part(
    {"woonplaats": text, "straat": text, "postcode": code, "huisnummer": code, "huisletter": code, "toevoeging": code}
)
abroad = part({"landcode": code, "regel1": text, "regel2": text, "regel3": text})


@st.composite
def four_addresses(draw: st.DrawFn) -> list[dict[str, Any]]:
    """At most one of each kind, in the order of the standard."""
    order = [(kind, area) for kind in ("formeel", "feitelijk") for area in ("buitenland", "binnenland")]
    shapes = {"binnenland": at_home, "buitenland": abroad}
    chosen = [(kind, area) for kind, area in order if draw(st.booleans())]
    return [{"soort": kind, "gebied": area} | draw(shapes[area]) for kind, area in chosen]


person = part(
    numbers
    | {
        "geslacht": code,
        "geboortedatum": day,
        "nationaliteit": text,
        "taal": text,
        "telefoonnummers": some(code),
        "adressen": four_addresses(),
        "relaties": some(part({"persoon": mentioned, "omschrijving": text, "extra": extra})),
        "aanvullendeInformatie": text,
        "overigeZorgMinderjarige": text,
        "extraKoppeling": extra,
    },
    {"rol": part({"tekst": text | st.sampled_from(sorted(ROLES))}), "naam": part(names)},
    groups=("persoon", "adresFormeelBinnenland", "adresFeitelijkBuitenland"),
).map(lambda one: _without_reasons_for_addresses_given(one))
party = part({"applicatie": code, "administratie": code, "gebruiker": code})
moments = st.sampled_from(["20260115", "20260715103000", "20260115103000123", "onleesbaar"])


def _without_reasons_for_addresses_given(found: dict[str, Any]) -> dict[str, Any]:
    given_ones = {
        f"adres{one['soort'].capitalize()}{one['gebied'].capitalize()}" for one in found.get("adressen", [])
    }
    reasons = {name: why for name, why in found.get("geenWaardeReden", {}).items() if name not in given_ones}
    return found | {"geenWaardeReden": reasons}


@st.composite
def messages(draw: st.DrawFn) -> ReportMessage:
    """Any message that a vtMeldingDi01 can hold."""
    sent = draw(moments)
    at = moment(sent)
    envelope = {"functie": "vtMeldingDi01", "referentienummer": draw(filled), "tijdstipRuw": sent}
    envelope |= {"zender": draw(party) | {"oin": POLICE_OIN}, "ontvanger": draw(party) | {"oin": VEILIG_THUIS_OIN}}
    informing = {"persoon": mentioned, "wijze": code, "gereageerd": st.booleans(), "datum": day}
    informing |= {"strekkingReactie": text, "extra": extra}
    contact = {"naam": text, "afdeling": text, "emails": some(code), "telefoonnummers": some(code)}
    report = part(
        {
            "datum": day,
            "agenderingGewenst": st.booleans(),
            "contact": part(contact),
            "informering": text,
            "informeringen": some(part(informing)),
        },
        {
            "kenmerk": filled,
            "sash": part({"ingevuld": st.booleans(), "niveau": st.sampled_from(["laag", "matig", "hoog", "9"])}),
        },
    )
    texts = ("aanvullendeInformatie", "bestaandeHulpverlening", "tijdelijkHuisverbod", "aanhouding", "aangifte")
    situation = dict.fromkeys(("omschrijving", *texts, "eergerelateerdGeweld"), text)
    situation |= {"relevanteRegistraties": some(text), "extra": extra, "extraKoppeling": extra}
    submitter = {"naam": text, "instantiecode": code, "rsin": code, "kvk": code, "vestiging": code, "extra": extra}
    data = {
        "bericht": envelope | ({"tijdstip": at.isoformat()} if at else {}),
        "melding": draw(report),
        "incident": draw(part({"datum": day, "locatie": text, "omschrijving": text})),
        "situatie": draw(part(situation, groups=("situatie", "koppeling"))),
        "betrokkenen": draw(some(person)),
        "indiener": draw(part(submitter, groups=("indiener", "koppeling", "filiaal", "ingeschreven", "onderneming"))),
    }
    if draw(st.booleans()):
        data["extra"] = draw(extra)
    return ReportMessage.from_json(data)


# A message is large: shrinking one takes minutes and says little more than the assertion itself.
@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(messages())
def test_model_to_xml_to_model(message: ReportMessage) -> None:
    result = read(write_report(message), {VEILIG_THUIS_OIN}, POLICE_OIN)
    assert result.fault is None
    assert result.message is not None
    assert result.message.to_json() == message.to_json()
    assert result.message == message


@settings(max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(messages())
def test_model_to_json_to_model(message: ReportMessage) -> None:
    assert ReportMessage.from_json(json.loads(json.dumps(message.to_json()))) == message


def test_from_the_stuf_door_to_the_json_door() -> None:
    stuf = read(write_report(sample_report()), {VEILIG_THUIS_OIN}, POLICE_OIN).message
    assert stuf is not None
    assert ReportMessage.from_json(stuf.to_json()) == stuf == sample_report()


def test_what_was_kept_raw_survives_json() -> None:
    raw = write_report(sample_report()).replace(b"<BG:taal>", b"<BG:x>mes</BG:x><BG:taal>", 1)
    message = read(raw, {VEILIG_THUIS_OIN}, POLICE_OIN).message
    assert message is not None
    assert "mes" in message.unknown[0].xml
    assert ReportMessage.from_json(message.to_json()) == message
