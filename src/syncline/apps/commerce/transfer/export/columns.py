"""The columns of an exported table: Shopify's own for people, ours for programs, and those of the inventory CSV.

A column whose values the mirror does not hold is left out and not left empty: Shopify's own importer takes an empty
cell as "delete this". Names: the product template of 2025 and the inventory CSV, see `sheet_columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import partial

from syncline.apps.commerce.fields import FIELDS, Kind, Owner, decimal_text, fields_of
from syncline.apps.commerce.metafields import MetafieldName
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.transfer.cells import Cell
from syncline.apps.commerce.transfer.export.records import (
    ImageRecord,
    LevelRecord,
    ProductRecord,
    VariantRecord,
)
from syncline.apps.commerce.transfer.grams import GRAMS
from syncline.apps.commerce.transfer.metafield_columns import title_of
from syncline.apps.commerce.transfer.sheet_columns import KNOWN, Role, plain
from syncline.kernel.errors import FieldError, InvalidInput

_MILLIONTH = Decimal("0.000001")


class ColumnType(StrEnum):
    """What a typed file makes of a column."""

    TEXT = "text"
    MONEY = "money"
    DECIMAL = "decimal"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Spot:
    """What one row is about. A product with more images than variants has rows without a variant; `level` is only in
    rows of an inventory table."""

    product: ProductRecord
    variant: VariantRecord | None
    is_first: bool
    image: ImageRecord | None = None
    level: LevelRecord | None = None


@dataclass(frozen=True, slots=True)
class OutColumn:
    """`name` is our word for it. A column that `is_key` says which record a row is about and is always there. One that
    is `of_product` stands in a product's first row only, where a table is made for people."""

    title: str
    name: str
    type: ColumnType
    value: Callable[[Spot], Cell]
    is_key: bool = False
    of_product: bool = False


def _of_product(spot: Spot, name: str) -> Cell:
    return spot.product.fields[name]


def _of_variant(spot: Spot, name: str) -> Cell:
    return spot.variant.fields[name] if spot.variant is not None else None


def _tags(spot: Spot) -> Cell:
    return ", ".join(spot.product.fields["tags"])  # type: ignore[arg-type] # tags are a list


def _option_name(spot: Spot, place: int) -> Cell:
    names = spot.product.options
    return names[place] if place < len(names) and spot.is_first else None


def _any_option_name(spot: Spot, place: int) -> Cell:
    names = spot.product.options
    return names[place] if place < len(names) else None


def _option_value(spot: Spot, place: int) -> Cell:
    options = spot.variant.options if spot.variant is not None else ()
    return options[place] if place < len(options) else None


def _grams(spot: Spot) -> Cell:
    """With six digits, as Shopify's own export has them; reading them back knows what they were rounded from."""
    if spot.variant is None:
        return None
    weight, unit = spot.variant.fields["weight"], spot.variant.fields["weight_unit"]
    if weight is None:
        return None
    return decimal_text((Decimal(str(weight)) * GRAMS[str(unit or "grams")]).quantize(_MILLIONTH, ROUND_HALF_UP))


_UNITS = {"grams": "g", "kilograms": "kg", "ounces": "oz", "pounds": "lb"}


def _unit(spot: Spot) -> Cell:
    return _UNITS.get(str(_of_variant(spot, "weight_unit")))


def _tracker(spot: Spot) -> Cell:
    """Who counts the stock; the mirror knows whether Shopify does."""
    return "shopify" if _of_variant(spot, "tracked") else None


def _policy(spot: Spot) -> Cell:
    return str(_of_variant(spot, "inventory_policy")).upper() if spot.variant is not None else None


def _only_available(spot: Spot) -> Cell:
    """For stores with one location; with several a variant has several quantities."""
    levels = spot.variant.levels if spot.variant is not None else []
    return levels[0].available if levels else None


def _published(spot: Spot) -> Cell:
    return spot.product.published_at is not None


def _key(title: str, name: str, value: Callable[[Spot], Cell]) -> OutColumn:
    return OutColumn(title, name, ColumnType.TEXT, value, is_key=True)


