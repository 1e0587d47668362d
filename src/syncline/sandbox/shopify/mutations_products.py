"""productCreate, productUpdate, productDelete, tagsAdd and tagsRemove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.entities_sales import Customer, Order
from syncline.sandbox.shopify.ids import gid, number_of, parse_gid
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.problems import ACCESS_SCOPES_PAGE, FieldFailed
from syncline.sandbox.shopify.product_input import (
    PRODUCT_FIELDS,
    complaints,
    new_handle,
    product_fields,
    tags_of,
    write_product,
)
from syncline.sandbox.shopify.state import NewVariant, Product

MISSING = "Product does not exist"
OPTION_FIELDS = frozenset({"name", "position", "values"})
MOST_OPTIONS = 3
TAG_SCOPES = {"Product": "write_products", "Order": "write_orders", "Customer": "write_customers"}
"""What carries tags here -> the scope that writes it."""


def _given(call: Call) -> Mapping[str, Any]:
    """The product's input: `product`, or the older `input`."""
    return call.args.get("product") or call.args.get("input") or {}


def _check(call: Call) -> None:
    kind = "ProductInput" if call.args.get("product") is None else call.known.args["product"].type
    given = _given(call)
    refuse_unserved(call, str(kind), given, PRODUCT_FIELDS)
    refuse_unserved(call, call.name, {"media": call.args.get("media")}, frozenset())
    for option in given.get("productOptions") or ():
        refuse_unserved(call, "OptionCreateInput", option, OPTION_FIELDS)


def _create(call: Call) -> Payload:
    store, given = call.context.store, _given(call)
    errors = complaints(store, given, None, []) + _option_complaints(given)
    if errors:
        return {"product": None, "shop": store.shop, "userErrors": errors}
    options = [
        (option["name"], [value["name"] for value in option.get("values") or ()])
        for option in given.get("productOptions") or ()
    ]
    first = NewVariant([values[0] for _, values in options] or ["Default Title"], tracked=False)
    fields = {"vendor": store.shop.name, "status": "ACTIVE"} | {
        name: value for name, value in product_fields(given).items() if value is not None
    }
    product = store.add_product(handle=new_handle(store, given), options=options, variants=[first], **fields)
    _record(call, product, given)
    return {"product": product, "shop": store.shop, "userErrors": []}


def _option_complaints(given: Mapping[str, Any]) -> list[UserError]:
    options = given.get("productOptions") or ()
    errors: list[UserError] = []
    names = [(option.get("name") or "").strip().casefold() for option in options]
    if len(options) > MOST_OPTIONS:
        errors.append(user_error(["options"], f"Can only specify a maximum of {MOST_OPTIONS} options"))
    if len(set(names)) < len(names):
        errors.append(user_error(["options"], "Option names must be unique"))
    for number, option in enumerate(options):
        if not names[number]:
            errors.append(user_error(["options", str(number), "name"], "Option name can't be blank"))
        if not [value for value in option.get("values") or () if (value.get("name") or "").strip()]:
            message = "Each option must have at least one option value specified."
            errors.append(user_error(["options", str(number)], message))
    return errors


def _update(call: Call) -> Payload:
    store, given = call.context.store, _given(call)
    product = _find(call, given)
    if product is None:
        return {"product": None, "userErrors": [user_error(["id"], MISSING)]}
    errors = complaints(store, given, product, [])
    if errors:
        return {"product": product, "userErrors": errors}
    write_product(store, product, given)
    _record(call, product, given)
    return {"product": product, "userErrors": []}


def _record(call: Call, product: Product, given: Mapping[str, Any]) -> None:
    written = PRODUCT_FIELDS - {"id"}
    call.context.record("Product", product.id, **{name: given[name] for name in given if name in written})


def _find(call: Call, given: Mapping[str, Any]) -> Product | None:
    store = call.context.store
    identifier = call.args.get("identifier") or {}
    if "handle" in identifier:
        return store.find_product_by_handle(identifier["handle"])
    number = number_of(identifier.get("id") or given.get("id") or "", "Product")
    return store.products.get(number or 0)


