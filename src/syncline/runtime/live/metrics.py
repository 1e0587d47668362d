"""What the hub counts."""

from __future__ import annotations

from syncline.runtime.observe.metrics import Counter, Gauge

WATCHERS = Gauge("syncline_live_watchers", "Connections that watch, in this process.")
CUT = Counter("syncline_live_cut_total", "Connections ended because they took nothing for two minutes.")
