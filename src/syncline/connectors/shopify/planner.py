"""Bulk or paged: whichever is predicted to end first, from Shopify's cost law and the store's own figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from syncline.connectors.shopify.bulk import BulkState
from syncline.connectors.shopify.cost import MAX_PAGE, connection_cost
from syncline.connectors.shopify.sources import SOURCES, family_cost, rest_cost
from syncline.connectors.shopify.streams import INVENTORY, INVENTORY_ITEMS, PRODUCTS
from syncline.runtime.connect.bucket import Bucket
from syncline.runtime.connect.connector import Stream

Path = Literal["bulk", "paged"]

# Children of a record where no count tells: assumed, and wrong for somebody; only the choice of the path hangs on it.
_FAMILIES: Final = {
    ("collections", "products"): 50.0,
    ("media", "media"): 3.0,
    ("metafields", "metafields"): 3.0,
    ("metafields", "variants"): 4.0,
    ("orders", "lineItems"): 2.5,
    ("refund_lines", "refunds"): 0.2,
    ("collection_metafields", "metafields"): 0.5,
    ("order_metafields", "metafields"): 0.2,
    ("customer_metafields", "metafields"): 0.2,
}
# A level with its item and quantities.
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
class Measured:
    """What the last pulls of a stream took at this store. `page_seconds` of one page, without waiting for points; the
    default is assumed."""

    bulk: BulkModel = field(default_factory=BulkModel)
    page_seconds: float = 0.5

    @classmethod
    def load(cls, kept: Mapping[str, float] | None) -> Measured:
        """From what `dump` gave, or the part of it that an earlier release knew."""
        known = dict(kept or {})
        page = known.pop("page_seconds", 0.5)
        return cls(BulkModel(**known), page)

    def dump(self) -> dict[str, float]:
        return {**asdict(self.bulk), "page_seconds": self.page_seconds}


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
    measured: Measured | None = None,
) -> Plan:
    """Predicts both paths for `share` of the records (1.0 for a full pull; the expected part for an incremental one).

    `counts` are those of `streams.count`; where a kind is unknown, `inventory_level` is taken as one per variant if
    `variant` is among them. `bucket` gives what may be spent at once and how fast it refills.
    """
    known = measured or Measured()
    points, pages, objects = (
        _level_pages(counts, share, locations)
        if stream.name == INVENTORY.name
        else _record_pages(stream.name, counts, share)
    )
    refill = max(0.0, points - max(bucket.level, 0.0)) / bucket.restore_rate
    paged = max(refill, pages * known.page_seconds)
    if stream.name == INVENTORY.name and objects / max(1, locations) > _MAX_LEVELS_PAGED:
        paged = math.inf
    in_bulk = math.inf if SOURCES[stream.name].is_paged_only else known.bulk.seconds(objects)
    seconds: dict[Path, float] = {"bulk": in_bulk, "paged": paged}
    path: Path = "paged" if paged <= seconds["bulk"] else "bulk"
    return Plan(path, seconds, points, _reason(path, seconds, objects, pages, points, bucket))


def records_within(stream: Stream, counts: Mapping[str, int | None], model: BulkModel, time: timedelta) -> int:
    """How many of the stream's own records one bulk operation is predicted to bring in `time`."""
    objects = max(1.0, (time.total_seconds() - model.start_seconds) * model.objects_per_second)
    if stream.name == INVENTORY.name:
        return int(objects)
    return max(1, int(objects / (1 + sum(_families(stream.name, counts).values()))))


def _record_pages(stream: str, counts: Mapping[str, int | None], share: float) -> tuple[float, int, int]:
    """Points, pages and objects. What is charged follows what comes back, so it is figured with the mean family."""
    source = SOURCES[stream]
    roots = math.ceil(_roots(stream, counts) * share)
    if roots == 0:
        return 0.0, 1, 0
    families = _families(stream, counts)
    pages = math.ceil(roots / source.page)
    points = float(pages * family_cost(stream, min(roots, source.page), families))
    further = sum(
        math.ceil(max(0.0, families[child.field] - child.page) / MAX_PAGE) * roots for child in source.children
    )
    points += further * rest_cost(stream)
    return points, pages + further, math.ceil(roots * (1 + sum(families.values())))


def _roots(stream: str, counts: Mapping[str, int | None]) -> int:
    """The stream's own count, or what is near it: Shopify counts no inventory items, of which every variant has one."""
    names = (*SOURCES[stream].counts, *(["variant"] if stream == INVENTORY_ITEMS.name else []))
    return next((found for name in names if (found := counts.get(name)) is not None), 0)


def _families(stream: str, counts: Mapping[str, int | None]) -> dict[str, float]:
    """How many children a record has on average."""
    products, variants = counts.get("product"), counts.get("variant")
    if stream == PRODUCTS.name and products:
        return {"variants": (variants or products) / products}
    return {child.field: _FAMILIES.get((stream, child.field), 1.0) for child in SOURCES[stream].children}


def _level_pages(counts: Mapping[str, int | None], share: float, locations: int) -> tuple[float, int, int]:
    known = counts.get("inventory_level")
    levels = math.ceil((known if known is not None else (counts.get("variant") or 0) * locations) * share)
    pages = max(locations, math.ceil(levels / MAX_PAGE))
    points = float(pages * (1 + connection_cost(MAX_PAGE, _LEVEL_OBJECTS)))
    return points, pages, levels + locations


def _reason(path: Path, seconds: Mapping[Path, float], objects: int, pages: int, points: float, bucket: Bucket) -> str:
    if math.isinf(seconds["paged"]):
        return f"bulk: {objects:,} records are more than can be paged through"
    if math.isinf(seconds["bulk"]):
        return f"paged: Shopify has no bulk operation for it; about {seconds['paged']:.0f} s in {pages:,} pages"
    return (
        f"{path}: {objects:,} records take about {seconds['paged']:.0f} s in {pages:,} pages "
        f"({points:,.0f} points at {bucket.restore_rate:g}/s) and about {seconds['bulk']:.0f} s in bulk"
    )
