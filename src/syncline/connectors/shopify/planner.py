"""Bulk or paged: whichever is predicted to end first, from Shopify's cost law and the store's own figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from syncline.connectors.shopify.bulk import BulkState
from syncline.connectors.shopify.cost import MAX_PAGE, connection_cost
from syncline.connectors.shopify.pages import CHILDREN_A_PAGE, PRODUCTS_A_PAGE
from syncline.connectors.shopify.streams import INVENTORY, PRODUCTS
from syncline.runtime.connect.bucket import Bucket
from syncline.runtime.connect.connector import Stream

Path = Literal["bulk", "paged"]

# Objects of one record besides its children, by the cost law: a product with its seo, options and count of variants;
# a variant with its options, item, measurement and weight; a level with its item and quantities.
_PRODUCT_OBJECTS: Final = 4
_VARIANT_OBJECTS: Final = 5
_LEVEL_OBJECTS: Final = 3
# Levels cannot be paged by ranges of ids, and Shopify pages through 25,000 objects of a list at most.
_MAX_LEVELS_PAGED: Final = 25_000


@dataclass(frozen=True, slots=True)
class BulkModel:
    """How long a bulk operation takes: the wait until it runs and is noticed, then objects at a rate.

    The defaults are assumed, not measured: Shopify publishes none. `learned` takes the place of them after the first
    operation on a store.
    """

    start_seconds: float = 10.0
    objects_per_second: float = 1_000.0
    file_rows_per_second: float = 20_000.0

    def seconds(self, objects: int) -> float:
        return self.start_seconds + objects / self.objects_per_second + objects / self.file_rows_per_second

    def learned(self, state: BulkState) -> BulkModel:
        """The model moved halfway to what a finished operation took. Small ones tell the start, large ones the rate."""
        if not state.is_complete or state.completed_at is None:
            return self
        took = (datetime.fromisoformat(state.completed_at) - datetime.fromisoformat(state.created_at)).total_seconds()
        working = took - self.start_seconds
        if state.object_count < self.objects_per_second * self.start_seconds or working <= 0:
            start = (self.start_seconds + max(took, 1.0)) / 2
            return BulkModel(start, self.objects_per_second, self.file_rows_per_second)
        rate = (self.objects_per_second + state.object_count / working) / 2
        return BulkModel(self.start_seconds, rate, self.file_rows_per_second)


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` by path; infinite where a path cannot do it. `reason` is for people."""

    path: Path
    seconds: Mapping[Path, float]
    points: float
    reason: str


def predict(
    stream: Stream,
    counts: Mapping[str, int | None],
    *,
    bucket: Bucket,
    share: float = 1.0,
    locations: int = 1,
    page_seconds: float = 0.5,
    bulk: BulkModel | None = None,
) -> Plan:
    """Predicts both paths for `share` of the records (1.0 for a full pull; the expected part for an incremental one).

    `counts` are those of `streams.count`; where a kind is unknown, `inventory_level` is taken as one per variant if
    `variant` is among them. `page_seconds` is the measured time of one page. `bucket` gives what may be spent at once
    and how fast it refills.
    """
    points, pages, objects = (
        _product_pages(counts, share) if stream.name == PRODUCTS.name else _level_pages(counts, share, locations)
    )
    refill = max(0.0, points - max(bucket.level, 0.0)) / bucket.restore_rate
    paged = max(refill, pages * page_seconds)
    if stream.name == INVENTORY.name and objects / max(1, locations) > _MAX_LEVELS_PAGED:
        paged = math.inf
    seconds: dict[Path, float] = {"bulk": (bulk or BulkModel()).seconds(objects), "paged": paged}
    path: Path = "paged" if paged <= seconds["bulk"] else "bulk"
    return Plan(path, seconds, points, _reason(path, seconds, objects, pages, points, bucket))


def _product_pages(counts: Mapping[str, int | None], share: float) -> tuple[float, int, int]:
    """Points, pages and objects. Actual cost follows what comes back, so it is figured with the mean family."""
    products = math.ceil((counts.get("product") or 0) * share)
    variants = math.ceil((counts.get("variant") or products) * share)
    if products == 0:
        return 0.0, 1, 0
    family = variants / products
    pages = math.ceil(products / PRODUCTS_A_PAGE)
    on_page = min(products, PRODUCTS_A_PAGE)
    node = _PRODUCT_OBJECTS + connection_cost(min(math.ceil(family), CHILDREN_A_PAGE), _VARIANT_OBJECTS)
    points = float(pages * connection_cost(on_page, node))
    further = math.ceil(max(0.0, family - CHILDREN_A_PAGE) / MAX_PAGE) * products
    points += further * (1 + connection_cost(MAX_PAGE, _VARIANT_OBJECTS))
    return points, pages + further, products + variants


def _level_pages(counts: Mapping[str, int | None], share: float, locations: int) -> tuple[float, int, int]:
    known = counts.get("inventory_level")
    levels = math.ceil((known if known is not None else (counts.get("variant") or 0) * locations) * share)
    pages = max(locations, math.ceil(levels / MAX_PAGE))
    points = float(pages * (1 + connection_cost(MAX_PAGE, _LEVEL_OBJECTS)))
    return points, pages, levels + locations


def _reason(path: Path, seconds: Mapping[Path, float], objects: int, pages: int, points: float, bucket: Bucket) -> str:
    if math.isinf(seconds["paged"]):
        return f"bulk: {objects:,} records are more than can be paged through"
    return (
        f"{path}: {objects:,} records take about {seconds['paged']:.0f} s in {pages:,} pages "
        f"({points:,.0f} points at {bucket.restore_rate:g}/s) and about {seconds['bulk']:.0f} s in bulk"
    )
