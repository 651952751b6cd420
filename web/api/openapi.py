"""The OpenAPI document of the API, made from the models that the code itself uses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.corv.write_feedback import MAX_TEXT, OUTCOMES
from intake.message import ReportMessage
from web.api import openapi_attachments, openapi_chats, openapi_feeds
from web.api.overdrachten import HandoverAnswer
from web.api.version import VERSION

_HANDOVER: dict[str, Any] = {
    "id": {"type": "string", "format": "uuid"},
    "soort": {"type": "string"},
    "titel": {"type": "string"},
    "neemtZichtOver": {"type": "boolean"},
    "aangebodenOp": {"type": "string", "format": "date-time"},
    "antwoordVoor": {"type": ["string", "null"], "format": "date-time"},
}


async def document(request: Request) -> Response:
    """The document, for everybody and from every origin (NLGov API Design Rules, publish-openapi)."""
    return JSONResponse(_document(), headers={"Access-Control-Allow-Origin": "*"})


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    schemas = ReportMessage.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    definitions = schemas.pop("$defs", {})
    problem = {
        "description": "Geweigerd; alle fouten tegelijk, zonder persoonsgegevens",
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Veilig Thuis Radar",
            "version": VERSION,
            "description": "Meldingen aan Veilig Thuis: de StUF-ingang van politie en Halt, en de JSON-tegenhanger.",
            "contact": {"name": "Beheerder van deze regio", "url": "https://www.veiligthuis.nl/"},
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"client": []}],
        "paths": {
            "/corv/berichten": {"post": _corv(problem)},
            "/meldingen": {"post": _post_report(problem)},
            "/meldingen/{id}": {"get": _state(problem)},
            "/overdrachten": {"get": _handovers(problem)},
            "/overdrachten/{id}": {"get": _handover(problem)},
            "/overdrachten/{id}/antwoord": {"post": _answer(problem)},
            "/meldingen/{id}/terugkoppeling": {"get": _feedback(problem)},
            "/meldingen/{id}/bijlagen": {"post": openapi_attachments.post(problem)},
            "/gesprekken": {"post": openapi_chats.receive(problem)},
            "/token": {"post": openapi_feeds.token()},
            "/voorbeelden": {"get": openapi_feeds.examples(problem)},
            "/voorbeelden/{name}": {"get": openapi_feeds.example(problem)},
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "client": openapi_feeds.CLIENT},
            "schemas": {
                **definitions,
                **openapi_feeds.SCHEMAS,
                "ReportMessage": schemas,
                "Receipt": _object(
                    ontvangstnummer={"type": "string", "format": "uuid"},
                    status={"type": "string"},
                    waarschuwingen={"type": "array", "items": _ref("Remark")},
                ),
                "State": _object(
                    ontvangstnummer={"type": "string", "format": "uuid"},
                    referentienummer={"type": ["string", "null"]},
                    ontvangenOp={"type": "string", "format": "date-time"},
                    status={
                        "type": "string",
                        "enum": ["ontvangen", "in behandeling", "beoordeeld", "in quarantaine", "afgehandeld"],
                    },
                    waarschuwingen={"type": "array", "items": _ref("Remark")},
                ),
                "Feedbacks": _object(
                    ontvangstnummer={"type": "string", "format": "uuid"},
                    kenmerk={"type": "string"},
                    terugkoppelingen={"type": "array", "items": _ref("Feedback")},
                ),
                "Feedback": _object(
                    moment={"type": "string", "enum": ["beoordeling", "afsluiting"]},
                    code={"type": "string", "enum": list(OUTCOMES)},
                    status={"type": "string", "enum": sorted({one.status for one in OUTCOMES.values()})},
                    uitkomst={"type": ["string", "null"]},
                    toelichting={"type": "string", "maxLength": MAX_TEXT},
                    zichtOpVeiligheid={"type": ["string", "null"]},
                    vrijgegevenOp={"type": "string", "format": "date-time"},
                ),
                **openapi_chats.schemas(),
                "HandoverAnswer": HandoverAnswer.model_json_schema(by_alias=True),
                "Handover": _object(**_HANDOVER),
                "HandoverContent": _object(
                    **_HANDOVER,
                    inhoud={"type": "array", "items": _ref("Told")},
                    onderdelen={
                        "type": "array",
                        "items": _object(
                            code={"type": "string"},
                            titel={"type": "string"},
                            groepen={"type": "array", "items": {"type": "array", "items": _ref("Told")}},
                        ),
                    },
                ),
                "HandoverReceipt": _object(id={"type": "string", "format": "uuid"}, status={"type": "string"}),
                "Told": _object(label={"type": "string"}, tekst={"type": "string"}),
                "Remark": _object(code={"type": "string"}, pad={"type": "string"}, tekst={"type": "string"}),
                "Problem": _object(
                    type={"type": "string"},
                    status={"type": "integer"},
                    title={"type": "string"},
                    detail={"type": "string"},
                    code={"type": "string"},
                    invalidParams={
                        "type": "array",
                        "items": _object(name={"type": "string"}, reason={"type": "string"}),
                    },
                ),
            },
        },
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _json(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _corv(problem: dict[str, Any]) -> dict[str, Any]:
    xml = {"text/xml": {"schema": {"type": "string"}}}
    return {
        "operationId": "ontvangStufBericht",
        "summary": "vtMeldingDi01 van koppelvlak Jeugdzorg 1.0.7 of 1.0.9, kaal of in een SOAP 1.1-envelop",
        "parameters": [openapi_feeds.TRIAL],
        "requestBody": {"required": True, "content": xml},
        "responses": {
            "200": {
                "description": "Opgeslagen: Bv03; of de uitslag van een proef",
                "content": xml | openapi_feeds.VERDICT,
            },
            "400": {"description": "Niet leesbaar, in quarantaine: Fo03", "content": xml},
            "401": {"description": "Geen geldig token: Fo03", "content": xml},
            "403": {"description": "De OIN hoort niet bij het token: Fo03", "content": xml},
            "409": {"description": "Referentienummer al gebruikt, in quarantaine: Fo03", "content": xml},
            "413": {"description": "Te groot: Fo03", "content": xml},
            "500": {"description": "Alleen in SOAP: een fout in de stuurgegevens, als soap:Fault", "content": xml},
            "503": {"description": "Nu niet op te slaan, stuur opnieuw: Fo03", "content": xml},
        },
    }


def _post_report(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "ontvangMelding",
        "summary": "Een melding in JSON; hetzelfde model als het StUF-bericht",
        "parameters": [openapi_feeds.TRIAL],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": _ref("ReportMessage"),
                    "examples": openapi_attachments.example_reports(),
                }
            },
        },
        "responses": {"202": _json("Opgeslagen", "Receipt"), "200": _json("Uitslag van een proef", "Verdict")}
        | {status: problem for status in ("400", "401", "403", "409", "413", "503")},
    }


def _state(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "leesStand",
        "summary": "De stand van een eigen bericht, op ontvangstnummer of referentienummer",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": _json("De stand", "State"), "401": problem, "404": problem},
    }


def _feedback(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "leesTerugkoppeling",
        "summary": "Wat Veilig Thuis terugkoppelt over een eigen melding; leeg zolang er niets is vrijgegeven",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": _json("De terugkoppelingen", "Feedbacks"), "401": problem, "404": problem},
    }


def _handovers(problem: dict[str, Any]) -> dict[str, Any]:
    found = _object(overdrachten={"type": "array", "items": _ref("Handover")})
    content = {"application/json": {"schema": found}}
    return {
        "operationId": "leesOverdrachten",
        "summary": "De overdrachten die wachten op een antwoord van uw team",
        "responses": {"200": {"description": "De overdrachten, de oudste eerst", "content": content}}
        | {status: problem for status in ("401", "403", "503")},
    }


def _handover(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "leesOverdracht",
        "summary": "Een overdracht die wacht, met wat Veilig Thuis ervan deelt",
        "parameters": [_id()],
        "responses": {"200": _json("De overdracht", "HandoverContent")}
        | {status: problem for status in ("401", "403", "404", "503")},
    }


def _answer(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "beantwoordOverdracht",
        "summary": "Aanvaarden (uw team is begonnen en houdt zicht op veiligheid) of weigeren met een reden",
        "parameters": [_id()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("HandoverAnswer")}}},
        "responses": {"200": _json("Vastgelegd; hetzelfde antwoord nog eens geeft hetzelfde", "HandoverReceipt")}
        | {status: problem for status in ("400", "401", "403", "404", "409", "413", "503")},
    }


def _id() -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
