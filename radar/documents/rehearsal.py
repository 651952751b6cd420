"""What a version would change: counted with the functions that would use it, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.calendar import dutch_date
from core.database import Db
from core.deadlines import local_day
from core.documents import Version, trial
from core.errors import VeiligError
from intake import acute
from intake.terms import term_of_day
from radar.casework import feedback_text, terms
from radar.casework.letters import templates
from radar.documents.catalogue import Described
from radar.documents.store import in_force

MOST_TERMS = 5000
MOST_REPORTS = 1000
DAYS = 90
SHOWN = 25


@dataclass(frozen=True, slots=True)
class Moved:
    """An open term that would have another date when it began today as it began then."""

    title: str
    report: UUID | None
    before: date
    after: date


@dataclass(frozen=True, slots=True)
class Preview:
    """A text filled in with invented data."""

    title: str
    paragraphs: list[str]


SAYS: Mapping[str, str] = {
    "terms": "{counted} lopende termijnen zijn nagerekend. {moved} zouden een andere datum hebben als ze nu begonnen."
    " Zij houden hun datum.",
    "earlier": "Bij {earlier} daarvan zou die datum eerder zijn. Kijk of u daar zelf eerder klaar wilt zijn.",
    "own": "{own} termijnen hebben een eigen begin, lengte of verlenging. Die zijn niet nagerekend.",
    "first": "Alleen de eerste {most} zijn bekeken.",
    "ended": "Deze keuzes vervallen bij {list}: {codes}. Ze staan nu in {used} adviezen, meldingen of conclusies; die"
    " houden hun code.",
    "added": "Deze keuzes komen erbij bij {list}: {codes}.",
    "same_codes": "Er vervallen geen keuzes en er komen er geen bij.",
    "reports": "Bekeken: {reports} meldingen van de laatste {days} dagen, zonder wat er per persoon is verteld.",
    "risk": "{up} meldingen zouden bovenaan komen en stonden daar niet. {down} zouden niet meer bovenaan komen.",
    "shown": "Bij {shown} meldingen zouden andere woorden of antwoorden worden getoond.",
    "drafts": "{drafts} beoordelingen zijn nog niet getekend. Zij houden hun vragen.",
    "texts": "{texts} teksten lezen anders.",
}

LISTS: Mapping[str, str] = {
    "capacities": "hoedanigheid",
    "occasions": "aanleiding",
    "natures": "aard van het geweld",
    "forms": "vorm van geweld",
    "results": "conclusie",
    "outcomes": "uitkomst",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence about what would change: its code in SAYS, and the numbers and names in it."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dutch(self) -> str:
        return SAYS[self.code].format(**self.values)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would change, in sentences; for terms also which (at most 25), for texts also how they read."""

    sentences: list[Said]
    moved: list[Moved] = field(default_factory=list)
    previews: list[Preview] = field(default_factory=list)


def rehearse(db: Db, region: UUID, one: Described, version: Version | None, at: datetime) -> Rehearsal:
    """What this version (None: the file) would change in this region, beside the one in force."""
    return _EFFECTS[one.effect](db, region, one, in_force(db, region, one), version, at)


def _nothing(
    db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime
) -> Rehearsal:
    return Rehearsal([])


# ── terms and holidays ──────────────────────────────────────────────────────────────────────────────────────


