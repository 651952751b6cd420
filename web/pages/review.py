"""Link proposals: the list, two sides of one pair with the differences marked, and a person's answer by mouse or key.

An answer leads to the next pair at once. Nothing about skipping is stored: the place in the order is the address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, NotFound
from radar.casework import dossier, review
from radar.casework.consequences import carry_out
from radar.casework.review import START, Filter
from radar.models import Link
from web import wording
from web.access.guard import Visit
from web.access.scope import as_id, find
from web.headers import POLICY
from web.pages.elements import FIELDS, Key, Said

ANSWERS = {"zelfde": review.confirm, "ander": review.reject}
SKIP = "overslaan"
SCORES = ((10.0, "zeer waarschijnlijk"), (5.0, "waarschijnlijk"), (1.0, "mogelijk"), (-1.0, "half om half"))
"""From how many bits on a score gets these words; below the last it is 'eerder niet'."""
HEAVY, LIGHT = 8.0, 3.0
"""Bits: from here on a reason weighs heavily, and below the second lightly."""


def index(visit: Visit) -> Response:
    """The list, page by page; who follows it may start with the first pair."""
    query = visit.request.query_params
    chosen = _filter(query)
    after = review.position_of(visit.db, visit.region, as_id(query["na"])) if "na" in query else START
    found = review.waiting(visit.db, visit.region, chosen, after, review.PAGE + 1)
    shown, more = found[: review.PAGE], len(found) > review.PAGE
    visit.note("review.list", "queue", details={"rows": len(shown)})
    address = _address(query)
    return visit.show(
        "review_list.html",
        items=shown,
        counts=review.counts(visit.db, visit.region, chosen, visit.at),
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


def script(visit: Visit) -> Response:
    """The keys of the pair page; without it every button still works."""
    return Response(SCRIPT, media_type="text/javascript; charset=utf-8")


def _page(
    visit: Visit, link_id: UUID, query: Mapping[str, str], notice: Mapping[str, Any] | None, status: int = 200
) -> Response:
    pair = review.pair(visit.db, visit.region, link_id)
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
    task = review.position_of(visit.db, visit.region, link_id)
    response = visit.show(
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
        open=review.counts(visit.db, visit.region, _filter(query), visit.at),
        chosen=_address(query),
        tail=_tail(_address(query)),
        notice=notice,
        verdicts=VERDICTS,
    )
    # Only this page has a script, and only one of our own.
    response.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'self'"
    return response


def _next(visit: Visit, link_id: UUID, query: Mapping[str, str]) -> tuple[UUID | None, bool]:
    """The proposal behind this one, and whether it was found by starting again; None when nothing waits."""
    chosen = _filter(query)
    here = review.position_of(visit.db, visit.region, link_id)
    for after, again in ((here, False), (START, True)):
        if found := review.waiting(visit.db, visit.region, chosen, after, 1):
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
    much = "zwaar" if abs(weight) >= HEAVY else "licht" if abs(weight) < LIGHT else "matig"
    return f"{much} {'voor' if weight > 0 else 'tegen'}"


def score_words(score: float) -> str:
    """The chance that these are the same person, as the rules see it, in words."""
    return next((words for limit, words in SCORES if score >= limit), "eerder niet")


def _filter(query: Mapping[str, str]) -> Filter:
    try:
        return Filter(UUID(query["team"]) if query.get("team") else None, query.get("reden") or None)
    except ValueError:
        raise HTTPException(400) from None


def _address(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("team", "reden") if query.get(name)}


def _tail(address: Mapping[str, str]) -> str:
    return f"?{urlencode(address)}" if address else ""


# ── two persons side by side ────────────────────────────────────────────────────────────────────────────────────

VERDICTS = {
    "same": ("=", "gelijk"),
    "alike": ("≈", "lijkt erg"),
    "different": ("≠", "verschilt"),
    "left_only": ("·", "alleen in deze melding"),
    "right_only": ("·", "alleen bij de bekende persoon"),
    "unclear": ("·", "niet te vergelijken"),
}
"""How two sides of a field compare: the sign and the word that stand beside it; colour says nothing more."""
ALIKE = 0.75
"""From this share of equal letters on, two names look alike. OWN choice; the radar's reasons decide nothing here."""
MARKED_LENGTH = 120
"""Longer texts are marked as a whole: finding the letters would cost more than it tells."""

