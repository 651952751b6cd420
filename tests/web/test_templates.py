"""What holds for every template: neutral titles, forms that a browser does not remember, no own style."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from web.templates import TEMPLATES, static_paths

FILES = sorted(TEMPLATES.iterdir())
TITLES_OF_OURS = {"title", "one.title", "register.title", "rehearsal.version"}
"""Values in titles that are our own words: the kind of page, of a sending, the version of rules."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_template_leaves_nothing_behind_in_a_browser(file: Path) -> None:
    text = file.read_text("utf-8")
    for form in re.findall(r"<form[^>]*>", text):
        assert "autocomplete=" in form or 'method="get"' in form, form
    for title in re.findall(r"{% block title %}(.*?){% endblock %}", text):
        assert set(re.findall(r"{{ *([\w.]+)", title)) <= TITLES_OF_OURS, title
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    for script in re.findall(r"<script[^>]*>", text):
        assert 'nonce="{{ nonce }}"' in script, script


def test_a_style_sheet_goes_compressed_and_a_page_never_does(client: Any) -> None:
    path = static_paths()["radar.css"]
    small = client.get(path, headers={"accept-encoding": "gzip"})
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.content == plain.content
    assert int(small.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    assert "content-encoding" not in client.get("/contact", headers={"accept-encoding": "gzip"}).headers
