"""Rehearse a rule set on stored reports: what would be decided otherwise, and how many questions it adds.

A rehearsal is a chain of small jobs, one part of the reports each. Every part is one commit, so a killed worker
loses one part at most, and the feed never waits behind a long job. Nothing in the register changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from radar.linking.decide import Decision
from radar.linking.register import weigh
from radar.linking.rules import Rules
from radar.quality import rows
from radar.quality.activation import key_obstacle
from radar.quality.policy import policy
from radar.quality.rulesets import RuleSet, find, in_force, rules_of

JOB = "rehearse_rules"

Kind = Literal[
    "same",
    "new_link",
    "link_lost",
    "other_person",
    "to_question",
    "to_automatic",
    "question_added",
    "question_removed",
    "other_outcome",
]
_KINDS: dict[tuple[str, str], Kind] = {
    ("new", "automatic"): "new_link",
    ("automatic", "new"): "link_lost",
    ("automatic", "proposed"): "to_question",
    ("proposed", "automatic"): "to_automatic",
    ("new", "proposed"): "question_added",
    ("proposed", "new"): "question_removed",
}


class WrongNumber(VeiligError):
    """Het aantal meldingen klopt niet."""

    status = 400


def ask(db: Db, region: UUID, version: str, by: str, at: datetime, reports: int | None = None) -> UUID:
    """Ask for a rehearsal of a rule set against the one in force; gives its id. The work is done in the background.

    `reports`: how many of the newest stored reports (None: the number in policy.toml). Raises NotFound for an unknown
    version, WrongNumber, or Conflict for the rule set in force and for one that needs other keys.
    """
    figures = policy().rehearsal
    wanted = figures.reports if reports is None else reports
    if not figures.least <= wanted <= figures.most:
        raise WrongNumber(f"Kies een aantal meldingen van {figures.least} tot en met {figures.most}.")
    new, current = find(db, region, version), in_force(db, region)
    if new == current:
        raise Conflict("Deze regels zijn al in gebruik.")
    if hindrance := key_obstacle(db, region, new, current):
        raise Conflict(hindrance)
    parts = rows.newest_reports(db, region, wanted, figures.part)
    rehearsal = uuid7()
    values = {
        "id": rehearsal,
        "region": region,
        "version": new.version,
        "rule_set": new.id,
        "against": current.version,
        "against_rule_set": current.id,
        "reports": sum(len(part) for part in parts),
        "at": at,
        "by": by,
    }
    ids = rows.add_rehearsal(db, values, parts)
    details = {"version": new.version, "against": current.version, "reports": values["reports"]}
    audit.append(db, region, by, "rules.rehearse", "rehearsal", rehearsal, details)
    if ids:
        jobs.enqueue(db, region, JOB, ids[0])
    else:
        rows.finish(db, rehearsal)
    return rehearsal


def carry_out_part(db: Db, part_id: UUID) -> None:
    """Weigh the reports of one part under both rule sets, write what differs, and ask for the next part.

    Safe to repeat: a part that is done stays as it is. Raises LookupError when there is no such part.
    """
    part = rows.part(db, part_id)
    if part is None:
        raise LookupError("rehearsal_part")
    if part["done_at"] is not None:
        return
    old = rules_of(db, RuleSet(part["against"], part["against_rule_set_id"]))
    new = rules_of(db, RuleSet(part["version"], part["rule_set_id"]))
    counted = {"weighed": 0, "mentions": 0, "questions_before": 0, "questions_after": 0}
    changes: list[dict[str, Any]] = []
    for report in part["reports"]:
        before, after = weighed(db, report, old), weighed(db, report, new)
        counted["weighed"] += bool(before)
        counted["mentions"] += len(before)
        counted["questions_before"] += sum(one.state == "proposed" for one in before)
        counted["questions_after"] += sum(one.state == "proposed" for one in after)
        changes += _changes(db, part, report, before, after)
    rows.finish_part(db, part_id, counted, changes)
    following = rows.next_part(db, part["rehearsal_id"])
    if following:
        jobs.enqueue(db, part["region_id"], JOB, following)
    else:
        rows.finish(db, part["rehearsal_id"])


def weighed(db: Db, report: UUID, rules: Rules) -> list[Decision]:
    """What these rules decide on a report, leaving no trace; empty when the report is gone (retention).

    The savepoint is rolled back, which also gives back the locks that weighing takes: the feed does not wait for
    the rest of the part.
    """
    try:
        with db.transaction(force_rollback=True):
            return weigh(db, report, rules)
    except NotFound:
        return []


def _changes(
    db: Db, part: Row, report: UUID, before: Sequence[Decision], after: Sequence[Decision]
) -> list[dict[str, Any]]:
    found = []
    kinds = [kind_of(old, new) for old, new in zip(before, after, strict=True)]
    if all(kind == "same" for kind in kinds):
        return []
    mentions = rows.mentions(db, report)
    for mention, kind, old, new in zip(mentions, kinds, before, after, strict=True):
        if kind != "same":
            found.append(
                {
                    "rehearsal": part["rehearsal_id"],
                    "region": part["region_id"],
                    "report": report,
                    "mention": mention,
                    "kind": kind,
                    "contradicts": _contradicts(db, mention, new),
                    "before_outcome": old.outcome,
                    "before_state": old.state,
                    "before_score": old.score,
                    "after_outcome": new.outcome,
                    "after_state": new.state,
                    "after_score": new.score,
                }
            )
    return found


def kind_of(before: Decision, after: Decision) -> Kind:
    """What changes for one mention."""
    if before.person and after.person and before.person != after.person:
        return "other_person"
    if before.state != after.state:
        return _KINDS[before.state, after.state]
    return "same" if before.outcome == after.outcome else "other_outcome"


def _contradicts(db: Db, mention: UUID, after: Decision) -> Literal["confirmed", "rejected"] | None:
    """Whether a person said otherwise: yes to somebody else, or no to this one."""
    person = UUID(after.person) if after.person else None
    if person and rows.told_apart(db, mention, person):
        return "rejected"
    confirmed = rows.confirmed_person(db, mention)
    return "confirmed" if confirmed and confirmed != person else None
