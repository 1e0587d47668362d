"""inventorySetQuantities, inventoryAdjustQuantities, inventoryActivate and inventoryItemUpdate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, entry
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid, number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.problems import FieldFailed
from syncline.sandbox.shopify.state import InventoryLevel
from syncline.sandbox.shopify.variant_input import ITEM_FIELDS, UPDATE_CODES, complaints, variant_fields, write_item

REASONS = frozenset({
    "correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created", "movement_received",
    "movement_updated", "other", "promotion", "quality_control", "received", "reservation_created",
    "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
})  # fmt: skip
"""shopify.dev, "Set inventory quantities on hand": the reasons an app may give."""
SETTABLE = frozenset({"available", "on_hand"})
ADJUSTABLE = frozenset({"available", "incoming"})
"""Of the states the sandbox holds; Shopify also adjusts damaged, quality_control, reserved and safety_stock."""
SET_MOST = 1_000_000_000
ADJUST_MOST = 2_000_000_000
EXPLICIT_SINCE = "2026-04"
STALE = {
    "CHANGE_FROM_QUANTITY_STALE": "The changeFromQuantity value does not match persisted value.",
    "COMPARE_QUANTITY_STALE": "The compareQuantity value does not match persisted value.",
}
ADJUST_STALE = "The changeFromQuantity argument no longer matches the persisted quantity."


@dataclass(frozen=True, slots=True)
class Target:
    """One level to write, found or to be stocked, and the change of its quantity."""

    item_id: int
    location_id: int
    delta: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the input, on its place."""

    at: list[str]
    given: Mapping[str, Any]
    item_id: int
    location_id: int
    level: InventoryLevel | None

    def now(self, name: str) -> int:
        return 0 if self.level is None else int(getattr(self.level, name))


def _rows(call: Call, name: str) -> tuple[list[Row], list[UserError]]:
    """The lines of `input.<name>` with what they point at, and the errors of those that point nowhere."""
    store = call.context.store
    rows: list[Row] = []
    errors: list[UserError] = []
    may_stock = not _has_code(call, "ITEM_NOT_STOCKED_AT_LOCATION")
    for number, given in enumerate(call.args["input"][name]):
        at = ["input", name, str(number)]
        item_id = number_of(given["inventoryItemId"], "InventoryItem") or 0
        location_id = number_of(given["locationId"], "Location") or 0
        level = store.levels.get((item_id, location_id))
        if item_id not in store.items:
            message = "The specified inventory item could not be found."
            errors.append(user_error([*at, "inventoryItemId"], message, "INVALID_INVENTORY_ITEM"))
        elif location_id not in store.locations:
            message = "The specified location could not be found."
            errors.append(user_error([*at, "locationId"], message, "INVALID_LOCATION"))
        elif level is None and not may_stock:
            message = "The specified inventory item is not stocked at the location."
            errors.append(user_error([*at, "locationId"], message, "ITEM_NOT_STOCKED_AT_LOCATION"))
        else:
            rows.append(Row(at, given, item_id, location_id, level))
    return rows, errors


def _has_code(call: Call, code: str) -> bool:
    """Whether this API version's error enum of the mutation still has `code`."""
    name = f"{call.name[0].upper()}{call.name[1:]}UserErrorCode"
    return code in getattr(call.context.schema.graphql.type_map.get(name), "values", {})


def _require_explicit(call: Call, name: str, kind: str) -> None:
    if not call.context.schema.at_least(EXPLICIT_SINCE):
        return
    if any("changeFromQuantity" not in one for one in call.args["input"][name]):
        message = f"{kind} must include the following argument: changeFromQuantity."
        raise FieldFailed(message, {"code": "INVALID_FIELD_ARGUMENTS"})


def _common(call: Call) -> list[UserError]:
    """Errors of the reason and the reference."""
    given = call.args["input"]
    errors = []
    if given["reason"] not in REASONS:
        errors.append(user_error(["input", "reason"], "The specified reason is invalid.", "INVALID_REASON"))
    reference = given.get("referenceDocumentUri")
    if reference is not None and "://" not in reference:
        message = "The specified reference document is invalid."
        errors.append(user_error(["input", "referenceDocumentUri"], message, "INVALID_REFERENCE_DOCUMENT"))
    return errors


def _set(call: Call) -> Payload:
    _require_explicit(call, "quantities", "InventoryQuantityInput")
    given = call.args["input"]
    name = given["name"]
    errors = _common(call)
    if name not in SETTABLE:
        message = "The quantity name must be either 'available' or 'on_hand'."
        return _failed([user_error(["input", "name"], message, "INVALID_NAME"), *errors])
    rows, wrong = _rows(call, "quantities")
    errors += wrong + _doubles(rows)
    for row in rows:
        errors += _quantity_errors(row, name) + _stale(call, row, name)
    if errors:
        return _failed(errors)
    targets = [Target(row.item_id, row.location_id, row.given["quantity"] - row.now(name)) for row in rows]
    return _write(call, targets, "available")


