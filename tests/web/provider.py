"""A small OpenID Connect provider over real HTTP, with real keys, that can be told to answer wrongly."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "veilig thuis", "geheim van de cliënt/+"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
LOW = "http://eidas.europa.eu/LoA/low"


@dataclass
class Provider:
    """What the provider holds, and what it was asked."""

    address: str = ""
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "een"}))
    shown: list[Any] | None = None
    """The keys that it publishes; None: its own."""
    algorithm: str = "PS256"
    client_key: Any = None
    subject: str = "01234-teun"
    change: Callable[[dict[str, Any]], None] = lambda claims: None
    tamper: Callable[[str], str] = lambda token: token
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    refused: str = ""

    def sign_in(self, address: str) -> tuple[str, str]:
        """What the browser does there: the person signs in; gives the code and state that it comes back with."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.address}/authorize"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(query)
        code = f"code-{len(self.asked)}"
        self.codes[code] = query
        return code, query["state"]

    def token(self, form: dict[str, str], authorization: str) -> Response:
        query = self.codes.pop(form["code"], None)
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        if query is None or base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != query["code_challenge"]:
            return self._no("invalid_grant")
        if form["redirect_uri"] != query["redirect_uri"] or not self._is_client(form, authorization):
            return self._no("invalid_client")
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": self.subject,
            "exp": now + 300,
            "iat": now,
            "nonce": query["nonce"],
            "acr": SUBSTANTIAL,
            "auth_time": now,
        }
        self.change(claims)
        header = {"alg": self.algorithm, "kid": self.key.kid}
        token = self.tamper(jwt.encode(header, claims, self.key, algorithms=[self.algorithm]))
        return JSONResponse({"access_token": "vergeet-mij", "token_type": "Bearer", "id_token": token})

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if self.client_key is None:
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, SECRET)
        claims = jwt.decode(form["client_assertion"], self.client_key, algorithms=["PS256", "ES256"]).claims
        return claims["iss"] == claims["sub"] == CLIENT and claims["aud"] == f"{self.address}/token"

    def _no(self, error: str) -> Response:
        self.refused = error
        return JSONResponse({"error": error}, 400)


@contextmanager
def running() -> Iterator[Provider]:
    """The provider on a free port of this machine."""
    provider = Provider()

    def about(request: Request) -> Response:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        paths = {name: f"{provider.address}/{path}" for name, path in names.items()}
        return JSONResponse({"issuer": provider.address, **paths})

    def keys(request: Request) -> Response:
        shown = [provider.key] if provider.shown is None else provider.shown
        return JSONResponse({"keys": [key.as_dict(private=False) for key in shown]})

    async def token(request: Request) -> Response:
        async with request.form() as form:
            sent = {name: str(value) for name, value in form.items()}
        return provider.token(sent, request.headers.get("authorization", ""))

    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", about),
            Route("/keys", keys),
            Route("/token", token, methods=["POST"]),
        ]
    )
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    provider.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    yield provider
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


__all__ = ["CLIENT", "LOW", "SECRET", "SUBSTANTIAL", "ECKey", "Provider", "RSAKey", "running"]
