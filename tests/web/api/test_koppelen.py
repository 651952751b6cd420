"""docs/koppelen.md tells the truth: every command on the page is run, in order, against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.database import Db
from core.ids import uuid7
from intake import senders
from intake.sample import VEILIG_THUIS_OIN
from tests.web.api.conftest import SCHOOL_OIN
from tests.web.chromium import served

PAGE = Path(__file__).parents[3] / "docs" / "koppelen.md"
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")


def commands() -> list[str]:
    return [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


@needs_curl
def test_each_command_on_the_page_does_what_the_page_says(db: Db, tmp_path: Path) -> None:
    senders.forget()
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (region, VEILIG_THUIS_OIN))
    with db.transaction():
        secret = senders.add(db, region, SCHOOL_OIN, "Basisschool Voorbeeld", "onderwijs")
    answers: list[Any] = []
    with served() as address:
        variables = {"RADAR": address, "OIN": SCHOOL_OIN, "SECRET": secret, "TOKEN": "", "PATH": os.environ["PATH"]}
        for command in commands():
            done = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, env=variables, capture_output=True, timeout=60, check=False
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            found = json.loads(done.stdout) if done.stdout else {}
            answers.append(found)
            variables["TOKEN"] = found.get("access_token", variables["TOKEN"])
    token, listed, message, trial, receipt, state, told = answers
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 900)
    assert {one["naam"] for one in listed["voorbeelden"]} >= {"school.json", "politie.xml"}
    assert message == {}
    assert json.loads((tmp_path / "school.json").read_bytes())["bericht"]["zender"]["oin"] == SCHOOL_OIN
    assert (trial["opgeslagen"], trial["zouAntwoorden"], trial["uitkomst"]) == (False, 202, "melding")
    assert receipt["status"] == "ontvangen"
    assert (state["ontvangstnummer"], state["status"]) == (receipt["ontvangstnummer"], "ontvangen")
    assert told["terugkoppelingen"] == []
    row = db.execute("SELECT count(*) AS n FROM report").fetchone()
    assert row == {"n": 1}
