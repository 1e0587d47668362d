from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.operations.channels.models import channel
from syncline.apps.operations.contract import ChannelKind, Delivery, DeliveryStatus
from syncline.apps.operations.deliveries.models import delivery
from syncline.kernel.paging import Page, PageRequest
from syncline.runtime.db.session import Session, WriteSession

OPEN = (DeliveryStatus.WAITING, DeliveryStatus.SENDING)


async def add(session: WriteSession, values: dict[str, Any]) -> UUID | None:
    """None when the channel was told of this event already."""
    query = upsert(delivery).values(tenant_id=session.tenant, status=DeliveryStatus.WAITING, attempts=0, **values)
    query = query.on_conflict_do_nothing(index_elements=["channel_id", "event_id"])
    added: UUID | None = (await session.execute(query.returning(delivery.c.id))).scalar_one_or_none()
    return added


async def take(session: WriteSession, delivery_id: UUID) -> tuple[Row[Any], DeliveryStatus] | None:
    """Writes down that it is being sent; answers it with what it was before. None when it has ended."""
    mine = (delivery.c.tenant_id == session.tenant) & (delivery.c.id == delivery_id)
    query = select(delivery.c.status).where(mine, delivery.c.status.in_(OPEN)).with_for_update()
    before = (await session.execute(query)).scalar_one_or_none()
    if before is None:
        return None
    values = {"status": DeliveryStatus.SENDING, "attempts": delivery.c.attempts + 1}
    row = (await session.execute(update(delivery).where(mine).values(**values).returning(delivery))).one()
    return row, DeliveryStatus(before)


async def end(session: WriteSession, delivery_id: UUID, **values: Any) -> None:
    query = update(delivery).where(delivery.c.tenant_id == session.tenant, delivery.c.id == delivery_id)
    await session.execute(query.values(**values))


async def get(session: Session, delivery_id: UUID) -> Delivery:
    query = _select().where(delivery.c.tenant_id == session.tenant, delivery.c.id == delivery_id)
    return _view((await session.execute(query)).one())


async def list_page(
    session: Session, *, channel_id: UUID | None, status: DeliveryStatus | None, page: PageRequest
) -> Page[Delivery]:
    wanted = [delivery.c.tenant_id == session.tenant]
    if channel_id is not None:
        wanted.append(delivery.c.channel_id == channel_id)
    if status is not None:
        wanted.append(delivery.c.status == status)
    query = _select().where(*wanted).order_by(delivery.c.created_at.desc(), delivery.c.id.desc())
    rows = (await session.execute(query.limit(page.limit).offset(page.offset))).all()
    total = (await session.execute(select(func.count()).select_from(delivery).where(*wanted))).scalar_one()
    return Page([_view(row) for row in rows], total, page.page, page.limit)


def _select() -> Any:
    return select(delivery, channel.c.name.label("channel"), channel.c.kind).join(
        channel, channel.c.id == delivery.c.channel_id
    )


def _view(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        channel=row.channel,
        kind=ChannelKind(row.kind),
        subject=row.subject,
        text=row.text,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        vendor_code=row.vendor_code,
        sentence=row.sentence,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