def _terms(db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime) -> Rehearsal:
    rows = db.execute(
        "SELECT d.kind, d.report_id, d.due_at, e.norm_due_on, e.legal_due_on, e.starts_on, r.received_at"
        " FROM deadline d JOIN deadline_entry e ON e.deadline_id = d.id AND e.number = 1"
        " LEFT JOIN report r ON r.id = coalesce(d.report_id, d.subject_id)"
        " WHERE d.region_id = %s AND d.met_at IS NULL AND d.dropped_at IS NULL ORDER BY d.due_at LIMIT %s",
        (region, MOST_TERMS + 1),
    ).fetchall()
    begun = [
        (row, start) for row in rows[:MOST_TERMS] if (start := row["starts_on"] or _received(row["received_at"]))
    ]
    with trial(one.kind, now, region):
        before = [_dates(row["kind"], start) for row, start in begun]
    with trial(one.kind, new, region):
        after = [_dates(row["kind"], start) for row, start in begun]
    moved, own = [], len(rows[:MOST_TERMS]) - len(begun)
    for (row, _), old, then in zip(begun, before, after, strict=True):
        if old is None or then is None or old != (row["norm_due_on"], row["legal_due_on"]):
            own += 1
        elif old != then:
            moved.append(Moved(_title(row["kind"]), row["report_id"], old[0], then[0]))
    said = [Said("terms", {"counted": len(rows[:MOST_TERMS]) - own, "moved": len(moved)})]
    if earlier := sum(one.after < one.before for one in moved):
        said.append(Said("earlier", {"earlier": earlier}))
    if own:
        said.append(Said("own", {"own": own}))
    if len(rows) > MOST_TERMS:
        said.append(Said("first", {"most": MOST_TERMS}))
    return Rehearsal(said, moved[:SHOWN])


def _received(at: datetime | None) -> date | None:
    return local_day(at) if at else None


def _dates(kind: str, start: date) -> tuple[date, date] | None:
    """Both due dates of a term that begins on this day; None for a kind that terms.toml does not count."""
    if kind in ("safety_assessment", "quarantine"):
        first = term_of_day(start)
        return first.norm.due_on, first.legal.due_on
    if kind not in terms.terms().terms:
        return None
    counted = terms.readings(kind, start)
    return counted.norm.due_on, counted.legal.due_on


def _title(kind: str) -> str:
    known = terms.terms().terms
    return known[kind].title if kind in known else kind


# ── code lists ──────────────────────────────────────────────────────────────────────────────────────────────

_USES: Mapping[str, str] = {
    "capacities": "SELECT (SELECT count(*) FROM advice WHERE capacity = ANY(%(codes)s))"
    " + (SELECT count(*) FROM report"
    " WHERE content #>> '{aanmelding,hoedanigheid}' = ANY(%(codes)s)) AS used",
    "occasions": "SELECT (SELECT count(*) FROM advice WHERE occasions && %(codes)s) + (SELECT count(*) FROM report"
    " WHERE content #> '{aanmelding,aanleidingen}' ?| %(codes)s) AS used",
    "natures": "SELECT (SELECT count(*) FROM advice WHERE natures && %(codes)s) + (SELECT count(*) FROM report"
    " WHERE content #> '{aanmelding,aard}' ?| %(codes)s) AS used",
    "forms": "SELECT count(*) AS used FROM finding WHERE form = ANY(%(codes)s)",
    "results": "SELECT count(*) AS used FROM finding WHERE result = ANY(%(codes)s)",
    "outcomes": "SELECT count(*) AS used FROM service WHERE outcome = ANY(%(codes)s)",
}


def _codes(db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime) -> Rehearsal:
    before, after = (one.kind.table(_text(one, version)) for version in (now, new))
    said = []
    for name, query in _USES.items():
        if name not in before:
            continue
        old, then = _living(before[name]), _living(after.get(name, []))
        if ended := sorted(old - then):
            row = db.execute(query.encode(), {"codes": ended}).fetchone()
            used = row["used"] if row else 0
            said.append(Said("ended", {"list": LISTS[name], "codes": ", ".join(ended), "used": used}))
        if added := sorted(then - old):
            said.append(Said("added", {"list": LISTS[name], "codes": ", ".join(added)}))
    return Rehearsal(said or [Said("same_codes")])


def _living(codes: Any) -> set[str]:
    if isinstance(codes, dict):
        return set(codes)
    return {row["code"] for row in codes if not row.get("ended")}


def _text(one: Described, version: Version | None) -> str:
    return version.text if version else one.kind.built_in()


# ── acute signals ───────────────────────────────────────────────────────────────────────────────────────────