def _options(names: Callable[..., Cell], *, small: bool) -> list[OutColumn]:
    """`Option1 name` in the product template, `Option1 Name` in the inventory CSV."""
    made = []
    for place in range(3):
        name, value = ("name", "value") if small else ("Name", "Value")
        made.append(_key(f"Option{place + 1} {name}", f"option{place + 1}_name", partial(names, place=place)))
        made.append(_key(f"Option{place + 1} {value}", f"option{place + 1}_value", partial(_option_value, place=place)))
    return made


def _shown(title: str, name: str, kind: ColumnType | None = None) -> OutColumn:
    """A field of the catalogue under Shopify's title."""
    field = FIELDS[name]
    is_product = field.owner is Owner.PRODUCT
    read = partial(_of_product if is_product else _of_variant, name=name)
    return OutColumn(title, name, kind or _TYPES[field.kind], read, of_product=is_product)


_TYPES = {
    Kind.TEXT: ColumnType.TEXT,
    Kind.HTML: ColumnType.TEXT,
    Kind.CHOICE: ColumnType.TEXT,
    Kind.MONEY: ColumnType.MONEY,
    Kind.DECIMAL: ColumnType.DECIMAL,
    Kind.INTEGER: ColumnType.INTEGER,
    Kind.BOOLEAN: ColumnType.BOOLEAN,
    Kind.TAGS: ColumnType.TEXTS,
}
_HANDLE = partial(_of_product, name="handle")
_QUANTITY = OutColumn("Inventory quantity", "available", ColumnType.INTEGER, _only_available)

SHOPIFY_COLUMNS: Sequence[OutColumn] = (
    _shown("Title", "title"),
    _key("URL handle", "handle", _HANDLE),
    _shown("Description", "description_html"),
    _shown("Vendor", "vendor"),
    _shown("Type", "product_type"),
    OutColumn("Tags", "tags", ColumnType.TEXT, _tags, of_product=True),
    OutColumn("Published on online store", "published", ColumnType.BOOLEAN, _published, of_product=True),
    _shown("Status", "status"),
    _shown("SKU", "sku"),
    _shown("Barcode", "barcode"),
    *_options(_option_name, small=True),
    _shown("Price", "price"),
    _shown("Compare-at price", "compare_at_price"),
    _shown("Cost per item", "cost"),
    _shown("Charge tax", "taxable"),
    OutColumn("Inventory tracker", "tracked", ColumnType.TEXT, _tracker),
    _QUANTITY,
    OutColumn("Continue selling when out of stock", "inventory_policy", ColumnType.TEXT, _policy),
    OutColumn("Weight value (grams)", "grams", ColumnType.DECIMAL, _grams),
    OutColumn("Weight unit for display", "weight_unit", ColumnType.TEXT, _unit),
    _shown("Requires shipping", "requires_shipping"),
    OutColumn("Product image URL", "image_url", ColumnType.TEXT, lambda spot: spot.image.url if spot.image else None),
    OutColumn("Image alt text", "image_alt", ColumnType.TEXT, lambda spot: spot.image.alt if spot.image else None),
    OutColumn("Gift card", "is_gift_card", ColumnType.BOOLEAN, lambda spot: spot.product.is_gift_card, of_product=True),
    _shown("SEO title", "seo_title"),
    _shown("SEO description", "seo_description"),
)


def _fact(name: str, kind: ColumnType, value: Callable[[Spot], Cell]) -> OutColumn:
    return OutColumn(name, name, kind, value)


