"""The local `Commerce`: opens a transaction, asks a service, closes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from syncline.apps.commerce.alignment.facade import LocalAlignments
from syncline.apps.commerce.batch.facade import LocalBatches
from syncline.apps.commerce.browse.facade import LocalBrowse
from syncline.apps.commerce.compliance.facade import LocalPrivacyRequests
from syncline.apps.commerce.conflicts.facade import LocalConflicts
from syncline.apps.commerce.contract import (
    ChangeBatch,
    ChangeQuery,
    ExportResult,
    ImportResult,
    OperationKind,
    PullMode,
    PullPath,
    PullRun,
    Receipt,
    Reconciliation,
    Resolution,
    StagedChange,
    Store,
    StoreOverview,
)
from syncline.apps.commerce.contract.decisions import Decided
from syncline.apps.commerce.dashboard.facade import LocalDashboards
from syncline.apps.commerce.decisions.facade import LocalDecisions
from syncline.apps.commerce.inbound.facade import LocalInbound
from syncline.apps.commerce.integrity.facade import LocalIntegrity
from syncline.apps.commerce.overview import overview_of
from syncline.apps.commerce.products.facade import LocalProducts
from syncline.apps.commerce.pull import service as pulls
from syncline.apps.commerce.push import repository as push_repository
from syncline.apps.commerce.push import rollback
from syncline.apps.commerce.push.facade import LocalPushes
from syncline.apps.commerce.reconcile.service import depth_of, reconcile_store
from syncline.apps.commerce.removal.facade import LocalRemoval
from syncline.apps.commerce.review.facade import LocalReviewing
from syncline.apps.commerce.schedules.facade import LocalSchedules
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging import repository as staging_repository
from syncline.apps.commerce.staging import service as staging
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.stores.connection import client_of, config_of
from syncline.apps.commerce.stores.facade import LocalConnecting
from syncline.apps.commerce.stores.granting import typed_in
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.transfer import service as transfer
from syncline.apps.commerce.transfer.export import service as export
from syncline.apps.commerce.transfer.facade import LocalSheets
from syncline.apps.commerce.transfer.service import ImportOptions
from syncline.apps.commerce.transfer.telling import telling
from syncline.apps.commerce.webhook_management.facade import LocalWebhookManagement
from syncline.connectors.shopify.client import ShopifyConfig
from syncline.kernel.paging import Page, PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.controls.stops import require_open


@dataclass(frozen=True, slots=True)
class LocalCommerce(
    LocalSchedules,
    LocalIntegrity,
    LocalBrowse,
    LocalRemoval,
    LocalReviewing,
    LocalBatches,
    LocalPushes,
    LocalConflicts,
    LocalDecisions,
    LocalInbound,
    LocalProducts,
    LocalSheets,
    LocalAlignments,
    LocalWebhookManagement,
    LocalPrivacyRequests,
    LocalConnecting,
    LocalDashboards,
):
    async def add_store(
        self,
        *,
        actor: Actor,
        name: str,
        shop_domain: str,
        token: str,
        base_url: str | None = None,
        api_version: str | None = None,
    ) -> Store:
        stores.check_address(name=name, shop_domain=shop_domain, token=token, base_url=base_url, settings=self.settings)
        config = ShopifyConfig(
            shop_domain=shop_domain,
            access_token=token,
            api_version=api_version or self.settings.api_version,
            base_url=base_url,
        )
        facts = await stores.ask_shop(config)
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await stores.add(session, self.runtime.secrets, name=name, config=config, facts=facts)

    async def list_stores(self, *, actor: Actor) -> Sequence[Store]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await stores.list_all(session)

    async def test_store(self, *, actor: Actor, store: str) -> Store:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
        return await self._ask_and_keep(actor, row)

    async def replace_token(self, *, actor: Actor, store: str, token: str) -> Store:
        stores.check_token(token)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
        return await self._ask_and_keep(actor, row, self.runtime.secrets.seal(token))

    async def _ask_and_keep(self, actor: Actor, row: StoreRow, token_sealed: bytes | None = None) -> Store:
        if token_sealed is None and row.client_id is not None:
            async with client_of(self.runtime, row) as client:
                facts = await stores.ask_client(client)
        else:
            asked = replace(row, client_id=None, token_sealed=token_sealed or row.token_sealed)
            facts = await stores.ask_shop(config_of(self.runtime, asked))
        async with self.runtime.database.writing(actor.tenant_id) as session:
            if token_sealed is not None:
                await typed_in(session, row.store.id)
            return await stores.refresh(session, row, facts=facts, token_sealed=token_sealed)

    async def overview(self, *, actor: Actor, store: str) -> StoreOverview:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
            return await overview_of(session, row.store)

    async def start_pull(
        self,
        *,
        actor: Actor,
        store: str,
        mode: PullMode,
        streams: Sequence[str] = (),
        path: PullPath | None = None,
    ) -> PullRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            await require_open(session, store_id=row.store.id)
            run_id = await pulls.start(
                session,
                self.runtime.queue,
                store=row.store,
                mode=mode,
                streams=streams,
                actor=actor,
                settings=self.settings,
                path=path,
            )
            return await pulls.get(session, run_id)

    async def get_pull(self, *, actor: Actor, run_id: UUID) -> PullRun:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await pulls.get(session, run_id)

    async def cancel_pull(self, *, actor: Actor, run_id: UUID) -> PullRun:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await pulls.cancel(session, run_id)
            return await pulls.get(session, run_id)

    async def reconcile(
        self,
        *,
        actor: Actor,
        store: str,
        depth: str = "ids",
        repair: bool = True,
        progress: Callable[[str, int], None] | None = None,
    ) -> Reconciliation:
        wanted = depth_of(depth)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
        return await reconcile_store(self.runtime, actor.tenant_id, row, depth=wanted, mend=repair, progress=progress)

    async def stage_edit(
        self, *, actor: Actor, store: str, where: str, edits: Sequence[str], note: str | None = None
    ) -> ChangeBatch:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await stores.get(session, store)
            await stores.hold(session, row.store)
            return await staging.stage_edit(
                session, store=row.store, where=where, expressions=edits, actor=actor, note=note
            )

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
        options = ImportOptions(
            keep_good=keep_good,
            ignore_unknown=ignore_unknown,
            encoding=encoding,
            location=location,
            create=create,
            mapping=mapping,
        )
        called = name or Path(path).name
        async with self.runtime.database.reading(actor.tenant_id) as reading:
            row = await stores.get(reading, store)
        with Path(path).open("rb") as file:  # noqa: ASYNC230 - opening a local file is quick; reading it is not done here
            async with (
                telling(self.runtime.database, actor, row.store, OperationKind.IMPORT, name=called) as told,
                self.runtime.database.writing(actor.tenant_id) as session,
            ):
                await stores.hold(session, row.store)
                result = await transfer.import_sheet(
                    session,
                    store=row.store,
                    file=file,
                    name=called,
                    actor=actor,
                    options=options,
                    progress=told.progress(("rows", "bytes"), progress),
                )
                counts = {"rows": result.rows, "products": result.products, "staged": result.staged}
                await told.done(session, sentence=None, counts={**counts, "errors": result.errors})
                return result

    async def export_store(
        self,
        *,
        actor: Actor,
        store: str,
        file: BinaryIO,
        format: str,  # noqa: A002 - the contract's word
        kind: str = "products",
        where: str = "",
        columns: Sequence[str] = (),
        marks: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> ExportResult:
        options = export.options_of(format=format, kind=kind, where=where, columns=columns, marks=marks)
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store)
        async with (
            telling(self.runtime.database, actor, row.store, OperationKind.EXPORT, format=format) as told,
            self.runtime.database.reading_still(actor.tenant_id) as still,
        ):
            heard = told.progress(("rows", "total"), progress)
            return await export.export_store(still, store=row.store, file=file, options=options, progress=heard)

    async def list_batches(self, *, actor: Actor, store: str | None, page: PageRequest) -> Page[ChangeBatch]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = await stores.get(session, store) if store is not None else None
            return await staging_repository.list_batches(
                session, store_id=row.store.id if row is not None else None, page=page
            )

    async def list_changes(self, *, actor: Actor, query: ChangeQuery, page: PageRequest) -> Page[StagedChange]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await staging_repository.list_changes(session, await staging.known_query(session, query), page)

    async def get_change(self, *, actor: Actor, change_id: UUID) -> StagedChange:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await staging.get_change(session, change_id)

    async def approve(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> Decided:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await staging.approve(session, query, actor=actor, note=note, settings=self.settings)

    async def reject(self, *, actor: Actor, query: ChangeQuery, note: str | None = None) -> Decided:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await staging.reject(session, query, actor=actor, note=note)

    async def resolve(self, *, actor: Actor, query: ChangeQuery, resolution: Resolution) -> int:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await staging.resolve(session, query, actor=actor, resolution=resolution, settings=self.settings)

    async def list_receipts(self, *, actor: Actor, batch_id: UUID, page: PageRequest) -> Page[Receipt]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            await staging.get_batch(session, batch_id)
            return await push_repository.list_receipts(session, batch_id, page)

    async def stage_rollback(
        self, *, actor: Actor, batch_id: UUID, change_ids: Sequence[UUID] = (), note: str | None = None
    ) -> ChangeBatch:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await rollback.stage_rollback(
                session, batch_id=batch_id, change_ids=change_ids, actor=actor, note=note
            )


def build(runtime: Runtime) -> LocalCommerce:
    return LocalCommerce(runtime, runtime.settings_of("commerce", CommerceSettings))
