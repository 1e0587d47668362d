"""The store's state in memory, and the only functions that change it.

Times are whole seconds in UTC, as Shopify's are. Every change bumps `Store.revision`; a change to a variant, and an
inventory adjustment of a tracked item, bumps the product's `updated_at` too (schema text of `Product.updatedAt`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncline.kernel import clock
from syncline.sandbox.shopify.entities import (
    Event,
    InventoryItem,
    InventoryLevel,
    Location,
    NewVariant,
    Product,
    ProductOption,
    Shop,
    Variant,
)
from syncline.sandbox.shopify.ordering import Ordering

__all__ = [
    "Event",
    "InventoryItem",
    "InventoryLevel",
    "Location",
    "NewVariant",
    "Product",
    "ProductOption",
    "Shop",
    "Store",
    "Variant",
    "variant_title",
]

FIRST_IDS = {
    "product": 7_000_000_000_001,
    "option": 9_000_000_000_001,
    "variant": 41_000_000_000_001,
    "item": 43_000_000_000_001,
    "location": 61_000_000_001,
    "level": 98_000_000_001,
    "event": 164_000_000_000_001,
}


class Store:
    """All of one shop. Not safe for threads: it is read and changed on the event loop only."""

    def __init__(self, shop: Shop | None = None) -> None:
        self.shop = shop or Shop()
        self.products: dict[int, Product] = {}
        self.variants: dict[int, Variant] = {}
        self.items: dict[int, InventoryItem] = {}
        self.levels: dict[tuple[int, int], InventoryLevel] = {}
        self.locations: dict[int, Location] = {}
        self.events: list[Event] = []
        self.product_by_handle: dict[str, int] = {}
        self.levels_of_item: dict[int, list[int]] = {}
        """item id -> location ids where it is stocked, ascending"""
        self.levels_at_location: dict[int, dict[int, None]] = {}
        """location id -> item ids stocked there (a dict for its order and quick removal)"""
        self._level_orders: dict[int, Ordering[InventoryLevel]] = {}
        self.revision = 0
        self.variant_events = False
        """Whether deleting a variant alone writes an event of its own; whether Shopify does is not documented."""
        self._next = dict(FIRST_IDS)
        products, variants, items = self.products, self.variants, self.items
        locations = self.locations
        self._product_orders: dict[str, Ordering[Product]] = {
            "ID": Ordering(products.values, lambda p: p.id),
            "TITLE": Ordering(products.values, lambda p: p.title.casefold()),
            "CREATED_AT": Ordering(products.values, lambda p: p.created_at),
            "UPDATED_AT": Ordering(products.values, lambda p: p.updated_at),
            "VENDOR": Ordering(products.values, lambda p: p.vendor.casefold()),
            "PRODUCT_TYPE": Ordering(products.values, lambda p: p.product_type.casefold()),
        }
        self._variant_orders: dict[str, Ordering[Variant]] = {
            "ID": Ordering(variants.values, lambda v: v.id),
            "SKU": Ordering(variants.values, lambda v: v.sku or ""),
            "UPDATED_AT": Ordering(variants.values, lambda v: v.updated_at),
        }
        self._item_orders: dict[str, Ordering[InventoryItem]] = {"ID": Ordering(items.values, lambda i: i.id)}
        self._location_orders: dict[str, Ordering[Location]] = {
            "ID": Ordering(locations.values, lambda at: at.id),
            "NAME": Ordering(locations.values, lambda at: at.name.casefold()),
        }
        self._event_orders: dict[str, Ordering[Event]] = {
            "ID": Ordering(lambda: self.events, lambda event: event.id),
            "CREATED_AT": Ordering(lambda: self.events, lambda event: event.created_at),
        }

    def orders(self, kind: str) -> Mapping[str, Ordering[Any]]:
        """The sort keys served for `kind` (products, variants, items, locations, events) and their orderings."""
        found: Mapping[str, Mapping[str, Ordering[Any]]] = {
            "products": self._product_orders,
            "variants": self._variant_orders,
            "items": self._item_orders,
            "locations": self._location_orders,
            "events": self._event_orders,
        }
        return found[kind]

    def level_order(self, location_id: int) -> Ordering[InventoryLevel]:
        """Levels of one location by item id."""
        if location_id not in self._level_orders:
            items = self.levels_at_location[location_id]
            self._level_orders[location_id] = Ordering(
                lambda: [self.levels[item, location_id] for item in items], lambda level: level.item_id
            )
        return self._level_orders[location_id]

    def find_event(self, number: int) -> Event | None:
        at = bisect_left(self.events, number, key=lambda event: event.id)
        return self.events[at] if at < len(self.events) and self.events[at].id == number else None

    def now(self) -> datetime:
        return clock.now().replace(microsecond=0)

    def next_id(self, kind: str) -> int:
        number = self._next[kind]
        self._next[kind] = number + 1
        return number

    # -- reading

    def variants_of(self, product: Product) -> list[Variant]:
        return [self.variants[number] for number in product.variant_ids]

    def levels_of(self, item_id: int) -> list[InventoryLevel]:
        return [self.levels[item_id, at] for at in self.levels_of_item.get(item_id, ())]

    def find_product_by_handle(self, handle: str) -> Product | None:
        number = self.product_by_handle.get(handle)
        return None if number is None else self.products[number]

    def total_inventory(self, product: Product) -> int:
        return sum(
            level.available
            for variant in self.variants_of(product)
            if self.items[variant.item_id].tracked
            for level in self.levels_of(variant.item_id)
        )

    # -- locations

    def add_location(self, name: str, *, is_active: bool = True) -> Location:
        moment = self.now()
        location = Location(
            id=self.next_id("location"),
            name=name,
            level_number=self.next_id("level"),
            created_at=moment,
            updated_at=moment,
            is_active=is_active,
        )
        self.locations[location.id] = location
        self.levels_at_location[location.id] = {}
        _added(self._location_orders, location)
        self.revision += 1
        return location

    # -- products

    def add_product(
        self,
        *,
        title: str,
        handle: str,
        options: Sequence[tuple[str, Sequence[str]]] = (),
        variants: Iterable[NewVariant] = (),
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
        log: bool = True,
        **fields: Any,
    ) -> Product:
        """Adds a product with its variants; without any it gets Shopify's "Default Title" variant.

        `handle` must be free (see `free_handle`). `fields` are `Product`'s own. `log=False` leaves the event log alone,
        for stores made by a generator or from a file. Raises `ValueError` when the handle is taken.
        """
        if handle in self.product_by_handle:
            raise ValueError(f"The handle {handle!r} is taken.")
        created = created_at or self.now()
        product = Product(
            id=self.next_id("product"),
            title=title,
            handle=handle,
            created_at=created,
            updated_at=updated_at or created,
            options=[
                ProductOption(self.next_id("option"), name, position, list(values))
                for position, (name, values) in enumerate(options or [("Title", ["Default Title"])], start=1)
            ],
            **fields,
        )
        self.products[product.id] = product
        self.product_by_handle[handle] = product.id
        for new in list(variants) or [NewVariant(["Default Title"])]:
            self._insert_variant(product, new, created, product.updated_at)
        _added(self._product_orders, product)
        self.revision += 1
        if log:
            self._log("create", "PRODUCT", product.id, f"Product was created: {title}.")
        return product

    def free_handle(self, wanted: str) -> str:
        """`wanted`, or `wanted-1`, `wanted-2` ... as Shopify numbers handles that are taken."""
        handle, number = wanted, 0
        while handle in self.product_by_handle:
            number += 1
            handle = f"{wanted}-{number}"
        return handle

    def update_product(self, product: Product, **fields: Any) -> None:
        """Sets `fields` and bumps `updated_at`."""
        if (handle := fields.get("handle", product.handle)) != product.handle:
            if handle in self.product_by_handle:
                raise ValueError(f"The handle {handle!r} is taken.")
            del self.product_by_handle[product.handle]
            self.product_by_handle[handle] = product.id
        self._write(self._product_orders, product, {**fields, "updated_at": self.now()})

    def touch_product(self, product: Product) -> None:
        self.update_product(product)

    def delete_product(self, product: Product) -> None:
        for number in list(product.variant_ids):
            self._drop_variant(self.variants[number])
        _removed(self._product_orders, product)
        del self.products[product.id]
        del self.product_by_handle[product.handle]
        self.revision += 1
        self._log("destroy", "PRODUCT", product.id, f"Product was deleted: {product.title}.")

    # -- variants

    def add_variant(self, product: Product, new: NewVariant) -> Variant:
        moment = self.now()
        variant = self._insert_variant(product, new, moment, moment)
        self.touch_product(product)
        return variant

    def update_variant(self, variant: Variant, **fields: Any) -> None:
        """Sets `fields` (`option_values` renames the variant too) and bumps it and its product."""
        if "option_values" in fields:
            fields["title"] = variant_title(fields["option_values"])
        self._write(self._variant_orders, variant, {**fields, "updated_at": self.now()})
        self.touch_product(self.products[variant.product_id])

    def delete_variant(self, variant: Variant) -> None:
        product = self.products[variant.product_id]
        product.variant_ids.remove(variant.id)
        self._drop_variant(variant)
        self.renumber(product)
        self.touch_product(product)
        if self.variant_events:
            self._log("destroy", "PRODUCT_VARIANT", variant.id, f"Variant was deleted: {variant.title}.")

    def renumber(self, product: Product) -> None:
        """Positions 1, 2, 3 ... in the order of `variant_ids`."""
        for position, number in enumerate(product.variant_ids, start=1):
            self.variants[number].position = position

    # -- inventory

    def update_item(self, item: InventoryItem, **fields: Any) -> None:
        self._write(self._item_orders, item, {**fields, "updated_at": self.now()})
        variant = self.variants[item.variant_id]
        self._write(self._variant_orders, variant, {"updated_at": self.now()})
        self.touch_product(self.products[variant.product_id])

    def set_level(self, item_id: int, location_id: int, **quantities: int) -> InventoryLevel:
        """Sets `available`, `committed` or `incoming`; stocks the item at the location when it was not."""
        level = self.levels.get((item_id, location_id))
        moment = self.now()
        if level is None:
            level = self._stock(item_id, location_id, moment)
        for name, value in quantities.items():
            setattr(level, name, value)
        level.updated_at = moment
        self.revision += 1
        item = self.items[item_id]
        if item.tracked:
            self.touch_product(self.products[self.variants[item.variant_id].product_id])
        return level

    def remove_level(self, item_id: int, location_id: int) -> None:
        self.level_order(location_id).discard(self.levels[item_id, location_id])
        del self.levels[item_id, location_id]
        self.levels_of_item[item_id].remove(location_id)
        del self.levels_at_location[location_id][item_id]
        self.revision += 1

    # -- inside

    def _insert_variant(self, product: Product, new: NewVariant, created: datetime, updated: datetime) -> Variant:
        values = list(new.option_values) or ["Default Title"]
        item_id = self.next_id("item")
        variant = Variant(
            id=self.next_id("variant"),
            product_id=product.id,
            item_id=item_id,
            title=variant_title(values),
            created_at=created,
            updated_at=updated,
            price=new.price,
            sku=new.sku,
            barcode=new.barcode,
            compare_at_price=new.compare_at_price,
            position=len(product.variant_ids) + 1,
            taxable=new.taxable,
            inventory_policy=new.inventory_policy,
            option_values=values,
        )
        item = InventoryItem(
            id=item_id,
            variant_id=variant.id,
            created_at=created,
            updated_at=updated,
            tracked=new.tracked,
            requires_shipping=new.requires_shipping,
            unit_cost=new.unit_cost,
            weight=new.weight,
            weight_unit=new.weight_unit,
        )
        self.variants[variant.id] = variant
        self.items[item_id] = item
        product.variant_ids.append(variant.id)
        for location_id, available in new.quantities.items():
            self._stock(item_id, location_id, updated).available = available
        _added(self._variant_orders, variant)
        _added(self._item_orders, item)
        self.revision += 1
        return variant

    def _stock(self, item_id: int, location_id: int, moment: datetime) -> InventoryLevel:
        number = self.locations[location_id].level_number
        level = InventoryLevel(number, item_id, location_id, created_at=moment, updated_at=moment)
        self.levels[item_id, location_id] = level
        at = self.levels_of_item.setdefault(item_id, [])
        at.append(location_id)
        at.sort()
        self.levels_at_location[location_id][item_id] = None
        self.level_order(location_id).add(level)
        return level

    def _drop_variant(self, variant: Variant) -> None:
        for location_id in list(self.levels_of_item.get(variant.item_id, ())):
            self.remove_level(variant.item_id, location_id)
        self.levels_of_item.pop(variant.item_id, None)
        item = self.items.pop(variant.item_id)
        _removed(self._item_orders, item)
        _removed(self._variant_orders, variant)
        del self.variants[variant.id]

    def _write(self, orders: Mapping[str, Ordering[Any]], entity: Any, fields: Mapping[str, Any]) -> None:
        _removed(orders, entity)
        for name, value in fields.items():
            setattr(entity, name, value)
        _added(orders, entity)
        self.revision += 1

    def _log(self, action: str, subject_type: str, subject_id: int, message: str) -> None:
        event = Event(self.next_id("event"), action, subject_type, subject_id, self.now(), message)
        self.events.append(event)
        _added(self._event_orders, event)


def variant_title(option_values: Sequence[str]) -> str:
    """`S / Red`, as Shopify builds a variant's title."""
    return " / ".join(option_values)


def _added(orders: Mapping[str, Ordering[Any]], entity: Any) -> None:
    for ordering in orders.values():
        ordering.add(entity)


def _removed(orders: Mapping[str, Ordering[Any]], entity: Any) -> None:
    for ordering in orders.values():
        ordering.discard(entity)