def _doubles(rows: list[Row]) -> list[UserError]:
    seen: set[tuple[int, int]] = set()
    errors = []
    for row in rows:
        pair = (row.item_id, row.location_id)
        if pair in seen:
            message = "The combination of inventoryItemId and locationId must be unique."
            errors.append(user_error(row.at, message, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"))
        seen.add(pair)
    return errors


def _quantity_errors(row: Row, name: str) -> list[UserError]:
    quantity, at = row.given["quantity"], [*row.at, "quantity"]
    if quantity > SET_MOST:
        message = "The total quantity can't be higher than 1,000,000,000."
        return [user_error(at, message, "INVALID_QUANTITY_TOO_HIGH")]
    if quantity < -SET_MOST:
        message = "The total quantity can't be lower than -1,000,000,000."
        return [user_error(at, message, "INVALID_QUANTITY_TOO_LOW")]
    if quantity < 0 and name == "on_hand":
        return [user_error(at, "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")]
    return []


def _stale(call: Call, row: Row, name: str) -> list[UserError]:
    """Compare and set. `changeFromQuantity: null` opts out; before 2026-04 so does `ignoreCompareQuantity`."""
    given = row.given
    if "changeFromQuantity" in given:
        expected, argument, code = given["changeFromQuantity"], "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE"
    elif call.args["input"].get("ignoreCompareQuantity"):
        return []
    elif given.get("compareQuantity") is None:
        message = "The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity."
        return [user_error([*row.at, "compareQuantity"], message, "COMPARE_QUANTITY_REQUIRED")]
    else:
        expected, argument, code = given["compareQuantity"], "compareQuantity", "COMPARE_QUANTITY_STALE"
    if expected is None or expected == row.now(name):
        return []
    return [user_error([*row.at, argument], STALE[code], code)]


def _adjust(call: Call) -> Payload:
    if call.context.schema.at_least("2026-01"):
        _require_explicit(call, "changes", "InventoryChangeInput")
    name = call.args["input"]["name"]
    errors = _common(call)
    if name not in ADJUSTABLE:
        message = "The specified quantity name is invalid."
        return _failed([user_error(["input", "name"], message, "INVALID_QUANTITY_NAME"), *errors])
    rows, wrong = _rows(call, "changes")
    errors += wrong
    for row in rows:
        errors += _document_errors(row, name) + _adjust_errors(row, name)
    if errors:
        return _failed(errors)
    return _write(call, [Target(row.item_id, row.location_id, row.given["delta"]) for row in rows], name)


def _document_errors(row: Row, name: str) -> list[UserError]:
    document, at = row.given.get("ledgerDocumentUri"), [*row.at, "ledgerDocumentUri"]
    if name == "available" and document is not None:
        message = "A ledger document URI is not allowed when adjusting available."
        return [user_error(at, message, "INVALID_AVAILABLE_DOCUMENT")]
    if name != "available" and document is None:
        message = "A ledger document URI is required except when adjusting available."
        return [user_error(at, message, "INVALID_QUANTITY_DOCUMENT")]
    if (document or "").startswith("gid://shopify/"):
        message = "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API."
        return [user_error(at, message, "INTERNAL_LEDGER_DOCUMENT")]
    return []


def _adjust_errors(row: Row, name: str) -> list[UserError]:
    errors = []
    expected = row.given.get("changeFromQuantity")
    if expected is not None and expected != row.now(name):
        errors.append(user_error([*row.at, "changeFromQuantity"], ADJUST_STALE, "CHANGE_FROM_QUANTITY_STALE"))
    after = row.now(name) + row.given["delta"]
    if after > ADJUST_MOST:
        message = "The quantity can't be higher than 2,000,000,000."
        errors.append(user_error([*row.at, "delta"], message, "INVALID_QUANTITY_TOO_HIGH"))
    if after < -ADJUST_MOST:
        message = "The quantity can't be lower than -2,000,000,000."
        errors.append(user_error([*row.at, "delta"], message, "INVALID_QUANTITY_TOO_LOW"))
    return errors


def _failed(errors: list[UserError]) -> Payload:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _write(call: Call, targets: list[Target], name: str) -> Payload:
    """Applies the changes. Stock that becomes available is on hand too, so both are told."""
    context = call.context
    store = context.store
    told = (name, "on_hand") if name == "available" else (name,)
    changes: list[dict[str, Any]] = []
    for target in targets:
        known = store.levels.get((target.item_id, target.location_id))
        before = 0 if known is None else int(getattr(known, name))
        quantity = before + target.delta
        if target.delta or known is None:
            known = store.set_level(target.item_id, target.location_id, **{name: quantity})
        shown = f"{target.item_id}@{target.location_id}"
        context.record("InventoryLevel", shown, **{name: quantity})
        if target.delta and known is not None:
            changes += [_change(context, known, one, target.delta) for one in told]
    if not changes:
        return {"inventoryAdjustmentGroup": None, "userErrors": []}
    given = call.args["input"]
    group = {
        "id": gid("InventoryAdjustmentGroup", store.revision),
        "createdAt": moment(store.now()),
        "reason": given["reason"],
        "referenceDocumentUri": given.get("referenceDocumentUri"),
        "changes": changes,
    }
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _change(context: Context, level: InventoryLevel, name: str, delta: int) -> dict[str, Any]:
    return {
        "name": name,
        "delta": delta,
        "quantityAfterChange": int(getattr(level, name)),
        "ledgerDocumentUri": None,
        "item": context.store.items[level.item_id],
        "location": context.store.locations[level.location_id],
    }


def _changes(call: Call) -> Run:
    """`changes(inventoryItemIds, locationIds, quantityNames)`: each given list narrows."""
    args = call.args
    child = call.child()
    tests: list[Callable[[dict[str, Any]], bool]] = []
    if args.get("quantityNames") is not None:
        tests.append(lambda change: change["name"] in args["quantityNames"])
    if args.get("inventoryItemIds") is not None:
        tests.append(lambda change: gid("InventoryItem", change["item"].id) in args["inventoryItemIds"])
    if args.get("locationIds") is not None:
        tests.append(lambda change: gid("Location", change["location"].id) in args["locationIds"])
    return lambda group: [child(change) for change in group["changes"] if all(test(change) for test in tests)]


def _activate(call: Call) -> Payload:
    store, args = call.context.store, call.args
    item_id = number_of(args["inventoryItemId"], "InventoryItem") or 0
    location_id = number_of(args["locationId"], "Location") or 0
    if item_id not in store.items:
        error = user_error(["inventoryItemId"], "Inventory item does not exist", "NOT_FOUND")
        return {"inventoryLevel": None, "userErrors": [error]}
    if location_id not in store.locations:
        error = user_error(["locationId"], "Location does not exist", "NOT_FOUND")
        return {"inventoryLevel": None, "userErrors": [error]}
    level = store.levels.get((item_id, location_id))
    if level is None:
        level = store.set_level(item_id, location_id, available=args.get("available") or 0)
    elif args.get("available") is not None:
        message = "Not allowed to set available quantity when the item is already active at the location."
        return {"inventoryLevel": level, "userErrors": [user_error(["available"], message)]}
    call.context.record("InventoryLevel", f"{item_id}@{location_id}", available=level.available)
    return {"inventoryLevel": level, "userErrors": []}


def _check_activate(call: Call) -> None:
    served = frozenset({"inventoryItemId", "locationId", "available"})
    refuse_unserved(call, call.name, call.args, served)


def _update_item(call: Call) -> Payload:
    store, given = call.context.store, call.args["input"]
    item = store.items.get(number_of(call.args["id"], "InventoryItem") or 0)
    if item is None:
        message = "The product couldn't be updated because it does not exist."
        return {"inventoryItem": None, "userErrors": [user_error(["id"], message)]}
    errors = complaints({"inventoryItem": given}, UPDATE_CODES, ["input"])
    if errors:
        return {"inventoryItem": None, "userErrors": errors}
    variant = store.variants[item.variant_id]
    sku = variant_fields({"inventoryItem": given})
    if sku and sku["sku"] != variant.sku:
        store.update_variant(variant, **sku)
    write_item(store, item, given)
    call.context.record("InventoryItem", item.id, **given)
    return {"inventoryItem": item, "userErrors": []}


def _check_item(call: Call) -> None:
    refuse_unserved(call, "InventoryItemInput", call.args["input"], ITEM_FIELDS)


MUTATIONS: dict[str, Resolver] = {
    "inventorySetQuantities": mutation(_set, takes_key=True),
    "inventoryAdjustQuantities": mutation(_adjust, takes_key=True),
    "inventoryActivate": mutation(_activate, _check_activate, takes_key=True),
    "inventoryItemUpdate": mutation(_update_item, _check_item),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "InventorySetQuantitiesPayload": entries("inventoryAdjustmentGroup", "userErrors"),
    "InventoryAdjustQuantitiesPayload": entries("inventoryAdjustmentGroup", "userErrors"),
    "InventoryActivatePayload": entries("inventoryLevel", "userErrors"),
    "InventoryItemUpdatePayload": entries("inventoryItem", "userErrors"),
    "InventoryAdjustmentGroup": {
        **entries("id", "createdAt", "reason", "referenceDocumentUri"),
        "changes": _changes,
    },
    "InventoryChange": {
        **entries("name", "delta", "quantityAfterChange", "ledgerDocumentUri"),
        "item": entry,
        "location": entry,
    },
    "InventorySetQuantitiesUserError": entries("field", "message", "code"),
    "InventoryAdjustQuantitiesUserError": entries("field", "message", "code"),
}
