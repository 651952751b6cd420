"""A message that speaks of a secret address: it is in the vault before anybody can open the page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner

from core.database import transaction
from intake import protected
from radar.protection import settling, whereabouts
from tests.radar.canaries import tables_with
from tests.web.api.conftest import Feed
from workers.shield import shield

SHELTER = {
    "soort": "feitelijk",
    "straat": "Kanariestraat",
    "huisnummer": "7",
    "postcode": "9876ZX",
    "woonplaats": "Kanariedam",
}
MOTHER = {
    "rol": {"tekst": "ouder met gezag"},
    "bsn": "999993653",
    "naam": {"voornamen": "Maria", "geslachtsnaam": "Voorbeeld"},
    "geboortedatum": {"tekst": "19880612", "indicatie": "V"},
    "adressen": [SHELTER],
    "telefoonnummers": ["0687654321"],
    "aanvullendeInformatie": "Verblijft op een geheim adres: de Kanariehof.",
}
CHILD = {
    "rol": {"tekst": "kind van het gezin"},
    "naam": {"voornamen": "Anne", "geslachtsnaam": "Voorbeeld"},
    "geboortedatum": {"tekst": "20150602", "indicatie": "V"},
    "adressen": [SHELTER],
}
CANARIES = ("Kanariestraat", "Kanariedam", "9876ZX", "87654321", "Kanariehof")


def message(feed: Feed, *persons: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = {"omschrijving": "Zij is te vinden in de Kanariestraat 7 te Kanariedam."}
    return feed.sample({"betrokkenen": list(persons), "incident": {"locatie": "Kanariestraat 7", **text}, **more})


@pytest.mark.parametrize("door", ["json", "corv"])
def test_the_commit_of_receipt_holds_nothing_readable(door: str, feed: Feed) -> None:
    sent = message(feed, MOTHER, CHILD)
    answer = feed.post_json(sent) if door == "json" else feed.post(feed.xml(sent))
    assert answer.status_code in (200, 202)
    assert tables_with(feed.db, CANARIES) == {}
    rows = feed.rows(
        "SELECT m.number, p.cause, p.set_by FROM protection p JOIN mention m ON m.id = p.mention_id ORDER BY 1"
    )
    assert [(row["number"], row["cause"], row["set_by"]) for row in rows] == [
        (1, "sign", "system"),
        (2, "sign", "system"),
    ]


def test_linking_and_routing_keep_it_so_and_the_vault_has_it_whole(feed: Feed) -> None:
    feed.post_json(message(feed, MOTHER, CHILD))
    feed.work()
    assert tables_with(feed.db, CANARIES) == {}
    assert settling.readable(feed.db) == (1, 0)
    (report,) = feed.rows("SELECT id FROM report")
    content, persons = settling.opened(feed.db, report["id"])
    assert content["incident"]["locatie"] == "Kanariestraat 7"
    assert persons[1]["adressen"] == [SHELTER]
    assert persons[2]["telefoonnummers" if "telefoonnummers" in persons[2] else "adressen"] == [SHELTER]


def test_a_later_message_without_a_sign_is_in_the_vault_when_it_is_linked(feed: Feed) -> None:
    feed.post_json(message(feed, MOTHER, CHILD))
    feed.work()
    plain = {name: value for name, value in MOTHER.items() if name != "aanvullendeInformatie"}
    feed.post_json(message(feed, plain, bericht={"referentienummer": "r-2"}, melding={"kenmerk": "k-2"}))
    feed.work()
    assert tables_with(feed.db, CANARIES) == {}
    assert feed.rows("SELECT count(DISTINCT person_id) AS n FROM link")[0]["n"] == 2


def test_an_ordinary_message_is_not_touched(feed: Feed) -> None:
    feed.post_json(feed.sample())
    feed.work()
    assert (feed.count("protection"), feed.count("whereabouts")) == (0, 0)
    assert protected.HIDDEN not in str(feed.rows("SELECT person FROM mention"))


def test_what_came_in_before_is_found_by_the_command_and_once(feed: Feed, database_url: str) -> None:
    plain = {name: value for name, value in MOTHER.items() if name != "aanvullendeInformatie"}
    feed.post_json(message(feed, plain, CHILD))
    feed.work()
    feed.db.execute(
        'UPDATE mention SET person = person || \'{"overigeZorgMinderjarige": "ondergedoken"}\' WHERE number = 1'
    )
    assert tables_with(feed.db, ["Kanariestraat"])
    found = [CliRunner().invoke(shield, []) for _ in range(2)]
    assert ["2 mention(s)" in found[0].output, "0 mention(s)" in found[1].output] == [True, True], found[0].output
    assert tables_with(feed.db, CANARIES) == {}


def test_a_worker_reaches_the_reports_that_a_member_may_not_see(feed: Feed) -> None:
    """Whoever protects somebody may not see all reports on him; the job afterwards does."""
    plain = {name: value for name, value in MOTHER.items() if name != "aanvullendeInformatie"}
    for number in ("1", "2"):
        feed.post_json(message(feed, plain, bericht={"referentienummer": number}, melding={"kenmerk": number}))
        feed.work()
    mentions = feed.rows(
        "SELECT m.id, m.report_id, m.region_id, l.person_id FROM mention m JOIN link l ON l.mention_id = m.id"
    )
    assert len({row["person_id"] for row in mentions}) == 1
    feed.db.execute(
        "INSERT INTO protection (id, region_id, mention_id, person_id, cause, reason, set_by, set_at)"
        " VALUES (gen_random_uuid(), %(region_id)s, %(id)s, %(person_id)s, 'staff', 'x', 'bram', now())",
        mentions[0],
    )
    assert settling.readable(feed.db) == (2, 2)
    with feed.db.transaction():
        whereabouts.everywhere(feed.db, UUID(str(mentions[0]["report_id"])))
    assert settling.readable(feed.db) == (2, 0)
    assert tables_with(feed.db, CANARIES) == {}


def test_receipt_cannot_be_read_at_the_door(feed: Feed) -> None:
    """The role that stores what comes in can put it in the vault, and take nothing out."""
    feed.post_json(message(feed, MOTHER))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction("door") as door:
        door.execute("SELECT sealed FROM whereabouts")
