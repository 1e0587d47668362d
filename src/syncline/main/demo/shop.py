"""The sandbox's own view of its store: what Syncline says is held against this, and never against itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

Row = dict[str, Any]
_SECONDS = 60.0
_TABLES = {
    "product": "products",
    "variant": "variants",
    "location": "locations",
    "inventory_level": "levels",
    "collection": "collections",
    "collection_membership": "memberships",
    "product_media": "product_media",
    "order": "orders",
    "order_line": "lines",
    "customer": "customers",
}
"""The mirror's name for a kind of record, and the sandbox's."""

_METAFIELDS = {
    **dict.fromkeys(("Product", "ProductVariant"), "metafield"),
    **{owner.title(): f"{owner}_metafield" for owner in ("collection", "order", "customer")},
}
"""The same of a metafield, by the sandbox's name for its owner."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the demo changes, as the store has it: price by variant, title by product, stock by item and location."""

    prices: Mapping[int, str]
    titles: Mapping[int, str]
    stock: Mapping[tuple[int, int], int]

    def __len__(self) -> int:
        return len(self.prices) + len(self.titles) + len(self.stock)

    def changed(self, other: Contents) -> Contents:
        """These contents with those of `other` written over them."""
        return Contents({**self.prices, **other.prices}, {**self.titles, **other.titles}, {**self.stock, **other.stock})

    def count_same(self, other: Contents) -> int:
        """How many records of both hold the same."""
        return (
            len(self.prices.items() & other.prices.items())
            + len(self.titles.items() & other.titles.items())
            + len(self.stock.items() & other.stock.items())
        )


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the store received so far. `use` is the share of the plan's points that were spent, from the first request
    to the last."""

    requests: int
    throttled: int
    points: float


class Shop:
    """The control surface of a running sandbox."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def rows(self, kind: str) -> Sequence[Row]:
        """`products`, `variants`, `items`, `levels`, `locations` and what else the sandbox keeps, whole."""
        text = (await self._get(f"state/{kind}")).content
        return [msgspec.json.decode(line) for line in text.splitlines()]

    async def sizes(self) -> dict[str, int]:
        """How many there are of each kind of record, by the mirror's names."""
        found = (await self._get("state")).json()
        metafields = Counter(_METAFIELDS[row["owner_type"]] for row in await self.rows("metafields"))
        returned = sum(len(row["lines"]) for row in await self.rows("refunds"))
        return {**{kind: found[name] for kind, name in _TABLES.items()}, **metafields, "refund_line": returned}

    async def contents(self) -> Contents:
        return Contents(
            prices={row["id"]: row["price"] for row in await self.rows("variants")},
            titles={row["id"]: row["title"] for row in await self.rows("products")},
            stock={(row["item_id"], row["location_id"]): row["available"] for row in await self.rows("levels")},
        )

    async def times_written(self) -> Mapping[str, int]:
        """How often each record was written through the API."""
        found: dict[str, int] = (await self._get("ledger/counts")).json()
        return found

    async def traffic(self) -> Traffic:
        found = (await self._get("stats")).json()
        return Traffic(found["requests"], found["throttled"], found["bucket"]["charged"])

    async def set_price(self, variant_id: int, price: str) -> None:
        """What a colleague does in the shop's admin."""
        edit = {"action": "update", "kind": "variant", "id": variant_id, "set": {"price": price}}
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            (await client.post(f"{self._url}/sandbox/edit", json=edit)).raise_for_status()

    async def _get(self, what: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=_SECONDS) as client:
            answer = await client.get(f"{self._url}/sandbox/{what}")
        return answer.raise_for_status()
