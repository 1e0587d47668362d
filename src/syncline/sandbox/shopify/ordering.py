"""Sorted views of the store's entities, built at first use and kept in order from then on.

A page of a connection is found by bisection from its cursor, so paging through a million products costs the same per
page at the end as at the start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar


class Identified(Protocol):
    @property
    def id(self) -> int: ...


E = TypeVar("E", bound=Identified)
Key = tuple[Any, int]
"""(value sorted by, id). The id settles ties, as Shopify's cursors (`last_value`, `last_id`) do."""


class Ordering(Generic[E]):
    """Keys of all entities of one kind in the order of one sort key."""

    __slots__ = ("_all", "_keys", "value")

    def __init__(self, everything: Callable[[], Iterable[E]], value: Callable[[E], Any]) -> None:
        self._all = everything
        self._keys: list[Key] | None = None
        self.value = value

    def keys(self) -> list[Key]:
        """The sorted keys. Read it, do not keep it: it changes with the store."""
        if self._keys is None:
            self._keys = sorted((self.value(entity), entity.id) for entity in self._all())
        return self._keys

    def add(self, entity: E) -> None:
        if self._keys is not None:
            insort(self._keys, (self.value(entity), entity.id))

    def discard(self, entity: E) -> None:
        """Takes the entity out; call it before the value it is sorted by changes."""
        if self._keys is None:
            return
        key = (self.value(entity), entity.id)
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            del self._keys[at]

    def after(self, key: Key) -> int:
        """Index of the first key greater than `key`."""
        return bisect_right(self.keys(), key)

    def before(self, key: Key) -> int:
        """Index just past the last key less than `key`."""
        return bisect_left(self.keys(), key)


Orderings = Mapping[str, Ordering[E]]
"""Sort key -> ordering, of one kind of entity."""


def orderings(everything: Callable[[], Iterable[E]], **values: Callable[[E], Any]) -> Orderings[E]:
    """One ordering for each sort key and the value it sorts by."""
    return {sort_key: Ordering(everything, value) for sort_key, value in values.items()}


def added(orders: Orderings[Any], entity: Any) -> None:
    for ordering in orders.values():
        ordering.add(entity)


def removed(orders: Orderings[Any], entity: Any) -> None:
    for ordering in orders.values():
        ordering.discard(entity)


def rewrite(orders: Orderings[Any], entity: Any, fields: Mapping[str, Any]) -> None:
    """Sets `fields` of the entity and keeps it in its place in all orderings."""
    removed(orders, entity)
    for name, value in fields.items():
        setattr(entity, name, value)
    added(orders, entity)
