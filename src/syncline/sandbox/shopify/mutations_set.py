"""productSet: makes a product as described, or turns an existing one into it; variants not listed are deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, leaf, single, stored
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities import variant_title
from syncline.sandbox.shopify.ids import gid, number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.mutations_variants import check_variants
from syncline.sandbox.shopify.product_input import (
    PRODUCT_FIELDS,
    complaints,
    handle_of,
    new_handle,
    product_fields,
    write_product,
)
from syncline.sandbox.shopify.set_content import check_content, content_complaints, write_content
from syncline.sandbox.shopify.state import Product, ProductOption, Store, Variant
from syncline.sandbox.shopify.variant_input import (
    MOST_VARIANTS,
    SET_CODES,
    SET_FIELDS,
    OptionNames,
    new_variant,
    option_values,
    write_variant,
)
from syncline.sandbox.shopify.variant_input import complaints as variant_complaints
from syncline.sandbox.shopify.world import ProductSetOperation

SET_PRODUCT_FIELDS = PRODUCT_FIELDS | {"variants", "files", "metafields", "collections"}
OPTION_FIELDS = frozenset({"id", "name", "position", "values"})
MOST_OPTIONS = 3
MOST_QUANTITIES = 50_000


@dataclass(slots=True)
class Plan:
    """What a productSet will do, once nothing is wrong with it."""

    errors: list[UserError] = field(default_factory=list)
    options: list[ProductOption] = field(default_factory=list)
    """Empty when the input has none; an id of 0 is given when it is made."""
    variants: list[tuple[Variant | None, Mapping[str, Any], list[str]]] = field(default_factory=list)

    def add(self, at: list[str], message: str, code: str) -> None:
        self.errors.append(user_error(at, message, code))


def _check(call: Call) -> None:
    given = call.args["input"]
    refuse_unserved(call, "ProductSetInput", given, SET_PRODUCT_FIELDS)
    refuse_unserved(call, "ProductSetIdentifiers", call.args.get("identifier"), frozenset({"id", "handle"}))
    for option in given.get("productOptions") or ():
        refuse_unserved(call, "OptionSetInput", option, OPTION_FIELDS)
    check_variants(call, "ProductVariantSetInput", given.get("variants") or [], SET_FIELDS | {"metafields"})
    check_content(call, given)


def _set(call: Call) -> Payload:
    context = call.context
    if call.args.get("synchronous") is False and not context.in_bulk:
        return _set_later(call)
    product, errors = _apply(call)
    return {"product": product, "productSetOperation": None, "userErrors": errors}


def _set_later(call: Call) -> Payload:
    """The work is done now; the operation shows it after a while, as a background job would."""
    world = call.context.world
    product, errors = _apply(call)
    started = world.store.now()
    number = len(world.product_operations) + 1
    seconds = timedelta(seconds=world.options.async_operation_seconds)
    operation = ProductSetOperation(number, product.id if product else None, errors, started, started + seconds)
    world.product_operations[number] = operation
    return {"product": None, "productSetOperation": operation, "userErrors": []}


def _apply(call: Call) -> tuple[Product | None, list[UserError]]:
    store, given = call.context.store, call.args["input"]
    product, errors = _find(call)
    if errors:
        return None, errors
    plan = _plan(store, given, product)
    if plan.errors:
        return product, plan.errors
    product = _write(store, given, product, plan)
    _record(call.context, product, given)
    return product, []


def _find(call: Call) -> tuple[Product | None, list[UserError]]:
    """The product to change, None for a new one."""
    store, given = call.context.store, call.args["input"]
    identifier = call.args.get("identifier") or {}
    if identifier and given.get("id") is not None:
        message = "The id field is not allowed if identifier is provided."
        return None, [user_error(["input", "id"], message, "ID_NOT_ALLOWED")]
    if "handle" in identifier:
        wanted = handle_of(identifier["handle"] or "")
        if "handle" not in given:
            message = "The input field corresponding to the identifier is required."
            return None, [user_error(["input"], message, "MISSING_FIELD_REQUIRED")]
        if handle_of(given["handle"] or "") != wanted:
            message = "The identifier value does not match the value of the corresponding field in the input."
            return None, [user_error(["input"], message, "INPUT_MISMATCH")]
        return store.find_product_by_handle(wanted), []
    for at, text, message, code in (
        ("identifier", identifier.get("id"), "Resource matching the identifier was not found.", "NOT_FOUND"),
        ("input", given.get("id"), "Product does not exist", "PRODUCT_DOES_NOT_EXIST"),
    ):
        if text is not None:
            found = store.products.get(number_of(text, "Product") or 0)
            return found, [] if found else [user_error([at, "id"], message, code)]
    return None, []


def _plan(store: Store, given: Mapping[str, Any], product: Product | None) -> Plan:
    plan = Plan(complaints(store, given, product, ["input"]) + content_complaints(store, given, product))
    options, variants = given.get("productOptions"), given.get("variants")
    if variants and options is None:
        message = "Must specify product options when updating variants."
        plan.add(["input", "productOptions"], message, "PRODUCT_OPTIONS_INPUT_MISSING")
    if options and variants is None:
        plan.add(["input", "variants"], "Must specify variants when updating options.", "VARIANTS_INPUT_MISSING")
    if len(variants or ()) > MOST_VARIANTS:
        message = f"Number of product variants exceeds shop limit ({MOST_VARIANTS})."
        plan.add(["input", "variants"], message, "VARIANTS_OVER_LIMIT")
    if sum(len(one.get("inventoryQuantities") or ()) for one in variants or ()) > MOST_QUANTITIES:
        message = (
            f"Inventory quantity input exceeds the limit of {MOST_QUANTITIES}. Consider using separate "
            "`inventorySetQuantities` mutations."
        )
        plan.add(["input", "variants"], message, "INVENTORY_QUANTITIES_LIMIT_EXCEEDED")
    if plan.errors:
        return plan
    if options:
        _plan_options(plan, options, product)
    if options and variants and not plan.errors:
        _plan_variants(plan, store, variants, product)
    return plan


def _plan_options(plan: Plan, options: list[Mapping[str, Any]], product: Product | None) -> None:
    at = ["input", "productOptions"]
    if len(options) > MOST_OPTIONS:
        plan.add(at, f"Can only specify a maximum of {MOST_OPTIONS} options", "OPTIONS_OVER_LIMIT")
    known = {option.id: option for option in product.options} if product else {}
    by_name = {option.name.casefold(): option for option in known.values()}
    names: set[str] = set()
    for number, given in enumerate(options):
        where = [*at, str(number)]
        held = known.get(number_of(given["id"], "ProductOption") or 0) if given.get("id") else None
        if given.get("id") and held is None:
            plan.add([*where, "id"], "Option does not exist", "OPTION_DOES_NOT_EXIST")
            continue
        name = (given.get("name") or (held.name if held else "")).strip()
        held = held or by_name.get(name.casefold())
        values = [(one.get("name") or "").strip() for one in given.get("values") or ()]
        if not name:
            plan.add([*where, "name"], "Option name can't be blank", "INVALID_INPUT")
        if name.casefold() in names:
            plan.add([*where, "name"], "Duplicated option name.", "DUPLICATED_OPTION_NAME")
        if not values:
            message = "Each option must have at least one option value specified."
            plan.add([*where, "values"], message, "OPTION_VALUES_MISSING")
        if len({value.casefold() for value in values}) < len(values):
            plan.add([*where, "values"], "Duplicated option value.", "DUPLICATED_OPTION_VALUE")
        names.add(name.casefold())
        plan.options.append(ProductOption(held.id if held else 0, name, given.get("position") or number + 1, values))
    plan.options.sort(key=lambda option: option.position)


def _plan_variants(plan: Plan, store: Store, variants: list[Mapping[str, Any]], product: Product | None) -> None:
    options = OptionNames([option.name for option in plan.options], [option.id or None for option in plan.options])
    current = store.variants_of(product) if product else []
    by_values = {tuple(variant.option_values): variant for variant in current}
    taken: set[tuple[str, ...]] = set()
    for number, given in enumerate(variants):
        at = ["input", "variants", str(number)]
        plan.errors += variant_complaints(given, SET_CODES, at)
        values, wrong = option_values(given, options, None, SET_CODES, at)
        plan.errors += wrong
        if wrong:
            continue
        for option, value in zip(plan.options, values, strict=True):
            if value not in option.values:
                plan.add([*at, "optionValues"], "Option value does not exist", "OPTION_VALUE_DOES_NOT_EXIST")
        if tuple(values) in taken:
            message = f"The variant '{variant_title(values)}' already exists. Please change at least one option value."
            plan.add(at, message, "INVALID_VARIANT")
        taken.add(tuple(values))
        held = by_values.get(tuple(values))
        if given.get("id") is not None:
            held = store.variants.get(number_of(given["id"], "ProductVariant") or 0)
            if held is None or product is None or held.product_id != product.id:
                plan.add([*at, "id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST")
        _check_quantities(plan, store, given, at)
        plan.variants.append((held, given, values))
    plan.variants.sort(key=lambda one: one[1].get("position") or MOST_VARIANTS)


def _check_quantities(plan: Plan, store: Store, given: Mapping[str, Any], at: list[str]) -> None:
    for number, one in enumerate(given.get("inventoryQuantities") or ()):
        where = [*at, "inventoryQuantities", str(number)]
        if number_of(one["locationId"], "Location") not in store.locations:
            plan.add([*where, "locationId"], "The specified location could not be found.", "INVALID_INPUT")
        if one["name"] not in {"available", "on_hand"}:
            message = "The quantity name must be either 'available' or 'on_hand'."
            plan.add([*where, "name"], message, "INVALID_INPUT")


def _write(store: Store, given: Mapping[str, Any], product: Product | None, plan: Plan) -> Product:
    if product is None:
        product = _make(store, given, plan)
    else:
        write_product(store, product, given)
        if plan.options:
            _replace_options(store, product, plan)
            _replace_variants(store, product, plan)
    for variant, (_, one, _values) in zip(store.variants_of(product), plan.variants, strict=False):
        _write_quantities(store, variant, one)
    ordered = {**given, "variants": [one for _, one, _ in plan.variants]}
    write_content(store, product, ordered, store.variants_of(product))
    return product


def _make(store: Store, given: Mapping[str, Any], plan: Plan) -> Product:
    fields = {"vendor": store.shop.name, "status": "ACTIVE"} | {
        name: value for name, value in product_fields(given).items() if value is not None
    }
    return store.add_product(
        handle=new_handle(store, given),
        options=[(option.name, option.values) for option in plan.options],
        variants=[new_variant(one, values, {}) for _, one, values in plan.variants],
        **fields,
    )


def _replace_options(store: Store, product: Product, plan: Plan) -> None:
    for position, option in enumerate(plan.options, start=1):
        option.id = option.id or store.next_id("option")
        option.position = position
    if plan.options != product.options:
        store.update_product(product, options=plan.options)


def _replace_variants(store: Store, product: Product, plan: Plan) -> None:
    kept = {held.id for held, _, _ in plan.variants if held}
    made: list[int] = []
    for held, given, values in plan.variants:
        if held is None:
            made.append(store.add_variant(product, new_variant(given, values, {})).id)
        else:
            write_variant(store, held, given, values)
            made.append(held.id)
    for number in [number for number in product.variant_ids if number not in kept and number not in made]:
        store.delete_variant(store.variants[number])
    if product.variant_ids != made:
        product.variant_ids[:] = made
        store.renumber(product)
        store.touch_product(product)


def _write_quantities(store: Store, variant: Variant, given: Mapping[str, Any]) -> None:
    for one in given.get("inventoryQuantities") or ():
        location_id = number_of(one["locationId"], "Location") or 0
        level = store.levels.get((variant.item_id, location_id))
        committed = level.committed if level and one["name"] == "on_hand" else 0
        available = one["quantity"] - committed
        if level is None or level.available != available:
            store.set_level(variant.item_id, location_id, available=available)


def _record(context: Context, product: Product, given: Mapping[str, Any]) -> None:
    context.record("Product", product.id, **{name: value for name, value in given.items() if name != "variants"})
    for variant, one in zip(context.store.variants_of(product), given.get("variants") or (), strict=False):
        context.record("ProductVariant", variant.id, **one)


def _status(context: Context) -> Run:
    """CREATED for the first half of its time, ACTIVE for the second, then COMPLETE."""

    def run(operation: ProductSetOperation) -> str:
        now = context.store.now()
        if now >= operation.ready_at:
            return "COMPLETE"
        half = operation.started_at + (operation.ready_at - operation.started_at) / 2
        return "ACTIVE" if now >= half else "CREATED"

    return run


def _product_of(context: Context) -> Run:
    def run(operation: ProductSetOperation) -> Product | None:
        is_ready = context.store.now() >= operation.ready_at
        return context.store.products.get(operation.product_id or 0) if is_ready else None

    return run


def _errors_of(context: Context) -> Run:
    return lambda operation: operation.user_errors if context.store.now() >= operation.ready_at else []


def _user_errors(call: Call) -> Run:
    get = _errors_of(call.context)
    child = call.child()
    return lambda operation: [child(error) for error in get(operation)]


MUTATIONS: dict[str, Resolver] = {"productSet": mutation(_set, _check)}

TYPES: dict[str, dict[str, Resolver]] = {
    "ProductSetPayload": entries("product", "productSetOperation", "userErrors"),
    "ProductSetUserError": entries("field", "message", "code"),
    "ProductSetOperation": {
        "id": leaf(lambda operation: gid("ProductSetOperation", operation.id)),
        "status": stored(_status),
        "product": single(_product_of),
        "userErrors": _user_errors,
    },
}
