import asyncio
import selectors
import time

import pytest

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.cost_limiter import CostLimiter, CostReport


class _Selector(selectors.DefaultSelector):
    """Does not sleep: its clock is set on by what it should have slept, and by a microsecond for the work."""

    at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        self.at += 1e-6 + (0.0 if found else timeout or 0.0)
        return found


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop in which only waiting takes time, so that a busy machine changes nothing."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.at


class Vendor:
    """A bucket that admits by requested cost and charges the actual one, by the clock of the loop."""

    def __init__(self, capacity: float, rate: float) -> None:
        self.now = asyncio.get_running_loop().time
        self.capacity, self.rate, self.level, self.at = capacity, rate, capacity, self.now()
        self.refused, self.charged, self.overflowed = 0, 0.0, 0.0

    def tick(self) -> None:
        now = self.now()
        grown = self.level + (now - self.at) * self.rate
        self.at, self.level = now, min(self.capacity, grown)
        self.overflowed += grown - self.level

    def answer(self, requested: float, actual: float) -> CostReport:
        self.tick()
        admitted = requested <= self.level
        self.refused += not admitted
        self.charged += actual if admitted else 0
        self.level -= actual if admitted else 0
        return CostReport(requested, actual if admitted else None, float(int(self.level)), self.capacity, self.rate)


async def spend(limiter: CostLimiter, vendor: Vendor, requested: float, actual: float, seconds: float) -> None:
    until = vendor.now() + seconds
    while vendor.now() < until:
        reservation = await limiter.reserve(requested)
        await asyncio.sleep(0.002)
        report = vendor.answer(requested, actual)
        await asyncio.sleep(0.002)
        reservation.settle(report)


def test_uses_more_than_95_percent_of_the_restore_rate_and_is_never_refused() -> None:
    async def work() -> tuple[Vendor, CostLimiter]:
        vendor = Vendor(2_000, 10_000)
        limiter = CostLimiter(capacity=2_000, restore_rate=10_000, clock=vendor.now)
        await asyncio.gather(*(spend(limiter, vendor, 563, 178, 0.6) for _ in range(10)))
        await asyncio.gather(*(spend(limiter, vendor, 563, 178, 1.5) for _ in range(10)))
        vendor.tick()
        return vendor, limiter

    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        vendor, limiter = runner.run(work())
    assert vendor.refused == limiter.stats.throttled == 0
    assert limiter.stats.points == pytest.approx(vendor.charged)
    assert vendor.charged / (vendor.charged + vendor.overflowed) > 0.95


async def test_first_come_first_served_and_a_dear_call_is_not_overtaken() -> None:
    limiter = CostLimiter(capacity=1000, restore_rate=5000)
    (await limiter.reserve(990)).charge()
    order: list[str] = []

    async def ask(name: str, cost: float) -> None:
        reservation = await limiter.reserve(cost)
        order.append(name)
        reservation.charge()

    await asyncio.gather(ask("dear", 900), ask("cheap", 1), ask("cheaper", 1))
    assert order == ["dear", "cheap", "cheaper"]


async def test_cancelled_waiter_makes_room_for_the_next() -> None:
    limiter = CostLimiter(capacity=1000, restore_rate=1000, clock=lambda: 0.0)  # nothing flows back
    held = await limiter.reserve(995)
    dear = asyncio.ensure_future(limiter.reserve(900))
    cheap = asyncio.ensure_future(limiter.reserve(2))
    await asyncio.sleep(0)
    dear.cancel()
    assert (await asyncio.wait_for(cheap, 30)).cost == 2
    held.give_back()
    assert limiter.waiting == 0


async def test_refused_call_waits_for_what_is_missing_and_goes_first() -> None:
    limiter = CostLimiter(capacity=4000, restore_rate=2000)
    reservation = await limiter.reserve(862)
    reservation.settle(CostReport(862, None, 572, 4000, 2000))
    started = time.monotonic()
    order: list[str] = []

    async def ask(name: str, cost: float, *, again: bool) -> None:
        (await limiter.reserve(cost, again=again)).charge()
        order.append(name)

    await asyncio.gather(
        ask("waiting before", 800, again=False),
        ask("refused", 862, again=True),
    )
    assert order == ["refused", "waiting before"]
    assert time.monotonic() - started >= (862 - 572 + 800) / 2000
    assert limiter.stats.throttled == 1


async def test_another_client_at_the_bucket_slows_us_down() -> None:
    limiter = CostLimiter(capacity=2000, restore_rate=1000)
    (await limiter.reserve(10)).settle(CostReport(10, 10, 100, 2000, 1000))
    started = time.monotonic()
    await limiter.reserve(300)
    assert time.monotonic() - started >= 0.19


async def test_call_that_can_never_pass_is_fatal() -> None:
    with pytest.raises(Fatal, match="smaller page or a bulk operation"):
        await CostLimiter(capacity=1000, restore_rate=50).reserve(1001)


async def test_reservation_ends_once() -> None:
    limiter = CostLimiter(capacity=1000, restore_rate=0.001)
    reservation = await limiter.reserve(600)
    reservation.charge()
    reservation.give_back()
    assert limiter.available == pytest.approx(400, abs=1)
    assert limiter.bucket.in_flight == 0
