"""Signing in at the provider of the organisation: OpenID Connect, code flow with PKCE (NL GOV assurance profile).

The provider says who somebody is and how sure it is of that; the login must be here already, and nothing of what the
provider gives is kept. The verifier and the nonce follow from the state and our own key, so that none of the three
has to be stored before it comes back.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from core.errors import SettingsError, Unavailable, VeiligError
from core.secrets import keyed_hash, new_token
from core.settings import Settings, settings

RETURN = "/inloggen/terug"
ALGORITHMS = ["PS256", "ES256", "RS256", "PS384", "ES384", "RS384", "PS512", "ES512", "RS512"]
TIMEOUT = httpx.Timeout(5.0, connect=3.0)
MAX_BYTES = 256 * 1024
LEEWAY = timedelta(seconds=60)
OLDEST_TOKEN = timedelta(minutes=10)
FRESH = timedelta(minutes=5)
"""A step-up takes no proof that is older."""
KNOWN_FOR_S = 600.0
OUT_OF_REACH = "De inlogdienst van uw organisatie antwoordt niet. Probeer het straks opnieuw."


class Refused(VeiligError):
    """Het inloggen bij uw organisatie is niet gelukt. Probeer het opnieuw."""

    status = 403

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
        """A code for the audit trail; people are not told."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the provider says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorize: str
    token: str
    keys: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider says this is, how sure it is, and when he last proved himself there."""

    subject: str
    acr: str
    proven_at: datetime | None

    def is_fresh(self, at: datetime) -> bool:
        return self.proven_at is not None and at - self.proven_at <= FRESH


_known: dict[str, tuple[float, Provider, KeySet]] = {}


def is_on() -> bool:
    """Whether this installation has a provider."""
    return settings().oidc_issuer is not None


def start_address(state: str, again: bool) -> str:
    """Where the browser goes to sign in. `again`: prove yourself now, also when you are signed in there.

    Raises Unavailable when the provider does not answer.
    """
    provider, _ = _provider()
    options = settings()
    query = {
        "response_type": "code",
        "client_id": options.oidc_client_id or "",
        "redirect_uri": _return_address(options),
        "scope": options.oidc_scopes,
        "state": state,
        "nonce": _nonce(state),
        "code_challenge": _base64(hashlib.sha256(_verifier(state).encode()).digest()),
        "code_challenge_method": "S256",
        "acr_values": " ".join(accepted()),
    }
    if again:
        query |= {"prompt": "login", "max_age": "0"}
    return f"{provider.authorize}{'&' if '?' in provider.authorize else '?'}{urlencode(query)}"


def identity(code: str, state: str, at: datetime, again: bool) -> Identity:
    """Whom the provider says this is. Raises Refused with a reason code, and Unavailable."""
    provider, keys = _provider()
    token = _id_token(provider, code, state, at)
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError):
        provider, keys = _provider(anew=True)  # it may have changed its keys
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            raise Refused("signature") from None
    return checked(claims, provider.issuer, _nonce(state), at, again)


def checked(claims: Mapping[str, Any], issuer: str, nonce: str, at: datetime, again: bool) -> Identity:
    """The identity in these claims, when they are for us, of now, and sure enough. Raises Refused.

    OpenID Connect Core 1.0, 3.1.3.7.
    """
    options = settings()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    moments = {name: _moment(claims.get(name)) for name in ("exp", "iat", "nbf", "auth_time")}
    if claims.get("iss") != issuer:
        raise Refused("issuer")
    if options.oidc_client_id not in audiences or claims.get("azp", options.oidc_client_id) != options.oidc_client_id:
        raise Refused("audience")
    if len(audiences) > 1 and "azp" not in claims:
        raise Refused("audience")
    if moments["exp"] is None or moments["exp"] + LEEWAY <= at:
        raise Refused("expired")
    if moments["iat"] is None or not at - OLDEST_TOKEN <= moments["iat"] <= at + LEEWAY:
        raise Refused("issued_at")
    if moments["nbf"] is not None and moments["nbf"] > at + LEEWAY:
        raise Refused("not_yet")
    if claims.get("nonce") != nonce:
        raise Refused("nonce")
    if claims.get("acr") not in accepted():
        raise Refused("acr")
    subject = claims.get(options.oidc_claim)
    if not isinstance(subject, str) or not subject or "\x00" in subject:
        raise Refused("subject")
    found = Identity(subject[:255], claims["acr"], moments["auth_time"])
    if again and not found.is_fresh(at):
        raise Refused("not_fresh")
    return found


def accepted() -> list[str]:
    """The levels of assurance that are enough, the lowest first."""
    return (settings().oidc_acr or "").split()


def forget_provider() -> None:
    """Ask the provider again about itself at the next use."""
    _known.clear()


def _provider(anew: bool = False) -> tuple[Provider, KeySet]:
    issuer = settings().oidc_issuer or ""
    found = _known.get(issuer)
    if found is None or anew or found[0] < time.monotonic():
        about = _get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        try:
            provider = Provider(
                about["issuer"], about["authorization_endpoint"], about["token_endpoint"], about["jwks_uri"]
            )
            if provider.issuer != issuer:
                raise Refused("issuer")
            found = time.monotonic() + KNOWN_FOR_S, provider, KeySet.import_key_set(_get(provider.keys))  # type: ignore[arg-type]
        except (KeyError, TypeError, JoseError, ValueError):
            raise Unavailable(OUT_OF_REACH) from None
        _known[issuer] = found
    return found[1], found[2]


def _id_token(provider: Provider, code: str, state: str, at: datetime) -> str:
    """Change the code for an ID token; the access token that comes with it is dropped."""
    options = settings()
    client = options.oidc_client_id or ""
    auth: httpx.Auth = httpx.Auth()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _return_address(options),
        "code_verifier": _verifier(state),
    }
    if options.oidc_client_secret is not None:
        # RFC 6749 2.3.1: both are form-encoded before they go into the header.
        secret = options.oidc_client_secret.get_secret_value()
        auth = httpx.BasicAuth(quote(client, safe=""), quote(secret, safe=""))
    else:
        form |= {
            "client_id": client,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(client, provider.token, at),
        }
    try:
        with httpx.Client(timeout=TIMEOUT) as http:
            answer = http.post(provider.token, data=form, auth=auth)
        token = answer.json().get("id_token") if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError, AttributeError):
        raise Unavailable(OUT_OF_REACH) from None
    if not isinstance(token, str) or len(token) > MAX_BYTES:
        raise Refused("code")
    return token


def client_key() -> RSAKey | ECKey:
    """The key of this client. Raises SettingsError when the file holds none."""
    path = settings().oidc_client_key
    kinds: tuple[type[RSAKey], type[ECKey]] = (RSAKey, ECKey)
    for kind in kinds:
        try:
            return kind.import_key(path.read_bytes() if path else b"")
        except (OSError, ValueError, JoseError):
            continue
    raise SettingsError(f"VEILIG_OIDC_CLIENT_KEY {path} holds no RSA or EC key in PEM.")


def _assertion(client: str, audience: str, at: datetime) -> str:
    """Who we are, signed with our key (RFC 7523): good for a minute, once."""
    key, now = client_key(), int(at.timestamp())
    curves = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
    algorithm = "PS256" if isinstance(key, RSAKey) else curves.get(key.curve_name, "ES256")
    header = {"alg": algorithm, "kid": key.thumbprint()}
    claims = {"iss": client, "sub": client, "aud": audience, "jti": new_token(), "iat": now, "exp": now + 60}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def _get(address: str) -> dict[str, Any]:
    try:
        with httpx.Client(timeout=TIMEOUT) as http:
            answer = http.get(address, headers={"Accept": "application/json"})
        found = answer.json() if answer.status_code == 200 and len(answer.content) <= MAX_BYTES else None
    except (httpx.HTTPError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(OUT_OF_REACH)
    return found


def _return_address(options: Settings) -> str:
    return f"{options.public_url}{RETURN}"


def _verifier(state: str) -> str:
    return _base64(keyed_hash(f"oidc.verifier:{state}"))


def _nonce(state: str) -> str:
    return _base64(keyed_hash(f"oidc.nonce:{state}"))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**40:
        return None
    return datetime.fromtimestamp(value, UTC)
