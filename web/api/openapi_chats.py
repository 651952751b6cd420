"""What the OpenAPI document says of chats."""

from __future__ import annotations

from typing import Any

from intake.chats import ChatMessage
from web.api.openapi_feeds import TRIAL


def schemas() -> dict[str, Any]:
    """The chat as it is delivered, and its receipt."""
    message = ChatMessage.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    return {
        **message.pop("$defs", {}),
        "ChatMessage": message,
        "ChatReceipt": {
            "type": "object",
            "required": ["id", "status"],
            "properties": {"id": {"type": "string", "format": "uuid"}, "status": {"const": "ontvangen"}},
        },
    }


def receive(problem: dict[str, Any]) -> dict[str, Any]:
    """POST /gesprekken."""
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/ChatMessage"}}}
    receipt = {"application/json": {"schema": {"$ref": "#/components/schemas/ChatReceipt"}}}
    return {
        "operationId": "ontvangGesprek",
        "summary": "Een chatgesprek dat is afgelopen, voor een advies; anoniem, en nooit een melding",
        "description": "Lever alleen wat de vrager zelf schreef en de medewerker antwoordde. Geen naam, IP-adres of"
        " apparaat: daar is geen veld voor. Voor een melding belt de vrager, of gebruikt een formulier.",
        "parameters": [TRIAL],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "201": {"description": "Opgeslagen", "content": receipt},
            "200": {"description": "Was al opgeslagen: hetzelfde gesprek nog eens; of een proef", "content": receipt},
        }
        | {status: problem for status in ("400", "401", "403", "409", "413", "503")},
    }
