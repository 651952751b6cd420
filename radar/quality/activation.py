"""Put a rehearsed rule set in force: by a person, with a reason and an audit row. Going back goes the same way."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound, ReasonMissing
from radar.linking.derived import read_with
from radar.quality import rows
from radar.quality.policy import policy
from radar.quality.rulesets import RuleSet, changed_tables, in_force, rules_of

MAX_REASON = 1000


def activate(db: Db, region: UUID, rehearsal_id: UUID, reason: str, by: str, at: datetime) -> None:
    """Put the rule set of this rehearsal in force. Who may is decided at the door (web/access/matrix.toml).

    Raises NotFound, ReasonMissing, or Conflict with the obstacle.
    """
    rows.wait_for_turn(db, region)
    rehearsal = rows.rehearsal(db, region, rehearsal_id)
    if rehearsal is None:
        raise NotFound
    if hindrance := obstacle(db, rehearsal, at):
        raise Conflict(hindrance)
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise ReasonMissing("Schrijf op waarom u deze regels in gebruik neemt.")
    newest = rows.newest_activation(db, region)
    activation = rows.activate(db, rehearsal, newest["number"] + 1 if newest else 1, reason, by, at)
    details = {"version": rehearsal["version"], "before": rehearsal["against"], "rehearsal": str(rehearsal_id)}
    audit.append(db, region, by, "rules.activate", "rules", activation, details)


def obstacle(db: Db, rehearsal: Row, at: datetime) -> str | None:
    """Why the rule set of this rehearsal cannot be put in force now, as a sentence; None when it can."""
    current = in_force(db, rehearsal["region_id"])
    wanted = RuleSet(rehearsal["version"], rehearsal["rule_set_id"])
    if wanted == current:
        return "Deze regels zijn al in gebruik."
    if hindrance := key_obstacle(db, rehearsal["region_id"], wanted, current):
        return hindrance
    if rehearsal["finished_at"] is None:
        return "Het proefdraaien is nog niet klaar."
    if RuleSet(rehearsal["against"], rehearsal["against_rule_set_id"]) != current:
        return "Sinds dit proefdraaien zijn andere regels in gebruik genomen. Draai opnieuw proef."
    days = policy().rehearsal.valid_days
    if at - rehearsal["finished_at"] > timedelta(days=days):
        return f"Dit proefdraaien is ouder dan {days} dagen. Draai opnieuw proef."
    return None


def key_obstacle(db: Db, region: UUID, wanted: RuleSet, current: RuleSet) -> str | None:
    """Why this rule set would find nobody in the register as it is.

    None when it reads names as the current one, or when the register was read anew with it.
    """
    if read_with(db, region) == wanted.version:
        return None
    changed = changed_tables(rules_of(db, wanted), rules_of(db, current))
    if not changed:
        return None
    return (
        f"Deze regels lezen namen en adressen anders ({', '.join(changed)}). De zoeksleutels van het register"
        f" moeten dan eerst opnieuw worden gemaakt: vraag de beheerder om `veilig reindex --rules {wanted.version}`."
    )
