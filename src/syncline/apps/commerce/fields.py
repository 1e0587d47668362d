"""Every field of a product, a variant and an inventory level that can be mirrored, compared, imported and pushed.

This table is the one place that says what a field is called by us, whose it is and what its values look like. Values
are JSON-safe everywhere in this app (staged changes, receipts, sheets):

| kind     | value                                                                                             |
|----------|---------------------------------------------------------------------------------------------------|
| text     | string                                                                                            |
| html     | string                                                                                            |
| money    | exact decimal string with the currency's minor digits: `"12.50"` in USD, `"1250"` in JPY            |
| decimal  | exact decimal string without idle zeros: `"0.6"`                                                   |
| integer  | integer                                                                                           |
| boolean  | true or false                                                                                     |
| choice   | one of `choices`, our lower-case word for Shopify's enum value                                      |
| tags     | list of strings in the store's order; two lists with the same members are the same value             |
| metafield | object with type and value, see `metafields`; null where the owner has none                        |
| medium   | object with url and alt, see `gallery`; null where the product does not show it                     |
| order    | list of ids of media; two lists say the same when what both name stands in the same order             |
| product  | object with all of a product, see `whole_product`; null where there is none                          |

A nullable field may also be null. Null and the empty text are two values where Shopify keeps them apart (`sku`,
`barcode`) and one where it does not (`blank_is_null`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any

from syncline.apps.commerce.gallery import Medium, same_medium, same_order
from syncline.apps.commerce.metafields import Metafield, find_name, same_metafield
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.whole_product import FIELD as WHOLE
from syncline.apps.commerce.whole_product import WholeProduct, same_product
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.money import minor_digits

Value = str | int | bool | list[str] | None
"""Of a field of the table below."""

AnyValue = Value | Metafield | Medium | WholeProduct
"""Of any field, metafields, media and whole products too."""


class Owner(StrEnum):
    """The record a field belongs to, and what is staged, sent and settled as one: the staged changes' `kind`. The words
    are those of the mirror's kinds; a metafield is named by the record that has it, for it need not exist yet."""

    PRODUCT = "product"
    VARIANT = "variant"
    INVENTORY_LEVEL = "inventory_level"
    PRODUCT_METAFIELD = "product_metafield"
    VARIANT_METAFIELD = "variant_metafield"
    COLLECTION = "collection"
    COLLECTION_MEMBERSHIP = "collection_membership"
    PRODUCT_MEDIA = "product_media"
    PRODUCT_IMAGE = "product_image"
    PRODUCT_GALLERY = "product_gallery"
    WHOLE_PRODUCT = "whole_product"

    @property
    def is_metafield(self) -> bool:
        return self in {Owner.PRODUCT_METAFIELD, Owner.VARIANT_METAFIELD}


class Kind(StrEnum):
    TEXT = "text"
    HTML = "html"
    MONEY = "money"
    DECIMAL = "decimal"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    TAGS = "tags"
    METAFIELD = "metafield"
    MEDIUM = "medium"
    ORDER = "order"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the catalogue. `label` is what screens and sentences call it; `max_length` is Shopify's limit in
    characters (of one tag, for tags). `stored_as` is the mirror's column, when that is not the name."""

    name: str
    owner: Owner
    kind: Kind
    label: str
    editable: bool = True
    nullable: bool = False
    required: bool = False
    blank_is_null: bool = False
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    stored_as: str | None = None

    @property
    def column(self) -> str:
        return self.stored_as or self.name


_P, _V, _L = Owner.PRODUCT, Owner.VARIANT, Owner.INVENTORY_LEVEL

