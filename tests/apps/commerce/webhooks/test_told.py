"""What payloads say, without a database: real ones of Shopify's, and what old ones leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncline.apps.commerce.webhooks.told import decode
from syncline.apps.commerce.webhooks.topics import READERS

REAL = Path(__file__).parents[5] / "shared" / "data" / "shopify-payloads"
TOPICS = {
    "product": "products/update",
    **dict.fromkeys(("order", "orders"), "orders/updated"),
    **dict.fromkeys(("customer", "customers_search"), "customers/update"),
    **dict.fromkeys(("inventory_item", "inventory_items"), "inventory_items/update"),
    **dict.fromkeys(("inventory_level", "inventory_levels"), "inventory_levels/update"),
    **dict.fromkeys(("location", "locations"), "locations/update"),
    "refund": "refunds/create",
    "fulfillment": "fulfillments/create",
    "transaction": "order_transactions/create",
}
VARIANT = {"id": 7, "price": "9.50", "inventory_item_id": 70, "updated_at": "2026-11-22T10:00:00-05:00"}
PRODUCT = {"id": 5, "title": "Mug", "options": [], "updated_at": "2026-11-22T10:00:00-05:00"}


def resources(name: str) -> Iterator[dict[str, Any]]:
    """Each resource of a file, which is wrapped in its name, alone or in a list."""
    whole = json.loads((REAL / f"{name}.json").read_text(encoding="utf-8"))
    (inner,) = whole.values()
    yield from inner if isinstance(inner, list) else [inner]


@pytest.mark.shared_data
@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real payloads are not at {REAL}")
@pytest.mark.parametrize(("name", "topic"), TOPICS.items())
def test_real_payloads_are_understood(name: str, topic: str) -> None:
    found = list(resources(name))
    assert found
    for one in found:
        tidings = READERS[topic](decode(json.dumps(one).encode()))
        assert tidings.number in {one.get("id"), one.get("order_id"), one.get("inventory_item_id")}
        assert tidings.told or tidings.readings


def test_variant_without_its_inventory_item_is_read_from_the_store_and_not_taken_for_gone() -> None:
    old = {"id": 8, "price": "1.00"}
    tidings = READERS["products/update"]({**PRODUCT, "variants": [VARIANT, old]})
    assert [(one.kind, one.key) for one in tidings.told] == [("product", (5,)), ("variant", (7,))]
    assert tidings.only == {"variant": frozenset({7, 8})}
    assert ("products", 5, 0) in tidings.readings
