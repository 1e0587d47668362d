"""The queries served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, Run, many, single
from syncline.sandbox.shopify.connections import not_served, refuse_argument, search_argument, searched
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_content import MEDIA_TYPES
from syncline.sandbox.shopify.ids import GlobalId, parse_gid
from syncline.sandbox.shopify.problems import FieldFailed, Refused
from syncline.sandbox.shopify.resolvers_orders import recent_only
from syncline.sandbox.shopify.schema import VERSIONS
from syncline.sandbox.shopify.search import INDEXED

Find = Callable[[Context, GlobalId], Any]


def _level(context: Context, wanted: GlobalId) -> Any:
    if wanted.item_id is None:
        return None
    found = (
        context.store.levels.get((wanted.item_id, at.id))
        for at in context.store.locations.values()
        if at.level_number == wanted.number
    )
    return next(found, None)


def _order(context: Context, wanted: GlobalId) -> Any:
    found, is_seen = context.store.sales.orders.get(wanted.number), recent_only(context)
    return found if found is None or is_seen is None or is_seen(found) else None


def _media(context: Context, wanted: GlobalId) -> Any:
    found = context.store.media.by_id.get(wanted.number)
    return found if found is not None and found.type_name == wanted.kind else None


NODES: dict[str, Find] = {
    "Product": lambda context, wanted: context.store.products.get(wanted.number),
    "ProductVariant": lambda context, wanted: context.store.variants.get(wanted.number),
    "InventoryItem": lambda context, wanted: context.store.items.get(wanted.number),
    "InventoryLevel": _level,
    "Location": lambda context, wanted: context.store.locations.get(wanted.number),
    "Order": _order,
    "LineItem": lambda context, wanted: context.store.sales.lines.get(wanted.number),
    "Refund": lambda context, wanted: context.store.sales.refunds.get(wanted.number),
    "Fulfillment": lambda context, wanted: context.store.sales.fulfillments.get(wanted.number),
    "OrderTransaction": lambda context, wanted: context.store.sales.transactions.get(wanted.number),
    "Customer": lambda context, wanted: context.store.sales.customers.get(wanted.number),
    "MailingAddress": lambda context, wanted: context.store.sales.addresses.get(wanted.number),
    "Collection": lambda context, wanted: context.store.collections.by_id.get(wanted.number),
    "Metafield": lambda context, wanted: context.store.metafields.by_id.get(wanted.number),
    **dict.fromkeys(MEDIA_TYPES.values(), _media),
    "BasicEvent": lambda context, wanted: context.store.find_event(wanted.number),
    "Shop": lambda context, wanted: context.store.shop if wanted.number == context.store.shop.id else None,
    "ProductSetOperation": lambda context, wanted: context.world.product_operations.get(wanted.number),
    "BulkOperation": lambda context, wanted: context.world.bulk.operations.get(wanted.number),
}


def find_node(context: Context, text: str) -> Any:
    """The entity of any served kind; None when there is none or the kind is not one the store holds."""
    wanted = parse_gid(text)
    find = NODES.get(wanted.kind) if wanted else None
    return find(context, wanted) if find and wanted else None


def _by_id(kind: str) -> Resolver:
    """`product(id:)` and its like: null for an id nothing has, an error for another kind's id."""

    def resolver(call: Call) -> Run:
        wanted = parse_gid(call.args["id"])
        child = call.child()
        context = call.context

        def run(_: Any) -> Any:
            if wanted is None or wanted.kind != kind:
                raise FieldFailed("Invalid id", {"code": "RESOURCE_NOT_FOUND"})
            found = NODES[kind](context, wanted)
            return None if found is None else child(found)

        return run

    return resolver


def _node(call: Call) -> Run:
    child = call.child()
    text, context = call.args["id"], call.context

    def run(_: Any) -> Any:
        found = find_node(context, text)
        return None if found is None else child(found)

    return run


def _nodes(call: Call) -> Run:
    child = call.child()
    texts, context = call.args["ids"], call.context

    def run(_: Any) -> Any:
        found = [find_node(context, text) for text in texts]
        return [None if one is None else child(one) for one in found]

    return run


def _by_identifier(kind: str, by_handle: Callable[[Context], Callable[[str], Any]]) -> Resolver:
    """`productByIdentifier` and `collectionByIdentifier`: by id or handle."""

    def resolver(call: Call) -> Run:
        identifier = call.args["identifier"]
        if "customId" in identifier:
            raise Refused([not_served(call, f"Finding a {kind.lower()} by customId")])
        child = call.child()
        context = call.context

        def run(_: Any) -> Any:
            if "handle" in identifier:
                found = by_handle(context)(identifier["handle"])
            else:
                wanted = parse_gid(identifier["id"])
                found = NODES[kind](context, wanted) if wanted and wanted.kind == kind else None
            return None if found is None else child(found)

        return run

    return resolver


def _collection_by_handle(call: Call) -> Run:
    find, handle = _find_collection(call.context), call.args["handle"]
    child = call.child()

    def run(_: Any) -> Any:
        found = find(handle)
        return None if found is None else child(found)

    return run


