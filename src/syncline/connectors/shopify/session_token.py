"""Reads a session token: what App Bridge gives a page inside Shopify's admin (shopify.dev, "Session tokens"). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from syncline.connectors.shopify.auth import is_shop_domain
from syncline.connectors.shopify.oauth import NotBelieved

# One algorithm, whatever the header says: with "none" anybody could sign (RFC 8725).
_REGISTRY: Final = jws.JWSRegistry(algorithms=["HS256"], strict_check_header=False)
_LEEWAY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The shop, and the id of its staff member who has the page open."""

    shop_domain: str
    user_id: str


def read_session_token(text: str, *, client_id: str, secrets: Sequence[str], now: datetime) -> SessionToken:
    """Raises `NotBelieved`."""
    claims = _verified(text, secrets)
    moment = now.timestamp()
    if claims.get("aud") != client_id:
        raise NotBelieved("audience")
    if not _seconds(claims, "exp") > moment - _LEEWAY_SECONDS:
        raise NotBelieved("expired")
    if not _seconds(claims, "nbf") < moment + _LEEWAY_SECONDS:
        raise NotBelieved("not good yet")
    shop = _host(claims, "dest")
    if not is_shop_domain(shop) or _host(claims, "iss") != shop:
        raise NotBelieved("shop")
    return SessionToken(shop.lower(), str(claims.get("sub", "")))


def _verified(text: str, secrets: Sequence[str]) -> Mapping[str, Any]:
    why = "no secret"
    for secret in secrets:
        try:
            return jwt.decode(text, OctKey.import_key(secret), registry=_REGISTRY).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            why = type(error).__name__
    raise NotBelieved(f"signature: {why}")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotBelieved(name)
    return float(value)


def _host(claims: Mapping[str, Any], name: str) -> str:
    try:
        parts = urlsplit(str(claims.get(name, "")))
    except ValueError as error:
        raise NotBelieved(name) from error
    if parts.scheme != "https":
        raise NotBelieved(name)
    return parts.netloc
