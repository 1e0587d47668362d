"""What a shop consists of. Plain records; only `state.Store` changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True)
class Shop:
    id: int = 548_380_009
    name: str = "Sandbox Supply"
    domain: str = "sandbox-supply.myshopify.com"
    currency: str = "USD"
    plan: str = "Basic"
    email: str = "owner@sandbox-supply.example"


@dataclass(slots=True)
class ProductOption:
    id: int
    name: str
    position: int
    values: list[str]


@dataclass(slots=True)
class Product:
    id: int
    title: str
    handle: str
    created_at: datetime
    updated_at: datetime
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: str = "ACTIVE"  # ACTIVE | ARCHIVED | DRAFT
    tags: list[str] = field(default_factory=list)  # sorted without regard to case, no duplicates
    published_at: datetime | None = None
    template_suffix: str | None = None
    seo_title: str | None = None
    seo_description: str | None = None
    is_gift_card: bool = False
    options: list[ProductOption] = field(default_factory=list)
    variant_ids: list[int] = field(default_factory=list)  # in the order of position


@dataclass(slots=True)
class Variant:
    id: int
    product_id: int
    item_id: int
    title: str
    created_at: datetime
    updated_at: datetime
    price: str = "0.00"
    sku: str | None = None
    barcode: str | None = None
    compare_at_price: str | None = None
    position: int = 1
    taxable: bool = True
    inventory_policy: str = "DENY"  # DENY | CONTINUE
    option_values: list[str] = field(default_factory=list)  # one per option of the product, in its order


@dataclass(slots=True)
class InventoryItem:
    id: int
    variant_id: int
    created_at: datetime
    updated_at: datetime
    tracked: bool = True
    requires_shipping: bool = True
    unit_cost: str | None = None
    weight: Decimal = Decimal(0)
    weight_unit: str = "KILOGRAMS"  # GRAMS | KILOGRAMS | OUNCES | POUNDS
    country_code_of_origin: str | None = None
    province_code_of_origin: str | None = None
    harmonized_system_code: str | None = None


@dataclass(slots=True)
class InventoryLevel:
    """Stock of one item at one location. `id` alone is not unique: a level's global id is
    `gid://shopify/InventoryLevel/<id>?inventory_item_id=<item>`, and all levels of a location share the number."""

    id: int
    item_id: int
    location_id: int
    created_at: datetime
    updated_at: datetime
    available: int = 0
    committed: int = 0
    incoming: int = 0

    @property
    def on_hand(self) -> int:
        return self.available + self.committed


@dataclass(slots=True)
class Location:
    id: int
    name: str
    level_number: int
    created_at: datetime
    updated_at: datetime
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the shop's event log."""

    id: int
    action: str  # create | update | destroy
    subject_type: str  # PRODUCT | PRODUCT_VARIANT | COLLECTION | CUSTOMER | ORDER, of the schema's EventSubjectType
    subject_id: int
    created_at: datetime
    message: str = ""


@dataclass(slots=True)
class NewVariant:
    """What a variant is made from. `quantities` maps a location's id to what is available there."""

    option_values: list[str] = field(default_factory=list)
    price: str = "0.00"
    sku: str | None = None
    barcode: str | None = None
    compare_at_price: str | None = None
    taxable: bool = True
    inventory_policy: str = "DENY"
    tracked: bool = True
    requires_shipping: bool = True
    unit_cost: str | None = None
    weight: Decimal = Decimal(0)
    weight_unit: str = "KILOGRAMS"
    quantities: Mapping[int, int] = field(default_factory=dict)


def variant_title(option_values: Sequence[str]) -> str:
    """`S / Red`, as Shopify builds a variant's title."""
    return " / ".join(option_values)
