from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, case, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.compliance.models import privacy_request
from syncline.apps.commerce.compliance_contract import PrivacyRequest, RequestStatus, RequestTopic
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession

MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request with what only this app may see of it."""

    request: PrivacyRequest
    store_id: UUID
    reminded_at: datetime | None


def _row(row: RowMapping) -> RequestRow:
    request = PrivacyRequest(
        id=row["id"],
        store=row["store"],
        shop_domain=row["shop_domain"],
        topic=RequestTopic(row["topic"]),
        customer=row["customer"],
        orders=tuple(row["orders"]),
        status=RequestStatus(row["status"]),
        received_at=row["received_at"],
        due_at=row["due_at"],
        work_id=row["work_id"],
        sentence=row["sentence"],
        completed_at=row["completed_at"],
        completed_by=row["completed_by"],
    )
    return RequestRow(request, row["of_store"], row["reminded_at"])


async def add(session: WriteSession, **values: Any) -> UUID | None:
    """None when the same was asked for before."""
    query = upsert(privacy_request).values(id=new_id(), tenant_id=session.tenant_id, **values)
    query = query.on_conflict_do_nothing(constraint="privacy_request_reference_key")
    made: UUID | None = await session.scalar(query.returning(privacy_request.c.id))
    return made


async def find(session: Session, request_id: UUID, *, lock: bool = False) -> RequestRow | None:
    table = privacy_request.c
    query = select(privacy_request).where(table.tenant_id == session.tenant_id, table.id == request_id)
    row = (await session.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else _row(row)


async def list_all(session: Session, *, is_open: bool | None) -> Sequence[PrivacyRequest]:
    table = privacy_request.c
    query = select(privacy_request).where(table.tenant_id == session.tenant_id)
    if is_open is not None:
        query = query.where(table.completed_at.is_(None) if is_open else table.completed_at.is_not(None))
    order = (case((table.completed_at.is_(None), 0), else_=1), table.due_at, table.id)
    rows = (await session.execute(query.order_by(*order).limit(MOST_LISTED))).mappings()
    return [_row(row).request for row in rows]


async def list_of_customers(session: Session, keys: Sequence[tuple[UUID, int]]) -> Sequence[PrivacyRequest]:
    """Those for these customers, by store and number."""
    table, wanted = privacy_request.c, set(keys)
    numbers = [number for _, number in wanted]
    query = select(privacy_request).where(table.tenant_id == session.tenant_id, table.customer.in_(numbers))
    found = [_row(row) for row in (await session.execute(query.order_by(table.received_at))).mappings()]
    return [row.request for row in found if (row.store_id, row.request.customer) in wanted]


async def change(session: WriteSession, request_id: UUID, **values: Any) -> None:
    table = privacy_request
    query = update(table).where(table.c.tenant_id == session.tenant_id, table.c.id == request_id)
    await session.execute(query.values(**values))
