"""Collections, media and metafields: what hangs on products and others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from syncline.sandbox.shopify.entities import Product, Variant

MEDIA_TYPES = {"IMAGE": "MediaImage", "VIDEO": "Video", "EXTERNAL_VIDEO": "ExternalVideo", "MODEL_3D": "Model3d"}
"""mediaContentType -> the type that implements the interface `Media`."""
OWNER_TYPES = {
    "Product": "PRODUCT",
    "ProductVariant": "PRODUCTVARIANT",
    "Collection": "COLLECTION",
    "Customer": "CUSTOMER",
    "Order": "ORDER",
}
"""Types that carry metafields here -> their `MetafieldOwnerType`."""


@dataclass(frozen=True, slots=True)
class Rule:
    column: str  # CollectionRuleColumn
    relation: str  # CollectionRuleRelation
    condition: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`disjunctive`: one rule is enough; else all must hold."""

    rules: tuple[Rule, ...]
    disjunctive: bool = False


@dataclass(slots=True)
class Collection:
    """Manual without `rules`, smart with them."""

    id: int
    title: str
    handle: str
    updated_at: datetime
    description_html: str = ""
    sort_order: str = "BEST_SELLING"  # CollectionSortOrder
    template_suffix: str | None = None
    seo_title: str | None = None
    seo_description: str | None = None
    rules: RuleSet | None = None


@dataclass(slots=True)
class Media:
    """A file that products show. One may be shown by several."""

    id: int
    content_type: str  # MediaContentType
    created_at: datetime
    updated_at: datetime
    url: str
    """Of the image, of the video's or model's source, or of the page that embeds it."""
    alt: str | None = None
    status: str = "READY"  # MediaStatus
    preview_url: str | None = None
    """None while nothing can be shown; for an image it is the image."""
    width: int | None = None
    height: int | None = None
    failure: str | None = None
    """Why there is nothing to show, a MediaErrorCode."""

    @property
    def type_name(self) -> str:
        return MEDIA_TYPES[self.content_type]


@dataclass(slots=True)
class Metafield:
    """`owner_type` is the owner's GraphQL type: Product, ProductVariant, Collection, Customer, Order."""

    id: int
    owner_type: str
    owner_id: int
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime

    @property
    def compare_digest(self) -> str:
        """Changes with the value; 64 hex digits, as Shopify's are."""
        return hashlib.sha256(f"{self.type}\0{self.value}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What the rules of smart collections look at, of one product. Amounts as text, weights in the unit of the item."""

    title: str
    type: str
    vendor: str
    tags: tuple[str, ...]
    prices: tuple[str, ...] = field(default=())
    compare_at_prices: tuple[str | None, ...] = field(default=())
    weights: tuple[str, ...] = field(default=())
    variant_titles: tuple[str, ...] = field(default=())
    stocks: tuple[int, ...] = field(default=())
    """Of each variant, over all locations."""

    @classmethod
    def of(
        cls, product: Product, variants: Sequence[Variant], *, weights: Sequence[str], stocks: Sequence[int]
    ) -> RuleFacts:
        """`weights` and `stocks` are those of the variants, in their order."""
        return cls(
            title=product.title,
            type=product.product_type,
            vendor=product.vendor,
            tags=tuple(product.tags),
            prices=tuple(variant.price for variant in variants),
            compare_at_prices=tuple(variant.compare_at_price for variant in variants),
            weights=tuple(weights),
            variant_titles=tuple(variant.title for variant in variants),
            stocks=tuple(stocks),
        )
