"""The API against its own description: requests made up from the OpenAPI document, valid and not, over real HTTP."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.database import Db
from core.ids import uuid7
from intake import senders
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN
from tests.web.chromium import served

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 12
"""Requests per operation; docs/security.md tells how to ask for more by hand."""


def test_no_request_breaks_the_api_or_its_promise(db: Db) -> None:
    senders.forget()  # of another test's database
    with db.transaction():
        region = uuid7()
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (region, VEILIG_THUIS_OIN))
        token = senders.add(db, region, POLICE_OIN, "Politie eenheid Voorbeeld", "politie")
    with served() as address:
        schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", wait_for_schema=20)
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) >= 6
        for operation in operations:
            with_token(operation, token)


def with_token(operation: Any, token: str) -> None:
    """Many requests to one operation, as a sender that proved itself."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(headers={"authorization": f"Bearer {token}"}, checks=CHECKS)

    send()
