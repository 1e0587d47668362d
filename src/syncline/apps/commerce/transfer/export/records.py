"""What an export reads of the mirror: products whole, with their variants, stock and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncline.apps.commerce.fields import Value


@dataclass(slots=True)
class LevelRecord:
    """The stock of one variant at one location that is in use."""

    location_id: int
    location: str
    available: int | None
    on_hand: int | None
    committed: int | None
    incoming: int | None

    @property
    def unavailable(self) -> int | None:
        """Damaged, held back and the like: Shopify's on hand is what is available, committed and unavailable."""
        if self.on_hand is None or self.available is None or self.committed is None:
            return None
        return self.on_hand - self.available - self.committed


@dataclass(slots=True)
class VariantRecord:
    """`fields` are the catalogue's; `options` are its option values by position. The two customs fields are read for
    inventory tables only."""

    id: int
    item_id: int
    position: int
    options: tuple[str, ...]
    fields: Mapping[str, Value]
    hs_code: str | None = None
    country_of_origin: str | None = None
    levels: list[LevelRecord] = field(default_factory=list)
    metafields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ImageRecord:
    """A picture of a product. The mirror does not hold where in the order it stands."""

    id: int
    url: str
    alt: str | None


@dataclass(slots=True)
class ProductRecord:
    """`fields` are the catalogue's product fields; `options` are the names of its options,
    `metafields` the values of those that are exported, by the name of their field, as the store keeps them."""

    id: int
    options: tuple[str, ...]
    fields: Mapping[str, Value]
    is_gift_card: bool
    created_at: datetime | None
    updated_at: datetime | None
    published_at: datetime | None
    variants: list[VariantRecord] = field(default_factory=list)
    images: list[ImageRecord] = field(default_factory=list)
    metafields: dict[str, str] = field(default_factory=dict)
