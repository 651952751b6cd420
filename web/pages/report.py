"""One report: what came in, what the radar says of it, when it is due, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from core.database import Row
from intake.models import Message, Report, Sender
from radar.casework import dossier, review, steps
from radar.models import Case
from web.access.guard import Visit
from web.access.scope import find
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
    db, region = visit.db, visit.region
    report = find(db, region, Report, visit.request.path_params["id"])
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
        report=report,
        sender=sender,
        case=case,
        watch=watch[0] if watch and watch[0]["until"] is None else None,
        task=dossier.task_of(db, region, report.id),
        sections=elements.sections(report.content),
        persons=[
            {"mention": row, "section": elements.person(row["person"]), "links": links.get(row["id"], [])}
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
        history=steps.history(db, region, report.id),
    )


def raw(visit: Visit) -> Response:
    """The message as it came, as text; bytes that are no UTF-8 are shown as a replacement character."""
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    message = find(visit.db, visit.region, Message, report.message_id)
    visit.note("report.raw", "report", report.id)
    return visit.show("raw.html", message=message, back=f"/meldingen/{report.id}", **shown_text(message.raw))


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
