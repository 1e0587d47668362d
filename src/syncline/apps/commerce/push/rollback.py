"""The way back: the before-images of what was applied, staged as changes like any other."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from syncline.apps.commerce.contract import BatchNotFound, NothingToDo
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.repository import AppliedRow
from syncline.apps.commerce.staging.repository import Proposal, add_batch, add_changes, find_batch
from syncline.apps.commerce.stores.repository import hold
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession


def proposal_of(row: AppliedRow) -> Proposal:
    """Before is what the store answered to the write, after what it said just before: a value that moved since is a
    conflict when the rollback is pushed."""
    change = row.change
    return Proposal(
        kind=change.kind,
        resource_id=change.resource_id,
        product_id=change.product_id,
        location_id=change.location_id,
        label=change.label,
        before=row.written,
        after=row.restored,
        reverts_id=change.id,
    )


async def stage_rollback(
    session: WriteSession, *, batch_id: UUID, change_ids: Sequence[UUID], actor: Actor, note: str | None
) -> UUID:
    """A new batch that undoes `batch_id`, or only `change_ids` of it. A rollback can be rolled back."""
    batch = await find_batch(session, batch_id)
    if batch is None:
        raise BatchNotFound(f"There is no batch {batch_id}; see `syncline review list --batches`.")
    rows = await repository.list_applied(session, batch_id, change_ids)
    missing = set(change_ids) - {row.change.id for row in rows}
    if missing:
        named = ", ".join(str(one) for one in sorted(missing)[:5])
        raise BatchNotFound(f"Batch {batch_id} has no applied change {named}; only what was written can be undone.")
    if not rows:
        raise NothingToDo(f"Nothing of batch {batch_id} was written to the store, so there is nothing to undo.")
    store_id = rows[0].change.store_id
    if not await hold(session, store_id):
        raise BatchNotFound(f"The store of batch {batch_id} was removed a moment ago, and the batch with it.")
    summary = f"Undo of {len(rows)} changes: {batch.summary}"
    undo = await add_batch(
        session, store_id=store_id, kind="rollback", summary=summary, author=actor, reverts_id=batch_id
    )
    await add_changes(
        session, batch_id=undo, store_id=store_id, author=actor.name, note=note, proposals=map(proposal_of, rows)
    )
    return undo
