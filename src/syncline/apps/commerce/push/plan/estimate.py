"""How many calls, requests, points and seconds a push takes. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push.engine.naive import READS, WRITE
from syncline.apps.commerce.push.engine.scaling import RULES
from syncline.apps.commerce.push.engine.sizing import Load, batch_size, floor_points
from syncline.apps.commerce.push.plan.repository import KindCount
from syncline.apps.commerce.push_contract import EngineConfig, PlanStep
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.metafields import MAX_AT_ONCE

_POINTS_A_READ = 3.0
"""Of the records of one kind in one request."""


@dataclass(frozen=True, slots=True)
class Estimate:
    steps: Sequence[PlanStep]
    requests: int
    points: float
    seconds: float
    naive_requests: int
    naive_points: float


def estimate(
    kinds: Sequence[KindCount],
    products: int,
    config: EngineConfig,
    *,
    available: float,
    capacity: float,
    restore_rate: float,
) -> Estimate:
    """Every change is taken to need its write: those that are as wanted already, or conflicts, make it cheaper. Only
    the store's points are counted as time, which is what a push waits for."""
    calls = {one.kind: _calls(one) for one in kinds}
    write_points = float(WRITE * sum(calls.values()))
    rules = RULES[config.strategy]
    floor = min(floor_points(rules, restore_rate), capacity)
    load = Load(write_points / products) if products else Load()
    spare = available - capacity * rules.reserve
    at_once = batch_size(config.batch_size, load, floor=floor, available=spare, memory=0)
    rounds = math.ceil(products / at_once)
    reads = rounds * _POINTS_A_READ * len(kinds)
    points = write_points + reads
    per_round = write_points / rounds if rounds else 0.0
    naive = sum(one.products for one in kinds)
    naive_points = sum((WRITE + READS.get(one.kind, 1)) * one.products for one in kinds)
    return Estimate(
        steps=[PlanStep(one.kind.value, one.changes, calls[one.kind], float(WRITE * calls[one.kind])) for one in kinds],
        requests=rounds * (1 + max(1, math.ceil(per_round / 1000))),
        points=points,
        seconds=max(0.0, points - max(spare, 0.0)) / restore_rate,
        naive_requests=2 * naive,
        naive_points=float(naive_points),
    )


def _calls(one: KindCount) -> int:
    match one.kind:
        case Owner.VARIANT | Owner.PRODUCT_MEDIA | Owner.PRODUCT_IMAGE | Owner.PRODUCT_GALLERY:
            return one.products
        case Owner.INVENTORY_LEVEL:
            return math.ceil(one.changes / MAX_INPUT)
        case Owner.PRODUCT_METAFIELD | Owner.VARIANT_METAFIELD:
            return math.ceil(one.changes / MAX_AT_ONCE)
        case Owner.COLLECTION_MEMBERSHIP:
            return max(one.moves, math.ceil(one.changes / MAX_INPUT))
        case _:
            return one.records
