"""The rights matrix: role by action, read from `matrix.toml` and refused at the start when it does not fit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from core.errors import SettingsError
from core.staff import ROLES

FILE = Path(__file__).with_name("matrix.toml")


@lru_cache(maxsize=1)
def matrix() -> Mapping[str, frozenset[str]]:
    """Action to the roles that may do it. Raises SettingsError for a role that does not exist."""
    actions = tomllib.loads(FILE.read_text("utf-8"))["actions"]
    for action, roles in actions.items():
        unknown = sorted(set(roles) - ROLES.keys())
        if unknown:
            raise SettingsError(f"The rights matrix names an unknown role at {action}: {unknown[0]}.")
    return {action: frozenset(roles) for action, roles in actions.items()}


def may(role: str, action: str) -> bool:
    """Whether this role may do this; an action that the matrix does not name is nobody's."""
    return role in matrix().get(action, frozenset())
