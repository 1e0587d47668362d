"""orderUpdate and customerUpdate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.ids import number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.product_input import tags_of

ORDER_FIELDS = frozenset({"id", "note", "tags", "email", "phone"})
CUSTOMER_FIELDS = frozenset({"id", "firstName", "lastName", "email", "phone", "note", "tags", "locale", "taxExempt"})
CUSTOMER_NAMES = {"firstName": "first_name", "lastName": "last_name", "taxExempt": "tax_exempt"}
LONGEST_NOTE = 5000


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = {CUSTOMER_NAMES.get(name, name): value for name, value in given.items() if name != "id"}
    if "tags" in fields:
        fields["tags"] = tags_of(fields["tags"] or ())
    return fields


def _update_order(call: Call) -> Payload:
    given = call.args["input"]
    order = call.context.store.sales.orders.get(number_of(given["id"], "Order") or 0)
    if order is None:
        return {"order": None, "userErrors": [user_error(["id"], "Order does not exist")]}
    errors = _complaints(given)
    if errors:
        return {"order": order, "userErrors": errors}
    fields = _fields(given)
    changed = {name: value for name, value in fields.items() if getattr(order, name) != value}
    if changed:
        call.context.store.sales.update_order(order, **changed)
    call.context.record("Order", order.id, **{name: given[name] for name in given if name != "id"})
    return {"order": order, "userErrors": []}


def _update_customer(call: Call) -> Payload:
    sales, given = call.context.store.sales, call.args["input"]
    customer = sales.customers.get(number_of(given.get("id") or "", "Customer") or 0)
    if customer is None:
        return {"customer": None, "userErrors": [user_error(["id"], "Customer does not exist")]}
    errors = _complaints(given) + [
        user_error([name], f"{name.capitalize()} has already been taken")
        for name in ("email", "phone")
        if given.get(name)
        and any(getattr(one, name) == given[name] for one in sales.customers.values() if one is not customer)
    ]
    if errors:
        return {"customer": customer, "userErrors": errors}
    fields = _fields(given)
    changed = {name: value for name, value in fields.items() if getattr(customer, name) != value}
    if changed:
        sales.update_customer(customer, **changed)
    call.context.record("Customer", customer.id, **{name: given[name] for name in given if name != "id"})
    return {"customer": customer, "userErrors": []}


def _complaints(given: Mapping[str, Any]) -> list[UserError]:
    errors: list[UserError] = []
    if given.get("email") and "@" not in given["email"]:
        errors.append(user_error(["email"], "Email is invalid"))
    if len(given.get("note") or "") > LONGEST_NOTE:
        errors.append(user_error(["note"], f"Note is too long (maximum is {LONGEST_NOTE} characters)"))
    return errors


def _check_order(call: Call) -> None:
    refuse_unserved(call, "OrderInput", call.args["input"], ORDER_FIELDS)


def _check_customer(call: Call) -> None:
    refuse_unserved(call, "CustomerInput", call.args["input"], CUSTOMER_FIELDS)


MUTATIONS: dict[str, Resolver] = {
    "orderUpdate": mutation(_update_order, _check_order),
    "customerUpdate": mutation(_update_customer, _check_customer),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "OrderUpdatePayload": entries("order", "userErrors"),
    "CustomerUpdatePayload": entries("customer", "userErrors"),
}