CATALOGUE: tuple[Field, ...] = (
    Field("title", _P, Kind.TEXT, "title", required=True, max_length=255),
    # A sheet finds products by their handle and shop links carry it, so it is shown and compared but not edited.
    Field("handle", _P, Kind.TEXT, "handle", editable=False, required=True, max_length=255),
    Field("description_html", _P, Kind.HTML, "description"),
    Field("vendor", _P, Kind.TEXT, "vendor", max_length=255),
    Field("product_type", _P, Kind.TEXT, "product type", max_length=255),
    Field("status", _P, Kind.CHOICE, "status", choices=("active", "draft", "archived", "unlisted")),
    Field("tags", _P, Kind.TAGS, "tags", max_length=255),
    Field("template_suffix", _P, Kind.TEXT, "theme template", nullable=True, blank_is_null=True),
    Field("seo_title", _P, Kind.TEXT, "SEO title", nullable=True, blank_is_null=True),
    Field("seo_description", _P, Kind.TEXT, "SEO description", nullable=True, blank_is_null=True),
    Field("price", _V, Kind.MONEY, "price"),
    Field("compare_at_price", _V, Kind.MONEY, "compare-at price", nullable=True),
    Field("sku", _V, Kind.TEXT, "SKU", nullable=True, max_length=255),
    Field("barcode", _V, Kind.TEXT, "barcode", nullable=True, max_length=255),
    Field("taxable", _V, Kind.BOOLEAN, "taxable"),
    Field("inventory_policy", _V, Kind.CHOICE, "inventory policy", choices=("deny", "continue")),
    Field("cost", _V, Kind.MONEY, "cost per item", nullable=True),
    Field("weight", _V, Kind.DECIMAL, "weight", nullable=True),
    Field(
        *("weight_unit", _V, Kind.CHOICE, "weight unit"),
        nullable=True,
        choices=("grams", "kilograms", "ounces", "pounds"),
    ),
    Field("requires_shipping", _V, Kind.BOOLEAN, "requires shipping"),
    Field("tracked", _V, Kind.BOOLEAN, "inventory tracked"),
    Field("available", _L, Kind.INTEGER, "available quantity", nullable=True),
)

_C, _M = Owner.COLLECTION, Owner.COLLECTION_MEMBERSHIP
_SORT_ORDERS = (
    *("alpha_asc", "alpha_desc", "best_selling", "created", "created_desc", "manual", "most_relevant"),
    *("price_asc", "price_desc"),
)

BESIDES: tuple[Field, ...] = (
    Field("collection_title", _C, Kind.TEXT, "collection title", required=True, max_length=255, stored_as="title"),
    Field("collection_handle", _C, Kind.TEXT, "collection handle", required=True, max_length=255, stored_as="handle"),
    Field("collection_description", _C, Kind.HTML, "collection description", stored_as="description_html"),
    Field(
        *("collection_sort_order", _C, Kind.CHOICE, "collection's order"),
        choices=_SORT_ORDERS,
        stored_as="sort_order",
    ),
    Field(
        *("collection_seo_title", _C, Kind.TEXT, "collection's SEO title"),
        nullable=True,
        blank_is_null=True,
        stored_as="seo_title",
    ),
    Field(
        *("collection_seo_description", _C, Kind.TEXT, "collection's SEO description"),
        nullable=True,
        blank_is_null=True,
        stored_as="seo_description",
    ),
    Field(
        *("image_alt", Owner.PRODUCT_MEDIA, Kind.TEXT, "image's alt text"),
        nullable=True,
        blank_is_null=True,
        max_length=512,
        stored_as="alt",
    ),
    # Of one product and one medium: what it shows. Of a product: the order it shows all of them in.
    Field("images", Owner.PRODUCT_IMAGE, Kind.MEDIUM, "image", nullable=True),
    Field("image_order", Owner.PRODUCT_GALLERY, Kind.ORDER, "order of the images"),
    # Of one product and one collection: whether it is in it.
    Field("collections", _M, Kind.BOOLEAN, "in the collection"),
    # All of a product as one value, to make and to delete it.
    Field(WHOLE, Owner.WHOLE_PRODUCT, Kind.PRODUCT, "whole product", editable=False, nullable=True),
)
"""What can be changed but is no column of a sheet of products."""

FIELDS: Mapping[str, Field] = {field.name: field for field in (*CATALOGUE, *BESIDES)}

MAX_TAGS = 250
"""Shopify's limit for one product."""

# The other words people use for a field; never stored.
ALIASES: Mapping[str, str] = {
    "inventory": "available",
    "quantity": "available",
    "stock": "available",
    "type": "product_type",
    "description": "description_html",
    "body": "description_html",
    "tag": "tags",
    "compare_at": "compare_at_price",
    "alt": "image_alt",
    "image": "images",
    "media": "images",
    "media_order": "image_order",
}


_METAFIELD_OWNERS = {"product": Owner.PRODUCT_METAFIELD, "variant": Owner.VARIANT_METAFIELD}


