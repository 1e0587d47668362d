"""Shopify's records as they come in a line of a bulk file, with Shopify's names.

A child is a line of its own whose `__parentId` names its parent. Times are left as Shopify writes them, ISO 8601 in UTC
and whole seconds, so that they compare and load as text.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from syncline.connectors.shopify import ids
from syncline.kernel.errors import Skippable


class Record(msgspec.Struct, frozen=True, gc=False):
    """`gc=False`: decoded by the hundred thousand and never in a cycle."""


class Seo(Record, frozen=True, gc=False):
    title: str | None = None
    description: str | None = None


class ProductOption(Record, frozen=True, gc=False):
    id: str
    name: str
    position: int
    values: list[str]


class Count(Record, frozen=True, gc=False):
    count: int


class ProductNode(Record, frozen=True, gc=False):
    id: str
    title: str
    handle: str
    descriptionHtml: str
    vendor: str
    productType: str
    status: str
    tags: list[str]
    createdAt: str
    updatedAt: str
    publishedAt: str | None
    templateSuffix: str | None
    isGiftCard: bool
    seo: Seo
    options: list[ProductOption]
    variantsCount: Count | None

    @property
    def number(self) -> int:
        return ids.number_of(self.id)


class SelectedOption(Record, frozen=True, gc=False):
    name: str
    value: str


class UnitCost(Record, frozen=True, gc=False):
    amount: str


class Weight(Record, frozen=True, gc=False):
    value: float
    unit: str


class Measurement(Record, frozen=True, gc=False):
    weight: Weight | None = None


class InventoryItem(Record, frozen=True, gc=False):
    id: str
    tracked: bool
    requiresShipping: bool
    unitCost: UnitCost | None
    measurement: Measurement

    @property
    def number(self) -> int:
        return ids.number_of(self.id)


class VariantNode(Record, frozen=True, gc=False):
    id: str
    title: str
    sku: str | None
    barcode: str | None
    price: str
    compareAtPrice: str | None
    position: int
    taxable: bool
    inventoryPolicy: str
    selectedOptions: list[SelectedOption]
    createdAt: str
    updatedAt: str
    inventoryItem: InventoryItem
    parent_id: str = msgspec.field(name="__parentId")

    @property
    def number(self) -> int:
        return ids.number_of(self.id)

    @property
    def product_number(self) -> int:
        return ids.number_of(self.parent_id)


class LocationNode(Record, frozen=True, gc=False):
    id: str
    name: str
    isActive: bool

    @property
    def number(self) -> int:
        return ids.number_of(self.id)


class ItemRef(Record, frozen=True, gc=False):
    id: str


class Quantity(Record, frozen=True, gc=False):
    name: str
    quantity: int


class InventoryLevelNode(Record, frozen=True, gc=False):
    """A level's own id is not stable over deactivation; its key is (item, location)."""

    id: str
    updatedAt: str
    item: ItemRef
    quantities: list[Quantity]
    parent_id: str = msgspec.field(name="__parentId")

    @property
    def item_number(self) -> int:
        return ids.number_of(self.item.id)

    @property
    def location_number(self) -> int:
        return ids.number_of(self.parent_id)

    def quantity(self, name: str) -> int | None:
        return next((q.quantity for q in self.quantities if q.name == name), None)


Node: TypeAlias = ProductNode | VariantNode | LocationNode | InventoryLevelNode

_PREFIX: Final = b'{"id":"gid://shopify/'
_KINDS: Final[dict[bytes, str]] = {
    b"Product": "product",
    b"ProductVariant": "variant",
    b"Location": "location",
    b"InventoryLevel": "inventory_level",
}
_TYPES: Final[dict[str, type[Node]]] = {
    "product": ProductNode,
    "variant": VariantNode,
    "location": LocationNode,
    "inventory_level": InventoryLevelNode,
}
_DECODERS: Final = {kind: msgspec.json.Decoder(type_) for kind, type_ in _TYPES.items()}


class _IdOnly(Record, frozen=True, gc=False):
    id: str


_ID: Final = msgspec.json.Decoder(_IdOnly)


def kind_of(line: bytes) -> str:
    """`product`, `variant`, `location` or `inventory_level`. Raises `Skippable` for anything else."""
    if line.startswith(_PREFIX):
        found = _KINDS.get(line[len(_PREFIX) : line.find(b"/", len(_PREFIX))])
    else:
        # Our queries ask for `id` first and Shopify keeps the order; a line that does not is read, not guessed at.
        try:
            found = _KINDS.get(ids.type_of(_ID.decode(line).id).encode())
        except (msgspec.DecodeError, ValueError) as error:
            raise _unreadable(line, str(error)) from error
    if found is None:
        raise _unreadable(line, "not a kind this connector reads")
    return found


def decode(line: bytes, kind: str | None = None) -> Node:
    """The record of a line. Raises `Skippable` with the start of the line when it is not what Shopify promises."""
    try:
        return _DECODERS[kind or kind_of(line)].decode(line)
    except msgspec.DecodeError as error:
        raise _unreadable(line, str(error)) from error


def _unreadable(line: bytes, why: str) -> Skippable:
    start = line[:120].decode("utf-8", "replace")
    return Skippable("A record came from Shopify in a form Syncline cannot read.", detail=f"{why}: {start}")
