"""Handover of a report: what was offered and answered, a new offer in two steps, its link, and an answer by phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotFound
from intake import outbox
from intake.corv.vto import VtoIncomplete
from intake.models import Report
from radar.casework import dossier, handover, handover_shares, handovers, invite, vto
from radar.casework.handover_kinds import KINDS, title_of, told
from radar.casework.invite import Invitation
from radar.casework.letters import Unwritable
from radar.casework.states import FINAL, MOVES, STATES
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages.feedback import DELIVERY
from web.pages.forms import day, report_of

FIELD_OF = {"kind": "soort", "team": "team", "afterwards": "daarna", "days": "dagen", "shares": "delen"}
"""A field of an offer to its name on the form; the content of a kind is `veld_` and its own name."""
ANSWER_OF = {"name": "naam", "started_on": "gestart", "reason": "reden"}
UNREAD = "Lees eerst wat de partner ziet. Vink daarna aan dat u het hebt gelezen."


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def offer(visit: Visit) -> Response:
    """Offer it; the link and the code are on the page that follows, once."""
    report, form = report_of(visit), visit.form
    kind = KINDS.get(form.get("soort", ""))
    team = form.get("team", "")
    try:
        with visit.db.transaction():
            made = handover.offer(
                visit.db,
                report.id,
                kind=form.get("soort", ""),
                team_id=as_id(team) if team else None,
                shares=[part for part in handover_shares.PARTS if form.get(f"deel_{part}")],
                content={field.name: form.get(f"veld_{field.name}", "") for field in kind.fields} if kind else {},
                afterwards=form.get("daarna", ""),
                days=int(days) if (days := form.get("dagen", "").strip()).isdecimal() and len(days) < 4 else 0,
                by=visit.actor,
                role=visit.member.role,
                at=visit.at,
            )
            if not form.get("gelezen"):
                raise handover.Incomplete({"gelezen": UNREAD})
            sent = invite.invite(visit.db, made, by=visit.actor, at=visit.at)
    except handover.Incomplete as error:
        errors = {_name(name): text for name, text in error.errors.items()}
        if not form.get("gelezen"):
            errors["gelezen"] = UNREAD
        return _page(visit, report, 400, errors)
    except Conflict as error:
        return _page(visit, report, 409, {"melding": error.message})
    return _page(visit, report, sent=(made, sent))


def renew(visit: Visit) -> Response:
    """A new link and code; what was sent before is worth nothing from now on."""
    report, one = _report_and_handover(visit)
    try:
        with visit.db.transaction():
            sent = invite.invite(visit.db, one["id"], by=visit.actor, at=visit.at)
    except Conflict as error:
        return _page(visit, report, 409, {"melding": error.message})
    return _page(visit, report, sent=(one["id"], sent))


def withdraw(visit: Visit) -> Response:
    def done(one: Row) -> None:
        handover.withdraw(
            visit.db,
            one["id"],
            by=visit.actor,
            role=visit.member.role,
            reason=visit.form.get("reden_intrekken", ""),
            at=visit.at,
        )

    return _carry_out(visit, done, {"reason": "reden_intrekken"})


def answer(visit: Visit) -> Response:
    """An answer that came by phone, with the name of who said it."""
    form = visit.form
    common: dict[str, Any] = {
        "by": visit.actor,
        "role": visit.member.role,
        "name": form.get("naam", ""),
        "at": visit.at,
    }

    def done(one: Row) -> None:
        if form.get("antwoord") == "aanvaard":
            handover.accept(visit.db, one["id"], started_on=day(form.get("gestart", "")), **common)
        elif form.get("antwoord") == "geweigerd":
            handover.refuse(visit.db, one["id"], reason=form.get("reden", ""), **common)
        else:
            raise handover.Incomplete({"antwoord": "Kies wat de partner antwoordde."})

    return _carry_out(visit, done, ANSWER_OF)


def seen(visit: Visit) -> Response:
    """Somebody saw a refusal after which nothing more is needed."""

    def done(one: Row) -> None:
        if not handover.seen(visit.db, one["id"], by=visit.actor, at=visit.at):
            raise Conflict("Dit wacht niet (meer) op iemand.")

    return _carry_out(visit, done, {})


def send_vto(visit: Visit) -> Response:
    """Send the request to the Child Protection Board as a message, once; what is missing is said at its button."""
    report, one = _report_and_handover(visit)
    place = f"vto-{one['id']}"
    try:
        with visit.db.transaction():
            vto.send_vto(visit.db, one["id"], visit.actor, visit.at)
    except (VtoIncomplete, Unwritable) as error:
        return _page(visit, report, 400, {place: error.message})
    except Conflict as error:
        return _page(visit, report, 409, {place: error.message})
    return RedirectResponse(f"/meldingen/{report.id}/overdracht", status_code=303)


def _carry_out(visit: Visit, done: Callable[[Row], None], names: Mapping[str, str]) -> Response:
    """Do it and come back; a refused form leaves nothing behind and comes back with its text, at its own offer."""
    report, one = _report_and_handover(visit)
    try:
        with visit.db.transaction():
            done(one)
    except handover.Incomplete as error:
        return _page(
            visit, report, 400, {f"{names.get(name, name)}-{one['id']}": text for name, text in error.errors.items()}
        )
    except Conflict as error:
        return _page(visit, report, 409, {"melding": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/overdracht", status_code=303)


def _page(
    visit: Visit,
    report: Report,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    sent: tuple[UUID, Invitation] | None = None,
) -> Response:
    db, region = visit.db, visit.region
    state = _state(visit, report.id)
    visit.note("handover.list", "report", report.id)
    chosen = visit.form.get("soort") or visit.request.query_params.get("soort", "")
    if chosen and chosen not in KINDS:
        raise HTTPException(400)
    kind = None if sent else KINDS.get(chosen)
    offers = handovers.of_report(db, region, report.id)
    open_watch = any(one["state"] == "offered" and one["takes_watch"] for one in offers)
    routes = dossier.routes(db, region, report.id) if kind else []
    watch = dossier.watch(db, region, report.case_id) if report.case_id else []
    return visit.show(
        "handover.html",
        status,
        report=report,
        state=STATES[state],
        offers=[
            one
            | {
                "title": title_of(one["kind"]),
                "told": told(one["kind"], one["content"]),
                "invite": invite.current(db, one["id"], visit.at) if one["state"] == "offered" else None,
                "message": outbox.message_of(db, region, one["id"]) if one["kind"] == vto.KIND else None,
                "can_send": one["kind"] == vto.KIND and one["state"] in ("offered", "accepted"),
            }
            for one in offers
        ],
        kinds=KINDS,
        possible=_possible(state, open_watch),
        chosen=chosen if kind else "",
        kind=kind,
        teams=handovers.teams(db, region, kind, visit.at) if kind else [],
        parts=handover_shares.PARTS,
        preview={part.code: part for part in handover_shares.shared(db, report.id, handover_shares.PARTS)}
        if kind
        else {},
        decided=str(next((row["team_id"] for row in routes if row["state"] == "decided"), None) or ""),
        also=handovers.also_running(db, report.id) if kind and kind.takes_watch else [],
        watch=watch[0] if watch and watch[0]["until"] is None else None,
        answers=handovers.ANSWERS,
        deliveries=DELIVERY,
        afterwards=handover.AFTERWARDS,
        sent=sent[1] if sent else None,
        sent_for=next((one for one in offers if sent and one["id"] == sent[0]), None),
        address=str(visit.request.base_url).rstrip("/"),
        form=visit.form,
        errors=errors or {},
    )


def _possible(state: str, open_watch: bool) -> list[str]:
    """The kinds that can be offered now; what takes the watch only once and from its own state."""
    if state in FINAL:
        return []
    watch = state in MOVES["accept"].sources and not open_watch
    return [code for code, kind in KINDS.items() if watch or not kind.takes_watch]


def _name(field: str) -> str:
    return FIELD_OF.get(field) or (field if field == "gelezen" else f"veld_{field}")


def _state(visit: Visit, report_id: UUID) -> str:
    row: dict[str, Any] | None = visit.db.execute("SELECT state FROM report WHERE id = %s", (report_id,)).fetchone()
    if row is None:
        raise NotFound
    return str(row["state"])


def _report_and_handover(visit: Visit) -> tuple[Report, Row]:
    """The offer must be one of this report. Raises NotFound."""
    report = report_of(visit)
    one = handovers.find(visit.db, visit.region, as_id(visit.request.path_params["handover"]))
    if one["report_id"] != report.id:
        raise NotFound
    return report, one
