"""Where a push stands in the job queue. Pure."""

from __future__ import annotations

from syncline.apps.commerce.push_contract import Priority

STEPS = {
    Priority.CRITICAL: 40,
    Priority.HIGH: 20,
    Priority.NORMAL: 0,
    Priority.LOW: -20,
    Priority.BATCH: -40,
}
"""A pull stands at 0. What waits rises by a step of the queue's ageing at a time (`runtime/jobs/lanes.py`), and a push
that has had its turn begins anew below: so each comes round, the higher ones sooner."""
