"""A merchant's edits of collections, media and metafields.

{"action": "create", "kind": "collection", "set": {"title": "Sale", "products": [7, ...]}}
{"action": "create", "kind": "collection", "set": {"title": "Wool", "rules": [{"column": "TAG", ...}]}}
{"kind": "collection", "id": 48, "set": {"title": "..."}}                                        delete too
{"action": "add" | "remove", "kind": "collection", "id": 48, "products": [7, ...]}
{"action": "create", "kind": "media", "product": 7, "set": {"url": "https://...", "alt": "..."}}
{"kind": "media", "id": 38, "set": {"alt": "..."}}
{"action": "delete", "kind": "media", "id": 38, "product": 7}                                    of all without one
{"action": "arrange", "kind": "media", "product": 7, "media": [39, 38]}
{"kind": "metafield", "owner": "gid://shopify/Product/7", "set": {"namespace": "custom", "key": "care",
 "type": "single_line_text_field", "value": "..."}}                                              makes it, too
{"action": "delete", "kind": "metafield", "id": 39}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syncline.sandbox.shopify.edit_input import Apply, Edit, EditError, found, known, number, shown
from syncline.sandbox.shopify.entities_content import MEDIA_TYPES, OWNER_TYPES, Collection, Media, Rule, RuleSet
from syncline.sandbox.shopify.ids import parse_gid
from syncline.sandbox.shopify.product_input import handle_of
from syncline.sandbox.shopify.rules import complaint
from syncline.sandbox.shopify.state import Store

COLLECTION = frozenset({
    "title", "handle", "description_html", "sort_order", "template_suffix", "seo_title", "seo_description", "rules",
    "disjunctive",
})  # fmt: skip
MEDIA = frozenset({"url", "alt", "status", "preview_url", "width", "height"})


def _create_collection(store: Store, _: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    product_ids = _product_ids(store, fields.pop("products", ()))
    chosen = _collection_fields(fields)
    title = chosen.pop("title", None)
    if not title:
        raise EditError("A new collection needs a title.")
    handle = chosen.pop("handle", None) or store.collections.free_handle(handle_of(title) or "collection")
    return shown(store.collections.create(title=title, handle=handle, product_ids=product_ids, **chosen))


def _update_collection(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    collection = _collection(store, edit)
    store.collections.update(collection, **_collection_fields(fields))
    return shown(collection)


def _delete_collection(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    collection = _collection(store, edit)
    store.delete_collection(collection)
    return shown(collection)


def _add_products(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    collection = _manual(store, edit)
    store.collections.add_products(collection, _product_ids(store, edit.get("products") or ()))
    return shown(collection)


def _remove_products(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    collection = _manual(store, edit)
    store.collections.remove_products(collection, _product_ids(store, edit.get("products") or ()))
    return shown(collection)


def _collection(store: Store, edit: Edit) -> Collection:
    by_handle = store.collections.by_handle.get(str(edit.get("handle")))
    collection: Collection = found(store.collections.by_id, edit.get("id", by_handle), "collection")
    return collection


def _manual(store: Store, edit: Edit) -> Collection:
    collection = _collection(store, edit)
    if collection.rules is not None:
        raise EditError(f"The collection {collection.id} is smart: its rules choose its products.")
    return collection


def _collection_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    chosen = known(fields, COLLECTION)
    disjunctive = bool(chosen.pop("disjunctive", False))
    if "rules" in chosen:
        rules = tuple(Rule(one["column"], one["relation"], str(one.get("condition", ""))) for one in chosen["rules"])
        wrong = next(filter(None, map(complaint, rules)), None)
        if wrong:
            raise EditError(wrong)
        chosen["rules"] = RuleSet(rules, disjunctive)
    return chosen


def _product_ids(store: Store, given: Iterable[Any]) -> list[int]:
    return [found(store.products, one, "product").id for one in given]


def _create_media(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    product = found(store.products, edit.get("product"), "product")
    content_type = fields.pop("content_type", "IMAGE")
    if content_type not in MEDIA_TYPES:
        raise EditError(f"There is no content_type {content_type!r}; there are {', '.join(MEDIA_TYPES)}.")
    chosen = known(fields, MEDIA)
    url = chosen.pop("url", None)
    if not url:
        raise EditError("New media need a url.")
    return shown(store.media.add(product.id, content_type=content_type, url=url, **chosen))


def _update_media(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    media: Media = found(store.media.by_id, edit.get("id"), "media")
    store.media.update(media, **known(fields, MEDIA))
    return shown(media)


def _delete_media(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    media: Media = found(store.media.by_id, edit.get("id"), "media")
    asked = number(edit.get("product"))
    for product_id, media_ids in list(store.media.of_product.items()):
        if media.id in media_ids and asked in {0, product_id}:
            store.media.arrange(product_id, [one for one in media_ids if one != media.id])
    return shown(media)


def _arrange_media(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    product = found(store.products, edit.get("product"), "product")
    wanted = [found(store.media.by_id, one, "media").id for one in edit.get("media") or ()]
    store.media.arrange(product.id, wanted)
    return shown(product)


def _set_metafield(store: Store, edit: Edit, fields: dict[str, Any]) -> dict[str, Any]:
    if "id" in edit:
        old = found(store.metafields.by_id, edit["id"], "metafield")
        given = {"namespace": old.namespace, "key": old.key, "type": old.type, "value": old.value} | fields
        owner_type, owner_id = old.owner_type, old.owner_id
    else:
        given = {"type": "single_line_text_field"} | fields
        owner_type, owner_id = _owner(store, edit)
    chosen = known(given, frozenset({"namespace", "key", "type", "value"}))
    missing = sorted({"namespace", "key", "value"} - set(chosen))
    if missing:
        raise EditError(f"A metafield needs a {missing[0]}.")
    made = store.metafields.set(
        owner_type, owner_id, chosen["namespace"], chosen["key"], chosen["type"], str(chosen["value"])
    )
    return shown(made)


def _delete_metafield(store: Store, edit: Edit, _: dict[str, Any]) -> dict[str, Any]:
    if "id" in edit:
        metafield = found(store.metafields.by_id, edit["id"], "metafield")
    else:
        owner_type, owner_id = _owner(store, edit)
        metafield = store.metafields.find(owner_type, owner_id, str(edit.get("namespace")), str(edit.get("key")))
        if metafield is None:
            raise EditError(f"There is no metafield {edit.get('namespace')}.{edit.get('key')} of {edit.get('owner')}.")
    store.metafields.delete(metafield)
    return shown(metafield)


def _owner(store: Store, edit: Edit) -> tuple[str, int]:
    wanted = parse_gid(str(edit.get("owner")))
    if wanted is None or wanted.kind not in OWNER_TYPES or store.find(wanted.kind, wanted.number) is None:
        raise EditError(f"There is no owner {edit.get('owner')!r}; write a global id of {', '.join(OWNER_TYPES)}.")
    return wanted.kind, wanted.number


EDITS: dict[tuple[str, str], Apply] = {
    ("create", "collection"): _create_collection,
    ("update", "collection"): _update_collection,
    ("delete", "collection"): _delete_collection,
    ("add", "collection"): _add_products,
    ("remove", "collection"): _remove_products,
    ("create", "media"): _create_media,
    ("update", "media"): _update_media,
    ("delete", "media"): _delete_media,
    ("arrange", "media"): _arrange_media,
    ("create", "metafield"): _set_metafield,
    ("update", "metafield"): _set_metafield,
    ("delete", "metafield"): _delete_metafield,
}
