"""How many webhooks of a shop are worked on as they come. What is beyond waits a little, so that more of them are done
together; none is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from syncline.kernel.tenant import TenantId
from syncline.runtime.limits.counting import Verdict
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.rates import RateBook

POLICY: Final = "webhooks"
_AT_ONCE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Pace:
    """`wait` is how long the delivery waits until it is looked at."""

    wait: timedelta
    verdict: Verdict

    def headers(self, now: float) -> Sequence[tuple[bytes, bytes]]:
        return (
            (b"x-ratelimit-limit", b"%d" % self.verdict.limit),
            (b"x-ratelimit-remaining", b"%d" % self.verdict.remaining),
            (b"x-ratelimit-reset", b"%d" % math.ceil(now + self.verdict.whole_in)),
        )


class Paces:
    def __init__(self, limiter: Limiter | None, rates: RateBook | None, *, delay: timedelta) -> None:
        self._limiter = limiter
        self._rates = rates
        self._delay = delay

    async def take(self, shop_domain: str, tenant_id: TenantId) -> Pace | None:
        """Counts one of the shop. None where nobody is counted."""
        if self._limiter is None:
            return None
        policy = self._limiter.policies[POLICY]
        if self._rates is not None:
            policy = await self._rates.policy(POLICY, tenant_id)
        verdict = await self._limiter.take_under(policy, f"shop:{shop_domain}")
        if verdict is None:
            return None
        return Pace(_AT_ONCE if verdict.allowed else self._delay, verdict)
