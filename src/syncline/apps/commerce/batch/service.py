from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from syncline.apps.commerce.batch import repository
from syncline.apps.commerce.batch.repository import Tally
from syncline.apps.commerce.batch.sweep import Plan, list_products, sweep
from syncline.apps.commerce.batch.telling import batch_began, batch_ended
from syncline.apps.commerce.batch.updates import edits_of
from syncline.apps.commerce.batch_contract import (
    BatchNotRetried,
    BatchPreview,
    BatchRefusal,
    BatchRequest,
    BatchResults,
    BatchRun,
    BatchRunEnded,
    BatchRunNotFound,
    BatchStatus,
    ProposedChange,
)
from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.mirror.models import product
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging.edits import describe
from syncline.apps.commerce.staging.proposing import wanted_collections, with_types
from syncline.apps.commerce.staging.selection import parse_where
from syncline.apps.commerce.staging.service import check_places
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.jobs import JobQueue

BATCH_JOB = "commerce.run_batch_operation"
SHOWN = 100
"""Changes, and refusals, that a preview shows."""


async def plan_of(session: Session, store: Store, request: BatchRequest, settings: CommerceSettings) -> Plan:
    """Raises `InvalidInput` for what is not clear, before anything is done."""
    if request.where is None and not request.product_ids:
        sentence = 'Say for which products: product_ids, or a filter; an empty filter is "all of them".'
        raise InvalidInput(sentence, fields=[FieldError("filter", sentence)])
    edits = edits_of(request.operation, request.updates, currency=store.currency)
    search = parse_where(request.where or "")
    within = product.c.id.in_(request.product_ids) if request.product_ids else None
    await check_places(session, store, search, edits, within=within)
    await wanted_collections(session, store, edits)
    return Plan(
        store=store,
        edits=await with_types(session, store, edits),
        search=search,
        product_ids=sorted(set(request.product_ids)),
        limit=settings.batch_limit(request.operation),
    )


def summary_of(plan: Plan, request: BatchRequest) -> str:
    """`price raised by 10 % where vendor:Acme`."""
    what = "; ".join(describe(edit, plan.store.currency) for edit in plan.edits)
    whom = f" of {len(plan.product_ids):,} chosen products" if plan.product_ids else ""
    return what + whom + (f" where {request.where}" if (request.where or "").strip() else "")


async def preview(session: Session, store: Store, request: BatchRequest, settings: CommerceSettings) -> BatchPreview:
    """What a run would stage now, counted to the last record."""
    plan = await plan_of(session, store, request, settings)
    products, gone = await list_products(session, plan)
    changes: list[ProposedChange] = []
    refusals: list[BatchRefusal] = gone[:SHOWN]
    staged, unchanged, waiting, refused = 0, 0, 0, len(gone)
    async for chunk in sweep(session, plan, products):
        staged += len(chunk.proposals)
        unchanged += chunk.unchanged
        waiting += chunk.waiting
        refused += len(chunk.refusals)
        refusals += chunk.refusals[: SHOWN - len(refusals)]
        changes += [
            ProposedChange(one.kind, one.resource_id, one.product_id, one.label, one.before, one.after)
            for one in chunk.proposals[: SHOWN - len(changes)]
        ]
    return BatchPreview(
        store=store.name,
        operation=request.operation,
        summary=summary_of(plan, request),
        products=len(products) + len(gone),
        staged=staged,
        unchanged=unchanged,
        waiting=waiting,
        refused=refused,
        parts=-(-len(products) // plan.limit),
        changes=changes,
        refusals=refusals,
    )


async def start(
    session: WriteSession,
    queue: JobQueue,
    *,
    store: Store,
    request: BatchRequest,
    actor: Actor,
    settings: CommerceSettings,
    retries: UUID | None = None,
) -> BatchRun:
    """A run that waits for a worker. One with the same key is that one, if it asks for the same."""
    plan = await plan_of(session, store, request, settings)
    run_id = await repository.add_run(
        session,
        store_id=store.id,
        request=request,
        summary=summary_of(plan, request),
        requested_by=actor,
        retries_id=retries,
    )
    if run_id is not None:
        await queue.enqueue(session, BATCH_JOB, {"run_id": str(run_id), "store_id": str(store.id)})
        run = await get(session, run_id)
        await batch_began(session, run)
        return run
    if retries is not None:
        raise BatchNotRetried(f"Bulk operation {retries} was retried already; `syncline batch status` shows by which.")
    return await _same(session, store, request)


async def _same(session: Session, store: Store, request: BatchRequest) -> BatchRun:
    """The run that has the request's key."""
    found = await repository.find_by_key(session, request.key or "")
    row = None if found is None else await repository.find_row(session, found)
    if row is None or replace(row.request, store=store.name) != replace(
        request, store=store.name, product_ids=list(request.product_ids), updates=dict(request.updates)
    ):
        sentence = f"The key {request.key!r} belongs to another bulk operation; choose a new one."
        raise InvalidInput(sentence, fields=[FieldError("key", sentence)])
    return await get(session, row.id)


async def get(session: Session, run_id: UUID) -> BatchRun:
    run = await repository.find_view(session, run_id)
    if run is None:
        raise BatchRunNotFound(f"There is no bulk operation {run_id}; `syncline batch history` lists them.")
    return run


async def cancel(session: WriteSession, run_id: UUID) -> BatchRun:
    """Whoever works on it finds out when he looks next, and at the latest when he would keep what he did."""
    await get(session, run_id)
    if not await repository.cancel_run(session, run_id):
        run = await get(session, run_id)
        hint = "; reject its batches instead" if run.status is BatchStatus.COMPLETED and run.staged else ""
        raise BatchRunEnded(f"Bulk operation {run_id} is {run.status} already{hint}.")
    row = await repository.find_row(session, run_id)
    if row is not None:
        await batch_ended(session, row, status=BatchStatus.CANCELLED, tally=Tally(), sentence="Nothing was staged.")
    return await get(session, run_id)


async def retry(
    session: WriteSession, queue: JobQueue, run_id: UUID, *, actor: Actor, settings: CommerceSettings
) -> BatchRun:
    """The whole again where nothing was staged, else the products that were refused."""
    run = await get(session, run_id)
    row = await repository.find_row(session, run_id)
    if row is None or not run.status.is_final:
        raise BatchNotRetried(f"Bulk operation {run_id} is {run.status}; wait for its end, or cancel it.")
    request = replace(row.request, key=None)
    if run.status is BatchStatus.COMPLETED:
        refused: Sequence[int] = await repository.list_refused_ids(session, run_id)
        if not refused:
            raise BatchNotRetried(f"Nothing of bulk operation {run_id} was refused, so there is nothing to retry.")
        request = replace(request, product_ids=refused)
    store = await find_by_id(session, row.store_id)
    if store is None:
        raise BatchRunNotFound(f"The store of bulk operation {run_id} is no longer connected.")
    return await start(
        session, queue, store=store.store, request=request, actor=actor, settings=settings, retries=run_id
    )


async def results(session: Session, run_id: UUID, page: PageRequest) -> BatchResults:
    return BatchResults(
        run=await get(session, run_id),
        parts=await repository.list_parts(session, run_id),
        refusals=await repository.list_refusals(session, run_id, page),
    )
