"""Mutations of collections and of what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from syncline.sandbox.shopify.compiler import Call, Resolver, entries
from syncline.sandbox.shopify.entities_content import Collection, Rule, RuleSet
from syncline.sandbox.shopify.ids import gid, number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.product_input import LONGEST, handle_of
from syncline.sandbox.shopify.rules import complaint

FIELDS = frozenset({
    "id", "title", "descriptionHtml", "handle", "seo", "sortOrder", "templateSuffix", "ruleSet", "redirectNewHandle",
})  # fmt: skip
NEW_FIELDS = FIELDS | {"products"}
PLAIN = {
    "title": "title",
    "descriptionHtml": "description_html",
    "sortOrder": "sort_order",
    "templateSuffix": "template_suffix",
}
MISSING = "Collection does not exist"
ALREADY_IN = "Product is already in the collection"
SMART = "Can't manually add products to a smart collection"


def job() -> dict[str, Any]:
    """Shopify works such jobs off in the background; here the work is done when the answer comes."""
    return {"id": f"gid://shopify/Job/{uuid4()}", "done": True}


def _given(call: Call) -> Mapping[str, Any]:
    """The collection's input: `collection`, or the older `input`."""
    return call.args.get("collection") or call.args.get("input") or {}


def _check(call: Call) -> None:
    kind = "CollectionInput" if call.args.get("collection") is None else str(call.known.args["collection"].type)
    refuse_unserved(call, kind, _given(call), NEW_FIELDS if call.name == "collectionCreate" else FIELDS)


def _create(call: Call) -> Payload:
    store, given = call.context.store, _given(call)
    errors = _complaints(call, given, None)
    if errors:
        return {"collection": None, "userErrors": errors}
    fields = _fields(given)
    title = fields.pop("title")
    handle = handle_of(given.get("handle") or "") or store.collections.free_handle(handle_of(title) or "collection")
    product_ids = [number_of(text, "Product") or 0 for text in given.get("products") or ()]
    made = store.collections.create(title=title, handle=handle, product_ids=product_ids, **fields)
    call.context.record("Collection", made.id, **given)
    return {"collection": made, "userErrors": []}


def _update(call: Call) -> Payload:
    store, given = call.context.store, _given(call)
    collection = _find(call, given.get("id") or "")
    if collection is None:
        return {"collection": None, "job": None, "userErrors": [user_error(["id"], MISSING)]}
    errors = _complaints(call, given, collection)
    if errors:
        return {"collection": collection, "job": None, "userErrors": errors}
    fields = _fields(given)
    if given.get("handle"):
        fields["handle"] = handle_of(given["handle"])
    changed = {name: value for name, value in fields.items() if getattr(collection, name) != value}
    if changed:
        store.collections.update(collection, **changed)
    call.context.record("Collection", collection.id, **{name: given[name] for name in given if name != "id"})
    return {"collection": collection, "job": job() if "rules" in changed else None, "userErrors": []}


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    fields = {own: given[name] for name, own in PLAIN.items() if name in given}
    if "description_html" in fields:
        fields["description_html"] = fields["description_html"] or ""
    seo = given.get("seo") or {}
    for name in ("title", "description"):
        if name in seo:
            fields[f"seo_{name}"] = seo[name] or None
    if given.get("ruleSet"):
        fields["rules"] = _rules(given["ruleSet"])
    return fields


def _rules(given: Mapping[str, Any]) -> RuleSet:
    rules = (Rule(one["column"], one["relation"], one["condition"]) for one in given.get("rules") or ())
    return RuleSet(tuple(rules), given["appliedDisjunctively"])


def _complaints(call: Call, given: Mapping[str, Any], collection: Collection | None) -> list[UserError]:
    errors: list[UserError] = []
    if (collection is None or "title" in given) and not (given.get("title") or "").strip():
        errors.append(user_error(["title"], "Title can't be blank"))
    for name in ("title", "handle"):
        if len(given.get(name) or "") > LONGEST:
            message = f"{name.capitalize()} is too long (maximum is {LONGEST} characters)"
            errors.append(user_error([name], message))
    collections = call.context.store.collections
    holder = collections.by_handle.get(handle_of(given.get("handle") or ""))
    if holder is not None and (collection is None or holder != collection.id):
        errors.append(user_error(["handle"], "Handle has already been taken"))
    if given.get("ruleSet"):
        if collection is not None and collection.rules is None:
            errors.append(user_error(["ruleSet"], "Cannot update a custom collection with a rule set"))
        wrong = filter(None, map(complaint, _rules(given["ruleSet"]).rules))
        errors.extend(user_error(["ruleSet", "rules"], message) for message in wrong)
    errors.extend(_missing_products(call, given.get("products") or (), ["products"]))
    return errors


