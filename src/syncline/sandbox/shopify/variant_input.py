"""Reads the variant part of mutation input: option values, prices, stock, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from syncline.sandbox.shopify.amounts import money
from syncline.sandbox.shopify.ids import number_of
from syncline.sandbox.shopify.mutations import UserError, user_error
from syncline.sandbox.shopify.state import InventoryItem, NewVariant, Product, Store, Variant

BULK_FIELDS = frozenset({
    "id", "barcode", "price", "compareAtPrice", "inventoryItem", "inventoryPolicy", "inventoryQuantities",
    "optionValues", "taxable",
})  # fmt: skip
SET_FIELDS = BULK_FIELDS | {"sku", "position"}
ITEM_FIELDS = frozenset({"sku", "cost", "tracked", "requiresShipping", "measurement"})
OPTION_VALUE_FIELDS = frozenset({"name", "optionName", "optionId"})
MOST_VARIANTS = 2048
LONGEST = 255
TOO_DEAR = Decimal("1e18")

Place = list[str]


@dataclass(frozen=True, slots=True)
class Codes:
    """The words one mutation's error enum has for what can be wrong with a variant."""

    negative: str
    too_long: str
    exists: str
    missing_values: str
    unknown_option: str
    blank: str


UPDATE_CODES = Codes(
    "GREATER_THAN_OR_EQUAL_TO",
    "TOO_LONG",
    "VARIANT_ALREADY_EXISTS",
    "NEED_TO_ADD_OPTION_VALUES",
    "OPTION_DOES_NOT_EXIST",
    "BLANK",
)
CREATE_CODES = Codes(
    "GREATER_THAN_OR_EQUAL_TO",
    "INVALID",
    "VARIANT_ALREADY_EXISTS",
    "NEED_TO_ADD_OPTION_VALUES",
    "OPTION_VALUES_FOR_NUMBER_OF_UNKNOWN_OPTIONS",
    "INVALID",
)
SET_CODES = Codes(
    "INVALID_VARIANT",
    "INVALID_VARIANT",
    "INVALID_VARIANT",
    "INVALID_VARIANT",
    "OPTION_DOES_NOT_EXIST",
    "INVALID_VARIANT",
)


@dataclass(slots=True)
class OptionNames:
    """The options variants are described by: of a product, or of the input that replaces them."""

    names: list[str]
    ids: list[int | None] = field(default_factory=list)

    @classmethod
    def of(cls, product: Product) -> OptionNames:
        return cls([option.name for option in product.options], [option.id for option in product.options])

    def place(self, given: Mapping[str, Any]) -> int | None:
        """Which option an option value is for."""
        if "optionId" in given:
            number = number_of(given["optionId"], "ProductOption")
            return self.ids.index(number) if number is not None and number in self.ids else None
        wanted = (given.get("optionName") or "").casefold()
        return next((at for at, name in enumerate(self.names) if name.casefold() == wanted), None)


def complaints(given: Mapping[str, Any], codes: Codes, at: Place) -> list[UserError]:
    """User errors of one variant's prices and texts."""
    errors: list[UserError] = []
    if "price" in given and given["price"] is None:
        errors.append(user_error([*at, "price"], "Price can't be blank", codes.blank))
    for name, words in (("price", "Price"), ("compareAtPrice", "Compare at price")):
        value = given.get(name)
        if value is not None and Decimal(str(value)) < 0:
            errors.append(user_error([*at, name], f"{words} must be greater than or equal to 0", codes.negative))
        elif value is not None and Decimal(str(value)) >= TOO_DEAR:
            errors.append(user_error([*at, name], f"{words} must be less than {TOO_DEAR:.0f}", codes.too_long))
    item = given.get("inventoryItem") or {}
    for name, words, value in (
        ("sku", "SKU", item.get("sku", given.get("sku"))),
        ("barcode", "Barcode", given.get("barcode")),
    ):
        if value is not None and len(value) > LONGEST:
            message = f"{words} is too long (maximum is {LONGEST} characters)"
            errors.append(user_error([*at, name], message, codes.too_long))
    if item.get("cost") is not None and Decimal(str(item["cost"])) < 0:
        message = "Cost must be greater than or equal to 0"
        errors.append(user_error([*at, "inventoryItem", "cost"], message, codes.negative))
    return errors


