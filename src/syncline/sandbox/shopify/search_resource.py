"""What a search filter is, and the filters that most connections have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from syncline.sandbox.shopify.state import Store

Read = Callable[[Store, Any], Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """`kind`: id, integer, decimal, time, boolean, keyword (whole value, case ignored) or text (words of it).

    `read` gives the value or, with `many`, several of which one must match. `listed` filters take `a,b`.
    """

    kind: str
    read: Read
    many: bool = False
    listed: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """`default` gives the texts that a term without a field searches; None where Shopify's table has no default."""

    filters: Mapping[str, Filter]
    not_served: frozenset[str] = frozenset()
    default: Callable[[Store, Any], Iterable[str | None]] | None = None

    def knows(self, name: str) -> bool:
        return name in self.filters or name in self.not_served or name.startswith("metafields.")


ID = Filter("id", lambda _, entity: entity.id)
CREATED_AT = Filter("time", lambda _, entity: entity.created_at)
UPDATED_AT = Filter("time", lambda _, entity: entity.updated_at)