def _check_update(call: Call) -> None:
    _check(call)
    refuse_unserved(call, "ProductUpdateIdentifiers", call.args.get("identifier"), frozenset({"id", "handle"}))
    refuse_unserved(call, "ProductInput", {"productOptions": _given(call).get("productOptions")}, frozenset())


def _delete(call: Call) -> Payload:
    store = call.context.store
    number = number_of(call.args["input"]["id"], "Product")
    product = store.products.get(number or 0)
    if product is None:
        return {"deletedProductId": None, "shop": store.shop, "userErrors": [user_error(["id"], MISSING)]}
    store.delete_product(product)
    call.context.record("Product", product.id, deleted=True)
    return {"deletedProductId": gid("Product", product.id), "shop": store.shop, "userErrors": []}


def _check_delete(call: Call) -> None:
    if call.args.get("synchronous") is False:
        refuse_unserved(call, "productDelete", {"synchronous: false": True}, frozenset())


def _tagged(call: Call) -> Product | Order | Customer | None:
    """Raises `FieldFailed` for what carries no tags here, and for what the token may not write."""
    wanted = parse_gid(call.args["id"])
    if wanted is None or wanted.kind not in TAG_SCOPES:
        raise FieldFailed("invalid id", {"code": "RESOURCE_NOT_FOUND"})
    if TAG_SCOPES[wanted.kind] not in call.context.scopes:
        access = f"`{TAG_SCOPES[wanted.kind]}` access scope."
        extensions = {"code": "ACCESS_DENIED", "documentation": ACCESS_SCOPES_PAGE, "requiredAccess": access}
        raise FieldFailed(f"Access denied for {call.name} field. Required access: {access}", extensions)
    found: Product | Order | Customer | None = call.context.store.find(wanted.kind, wanted.number)
    return found


def _add_tags(call: Call) -> Payload:
    owner = _tagged(call)
    return _write_tags(call, owner, tags_of([*(owner.tags if owner else ()), *call.args["tags"]]))


def _remove_tags(call: Call) -> Payload:
    owner = _tagged(call)
    gone = {tag.casefold() for tag in tags_of(call.args["tags"])}
    return _write_tags(call, owner, [tag for tag in (owner.tags if owner else ()) if tag.casefold() not in gone])


def _write_tags(call: Call, owner: Product | Order | Customer | None, tags: list[str]) -> Payload:
    store = call.context.store
    if owner is None:
        wanted = parse_gid(call.args["id"])
        missing = MISSING if wanted is None else f"{wanted.kind} does not exist"
        return {"node": None, "userErrors": [user_error(["id"], missing)]}
    if tags != owner.tags and isinstance(owner, Product):
        store.update_product(owner, tags=tags)
    elif tags != owner.tags and isinstance(owner, Order):
        store.sales.update_order(owner, tags=tags)
    elif tags != owner.tags and isinstance(owner, Customer):
        store.sales.update_customer(owner, tags=tags)
    call.context.record(type(owner).__name__, owner.id, **{call.name: list(call.args["tags"])})
    return {"node": owner, "userErrors": []}


MUTATIONS: dict[str, Resolver] = {
    "productCreate": mutation(_create, _check),
    "productUpdate": mutation(_update, _check_update),
    "productDelete": mutation(_delete, _check_delete),
    "tagsAdd": mutation(_add_tags),
    "tagsRemove": mutation(_remove_tags),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "ProductCreatePayload": entries("product", "shop", "userErrors"),
    "ProductUpdatePayload": entries("product", "userErrors"),
    "ProductDeletePayload": entries("deletedProductId", "shop", "userErrors"),
    "TagsAddPayload": entries("node", "userErrors"),
    "TagsRemovePayload": entries("node", "userErrors"),
    "UserError": entries("field", "message"),
}
