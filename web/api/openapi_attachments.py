"""The part of the OpenAPI document on attachments, and the example of a report by a school."""

from __future__ import annotations

import json
from typing import Any

from intake.examples import examples
from intake.filetypes import NAMES


def post(problem: dict[str, Any]) -> dict[str, Any]:
    """POST /meldingen/{id}/bijlagen."""
    receipt = {
        "type": "object",
        "required": ["bijlagenummer", "status"],
        "properties": {"bijlagenummer": {"type": "string", "format": "uuid"}, "status": {"const": "ontvangen"}},
    }
    return {
        "operationId": "ontvangBijlage",
        "summary": "Een bijlage bij een eigen melding; dezelfde bytes nog eens geven hetzelfde nummer",
        "description": "De soort volgt uit de inhoud: " + ", ".join(NAMES.values()) + ". Macro's worden geweigerd. "
        "Elke bijlage wordt gescand op virussen en is nooit in een scherm te openen.",
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "Ontvangstnummer of referentienummer",
                "schema": {"type": "string"},
            },
            {
                "name": "Content-Disposition",
                "in": "header",
                "description": "De bestandsnaam",
                "schema": {"type": "string"},
                "example": 'attachment; filename="verslag.pdf"',
            },
        ],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {"202": {"description": "Opgeslagen", "content": {"application/json": {"schema": receipt}}}}
        | {status: problem for status in ("400", "401", "404", "413", "503")},
    }


def example_reports() -> dict[str, Any]:
    """Reports as schools and others send them, with the reporting code (`aanmelding`)."""
    found = (one for one in examples() if one.door == "json" and one.outcome == "melding" and not one.warnings)
    return {one.name: {"summary": one.title, "value": json.loads(one.body)} for one in found}
