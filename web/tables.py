"""The words of the floors below that reach a screen by their code; named here, so that their English is asked for.

What a file of rules says is named as it was built in: a text that a region changed stays as that region wrote it.
"""

from __future__ import annotations

from typing import Any

from core.documents import Kind
from radar.casework import (
    consequences,
    contacts,
    handover,
    handover_kinds,
    handover_shares,
    handovers,
    monitoring,
    notices,
    notifications,
    terms,
)
from radar.outbound import gate, safe_contacts
from radar.oversight import review
from radar.protection import grants, marks, reporters
from radar.quality import sample
from radar.registers import kinds
from radar.rights import askers, decision, destruction, holds, law, requests
from radar.search import watch
from radar.signals import involvement
from web.language import constants

for _table in (
    askers.ASKERS,
    askers.KINDS,
    consequences.AREAS,
    contacts.KINDS,
    contacts.WAYS,
    decision.ALL_OUTCOMES,
    destruction.GROUNDS,
    gate.TEXTS,
    handover.AFTERWARDS,
    handover_shares.PARTS,
    handovers.ANSWERS,
    holds.KINDS,
    involvement.KINDS,
    kinds.PARTNER_KINDS,
    kinds.SENDER_NAMES,
    marks.FIELDS,
    monitoring.VIOLENCE,
    notices.HOW,
    notifications.KINDS,
    requests.GROUNDS,
    requests.VERIFIED_HOW,
    watch.ALARMS,
    review.OUTCOMES,
    safe_contacts.CHANNELS,
    sample.ANSWERS,
):
    constants(_table)


def _built_in(kind: Kind[Any]) -> Any:
    """What the file of this kind says that the product came with."""
    return kind.load(kind.file())


constants({code: one.title for code, one in _built_in(grants.rules).purposes.items()})
constants({code: one.title for code, one in _built_in(law.GROUNDS).grounds.items()})
constants({code: one.title for code, one in _built_in(terms.terms).terms.items()})
constants({code: one.text for code, one in _built_in(reporters.rules_of_reporters).kinds.items()})
for _kind in _built_in(handover_kinds.in_force).kinds.values():
    constants({"title": _kind.title, "hint": _kind.hint})
    for _asked in _kind.fields:
        constants({"label": _asked.label, "hint": _asked.hint})
