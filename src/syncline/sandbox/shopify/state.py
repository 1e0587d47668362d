"""The store's state in memory, and the only functions that change it.

Times are whole seconds in UTC, as Shopify's are. Every change bumps `Store.revision`; a change to a variant, and an
inventory adjustment of a tracked item, bumps the product's `updated_at` too (schema text of `Product.updatedAt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
    variant_title,
)
from syncline.sandbox.shopify.entities_content import Collection, RuleFacts
from syncline.sandbox.shopify.entities_sales import Customer, Order
from syncline.sandbox.shopify.journal import Journal
from syncline.sandbox.shopify.ordering import Ordering, Orderings, added, orderings, removed, rewrite
from syncline.sandbox.shopify.state_content import Collections, MediaLibrary, Metafields
from syncline.sandbox.shopify.state_sales import Sales

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


class Store:
    """All of one shop. Not safe for threads: it is read and changed on the event loop only."""

    def __init__(self, shop: Shop | None = None) -> None:
        self.shop = shop or Shop()
        self.journal = Journal()
        self.products: dict[int, Product] = {}
        self.variants: dict[int, Variant] = {}
        self.items: dict[int, InventoryItem] = {}
        self.levels: dict[tuple[int, int], InventoryLevel] = {}
        self.locations: dict[int, Location] = {}
        self.product_by_handle: dict[str, int] = {}
        self.levels_of_item: dict[int, list[int]] = {}
        """item id -> location ids where it is stocked, ascending"""
        self.levels_at_location: dict[int, dict[int, None]] = {}
        """location id -> item ids stocked there (a dict for its order and quick removal)"""
        self._level_orders: dict[int, Ordering[InventoryLevel]] = {}
        self.variant_events = False
        """Whether deleting a variant alone writes an event of its own; whether Shopify does is not documented."""
        self._product_orders = orderings(
            self.products.values,
            ID=lambda product: product.id,
            TITLE=lambda product: product.title.casefold(),
            CREATED_AT=lambda product: product.created_at,
            UPDATED_AT=lambda product: product.updated_at,
            VENDOR=lambda product: product.vendor.casefold(),
            PRODUCT_TYPE=lambda product: product.product_type.casefold(),
        )
        self._variant_orders = orderings(
            self.variants.values,
            ID=lambda variant: variant.id,
            SKU=lambda variant: variant.sku or "",
            UPDATED_AT=lambda variant: variant.updated_at,
        )
        self._item_orders = orderings(
            self.items.values,
            ID=lambda item: item.id,
            CREATED_AT=lambda item: item.created_at,
            UPDATED_AT=lambda item: item.updated_at,
        )
        self._location_orders = orderings(
            self.locations.values, ID=lambda location: location.id, NAME=lambda location: location.name.casefold()
        )
        self.sales = Sales(self.journal)
        self.collections = Collections(self.journal, self.products.values, self._rule_facts)
        self.media = MediaLibrary(self.journal, self.touch)
        self.metafields = Metafields(self.journal, self.touch)

    @property
    def revision(self) -> int:
        """Grows with every change."""
        return self.journal.revision

    @property
    def events(self) -> list[Event]:
        return self.journal.events

    def orders(self, kind: str) -> Orderings[Any]:
        """The sort keys served for `kind` (products, variants, items, locations, events, orders, customers,
        collections) and their orderings."""
        found: Mapping[str, Orderings[Any]] = {
            "products": self._product_orders,
            "variants": self._variant_orders,
            "items": self._item_orders,
            "locations": self._location_orders,
            "events": self.journal.event_orders,
            "orders": self.sales.order_orders,
            "customers": self.sales.customer_orders,
            "counted_customers": self.sales.customer_orders,
            "collections": self.collections.orderings,
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
        return self.journal.find_event(number)

    def now(self) -> datetime:
        return self.journal.now()

    def next_id(self, kind: str) -> int:
        return self.journal.next_id(kind)

    # -- reading

    def variants_of(self, product: Product) -> list[Variant]:
        """None of a deleted product, which a bulk query may still hold."""
        variants = self.variants
        return [variants[number] for number in product.variant_ids if number in variants]

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
        added(self._location_orders, location)
        self.journal.revision += 1
        self.journal.tell("locations/create", location)
        return location

    def update_location(self, location: Location, **fields: Any) -> None:
        """Sets `fields` and bumps `updated_at`; `is_active` opens and closes it."""
        was_active = location.is_active
        self._write(self._location_orders, location, {**fields, "updated_at": self.now()})
        self.journal.tell("locations/update", location)
        if location.is_active is not was_active:
            self.journal.tell("locations/activate" if location.is_active else "locations/deactivate", location)

    def update_shop(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.shop, name, value)
        self.journal.revision += 1
        self.journal.tell("shop/update", self.shop)

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
        added(self._product_orders, product)
        self.collections.refresh(product)
        self.journal.revision += 1
        if log:
            self.journal.log("create", "PRODUCT", product.id, f"Product was created: {title}.")
            self.journal.tell("products/create", product)
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
        self.journal.tell("products/update", product)
        self.collections.refresh(product)

    def touch_product(self, product: Product) -> None:
        self.update_product(product)

    def find(self, kind: str, number: int) -> Any:
        """The Product, ProductVariant, Collection, Customer or Order of that number; None when there is none."""
        tables: dict[str, dict[int, Any]] = {
            "Product": self.products,
            "ProductVariant": self.variants,
            "Collection": self.collections.by_id,
            "Customer": self.sales.customers,
            "Order": self.sales.orders,
        }
        return tables[kind].get(number) if kind in tables else None

    def touch(self, kind: str, number: int) -> None:
        """Bumps `updated_at` of what `find` finds, as a new metafield does."""
        bump: dict[str, Callable[[Any], None]] = {
            "Product": self.touch_product,
            "ProductVariant": self.update_variant,
            "Collection": self.collections.update,
            "Customer": self.sales.update_customer,
            "Order": self.sales.update_order,
        }
        bump[kind](self.find(kind, number))

    def delete_collection(self, collection: Collection) -> None:
        self.metafields.forget("Collection", collection.id)
        self.collections.delete(collection)

    def delete_customer(self, customer: Customer) -> None:
        self.metafields.forget("Customer", customer.id)
        self.sales.delete_customer(customer)

    def delete_order(self, order: Order) -> None:
        self.metafields.forget("Order", order.id)
        self.sales.delete_order(order)

    def delete_product(self, product: Product) -> None:
        for number in product.variant_ids:
            self._drop_variant(self.variants[number])
        removed(self._product_orders, product)
        self.collections.forget(product.id)
        self.media.forget(product.id)
        self.metafields.forget("Product", product.id)
        del self.products[product.id]
        del self.product_by_handle[product.handle]
        self.journal.revision += 1
        self.journal.log("destroy", "PRODUCT", product.id, f"Product was deleted: {product.title}.")
        self.journal.tell("products/delete", product)

    # -- variants

    def add_variant(self, product: Product, new: NewVariant) -> Variant:
        moment = self.now()
        variant = self._insert_variant(product, new, moment, moment)
        self.touch_product(product)
        return variant

    def update_variant(self, variant: Variant, **fields: Any) -> None:
        """Sets `fields` (`option_values` renames the variant too) and bumps it and its product. A SKU is the inventory
        item's, so a new one bumps that too."""
        if "option_values" in fields:
            fields["title"] = variant_title(fields["option_values"])
        if fields.get("sku", variant.sku) != variant.sku:
            self._write_item(self.items[variant.item_id], {})
        self._write(self._variant_orders, variant, {**fields, "updated_at": self.now()})
        self.touch_product(self.products[variant.product_id])

    def delete_variant(self, variant: Variant) -> None:
        product = self.products[variant.product_id]
        product.variant_ids.remove(variant.id)
        self._drop_variant(variant)
        self.renumber(product)
        self.touch_product(product)
        if self.variant_events:
            self.journal.log("destroy", "PRODUCT_VARIANT", variant.id, f"Variant was deleted: {variant.title}.")

    def renumber(self, product: Product) -> None:
        """Positions 1, 2, 3 ... in the order of `variant_ids`."""
        for position, number in enumerate(product.variant_ids, start=1):
            self.variants[number].position = position

    # -- inventory

    def update_item(self, item: InventoryItem, **fields: Any) -> None:
        self._write_item(item, fields)
        variant = self.variants[item.variant_id]
        self._write(self._variant_orders, variant, {"updated_at": self.now()})
        self.touch_product(self.products[variant.product_id])

    def set_level(self, item_id: int, location_id: int, **quantities: int) -> InventoryLevel:
        """Sets `available`, `committed` or `incoming`; stocks the item at the location when it was not."""
        level = self.levels.get((item_id, location_id))
        moment = self.now()
        if level is None:
            level = self._stock(item_id, location_id, moment)
            self.journal.tell("inventory_levels/connect", level)
        for name, value in quantities.items():
            setattr(level, name, value)
        level.updated_at = moment
        self.journal.revision += 1
        self.journal.tell("inventory_levels/update", level)
        item = self.items[item_id]
        if item.tracked:
            self.touch_product(self.products[self.variants[item.variant_id].product_id])
        return level

    def remove_level(self, item_id: int, location_id: int) -> None:
        self.level_order(location_id).discard(self.levels[item_id, location_id])
        self.journal.tell("inventory_levels/disconnect", self.levels.pop((item_id, location_id)))
        self.levels_of_item[item_id].remove(location_id)
        del self.levels_at_location[location_id][item_id]
        self.journal.revision += 1

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
        added(self._variant_orders, variant)
        added(self._item_orders, item)
        self.journal.revision += 1
        self.journal.tell("inventory_items/create", item)
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
        self.journal.tell("inventory_items/delete", item)
        removed(self._item_orders, item)
        removed(self._variant_orders, variant)
        self.metafields.forget("ProductVariant", variant.id)
        del self.variants[variant.id]

    def _write_item(self, item: InventoryItem, fields: Mapping[str, Any]) -> None:
        self._write(self._item_orders, item, {**fields, "updated_at": self.now()})
        self.journal.tell("inventory_items/update", item)

    def _write(self, orders: Orderings[Any], entity: Any, fields: Mapping[str, Any]) -> None:
        rewrite(orders, entity, fields)
        self.journal.revision += 1

    def _rule_facts(self, product: Product) -> RuleFacts:
        variants = self.variants_of(product)
        weights = [str(self.items[variant.item_id].weight) for variant in variants]
        stocks = [sum(at.available for at in self.levels_of(variant.item_id)) for variant in variants]
        return RuleFacts.of(product, variants, weights=weights, stocks=stocks)