OUR_COLUMNS: Sequence[OutColumn] = (
    _fact("product_id", ColumnType.INTEGER, lambda spot: spot.product.id),
    _fact("variant_id", ColumnType.INTEGER, lambda spot: spot.variant.id if spot.variant else None),
    _fact("inventory_item_id", ColumnType.INTEGER, lambda spot: spot.variant.item_id if spot.variant else None),
    _key("handle", "handle", _HANDLE),
    *(_shown(field.name, field.name) for field in fields_of(Owner.PRODUCT) if field.name != "handle"),
    _fact("is_gift_card", ColumnType.BOOLEAN, lambda spot: spot.product.is_gift_card),
    _fact("created_at", ColumnType.MOMENT, lambda spot: spot.product.created_at),
    _fact("updated_at", ColumnType.MOMENT, lambda spot: spot.product.updated_at),
    _fact("published_at", ColumnType.MOMENT, lambda spot: spot.product.published_at),
    _fact("position", ColumnType.INTEGER, lambda spot: spot.variant.position if spot.variant else None),
    *(
        OutColumn(one.name, one.name, one.type, one.value, is_key=True)
        for one in _options(_any_option_name, small=True)
    ),
    *(_shown(field.name, field.name) for field in fields_of(Owner.VARIANT)),
    OutColumn("available", "available", ColumnType.INTEGER, _only_available),
    _fact("images", ColumnType.TEXTS, lambda spot: [image.url for image in spot.product.images]),
)


def _origin(spot: Spot) -> Cell:
    return spot.variant.country_of_origin if spot.variant is not None else None


def _stock(title: str, name: str) -> OutColumn:
    return OutColumn(title, name, ColumnType.INTEGER, lambda spot: getattr(spot.level, name))


INVENTORY_COLUMNS: Sequence[OutColumn] = (
    _key("Handle", "handle", _HANDLE),
    OutColumn("Title", "title", ColumnType.TEXT, partial(_of_product, name="title")),
    *_options(_any_option_name, small=False),
    _shown("SKU", "sku"),
    OutColumn("HS Code", "hs_code", ColumnType.TEXT, lambda spot: spot.variant.hs_code if spot.variant else None),
    OutColumn("COO", "country_of_origin", ColumnType.TEXT, _origin),
    _key("Location", "location", lambda spot: spot.level.location if spot.level else None),
    _stock("Incoming", "incoming"),
    _stock("Unavailable", "unavailable"),
    _stock("Committed", "committed"),
    _stock("Available", "available"),
    _stock("On hand", "on_hand"),
)


def metafield_columns(names: Iterable[MetafieldName]) -> list[OutColumn]:
    """One for each, as text whatever its type: the store keeps it so."""
    return [
        OutColumn(
            title_of(name),
            name.field,
            ColumnType.TEXT,
            partial(
                _of_variants_metafields if name.owner == Owner.VARIANT else _of_products_metafields, name=name.field
            ),
            of_product=name.owner == Owner.PRODUCT,
        )
        for name in names
    ]


def _of_products_metafields(spot: Spot, name: str) -> Cell:
    return spot.product.metafields.get(name)


def _of_variants_metafields(spot: Spot, name: str) -> Cell:
    return spot.variant.metafields.get(name) if spot.variant is not None else None


IMAGES = frozenset({"image_url", "image_alt", "images"})
"""What is left out when the store's media were never read."""
CUSTOMS = frozenset({"hs_code", "country_of_origin"})
"""What is left out when the store's inventory items were never read."""


def chosen(columns: Sequence[OutColumn], wanted: Sequence[str]) -> Sequence[OutColumn]:
    """The columns named in `wanted`, by any of their titles, and the keys; all, when none is named. Raises
    `InvalidInput` naming those there are."""
    if not wanted:
        return columns
    found = {_find(columns, word) for word in wanted}
    return [column for column in columns if column.is_key or column.name in found]


def _find(columns: Sequence[OutColumn], word: str) -> str:
    asked = plain(word)
    role, target = KNOWN.get(asked, (Role.UNKNOWN, ""))
    for column in columns:
        is_it = asked in {plain(column.title), plain(column.name)}
        if is_it or (role is Role.FIELD and target == column.name) or (role is Role.GRAMS and column.name == "grams"):
            return column.name
    titles = [column.title for column in columns]
    sentence = f"There is no column {word.strip()!r} here.{did_you_mean(word, titles)} Use {join_or(titles)}."
    raise InvalidInput(sentence, fields=[FieldError("columns", sentence)])