@cache
def find_field(name: str) -> Field | None:
    """The field of exactly this name: one of the table's, or a metafield."""
    known = FIELDS.get(name)
    metafield = find_name(name) if known is None else None
    if metafield is None:
        return known
    owner = _METAFIELD_OWNERS[metafield.owner]
    label = f"metafield {metafield.dotted}" + (" of the variant" if owner is Owner.VARIANT_METAFIELD else "")
    return Field(metafield.field, owner, Kind.METAFIELD, label, nullable=True)


def get_field(name: str) -> Field:
    """Raises `KeyError` for a name that no field has."""
    field = find_field(name)
    if field is None:
        raise KeyError(name)
    return field


@cache
def fields_of(owner: Owner) -> tuple[Field, ...]:
    """The fields of one kind of record, in the catalogue's order."""
    return tuple(field for field in FIELDS.values() if field.owner is owner)


def get_editable(name: str) -> Field:
    """The field called `name` or by one of its other words. Raises `InvalidInput` naming the nearest and all of
    them."""
    wanted = name.strip().lower().replace("-", "_")
    field = FIELDS.get(ALIASES.get(wanted, wanted)) or find_field(name.strip())
    if field is None:
        names = [known.name for known in FIELDS.values() if known.editable]
        sentence = (
            f"There is no field {name.strip()!r}.{did_you_mean(wanted, [*FIELDS, *ALIASES])} Use "
            f"{join_or([*names, 'metafield.NAMESPACE.KEY'])}."
        )
        raise InvalidInput(sentence, fields=[FieldError(name, sentence)])
    if not field.editable:
        sentence = f"The {field.label} cannot be changed here; change it in the shop's own admin."
        raise InvalidInput(sentence, fields=[FieldError(name, sentence)])
    return field


def money_text(amount: Decimal, currency: str) -> str:
    """`amount` with exactly the minor digits of `currency`. An amount with more of them, which only a store can have
    given, keeps them all."""
    digits = minor_digits(currency)
    exponent = amount.normalize().as_tuple().exponent
    kept = max(digits, -exponent if isinstance(exponent, int) else digits)
    return f"{amount:.{kept}f}"


def decimal_text(number: Decimal) -> str:
    """Without exponent and idle zeros: `0.60` is `0.6`, `1E+2` is `100`."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def canonical(name: str, raw: Any, currency: str) -> Value:
    """A value as the mirror or the connector holds it (decimal, float, vendor's enum word) as this app writes it.

    Raises `KeyError` for a name that is not in the catalogue and `ValueError` for a number that is none: both are
    mistakes of the caller, not of a person.
    """
    field = FIELDS[name]
    if raw is None:
        return None
    match field.kind:
        case Kind.MONEY:
            return money_text(_decimal(raw), currency)
        case Kind.DECIMAL:
            return decimal_text(_decimal(raw))
        case Kind.INTEGER:
            return int(raw)
        case Kind.BOOLEAN:
            return bool(raw)
        case Kind.CHOICE:
            return str(raw).lower()
        case Kind.TAGS:
            return [str(tag) for tag in raw]
        case _:
            return str(raw)


def _decimal(raw: Any) -> Decimal:
    try:
        return Decimal(str(raw))
    except InvalidOperation as error:
        msg = f"{raw!r} is not a number"
        raise ValueError(msg) from error


def same_value(name: str, one: AnyValue, other: AnyValue) -> bool:
    """Whether two values of a field mean the same to the store: `"12.5"` and `"12.50"`, tags in another order."""
    field = get_field(name)
    if field.kind is Kind.MEDIUM:
        return same_medium(_medium(one), _medium(other))
    if one is None or other is None:
        return one == other or (field.blank_is_null and not one and not other)
    if isinstance(one, dict) and isinstance(other, dict):
        return same_product(one, other) if field.kind is Kind.PRODUCT else same_metafield(one, other)
    match field.kind:
        case Kind.MONEY | Kind.DECIMAL:
            return Decimal(str(one)) == Decimal(str(other))
        case Kind.TAGS:
            return _members(one) == _members(other)
        case Kind.ORDER:
            return same_order(_listed(one), _listed(other))
        case _:
            return one == other


def _members(tags: AnyValue) -> frozenset[str]:
    return frozenset(_listed(tags))


def _listed(value: AnyValue) -> list[str]:
    return value if isinstance(value, list) else []


def _medium(value: AnyValue) -> Medium | None:
    return value if isinstance(value, dict) else None
