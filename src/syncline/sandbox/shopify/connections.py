"""Connections: pages of entities with cursors, by Shopify's rules for `first`, `last`, `after`, `before`, `reverse`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from graphql import get_named_type

from syncline.sandbox.shopify.compiler import SKIPPED, Call, Items, Resolver, Run
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.cost import Size
from syncline.sandbox.shopify.cursors import decode_cursor, encode_cursor
from syncline.sandbox.shopify.ordering import Key, Ordering
from syncline.sandbox.shopify.problems import Problem, Refused, bad_request, locations
from syncline.sandbox.shopify.search import INDEXED, Search, SearchNotServedError, compile_search

MAX_PAGE = 250


@dataclass(slots=True)
class Page:
    """One page. `keys` line up with `entities`."""

    entities: Sequence[Any]
    keys: Sequence[Key]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The paging arguments of one connection, checked."""

    count: int
    from_end: bool
    after: str | None
    before: str | None
    reverse: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where a connection's entities come from, for one parent: their keys in ascending order, and each by its key."""

    keys: Sequence[Key]
    entity: Callable[[Key], Any]


Sources = Callable[[Any], Source]


def listed(
    items: Callable[[Context, dict[str, Any]], Items],
    sorts: dict[str | None, Callable[[Any], Any]],
    kind: str | None = None,
) -> Resolver:
    """A connection over the few children of an entity. `sorts` maps each served sort key (None: the field has none) to
    the value sorted by; the first is the default and the order `items` come in. `kind` names the search filters of the
    field's `query`, if it has one."""

    def sources(call: Call) -> Sources:
        get = _narrowed(call, kind, items(call.context, call.args))
        sort_key = call.args.get("sortKey")
        value = _served_sort(call, sorts, sort_key)
        natural = next(iter(sorts)) == sort_key

        def source(parent: Any) -> Source:
            by_key = {(value(entity), entity.id): entity for entity in get(parent)}
            return Source(list(by_key) if natural else sorted(by_key), by_key.__getitem__)

        return source

    return _connection(sources, lambda call: _narrowed(call, kind, items(call.context, call.args)))


def _narrowed(call: Call, kind: str | None, items: Items) -> Items:
    search = search_argument(call, kind) if kind else None
    if search is None:
        return items
    matches = search.matches
    return lambda parent: filter(matches, items(parent))


def keyed(keys: Callable[[Call], Callable[[Any], Sequence[Key]]], entity: Callable[[Context], Run]) -> Resolver:
    """A connection whose order depends on its parent: `keys` of a parent, ascending, and the `entity` of an id."""

    def sources(call: Call) -> Sources:
        keys_of, by_id = keys(call), entity(call.context)
        return lambda parent: Source(keys_of(parent), lambda key: by_id(key[1]))

    def everything(call: Call) -> Items:
        keys_of, by_id = keys(call), entity(call.context)
        return lambda parent: [by_id(number) for _, number in keys_of(parent)]

    return _connection(sources, everything)


def empty(call: Call) -> Run:
    """A connection with nothing in it, whatever its nodes would be. In bulk it leaves no line."""
    if call.compiler.line is not None:
        return SKIPPED
    window = _window(call)
    nothing = Source([], lambda key: key)
    fields = call.compiler.collect(call.named, call.sets)
    info = {name: nodes for name, nodes in fields.items() if nodes[0].name.value == "pageInfo"}
    shown = {
        name: call.compiler.below(
            get_named_type(call.named.fields["pageInfo"].type),
            [one.selection_set for one in nodes if one.selection_set],
            (*call.path, name),
        )
        for name, nodes in info.items()
    }
    limit = call.context.world.options.pagination_limit

    def run(_: Any) -> Any:
        found = page(nothing, window, limit, call)
        return {name: shown[name](found) if name in shown else [] for name in fields}

    return run


def searched(
    kind: str, table: Callable[[Context], Callable[[int], Any]], keep: Callable[[Call], Run | None] | None = None
) -> Resolver:
    """A root connection over all entities of `kind` in the store, with `query` and `sortKey`. `keep` narrows it by the
    field's own arguments or by what the token may see; None when it need not."""

    def sources(call: Call) -> Sources:
        sort_key = call.args.get("sortKey") or "ID"
        ordering: Ordering[Any] = _served_sort(call, call.context.store.orders(kind), sort_key)
        by_id = table(call.context)
        search = search_argument(call, kind)
        kept = keep(call) if keep else None

        def source(_: Any) -> Source:
            keys = ordering.keys() if search is None else _matching(search, ordering, sort_key, by_id)
            if kept is not None:
                keys = [key for key in keys if kept(by_id(key[1]))]
            return Source(keys, lambda key: by_id(key[1]))

        return source

    def everything(call: Call) -> Items:
        source = sources(call)

        def items(parent: Any) -> Iterable[Any]:
            found = source(parent)
            return map(found.entity, found.keys)

        return items

    return _connection(sources, everything)


