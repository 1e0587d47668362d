"""How many workers a push has: one more or less at a time, and what did not help is undone. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from syncline.apps.commerce.push_contract import EngineConfig, Strategy


@dataclass(frozen=True, slots=True)
class Rules:
    """What a strategy changes. `gain` is how much more throughput a further worker must bring to be kept; `doubles`
    adds as many as there are; `reserve` is the share of the store's bucket left to others; `seconds_of_points` is for
    how long points are gathered, at the rate they are restored, before a request is made of them."""

    gain: float
    doubles: bool
    reserve: float
    seconds_of_points: float


RULES = {
    Strategy.SPEED: Rules(gain=0.03, doubles=True, reserve=0.0, seconds_of_points=1.0),
    Strategy.BALANCED: Rules(gain=0.08, doubles=False, reserve=0.1, seconds_of_points=3.0),
    Strategy.COST: Rules(gain=0.2, doubles=False, reserve=0.5, seconds_of_points=math.inf),
}

_CROWDED = 0.85
"""Of the memory allowed: from here on nobody is added."""
_LONGEST_REST = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened since the last look. `batches_left` is how many claims the products left make; `starved` is how
    many of the workers wait for points; `memory` is a share of what is allowed."""

    workers: int
    batches_left: int
    rate: float
    starved: int
    memory: float


@dataclass(frozen=True, slots=True)
class Size:
    """`workers` are wanted. `tried_from` is how many there were, and at what rate, before the last addition, while that
    has still to prove itself; `rest` is how many looks the next addition waits, `patience` how many the one after an
    addition that did not help."""

    workers: int
    tried_from: tuple[int, float] | None = None
    rest: int = 0
    patience: int = 1
    reason: str = "as many as it begins with"


def first_size(config: EngineConfig, remembered: int = 0) -> Size:
    """`remembered` is how many there were when the push was last handed over; 0 at its beginning."""
    return Size(min(max(config.min_workers, remembered, 1), config.max_workers))


def next_size(size: Size, seen: Seen, config: EngineConfig) -> Size:
    """Memory comes first, then what is left to do, then what the store lets through, then the trial that is on."""
    rules = RULES[config.strategy]
    least, most = min(config.min_workers, config.max_workers), config.max_workers
    if seen.memory >= 1:
        return _to(size, max(least, min(size.workers, seen.workers) - 1), "memory is short")
    if seen.batches_left < size.workers:
        return _to(size, max(least, seen.batches_left, 1), "little is left to do")
    if size.tried_from is not None and seen.workers >= size.workers:
        before, rate = size.tried_from
        if seen.rate < rate * (1 + rules.gain):
            undone = _to(size, max(least, before), "more did not help")
            return replace(undone, rest=size.patience, patience=min(size.patience * 2, _LONGEST_REST))
        return replace(size, tried_from=None, patience=1, reason="more helped")
    if seen.starved and seen.starved >= seen.workers:
        return _to(size, max(least, size.workers - 1), "the store's points are the limit")
    if size.rest:
        return replace(size, rest=size.rest - 1)
    is_free = not seen.starved and seen.memory < _CROWDED and seen.workers >= size.workers
    if is_free and size.workers < most and size.workers < seen.batches_left:
        more = size.workers * 2 if rules.doubles else size.workers + 1
        grown = min(more, most, seen.batches_left)
        return Size(grown, (size.workers, seen.rate), 0, size.patience, "there is more to do")
    return size


def _to(size: Size, workers: int, reason: str) -> Size:
    if workers == size.workers:
        return replace(size, tried_from=None)
    return Size(workers, None, 1, size.patience, reason)
