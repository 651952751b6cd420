"""What the OpenAPI document says of connecting: the token, the trial and the test set."""

from __future__ import annotations

from typing import Any

CLIENT: dict[str, Any] = {
    "type": "oauth2",
    "flows": {"clientCredentials": {"tokenUrl": "/api/v1/token", "scopes": {}}},
}
TRIAL: dict[str, Any] = {
    "name": "proef",
    "in": "query",
    "required": False,
    "description": "Met true wordt alles nagekeken en niets opgeslagen; ook met de kop `Proef: true`",
    "schema": {"type": "boolean"},
}
_TEXT = {"type": "string"}
_REMARKS = {"type": "array", "items": {"$ref": "#/components/schemas/Remark"}}
_OUTCOMES = {"type": "string", "enum": ["melding", "quarantaine", "geweigerd"]}
VERDICT: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Verdict"}}}
SCHEMAS: dict[str, Any] = {
    "Verdict": {
        "type": "object",
        "required": ["proef", "opgeslagen", "zouAntwoorden", "uitkomst", "waarschuwingen"],
        "properties": {
            "proef": {"type": "boolean", "const": True},
            "opgeslagen": {"type": "boolean", "const": False},
            "zouAntwoorden": {"type": "integer"},
            "uitkomst": _OUTCOMES,
            "eerderOntvangen": {"type": "boolean"},
            "code": {"type": ["string", "null"]},
            "waarschuwingen": _REMARKS,
            "antwoord": {"type": "string", "description": "Alleen bij StUF: het bericht dat terug zou komen"},
        },
    },
    "Token": {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {"access_token": _TEXT, "token_type": {"const": "Bearer"}, "expires_in": {"type": "integer"}},
    },
    "TokenError": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "string",
                "enum": ["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"],
            },
            "error_description": _TEXT,
        },
    },
    "Example": {
        "type": "object",
        "properties": {
            "naam": _TEXT,
            "titel": _TEXT,
            "pad": _TEXT,
            "contentType": _TEXT,
            "status": {"type": "integer"},
            "uitkomst": _OUTCOMES,
            "code": {"type": ["string", "null"]},
            "fouten": {"type": "array", "items": _TEXT},
            "waarschuwingen": {"type": "array", "items": _TEXT},
        },
    },
}


def token() -> dict[str, Any]:
    """`POST /token`."""
    refusal = {
        "description": "Geen token (RFC 6749 5.2)",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TokenError"}}},
    }
    problem = {
        "description": "Te groot, of nu niet bereikbaar",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    form = {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": {
                "type": "string",
                "description": "De OIN van de afzender; of in de kop Authorization: Basic",
            },
            "client_secret": {"type": "string", "description": "Het lange token van de afzender"},
        },
    }
    return {
        "operationId": "haalToken",
        "summary": "Een token dat kort geldt (OAuth 2.0 client credentials)",
        "security": [],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {
            "200": {
                "description": "Het token; het werkt overal waar het lange token werkt",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}},
            },
            **dict.fromkeys(("400", "401", "429"), refusal),
            **dict.fromkeys(("413", "503"), problem),
        },
    }


def examples(problem: dict[str, Any]) -> dict[str, Any]:
    """`GET /voorbeelden`."""
    found = {
        "type": "object",
        "properties": {"voorbeelden": {"type": "array", "items": {"$ref": "#/components/schemas/Example"}}},
    }
    return {
        "operationId": "leesVoorbeelden",
        "summary": "Voorbeeldberichten, goede en foute, met het antwoord dat moet komen",
        "security": [{}, {"token": []}],
        "responses": {
            "200": {"description": "De voorbeelden", "content": {"application/json": {"schema": found}}},
            "401": problem,
            "503": problem,
        },
    }


def example(problem: dict[str, Any]) -> dict[str, Any]:
    """`GET /voorbeelden/{name}`."""
    kinds: dict[str, Any] = {"application/json": {"schema": {}}}
    kinds |= {kind: {"schema": {"type": "string"}} for kind in ("text/xml", "application/zip")}
    return {
        "operationId": "leesVoorbeeld",
        "summary": "Een voorbeeldbericht, of alle in voorbeelden.zip; met een token op uw eigen OIN",
        "security": [{}, {"token": []}],
        "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "Het bericht", "content": kinds},
            **dict.fromkeys(("401", "404", "503"), problem),
        },
    }