def ordered(order: Callable[[Context, dict[str, Any]], Callable[[Any], Ordering[Any]]], entity: Any) -> Resolver:
    """A connection over many children of an entity, kept in order by the store. `entity(context, parent, key)` is the
    child of a key."""

    def sources(call: Call) -> Sources:
        ordering = order(call.context, call.args)
        search = search_argument(call, "levels")
        context = call.context

        def source(parent: Any) -> Source:
            by_key = partial(entity, context, parent)
            keys = ordering(parent).keys()
            if search is not None:
                keys = [key for key in keys if search.matches(by_key(key))]
            return Source(keys, by_key)

        return source

    def everything(call: Call) -> Items:
        source = sources(call)

        def items(parent: Any) -> Iterable[Any]:
            found = source(parent)
            return map(found.entity, found.keys)

        return items

    return _connection(sources, everything)


def _connection(sources: Callable[[Call], Sources], everything: Callable[[Call], Items]) -> Resolver:
    def resolver(call: Call) -> Run:
        if call.compiler.line is not None:
            node = get_named_type(call.named.fields["nodes"].type)
            below = partial(_bulk_node, call, node)
            return call.compiler.bulk_connection(call.path[-1], node.name, everything(call), below)
        window = _window(call)
        source = sources(call)
        render = _renderer(call)
        size = call.context.sizes.setdefault(call.path, Size())
        limit = call.context.world.options.pagination_limit

        def run(parent: Any) -> Any:
            found = page(source(parent), window, limit, call)
            size.parents += 1
            size.nodes += len(found.entities)
            return render(found)

        return run

    return resolver


def _bulk_node(call: Call, node: Any) -> Run:
    """The selection of `edges { node { ... } }`, whatever the query calls them."""
    compiler = call.compiler
    edges = [one for nodes in compiler.collect(call.named, call.sets).values() for one in nodes]
    sets = [one.selection_set for one in edges if one.name.value == "edges" and one.selection_set]
    edge = get_named_type(call.named.fields["edges"].type)
    inner = [one for nodes in compiler.collect(edge, sets).values() for one in nodes]
    node_sets = [one.selection_set for one in inner if one.name.value == "node" and one.selection_set]
    return compiler.below(node, node_sets, call.path)


def _served_sort(call: Call, sorts: Any, sort_key: str | None) -> Any:
    if sort_key not in sorts:
        raise Refused([not_served(call, f"The sort key {sort_key} of {call.parent.name}.{call.name}")])
    return sorts[sort_key]


def not_served(call: Call, what: str) -> Problem:
    extensions = {"code": "NOT_SERVED", "typeName": call.parent.name, "fieldName": call.name}
    return Problem(f"{what} is not served by the sandbox.", extensions, locations(call.nodes[0]), call.path)


def refuse_argument(call: Call, name: str) -> None:
    """Raises `Refused` when an argument the sandbox would have to ignore is given."""
    if call.args.get(name) not in (None, False):
        raise Refused([not_served(call, f"The argument {name} of {call.parent.name}.{call.name}")])


def search_argument(call: Call, kind: str) -> Search | None:
    """The compiled `query` argument; its warnings go to `extensions.search`."""
    text = call.args.get("query")
    if call.args.get("savedSearchId") is not None:
        raise Refused([not_served(call, "savedSearchId")])
    if not text:
        return None
    context = call.context
    try:
        search = compile_search(context.store, kind, text)
    except SearchNotServedError as error:
        extensions = {"code": "NOT_SERVED", "typeName": call.parent.name, "fieldName": call.name}
        raise Refused([Problem(str(error), extensions, locations(call.nodes[0]), call.path)]) from error
    if search.warnings or context.search_debug:
        context.searches.append(search.extension(call.path))
    return search


def _matching(search: Search, ordering: Ordering[Any], sort_key: str, by_id: Callable[[int], Any]) -> list[Key]:
    if search.resource in INDEXED:
        return search.keys(sort_key)
    keys = ordering.keys()
    return [key for key in keys if search.matches(by_id(key[1]))]


def _window(call: Call) -> Window:
    args = call.args
    first, last = args.get("first"), args.get("last")
    wrong = None
    if first is None and last is None:
        wrong = "you must provide one of first or last"
    elif first is not None and last is not None:
        wrong = "providing both first and last is not supported"
    for name, value in (("first", first), ("last", last)):
        if value is not None and value > MAX_PAGE:
            wrong = (
                f"{name} cannot exceed {MAX_PAGE}. To query larger amounts of data with fewer limits, bulk operations "
                "should be used instead."
            )
        elif value is not None and value < 0:
            wrong = f"{name} must be greater than or equal to 0"
    if wrong:
        raise Refused([bad_request(wrong, call.nodes[0], call.path)])
    return Window(
        count=first if first is not None else last or 0,
        from_end=first is None,
        after=args.get("after"),
        before=args.get("before"),
        reverse=bool(args.get("reverse")),
    )


