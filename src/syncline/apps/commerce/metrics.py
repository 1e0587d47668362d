"""What commerce counts. Labels take few values: never a store, an id or a sentence."""

from __future__ import annotations

from syncline.runtime.observe.metrics import Counter, Histogram

RECORDS = Counter(
    "syncline_commerce_records_total", "Records pulled, by stream and what became of them.", ["stream", "outcome"]
)
"""Outcomes: inserted, updated, unchanged, duplicate, unreadable."""

PULLS = Counter("syncline_commerce_pulls_total", "Pulls that ended, by how.", ["status"])
PULL_SECONDS = Histogram(
    "syncline_commerce_pull_seconds", "How long pulls took.", ["mode"], buckets=(1, 5, 15, 60, 300, 900, 3600, 14400)
)
CHANGES = Counter("syncline_commerce_changes_total", "Attempts at changes that ended, by outcome.", ["outcome"])
"""Outcomes: applied, already, conflict, refused, gone."""

DIFFERENCES = Counter(
    "syncline_commerce_reconciliations_total", "Comparisons of store and mirror, by whether they agreed.", ["agreed"]
)
SCHEDULED = Counter(
    "syncline_commerce_scheduled_total",
    "Times of schedules that came round, by what came of them.",
    ["action", "outcome"],
)
"""Outcomes: started, skipped."""
SUBSCRIPTIONS = Counter(
    "syncline_commerce_webhook_subscriptions_total",
    "Subscriptions that had to be mended, by what was done.",
    ["outcome"],
)
"""Outcomes: created, recreated, moved, removed, refused."""

MISSED = Counter(
    "syncline_commerce_webhooks_missed_total", "Records that no webhook told of, by kind and why.", ["kind", "reason"]
)

TOKENS_RENEWED = Counter(
    "syncline_commerce_tokens_renewed_total", "Attempts to renew a store's token, by outcome.", ["outcome"]
)
"""Outcomes: renewed, overtaken (another process was faster), refused, failed."""
