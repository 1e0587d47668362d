from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, Protocol
from uuid import UUID

from syncline.apps.commerce.alignment_contract import Alignments
from syncline.apps.commerce.batch_contract import Batches
from syncline.apps.commerce.browse_contract import Browse
from syncline.apps.commerce.compliance_contract import PrivacyRequests
from syncline.apps.commerce.contract.conflicts import Conflicts
from syncline.apps.commerce.contract.connecting import Connecting
from syncline.apps.commerce.contract.decisions import Decided, Deciding
from syncline.apps.commerce.contract.inbound import Inbound
from syncline.apps.commerce.contract.types import (
    ChangeBatch,
    ChangeQuery,
    ExportResult,
    ImportResult,
    Json,
    PullMode,
    PullPath,
    PullRun,
    PushRun,
    Receipt,
    Reconciliation,
    Resolution,
    StagedChange,
    Store,
    StoreOverview,
    StoreRemoval,
)
from syncline.apps.commerce.dashboard_contract import Dashboards
from syncline.apps.commerce.integrity_contract import Integrity
from syncline.apps.commerce.push_contract import EngineConfig, PushPlan
from syncline.apps.commerce.review_contract import Reviewing
from syncline.apps.commerce.schedule_contract import Schedules
from syncline.apps.commerce.sheet_contract import Sheets
from syncline.apps.commerce.webhook_management_contract import WebhookManagement
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor


class Commerce(
    Schedules,
    Integrity,
    Browse,
    Reviewing,
    Batches,
    Conflicts,
    Deciding,
    Inbound,
    Sheets,
    Alignments,
    WebhookManagement,
    PrivacyRequests,
    Connecting,
    Dashboards,
    Protocol,
):
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

    async def remove_store(
        self,
        *,
        actor: Actor,
        store: str,
        dry_run: bool = False,
        progress: Callable[[str, int], None] | None = None,
    ) -> StoreRemoval:
        """Takes token, name and schedules away at once, and leaves the rows to a job; with `progress`, which only a
        caller in the same process can give, they are gone on return, and it is told tables and rows. `dry_run` only
        says what would go. The shop is not asked.

        Raises `StoreNotFound`; `PullAlreadyRunning` and `PushAlreadyRunning` while one runs."""
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

    async def stage_products(
        self, *, actor: Actor, store: str, products: Sequence[Json], note: str | None = None
    ) -> ChangeBatch:
        """Products to be made: each an object with `title`, any other of the catalogue's product fields, `options`
        (names), `variants` (each with `options`, the catalogue's variant fields, `levels`, `metafields`), `media`
        (`url`, `alt`) and `metafields`. A handle is made of the title where there is none; without a status the product
        is a draft.

        Raises `StoreNotFound`; `InvalidInput` with all that is wrong, and then nothing is staged."""
        ...

    async def stage_deletion(self, *, actor: Actor, store: str, where: str, note: str | None = None) -> ChangeBatch:
        """The products that match `where` to be deleted. Each is kept whole in its change, so that an undo can make it
        again, with other ids.

        Raises `StoreNotFound`, `InvalidInput` for a search that says nothing, `NothingToDo`."""
        ...

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
        create: bool = False,
        mapping: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ImportResult:
        """`name` is what the batch calls the sheet; the file's own, when left out. With `create` a product that the
        store does not have is to be made; `mapping` is the name of one that was kept. `progress` is told rows and bytes
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

    async def approve(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> Decided:
        """What matches and is pending. Raises `ChangeNotReviewable` when there is nothing of it."""
        ...

    async def reject(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> Decided:
        """What matches and was not sent. Raises `ChangeNotReviewable` when there is nothing of it."""
        ...

    async def resolve(self, *, actor: Actor, query: ChangeQuery, resolution: Resolution) -> int: ...

    async def plan_push(
        self, *, actor: Actor, store: str, batch_id: UUID | None = None, config: EngineConfig | None = None
    ) -> PushPlan:
        """What a push would do, predicted; nothing is claimed and nothing sent."""
        ...

    async def start_push(
        self, *, actor: Actor, store: str, batch_id: UUID | None = None, config: EngineConfig | None = None
    ) -> PushRun: ...

    async def pause_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        """What is in flight is finished and written down. Raises `PushNotLive`."""
        ...

    async def resume_push(self, *, actor: Actor, run_id: UUID) -> PushRun: ...

    async def stop_push(self, *, actor: Actor, run_id: UUID) -> PushRun:
        """What is in flight is finished and written down; the rest stays approved, for another push."""
        ...

    async def list_pushes(
        self, *, actor: Actor, store: str | None = None, live_only: bool = False, limit: int = 20
    ) -> Sequence[PushRun]:
        """Newest first."""
        ...

    async def get_push(self, *, actor: Actor, run_id: UUID) -> PushRun: ...

    async def list_receipts(self, *, actor: Actor, batch_id: UUID, page: PageRequest) -> Page[Receipt]: ...

    async def stage_rollback(
        self, *, actor: Actor, batch_id: UUID, change_ids: Sequence[UUID] = (), note: str | None = None
    ) -> ChangeBatch: ...
