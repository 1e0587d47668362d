"""Which webhook a request is, by its headers, and whether Shopify signed its body. Pure.

Shopify signs the body alone, with the app's client secret; headers are not signed. After a secret was rotated webhooks
come signed with the older one for up to an hour, so two are tried. Names of headers come in two forms:
`X-Shopify-Topic` and, of the newer events, `shopify-topic` (@shopify/shopify-api 15.0.0).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

MOST_SECRETS: Final = 2

_FORMS: Final = (b"x-shopify-", b"shopify-")
_NEEDED: Final = (b"hmac-sha256", b"topic", b"shop-domain", b"api-version", b"webhook-id")
_WORD: Final = re.compile(r"[\x21-\x7e]{1,255}")
_NAME: Final = re.compile(r"[\x20-\x7e]{1,255}")
_TOPIC: Final = re.compile(r"[a-z0-9_./-]{1,120}")
_SHOP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,80}\.myshopify\.com")


class NotAWebhook(ValueError):
    """The sentence names the header that is missing or cannot be what it should be."""


@dataclass(frozen=True, slots=True)
class WebhookHeaders:
    """`delivery_id` is the same when Shopify sends a delivery again; `action_id` is the same over all topics that one
    action of the merchant fired, and not always there."""

    signature: str
    topic: str
    shop_domain: str
    api_version: str
    delivery_id: str
    action_id: str | None
    name: str | None
    triggered_at: datetime | None


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> WebhookHeaders:
    """From ASGI's list, names in small letters. Raises `NotAWebhook`."""
    headers = dict(raw)
    found = _of_form(headers)
    signature, topic, shop, version, delivery = (found[name].decode("latin-1").strip() for name in _NEEDED)
    topic, shop = topic.lower(), shop.lower()
    for name, value, form in (
        ("topic", topic, _TOPIC),
        ("shop-domain", shop, _SHOP),
        ("hmac-sha256", signature, _WORD),
        ("api-version", version, _WORD),
        ("webhook-id", delivery, _WORD),
    ):
        if form.fullmatch(value) is None:
            raise NotAWebhook(f"The header X-Shopify-{name.title()} holds something that Shopify does not send.")
    return WebhookHeaders(
        signature=signature,
        topic=topic,
        shop_domain=shop,
        api_version=version,
        delivery_id=delivery,
        action_id=_optional(found.get(b"event-id"), _WORD),
        name=_optional(found.get(b"name"), _NAME) or _optional(found.get(b"handle"), _NAME),
        triggered_at=_moment(found.get(b"triggered-at")),
    )


def is_signed(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether one of up to two secrets signed these very bytes. Takes as long for a wrong signature as for a right one,
    and as long whichever secret it was."""
    given = signature.encode()
    fits = False
    for secret in secrets[:MOST_SECRETS]:
        fits |= hmac.compare_digest(sign(body, secret), given)
    return fits


def sign(body: bytes, secret: str) -> bytes:
    """As it stands in the header: base64 of the HMAC-SHA256."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))


def _of_form(headers: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The values by what stands after `x-shopify-`, of the form in which all that is needed is there."""
    missing: bytes | None = None
    for form in _FORMS:
        missing_here = next((name for name in _NEEDED if form + name not in headers), None)
        if missing_here is None:
            return {name[len(form) :]: value for name, value in headers.items() if name.startswith(form)}
        missing = missing or missing_here
    assert missing is not None
    raise NotAWebhook(
        f"The header X-Shopify-{missing.decode().title()} is missing. Only Shopify sends to this address; to try it,"
        " use the sandbox."
    )


def _optional(value: bytes | None, form: re.Pattern[str]) -> str | None:
    text = (value or b"").decode("latin-1").strip()
    return text if form.fullmatch(text) else None


def _moment(value: bytes | None) -> datetime | None:
    """Shopify writes nanoseconds at times, which no datetime holds. None for what is no time."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", (value or b"").decode("latin-1").strip())
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
