"""A merchant's edits of the shop itself and its locations.

{"kind": "shop", "set": {"name": "...", "email": "..."}}
{"action": "create", "kind": "location", "set": {"name": "Warehouse"}}
{"kind": "location", "id": 61, "set": {"name": "...", "is_active": false}}
"""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.edit_input import Apply, Edit, EditError, found, known, shown
from syncline.sandbox.shopify.entities import Location
from syncline.sandbox.shopify.state import Store

SHOP = frozenset({"name", "email"})
LOCATION = frozenset({"name", "is_active"})


def _update_shop(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    store.update_shop(**known(fields, SHOP))
    return shown(store.shop)


def _create_location(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    chosen = known(fields, LOCATION)
    if not chosen.get("name"):
        raise EditError("A new location needs a name.")
    return shown(store.add_location(chosen["name"], is_active=bool(chosen.get("is_active", True))))


def _update_location(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    location: Location = found(store.locations, edit.get("id"), "location")
    store.update_location(location, **known(fields, LOCATION))
    return shown(location)


EDITS: dict[tuple[str, str], Apply] = {
    ("update", "shop"): _update_shop,
    ("create", "location"): _create_location,
    ("update", "location"): _update_location,
}
