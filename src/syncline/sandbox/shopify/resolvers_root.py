"""The queries served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, Run, many, single
from syncline.sandbox.shopify.connections import searched
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import GlobalId, parse_gid
from syncline.sandbox.shopify.problems import FieldFailed, Problem, Refused, locations
from syncline.sandbox.shopify.schema import VERSIONS
from syncline.sandbox.shopify.search import SearchNotServedError, compile_search

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


NODES: dict[str, Find] = {
    "Product": lambda context, wanted: context.store.products.get(wanted.number),
    "ProductVariant": lambda context, wanted: context.store.variants.get(wanted.number),
    "InventoryItem": lambda context, wanted: context.store.items.get(wanted.number),
    "InventoryLevel": _level,
    "Location": lambda context, wanted: context.store.locations.get(wanted.number),
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


def _product_by_identifier(call: Call) -> Run:
    identifier = call.args["identifier"]
    if "customId" in identifier:
        raise Refused([_not_served(call, "Finding a product by customId")])
    child = call.child()
    store = call.context.store

    def run(_: Any) -> Any:
        if "handle" in identifier:
            found = store.find_product_by_handle(identifier["handle"])
        else:
            wanted = parse_gid(identifier["id"])
            found = store.products.get(wanted.number) if wanted and wanted.kind == "Product" else None
        return None if found is None else child(found)

    return run


def _not_served(call: Call, what: str) -> Problem:
    extensions = {"code": "NOT_SERVED", "typeName": call.parent.name, "fieldName": call.name}
    return Problem(f"{what} is not served by the sandbox.", extensions, locations(call.nodes[0]), call.path)


def _count(kind: str, total: Callable[[Context], int], *, ignores_query: bool = False) -> Resolver:
    """A count, cut at `limit` (default 10,000). productVariantsCount ignores its filter and calls that EXACT, as
    measured on a live store in August 2026."""

    def resolver(call: Call) -> Run:
        child = call.child()
        context = call.context
        limit = call.args.get("limit")
        text = None if ignores_query else call.args.get("query")
        try:
            search = compile_search(context.store, kind, text) if text else None
        except SearchNotServedError as error:
            extensions = {"code": "NOT_SERVED", "typeName": call.parent.name, "fieldName": call.name}
            raise Refused([Problem(str(error), extensions, locations(call.nodes[0]), call.path)]) from error
        if search and search.warnings:
            context.searches.append(search.extension(call.path))

        def run(_: Any) -> Any:
            if search is None:
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
    "productByIdentifier": _product_by_identifier,
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
    "events": searched("events", lambda context: context.store.find_event),
    "eventsCount": _count("events", lambda context: len(context.store.events)),
    "node": _node,
    "nodes": _nodes,
    "productOperation": _by_id("ProductSetOperation"),
}

TYPES: dict[str, dict[str, Resolver]] = {"QueryRoot": QUERY}