def _missing_products(call: Call, texts: Any, at: list[str]) -> list[UserError]:
    products = call.context.store.products
    return [
        user_error(at, "Product does not exist") for text in texts if (number_of(text, "Product") or 0) not in products
    ]


def _delete(call: Call) -> Payload:
    store = call.context.store
    collection = _find(call, call.args["input"]["id"])
    if collection is None:
        return {"deletedCollectionId": None, "shop": store.shop, "userErrors": [user_error(["id"], MISSING)]}
    store.delete_collection(collection)
    call.context.record("Collection", collection.id, deleted=True)
    return {"deletedCollectionId": gid("Collection", collection.id), "shop": store.shop, "userErrors": []}


def _add(call: Call) -> Payload:
    collection, errors = _writable(call)
    if collection is None or errors:
        return {"collection": None, "job": None, "userErrors": errors}
    wanted = [number_of(text, "Product") or 0 for text in call.args["productIds"]]
    collections = call.context.store.collections
    if call.name == "collectionAddProducts" and not collections.members[collection.id].keys().isdisjoint(wanted):
        # The schema of its argument: "If any of the products is already present in the input collection, then an error
        # is raised and no products are added." Its errors have no code. V2 says nothing of the kind.
        return {"collection": None, "job": None, "userErrors": [user_error(["productIds"], ALREADY_IN)]}
    collections.add_products(collection, wanted)
    call.context.record("Collection", collection.id, added=call.args["productIds"])
    return {"collection": collection, "job": job(), "userErrors": []}


def _remove(call: Call) -> Payload:
    """Products that are not in the collection, or not there at all, are no error."""
    collection, errors = _writable(call, needs_products=False)
    if collection is None or errors:
        return {"job": None, "userErrors": errors}
    wanted = [number_of(text, "Product") or 0 for text in call.args["productIds"]]
    call.context.store.collections.remove_products(collection, wanted)
    call.context.record("Collection", collection.id, removed=call.args["productIds"])
    return {"job": job(), "userErrors": []}


def _writable(call: Call, *, needs_products: bool = True) -> tuple[Collection | None, list[UserError]]:
    collection = _find(call, call.args["id"])
    if collection is None:
        return None, [user_error(["id"], MISSING, "COLLECTION_DOES_NOT_EXIST")]
    if collection.rules is not None:
        message = SMART if needs_products else "Can't manually remove products from a smart collection"
        return collection, [user_error(["id"], message, "CANT_ADD_TO_SMART_COLLECTION" if needs_products else None)]
    missing = _missing_products(call, call.args["productIds"], ["productIds"]) if needs_products else []
    return collection, missing


def _find(call: Call, text: str) -> Collection | None:
    return call.context.store.collections.by_id.get(number_of(text, "Collection") or 0)


MUTATIONS: dict[str, Resolver] = {
    "collectionCreate": mutation(_create, _check),
    "collectionUpdate": mutation(_update, _check),
    "collectionDelete": mutation(_delete),
    "collectionAddProducts": mutation(_add),
    "collectionAddProductsV2": mutation(_add),
    "collectionRemoveProducts": mutation(_remove),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "CollectionCreatePayload": entries("collection", "userErrors"),
    "CollectionUpdatePayload": entries("collection", "job", "userErrors"),
    "CollectionDeletePayload": entries("deletedCollectionId", "shop", "userErrors"),
    "CollectionAddProductsPayload": entries("collection", "userErrors"),
    "CollectionAddProductsV2Payload": entries("job", "userErrors"),
    "CollectionAddProductsV2UserError": entries("field", "message", "code"),
    "CollectionRemoveProductsPayload": entries("job", "userErrors"),
}