def _signals(
    db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime
) -> Rehearsal:
    rows = db.execute(
        "SELECT content FROM report WHERE region_id = %s AND received_at > %s ORDER BY received_at DESC LIMIT %s",
        (region, at - timedelta(days=DAYS), MOST_REPORTS),
    ).fetchall()
    with trial(one.kind, now, region):
        before = [acute.signals_of_stored(row["content"]) for row in rows]
    with trial(one.kind, new, region):
        after = [acute.signals_of_stored(row["content"]) for row in rows]
    pairs = list(zip(before, after, strict=True))
    up = sum(acute.risk(then) > acute.risk(old) for old, then in pairs)
    down = sum(acute.risk(then) < acute.risk(old) for old, then in pairs)
    shown = sum({s.rule for s in old} != {s.rule for s in then} for old, then in pairs)
    return Rehearsal(
        [
            Said("reports", {"reports": len(rows), "days": DAYS}),
            Said("risk", {"up": up, "down": down}),
            Said("shown", {"shown": shown}),
        ]
    )


# ── questionnaire ───────────────────────────────────────────────────────────────────────────────────────────


def _questionnaire(
    db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime
) -> Rehearsal:
    row = db.execute(
        "SELECT count(*) AS open FROM assessment WHERE region_id = %s AND signed_at IS NULL", (region,)
    ).fetchone()
    return Rehearsal([Said("drafts", {"drafts": row["open"] if row else 0})])


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────

INVENTED = {
    "aan": "mevrouw Voorbeeld",
    "over": "u",
    "bellen": "0800 2000",
    "medewerker": "Robin Testers",
    "regio": "Voorbeeldregio",
    "datum": dutch_date(date(2026, 3, 9)),
    "kenmerk": "V-0001",
    "klacht": "Schrijf een brief aan de klachtencommissie.",
    "ontvangen": dutch_date(date(2026, 3, 2)),
    "verzoek": "inzage of afschrift",
}


def _letter(
    db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime
) -> Rehearsal:
    with trial(one.kind, new, region):
        text: templates.Text = one.kind()
    fields = {name: INVENTED.get(name, f"[{field.label}]")[: field.longest] for name, field in text.fields.items()}
    given = {name: INVENTED[name] for name in templates.GIVEN}
    try:
        paragraphs = templates.filled(text, fields, given)
    except VeiligError as error:
        paragraphs = [error.message]
    subject = text.subject.format_map(given)
    return Rehearsal([], previews=[Preview(subject, paragraphs)])


def _feedback(
    db: Db, region: UUID, one: Described, now: Version | None, new: Version | None, at: datetime
) -> Rehearsal:
    previews = []
    with trial(one.kind, now, region):
        old = {place: _proposal(place) for place in _places()}
    with trial(one.kind, new, region):
        for place in _places():
            text = _proposal(place)
            if text != old.get(place):
                moment, code, reporter = place
                title = f"{feedback_text.MOMENTS[moment]}, {code}, {_REPORTERS[reporter]}"
                previews.append(Preview(title, [text]))
    return Rehearsal([Said("texts", {"texts": len(previews)})], previews=previews[:SHOWN])


_REPORTERS: Mapping[feedback_text.ReporterKind, str] = {
    "police": "politie",
    "professional": "beroepskracht",
    "citizen": "burger",
}


_Place = tuple[feedback_text.Moment, str, feedback_text.ReporterKind]


def _proposal(place: _Place) -> str:
    return feedback_text.proposal(
        *place, reference="P-2026-0001", handed_to="Wijkteam Dal", holder="partner", watch="Wijkteam Dal"
    )


def _places() -> list[_Place]:
    texts = feedback_text.texts()
    moments: tuple[feedback_text.Moment, ...] = ("assessment", "closing")
    return [(moment, code, kind) for moment in moments for code in getattr(texts, moment) for kind in _REPORTERS]


_Effect = Callable[[Db, UUID, Described, Version | None, Version | None, datetime], Rehearsal]
_EFFECTS: Mapping[str, _Effect] = {
    "none": _nothing,
    "terms": _terms,
    "codes": _codes,
    "signals": _signals,
    "questionnaire": _questionnaire,
    "letter": _letter,
    "feedback": _feedback,
}
