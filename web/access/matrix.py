"""The rights matrix: role by action and role by field, read from `matrix.toml`; refused at the start when it does not
fit. Every list, page, search, export and API asks here and nowhere else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import SettingsError
from core.staff import ROLES

FILE = Path(__file__).with_name("matrix.toml")
OUTSIDE = {"partner": "partner in de keten", "feed": "aangesloten systeem"}
"""Roles of who has no login: a partner with a handover, and a system that sends reports."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Action and field, each to the roles that may; `purposes` says what an action serves, by its first word."""

    actions: Mapping[str, frozenset[str]]
    fields: Mapping[str, frozenset[str]]
    purposes: Mapping[str, str]
    stepped_up: frozenset[str]


@lru_cache(maxsize=1)
def matrix() -> Matrix:
    """The matrix in force. Raises SettingsError for a role that does not exist or an action without a purpose."""
    data = tomllib.loads(FILE.read_text("utf-8"))
    tables = {}
    for table in ("actions", "fields"):
        for name, roles in data[table].items():
            unknown = sorted(set(roles) - ROLES.keys() - OUTSIDE.keys())
            if unknown:
                raise SettingsError(f"The rights matrix names an unknown role at {name}: {unknown[0]}.")
        tables[table] = {name: frozenset(roles) for name, roles in data[table].items()}
    purposes: dict[str, str] = data["purposes"]
    for action in tables["actions"]:
        if action.split(".")[0] not in purposes:
            raise SettingsError(f"The rights matrix gives no purpose for {action}.")
    stepped_up = frozenset(data["step_up"]["actions"])
    if unknown := sorted(stepped_up - tables["actions"].keys()):
        raise SettingsError(f"The rights matrix asks a step-up for an unknown action: {unknown[0]}.")
    return Matrix(tables["actions"], tables["fields"], purposes, stepped_up)


def may(role: str, action: str) -> bool:
    """Whether this role may do this; an action that the matrix does not name is nobody's."""
    return role in matrix().actions.get(action, frozenset())


def sees(role: str, field: str) -> bool:
    """Whether this role may see this kind of field; one that the matrix does not name is nobody's."""
    return role in matrix().fields.get(field, frozenset())


def purpose_of(action: str) -> str:
    """What this action serves (AVG art. 5, NEN 7513): a code for the audit trail."""
    return matrix().purposes.get(action.split(".")[0], "")


def needs_step_up(action: str) -> bool:
    """Whether this asks for proving oneself again shortly before."""
    return action in matrix().stepped_up
