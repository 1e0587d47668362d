from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import ChangeStatus, Json
from syncline.apps.commerce.mirror.kinds import Kind
from syncline.apps.commerce.staging.expiry import begin_batch
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.apps.commerce.staging.repository import INBOUND, change_held
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class Earlier:
    """An inbound change of a record that nobody has decided yet."""

    id: UUID
    resource_id: int
    before: Json


def among(column: ColumnElement[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """`column` is one of the numbers, however many: they are one parameter."""
    return column == any_(bindparam(None, list(numbers), type_=ARRAY(BigInteger), unique=True))


async def lock_records(
    session: WriteSession, store_id: UUID, kind: Kind, numbers: Sequence[int]
) -> Mapping[int, datetime | None]:
    """Which of them the mirror has alive, and of what version. Held until the transaction ends: a push that has written
    one of them is not recorded between this look and the one at what is being sent."""
    table = kind.table.c
    query = (
        select(table.id, table.source_updated_at)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            among(table.id, numbers),
            table.deleted_at.is_(None),
        )
        .order_by(table.id)
        .with_for_update(of=kind.table)
    )
    return dict((await session.execute(query)).all())


async def lock_earlier(
    session: WriteSession, store_id: UUID, kind: str, numbers: Sequence[int]
) -> Mapping[int, Earlier]:
    """The undecided ones of these records, by record; held, so that nobody decides them meanwhile."""
    table = staged_change.c
    query = (
        select(table.id, table.resource_id, table.before)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            table.kind == kind,
            table.direction == INBOUND,
            table.status == ChangeStatus.PENDING,
            among(table.resource_id, numbers),
        )
        .order_by(table.id)
        .with_for_update()
    )
    return {row.resource_id: Earlier(row.id, row.resource_id, row.before) for row in await session.execute(query)}


async def list_sending(
    session: Session, store_id: UUID, kind: str, numbers: Sequence[int]
) -> Sequence[tuple[int, Json]]:
    """What we ourselves are writing to these records at this moment: (record, wanted values)."""
    table = staged_change.c
    query = select(table.resource_id, table.after).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        table.kind == kind,
        table.status == ChangeStatus.SENDING,
        among(table.resource_id, numbers),
    )
    return [(row.resource_id, row.after) for row in await session.execute(query)]


async def ensure_batch(session: WriteSession, batch_id: UUID, *, store_id: UUID, author: str, summary: str) -> None:
    """Two streams of one pull that come to it first at once make one."""
    values = {
        "id": batch_id,
        "tenant_id": session.tenant_id,
        "store_id": store_id,
        "kind": INBOUND,
        "summary": summary,
        "author": author,
        "created_at": clock.now(),
    }
    made = upsert(change_batch).values(**values).on_conflict_do_nothing(index_elements=["id"])
    if (await session.execute(made.returning(change_batch.c.id))).one_or_none() is not None:
        await begin_batch(session, batch_id)


async def give_way(session: WriteSession, ids: Sequence[UUID], sentence: str) -> None:
    """Undecided changes for which a later one stands, or nothing at all."""
    if ids:
        await change_held(session, ids, status=ChangeStatus.SKIPPED, sentence=sentence)
