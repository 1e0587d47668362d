"""productVariantsBulkCreate, productVariantsBulkUpdate and productVariantsBulkDelete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.entities import variant_title
from syncline.sandbox.shopify.ids import number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.state import Product, Variant
from syncline.sandbox.shopify.variant_input import (
    BULK_FIELDS,
    CREATE_CODES,
    ITEM_FIELDS,
    MOST_VARIANTS,
    OPTION_VALUE_FIELDS,
    UPDATE_CODES,
    OptionNames,
    complaints,
    learn_values,
    new_variant,
    option_values,
    write_variant,
)

MISSING = user_error(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")
NO_QUANTITIES = (
    "Inventory quantities can only be provided during create. To update inventory for existing variants, use "
    "inventoryAdjustQuantities."
)


def check_variants(call: Call, kind: str, variants: list[Mapping[str, Any]], served: frozenset[str]) -> None:
    for given in variants:
        refuse_unserved(call, kind, given, served)
        refuse_unserved(call, "InventoryItemInput", given.get("inventoryItem"), ITEM_FIELDS)
        for value in given.get("optionValues") or ():
            refuse_unserved(call, "VariantOptionValueInput", value, OPTION_VALUE_FIELDS)


def _check(call: Call) -> None:
    refuse_unserved(call, call.name, {"media": call.args.get("media")}, frozenset())
    check_variants(call, "ProductVariantsBulkInput", call.args["variants"], BULK_FIELDS)


def _product(call: Call) -> Product | None:
    return call.context.store.products.get(number_of(call.args["productId"], "Product") or 0)


def _update(call: Call) -> Payload:
    product = _product(call)
    if product is None:
        return {"product": None, "productVariants": None, "userErrors": [MISSING]}
    is_partial = bool(call.args.get("allowPartialUpdates"))
    errors: list[UserError] = []
    planned: list[tuple[Variant, Mapping[str, Any], list[str]]] = []
    taken = {tuple(one.option_values): one.id for one in call.context.store.variants_of(product)}
    for number, given in enumerate(call.args["variants"]):
        wrong, found, values = _read_update(call, product, number, given, taken)
        errors.extend(wrong)
        if found is not None and not wrong:
            planned.append((found, given, values))
    if errors and not is_partial:
        return {"product": product, "productVariants": None, "userErrors": errors}
    store = call.context.store
    for variant, given, values in planned:
        write_variant(store, variant, given, values)
        shown = {name: value for name, value in given.items() if name != "id"}
        call.context.record("ProductVariant", variant.id, **shown)
    changed = [variant for variant, _, _ in planned]
    if learn_values(product, changed):
        store.touch_product(product)
    return {"product": product, "productVariants": changed, "userErrors": errors}


def _read_update(
    call: Call, product: Product, number: int, given: Mapping[str, Any], taken: dict[tuple[str, ...], int]
) -> tuple[list[UserError], Variant | None, list[str]]:
    at = ["variants", str(number)]
    if given.get("id") is None:
        message = "Product variant is missing ID attribute"
        return [user_error([*at, "id"], message, "PRODUCT_VARIANT_ID_MISSING")], None, []
    variant = call.context.store.variants.get(number_of(given["id"], "ProductVariant") or 0)
    if variant is None or variant.product_id != product.id:
        message = "Product variant does not exist"
        return [user_error([*at, "id"], message, "PRODUCT_VARIANT_DOES_NOT_EXIST")], None, []
    errors = complaints(given, UPDATE_CODES, at)
    if given.get("inventoryQuantities"):
        code = "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE"
        errors.append(user_error([*at, "inventoryQuantities"], NO_QUANTITIES, code))
    values, wrong = option_values(given, OptionNames.of(product), variant.option_values, UPDATE_CODES, at)
    errors.extend(wrong)
    if not errors:
        errors.extend(_claim(taken, tuple(values), variant.id, at, UPDATE_CODES.exists))
    return errors, variant, values


def _claim(
    taken: dict[tuple[str, ...], int], values: tuple[str, ...], owner: int, at: list[str], code: str
) -> list[UserError]:
    """Takes a combination of option values for one variant; an error when another has it."""
    if taken.get(values, owner) != owner:
        message = f"The variant '{variant_title(values)}' already exists. Please change at least one option value."
        return [user_error(at, message, code)]
    for held in [key for key, number in taken.items() if number == owner]:
        del taken[held]
    taken[values] = owner
    return []


def _create(call: Call) -> Payload:
    product = _product(call)
    if product is None:
        return {"product": None, "productVariants": None, "userErrors": [MISSING]}
    store = call.context.store
    variants = call.args["variants"]
    standalone = _standalone(call, product)
    kept = [one for one in store.variants_of(product) if one is not standalone]
    taken = {tuple(one.option_values): one.id for one in kept}
    errors: list[UserError] = []
    planned = []
    if len(kept) + len(variants) > MOST_VARIANTS:
        message = f"A product can have at most {MOST_VARIANTS} variants"
        errors.append(user_error(["variants"], message, "SUBSCRIPTION_VIOLATION"))
    for number, given in enumerate(variants):
        wrong, values, quantities = _read_create(call, product, number, given)
        if not wrong:
            wrong = _claim(taken, tuple(values), -1 - number, ["variants", str(number)], CREATE_CODES.exists)
        errors.extend(wrong)
        planned.append((given, values, quantities))
    if errors:
        return {"product": product, "productVariants": None, "userErrors": errors}
    made = []
    for given, values, quantities in planned:
        variant = store.add_variant(product, new_variant(given, values, quantities))
        call.context.record("ProductVariant", variant.id, **given)
        made.append(variant)
    if standalone is not None:
        store.delete_variant(standalone)
        call.context.record("ProductVariant", standalone.id, deleted=True)
    learn_values(product, made)
    return {"product": product, "productVariants": made, "userErrors": []}


def _standalone(call: Call, product: Product) -> Variant | None:
    """The one variant that the strategy deletes."""
    strategy = call.args.get("strategy") or "DEFAULT"
    variants = call.context.store.variants_of(product)
    if len(variants) != 1 or strategy == "PRESERVE_STANDALONE_VARIANT":
        return None
    is_default = variants[0].title == "Default Title"
    return variants[0] if is_default or strategy == "REMOVE_STANDALONE_VARIANT" else None


def _read_create(
    call: Call, product: Product, number: int, given: Mapping[str, Any]
) -> tuple[list[UserError], list[str], dict[int, int]]:
    at = ["variants", str(number)]
    if given.get("id") is not None:
        return [user_error([*at, "id"], "On create, this key cannot be used.", "NO_KEY_ON_CREATE")], [], {}
    errors = complaints(given, CREATE_CODES, at)
    values, wrong = option_values(given, OptionNames.of(product), None, CREATE_CODES, at)
    errors.extend(wrong)
    quantities: dict[int, int] = {}
    for place, one in enumerate(given.get("inventoryQuantities") or ()):
        location = number_of(one["locationId"], "Location")
        if location not in call.context.store.locations:
            where = [*at, "inventoryQuantities", str(place), "locationId"]
            message = "Quantity could not be set. The location was not found."
            errors.append(user_error(where, message, "TRACKED_VARIANT_LOCATION_NOT_FOUND"))
        elif location is not None:
            quantities[location] = one["availableQuantity"]
    return errors, values, quantities


def _delete(call: Call) -> Payload:
    product = _product(call)
    if product is None:
        return {"product": None, "userErrors": [MISSING]}
    store = call.context.store
    numbers = [number_of(text, "ProductVariant") or 0 for text in call.args["variantsIds"]]
    strange = [place for place, number in enumerate(numbers) if number not in product.variant_ids]
    if strange:
        code = "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
        message = "At least one variant does not belong to the product"
        errors = [user_error(["variantsIds", str(place)], message, code) for place in strange]
        return {"product": product, "userErrors": errors}
    if set(numbers) >= set(product.variant_ids):
        error = user_error(["variantsIds"], "Cannot delete default variant", "CANNOT_DELETE_LAST_VARIANT")
        return {"product": product, "userErrors": [error]}
    for number in dict.fromkeys(numbers):
        store.delete_variant(store.variants[number])
        call.context.record("ProductVariant", number, deleted=True)
    return {"product": product, "userErrors": []}


MUTATIONS: dict[str, Resolver] = {
    "productVariantsBulkCreate": mutation(_create, _check),
    "productVariantsBulkUpdate": mutation(_update, _check),
    "productVariantsBulkDelete": mutation(_delete),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "ProductVariantsBulkCreatePayload": entries("product", "productVariants", "userErrors"),
    "ProductVariantsBulkUpdatePayload": entries("product", "productVariants", "userErrors"),
    "ProductVariantsBulkDeletePayload": entries("product", "userErrors"),
    "ProductVariantsBulkCreateUserError": entries("field", "message", "code"),
    "ProductVariantsBulkUpdateUserError": entries("field", "message", "code"),
    "ProductVariantsBulkDeleteUserError": entries("field", "message", "code"),
}
