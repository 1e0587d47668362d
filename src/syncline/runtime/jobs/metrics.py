"""What the worker counts. Labels are names of jobs and the few outcomes below, never ids."""

from __future__ import annotations

from syncline.runtime.observe.metrics import LATENCY_BUCKETS, Counter, Gauge, Histogram

FINISHED = Counter("syncline_jobs_finished_total", "Attempts that ended, by job and outcome.", ["job", "outcome"])
"""Outcomes: successful, cancelled, retry, dead, handed_back, taken_over."""

SECONDS = Histogram(
    "syncline_jobs_run_seconds", "How long attempts ran.", ["job"], buckets=(*LATENCY_BUCKETS, 60, 300, 900)
)
WAITED = Histogram(
    "syncline_jobs_wait_seconds",
    "From enqueueing to the first attempt.",
    ["job"],
    buckets=(*LATENCY_BUCKETS, 60, 300, 900, 3600),
)
RUNNING = Gauge("syncline_jobs_running", "Jobs running in this process.", ["job"])
FREED = Counter("syncline_jobs_freed_total", "Jobs taken from workers that fell silent.", ["job"])
