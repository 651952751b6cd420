"""The gate: a last look at the moment that something leaves. Only what passes gets its bytes; the rest is held.

What was true at the release may have changed: a link, a mark, a restriction, the recipient. Whatever stands in the
way puts it before a person (security.md D1, D2, D4, D6, T14).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict
from core.ids import uuid7
from radar.casework import tasks, terms
from radar.outbound import recipients, rows, stances
from radar.outbound.kinds import rules

TASK = "outgoing"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why something may not leave now: a code for the record, a Dutch sentence for people."""

    code: str
    text: str


UNRELEASED = Objection("not_released", "Dit is nog niet vrijgegeven.")
SECOND = Objection("second_person", "Een tweede persoon moet dit lezen en vrijgeven.")
WITHDRAWN = Objection("withdrawn", "Dit is ingetrokken.")
WAITING = frozenset({UNRELEASED.code, SECOND.code, WITHDRAWN.code})
"""These need no task of their own: it waits for a person already, or for nobody."""
TEXTS: dict[str, str] = {
    "not_allowed": "Deze inhoud mag niet naar deze ontvanger.",
    "stands": "Dit geldt niet meer: wat er in staat is ingetrokken, beantwoord of vernietigd.",
    "link_open": "Over een koppeling van deze melding is nog niet beslist. Beslis eerst, of laat weg wat uit andere"
    " meldingen komt.",
    "link_changed": "Een koppeling is veranderd na de vrijgave. Lees opnieuw wat er in staat.",
    "restricted": "Deze melding is afgeschermd na de vrijgave. Overleg met de contactpersoon.",
    "stopped": "Gegevens van iemand in deze melding mogen nu niet worden gebruikt.",
    "excluded": "Deze ontvanger is uitgesloten van gegevens over iemand in deze melding.",
    "unknown": "Het is niet bekend of dit bericht is aangekomen. Stuur het niet zomaar nog eens.",
    "safe_contact": "Deze manier van bereiken is niet meer veilig, of dit was geen veilig moment.",
    "recipient": "Deze ontvanger bestaat niet meer.",
    "marked": "In de tekst staat iets dat herleidbaar is naar de melder.",
    "secret": "In de tekst staat een adres of nummer dat is afgeschermd.",
    "reporter": "In de tekst staat iets over de melder, en er is geen grond om te zeggen wie meldde.",
    "reporter_concerned": "De melder is zelf een van de betrokkenen. Twee personen moeten dit lezen en vrijgeven.",
}


def check(db: Db, outgoing: Row, at: datetime, texts: Sequence[str] = ()) -> list[Objection]:
    """What stands in the way of this leaving at `at`, in the order of its weight; empty when nothing does.

    `texts`: what people wrote in it, word for word, to look for what was marked since.
    """
    known = rows.facts(db, outgoing["id"], at)
    found = [*_released(outgoing), *_content(outgoing, known), *_recipient(db, outgoing, known, at)]
    if outgoing["report_id"] and any(texts) and stances.has_marked(db, outgoing["report_id"], texts):
        found.append(Objection("marked", TEXTS["marked"]))
    if outgoing["report_id"] and any(texts) and stances.has_secret(db, outgoing["report_id"], texts):
        found.append(Objection("secret", TEXTS["secret"]))
    if stances.newly_concerned(db, outgoing):
        found.append(Objection("reporter_concerned", TEXTS["reporter_concerned"]))
    if "reporter" in outgoing["dangers"] and not stances.may_tell(db, outgoing["report_id"]):
        found.append(Objection("reporter", TEXTS["reporter"]))
    return found


def pass_out(
    db: Db, kind: str, subject: UUID, content: bytes, *, by: str, at: datetime, texts: Sequence[str] = ()
) -> bytes | None:
    """The bytes, when they may leave now: it is written down with their hash, in this transaction. Else None.

    What is in the way holds it, with a task for a person. Raises NotFound when nobody ever proposed this; Conflict
    when it went before and goes only once.
    """
    row = _locked(db, kind, subject)
    if not _free(db, row, at, texts):
        return None
    if row["state"] == "sent" and not rules().kinds[kind].repeats:
        raise Conflict("Dit is al verstuurd.")
    rows.sent(db, row["id"], content, at)
    _note(db, row, by, "outbound.send", content)
    return content


def may_go(db: Db, kind: str, subject: UUID, *, at: datetime, texts: Sequence[str] = ()) -> bool:
    """Whether this may leave now; what stands in the way holds it, as when it goes. Raises NotFound."""
    return _free(db, _locked(db, kind, subject), at, texts)


def print_out(
    db: Db,
    kind: str,
    subject: UUID,
    draw: Callable[[str], bytes],
    *,
    by: str,
    at: datetime,
    texts: Sequence[str] = (),
) -> bytes | None:
    """A copy on paper of what may leave now, drawn with a number of its own at its foot; None when it may not.

    The number leads to who took it along and when, without a name on the paper. Raises as `pass_out`.
    """
    row = _locked(db, kind, subject)
    if not _free(db, row, at, texts):
        return None
    print_id = uuid7()
    content = draw(f"Afdruk {print_number(print_id)}")
    _print(db, row, print_id, content, by, at, draft=False)
    return content


