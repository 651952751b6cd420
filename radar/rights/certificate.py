"""The certificate of a destruction: what kinds, how many, when, on what ground, which two people; no personal
data.
"""

from __future__ import annotations

from core.calendar import long_date
from core.database import Db, Row
from core.deadlines import local_day
from radar.casework.letters import drawing

KINDS: dict[str, str] = {
    "mentions": "keer dat deze persoon in een melding stond",
    "reports": "hele meldingen",
    "messages": "berichten zoals ze binnenkwamen",
    "links": "koppelingen in het register",
    "letters": "brieven",
    "texts": "teksten",
    "passages": "zinnen in het dossier van een ander",
}
GROUNDS: dict[str, str] = {
    "request": "een verzoek van de persoon (Wmo 2015 artikel 5.3.5)",
    "retention": "het einde van de bewaartermijn (Wmo 2015 artikel 5.3.4 lid 2)",
    "forwarded": "een formulier dat geen melding was en is doorgestuurd",
}
SUBJECT = "Verklaring van vernietiging"


def paragraphs(order: Row) -> list[str]:
    """The text of the certificate of an order that was carried out."""
    day = local_day(order["executed_at"])
    counts = order["counts"] or {}
    listed = [f"- {counts[code]} {words}" for code, words in KINDS.items() if counts.get(code)]
    return [
        f"Op {long_date(day)} heeft Veilig Thuis gegevens vernietigd.",
        f"De reden was {GROUNDS[order['ground']]}.",
        "Vernietigd zijn:\n" + ("\n".join(listed) or "- er was niets meer te vernietigen"),
        "De gegevens van anderen in dezelfde meldingen zijn gebleven.",
        f"Voorgesteld door {order['proposed_by']}, bevestigd door {order['confirmed_by']}.",
        "In het vernietigingsregister staat deze vernietiging onder het nummer hieronder, zonder persoonsgegevens."
        " Na het"
        " terugzetten van een reservekopie wordt ze opnieuw uitgevoerd.",
        f"Nummer: {order['id']}",
    ]


def draw(db: Db, order: Row) -> bytes:
    """The certificate as PDF."""
    row = db.execute("SELECT name FROM region WHERE id = %s", (order["region_id"],)).fetchone()
    day = local_day(order["executed_at"])
    given = {
        "regio": row["name"] if row else "",
        "datum": long_date(day),
        "kenmerk": order["id"].hex[-12:].upper(),
    }
    return drawing.draw(given, SUBJECT, paragraphs(order))


def pdf(db: Db, region: object, order_id: object) -> bytes | None:
    """The stored certificate of an order of this region; None when there is none (yet)."""
    row = db.execute(
        "SELECT certificate FROM destruction_order WHERE id = %s AND region_id = %s", (order_id, region)
    ).fetchone()
    return bytes(row["certificate"]) if row and row["certificate"] else None