Verdict = Literal["same", "alike", "different", "left_only", "right_only", "unclear"]
Marks = tuple[tuple[str, bool], ...]
"""A text in pieces; true is a piece that differs from the other side."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value on one side: its pieces, and where and when it was seen."""

    marks: Marks
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One field with both its sides; an empty side was never told."""

    label: str
    verdict: Verdict
    left: tuple[Value, ...]
    right: tuple[Value, ...]


def side_by_side(person: Mapping[str, Any], known: Sequence[tuple[Mapping[str, Any], str]]) -> list[Compared]:
    """Field by field: somebody in a report, and the mentions of a known person (newest first, each with its source).

    A BSN or phone number is never written out: its last three digits tell enough to look for it.
    """
    rows = []
    for name, read in FIELDS.items():
        left = {said: "" for said in read(person)}
        right: dict[Said, str] = {}
        for mention, source in known:
            for said in read(mention):
                right.setdefault(said, source)
        if left or right:
            rows.append(_compared(name, left, right))
    return rows


def marked(left: str, right: str) -> tuple[Marks, Marks]:
    """Both texts in pieces, with the letters that differ; upper and lower case are the same letter."""
    if max(len(left), len(right)) > MARKED_LENGTH:
        differs = left != right
        return ((left, differs),), ((right, differs),)
    one, other = left.casefold(), right.casefold()
    if (len(one), len(other)) != (len(left), len(right)):
        one, other = left, right
    ours: list[tuple[str, bool]] = []
    theirs: list[tuple[str, bool]] = []
    for what, start, end, from_, to in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if end > start:
            ours.append((left[start:end], what != "equal"))
        if to > from_:
            theirs.append((right[from_:to], what != "equal"))
    return tuple(ours), tuple(theirs)


def _compared(name: str, left: Mapping[Said, str], right: Mapping[Said, str]) -> Compared:
    near, letters = NEAR.get(name, (None, False))
    pairs = [(one, other) for one in left for other in right if one.key and other.key]
    verdict: Verdict = "different"
    if not left or not right:
        verdict = "left_only" if left else "right_only"
    elif not pairs:
        verdict = "unclear"
    elif any(one.key == other.key for one, other in pairs):
        verdict = "same"
    elif near and any(near(one.key, other.key) for one, other in pairs):
        verdict = "alike"
    return Compared(name, verdict, _values(left, right, letters), _values(right, left, letters))


def _values(own: Mapping[Said, str], other: Mapping[Said, str], letters: bool) -> tuple[Value, ...]:
    """Every value with what differs from the nearest one on the other side."""
    return tuple(Value(_marks(said, list(other), letters), source) for said, source in own.items())


def _marks(said: Said, others: Sequence[Said], letters: bool) -> Marks:
    if not others or any(said.key == other.key for other in others):
        return ((said.shown, False),)
    if not letters:
        return ((said.shown, True),)
    return marked(said.shown, max(others, key=lambda other: _share(said.shown, other.shown)).shown)[0]


def _share(one: str, other: str) -> float:
    """The share of equal letters, 0 to 1, of the first part of two texts."""
    return SequenceMatcher(None, one[:MARKED_LENGTH], other[:MARKED_LENGTH], autojunk=False).ratio()


def _near_birth(one: Key, other: Key) -> bool:
    """No known part differs, only one does, or day and month are swapped."""
    first, second = one or (), other or ()
    wrong = sum(a != b for a, b in zip(first, second, strict=True) if a is not None and b is not None)
    return wrong <= 1 or (first[0] == second[0] and first[1:] == second[:0:-1])


def _near_address(one: Key, other: Key) -> bool:
    """The same house, on the letter or addition after."""
    return len(one or ()) == len(other or ()) == 4 and (one or ())[:2] == (other or ())[:2]


def _near_words(one: Key, other: Key) -> bool:
    first, second = str((one or ("",))[0]), str((other or ("",))[0])
    return _share(first, second) >= ALIKE


NEAR: dict[str, tuple[Callable[[Key, Key], bool], bool]] = {
    "Voornamen": (_near_words, True),
    "Achternaam": (_near_words, True),
    "Volledige naam": (_near_words, True),
    "Geboortedatum": (_near_birth, True),
    "Adres": (_near_address, True),
    "Nationaliteit": (_near_words, False),
}
"""When two values look alike, and whether the letters that differ are marked; the other fields are equal or not."""


# ── the keys ────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT = """"use strict";
(() => {
  const box = document.getElementById("sneltoetsen"), store = "veilig.sneltoetsen";
  if (!box) return;
  box.checked = localStorage.getItem(store) !== "uit";
  box.closest("[hidden]").hidden = false;
  box.addEventListener("change", () => localStorage.setItem(store, box.checked ? "aan" : "uit"));
  let gone = false;
  document.addEventListener("keydown", (event) => {
    if (!box.checked || gone || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    gone = true;
    target.click();
  });
})();
"""
"""One letter is one answer, as long as no field has the focus and the box is ticked (WCAG 2.1.4). A key that is held
down counts once, and a page takes one answer."""
