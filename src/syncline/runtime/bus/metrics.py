"""What the relay counts."""

from __future__ import annotations

from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Histogram

SENT = Counter("syncline_events_sent_total", "Events taken from the outbox, by event.", ["event"])
HANDLED = Counter(
    "syncline_events_handled_total", "Deliveries that ended, by handler and outcome.", ["handler", "outcome"]
)
"""Outcomes: applied, repeated (had been applied before), retry, dead."""

LAG = Histogram(
    "syncline_events_lag_seconds",
    "From publishing to the commit of a handler's effect.",
    ["handler"],
    buckets=(*LATENCY_BUCKETS, 60, 300, 3600),
)
