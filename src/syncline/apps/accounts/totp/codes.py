"""The codes themselves. Pure.

TOTP as RFC 6238 defines it over RFC 4226: SHA-1, six digits, steps of 30 s, which is what every authenticator app does;
several ignore what the address says otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
_WINDOW = 1
"""Steps before and after the present one that are taken: clocks differ, and people type slowly (RFC 6238, 5.2)."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_RECOVERY_FORM = re.compile(r"[a-z2-7]{16}")


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, moment: datetime, *, after: int | None) -> int | None:
    """The step whose code this is, later than `after`, the last one that was used; None for a wrong or used code."""
    typed = "".join(code.split())
    if len(typed) != DIGITS or not (typed.isascii() and typed.isdigit()):
        return None
    now, found = step_of(moment), None
    for step in range(now - _WINDOW, now + _WINDOW + 1):
        # All are compared, so that time does not tell which one it is near.
        if hmac.compare_digest(code_at(secret, step), typed) and (after is None or step > after):
            found = step
    return found


def shown(secret: bytes) -> str:
    """As it is typed into an app that cannot read the picture."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth_uri(secret: bytes, *, email: str, issuer: str) -> str:
    """What the picture holds: the key URI format that Google Authenticator introduced."""
    facts = urlencode({"secret": shown(secret), "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/{quote(issuer)}:{quote(email)}?{facts}"


def new_recovery_codes() -> list[str]:
    """80 random bits each, in groups a person can copy."""
    return [
        _grouped(base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()) for _ in range(RECOVERY_CODES)
    ]


def _grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def recovery_digest(user_id: UUID, code: str) -> bytes | None:
    """What is stored of a recovery code; None for a text that cannot be one. A fast hash is right: 80 random bits."""
    typed = re.sub(r"[\s-]", "", code).lower()
    if not _RECOVERY_FORM.fullmatch(typed):
        return None
    return hashlib.sha256(user_id.bytes + typed.encode()).digest()
