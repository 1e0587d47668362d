"""The part of the contract that is about bulk operations. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from syncline.kernel.errors import Conflict, NotFound
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor


class BatchOperation(StrEnum):
    """What a bulk operation changes of the products it is for. `details` are vendor and type."""

    STATUS = "status"
    TAGS = "tags"
    PRICE = "price"
    INVENTORY = "inventory"
    DETAILS = "details"
    SEO = "seo"
    METAFIELDS = "metafields"
    COLLECTIONS = "collections"


class BatchStatus(StrEnum):
    """`queued` and `running` are live; the rest are final. Only a completed one has staged anything."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in {BatchStatus.QUEUED, BatchStatus.RUNNING}


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One bulk operation as somebody asks for it: for the products of `product_ids`, of the search `where`, or those of
    the ids that the search finds. A search of variants changes the variants it finds, not their sisters. `updates` says
    what to change, in the words of its operation. A second request with the same `key` is the first one."""

    store: str
    operation: BatchOperation
    updates: Mapping[str, Any]
    where: str | None = None
    product_ids: Sequence[int] = ()
    note: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class BatchRun:
    """One bulk operation. Products: `total` of them, `processed` so far, of which `unchanged` are as wanted already,
    `waiting` have the same change staged already, and `refused` cannot be changed so. `staged` counts changes, `parts`
    the batches they are in. `retries` is the run this one repeats, `retried_by` the one that repeats it."""

    id: UUID
    store: str
    operation: BatchOperation
    summary: str
    where: str | None
    status: BatchStatus
    requested_by: str
    note: str | None
    total: int | None
    processed: int
    staged: int
    unchanged: int
    waiting: int
    refused: int
    parts: int
    error: str | None
    retries: UUID | None
    retried_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchPart:
    """As many products as one batch takes. `batch_id` is None where nothing was to be staged; `counts` is its changes
    by status, as they are now."""

    number: int
    batch_id: UUID | None
    products: int
    staged: int
    unchanged: int
    waiting: int
    refused: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchRefusal:
    """One product that cannot be changed as asked. Nothing of it was staged."""

    product_id: int
    label: str
    field: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class BatchResults:
    """What came of a run: its batches, and a page of what was refused."""

    run: BatchRun
    parts: Sequence[BatchPart]
    refusals: Page[BatchRefusal]


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """What would be staged for one record."""

    kind: str
    resource_id: int
    product_id: int
    label: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """What an operation would do, counted to the last record; the lists hold the first hundred."""

    store: str
    operation: BatchOperation
    summary: str
    products: int
    staged: int
    unchanged: int
    waiting: int
    refused: int
    parts: int
    changes: Sequence[ProposedChange]
    refusals: Sequence[BatchRefusal]


class BatchRunNotFound(NotFound):
    code = "BATCH_002"
    title = "No such bulk operation"


class BatchRunEnded(Conflict):
    code = "BATCH_003"
    title = "The bulk operation has ended already"


class BatchNotRetried(Conflict):
    """It runs yet, was retried already, or has nothing left to do."""

    code = "BATCH_004"
    title = "The bulk operation cannot be retried"


class Batches(Protocol):
    """Bulk operations on the products of a store. Each stages changes, to be reviewed and pushed like any others."""

    async def preview_batch(self, *, actor: Actor, request: BatchRequest) -> BatchPreview:
        """Stages nothing. Raises `StoreNotFound`, and `InvalidInput` for what is not clear."""
        ...

    async def start_batch(self, *, actor: Actor, request: BatchRequest) -> BatchRun:
        """A worker does it, all of it or nothing. Raises `StoreNotFound`, and `InvalidInput` for what is not clear."""
        ...

    async def get_batch_run(self, *, actor: Actor, run_id: UUID) -> BatchRun: ...

    async def cancel_batch(self, *, actor: Actor, run_id: UUID) -> BatchRun:
        """Nothing of it is staged. Raises `BatchRunEnded`."""
        ...

    async def retry_batch(self, *, actor: Actor, run_id: UUID) -> BatchRun:
        """A new run: of the whole, where the old one failed or was cancelled, else of the products it refused. Raises
        `BatchNotRetried`."""
        ...

    async def list_batch_runs(self, *, actor: Actor, store: str | None, page: PageRequest) -> Page[BatchRun]:
        """Newest first."""
        ...

    async def get_batch_results(self, *, actor: Actor, run_id: UUID, page: PageRequest) -> BatchResults: ...
