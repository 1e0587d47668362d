"""What we believe about a vendor's leaky bucket. Pure: time is passed in, so that it can be tested against a model."""

from __future__ import annotations

from dataclasses import dataclass

# The vendor rounds what it reports, and our clocks tick apart; one point keeps us on the right side of both.
_MARGIN = 1.0


@dataclass(slots=True)
class Bucket:
    """A bucket of `capacity` points that refills by `restore_rate` points a second.

    The vendor admits a call if its *requested* cost is available and charges its *actual* cost, giving the rest back.
    `level` is what would be available if every call under way were charged at its requested cost, which is never more
    than the vendor will grant; with nobody else at the bucket, a call planned by it is therefore never refused.
    """

    capacity: float
    restore_rate: float
    level: float
    at: float
    in_flight: float = 0.0
    charged: float = 0.0
    known: bool = False

    def now(self, at: float) -> float:
        """The level at time `at`, remembered."""
        if at > self.at:
            self.level = min(self.capacity - self.in_flight, self.level + (at - self.at) * self.restore_rate)
            self.at = at
        return self.level

    def seconds_until(self, cost: float, at: float) -> float:
        """How long until a call of `cost` may be sent; 0 if now."""
        missing = min(cost + _MARGIN, self.capacity) - self.now(at)
        return max(0.0, missing / self.restore_rate)

    def take(self, cost: float, at: float) -> float:
        """A call of `cost` is about to be sent. The answer is a mark, to be given back with the vendor's report."""
        self.now(at)
        self.level -= cost
        self.in_flight += cost
        return self.charged

    def settle(self, cost: float, actual: float, at: float) -> None:
        """The call taken at `cost` was charged `actual`."""
        self.now(at)
        self.in_flight = max(0.0, self.in_flight - cost)
        self.charged += actual
        self.level = min(self.capacity - self.in_flight, self.level + cost - actual)

    def reported(self, available: float, at: float, *, mark: float, actual: float) -> None:
        """The vendor says `available` points were there when it ended the call just settled, charged `actual`.

        Calls that were under way at any time between that call's sending and its answer may be counted in this or not,
        also those that have been answered since: the truth lies between `available` less all of them and `available`.
        Less than our belief means that somebody else drinks from the bucket.
        """
        self.now(at)
        uncounted = self.in_flight + self.charged - mark - actual
        self.level = min(max(self.level, available - uncounted), available)
        self.known = True

    def resize(self, capacity: float, restore_rate: float) -> None:
        """The vendor's answers tell the plan; a plan may change while we run."""
        if capacity > 0 and restore_rate > 0:
            self.capacity, self.restore_rate = capacity, restore_rate
