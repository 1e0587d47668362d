from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from syncline.apps.commerce.contract import PullAlreadyRunning, PushAlreadyRunning, Store, StoreRemoval
from syncline.apps.commerce.mirror.redaction import set_aside
from syncline.apps.commerce.overview import overview_of
from syncline.apps.commerce.pull import repository as pull_repository
from syncline.apps.commerce.push import repository as push_repository
from syncline.apps.commerce.removal import repository
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.apps.commerce.stores.service import not_connected
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.controls import stops
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs.queue import JobQueue

REMOVE_JOB = "commerce.remove_store_rows"
AT_ONCE = 5_000
"""Rows of one transaction: none holds its locks for long, and a crash loses none that are done."""

Progress = Callable[[str, int], None]


async def preview(session: Session, store: Store) -> StoreRemoval:
    """What would go. Raises `PullAlreadyRunning` and `PushAlreadyRunning`, as the removal itself would."""
    pull = await pull_repository.find_live(session, store.id)
    if pull is not None:
        raise PullAlreadyRunning(
            f"Pull {pull.id} of {store.name} is running; wait for it, or cancel it with "
            f"`syncline pull {store.name} --cancel`, and remove the store then.",
            extra={"run_id": str(pull.id)},
        )
    push = await push_repository.find_live(session, store.id)
    if push is not None:
        raise PushAlreadyRunning(
            f"Push {push.id} to {store.name} is running; wait for it and remove the store then.",
            extra={"run_id": str(push.id)},
        )
    found = await overview_of(session, store)
    return StoreRemoval(
        store=store,
        records={kind: count for kind, count in found.records.items() if count},
        changes=found.changes,
        schedules=await repository.count_schedules(session, store.id),
    )


async def remove(session: WriteSession, queue: JobQueue, store: Store, *, actor: Actor) -> StoreRemoval:
    """Take the token, the name and the schedules away, in the caller's transaction; the rows are left to a job.

    The store is locked before its runs are looked at: one that begins meanwhile is either seen or finds no store."""
    if not await repository.lock_store(session, store.id):
        raise not_connected(store.name)
    gone = await preview(session, store)
    kept_out = await set_aside(session, store.id, store.shop_domain)
    await repository.remove_store(session, store.id)
    await stops.resume(session, store_id=store.id)
    await queue.enqueue(session, REMOVE_JOB, {"store_id": str(store.id)})
    await record(
        session,
        actor=actor,
        action="stores.remove",
        subject=f"store {store.name}",
        before={
            "shop_domain": store.shop_domain,
            "records": sum(gone.records.values()),
            "changes": sum(gone.changes.values()),
        },
        details={"stay_erased": kept_out},
    )
    return gone


async def remove_rows(database: Database, tenant_id: TenantId, store_id: UUID, progress: Progress | None = None) -> int:
    """Everything that is left of a removed store, a transaction for each batch. Answers how many rows. Safe to run
    again and beside another; of a store that is connected nothing is touched."""
    async with database.reading(tenant_id) as session:
        if await find_by_id(session, store_id) is not None:
            return 0
    total = 0
    for table in repository.tables_of_a_store():
        removed = 0
        while True:
            async with database.writing(tenant_id) as session:
                count = await repository.remove_rows(session, table, store_id, AT_ONCE)
            removed += count
            if progress is not None and removed:
                progress(table.name, removed)
            if count < AT_ONCE:
                break
        total += removed
    return total
