"""To whom: the check of a partner, the check of a person, and what is wrong with a recipient, as Dutch sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound, VeiligError
from core.ids import uuid7
from radar.outbound.kinds import rules

_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_MAILBOX = re.compile(r"[a-z0-9._+-]{1,64}@(?P<domain>[a-z0-9.-]+)")
LONGEST = timedelta(days=400)
"""A check counts a year and a bit at most; our own choice."""


class CheckIncomplete(VeiligError):
    """Er ontbreekt nog iets aan deze controle. Er is niets opgeslagen."""

    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        """`errors`: field to a Dutch sentence."""
        super().__init__()
        self.errors = dict(errors)


def verify_partner(
    db: Db,
    region: UUID,
    team_id: UUID,
    *,
    until: date | None,
    how: str,
    domain: str = "",
    domain_until: date | None = None,
    certificate_until: date | None = None,
    mailbox: str = "",
    by: str,
    at: datetime,
) -> UUID:
    """Somebody made sure that this partner is who it says, until a day. The newest check counts; gives its id.

    Raises NotFound for a team of our own or of another region; CheckIncomplete, naming every field.
    """
    known = db.execute(
        "SELECT FROM team WHERE id = %s AND region_id = %s AND kind <> 'veilig_thuis'", (team_id, region)
    ).fetchone()
    if known is None:
        raise NotFound
    host, post = domain.strip().lower(), mailbox.strip().lower()
    if errors := _faults(local_day(at), until, how, host, domain_until, post):
        raise CheckIncomplete(errors)
    check = uuid7()
    db.execute(
        "INSERT INTO partner_check (id, region_id, team_id, verified_until, domain, domain_until, certificate_until,"
        " mailbox, how, checked_at, checked_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            check,
            region,
            team_id,
            until,
            host or None,
            domain_until,
            certificate_until,
            post or None,
            how.strip(),
            at,
            by,
        ),
    )
    audit.append(db, region, by, "partner.verify", "team", team_id, {"check": str(check), "until": str(until)})
    return check


def _faults(
    today: date, until: date | None, how: str, domain: str, domain_until: date | None, mailbox: str
) -> dict[str, str]:
    errors = {}
    if until is None or not today <= until <= today + LONGEST:
        errors["until"] = f"Vul een dag in van vandaag tot en met {today + LONGEST:%d-%m-%Y}."
    if not 0 < len(how.strip()) <= 500:
        errors["how"] = "Schrijf in een zin hoe u hebt gecontroleerd dat dit de goede organisatie is."
    if domain and not _DOMAIN.fullmatch(domain):
        errors["domain"] = "Schrijf een domein als voorbeeld.nl, zonder https en zonder schuine streep."
    if domain_until and not domain:
        errors["domain"] = "Vul in van welk domein u dit hebt nagekeken."
    if mailbox:
        found = _MAILBOX.fullmatch(mailbox)
        if not found:
            errors["mailbox"] = "Dit is geen mailadres."
        elif not domain or not f".{found['domain']}".endswith(f".{domain}"):
            errors["mailbox"] = "De postbus moet op het domein van de partner staan."
        elif domain_until is None:
            errors["domain_until"] = "Voor een postbus moet bekend zijn tot wanneer het domein van de partner is."
    return errors


def partners(db: Db, region: UUID, at: datetime) -> list[Row]:
    """Every partner of now with its newest check, and `objection`: what is wrong with it, or ''."""
    rows = db.execute(
        "SELECT t.id, t.name, t.kind, c.verified_until, c.domain, c.domain_until, c.certificate_until, c.mailbox,"
        " c.how, c.checked_at, c.checked_by FROM team t LEFT JOIN LATERAL (SELECT * FROM partner_check"
        "   WHERE team_id = t.id ORDER BY checked_at DESC, id DESC LIMIT 1) c ON true"
        " WHERE t.region_id = %s AND t.kind <> 'veilig_thuis' AND (t.valid_to IS NULL OR t.valid_to >= %s)"
        " ORDER BY t.name",
        (region, local_day(at)),
    ).fetchall()
    return [row | {"objection": partner_objection(row, local_day(at))} for row in rows]


def partner(db: Db, region: UUID, team_id: UUID, at: datetime) -> Row:
    """One of `partners`. Raises NotFound."""
    for row in partners(db, region, at):
        if row["id"] == team_id:
            return row
    raise NotFound


def partner_objection(known: Mapping[str, Any], today: date) -> str:
    """What is in the way of sending to this partner today, as a sentence; '' when nothing is (security.md T14)."""
    name = known.get("name") or "Deze partner"
    if known.get("ended"):
        return f"{name} bestaat niet meer als team."
    until = _day(known.get("verified_until"))
    if until is None:
        return f"{name} is nog niet gecontroleerd. Laat eerst vastleggen dat dit de goede organisatie is."
    lapsed = {
        "de controle van de organisatie": until,
        "het domein": _day(known.get("domain_until")),
        "het certificaat": _day(known.get("certificate_until")),
    }
    past = [f"{what} tot {day:%d-%m-%Y}" for what, day in lapsed.items() if day and day < today]
    if past:
        return f"{name} krijgt nu niets: {', '.join(past)} en dat is voorbij. Controleer de partner opnieuw."
    return ""


def check_person(db: Db, mention_id: UUID, how: str, *, by: str, at: datetime) -> UUID:
    """Somebody made sure that this person is the one and that it reaches him and nobody else; gives the check.

    Raises NotFound; CheckIncomplete for a way that is not on the list.
    """
    if how not in rules().person_checks.ways:
        raise CheckIncomplete({"how": "Kies hoe u hebt gecontroleerd dat dit de persoon bereikt, en niemand anders."})
    check = uuid7()
    row = db.execute(
        "INSERT INTO person_check (id, region_id, report_id, mention_id, how, checked_at, checked_by)"
        " SELECT %s, region_id, report_id, id, %s, %s, %s FROM mention WHERE id = %s RETURNING region_id",
        (check, how, at, by, mention_id),
    ).fetchone()
    if row is None:
        raise NotFound
    audit.append(db, row["region_id"], by, "recipient.check", "mention", mention_id, {"how": how})
    return check


def person_objection(known: Mapping[str, Any], at: datetime, *, protected: bool) -> str:
    """What is in the way of sending to this person now, as a sentence; '' when nothing is."""
    checks = rules().person_checks
    how, checked_at = known.get("how"), known.get("checked_at")
    if how is None or checked_at is None:
        return "Er is nog niet gecontroleerd of dit de persoon bereikt, en niemand anders. Leg dat eerst vast."
    if datetime.fromisoformat(str(checked_at)) < at - timedelta(days=checks.days):
        return f"De controle van de ontvanger is ouder dan {checks.days} dagen. Controleer opnieuw."
    way = checks.ways.get(str(how))
    if way is None or (protected and not way.protected_ok):
        return "Het adres van deze persoon is afgeschermd. Post is alleen veilig op een manier die hij zelf noemde."
    return ""


def sender_objection(known: Mapping[str, Any]) -> str:
    """What is in the way of sending to this sender, as a sentence; '' when nothing is."""
    if known.get("revoked"):
        return "Deze melder is als afzender ingetrokken."
    if not known.get("proof"):
        return "Deze afzender heeft geen geldig certificaat of token meer."
    return ""


def _day(value: Any) -> date | None:
    """JSON gives a day as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
