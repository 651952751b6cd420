"""One report: what came in, what the radar says of it, when it is due, and the decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from core import audit, live
from core.database import Row
from core.errors import NotAllowed, NotFound
from intake import opening, vault
from intake.models import Mention, Message, Report, Sender
from radar.casework import dossier, review, steps
from radar.models import Case
from radar.protection import blind, bsn, grants, reporters, whereabouts
from radar.rights import corrections
from web.access.guard import Visit
from web.access.scope import as_id, find
from web.pages import elements

MAX_SHOWN_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that a supplement changed; None is: it was not there."""

    label: str
    before: str | None
    after: str | None


def show(visit: Visit) -> Response:
    """The page of one report."""
    return _page(visit, {})


def reveal_bsn(visit: Visit) -> Response:
    """The same page with the BSN of one person in full; that it was read is on record."""
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    mention = find(visit.db, visit.region, Mention, visit.request.path_params["mention"])
    if mention.report_id != report.id:
        raise NotFound
    if not visit.sees("person.bsn"):
        raise NotAllowed
    return _page(visit, {mention.id: bsn.read(visit.db, mention.id, by=visit.actor)})


def _page(visit: Visit, numbers: Mapping[UUID, str]) -> Response:
    """The page, with the BSN in full of the mentions in `numbers`."""
    db, region = visit.db, visit.region
    asked = as_id(visit.request.path_params["id"])
    # A BSN in full is not taken from under somebody's eyes: that page stays as it is.
    number = None if numbers else live.number(db, asked)
    report = find(db, region, Report, asked)
    visit.note("report.view", "report", report.id)
    sender = find(db, region, Sender, report.sender_id)
    case = find(db, region, Case, report.case_id) if report.case_id else None
    links: dict[UUID, list[Row]] = {}
    for row in dossier.links_of_report(db, region, report.id):
        links.setdefault(row["mention_id"], []).append(row)
    deadline = dossier.deadline(db, region, "safety_assessment", report.id)
    routes = dossier.routes(db, region, report.id)
    versions = dossier.versions(db, region, report.sender_id, report.reference_of_reporter)
    household = dossier.reports_of_household(db, region, report.household_id) if report.household_id else []
    watch = dossier.watch(db, region, case.id) if case else []
    return visit.show(
        "report.html",
        live_number=number,
        report=report,
        sender=sender,
        case=case,
        watch=watch[0] if watch and watch[0]["until"] is None else None,
        task=dossier.task_of(db, region, report.id),
        sections=elements.sections(report.content),
        persons=[
            _person(visit, row, links.get(row["id"], []), numbers.get(row["id"], ""))
            for row in dossier.mentions(db, region, report.id)
        ],
        deadline=deadline,
        ledger=dossier.ledger(db, deadline["id"]) if deadline else [],
        signals=dossier.signals_of_report(db, region, report.id),
        look_again=review.look_again(db, report.id),
        decision=next((row for row in routes if row["state"] == "decided"), None),
        proposal=next((row for row in routes if row["state"] != "decided"), None),
        versions=versions,
        differences=_differences(versions, report.id),
        household_reports=household,
        progress=dossier.progress(db, region, report.id),
        tasks=dossier.open_tasks(db, region, report.id),
        hits=blind.hits(db, report.id),
        history=steps.history(db, region, report.id),
        beside=corrections.of_report(db, region, report.id),
    )


def _person(visit: Visit, mention: Row, links: list[Row], number: str) -> dict[str, Any]:
    """One person for the page. What came before sealing is shown as if it were sealed."""
    said = vault.part_person(mention["person"])[0]
    hidden = visit.sees("person.bsn") and not number and bsn.status(said) in ("valid", "invalid")
    return {
        "mention": mention | {"person": said},
        "section": elements.person(said, number),
        "links": links,
        "sealed_bsn": hidden,
    }


def raw(visit: Visit) -> Response:
    """The message as it came, as text; bytes that are no UTF-8 are shown as a replacement character.

    It holds everything, so it needs a grant for each vault that something of it stands in.
    """
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    missing = [kind for kind in _vaults(visit, report.id) if not _granted(visit, kind, report.id)]
    if missing:
        audit.append(
            visit.db,
            visit.region,
            visit.actor,
            "report.raw",
            "report",
            report.id,
            {"missing": missing},
            outcome="refused",
        )
        return visit.show("raw_closed.html", 403, report=report, missing=missing)
    message = find(visit.db, visit.region, Message, report.message_id)
    visit.note("report.raw", "report", report.id)
    content = opening.raw(visit.db, message.id, message.raw)
    return visit.show("raw.html", message=message, back=f"/meldingen/{report.id}", **shown_text(content))


def _vaults(visit: Visit, report: UUID) -> Iterator[grants.Kind]:
    """The vaults that something of this report stands in."""
    if reporters.has_any(visit.db, report):
        yield "reporter"
    if whereabouts.is_hidden(visit.db, report):
        yield "whereabouts"


def _granted(visit: Visit, kind: grants.Kind, report: UUID) -> bool:
    return grants.current(visit.db, visit.member.id, kind, report_id=report, at=visit.at) is not None


def shown_text(content: bytes) -> dict[str, Any]:
    """The first part of raw bytes as text, how many there are, and whether this is all."""
    text = content[:MAX_SHOWN_BYTES].decode("utf-8", "replace")
    return {"text": text, "size": len(content), "whole": len(content) <= MAX_SHOWN_BYTES}


def _differences(versions: list[Row], report_id: UUID) -> list[Difference]:
    """What this report changed against the one before it with the same reference."""
    place = next((index for index, row in enumerate(versions) if row["id"] == report_id), 0)
    if place == 0:
        return []
    before, after = (
        elements.compared(row["content"], row["persons"] or []) for row in (versions[place - 1], versions[place])
    )
    return [change for part in dict.fromkeys([*before, *after]) for change in _changes(part, before, after)]


def _changes(
    part: str, before: Mapping[str, dict[str, str]], after: Mapping[str, dict[str, str]]
) -> list[Difference]:
    if part not in before:
        return [Difference("Persoon", None, part)]
    if part not in after:
        return [Difference("Persoon", part, None)]
    old, new = before[part], after[part]
    labels = [label for label in dict.fromkeys([*old, *new]) if old.get(label) != new.get(label)]
    return [Difference(f"{part}: {label}" if part else label, old.get(label), new.get(label)) for label in labels]
