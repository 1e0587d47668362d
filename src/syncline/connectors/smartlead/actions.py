"""Writing to Smartlead: webhooks, and whether one that comes is Smartlead's."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from syncline.connectors.smartlead.client import SmartleadClient, decoded, whole
from syncline.runtime.connect.connector import Action

ADD_WEBHOOK: Final = Action("add_webhook", idempotent_by="read back with webhooks_of after OutcomeUnknown")
REMOVE_WEBHOOK: Final = Action("remove_webhook", idempotent_by="the webhook's id")
ACTIONS: Final = (ADD_WEBHOOK, REMOVE_WEBHOOK)

SIGNATURE_HEADER = "X-Smartlead-Signature"
DELIVERY_HEADER = "X-Request-Id"
"""The same over all attempts of one delivery."""
_JSON = {"Content-Type": "application/json"}


async def add_webhook(client: SmartleadClient, *, url: str, events: Sequence[str], campaign: int | None = None) -> int:
    """Of the whole account, or of a campaign; its id. Raises `OutcomeUnknown` when it may have been made."""
    sent: dict[str, Any] = {
        "webhook_url": url,
        "association_type": "user" if campaign is None else "campaign",
        "email_campaign_id": campaign,
        "event_type_map": dict.fromkeys(events, True),
    }
    answer = await client.send(
        "add_webhook",
        "/webhook/create",
        decoded,
        method="POST",
        content=msgspec.json.encode(sent),
        headers=_JSON,
        idempotent=False,
    )
    return whole(answer["data"]["id"])


async def webhooks_of(client: SmartleadClient, campaign: int) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = await client.send("webhooks", f"/campaigns/{campaign}/webhooks", decoded)
    return answer


async def remove_webhook(client: SmartleadClient, webhook: int) -> None:
    await client.send("remove_webhook", f"/webhook/delete/{webhook}", decoded, method="DELETE")


def is_signed(body: bytes, told: str, secret: str) -> bool:
    """Whether `told`, the header's value, is the signature of the raw body."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), told.encode())
