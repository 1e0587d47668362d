"""Collections, the products in them, and the collections of a product."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, leaf, many, single
from syncline.sandbox.shopify.connections import keyed, listed, not_served
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities import Product
from syncline.sandbox.shopify.entities_content import Collection
from syncline.sandbox.shopify.ids import gid, parse_gid
from syncline.sandbox.shopify.ordering import Key
from syncline.sandbox.shopify.problems import Refused
from syncline.sandbox.shopify.resolvers_metafields import metafields_of
from syncline.sandbox.shopify.resolvers_texts import plain_text
from syncline.sandbox.shopify.state import Store

Value = Callable[[Product, int], Any]
"""What a product is sorted by, from itself and its place in the collection."""
LAST_CHARACTER = 0x10FFFF


def _cheapest(store: Store, product: Product) -> int:
    return int(min(Decimal(variant.price) for variant in store.variants_of(product)) * 100)


def _mirrored(text: str) -> str:
    """Sorts backwards: each letter stands for the one as far from the end of Unicode."""
    return "".join(chr(LAST_CHARACTER - ord(letter)) for letter in text) + chr(LAST_CHARACTER)


def _values(store: Store) -> dict[str, Value]:
    """By `ProductCollectionSortKeys` and `CollectionSortOrder`. What sells best and what is most relevant is not known
    here: collections in these orders come by id, and the sort keys are not served."""
    by_id: Value = lambda product, _: product.id  # noqa: E731
    return {
        "ID": by_id,
        "TITLE": lambda product, _: product.title.casefold(),
        "CREATED": lambda product, _: product.created_at,
        "PRICE": lambda product, _: _cheapest(store, product),
        "MANUAL": lambda _, place: place,
        "BEST_SELLING order": by_id,
        "MOST_RELEVANT order": by_id,
        "MANUAL order": lambda _, place: place,
        "ALPHA_ASC order": lambda product, _: product.title.casefold(),
        "ALPHA_DESC order": lambda product, _: _mirrored(product.title.casefold()),
        "CREATED order": lambda product, _: product.created_at,
        "CREATED_DESC order": lambda product, _: -int(product.created_at.timestamp()),
        "PRICE_ASC order": lambda product, _: _cheapest(store, product),
        "PRICE_DESC order": lambda product, _: -_cheapest(store, product),
    }


def _product_keys(call: Call) -> Callable[[Collection], list[Key]]:
    sort_key = call.args.get("sortKey") or "COLLECTION_DEFAULT"
    store = call.context.store
    values = _values(store)
    if sort_key != "COLLECTION_DEFAULT" and sort_key not in values:
        raise Refused([not_served(call, f"The sort key {sort_key} of {call.parent.name}.{call.name}")])

    def keys(collection: Collection) -> list[Key]:
        name = f"{collection.sort_order} order" if sort_key == "COLLECTION_DEFAULT" else sort_key
        value, members = values[name], store.collections.members.get(collection.id, {})
        return sorted((value(store.products[number], place), number) for number, place in members.items())

    return keys


def _has_product(call: Call) -> Run:
    wanted = parse_gid(call.args["id"])
    number = wanted.number if wanted and wanted.kind == "Product" else 0
    members = call.context.store.collections.members
    return lambda collection: number in members[collection.id]


def _in_collection(call: Call) -> Run:
    wanted = parse_gid(call.args["id"])
    number = wanted.number if wanted and wanted.kind == "Collection" else 0
    members = call.context.store.collections.members
    return lambda product: product.id in members.get(number, ())


def _description(call: Call) -> Run:
    length = call.args.get("truncateAt")
    return lambda collection: plain_text(collection.description_html, length)


def _of_product(context: Context, _: dict[str, Any]) -> Items:
    collections = context.store.collections
    of_product = collections.of_product
    return lambda product: [collections.by_id[number] for number in sorted(of_product.get(product.id, ()))]


PRODUCT: dict[str, Resolver] = {
    "collections": listed(
        _of_product,
        {
            "ID": lambda collection: collection.id,
            "TITLE": lambda collection: collection.title.casefold(),
            "UPDATED_AT": lambda collection: collection.updated_at,
        },
        kind="collections",
    ),
    "inCollection": _in_collection,
}

TYPES: dict[str, dict[str, Resolver]] = {
    "Collection": {
        "id": leaf(lambda collection: gid("Collection", collection.id)),
        "legacyResourceId": leaf(lambda collection: str(collection.id)),
        "title": leaf(lambda collection: collection.title),
        "handle": leaf(lambda collection: collection.handle),
        "description": _description,
        "descriptionHtml": leaf(lambda collection: collection.description_html),
        "sortOrder": leaf(lambda collection: collection.sort_order),
        "templateSuffix": leaf(lambda collection: collection.template_suffix),
        "seo": single(lambda _: lambda collection: collection),
        "image": single(lambda _: lambda _collection: None),
        "updatedAt": leaf(lambda collection: moment(collection.updated_at)),
        "ruleSet": single(lambda _: lambda collection: collection.rules),
        "products": keyed(_product_keys, lambda context: context.store.products.__getitem__),
        "productsCount": single(
            lambda context: (
                lambda collection: {
                    "count": len(context.store.collections.members[collection.id]),
                    "precision": "EXACT",
                }
            )
        ),
        "hasProduct": _has_product,
        **metafields_of("Collection"),
    },
    "CollectionRuleSet": {
        "appliedDisjunctively": leaf(lambda rules: rules.disjunctive),
        "rules": many(lambda _: lambda rules: rules.rules),
    },
    "CollectionRule": {
        "column": leaf(lambda rule: rule.column),
        "relation": leaf(lambda rule: rule.relation),
        "condition": leaf(lambda rule: rule.condition),
    },
}