def _find_collection(context: Context) -> Callable[[str], Any]:
    collections = context.store.collections
    return lambda handle: collections.by_id.get(collections.by_handle.get(handle, 0))


def _job(call: Call) -> Run:
    """Jobs are done at once, so any id that could be one's is a finished one."""
    wanted = parse_gid(call.args["id"])
    child = call.child()
    found = {"id": call.args["id"], "done": True}
    return lambda _: child(found) if wanted and wanted.kind == "Job" else None


def _count(
    kind: str,
    total: Callable[[Context], int],
    *,
    ignores_query: bool = False,
    keep: Callable[[Context], Callable[[Any], bool] | None] | None = None,
) -> Resolver:
    """A count, cut at `limit` (default 10,000). productVariantsCount ignores its filter and calls that EXACT, as
    measured on a live store in August 2026. `keep` tells what the token may see, None for everything."""

    def resolver(call: Call) -> Run:
        child = call.child()
        context = call.context
        limit = call.args.get("limit")
        refuse_argument(call, "savedSearchId")
        search = None if ignores_query else search_argument(call, kind)
        kept = keep(context) if keep else None

        def run(_: Any) -> Any:
            if kept is not None:
                matches = search.matches if search else lambda _: True
                found = sum(1 for one in INDEXED[kind](context.store).values() if kept(one) and matches(one))
            elif search is None:
                found = total(context)
            elif kind == "events":
                found = sum(1 for event in context.store.events if search.matches(event))
            else:
                found = len(search.keys())
            is_cut = limit is not None and found > limit
            return child({"count": limit if is_cut else found, "precision": "AT_LEAST" if is_cut else "EXACT"})

        return run

    return resolver


def _is_shown(call: Call) -> Run:
    """Inactive locations only when asked for."""
    inactive = call.args.get("includeInactive")
    return lambda location: location.is_active or bool(inactive)


def _location(call: Call) -> Run:
    """Without an id: the shop's first location."""
    text = call.args.get("id")
    child = call.child()
    context = call.context

    def run(_: Any) -> Any:
        first = next(iter(context.store.locations.values()), None)
        found = first if text is None else find_node(context, text)
        return None if found is None else child(found)

    return run


def _versions(context: Context) -> Run:
    served = context.world.options.versions
    newest = max((one for one in served if one != "unstable"), default="")
    shown = [
        {
            "handle": one,
            "displayName": f"{one} (Latest)" if one == newest else one,
            "supported": one in served and one != "unstable",
        }
        for one in VERSIONS
    ]
    return lambda _: shown


QUERY: dict[str, Resolver] = {
    "shop": single(lambda context: lambda _: context.store.shop),
    "currentAppInstallation": single(lambda _: lambda _entity: {"id": "gid://shopify/AppInstallation/1"}),
    "publicApiVersions": many(_versions),
    "product": _by_id("Product"),
    "productByIdentifier": _by_identifier("Product", lambda context: context.store.find_product_by_handle),
    "products": searched("products", lambda context: context.store.products.__getitem__),
    "productsCount": _count("products", lambda context: len(context.store.products)),
    "productVariant": _by_id("ProductVariant"),
    "productVariants": searched("variants", lambda context: context.store.variants.__getitem__),
    "productVariantsCount": _count("variants", lambda context: len(context.store.variants), ignores_query=True),
    "inventoryItem": _by_id("InventoryItem"),
    "inventoryItems": searched("items", lambda context: context.store.items.__getitem__),
    "inventoryLevel": _by_id("InventoryLevel"),
    "location": _location,
    "locations": searched("locations", lambda context: context.store.locations.__getitem__, _is_shown),
    "locationsCount": _count(
        "locations", lambda context: sum(1 for at in context.store.locations.values() if at.is_active)
    ),
    "order": _by_id("Order"),
    "orders": searched(
        "orders", lambda context: context.store.sales.orders.__getitem__, lambda call: recent_only(call.context)
    ),
    "ordersCount": _count("orders", lambda context: len(context.store.sales.orders), keep=recent_only),
    "customer": _by_id("Customer"),
    "customers": searched("customers", lambda context: context.store.sales.customers.__getitem__),
    "customersCount": _count("counted_customers", lambda context: len(context.store.sales.customers)),
    "collection": _by_id("Collection"),
    "collectionByHandle": _collection_by_handle,
    "collectionByIdentifier": _by_identifier("Collection", _find_collection),
    "collections": searched("collections", lambda context: context.store.collections.by_id.__getitem__),
    "collectionsCount": _count("collections", lambda context: len(context.store.collections.by_id)),
    "events": searched("events", lambda context: context.store.find_event),
    "eventsCount": _count("events", lambda context: len(context.store.events)),
    "node": _node,
    "nodes": _nodes,
    "job": _job,
    "productOperation": _by_id("ProductSetOperation"),
}

TYPES: dict[str, dict[str, Resolver]] = {"QueryRoot": QUERY}
