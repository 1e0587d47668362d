"""Rejected changes that somebody made in the store: what would put them back is staged like any other change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, select

from syncline.apps.commerce.contract import ChangeQuery
from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.notes import among
from syncline.apps.commerce.staging.overlap import count_products, drop_batch, settle, take_turn
from syncline.apps.commerce.staging.repository import INBOUND, Proposal, add_batch, add_changes, matching
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession


@dataclass(frozen=True, slots=True)
class PutBack:
    """`made` are new batches; in `waiting_in` the same waited already, in whole or in part."""

    made: Sequence[UUID] = ()
    waiting_in: Sequence[UUID] = ()


async def take_turns(session: WriteSession, query: ChangeQuery) -> None:
    """Of the stores in which something is to be put back once this is rejected. Before anything is locked: whoever
    stages has the turn first and looks at changes then."""
    found = select(staged_change.c.store_id).distinct().order_by(staged_change.c.store_id)
    found = found.where(matching(session, query), staged_change.c.direction == INBOUND)
    for store_id in (await session.execute(found)).scalars():
        await take_turn(session, store_id)


async def put_back(session: WriteSession, ids: Sequence[UUID], *, actor: Actor, note: str | None) -> PutBack:
    """A batch for each store in which there are inbound ones among the changes, of what does not wait already. A value
    that moves before the batch is pushed is a conflict, as always."""
    table = staged_change.c
    query = select(staged_change).where(
        table.tenant_id == session.tenant_id, table.direction == INBOUND, among(table.id, ids)
    )
    by_store: dict[UUID, list[RowMapping]] = {}
    for row in (await session.execute(query.order_by(table.id))).mappings():
        by_store.setdefault(row["store_id"], []).append(row)
    made: list[UUID] = []
    waiting_in: list[UUID] = []
    for store_id, rows in sorted(by_store.items()):
        summary = f"Put back {len(rows)} changes that were made in the store and rejected"
        batch_id = await add_batch(session, store_id=store_id, kind="put_back", summary=summary, author=actor)
        await add_changes(
            session,
            batch_id=batch_id,
            store_id=store_id,
            author=actor.name,
            note=note,
            proposals=map(_inverse, rows),
        )
        overlap = await settle(session, store_id=store_id, batch_id=batch_id)
        waiting_in += overlap.waiting_in
        if await count_products(session, batch_id):
            made.append(batch_id)
        else:
            await drop_batch(session, batch_id)
    return PutBack(made, waiting_in)


def _inverse(row: RowMapping) -> Proposal:
    return Proposal(
        kind=row["kind"],
        resource_id=row["resource_id"],
        location_id=row["location_id"],
        product_id=row["product_id"],
        label=row["label"],
        before=row["after"],
        after=row["before"],
        reverts_id=row["id"],
    )
