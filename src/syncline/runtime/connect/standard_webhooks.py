"""Signing of what we send to others' webhooks, by Standard Webhooks 1.0.0. Pure.

An id that is the same for every attempt, the moment of the attempt, and an HMAC-SHA256 over both and the raw body: so
the receiver knows it is from us, is not an old one sent again by somebody else, and drops what he has had.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
_SECRET_BYTES = 32


class NotSigned(ValueError):
    """The signature is missing or wrong, or the moment too far away."""


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers; `timestamp` is in seconds since 1970. Raises `ValueError` for what is no secret."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(secret, message_id, str(timestamp), body)}",
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
    """Raises `NotSigned`."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotSigned("the moment is missing or too far away")
    wanted = _signature(secret, message_id, timestamp, body)
    given = [one.partition(",") for one in headers.get("webhook-signature", "").split(" ")]
    if not any(version == "v1" and hmac.compare_digest(value, wanted) for version, _, value in given):
        raise NotSigned("no signature fits")


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("the secret is not base64") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
