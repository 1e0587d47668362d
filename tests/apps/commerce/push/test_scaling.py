"""The number of workers: within its bounds, undone when it does not help, never fed by short memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.push.engine.scaling import RULES, Seen, Size, first_size, next_size
from syncline.apps.commerce.push.engine.sizing import Load, batch_size, floor_points
from syncline.apps.commerce.push_contract import MOST_PRODUCTS_AT_ONCE, EngineConfig, Strategy

bounds = st.tuples(st.integers(1, 16), st.integers(0, 48)).map(lambda pair: (pair[0], pair[0] + pair[1]))
configs = st.builds(
    lambda bound, strategy: EngineConfig(bound[0], bound[1], None, strategy=strategy),
    bounds,
    st.sampled_from(Strategy),
)
sights = st.builds(
    Seen,
    workers=st.integers(0, 64),
    batches_left=st.integers(0, 500),
    rate=st.floats(0, 1000),
    starved=st.integers(0, 64),
    memory=st.floats(0, 2),
)


@given(configs, st.lists(sights, max_size=40), st.integers(0, 100))
def test_size_stays_within_its_bounds_whatever_happens(config: EngineConfig, seen: list[Seen], remembered: int) -> None:
    size = first_size(config, remembered)
    for one in seen:
        assert config.min_workers <= size.workers <= config.max_workers
        size = next_size(size, one, config)
    assert config.min_workers <= size.workers <= config.max_workers


@given(configs, sights, st.floats(1, 2))
def test_short_memory_never_adds_a_worker(config: EngineConfig, seen: Seen, memory: float) -> None:
    size = first_size(config, 5)
    short = Seen(seen.workers, seen.batches_left, seen.rate, seen.starved, memory)
    assert next_size(size, short, config).workers <= size.workers


def settle(config: EngineConfig, useful: int, looks: int = 200) -> list[int]:
    """The sizes of a pool whose upstream serves so many workers, and no more however many there are."""
    size, sizes = first_size(config), []
    for _ in range(looks):
        rate = 10.0 * min(size.workers, useful)
        size = next_size(size, Seen(size.workers, 1000, rate, 0, 0.1), config)
        sizes.append(size.workers)
    return sizes


@given(st.integers(1, 20), st.sampled_from(Strategy))
def test_what_adds_nothing_is_undone(useful: int, strategy: Strategy) -> None:
    sizes = settle(EngineConfig(1, 32, None, strategy=strategy), useful)
    last = sizes[-64:]
    # Trials grow rarer: most of the time the pool is no larger than what is of use, or than its last step.
    assert sum(size > useful * (2 if strategy is Strategy.SPEED else 1) for size in last) <= 8


def test_pool_grows_to_what_helps() -> None:
    assert max(settle(EngineConfig(1, 32), 6)) >= 6
    assert settle(EngineConfig(1, 4), 20)[-1] == 4


def test_speed_grows_faster_than_balance_and_cost_demands_more() -> None:
    assert settle(EngineConfig(1, 32, strategy=Strategy.SPEED), 32, 8)[-1] > settle(EngineConfig(1, 32), 32, 8)[-1]
    size = Size(5, (4, 100.0))
    seen = Seen(5, 1000, 112.0, 0, 0.1)
    assert next_size(size, seen, EngineConfig(1, 32)).workers == 5
    assert next_size(size, seen, EngineConfig(1, 32, strategy=Strategy.COST)).workers == 4


def test_workers_that_all_wait_for_points_become_fewer() -> None:
    assert next_size(Size(4), Seen(4, 1000, 50.0, 4, 0.1), EngineConfig(1, 8)).workers == 3
    assert next_size(Size(4), Seen(4, 1000, 50.0, 3, 0.1), EngineConfig(1, 8)).workers == 4


def test_few_batches_need_few_workers() -> None:
    assert next_size(Size(8), Seen(8, 2, 50.0, 0, 0.1), EngineConfig(1, 8)).workers == 2


@given(
    st.none() | st.integers(1, MOST_PRODUCTS_AT_ONCE),
    st.floats(0.01, 500),
    st.floats(100, 1000),
    st.floats(-1000, 40_000),
    st.floats(0, 2),
)
def test_batch_is_within_its_bounds(
    fixed: int | None, each: float, floor: float, available: float, memory: float
) -> None:
    size = batch_size(fixed, Load(each), floor=floor, available=available, memory=memory)
    assert 1 <= size <= MOST_PRODUCTS_AT_ONCE
    assert batch_size(7, Load(each), floor=floor, available=available, memory=0.5) == 7


def test_batch_fills_a_request_with_what_products_cost() -> None:
    assert batch_size(None, Load(10), floor=100, available=5000, memory=0) == 100
    assert batch_size(None, Load(20), floor=100, available=5000, memory=0) == 50
    assert batch_size(None, Load(10), floor=100, available=-50, memory=0) == 10
    assert batch_size(None, Load(0.04), floor=100, available=5000, memory=0) == MOST_PRODUCTS_AT_ONCE
    assert Load(10).learned(2000, 100).points_each == 14


def test_strategies_gather_points_for_different_times() -> None:
    floors = [floor_points(RULES[one], 200) for one in (Strategy.SPEED, Strategy.BALANCED, Strategy.COST)]
    assert floors == [200, 600, 1000]
