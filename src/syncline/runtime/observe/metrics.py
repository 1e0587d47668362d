"""Prometheus metrics. A part declares its own beside its code; this module holds what all share.

Names: `syncline_<part>_<what>_<unit>`, counters end in `_total`. Labels take few values: never an id, path or message.
"""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from syncline import __version__

__all__ = [
    "CONTENT_TYPE_LATEST",
    "LATENCY_BUCKETS",
    "REGISTRY",
    "Counter",
    "Gauge",
    "Histogram",
    "render",
]

# Seconds. Dense around the promises we make (124 and 287 ms), wide enough for an import.
LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_build = Gauge("syncline_build_info", "Always 1; the label tells the running version.", ["version"])
_build.labels(version=__version__).set(1)


def render(registry: CollectorRegistry = REGISTRY) -> bytes:
    """All metrics of this process in the text format."""
    return generate_latest(registry)
