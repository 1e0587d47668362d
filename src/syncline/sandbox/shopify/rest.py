"""What is left of the REST Admin API here: the shop, which older clients ask for first, and REST's own limit.

The bucket holds 40 calls on Standard (2 leak out a second), 80 on Advanced (4) and 400 on Plus (20); its level is told
in `X-Shopify-Shop-Api-Call-Limit`, which a 429 does not carry (shopify.dev; measured on Advanced).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from syncline.sandbox.shopify.answers import answer
from syncline.sandbox.shopify.entities import Shop

LEAKS = {"standard": 2, "advanced": 4, "plus": 20, "enterprise": 40}
"""Calls a second."""
DEPTH_SECONDS = 20


@dataclass(slots=True)
class CallLimit:
    clock: Callable[[], float] = time.monotonic
    level: float = 0.0
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._at = self.clock()

    def take(self, plan: str, *, is_on: bool) -> tuple[int, int] | None:
        """The level after this call and the bucket's size; None when it runs over."""
        now, leak = self.clock(), LEAKS[plan]
        self.level = max(0.0, self.level - (now - self._at) * leak)
        self._at = now
        size = leak * DEPTH_SECONDS
        if is_on and self.level + 1 > size:
            return None
        self.level += 1
        return min(size, int(self.level)), size


def call_limited(plan: str, level: tuple[int, int] | None, body: dict[str, Any]) -> Response:
    if level is None:
        leak = LEAKS[plan]
        sentence = (
            f"Exceeded {leak} calls per second for api client. Reduce request rates to resume uninterrupted service."
        )
        refusal = answer({"errors": sentence}, 429)
        refusal.headers["Retry-After"] = "2.0"
        return refusal
    response = answer(body)
    response.headers["X-Shopify-Shop-Api-Call-Limit"] = f"{level[0]}/{level[1]}"
    return response


def shop_body(shop: Shop, plan: str) -> dict[str, Any]:
    """`{"shop": {...}}` with REST's names; times carry the shop's offset."""
    return {
        "shop": {
            "id": shop.id,
            "name": shop.name,
            "email": shop.email,
            "domain": shop.domain,
            "province": None,
            "country": "US",
            "country_code": "US",
            "country_name": "United States",
            "address1": None,
            "address2": None,
            "zip": None,
            "city": None,
            "phone": None,
            "created_at": "2020-01-01T00:00:00+00:00",
            "updated_at": "2026-01-01T00:00:00+00:00",
            "customer_email": shop.email,
            "currency": shop.currency,
            "enabled_presentment_currencies": [shop.currency],
            "timezone": "(GMT+00:00) Etc/UTC",
            "iana_timezone": "Etc/UTC",
            "shop_owner": shop.name,
            "money_format": "${{amount}}",
            "money_with_currency_format": f"${{{{amount}}}} {shop.currency}",
            "weight_unit": "kg",
            "taxes_included": False,
            "tax_shipping": None,
            "has_storefront": True,
            "plan_name": plan,
            "plan_display_name": shop.plan,
            "myshopify_domain": shop.domain,
            "primary_locale": "en",
            "source": None,
        }
    }
