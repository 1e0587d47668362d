"""Compiles a connection's `query` argument into a test on the store's entities.

A term whose field the connection does not know is left out of the query and reported in `extensions.search[].warnings`;
the rest still selects. So a wrong field widens the answer without an error, as it does in Shopify.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from syncline.sandbox.shopify.ordering import Key, Ordering
from syncline.sandbox.shopify.search_fields import RESOURCES
from syncline.sandbox.shopify.search_resource import Filter, Resource
from syncline.sandbox.shopify.search_syntax import And, Not, Or, Term, Tree, describe, parse
from syncline.sandbox.shopify.search_terms import (
    BadValueError,
    Interval,
    Test,
    boolean_test,
    decimal_test,
    id_interval,
    id_of,
    integer_interval,
    keyword_test,
    text_test,
    time_interval,
    within,
)
from syncline.sandbox.shopify.state import Store

Predicate = Callable[[Any], bool]
SORT_KEYS = {
    "id": "ID",
    "created_at": "CREATED_AT",
    "customer_date": "CREATED_AT",
    "updated_at": "UPDATED_AT",
    "processed_at": "PROCESSED_AT",
}
INTERVALS: dict[str, Callable[[Term], Interval]] = {
    "id": id_interval,
    "integer": integer_interval,
    "time": time_interval,
}
TESTS: dict[str, Callable[[Term], Test]] = {
    "decimal": decimal_test,
    "boolean": boolean_test,
    "keyword": keyword_test,
    "text": text_test,
    "anything": lambda _: lambda _value: True,
}
KEPT_RESULTS = 16
HIGHEST_ID = 1 << 63


class SearchNotServedError(ValueError):
    """Shopify knows this filter, the sandbox does not: an error is better than an answer that ignores it."""


@dataclass(frozen=True, slots=True)
class SearchWarning:
    field: str
    message: str
    code: str

    def shown(self) -> dict[str, str]:
        return {"field": self.field, "message": self.message, "code": self.code}


@dataclass(slots=True)
class Search:
    """A compiled query. `bounds` (sort key -> lowest, highest) and `ids` are necessary conditions:
    they let a search look at few entities."""

    store: Store
    resource: str
    text: str
    matches: Predicate
    warnings: list[SearchWarning] = field(default_factory=list)
    parsed: dict[str, Any] | None = None
    bounds: dict[str, Interval] = field(default_factory=dict)
    ids: frozenset[int] | None = None

    def extension(self, path: Iterable[str | int]) -> dict[str, Any]:
        """This connection's entry of `extensions.search`; Shopify sends it with warnings, or when asked by
        `Shopify-Search-Query-Debug: 1`."""
        entry: dict[str, Any] = {"path": list(path), "query": self.text, "parsed": self.parsed or {}}
        if self.warnings:
            entry["warnings"] = [warning.shown() for warning in self.warnings]
        return entry

    def keys(self, sort_key: str = "ID") -> list[Key]:
        """Keys of the matching entities in the order of `sort_key`, as `Ordering.keys` gives them for all.

        Kept until the store changes, so the pages of one search cost one search.
        """
        wanted = (self.resource, self.text, sort_key)
        kept = _kept(self.store)
        held = kept.get(wanted)
        if held is not None and held[0] == self.store.revision and "now" not in self.text:
            kept.move_to_end(wanted)
            return held[1]
        found = self._find_keys(sort_key)
        kept[wanted] = (self.store.revision, found)
        if len(kept) > KEPT_RESULTS:
            kept.popitem(last=False)
        return found

    def find(self) -> list[Any]:
        """The matching entities, lowest id first."""
        table = _table(self.store, self.resource)
        return [table[number] for _, number in self.keys()]

    def _find_keys(self, sort_key: str) -> list[Key]:
        orders = self.store.orders(self.resource)
        ordering = orders[sort_key]
        table = _table(self.store, self.resource)
        if sort_key in self.bounds and self.ids is None:
            return [key for key in _between(ordering, self.bounds[sort_key]) if self.matches(table[key[1]])]
        chosen = (entity for entity in self._candidates(orders, table) if self.matches(entity))
        return sorted((ordering.value(entity), entity.id) for entity in chosen)

    def _candidates(self, orders: Any, table: dict[int, Any]) -> Iterator[Any]:
        if self.ids is not None:
            yield from (table[number] for number in self.ids if number in table)
            return
        narrow = next((name for name in self.bounds if name in orders), None)
        if narrow is None:
            yield from table.values()
            return
        for _, number in _between(orders[narrow], self.bounds[narrow]):
            yield table[number]


def compile_search(store: Store, resource: str, text: str | None) -> Search:
    """The search `text` on `resource`, one of `RESOURCES`.

    Raises `SearchNotServedError` for a filter that Shopify knows and the sandbox does not.
    """
    tree = parse(text or "")
    compiler = _Compiler(store, RESOURCES[resource])
    predicate = compiler.compile(tree) if tree is not None else None
    return Search(
        store=store,
        resource=resource,
        text=text or "",
        matches=predicate or (lambda _entity: True),
        warnings=compiler.warnings,
        parsed=describe(tree) if tree is not None else None,
        bounds=compiler.bounds(tree),
        ids=compiler.ids(tree),
    )


class _Compiler:
    def __init__(self, store: Store, resource: Resource) -> None:
        self.store = store
        self.resource = resource
        self.warnings: list[SearchWarning] = []

    def compile(self, tree: Tree) -> Predicate | None:
        """None when nothing of `tree` was understood."""
        match tree:
            case Term():
                return self._term(tree)
            case Not(of):
                inner = self.compile(of)
                return None if inner is None else lambda entity: not inner(entity)
            case And(of):
                return _joined(all, [self.compile(one) for one in of])
            case Or(of):
                return _joined(any, [self.compile(one) for one in of])

    def bounds(self, tree: Tree | None) -> dict[str, Interval]:
        """Intervals every match lies in: those of the terms that stand directly under AND."""
        found: dict[str, Interval] = {}
        for term in tree.of if isinstance(tree, And) else (tree,):
            name = term.field if isinstance(term, Term) else None
            known = self.resource.filters.get(name) if name in SORT_KEYS else None
            if known is None or not isinstance(term, Term) or name is None:
                continue
            interval = _interval(known, term)
            if interval is not None:
                sort_key = SORT_KEYS[name]
                found[sort_key] = _overlap(found.get(sort_key, (None, None)), interval)
        return found

    def ids(self, tree: Tree | None) -> frozenset[int] | None:
        """The ids asked for when the query is `id:1 OR id:2 OR ...`."""
        terms = tree.of if isinstance(tree, Or) else (tree,)
        wanted: list[int] = []
        for term in terms:
            if not isinstance(term, Term) or (term.field, term.operator) != ("id", "="):
                return None
            interval = _interval(self.resource.filters["id"], term)
            if interval is None:
                return None
            wanted.append(interval[0])
        return frozenset(wanted)

    def _term(self, term: Term) -> Predicate | None:
        if term.field is None:
            return self._free_text(term)
        known = self.resource.filters.get(term.field)
        if known is None:
            if self.resource.knows(term.field):
                raise SearchNotServedError(f"The search filter {term.field!r} is not served by the sandbox.")
            self._warn(term.field, "Invalid search field for this query.", "invalid_field")
            return None
        try:
            return self._filter(known, term)
        except BadValueError:
            # The shape of this warning is our reading; Shopify's is not published.
            self._warn(term.field, f"Input `{term.value}` is not an accepted value.", "invalid_value")
            return None

    def _filter(self, known: Filter, term: Term) -> Predicate:
        store, read = self.store, known.read
        test = _test(known, term)
        if known.many:
            wanted_any: Predicate = lambda entity: any(map(test, read(store, entity)))  # noqa: E731
            if not known.negated:
                return wanted_any
            return lambda entity: not wanted_any(entity)
        return lambda entity: test(read(store, entity))

    def _free_text(self, term: Term) -> Predicate | None:
        default, store = self.resource.default, self.store
        if default is None:
            self._warn("default", "Invalid search field for this query.", "invalid_field")
            return None
        test = text_test(term)
        return lambda entity: any(map(test, default(store, entity)))

    def _warn(self, name: str, message: str, code: str) -> None:
        self.warnings.append(SearchWarning(name, message, code))


def _test(known: Filter, term: Term) -> Test:
    if term.value == "*" and not term.quoted and term.operator == "=" and known.kind != "boolean":
        return lambda value: value is not None and value != ""
    if known.listed and "," in term.value:
        parts = [Term(term.field, term.operator, part.strip(), term.quoted) for part in term.value.split(",")]
        tests = [_test(known, part) for part in parts if part.value]
        return lambda value: any(test(value) for test in tests)
    if known.kind in INTERVALS:
        return within(_ranged(known, term) or INTERVALS[known.kind](term))
    return TESTS[known.kind](term)


def _ranged(known: Filter, term: Term) -> Interval | None:
    """`5..20`, both ends included."""
    if known.kind == "time" or ".." not in term.value:
        return None
    low, high = term.value.split("..", 1)
    return id_of(low), id_of(high)


def _interval(known: Filter, term: Term) -> Interval | None:
    if term.value == "*" and not term.quoted:
        return None
    try:
        return _ranged(known, term) or INTERVALS[known.kind](term)
    except BadValueError:
        return None


def _overlap(one: Interval, other: Interval) -> Interval:
    lows = [end for end in (one[0], other[0]) if end is not None]
    highs = [end for end in (one[1], other[1]) if end is not None]
    return max(lows, default=None), min(highs, default=None)


def _between(ordering: Ordering[Any], interval: Interval) -> list[Key]:
    keys = ordering.keys()
    low, high = interval
    start = 0 if low is None else bisect_left(keys, (low, -1))
    end = len(keys) if high is None else bisect_right(keys, (high, HIGHEST_ID))
    return keys[start:end]


def _joined(how: Callable[[Iterable[bool]], bool], parts: list[Predicate | None]) -> Predicate | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return known[0] if len(known) == 1 else lambda entity: how(part(entity) for part in known)


INDEXED: dict[str, Callable[[Store], dict[int, Any]]] = {
    "products": lambda store: store.products,
    "variants": lambda store: store.variants,
    "items": lambda store: store.items,
    "locations": lambda store: store.locations,
    "orders": lambda store: store.sales.orders,
    "customers": lambda store: store.sales.customers,
    "counted_customers": lambda store: store.sales.customers,
    "collections": lambda store: store.collections.by_id,
}
"""Resources whose searches may go by an ordering and a table of the store."""


def _table(store: Store, resource: str) -> dict[int, Any]:
    return INDEXED[resource](store)


_results: WeakKeyDictionary[Store, OrderedDict[tuple[str, str, str], tuple[int, list[Key]]]] = WeakKeyDictionary()


def _kept(store: Store) -> OrderedDict[tuple[str, str, str], tuple[int, list[Key]]]:
    return _results.setdefault(store, OrderedDict())