def draft_out(
    db: Db, kind: str, subject: UUID, draw: Callable[[str], bytes], *, by: str, name: str, at: datetime
) -> bytes:
    """A copy for who must read it before it is released: it says on itself that it may not leave, and whose it is.

    Raises NotFound.
    """
    row = _locked(db, kind, subject)
    print_id = uuid7()
    content = draw(f"CONCEPT, niet versturen. Gelezen door {name}, {print_number(print_id)}")
    _print(db, row, print_id, content, by, at, draft=True)
    return content


def print_number(print_id: UUID) -> str:
    """What stands at the foot of a copy: enough of its id to find it."""
    return print_id.hex[-12:].upper()


def hold(db: Db, outgoing: Row, objections: Collection[Objection], at: datetime) -> None:
    """It does not leave, and a person must look at it."""
    codes = [one.code for one in objections]
    rows.held(db, outgoing["id"], codes, at)
    if outgoing["report_id"]:
        tasks.open_task(db, TASK, outgoing["id"], outgoing["report_id"], due_at=terms.soon(at), at=at)
    details = {"kind": outgoing["kind"], "subject": str(outgoing["subject_id"]), "why": codes}
    audit.append(db, outgoing["region_id"], "system", "outbound.hold", "outgoing", outgoing["id"], details, "refused")


def why(outgoing: Row) -> list[str]:
    """What held it, as sentences; of a recipient only that it was the recipient: the reason may be solved by now."""
    return [TEXTS.get(code, "Controleer de ontvanger.") for code in outgoing["held_why"]]


def _locked(db: Db, kind: str, subject: UUID) -> Row:
    return rows.locked(db, rows.required(db, kind, subject)["id"])


def _free(db: Db, row: Row, at: datetime, texts: Sequence[str]) -> bool:
    """Whether it may leave; what may not is held, unless it waits for a person already."""
    objections = check(db, row, at, texts)
    if not objections:
        return True
    if row["state"] != "held" and not any(one.code in WAITING for one in objections):
        hold(db, row, objections, at)
    return False


def _released(row: Row) -> list[Objection]:
    if row["state"] == "withdrawn":
        return [WITHDRAWN]
    if row["released_by"] is None or row["state"] == "held":
        return [UNRELEASED]
    if row["two_persons"] and row["second_by"] is None:
        return [SECOND]
    return []


def _content(row: Row, known: Mapping[str, Any]) -> list[Objection]:
    kind = rules().kinds.get(row["kind"])
    if kind is None or not rules().allowed(row["kind"], row["recipient_kind"], row["parts"]):
        return [Objection("not_allowed", TEXTS["not_allowed"])]
    found = []
    if not known["stands"]:
        found.append("stands")
    if known["link_open"] and set(row["parts"]) & set(rules().from_links):
        found.append("link_open")
    if known["link_changed"] and kind.links == "unchanged":
        found.append("link_changed")
    if known["restricted_since"]:
        found.append("restricted")
    if known["stopped"]:
        found.append("stopped")
    if known["excluded"]:
        found.append("excluded")
    return [Objection(code, TEXTS[code]) for code in found]


def _recipient(db: Db, row: Row, known: Mapping[str, Any], at: datetime) -> list[Objection]:
    whom = known["recipient"]
    if whom is None:
        return [Objection("recipient", TEXTS["recipient"])]
    match row["recipient_kind"]:
        case "partner":
            text = recipients.partner_objection(whom, local_day(at))
        case "sender" if row["kind"] == "feedback_letter":
            text = ""  # by post, to whom we know; what he sends messages with proves nothing here
        case "sender":
            text = recipients.sender_objection(whom)
        case "person" if row["kind"] == "notice":
            text = ""  # it goes to a channel that the person named himself, which is asked at the sending
        case "person":
            protected = stances.is_protected(db, row["recipient_id"])
            text = recipients.person_objection(whom, at, protected=protected)
        case _:
            text = "" if whom.get("active") else TEXTS["recipient"]
    return [Objection(f"recipient_{row['recipient_kind']}", text)] if text else []


def _print(db: Db, row: Row, print_id: UUID, content: bytes, by: str, at: datetime, *, draft: bool) -> None:
    _note(db, row, by, "outbound.print", content, {"print": str(print_id), "draft": draft})
    count = rows.printed(db, row, print_id, by, at, content, draft=draft)
    if count == rules().limits.prints_per_day + 1:
        audit.append(db, row["region_id"], by, "outbound.many_prints", "staff", None, {"count": count})


def _note(db: Db, row: Row, by: str, action: str, content: bytes, more: Mapping[str, Any] | None = None) -> None:
    details = {
        "kind": row["kind"],
        "to": row["recipient_kind"],
        "recipient": str(row["recipient_id"]),
        "sha256": hashlib.sha256(content).hexdigest(),
        **(more or {}),
    }
    audit.append(db, row["region_id"], by, action, "outgoing", row["id"], details)
