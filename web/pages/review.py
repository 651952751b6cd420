"""Link proposals: the list, two sides of one pair with the differences marked, and a person's answer by mouse or key.

An answer leads to the next pair at once. Nothing about skipping is stored: the place in the order is the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, NotFound
from radar.casework import dossier, proposals, review
from radar.casework.consequences import carry_out
from radar.casework.proposals import BARELY, PAGE, START, Filter
from radar.models import Link
from web import wording
from web.access.guard import Visit
from web.access.scope import as_id, find
from web.pages.side_by_side import VERDICTS, side_by_side

ANSWERS = {"zelfde": review.confirm, "ander": review.reject}
SKIP = "overslaan"
SCORES = ((6.0, "zeer waarschijnlijk"), (3.0, "waarschijnlijk"), (0.0, "mogelijk"))
"""From which log2 odds on a score gets these words (6 is 64 to 1, 0 is even); below the last it is 'onzeker'."""
HEAVY, LIGHT = 8.0, 4.0
"""Bits: from here on a reason weighs heavily (a date of birth, an address), and below the second lightly."""


def index(visit: Visit) -> Response:
    """The list, page by page; who follows it may start with the first pair."""
    query = visit.request.query_params
    chosen = _filter(query)
    after = proposals.position_of(visit.db, visit.region, as_id(query["na"])) if "na" in query else START
    found = proposals.waiting(visit.db, visit.region, chosen, after, PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    visit.note("review.list", "queue", details={"rows": len(shown)})
    address = _address(query)
    return visit.show(
        "review_list.html",
        items=shown,
        counts=proposals.counts(visit.db, visit.region, chosen, visit.at),
        teams=dossier.teams(visit.db, visit.region),
        chosen=address,
        tail=_tail(address),
        notice=_notice(visit, query.get("gedaan")),
        first=after == START,
        next_page=_tail(address | {"na": str(shown[-1].link)}) if more else None,
    )


def show(visit: Visit) -> Response:
    """One pair; what was decided already leads on to the next."""
    query = visit.request.query_params
    link = find(visit.db, visit.region, Link, visit.request.path_params["id"])
    if link.state != "proposed":
        return _to_next(visit, link.id, query, done=link.id)
    notice = _notice(visit, query.get("gedaan"))
    if notice and query.get("rond") == "1":
        alone = query.get("gedaan") == str(link.id)
        notice["text"] += " Dit is het enige dat wacht." if alone else " U bent weer bij het begin van de lijst."
    return _page(visit, link.id, query, notice)


def answer(visit: Visit) -> Response:
    """Carry out an answer and go on. When somebody was first, or it can not be, the next pair says so."""
    link = find(visit.db, visit.region, Link, visit.request.path_params["id"])
    given = visit.form.get("antwoord", "")
    if given == SKIP:
        return _to_next(visit, link.id, visit.form, done=link.id)
    if given not in ANSWERS:
        raise HTTPException(400)
    try:
        # A savepoint: a refused answer leaves nothing behind, and the next pair can still be read.
        with visit.db.transaction():
            # Under its lock: an answer to a question must not undo the answer that somebody gave a moment before.
            if review.locked(visit.db, link.id)["state"] != "proposed":
                raise Conflict("Dit voorstel staat niet meer open.")
            carry_out(visit.db, ANSWERS[given], link.id, visit.actor, visit.at)
    except Conflict as error:
        text = _decided_by(find(visit.db, visit.region, Link, link.id)) or error.message
        notice = {
            "kind": "warn",
            "text": f"Uw antwoord is niet opgeslagen. {text} Hieronder staat het volgende voorstel.",
        }
        following, _ = _next(visit, link.id, visit.form)
        if following is None or following == link.id:
            notice["text"] = f"Uw antwoord is niet opgeslagen. {text}"
        return _page(visit, following or link.id, visit.form, notice, 409)
    return _to_next(visit, link.id, visit.form, done=link.id)


def _page(
    visit: Visit, link_id: UUID, query: Mapping[str, str], notice: Mapping[str, Any] | None, status: int = 200
) -> Response:
    pair = proposals.pair(visit.db, visit.region, link_id)
    visit.note("review.view", "link", link_id)
    here = {row["person_id"] for row in pair.company} - {None}
    homes = [
        home
        | {
            "members": [
                member | {"here": member["person_id"] in here}
                for member in dossier.members(visit.db, visit.region, home["household_id"])
                if member["person_id"] != pair.link["person_id"]
            ]
        }
        for home in pair.homes
    ]
    task = proposals.position_of(visit.db, visit.region, link_id)
    return visit.show(
        "review.html",
        status,
        link=pair.link,
        fields=side_by_side(
            pair.link["person"],
            [(row["person"], f"melding van {wording.day_text(row['received_at'])}") for row in pair.known],
        ),
        company=pair.company,
        known=pair.known,
        homes=homes,
        rivals=pair.rivals,
        reasons=[
            {"weight": 0.0} | row | {"words": weight_words(row.get("weight", 0.0))} for row in pair.link["reasons"]
        ],
        score=score_words(pair.link["score"]),
        due_at=task.due_at if task != START else None,
        open=proposals.counts(visit.db, visit.region, _filter(query), visit.at),
        chosen=_address(query),
        tail=_tail(_address(query)),
        notice=notice,
        verdicts=VERDICTS,
    )


def _next(visit: Visit, link_id: UUID, query: Mapping[str, str]) -> tuple[UUID | None, bool]:
    """The proposal behind this one, and whether it was found by starting again; None when nothing waits."""
    chosen = _filter(query)
    here = proposals.position_of(visit.db, visit.region, link_id)
    for after, again in ((here, False), (START, True)):
        if found := proposals.waiting(visit.db, visit.region, chosen, after, 1):
            return found[0].link, again
    return None, True


def _to_next(visit: Visit, link_id: UUID, query: Mapping[str, str], done: UUID) -> Response:
    following, again = _next(visit, link_id, query)
    address = _address(query) | {"gedaan": str(done)}
    if following is None:
        return RedirectResponse(f"/koppelvoorstellen{_tail(address)}", status_code=303)
    if again:
        address["rond"] = "1"
    return RedirectResponse(f"/koppelvoorstellen/{following}{_tail(address)}", status_code=303)


def _notice(visit: Visit, done: str | None) -> dict[str, Any] | None:
    """What became of the pair before this one, read from the link itself."""
    if not done:
        return None
    link = find(visit.db, visit.region, Link, as_id(done))
    report = visit.db.execute(
        "SELECT r.id, c.number FROM mention m JOIN report r ON r.id = m.report_id"
        " LEFT JOIN cases c ON c.id = r.case_id WHERE m.id = %s AND m.region_id = %s",
        (link.mention_id, visit.region),
    ).fetchone()
    if report is None:
        raise NotFound
    if link.state == "proposed":
        text = "Overgeslagen: er is niets vastgelegd. Dit voorstel komt achteraan terug."
        return {"kind": "calm", "text": text, "link": link.id, "report": report["id"]}
    if link.decided_by != visit.actor:
        return {
            "kind": "warn",
            "text": _decided_by(link) or "Dit voorstel staat niet meer open.",
            "report": report["id"],
        }
    said = {
        "confirmed": f"Vastgelegd: dezelfde persoon. De melding staat in casus {report['number']}.",
        "rejected": "Vastgelegd: niet dezelfde persoon. De radar vraagt dit niet meer over deze twee personen.",
    }
    undo = {"confirmed": "ongedaan", "rejected": "intrekken"}.get(link.state)
    look = review.look_again(visit.db, report["id"]) is not None
    return {
        "kind": "good",
        "text": said.get(link.state, "Dit voorstel staat niet meer open."),
        "undo": f"/koppelingen/{link.id}/gevolgen?handeling={undo}" if undo and visit.may("link.preview") else None,
        "look": look,
        "report": report["id"],
    }


def _decided_by(link: Link) -> str:
    """'Teun besloot op 9 maart 2026 om 14.32 uur: dezelfde persoon.'; empty while it is a question."""
    said = {"confirmed": "dezelfde persoon", "rejected": "niet dezelfde persoon", "undone": "ongedaan gemaakt"}
    if link.state not in said or link.decided_at is None:
        return ""
    return f"{link.decided_by} besloot op {wording.moment_text(link.decided_at)}: {said[link.state]}."


def weight_words(weight: float) -> str:
    """How heavily a reason weighs, in bits of log-odds against a stranger who agrees by chance."""
    if not weight:
        return "weegt niet mee"
    if abs(weight) < BARELY:
        return "weegt nauwelijks mee"
    much = "zwaar" if abs(weight) >= HEAVY else "licht" if abs(weight) < LIGHT else "matig"
    return f"{much} {'voor' if weight > 0 else 'tegen'}"


def score_words(score: float) -> str:
    """The chance that these are the same person, as the rules see it, in words."""
    return next((words for limit, words in SCORES if score >= limit), "onzeker")


def _filter(query: Mapping[str, str]) -> Filter:
    try:
        return Filter(UUID(query["team"]) if query.get("team") else None, query.get("reden") or None)
    except ValueError:
        raise HTTPException(400) from None


def _address(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("team", "reden") if query.get(name)}


def _tail(address: Mapping[str, str]) -> str:
    return f"?{urlencode(address)}" if address else ""
