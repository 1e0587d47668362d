"""What is done about each topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from syncline.apps.commerce.webhooks import told_catalog, told_sales
from syncline.apps.commerce.webhooks.told import Reader
from syncline.apps.commerce.webhooks.told_catalog import gone, part_of_order

_ORDER_TOPICS: Final = ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")

READERS: Final[Mapping[str, Reader]] = {
    "products/create": told_catalog.product,
    "products/update": told_catalog.product,
    "products/delete": gone("product"),
    "collections/create": told_catalog.collection,
    "collections/update": told_catalog.collection,
    "collections/delete": gone("collection"),
    "inventory_items/create": told_catalog.inventory_item,
    "inventory_items/update": told_catalog.inventory_item,
    "inventory_items/delete": gone("inventory_item"),
    "inventory_levels/connect": told_catalog.inventory_level,
    "inventory_levels/update": told_catalog.inventory_level,
    "inventory_levels/disconnect": told_catalog.level_gone,
    "locations/create": told_catalog.location,
    "locations/update": told_catalog.location,
    "locations/activate": told_catalog.location,
    "locations/deactivate": told_catalog.location,
    "locations/delete": gone("location"),
    **dict.fromkeys((f"orders/{verb}" for verb in _ORDER_TOPICS), told_sales.order),
    "orders/edited": part_of_order("orders"),
    "orders/delete": gone("order"),
    "refunds/create": part_of_order("orders", "refund_lines"),
    "fulfillments/create": part_of_order("orders"),
    "fulfillments/update": part_of_order("orders"),
    "order_transactions/create": part_of_order("orders"),
    "customers/create": told_sales.customer,
    "customers/update": told_sales.customer,
    "customers/enable": told_sales.customer,
    "customers/disable": told_sales.customer,
    "customers/delete": gone("customer"),
}