def option_values(
    given: Mapping[str, Any], options: OptionNames, current: Sequence[str] | None, codes: Codes, at: Place
) -> tuple[list[str], list[UserError]]:
    """The variant's values in the order of the options; those not given stay as they are."""
    values: list[str | None] = list(current) if current is not None else [None] * len(options.names)
    errors: list[UserError] = []
    for number, one in enumerate(given.get("optionValues") or ()):
        where = [*at, "optionValues", str(number)]
        place = options.place(one)
        if place is None:
            errors.append(user_error(where, "Option does not exist", codes.unknown_option))
        elif not (one.get("name") or "").strip():
            errors.append(user_error([*where, "name"], "Option value name can't be blank", codes.blank))
        else:
            values[place] = one["name"].strip()
    missing = [name for name, value in zip(options.names, values, strict=True) if value is None]
    if missing and not errors:
        message = f"You need to add option values for {', '.join(missing)}"
        errors.append(user_error([*at], message, codes.missing_values))
    return [value or "" for value in values], errors


def variant_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The store's fields of the variant itself, without its option values."""
    fields: dict[str, Any] = {}
    if given.get("price") is not None:
        fields["price"] = money(given["price"])
    if "compareAtPrice" in given:
        value = given["compareAtPrice"]
        fields["compare_at_price"] = None if value is None else money(value)
    if "barcode" in given:
        fields["barcode"] = given["barcode"]
    for name, own in (("inventoryPolicy", "inventory_policy"), ("taxable", "taxable")):
        if given.get(name) is not None:
            fields[own] = given[name]
    if "sku" in given:
        fields["sku"] = given["sku"]
    if "sku" in (given.get("inventoryItem") or {}):
        fields["sku"] = given["inventoryItem"]["sku"]
    return fields


def item_fields(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The store's fields of the inventory item."""
    fields: dict[str, Any] = {}
    item = given or {}
    if "cost" in item:
        fields["unit_cost"] = None if item["cost"] is None else money(item["cost"])
    for name, own in (("tracked", "tracked"), ("requiresShipping", "requires_shipping")):
        if item.get(name) is not None:
            fields[own] = item[name]
    weight = (item.get("measurement") or {}).get("weight")
    if weight:
        fields["weight"] = Decimal(str(weight["value"]))
        fields["weight_unit"] = weight["unit"]
    return fields


def new_variant(given: Mapping[str, Any], values: list[str], quantities: Mapping[int, int]) -> NewVariant:
    # In Shopify stock is tracked only when asked for, as "tracked" says in the schema's examples.
    fields = {"tracked": False, **variant_fields(given), **item_fields(given.get("inventoryItem"))}
    return NewVariant(option_values=values, quantities=quantities, **fields)


def write_variant(store: Store, variant: Variant, given: Mapping[str, Any], values: Sequence[str]) -> None:
    """Sets what differs, on the variant and on its item."""
    fields = {**variant_fields(given), "option_values": list(values)}
    changed = {name: value for name, value in fields.items() if getattr(variant, name) != value}
    if changed:
        store.update_variant(variant, **changed)
    write_item(store, store.items[variant.item_id], given.get("inventoryItem"))


def write_item(store: Store, item: InventoryItem, given: Mapping[str, Any] | None) -> None:
    changed = {name: value for name, value in item_fields(given).items() if getattr(item, name) != value}
    if changed:
        store.update_item(item, **changed)


def learn_values(product: Product, variants: Sequence[Variant]) -> bool:
    """Adds option values that variants introduced; True when there were any."""
    is_new = False
    for place, option in enumerate(product.options):
        for variant in variants:
            value = variant.option_values[place]
            if value not in option.values:
                option.values.append(value)
                is_new = True
    return is_new
