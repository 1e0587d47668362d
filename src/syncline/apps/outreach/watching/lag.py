"""How far behind the tenants are, as gauges without a label for each: the one that is furthest behind counts.

A process knows of the tenants whose jobs it ran, so the figure of the installation is the maximum over its processes. A
tenant that another process looks at now is forgotten here after a while.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.observe.metrics import Gauge, Histogram

_KNOWN_FOR = timedelta(minutes=12)
"""Each tenant is looked at every five minutes."""


@dataclass(frozen=True, slots=True)
class Widest:
    gauge: Gauge
    known: dict[TenantId, tuple[datetime, timedelta]] = field(default_factory=dict)

    def note(self, tenant_id: TenantId, lag: timedelta) -> None:
        now = clock.now()
        self.known[tenant_id] = (now, lag)
        for one in [one for one, (at, _) in self.known.items() if now - at > _KNOWN_FOR]:
            del self.known[one]
        self.gauge.set(max(lag for _, lag in self.known.values()).total_seconds())


DELIVERY: Final = Widest(
    Gauge("syncline_outreach_lag_seconds", "How long the event waits that waits longest for Mixpanel, of all tenants.")
)
READING: Final = Widest(
    Gauge(
        "syncline_outreach_sync_age_seconds",
        "How long ago the hourly sync last came to a good end, of the tenant where that is longest ago.",
    )
)
SYNC_LAG: Final = Histogram(
    "syncline_outreach_sync_lag_seconds",
    "From what the last sync had not read yet to being stored: the most an event of an hourly sync was late.",
    buckets=(60, 300, 900, 1_800, 3_600, 3_900, 4_500, 5_400, 7_200, 14_400, 43_200, 86_400),
)
