from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from syncline.apps.commerce.batch_contract import BatchOperation
from syncline.runtime.connect.persist import MAX_FAILURES


class CommerceSettings(BaseModel):
    """SYNCLINE_COMMERCE_*"""

    api_version: str = "2026-10"
    chunk_lines: int = Field(default=5_000, ge=100, le=100_000, description="Records per transaction of a pull")
    overlap: timedelta = Field(
        default=timedelta(minutes=2),
        description="How far an incremental pull reaches back before the last change it saw",
    )
    bulk_patience: timedelta = Field(
        default=timedelta(hours=1),
        description="How long a bulk operation may stand still before it is cancelled and pages are read instead",
    )
    bulk_slice: timedelta = Field(
        default=timedelta(minutes=15),
        description="How long Shopify may be predicted to work on one bulk operation before it is asked for in parts",
    )
    max_failures: int = Field(
        default=MAX_FAILURES, ge=1, le=100, description="Failures in a row, without progress, that end a pull or a push"
    )
    push_turn: timedelta = Field(
        default=timedelta(minutes=1),
        description="How long a push works before others that wait for a worker process have their turn",
    )
    push_help_from: int = Field(
        default=1_000, ge=1, description="Changes of a push from which other worker processes are called to help"
    )
    push_memory_bytes: int = Field(
        default=1_500_000_000,
        ge=100_000_000,
        description="Memory of a worker process from which its pushes take fewer workers and smaller batches",
    )
    allow_sandbox_urls: bool = Field(
        default=True, description="Accept stores whose base URL is a loopback address (a sandbox)"
    )
    batch_limits: dict[BatchOperation, Annotated[int, Field(ge=1, le=100_000)]] = Field(
        default_factory=dict,
        description="JSON: products in one batch, by operation, where not status 1000, tags 500, price 250, "
        "inventory 10000, details 1000, seo 500, metafields 250, collections 1000",
    )
    webhook_limit_bytes: int = Field(
        default=5_000_000, ge=10_000, le=100_000_000, description="Largest webhook that is taken"
    )
    webhook_delay: timedelta = Field(
        default=timedelta(seconds=5),
        description="How long webhooks of a shop wait that come faster than its limit, so that more are done together",
    )
    webhook_attempts: int = Field(
        default=8, ge=1, le=100, description="How often a webhook is tried before it is a dead letter"
    )
    public_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="Where Shopify and its merchants' browsers reach this installation, like https://sync.example.com",
    )
    webhook_check: timedelta = Field(
        default=timedelta(minutes=15),
        ge=timedelta(minutes=1),
        description="How often the subscriptions of a store are compared with what Shopify sends",
    )
    webhook_catch_up: timedelta = Field(
        default=timedelta(hours=24),
        ge=timedelta(minutes=10),
        description="How often what webhooks missed is looked for when nothing seems wrong",
    )
    webhook_grace: timedelta = Field(
        default=timedelta(minutes=2),
        ge=timedelta(0),
        description="How old a change must be before its webhook counts as missed",
    )
    author_may_approve: bool = Field(default=True, description="Off: somebody else must approve what I staged")

    def batch_limit(self, operation: BatchOperation) -> int:
        """Products that one batch of this operation takes."""
        return self.batch_limits.get(operation, BATCH_LIMITS[operation])


BATCH_LIMITS = {
    BatchOperation.STATUS: 1_000,
    BatchOperation.TAGS: 500,
    BatchOperation.PRICE: 250,
    BatchOperation.INVENTORY: 10_000,
    BatchOperation.DETAILS: 1_000,
    BatchOperation.SEO: 500,
    BatchOperation.METAFIELDS: 250,
    BatchOperation.COLLECTIONS: 1_000,
}
