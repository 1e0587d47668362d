"""Access tokens: JWTs (RFC 9068) signed with Ed25519, read without any look-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId

ALGORITHM = "EdDSA"
"""The name of RFC 8037, which whoever checks our tokens knows. RFC 9864 (October 2025) renames it to `Ed25519`; PyJWT,
for one, passes over a key that says so (its issue 1190, open in August 2026)."""

_READ = (ALGORITHM, "Ed25519")
"""Both are the same signature by the same key, so the name can change again without signing anybody out."""

AUDIENCE = "syncline"
_TYPE = "at+jwt"
_LEEWAY = timedelta(seconds=30)
"""Clocks of two machines may differ by so much: a token from the near future is taken. An expired one never is."""

_ED25519 = jws.JWSRegistry.algorithms["Ed25519"]
ED25519_AS_EDDSA = copy(_ED25519)  # not the library's own, which takes other curves too and warns at every use
ED25519_AS_EDDSA.name = ALGORITHM


_REGISTRY = jws.JWSRegistry(algorithms=_READ)
_REGISTRY.algorithms = {ALGORITHM: ED25519_AS_EDDSA, "Ed25519": _ED25519}


@dataclass(frozen=True, slots=True)
class Claims:
    """Who may come in, as which session, in which tenant. The role is not among them: it is looked up, so that taking
    it away works at once."""

    user_id: UUID
    tenant_id: TenantId
    session_id: UUID
    methods: tuple[str, ...]
    expires_at: datetime


def looks_like_jwt(text: str) -> bool:
    return text.startswith("eyJ") and text.count(".") == 2


def write_token(claims: Claims, *, key: OKPKey, issuer: str) -> str:
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": _TYPE}
    body = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "tid": str(claims.tenant_id),
        "sid": str(claims.session_id),
        "amr": list(claims.methods),
        "iat": int(clock.now().timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "jti": str(new_id()),
    }
    return jwt.encode(header, body, key, registry=_REGISTRY)


def key_id_of(text: str) -> str | None:
    """The `kid` that `text` names, before anything of it is believed; None when it cannot be one of our tokens."""
    try:
        header = jws.extract_compact(text.encode()).headers()
    except (JoseError, ValueError, RecursionError):
        return None
    kid = header.get("kid")
    # Named here, not left to the library: a token may not choose how it is checked (RFC 8725, 3.1 and 3.11).
    is_ours = header.get("alg") in _READ and header.get("typ") == _TYPE and "crit" not in header
    return kid if is_ours and isinstance(kid, str) else None


def read_token(text: str, *, find_key: Callable[[str], OKPKey | None], issuer: str) -> Claims | None:
    """What a genuine, present token says; None for every other text."""
    kid = key_id_of(text)
    key = None if kid is None else find_key(kid)
    if key is None:
        return None
    try:
        body = jwt.decode(text, key, registry=_REGISTRY).claims
        return _checked(body, issuer)
    except (JoseError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _checked(body: Mapping[str, Any], issuer: str) -> Claims | None:
    now = clock.now()
    expires_at, issued_at = _moment(body["exp"]), _moment(body["iat"])
    if body["iss"] != issuer or body["aud"] != AUDIENCE or expires_at <= now or issued_at > now + _LEEWAY:
        return None
    return Claims(
        user_id=_id(body["sub"]),
        tenant_id=TenantId(_id(body["tid"])),
        session_id=_id(body["sid"]),
        methods=tuple(str(one) for one in body["amr"]),
        expires_at=expires_at,
    )


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a moment")
    return datetime.fromtimestamp(value, UTC)


def _id(value: object) -> UUID:
    if not isinstance(value, str):
        raise TypeError("not an id")
    return UUID(value)
