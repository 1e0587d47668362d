"""The worker's side: all that an operation stages is one transaction, and its progress is told in others.

After a crash nothing of it is there, and the run begins anew. Two workers on one run both work, and only the last to
take it up can commit; the same goes for a run that is cancelled meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from syncline.apps.commerce.batch import repository, service
from syncline.apps.commerce.batch.repository import BatchRow, Tally
from syncline.apps.commerce.batch.service import BATCH_JOB
from syncline.apps.commerce.batch.sweep import Plan, cut, list_products, sweep
from syncline.apps.commerce.batch.telling import BatchTelling, batch_ended
from syncline.apps.commerce.batch_contract import BatchRefusal, BatchStatus
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging import overlap
from syncline.apps.commerce.staging import repository as staging
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel.errors import DomainError, Fatal, Unavailable
from syncline.runtime.db.session import WriteSession
from syncline.runtime.jobs import Job, JobContext, RetryPolicy

log = structlog.get_logger(__name__)


class RunLost(Exception):
    """The run was cancelled, or another worker took it up; what was in hand is rolled back."""


async def run_operation(ctx: JobContext, payload: dict[str, Any]) -> None:
    """Stage what one run asks for. Safe to run again: what was not finished left nothing."""
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        held = await repository.take_run(session, UUID(payload["run_id"]))
    if held is None:
        return
    try:
        await _stage(ctx, held)
    except RunLost:
        log.info("batch.run_lost", run_id=str(held.id))
    except Unavailable:
        raise  # the database is away: nothing can be written down, so the queue tries again
    except DomainError as error:
        await _fail(ctx, held, error.sentence)
    except Exception as error:
        await _fail(ctx, held, f"An error of Syncline's own stopped the operation ({type(error).__name__}).")
        raise Fatal("A bulk operation was stopped by an error of Syncline's own.", detail=repr(error)) from error


async def _stage(ctx: JobContext, held: BatchRow) -> None:
    settings = ctx.runtime.settings_of("commerce", CommerceSettings)
    async with ctx.runtime.database.writing(ctx.tenant_id) as session:
        row = await find_by_id(session, held.store_id)
        if row is None:
            raise RunLost
        plan = await service.plan_of(session, row.store, held.request, settings)
        products, gone = await list_products(session, plan)
        tally = Tally(total=len(products) + len(gone), processed=len(gone), refused=len(gone))
        await repository.add_refusals(session, held, gone)
        work = _Work(ctx, session, held, plan, tally)
        for part in cut(products, plan.limit):
            await work.stage(part)
        await work.close()
        await _finish(session, held, BatchStatus.COMPLETED, tally, _sentence(tally))
        await ctx.hold(session)


def _sentence(tally: Tally) -> str | None:
    return None if tally.total else "No product matches; pull the store first if it is new."


@dataclass(slots=True)
class _Work:
    """What a worker holds while it stages; `session` has all of it, and nobody else sees that before its end."""

    ctx: JobContext
    session: WriteSession
    held: BatchRow
    plan: Plan
    tally: Tally
    telling: BatchTelling = field(default_factory=BatchTelling)
    parts: list[tuple[UUID | None, Tally]] = field(default_factory=list)

    async def stage(self, products: Sequence[int]) -> None:
        """One batch: as many products as one takes."""
        part, batch_id = Tally(), None
        self.tally.parts += 1
        async for chunk in sweep(self.session, self.plan, products):
            if chunk.proposals:
                batch_id = batch_id or await self._add_batch()
                await staging.add_changes(
                    self.session,
                    batch_id=batch_id,
                    store_id=self.held.store_id,
                    author=self.held.author.name,
                    note=self.held.request.note,
                    proposals=chunk.proposals,
                )
            await repository.add_refusals(self.session, self.held, chunk.refusals)
            for counted in (part, self.tally):
                counted.processed += chunk.products
                counted.staged += len(chunk.proposals)
                counted.unchanged += chunk.unchanged
                counted.waiting += chunk.waiting
                counted.refused += len(chunk.refusals)
            await self._tell(chunk.refusals)
        self.parts.append((batch_id, part))

    async def close(self) -> None:
        """Write the batches down, without what somebody else has staged while this was at it."""
        for number, (batch_id, part) in enumerate(self.parts, start=1):
            kept = batch_id and await self._without_known(batch_id, part)
            await repository.add_part(self.session, self.held, number, kept, part)

    async def _without_known(self, batch_id: UUID, part: Tally) -> UUID | None:
        before = await overlap.count_products(self.session, batch_id)
        await overlap.settle(self.session, store_id=self.held.store_id, batch_id=batch_id)
        batch = await staging.find_batch(self.session, batch_id)
        left = sum(batch.counts.values()) if batch is not None else 0
        waiting = before - await overlap.count_products(self.session, batch_id)
        gone = part.staged - left
        for counted in (part, self.tally):
            counted.staged -= gone
            counted.waiting += waiting
        if left:
            return batch_id
        await overlap.drop_batch(self.session, batch_id)
        return None

    async def _add_batch(self) -> UUID:
        number = f", part {self.tally.parts}" if self.tally.parts > 1 else ""
        return await staging.add_batch(
            self.session,
            store_id=self.held.store_id,
            kind="batch",
            summary=f"{service.summary_of(self.plan, self.held.request)}{number}",
            author=self.held.author,
        )

    async def _tell(self, refusals: Sequence[BatchRefusal]) -> None:
        """In a transaction of its own, so that others see it now. Raises `RunLost`."""
        async with self.ctx.runtime.database.writing(self.ctx.tenant_id) as session:
            if not await repository.note_progress(session, self.held, self.tally):
                raise RunLost
            await self.telling.refused(session, self.held, refusals)
            await self.telling.progressed(session, self.held, self.tally)


async def _finish(session: WriteSession, held: BatchRow, status: BatchStatus, tally: Tally, error: str | None) -> None:
    if not await repository.finish_run(session, held, status, tally, error):
        raise RunLost
    await batch_ended(session, held, status=status, tally=tally, sentence=error)


async def _fail(ctx: JobContext, held: BatchRow, sentence: str) -> None:
    try:
        async with ctx.runtime.database.writing(ctx.tenant_id) as session:
            await _finish(session, held, BatchStatus.FAILED, Tally(), f"{sentence} Nothing was staged.")
    except RunLost:
        log.info("batch.run_lost", run_id=str(held.id))


def _store_of(payload: Any) -> str:
    """Operations on one store go one after the other: the second sees what the first has staged."""
    return f"batch:{payload['store_id']}"


JOBS = (Job(name=BATCH_JOB, run=run_operation, retry=RetryPolicy(max_attempts=20), lock=_store_of),)
