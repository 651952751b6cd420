"""The page templates: one suffix, always escaped; and the words and numbers that they show."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from core.deadlines import AMSTERDAM
from core.settings import settings
from core.staff import ROLES
from web import language, navigation, policy, tables, wording  # noqa: F401 (tables are named by being read)
from web.sentences import InEnglish

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@lru_cache(maxsize=1)
def static_files() -> dict[str, tuple[str, bytes]]:
    """What is served under /static: the name with the hash of its content, its type and its bytes."""
    found = {}
    for path in sorted(STATIC.iterdir()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        found[f"{path.stem}.{digest}{path.suffix}"] = (KINDS[path.suffix], content)
    return found


@lru_cache(maxsize=1)
def static_paths() -> dict[str, str]:
    """'radar.css' to the path with its hash."""
    return {f"{name.split('.')[0]}.{name.rsplit('.', 1)[1]}": f"/static/{name}" for name in static_files()}


@lru_cache(maxsize=len(language.LANGUAGES))
def environment(spoken: str = language.DUTCH) -> Environment:
    """The environment: every value is escaped, and a name that does not exist is an error, not an empty spot.

    Each language has its own, so that its templates are translated once, when they are compiled.
    """
    kind = Environment if spoken == language.DUTCH else InEnglish
    made = kind(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= wording.FILTERS | {"t": language.t}
    made.globals |= {
        "roles": language.constants(ROLES),
        "static": static_paths(),
        "css_class": wording.css_class,
        "menu": navigation.menu,
        "menu_groups": navigation.GROUPS,
        "languages": language.LANGUAGES,
    }
    return made


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page. Times are shown in Europe/Amsterdam; `now` is the moment of this page.

    A script tag carries `nonce`, and only then the page may run that one.
    """
    nonce = secrets.token_urlsafe(16)
    values.setdefault("now", datetime.now(UTC).astimezone(AMSTERDAM))
    values.setdefault("member", None)
    values.setdefault("language", language.current())
    values.setdefault("again", language.again())
    made = environment(values["language"]).get_template(template)
    text = made.render(demo=settings().demo, nonce=nonce, **values)
    headers = {"Content-Security-Policy": policy.with_script(nonce)} if nonce in text else {}
    return HTMLResponse(text, status_code=status, headers=headers)
