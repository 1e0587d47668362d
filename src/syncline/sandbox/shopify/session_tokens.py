"""Session tokens: what App Bridge gives an embedded page, a JWT that the app's secret signs (HS256). They last a minute
(shopify.dev, "Session tokens", November 2026)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from syncline.kernel import clock

LASTS_SECONDS = 60
_LEEWAY_SECONDS = 10


def make(*, shop_domain: str, client_id: str, secret: str, user: str = "42", seconds: float = LASTS_SECONDS) -> str:
    now = int(clock.now().timestamp())
    claims = {
        "iss": f"https://{shop_domain}/admin",
        "dest": f"https://{shop_domain}",
        "aud": client_id,
        "sub": user,
        "exp": now + int(seconds),
        "nbf": now,
        "iat": now,
        "jti": str(uuid4()),
        "sid": uuid4().hex,
    }
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{_signature(signed, secret)}"


def is_good(token: str, *, shop_domain: str, client_id: str, secrets: Sequence[str]) -> bool:
    """Whether it is this app's, of this shop, and good now."""
    signed, _, signature = token.rpartition(".")
    if not any(hmac.compare_digest(signature.encode(), _signature(signed, one).encode()) for one in secrets):
        return False
    head, _, body = signed.partition(".")
    try:
        header, claims = _opened(head), _opened(body)
    except ValueError:
        return False
    now = clock.now().timestamp()
    return (
        header.get("alg") == "HS256"
        and claims.get("aud") == client_id
        and claims.get("dest") == f"https://{shop_domain}"
        and now - _LEEWAY_SECONDS < float(claims.get("exp", 0))
        and float(claims.get("nbf", 0)) <= now + _LEEWAY_SECONDS
    )


def _part(value: dict[str, Any]) -> str:
    return _plain(json.dumps(value, separators=(",", ":")).encode())


def _opened(part: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found if isinstance(found, dict) else {}


def _signature(signed: str, secret: str) -> str:
    return _plain(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
