"""Products, stock, collections, media and metafields as they come in a line of a bulk file, with Shopify's names.

A child is a line of its own whose `__parentId` names its parent. Times are left as Shopify writes them, ISO 8601 in UTC
and whole seconds, so that they compare and load as text.
"""

from __future__ import annotations

import msgspec

from syncline.connectors.shopify import ids


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


class Money(Record, frozen=True, gc=False):
    amount: str
    currencyCode: str


class InventoryItemNode(Record, frozen=True, gc=False):
    id: str
    sku: str | None
    tracked: bool
    requiresShipping: bool
    countryCodeOfOrigin: str | None
    provinceCodeOfOrigin: str | None
    harmonizedSystemCode: str | None
    unitCost: Money | None
    measurement: Measurement
    createdAt: str
    updatedAt: str


class Rule(Record, frozen=True, gc=False):
    column: str
    relation: str
    condition: str


class RuleSet(Record, frozen=True, gc=False):
    appliedDisjunctively: bool
    rules: list[Rule]


class PreciseCount(Record, frozen=True, gc=False):
    count: int
    precision: str


class CollectionNode(Record, frozen=True, gc=False):
    """`ruleSet` is None for a collection that is filled by hand."""

    id: str
    title: str
    handle: str
    descriptionHtml: str
    sortOrder: str
    templateSuffix: str | None
    updatedAt: str
    seo: Seo
    productsCount: PreciseCount | None
    ruleSet: RuleSet | None


class MembershipNode(Record, frozen=True, gc=False):
    """A product below a collection: `id` is the product's."""

    id: str
    parent_id: str = msgspec.field(name="__parentId")


class Image(Record, frozen=True, gc=False):
    url: str
    width: int | None = None
    height: int | None = None


class Preview(Record, frozen=True, gc=False):
    image: Image | None = None


class MediaNode(Record, frozen=True, gc=False):
    """`image` comes with images only, and is None until Shopify has processed the file."""

    id: str
    alt: str | None
    mediaContentType: str
    status: str
    preview: Preview | None
    parent_id: str = msgspec.field(name="__parentId")
    image: Image | None = None


class MetafieldNode(Record, frozen=True, gc=False):
    """`compareDigest` names the value: a write may demand that it is still this one."""

    id: str
    namespace: str
    key: str
    type: str
    value: str
    compareDigest: str
    createdAt: str
    updatedAt: str
    parent_id: str = msgspec.field(name="__parentId")
