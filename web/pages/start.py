"""The first page of each role: what to do now. Numbers that lead to their rows, and the rows that come first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from starlette.responses import Response

from core.database import Row
from core.deadlines import local_day
from intake import advice_rows
from intake.channels import drafts
from radar.casework import today
from radar.casework.queue import Filter, QueueItem, first_items
from radar.casework.today import Standing
from radar.oversight import review
from radar.rights import orders
from web.access.guard import Visit
from web.language import constants, say
from web.navigation import ENTRIES, Entry
from web.pages.queue import may_see_kinds, page_of

FIRST = 6
"""So many rows of each list; the rest is in the queue."""
CALL = ("acute_check", "direct_action")
LEADS = constants(
    {
        "intake_worker": "Wat nu binnenkomt, en wie u nu moet bellen.",
        "assessor": "Uw taken, acuut eerst, daarna wat het eerst af moet.",
        "behavioural_scientist": "Wat op uw handtekening wacht, en uw eigen taken.",
        "trusted_physician": "Uw taken, acuut eerst, daarna wat het eerst af moet.",
        "team_lead": "Wat te laat is, en wat nog niemand heeft.",
        "privacy_officer": "Verzoeken van betrokkenen, en wat u moet nakijken.",
        "auditor": "Wat de controle van het log vond.",
        "administrator": "Of het systeem loopt, en wat is vastgelopen.",
    }
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that leads to what it counts; `tone` is acute, late or calm."""

    count: int
    label: str
    path: str
    tone: str = "calm"


@dataclass(frozen=True, slots=True)
class Block:
    """A list of what to do, with what to say when there is nothing; `more` leads to all of it."""

    name: str
    title: str
    empty: str
    chosen: Filter
    rows: Sequence[QueueItem] = ()
    more: str = ""


@dataclass(slots=True)
class Day:
    """All that the page of one role shows."""

    tiles: list[Tile] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    orders: Sequence[Row] | None = None
    findings: Sequence[Row] | None = None
    reviewed_until: object = None
    machine: today.Machine | None = None


def show(visit: Visit) -> Response:
    """What to do now. No list holds more than its first rows, so the page is quick however much is open."""
    day = Day()
    kinds = may_see_kinds(visit)
    if visit.may("queue.view") and kinds:
        found = today.per_kind(visit.db, visit.region, kinds, visit.member.team, visit.member.id, visit.at)
        whole = today.together(found)
        _PAGES.get(visit.member.role, _caseworker)(visit, day, kinds, found, whole)
    elif visit.may("request.prepare"):
        _privacy(visit, day)
    if visit.may("log.review.view"):
        _oversight(visit, day)
    if day.blocks:
        lists = first_items(visit.db, visit.region, [block.chosen for block in day.blocks], visit.at, FIRST)
        day.blocks = [replace(block, rows=rows) for block, rows in zip(day.blocks, lists, strict=True)]
        visit.note("queue.view", "queue", details={"rows": sum(len(block.rows) for block in day.blocks)})
    if day.findings is not None:
        visit.note("log.review.view", "log", details={"rows": len(day.findings)})
    return visit.show(
        "start.html", day=day, lead=LEADS[visit.member.role], page_of=page_of, beginnings=_beginnings(visit)
    )


def _beginnings(visit: Visit) -> list[Entry]:
    """Where something new begins: the desk, advice; what this role may of it."""
    return [
        one for one in ENTRIES if one.group == "incoming" and one.path != "/quarantaine" and visit.may(one.action)
    ]


Kinds = tuple[str, ...]
Page = Callable[[Visit, Day, Kinds, dict[str, Standing], Standing], None]


def _intake(visit: Visit, day: Day, kinds: Kinds, found: dict[str, Standing], whole: Standing) -> None:
    unseen, unread = found.get("acute_check", Standing()), found.get("quarantine", Standing())
    day.tiles = [
        Tile(unseen.open, say("nieuwe meldingen, nog niet bekeken"), _queue(visit, soort="acute_check"), "acute"),
        Tile(whole.late, say("te laat"), _queue(visit, telaat="1"), "late"),
        Tile(whole.mine, say("van mij"), _mine()),
        Tile(unread.open, say("onleesbare berichten"), "/quarantaine"),
        *_talks(visit),
    ]
    day.blocks = [
        _block(visit, "bel", say("Bel nu"), "Er is niemand die u nu moet bellen.", kinds=CALL),
        _of_me(visit, kinds),
    ]


def _talks(visit: Visit) -> list[Tile]:
    """Calls of mine that are not done, and who waits for advice."""
    mine = sum(row["staff_id"] == visit.member.id for row in drafts.open_ones(visit.db, visit.region))
    waits = advice_rows.waiting(visit.db, visit.region, local_day(visit.at))
    return [
        Tile(mine, say("gesprekken van mij die nog open staan"), "/gesprekken"),
        Tile(waits["open"] + waits["chats"], say("vragen en chats die op advies wachten"), "/adviezen"),
    ]


