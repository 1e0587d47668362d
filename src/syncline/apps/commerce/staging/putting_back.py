"""Rejected changes that somebody made in the store: what would put them back is staged like any other change."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select

from syncline.apps.commerce.staging.models import staged_change
from syncline.apps.commerce.staging.notes import among
from syncline.apps.commerce.staging.repository import INBOUND, Proposal, add_batch, add_changes
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession


async def put_back(session: WriteSession, ids: Sequence[UUID], *, actor: Actor, note: str | None) -> list[UUID]:
    """A batch for each store in which there are inbound ones among the changes. A value that moves before the batch is
    pushed is a conflict, as always."""
    table = staged_change.c
    query = select(staged_change).where(
        table.tenant_id == session.tenant_id, table.direction == INBOUND, among(table.id, ids)
    )
    by_store: dict[UUID, list[RowMapping]] = {}
    for row in (await session.execute(query.order_by(table.id))).mappings():
        by_store.setdefault(row["store_id"], []).append(row)
    made = []
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
        made.append(batch_id)
    return made


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