def page(source: Source, window: Window, limit: int, call: Call) -> Page:
    """The window's entities. Raises `Refused` for a bad cursor, or past the pagination limit."""
    keys = source.keys
    low, high = _bounds(keys, window, call)
    if low >= limit:
        message = f"Pagination is limited to {limit} objects. Narrow the query with a filter to reach the rest."
        raise Refused([bad_request(message, call.nodes[0], call.path)])
    chosen = list(islice(_walk(len(keys), low, high, window), window.count))
    if window.from_end:
        chosen.reverse()
    more = high - low > len(chosen)
    picked = [keys[at] for at in chosen]
    entity = source.entity
    return Page(
        [entity(key) for key in picked],
        picked,
        has_next=more if not window.from_end else high < len(keys),
        has_previous=more if window.from_end else low > 0,
    )


def _bounds(keys: Sequence[Key], window: Window, call: Call) -> tuple[int, int]:
    """Places in reading order: the first of the window and the one after its last."""
    low, high = 0, len(keys)
    if window.after is not None and keys:
        low = _place(keys, window.after, window.reverse, call, is_after=True)
    if window.before is not None and keys:
        high = _place(keys, window.before, window.reverse, call, is_after=False)
    return low, max(low, high)


def _place(keys: Sequence[Key], cursor: str, reverse: bool, call: Call, *, is_after: bool) -> int:
    try:
        key = decode_cursor(cursor, keys[0][0])
    except ValueError as error:
        message = "Invalid cursor for current pagination sort."
        raise Refused([bad_request(message, call.nodes[0], call.path)]) from error
    at = _below(keys, key)
    is_there = at < len(keys) and keys[at] == key
    if reverse:
        at = len(keys) - at - is_there
    return at + (is_there if is_after else 0)


def _below(keys: Sequence[Key], key: Key) -> int:
    """How many keys are below `key`."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


def _walk(length: int, low: int, high: int, window: Window) -> Iterable[int]:
    places = range(high - 1, low - 1, -1) if window.from_end else range(low, high)
    return (length - 1 - at for at in places) if window.reverse else places


def _renderer(call: Call) -> Callable[[Page], Any]:
    """What the query asks of the connection object itself."""
    compiler = call.compiler
    pairs: list[tuple[str, Callable[[Page], Any]]] = []
    for name, nodes in compiler.collect(call.named, call.sets).items():
        field = nodes[0].name.value
        path = (*call.path, name)
        sets = [one.selection_set for one in nodes if one.selection_set]
        target = get_named_type(call.named.fields[field].type) if field != "__typename" else None
        if field == "nodes":
            pairs.append((name, _nodes(compiler.below(target, sets, path))))
        elif field == "edges":
            pairs.append((name, _edges(call, target, sets, path)))
        elif field == "pageInfo":
            pairs.append((name, compiler.below(target, sets, path)))
        elif field == "__typename":
            pairs.append((name, partial(_constant, call.named.name)))
        else:
            compiler.refused.append(not_served(call, f"{call.named.name}.{field}"))
    return lambda found: {name: run(found) for name, run in pairs}


def _nodes(node: Run) -> Callable[[Page], Any]:
    return lambda found: [node(entity) for entity in found.entities]


def _edges(call: Call, edge: Any, sets: list[Any], path: tuple[str, ...]) -> Callable[[Page], Any]:
    pairs: list[tuple[str, Callable[[Any, Key], Any]]] = []
    compiler = call.compiler
    for name, nodes in compiler.collect(edge, sets).items():
        field = nodes[0].name.value
        if field == "cursor":
            pairs.append((name, lambda _, key: encode_cursor(key)))
        elif field == "node":
            target = get_named_type(edge.fields["node"].type)
            inner = [one.selection_set for one in nodes if one.selection_set]
            pairs.append((name, _ignoring_key(compiler.below(target, inner, (*path, name)))))
        else:
            pairs.append((name, _typename(edge.name)))
    return lambda found: [
        {name: run(entity, key) for name, run in pairs} for entity, key in zip(found.entities, found.keys, strict=True)
    ]


def _ignoring_key(run: Run) -> Callable[[Any, Key], Any]:
    return lambda entity, _: run(entity)


def _typename(name: str) -> Callable[[Any, Key], Any]:
    return lambda _entity, _key: name


def _constant(value: str, _: Any) -> str:
    return value


PAGE_INFO: dict[str, Resolver] = {
    "hasNextPage": lambda _: lambda found: found.has_next,
    "hasPreviousPage": lambda _: lambda found: found.has_previous,
    "startCursor": lambda _: lambda found: encode_cursor(found.keys[0]) if found.keys else None,
    "endCursor": lambda _: lambda found: encode_cursor(found.keys[-1]) if found.keys else None,
}