def _caseworker(visit: Visit, day: Day, kinds: Kinds, found: dict[str, Standing], whole: Standing) -> None:
    sign = found.get("sign", Standing())
    day.tiles = [
        Tile(whole.mine, say("van mij"), _mine(), "calm"),
        Tile(whole.acute, say("acuut of nog niet bekeken"), _queue(visit, risico="2"), "acute"),
        Tile(whole.late, say("te laat"), _queue(visit, telaat="1"), "late"),
    ]
    if visit.may("assessment.sign"):
        day.tiles.append(Tile(sign.open, say("wachten op een handtekening"), _queue(visit, soort="sign")))
    day.blocks = [_of_me(visit, kinds)]
    if visit.may("assessment.sign"):
        day.blocks.append(_signing(visit))
    day.blocks.append(_of_nobody(visit, kinds))


def _signer(visit: Visit, day: Day, kinds: Kinds, found: dict[str, Standing], whole: Standing) -> None:
    _caseworker(visit, day, kinds, found, whole)
    day.blocks = [_signing(visit), _of_me(visit, kinds)]


def _lead(visit: Visit, day: Day, kinds: Kinds, found: dict[str, Standing], whole: Standing) -> None:
    day.tiles = [
        Tile(whole.acute, say("acuut of nog niet bekeken"), _queue(visit, risico="2"), "acute"),
        Tile(whole.late, say("te laat"), _queue(visit, telaat="1"), "late"),
        Tile(whole.today, say("vandaag af"), _queue(visit)),
        Tile(whole.escalated, say("opgeschaald"), _queue(visit, klok="opgeschaald"), "late"),
        Tile(whole.nobody, say("van niemand"), _queue(visit, wie="niemand")),
    ]
    late = _block(
        visit, "laat", say("Te laat"), "Niets is te laat.", more=_queue(visit, telaat="1"), kinds=kinds, overdue=True
    )
    day.blocks = [late, _of_nobody(visit, kinds), _of_me(visit, kinds)]


def _administrator(visit: Visit, day: Day, kinds: Kinds, found: dict[str, Standing], whole: Standing) -> None:
    day.machine = today.machine(visit.db, visit.region, visit.at)
    stopped = found.get("dead_job", Standing())
    day.tiles = [
        Tile(stopped.open, say("vastgelopen"), _queue(visit, soort="dead_job"), "acute"),
        Tile(day.machine.waiting, say("bewerkingen wachten"), "/wachtrij"),
    ]
    day.blocks = [_block(visit, "vast", say("Vastgelopen"), "Niets is vastgelopen.", kinds=("dead_job",))]


def _privacy(visit: Visit, day: Day) -> None:
    kinds = ("person_request", "break_glass")
    found = today.per_kind(visit.db, visit.region, kinds, None, visit.member.id, visit.at)
    asked = found.get("person_request", Standing())
    day.orders = orders.waiting(visit.db, visit.region)
    day.tiles = [
        Tile(asked.open, say("verzoeken van betrokkenen"), "#verzoeken"),
        Tile(asked.late, say("verzoeken te laat"), "#verzoeken", "late"),
        Tile(len(day.orders), say("vernietigingen wachten op een tweede persoon"), "/bewaartermijnen"),
    ]
    day.blocks = [
        _block(
            visit,
            "verzoeken",
            say("Verzoeken van betrokkenen"),
            "Er staat geen verzoek open.",
            more="",
            kinds=("person_request",),
        )
    ]


def _oversight(visit: Visit, day: Day) -> None:
    found = review.findings(visit.db, visit.region)
    opened = review.grants(visit.db, visit.region)
    day.findings = found[:FIRST]
    day.reviewed_until = review.last_day(visit.db, visit.region)
    late = sum(row["due_at"] <= visit.at for row in found) + sum(row["review_due_at"] <= visit.at for row in opened)
    day.tiles += [
        Tile(len(found), say("te controleren in het log"), "/logcontrole"),
        Tile(len(opened), say("noodinzages na te kijken"), "/logcontrole"),
        Tile(late, say("controles te laat"), "/logcontrole", "late"),
    ]


_PAGES: dict[str, Page] = {
    "intake_worker": _intake,
    "behavioural_scientist": _signer,
    "team_lead": _lead,
    "administrator": _administrator,
}


def _of_me(visit: Visit, kinds: Kinds) -> Block:
    return _block(
        visit, "mij", say("Mijn taken"), "U hebt geen open taken.", more=_mine(), kinds=kinds, staff=visit.member.id
    )


def _of_nobody(visit: Visit, kinds: Kinds) -> Block:
    more = _queue(visit, wie="niemand")
    return _block(
        visit, "niemand", say("Nog van niemand"), "Elke taak heeft iemand.", more=more, kinds=kinds, nobody=True
    )


def _signing(visit: Visit) -> Block:
    more = _queue(visit, soort="sign")
    return _block(
        visit, "tekenen", say("Wacht op een tweede handtekening"), "Er wacht niets op u.", more=more, kinds=("sign",)
    )


def _block(visit: Visit, name: str, title: str, empty: str, *, more: str | None = None, **asked: object) -> Block:
    """A list of the queue, still without its rows; work of a team is that of his team and what no team has."""
    team = None if "staff" in asked else visit.member.team
    chosen = Filter(team=team, no_team=team is not None, **asked)  # type: ignore[arg-type]
    return Block(name, title, empty, chosen, more=_queue(visit) if more is None else more)


def _queue(visit: Visit, **asked: str) -> str:
    return "/wachtrij?" + urlencode(({} if visit.member.team else {"team": "alle"}) | asked)


def _mine() -> str:
    return "/wachtrij?team=alle&wie=ik"
