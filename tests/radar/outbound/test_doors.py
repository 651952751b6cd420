"""One door: who may hand bytes to the outside stands in a list, and every one of them asks the gate."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FLOORS = ("core", "intake", "radar", "workers", "web")

LINES_OUT: dict[str, str] = {
    "intake/delivery.py": "posts one message; called by intake/outbox.py only",
    "radar/outbound/mail.py": "hands a notice to the mail server or the SMS provider; called by notices.py only",
    "core/oidc.py": "asks the sign-in provider who somebody is; no case data",
    "intake/callback.py": "posts a reference, an event and a moment; called by intake/webhooks.py only",
    "intake/scanner.py": "hands a file to the organisation's own virus scanner; called by intake/attachments.py only",
    "web/access/oidc.py": "asks the sign-in provider who somebody is; no case data",
}
"""The modules that may open a line to another machine, and for what."""
LINE_LIBRARIES = frozenset(
    {"smtplib", "socket", "http.client", "urllib.request", "httpx", "aiohttp", "authlib", "ftplib"}
)
IN_HOUSE = frozenset({"core/database.py", "workers/engines.py", "workers/launcher.py", "workers/broker.py"})
"""They talk to our own engines on this machine."""

FILES_OUT: dict[str, str] = {
    "web/pages/notices.py": "letters.copy",
    "web/pages/rules.py": "linking rules as JSON: no data of persons",
    "web/pages/documents.py": "rules and texts: no data of persons",
    "web/pages/registers.py": "teams, partners, municipalities, routing: no data of persons concerned",
    "web/pages/log.py": "exports.take_out",
    "web/pages/attachments.py": "attachments.content",
    "web/api/openapi_attachments.py": "the example of a header: no file",
    "web/pages/professional_sending.py": "number of a form and a phone number: no data of persons",
    "web/pages/retention.py": "certificate of destruction: no data of persons concerned",
}
"""The pages that give a file to take along, and the call through which its bytes came."""


@lru_cache(maxsize=1)
def modules() -> list[tuple[str, ast.Module, str]]:
    """Every module of the product: its path, its tree and its text."""
    paths = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    return [(path.relative_to(ROOT).as_posix(), ast.parse(text), text) for path, text in texts.items()]


def imported(tree: ast.Module) -> set[str]:
    """Every module that is imported, with the packages above it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        for name in names:
            parts = name.split(".")
            found |= {".".join(parts[: number + 1]) for number in range(len(parts))}
    return found


def calls(tree: ast.Module) -> set[str]:
    """The names of all that is called: `a.b(...)` gives 'a.b' and 'b'."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found |= {name, name.rsplit(".", 1)[-1]}
    return found


def test_only_the_listed_modules_open_a_line_to_another_machine() -> None:
    found = {name for name, tree, _ in modules() if imported(tree) & LINE_LIBRARIES and name not in IN_HOUSE}
    assert not found - LINES_OUT.keys(), "a new way out: it must pass the gate, and stand in this list"


@pytest.mark.parametrize(
    ("writer", "callers"),
    [
        ("intake.delivery.post", {"intake/outbox.py"}),
        ("intake.callback.post_json", {"intake/webhooks.py"}),
        ("radar.outbound.mail.send_mail", {"radar/outbound/notices.py"}),
        ("radar.outbound.mail.send_sms", {"radar/outbound/notices.py"}),
        ("intake.outbox.send_message", {"radar/casework/feedback.py"}),
        ("intake.outbox.send_reply", {"radar/outbound/messages.py"}),
    ],
)
def test_each_writer_is_called_in_one_place(writer: str, callers: set[str]) -> None:
    module, _, function = writer.rpartition(".")
    short = f"{module.rsplit('.', 1)[-1]}.{function}"
    found = set()
    for name, tree, _ in modules():
        if short in calls(tree) or (writer in imported(tree) and function in calls(tree)):
            found.add(name)
    assert found == callers


@pytest.mark.parametrize(
    ("module", "gate"),
    [
        ("radar/outbound/messages.py", "gate.pass_out"),
        ("radar/outbound/notices.py", "gate.pass_out"),
        ("radar/outbound/exports.py", "gate.pass_out"),
        ("radar/casework/feedback_rows.py", "gate.pass_out"),
        ("radar/casework/letters/store.py", "gate.print_out"),
        ("radar/casework/letters/store.py", "gate.pass_out"),
        ("web/pages/partner.py", "gate.pass_out"),
        ("web/api/overdrachten.py", "gate.pass_out"),
    ],
)
def test_whoever_holds_what_leaves_asks_the_gate(module: str, gate: str) -> None:
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    assert gate in calls(tree)


def test_what_a_partner_sees_is_made_where_the_gate_is() -> None:
    """Who shows shared parts outside stands in this list; the screens of staff show them as a preview."""
    found = {name for name, tree, _ in modules() if "handover_shares.shared" in calls(tree)}
    assert found <= {"web/pages/partner.py", "web/api/overdrachten.py", "web/pages/handover.py"}


def test_every_page_that_gives_a_file_is_known() -> None:
    found = {
        name for name, _, text in modules() if name.startswith("web/") and ("attachment;" in text or "/pdf" in text)
    }
    assert found <= FILES_OUT.keys(), "a page gives a file: its bytes must come through the gate"
    for name in found:
        call = FILES_OUT[name]
        if "." in call and " " not in call:
            assert call in calls(ast.parse((ROOT / name).read_text(encoding="utf-8"))), name


def test_the_file_of_a_letter_is_read_only_where_the_gate_is() -> None:
    found = {name for name, _, text in modules() if '["pdf"]' in text or "SELECT pdf" in text or "l.pdf" in text}
    assert found <= {"radar/casework/letters/store.py"}
