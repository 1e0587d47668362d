"""The kinds of record the mirror keeps: where each lies, what its key is, and how Shopify's words become ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString, TypeAlias

import msgspec
import xxhash
from sqlalchemy import Table

from syncline.apps.commerce.mirror.models import inventory_level, location, product, variant
from syncline.connectors.shopify.records import InventoryLevelNode, LocationNode, ProductNode, VariantNode

Content = tuple[Any, ...]

_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


KeyFrom: TypeAlias = Literal["own", "parent_own", "item_parent"]
"""Which numbers of a line make its key: its own; its parent's and its own; its item's and its parent's."""


@dataclass(frozen=True, slots=True)
class Part:
    """A list inside a record's own line, kept in a table of its own and replaced whenever its record is written.
    `columns` begin with the record's key and the part's own id; `rows` gives them of a decoded record."""

    name: str
    table: Table
    columns: tuple[str, ...]
    rows: Callable[[Any], Iterable[Content]]


@dataclass(frozen=True, slots=True)
class Parent:
    """The record that a child hangs on: gone with it, and read whole with it. `seen_as` is the kind of line a run sees
    it by, when that is another than its own; `only` limits it to some of the children."""

    kind: str
    column: str
    seen_as: str | None = None
    only: LiteralString | None = None
    counted_in: str | None = None
    """The column in which the parent says how many children it has."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. `columns` are what `content` gives, in its order, key columns first."""

    name: str
    stream: str
    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    content: Callable[[Any], Content]
    version: Callable[[Any], datetime | None]
    key_from: KeyFrom = "own"
    parts: tuple[Part, ...] = ()
    parents: tuple[Parent, ...] = ()

    @property
    def relation(self) -> str:
        return f"commerce.{self.table.name}"


def content_hash(content: Content) -> int:
    """64 bits over all that is kept of a record, signed as PostgreSQL's bigint is. Amounts count by their value: a shop
    answers 2.0 where 2 was written."""
    plain = [value.normalize() if type(value) is Decimal else value for value in content]
    return signed64(xxhash.xxh3_64_intdigest(_pack(plain)))


_sorted_json = msgspec.json.Encoder(order="sorted").encode


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def signed64(unsigned: int) -> int:
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _product(node: ProductNode) -> Content:
    return (
        node.number,
        node.handle,
        node.title,
        node.descriptionHtml,
        node.vendor,
        node.productType,
        node.status.lower(),
        list(node.tags),
        node.templateSuffix,
        node.seo.title,
        node.seo.description,
        node.isGiftCard,
        _sorted_json([{"name": option.name, "values": option.values} for option in node.options]),
        node.variantsCount.count if node.variantsCount is not None else None,
        _moment(node.createdAt),
        _moment(node.publishedAt),
    )


def _variant(node: VariantNode) -> Content:
    item = node.inventoryItem
    weight = item.measurement.weight
    return (
        node.number,
        node.product_number,
        node.title,
        node.sku,
        node.barcode,
        Decimal(node.price),
        _decimal(node.compareAtPrice),
        node.position,
        node.taxable,
        node.inventoryPolicy.lower(),
        _sorted_json(node.selectedOptions),
        item.number,
        item.tracked,
        item.requiresShipping,
        _decimal(item.unitCost.amount) if item.unitCost is not None else None,
        Decimal(str(weight.value)) if weight is not None else None,
        weight.unit.lower() if weight is not None else None,
        _moment(node.createdAt),
    )


def _location(node: LocationNode) -> Content:
    return (node.number, node.name, node.isActive)


def _level(node: InventoryLevelNode) -> Content:
    quantities = {entry.name: entry.quantity for entry in node.quantities}
    return (
        node.item_number,
        node.location_number,
        quantities.get("available"),
        quantities.get("on_hand"),
        quantities.get("committed"),
        quantities.get("incoming"),
    )


def _updated_at(node: ProductNode | VariantNode | InventoryLevelNode) -> datetime | None:
    return _moment(node.updatedAt)


PRODUCT = Kind(
    name="product",
    stream="products",
    table=product,
    key=("id",),
    columns=(
        *("id", "handle", "title", "description_html", "vendor", "product_type", "status", "tags", "template_suffix"),
        *("seo_title", "seo_description", "is_gift_card", "options", "variants_count", "created_at", "published_at"),
    ),
    content=_product,
    version=_updated_at,
)
VARIANT = Kind(
    name="variant",
    stream="products",
    table=variant,
    key=("id",),
    columns=(
        *("id", "product_id", "title", "sku", "barcode", "price", "compare_at_price", "position", "taxable"),
        *("inventory_policy", "selected_options", "inventory_item_id", "tracked", "requires_shipping", "cost"),
        *("weight", "weight_unit", "created_at"),
    ),
    content=_variant,
    version=_updated_at,
)
LOCATION = Kind(
    name="location",
    stream="inventory",
    table=location,
    key=("id",),
    columns=("id", "name", "is_active"),
    content=_location,
    version=lambda _: None,
)
INVENTORY_LEVEL = Kind(
    name="inventory_level",
    stream="inventory",
    table=inventory_level,
    key=("inventory_item_id", "location_id"),
    columns=("inventory_item_id", "location_id", "available", "on_hand", "committed", "incoming"),
    content=_level,
    version=_updated_at,
    key_from="item_parent",
)


def content_of_row(kind: Kind, row: Mapping[str, Any]) -> Content:
    """What `Kind.content` gives, from a row of the mirror: equal content, equal hash."""
    values = (row[name] for name in kind.columns)
    return tuple(
        _sorted_json(value) if name in _JSON_COLUMNS else value
        for name, value in zip(kind.columns, values, strict=True)
    )


_JSON_COLUMNS = frozenset({"options", "selected_options"})
KINDS = {kind.name: kind for kind in (PRODUCT, VARIANT, LOCATION, INVENTORY_LEVEL)}


def kinds_of(stream: str) -> list[Kind]:
    return [kind for kind in KINDS.values() if kind.stream == stream]
