"""Casework in plain words, as the page docs/casework.md: the tables are made from the live states and terms.

tests/test_docs.py writes the page and checks that it is true.
"""

from __future__ import annotations

from radar.casework.states import CODES, MOVES, NEEDS, STATES
from radar.casework.terms import Length, TermKind, Terms

_INTRODUCTION = """\
# Casework

From the first minute to the last contact moment: what happens to a report, who may do what, which terms run, and who
watches. This page is made from the live tables (`radar/casework/describe.py`; `PYTHONPATH=. .venv/bin/python
tests/test_docs.py` writes it again, a test fails when it is not true). Screens are Dutch; the terms are those of the
Handelingsprotocol 2019, as far as its text is public.

    received ── acute check ──▶ assessing ── submit ──▶ signing ── a second person signs ──▶ decision
                                                 ◀── give back ──┘
    decision ─▶ handover ── a partner accepts ─▶ closed, or monitoring
             ─▶ conditions (V&V) · investigation · regional task ─▶ handover · monitoring · closed
             ─▶ joined to what already runs · no steps · not receivable · wrongly addressed
    received, assessing ── no domestic violence or child abuse ─▶ forwarded: no report at all

## What always holds

- **All work hangs on a report**, and the case is reached through it. So a link that is corrected takes the
  assessment, the handover, the conditions and the moments along to the right case.
- **A state is the last line of a history** that is only added to. The database refuses a state without its line;
  a wrong move is answered with the moves that there are.
- **Somebody always watches.** A case has one holder of the safety watch at every moment: the reporter, Veilig Thuis
  or a partner. A deferred constraint refuses a gap, an overlap, two holders or none at each commit. The watch goes
  to a partner only when that partner accepts, on the day on which he begins.
- **A passed term closes, locks and rejects nothing.** The clock opens tasks and marks what is late; decisions are
  made by people.
- **Every date follows from its entries.** An entry is never edited; an extension that is taken back is another
  entry, and the date is counted again as if it had never been. Each entry names the rule or
  the day off that moved it.
"""


def page(terms: Terms) -> str:
    """The whole page, for these terms and the states of the code."""
    parts = (_INTRODUCTION, _states(), _moves(), _terms(terms), _doubts(terms))
    return "\n".join(part.strip() + "\n" for part in parts)


def _states() -> str:
    rows = [f"| `{code}` | {text} |" for code, text in STATES.items()]
    return "\n".join(["## States", "", "| state | on the screen |", "|---|---|", *rows])


def _moves() -> str:
    lines = [
        "## Moves",
        "",
        "Who may make it, what it needs, and the StUF outcome code that follows from it (uitkomstMeldingGeneriek).",
        "",
        "| move | from | to | by | needs | code |",
        "|---|---|---|---|---|---|",
    ]
    for move in MOVES.values():
        needs = ", ".join(NEEDS[need] for need in move.needs)
        sources, roles = ", ".join(move.sources), ", ".join(move.roles)
        lines.append(f"| {move.text} | {sources} | {move.target} | {roles} | {needs} | {CODES.get(move.name, '')} |")
    return "\n".join(lines)


def _terms(terms: Terms) -> str:
    lines = [
        "## Terms",
        "",
        f"Version {terms.version} of `radar/casework/terms.toml`; a region can set its own file with `VEILIG_TERMS`.",
        "Both readings stand side by side on the screen; the norm leads.",
        "",
        "| term | norm | legal | extension | source | checked |",
        "|---|---|---|---|---|---|",
    ]
    for term in terms.terms.values():
        how_often = "once" if term.extensions == 1 else "each"
        extension = f"{how_often} ≤ {term.extension_weeks} weeks" if term.extension_weeks else ""
        checked = "yes" if term.verified else "**no**"
        cells = (term.title, _length(term.norm), _length(term.legal), extension, term.source, checked)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _length(length: Length) -> str:
    unit = length.unit.replace("_", " ")
    return f"{length.amount} {unit if length.amount > 1 else unit.removesuffix('s')}"


def _doubts(terms: Terms) -> str:
    months = ", ".join(str(month) for month in terms.monitoring.months)
    doubtful: list[TermKind] = [term for term in terms.terms.values() if not term.verified]
    return f"""## What is our own reading

{len(doubtful)} of {len(terms.terms)} terms above are not checked against a current source. They are data, to be
changed without a programmer. So are:

- the contact moments of monitoring, after {months} months;
- how often the risk of a waiting report is looked at again: every {terms.recheck.days} days;
- small steps (sign, offer elsewhere): {_length(Length(unit="working_days", amount=terms.small_steps.working_days))};
- how many minutes "at once" is for the acute check: `region.acute_check_minutes`, 60 at first;
- who may give the second signature on which decision;
- the questionnaire: the text of the instrument of 2019 was not found, so its three parts (acute, structural, harmful
  situation) are in our own words.
"""
