"""How many products are compared and written together: as many as fill one request. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from syncline.apps.commerce.push.engine.scaling import Rules
from syncline.apps.commerce.push_contract import MOST_PRODUCTS_AT_ONCE

MAX_POINTS = 1000.0
_FIRST_GUESS = 10.0
"""One mutation for each product."""
_LEAST_POINTS = 100.0
_NEWEST = 0.4


@dataclass(frozen=True, slots=True)
class Load:
    """What products cost to write, in points each: the last ones weigh most."""

    points_each: float = _FIRST_GUESS

    def learned(self, points: float, products: int) -> Load:
        if products == 0:
            return self
        return Load(self.points_each * (1 - _NEWEST) + points / products * _NEWEST)


def floor_points(rules: Rules, restore_rate: float) -> float:
    """The least a request is made of: what the bucket gets back in the strategy's time, at most what one may cost."""
    return max(_LEAST_POINTS, min(MAX_POINTS, rules.seconds_of_points * restore_rate))


def batch_size(fixed: int | None, load: Load, *, floor: float, available: float, memory: float) -> int:
    """Products to claim. `fixed` is what somebody asked for; else as many as the points make that can be spent at once,
    or at least as `floor` makes. Short memory halves it."""
    points = max(floor, min(MAX_POINTS, available))
    size = fixed if fixed is not None else int(points / max(load.points_each, 1e-9))
    size = size // 2 if memory >= 1 else size
    return max(1, min(size, MOST_PRODUCTS_AT_ONCE))
