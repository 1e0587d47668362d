"""Reads an ID token (OpenID Connect Core 1.0, section 3.1.3.7): whether it is of our provider, for us, for this
sign-in, and good now. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from syncline.apps.accounts.signin.access_token import ED25519_AS_EDDSA
from syncline.kernel import clock

# Never one that a shared secret signs, and never none: with those whoever reads the public key could sign (RFC 8725).
SIGNED_WITH = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519", "EdDSA"),
)
_REGISTRY = jws.JWSRegistry(algorithms=SIGNED_WITH, strict_check_header=False)
_REGISTRY.algorithms = {**jws.JWSRegistry.algorithms, "EdDSA": ED25519_AS_EDDSA}
_REGISTRY.max_header_length = 8_192  # some put their certificate there
_LEEWAY = timedelta(minutes=1).total_seconds()


class NotBelieved(ValueError):
    """Why, for the log."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says of somebody. `email_is_verified` is its word, and only as good as the provider."""

    issuer: str
    subject: str
    email: str | None
    email_is_verified: bool
    name: str | None


def key_id_of(text: str) -> str | None:
    """The key that a token names, before anything of it is believed. Raises `NotBelieved`."""
    try:
        kid = jws.extract_compact(text.encode()).headers().get("kid")
    except (JoseError, ValueError, RecursionError) as error:
        raise NotBelieved("not a JWT") from error
    return kid if isinstance(kid, str) else None


def read_id_token(text: str, *, keys: KeySet, issuer: str, client_id: str, nonce: str) -> Mapping[str, Any]:
    """The claims. Raises `NotBelieved`."""
    try:
        claims = jwt.decode(text, keys, registry=_REGISTRY).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise NotBelieved(f"signature: {type(error).__name__}") from error
    _check(claims, issuer=issuer, client_id=client_id, nonce=nonce)
    return claims


def _check(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> None:
    now = clock.now().timestamp()
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != issuer:
        raise NotBelieved("issuer")
    if client_id not in listed or (len(listed) > 1 and claims.get("azp") is None):
        raise NotBelieved("audience")
    if claims.get("azp", client_id) != client_id:
        raise NotBelieved("authorized party")
    if not _moment(claims, "exp") > now - _LEEWAY:
        raise NotBelieved("expired")
    if not _moment(claims, "iat") < now + _LEEWAY:
        raise NotBelieved("issued in the future")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "replace"), nonce.encode()):
        raise NotBelieved("nonce")
    subject = claims.get("sub")
    # Core 1.0, section 2: at most 255 characters of ASCII.
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isascii():
        raise NotBelieved("subject")


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotBelieved(f"{name} is no moment")
    return float(value)


def identity_of(claims: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> Identity:
    """From the ID token, and from the userinfo where that said nothing. Raises `NotBelieved` for a userinfo of
    somebody else (Core 1.0, section 5.3.2)."""
    if more is not None and more.get("sub") != claims["sub"]:
        raise NotBelieved("userinfo of another subject")
    source = claims if more is None or "email" in claims else more
    # Some write it as text, which is not what the standard says and cannot be meant otherwise.
    is_verified = source.get("email_verified") in (True, "true")
    return Identity(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=_text(source, "email", most=254),
        email_is_verified=is_verified,
        name=_text(claims, "name", most=100) or _text(more or {}, "name", most=100),
    )


def _text(claims: Mapping[str, Any], name: str, *, most: int) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= most else None
