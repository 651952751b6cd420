"""The StUF door: what is answered and kept for every kind of message (standards.md 10.2-10.5)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from intake.corv.parse import SOAP
from tests.intake.corv.test_hostile_messages import REFUSED
from tests.web.api.conftest import Feed

STUF = "{http://www.egem.nl/StUF/StUF0301}"
REFERENCE = "c0ffee00-0000-4000-8000-000000000001"
Setting = Callable[[str, str], None]


def in_soap(body: bytes) -> bytes:
    bare = body.split(b"\n", 1)[1]
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode() + bare + b"</s:Body></s:Envelope>"


def text(answer: bytes, name: str) -> str | None:
    """The text of the first element with this name in the StUF namespace."""
    found = next(etree.fromstring(answer).iter(f"{STUF}{name}"), None)
    return None if found is None else found.text


def kept_as(feed: Feed) -> tuple[int, int]:
    return feed.count("report"), feed.count("quarantine")


def test_a_report_is_confirmed_with_bv03_after_the_commit(feed: Feed) -> None:
    answer = feed.post(feed.xml())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "idempotent-replay" not in answer.headers
    assert etree.fromstring(answer.content).tag == f"{STUF}Bv03Bericht"
    assert text(answer.content, "crossRefnummer") == REFERENCE
    assert text(answer.content, "berichtcode") == "Bv03"
    assert kept_as(feed) == (1, 0)
    (row,) = feed.rows(
        "SELECT m.answer, d.kind, t.kind AS task, t.risk, (SELECT count(*) FROM audit_entry a"
        " WHERE a.object_id = r.id AND a.action = 'report.receive') AS audited FROM report r"
        " JOIN message m ON m.id = r.message_id JOIN deadline d ON d.subject_id = r.id"
        " JOIN task t ON t.subject_id = r.id WHERE t.kind = 'assess' AND d.kind = 'safety_assessment'"
    )
    assert (feed.kept(), bytes(row["answer"])) == ([feed.xml()], answer.content)
    assert (row["kind"], row["task"], row["risk"], row["audited"]) == ("safety_assessment", "assess", 0, 1)


def test_in_soap_the_answer_is_in_soap(feed: Feed) -> None:
    answer = feed.post(in_soap(feed.xml()))
    assert answer.status_code == 200
    assert etree.fromstring(answer.content).tag == f"{{{SOAP}}}Envelope"
    assert text(answer.content, "crossRefnummer") == REFERENCE


def test_the_same_bytes_get_the_same_answer(feed: Feed) -> None:
    first = feed.post(feed.xml())
    again = [feed.post(feed.xml()) for _ in range(3)]
    assert {answer.content for answer in again} == {first.content}
    assert [answer.headers["idempotent-replay"] for answer in again] == ["true"] * 3
    assert (feed.count("message"), *kept_as(feed)) == (1, 1, 0)


def test_other_bytes_under_a_known_reference_go_to_quarantine_and_both_stay(feed: Feed) -> None:
    other = feed.xml({"incident": {"locatie": "Elders"}})
    assert feed.post(feed.xml()).status_code == 200
    answer, again = feed.post(other), feed.post(other)
    assert (answer.status_code, text(answer.content, "code")) == (409, "StUF016")
    assert (again.status_code, again.content, again.headers["idempotent-replay"]) == (409, answer.content, "true")
    assert kept_as(feed) == (1, 1)
    assert feed.kept() == [feed.xml(), other]


def test_a_quarantined_message_has_task_deadline_and_audit(feed: Feed) -> None:
    feed.post(b"<niet af")
    (row,) = feed.rows(
        "SELECT q.code, t.risk, t.due_at = d.due_at AS same_clock, d.kind, (SELECT count(*) FROM audit_entry a"
        " WHERE a.object_id = q.id AND a.action = 'quarantine.receive') AS audited FROM quarantine q"
        " JOIN task t ON t.subject_id = q.id AND t.kind = 'quarantine' AND t.done_at IS NULL"
        " JOIN deadline d ON d.subject_id = q.id"
    )
    assert row == {"code": "VT-E055", "risk": 1, "same_clock": True, "kind": "quarantine", "audited": 1}


def changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(xml: bytes) -> bytes:
        assert old in xml
        return xml.replace(old, new, 1)

    return change


HEADER_FAULTS: dict[str, tuple[Callable[[bytes], bytes], int, str, int]] = {
    "VT-E010": (changed(b"00000099000000002000", b"00000099000000009999"), 400, "StUF010", 0),
    "VT-E013": (changed(b"<StUF:organisatie>00000099000000001000</StUF:organisatie>", b""), 403, "StUF013", 0),
    "VT-E052": (changed(b"00000099000000001000", b"00000099000000009999"), 403, "StUF052", 0),
    "VT-E022": (changed(b"Di01</StUF:berichtcode>", b"Lk01</StUF:berichtcode>"), 400, "StUF022", 1),
    "VT-E040": (changed(b"vtMeldingDi01</StUF:functie>", b"anders</StUF:functie>"), 400, "StUF040", 1),
    "VT-E055": (changed(REFERENCE.encode(), b"x" * 41), 400, "StUF055", 1),
}


@pytest.mark.parametrize(("code", "case"), HEADER_FAULTS.items(), ids=HEADER_FAULTS.keys())
def test_a_header_fault_is_fo03_bare_and_a_soap_fault_in_soap(
    feed: Feed, code: str, case: tuple[Callable[[bytes], bytes], int, str, int]
) -> None:
    change, status, stuf, kept = case
    bare, soap = feed.post(change(feed.xml())), feed.post(in_soap(change(feed.xml())))
    assert (bare.status_code, soap.status_code) == (status, 500)
    for answer in (bare, soap):
        assert text(answer.content, "berichtcode") == "Fo03"
        assert text(answer.content, "code") == stuf
        assert (text(answer.content, "details") or "").startswith(code)
    detail = etree.fromstring(soap.content).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault/detail")
    assert detail is not None
    assert detail[0].tag == f"{STUF}Fo03Bericht"
    assert kept_as(feed) == (0, 2 * kept)


CONTENT_FAULTS: dict[str, Callable[[bytes], bytes]] = {
    "no person": lambda xml: xml.replace(b"heeftBetrokken", b"heeftVergeten"),
    "no kenmerk": changed(b"PL9999-2026000001-1</JZ:identificatieVtMelding>", b"  </JZ:identificatieVtMelding>"),
    "an element twice": changed(
        b"</JZ:omschrijvingIncident>",
        b"</JZ:omschrijvingIncident><JZ:omschrijvingIncident>x</JZ:omschrijvingIncident>",
    ),
}


@pytest.mark.parametrize("change", CONTENT_FAULTS.values(), ids=CONTENT_FAULTS.keys())
def test_a_content_fault_is_confirmed_and_waits_for_a_person(feed: Feed, change: Callable[[bytes], bytes]) -> None:
    answer = feed.post(change(feed.xml()))
    assert (answer.status_code, text(answer.content, "berichtcode")) == (200, "Bv03")
    assert kept_as(feed) == (0, 1)
    assert feed.rows("SELECT code FROM quarantine") == [{"code": "VT-E055"}]
    corrected = feed.post(feed.xml())
    assert corrected.status_code == 200
    assert kept_as(feed) == (1, 1)


def test_dirty_data_is_accepted_with_remarks(feed: Feed) -> None:
    person = {
        "rol": {"tekst": "vader"},
        "bsn": "123456789",
        "naam": {"geslachtsnaam": "Proef"},
        "adressen": [{"soort": "feitelijk", "gebied": "binnenland", "postcode": "0234AB", "huisnummer": "1"}],
    }
    sash = {"ingevuld": True, "niveau": None}
    assert feed.post(feed.xml({"betrokkenen": [person], "melding": {"sash": sash}})).status_code == 200
    assert kept_as(feed) == (1, 0)
    codes = {remark["code"] for remark in feed.rows("SELECT remarks FROM report")[0]["remarks"]}
    assert {"VT-W101", "VT-W102", "VT-W103", "VT-W105"} <= codes


def test_a_known_kenmerk_under_a_new_reference_is_a_supplement(feed: Feed) -> None:
    for reference in ("r-1", "r-2"):
        assert feed.post(feed.xml({"bericht": {"referentienummer": reference}})).status_code == 200
    first, second = feed.rows("SELECT id, supplements FROM report ORDER BY received_at, id")
    assert (first["supplements"], second["supplements"]) == (None, first["id"])
    assert feed.rows("SELECT count(*) AS n FROM deadline WHERE kind = 'safety_assessment'") == [{"n": 2}]


@pytest.mark.parametrize("level", ["hoog", "Hoog", "HOOG"])
def test_sash_hoog_is_on_top_of_the_queue_at_receipt(feed: Feed, level: str) -> None:
    sash = {"ingevuld": True, "niveau": "hoog"}
    xml = feed.xml({"melding": {"sash": sash}}).replace(b">hoog<", f">{level}<".encode())
    assert feed.post(xml).status_code == 200
    assert feed.rows("SELECT kind, risk FROM task ORDER BY kind") == [
        {"kind": "acute_check", "risk": 2},
        {"kind": "assess", "risk": 2},
    ]


def test_a_word_in_the_text_is_shown_and_moves_nothing(feed: Feed) -> None:
    words = {"omschrijving": "Hij dreigde met een mes en met wurgen."}
    assert feed.post(feed.xml({"incident": words})).status_code == 200
    (row,) = feed.rows(
        "SELECT t.risk, r.acute_signals FROM task t JOIN report r ON r.id = t.subject_id AND t.kind = 'assess'"
    )
    assert row["risk"] == 0
    assert row["acute_signals"]
    assert {signal["level"] for signal in row["acute_signals"]} == {"show"}


def test_too_large_is_refused_whether_announced_or_not(feed: Feed, setting: Setting) -> None:
    setting("MAX_MESSAGE_BYTES", "20000")
    body = feed.xml() + b" " * 20_000

    def chunks() -> Any:
        yield body[:10_000]
        yield body[10_000:]

    for sent in (body, chunks()):
        answer = feed.post(sent)
        assert (answer.status_code, text(answer.content, "code")) == (413, "StUF055")
        assert b"VT-E301" in answer.content
    assert feed.count("message") == 0


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_message_is_refused_and_kept(feed: Feed, name: str) -> None:
    answer = feed.post(REFUSED[name])
    assert (answer.status_code, text(answer.content, "code")) == (400, "StUF055")
    assert feed.kept() == [REFUSED[name]]
    assert feed.rows("SELECT outcome FROM message") == [{"outcome": "quarantine"}]


STRANGE: dict[str, dict[str, Any]] = {
    "a kenmerk too long for any index": {"melding": {"kenmerk": secrets.token_hex(6000)}},
    "a backslash u0000 as text": {"incident": {"omschrijving": "\\u0000 \\ud800 ' \" {} []"}},
    "the rarest letters": {"incident": {"omschrijving": "\U0010fffd \u202e \ufeff e\u0301"}},
    "a long name": {"betrokkenen": [{"rol": {"tekst": "kind"}, "naam": {"geslachtsnaam": "x" * 90_000}}]},
    "five hundred persons": {"betrokkenen": [{"rol": {"tekst": "kind"}, "naam": {"voornamen": "A"}}] * 500},
    "a role as long as a book": {"betrokkenen": [{"rol": {"tekst": "kind " * 9000}, "naam": {"voornamen": "A"}}]},
    "a postcode as long as a book": {
        "betrokkenen": [
            {
                "rol": {"tekst": "kind"},
                "bsn": "9" * 9000,
                "adressen": [{"soort": "feitelijk", "gebied": "binnenland", "postcode": "1" * 9000}],
            }
        ]
    },
    "everything in every field": {"indiener": {"naam": "%s %(at)s {0} \\", "kvk": "x" * 9000}},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_message_is_kept_and_its_work_can_be_done(feed: Feed, changes: dict[str, Any]) -> None:
    answer = feed.post(feed.xml(changes))
    assert answer.status_code == 200
    assert sum(kept_as(feed)) == 1
    feed.work()
    assert feed.rows("SELECT kind, error FROM job WHERE state <> 'done'") == []
