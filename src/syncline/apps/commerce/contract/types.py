from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from syncline.apps.commerce.push_contract import PushEngine

Json = dict[str, Any]


class PullMode(StrEnum):
    """`full` reads everything and finds what is gone; `incremental` reads what changed since the last pull."""

    FULL = "full"
    INCREMENTAL = "incremental"


class PullPath(StrEnum):
    """How a stream is read: one bulk operation of the store's, or page by page."""

    BULK = "bulk"
    PAGED = "paged"


class RunStatus(StrEnum):
    """`queued`, `running` and `paused` are live; the rest are final. Only a stream is `skipped`: the store's token may
    not read it, and the rest of the run goes on. Only a push is `paused`."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self not in {RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED}


class ChangeStatus(StrEnum):
    """The life of one staged change.

    pending -> approved -> sending -> applied; or rejected, expired (nobody decided in time), conflict (the store moved
    since), failed (the store refused), skipped (a conflict given up). A resolved conflict is approved again. An inbound
    one, which the store has already, becomes accepted, or rejected.
    """

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SENDING = "sending"
    APPLIED = "applied"
    CONFLICT = "conflict"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    ACCEPTED = "accepted"


class Resolution(StrEnum):
    """What to do with a conflict: leave the store's value, write ours all the same, or write only the fields that did
    not move."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    MERGE = "merge"


class StoreReview(StrEnum):
    """`inbound`: what others change in the store is staged for review as pulls see it."""

    NONE = "none"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True)
class Store:
    """A connected shop. `name` is how people call it; the access token is never in here. `uninstalled_at` is when the
    shop removed the app: what was pulled stays, nothing more is asked of it until the app is installed again."""

    id: UUID
    name: str
    shop_domain: str
    base_url: str | None
    api_version: str
    shop_name: str
    currency: str
    plan: str
    scopes: Sequence[str]
    created_at: datetime
    review: StoreReview = StoreReview.NONE
    uninstalled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoreRemoval:
    """What goes with a store: records by kind, changes by status with their receipts, and schedules."""

    store: Store
    records: Mapping[str, int]
    changes: Mapping[str, int]
    schedules: int


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How far one stream of a pull is. `total` is what the store announced, None while it is not known; `expected` is
    what a bulk operation has written so far."""

    stream: str
    status: str
    path: str | None
    reason: str | None
    total: int | None
    expected: int | None
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    duplicates: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    notes: Sequence[str]
    is_incomplete: bool


@dataclass(frozen=True, slots=True)
class PullRun:
    """One pull of one store."""

    id: UUID
    store: str
    mode: PullMode
    status: RunStatus
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    streams: Sequence[StreamProgress]
    reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """One kind of record on both sides. `missing` ids are in the store and not in the mirror, `extra` the other way
    round, `stale` in both but of different versions; each list names at most 50, the counts are whole."""

    kind: str
    in_store: int | None
    in_mirror: int
    missing: Sequence[str] = ()
    missing_count: int = 0
    extra: Sequence[str] = ()
    extra_count: int = 0
    stale: Sequence[str] = ()
    stale_count: int = 0

    @property
    def agrees(self) -> bool:
        same = self.in_store is None or self.in_store == self.in_mirror
        return same and not (self.missing_count or self.extra_count or self.stale_count)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Store against mirror. `repaired` says how many records were mended before the final comparison."""

    id: UUID
    store: str
    method: str
    agreed: bool
    repaired: int
    kinds: Sequence[KindCount]
    created_at: datetime
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """What was to be staged, held against what waits already (pending, approved or on its way). `waiting` values were
    not staged again: the same step waits in the batches `waiting_in`. `rivals` of the changes that were staged want
    another value than ones that wait in `rivals_in`: both stay, and of two that are approved the later one is a
    conflict when it is pushed. The batches with the most are named, up to five. `replaced` were given up: they were to
    add an image that is now added with another text."""

    waiting: int = 0
    waiting_in: Sequence[UUID] = ()
    rivals: int = 0
    rivals_in: Sequence[UUID] = ()
    replaced: int = 0


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """What was staged together: one bulk edit, one sheet, one rollback. `counts` is changes by status; `overlap` is
    told by whoever stages it, once."""

    id: UUID
    store: str
    kind: str
    summary: str
    author: str
    created_at: datetime
    reverts: UUID | None
    counts: Mapping[str, int]
    overlap: Overlap | None = None


@dataclass(frozen=True, slots=True)
class StagedChange:
    """One record, its fields before and after. `theirs` is what the store said when it had moved. `product_id` is 0 for
    a collection, which belongs to none. `vendor` is the product's, when the change was staged; `assignee` is who is
    asked to decide, `expires_at` until when. `direction` is `outbound`, from here to the store, or `inbound`: somebody
    changed it in the store."""

    id: UUID
    batch_id: UUID
    kind: str
    resource_id: int
    product_id: int
    label: str
    before: Json
    after: Json
    theirs: Json | None
    status: ChangeStatus
    author: str
    reviewer: str | None
    note: str | None
    sentence: str | None
    created_at: datetime
    reviewed_at: datetime | None
    vendor: str = ""
    assignee: str | None = None
    expires_at: datetime | None = None
    direction: str = "outbound"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What happened to one change at the store: the values read just before the write, the values the store answered,
    Shopify's own code and our sentence."""

    change_id: UUID
    attempt: int
    outcome: str
    before: Json
    after: Json
    verified_by: str
    vendor_code: str | None
    sentence: str | None
    store_updated_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class PushRun:
    """One push of approved changes. `counts` is its changes by status; `engine` is how it is carried out."""

    id: UUID
    store: str
    status: RunStatus
    requested_by: str
    total: int
    counts: Mapping[str, int]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    engine: PushEngine | None = None


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing wrong in a sheet. `row` counts from 1 with the header, None for the file as a whole; `severity` is
    `error` or `note`."""

    row: int | None
    column: str | None
    value: str
    reason: str
    severity: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of a sheet. `batch` is None when nothing was staged."""

    batch: ChangeBatch | None
    rows: int
    products: int
    staged: int
    unchanged: int
    errors: int
    notes: int
    problems: Sequence[ImportProblem]
    problems_cut: bool
    overlap: Overlap = Overlap()


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written to a file. `kind` is `products` or `inventory`; `rows` counts rows, or objects of JSON;
    `columns` are their titles; `notes` say what the kind of file could not hold."""

    store: str
    kind: str
    format: str
    products: int
    rows: int
    columns: Sequence[str]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoreOverview:
    """Where a store stands: mirror counts, changes by status, the last pull, push and reconciliation."""

    store: Store
    records: Mapping[str, int]
    changes: Mapping[str, int]
    last_pull: PullRun | None
    last_push: PushRun | None
    last_reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """Which staged changes. All given parts must hold; `search` is the one search syntax (`status:pending vendor:Acme
    field:price batch:<id>`); a selection is what matched when it was made."""

    store: str | None = None
    batch_id: UUID | None = None
    statuses: Sequence[ChangeStatus] = ()
    ids: Sequence[UUID] = ()
    search: str = ""
    selection_id: UUID | None = None


class OperationKind(StrEnum):
    """What people watch, and are told the end of."""

    PULL = "pull"
    PUSH = "push"
    IMPORT = "import"
    EXPORT = "export"
    RECONCILE = "reconcile"
    BATCH = "batch"
    ALIGN = "align"
    WEBHOOKS = "webhooks"
    """Subscriptions were mended, or records that webhooks missed were read."""
    PRIVACY_REQUEST = "privacy_request"
    """Shopify asked for a person's data or its erasure, or the day it is due comes near."""
