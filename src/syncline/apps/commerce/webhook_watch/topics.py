"""Which topics a store is asked for: what its token may read, of what the mirror holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

SCOPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("products/create", "products/update", "products/delete"), "read_products"),
    **dict.fromkeys(("collections/create", "collections/update", "collections/delete"), "read_products"),
    **dict.fromkeys(("inventory_items/create", "inventory_items/update", "inventory_items/delete"), "read_inventory"),
    **dict.fromkeys(
        ("inventory_levels/connect", "inventory_levels/update", "inventory_levels/disconnect"), "read_inventory"
    ),
    **dict.fromkeys(
        ("locations/create", "locations/update", "locations/activate", "locations/deactivate", "locations/delete"),
        "read_locations",
    ),
    **dict.fromkeys(
        ("orders/create", "orders/updated", "orders/cancelled", "orders/delete", "refunds/create"), "read_orders"
    ),
    **dict.fromkeys(("fulfillments/create", "fulfillments/update"), "read_orders"),
    **dict.fromkeys(("customers/create", "customers/update", "customers/delete"), "read_customers"),
    "shop/update": "",
    "app/uninstalled": "",
}
"""Topic -> the scope it asks for."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "products": ("products/update",),
    "media": ("products/update",),
    "metafields": ("products/update",),
    "collections": ("collections/update",),
    "inventory": ("inventory_levels/update",),
    "inventory_items": ("inventory_items/update",),
    "orders": ("orders/updated",),
    "refund_lines": ("refunds/create", "orders/updated"),
    "customers": ("customers/update",),
}
"""Stream -> the topics of which one tells of a change in it."""


def wanted_topics(granted: Iterable[str]) -> list[str]:
    """Those that the token's scopes allow; a right to write includes the right to read."""
    held = frozenset(granted)
    return [topic for topic, scope in SCOPES.items() if _is_held(scope, held)]


def left_out(granted: Iterable[str]) -> dict[str, str]:
    """Topic -> the scope that is missing."""
    held = frozenset(granted)
    return {topic: scope for topic, scope in SCOPES.items() if not _is_held(scope, held)}


def _is_held(scope: str, held: frozenset[str]) -> bool:
    return not scope or scope in held or scope.replace("read_", "write_", 1) in held
