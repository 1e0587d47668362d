"""What others may know of commerce: frozen types, one interface, events, errors. Rows never leave the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from syncline.apps.commerce.browse_contract import Browse
from syncline.apps.commerce.integrity_contract import Integrity
from syncline.apps.commerce.schedule_contract import Schedules
from syncline.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor

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
    """`queued` and `running` are live; the rest are final. Only a stream is `skipped`: the store's token may not read
    it, and the rest of the run goes on."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        return self not in {RunStatus.QUEUED, RunStatus.RUNNING}


class ChangeStatus(StrEnum):
    """The life of one staged change.

    pending -> approved -> sending -> applied; or rejected, conflict (the store moved since), failed (the store
    refused), skipped (a conflict given up). A resolved conflict is approved again.
    """

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SENDING = "sending"
    APPLIED = "applied"
    CONFLICT = "conflict"
    FAILED = "failed"
    SKIPPED = "skipped"


class Resolution(StrEnum):
    """What to do with a conflict: leave the store's value, write ours all the same, or write only the fields that did
    not move."""

    SKIP = "skip"
    OVERWRITE = "overwrite"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class Store:
    """A connected shop. `name` is how people call it; the access token is never in here."""

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
class ChangeBatch:
    """What was staged together: one bulk edit, one sheet, one rollback. `counts` is changes by status."""

    id: UUID
    store: str
    kind: str
    summary: str
    author: str
    created_at: datetime
    reverts: UUID | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StagedChange:
    """One record, its fields before and after. `theirs` is what the store said when it had moved. `product_id` is 0 for
    a collection, which belongs to none."""

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
    """One push of approved changes. `counts` is its changes by status."""

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


class StoreNotFound(NotFound):
    code = "STORE_001"
    title = "No such store"


class StoreExists(Conflict):
    code = "STORE_002"
    title = "The store is already connected"


class StoreRefused(InvalidInput):
    """The shop's domain, token or scopes are not right; found before any work starts."""

    code = "STORE_003"
    title = "The store cannot be reached with these settings"


class PullAlreadyRunning(Conflict):
    code = "PULL_003"
    title = "A pull of this store is already running"


class RunNotFound(NotFound):
    code = "PULL_002"
    title = "No such run"


class BatchNotFound(NotFound):
    code = "CHANGE_002"
    title = "No such batch or change"


class NothingToDo(Conflict):
    code = "CHANGE_004"
    title = "Nothing to do"


class ChangeNotReviewable(Conflict):
    code = "CHANGE_003"
    title = "The change cannot be reviewed in its present state"


class SheetRefused(InvalidInput):
    code = "IMPORT_001"
    title = "The sheet has errors; nothing was staged"


class FileNotWritten(Unavailable):
    code = "EXPORT_001"
    title = "The file could not be written"


class TooLongForFormat(InvalidInput):
    code = "EXPORT_002"
    title = "There are more rows than this kind of file can have"


class PushAlreadyRunning(Conflict):
    code = "PUSH_003"
    title = "A push to this store is already running"


@dataclass(frozen=True, slots=True)
class ChangeQuery:
    """Which staged changes. All given parts must hold; `search` is the one search syntax (`status:pending vendor:Acme
    field:price batch:<id>`)."""

    store: str | None = None
    batch_id: UUID | None = None
    statuses: Sequence[ChangeStatus] = ()
    ids: Sequence[UUID] = ()
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFinished:
    """A pull reached its end and was compared with the store."""

    store_id: UUID
    run_id: UUID
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PushFinished:
    """A push reached its end; `counts` is its changes by status."""

    store_id: UUID
    run_id: UUID
    counts: Mapping[str, int]


class Commerce(Schedules, Integrity, Browse, Protocol):
    """The commerce app as others see it. Every call acts for `actor` and inside its tenant."""

    async def add_store(
        self,
        *,
        actor: Actor,
        name: str,
        shop_domain: str,
        token: str,
        base_url: str | None = None,
        api_version: str | None = None,
    ) -> Store: ...

    async def list_stores(self, *, actor: Actor) -> Sequence[Store]: ...

    async def test_store(self, *, actor: Actor, store: str) -> Store: ...

    async def replace_token(self, *, actor: Actor, store: str, token: str) -> Store:
        """After a token was revoked or given other scopes. The shop is asked with the new one before it is kept."""
        ...

    async def overview(self, *, actor: Actor, store: str) -> StoreOverview: ...

    async def start_pull(
        self,
        *,
        actor: Actor,
        store: str,
        mode: PullMode,
        streams: Sequence[str] = (),
        path: PullPath | None = None,
    ) -> PullRun:
        """`path` overrules the plan."""
        ...

    async def get_pull(self, *, actor: Actor, run_id: UUID) -> PullRun: ...

    async def cancel_pull(self, *, actor: Actor, run_id: UUID) -> PullRun: ...

    async def reconcile(
        self,
        *,
        actor: Actor,
        store: str,
        depth: str = "ids",
        repair: bool = True,
        progress: Callable[[str, int], None] | None = None,
    ) -> Reconciliation:
        """`progress` is told a stream and how many of its records were read; only a caller in the same process can
        be told."""
        ...

    async def stage_edit(
        self, *, actor: Actor, store: str, where: str, edits: Sequence[str], note: str | None = None
    ) -> ChangeBatch: ...

    async def import_sheet(
        self,
        *,
        actor: Actor,
        store: str,
        path: str,
        keep_good: bool = False,
        ignore_unknown: bool = False,
        encoding: str | None = None,
        location: str | None = None,
        name: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportResult:
        """`name` is what the batch calls the sheet; the file's own, when left out. `progress` is told rows and bytes
        read; only a caller in the same process can be told."""
        ...

    async def export_store(
        self,
        *,
        actor: Actor,
        store: str,
        file: BinaryIO,
        format: str,  # noqa: A002 - the word everybody uses for it
        kind: str = "products",
        where: str = "",
        columns: Sequence[str] = (),
        marks: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> ExportResult:
        """Writes the mirror to `file` as csv, xlsx, json, jsonl or parquet: the products that match `where`, whole, or
        with `kind` inventory the stock that does. `marks` keeps a spreadsheet from computing or rewriting the texts of
        a CSV file. `file` and `progress`, which is told rows and all rows, only a caller in the same process can
        give.

        Raises `StoreNotFound`; `InvalidInput` for what is not clear; `NothingToDo` when nothing matches;
        `TooLongForFormat`; `FileNotWritten`."""
        ...

    async def list_batches(self, *, actor: Actor, store: str | None, page: PageRequest) -> Page[ChangeBatch]: ...

    async def list_changes(self, *, actor: Actor, query: ChangeQuery, page: PageRequest) -> Page[StagedChange]: ...

    async def get_change(self, *, actor: Actor, change_id: UUID) -> StagedChange: ...

    async def approve(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> int: ...

    async def reject(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> int: ...

    async def resolve(self, *, actor: Actor, query: ChangeQuery, resolution: Resolution) -> int: ...

    async def start_push(self, *, actor: Actor, store: str, batch_id: UUID | None = None) -> PushRun: ...

    async def get_push(self, *, actor: Actor, run_id: UUID) -> PushRun: ...

    async def list_receipts(self, *, actor: Actor, batch_id: UUID, page: PageRequest) -> Page[Receipt]: ...

    async def stage_rollback(
        self, *, actor: Actor, batch_id: UUID, change_ids: Sequence[UUID] = (), note: str | None = None
    ) -> ChangeBatch: ...
