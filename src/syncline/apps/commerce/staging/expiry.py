"""Changes that nobody has decided by the date set for them expire by themselves.

Whoever holds a batch's row of `change_expiry` and changes of it takes the row first, so that a date that is being set
and a date that has come wait for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, cast, delete, func, insert, literal, or_, select, update
from sqlalchemy import Text as TextType
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.review.models import review_rule
from syncline.apps.commerce.staging.models import change_expiry, staged_change
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class Due:
    batch_id: UUID
    tenant: TenantId


def in_time() -> ColumnElement[bool]:
    """Whether a change may still be decided. Its date counts, not whether the job has come to it."""
    return or_(staged_change.c.expires_at.is_(None), staged_change.c.expires_at > clock.now())


async def begin_batch(session: WriteSession, batch_id: UUID) -> None:
    """Where the tenant's rule says so, what the batch holds expires so many days from now."""
    query = select(review_rule.c.expire_after_days).where(review_rule.c.tenant_id == session.tenant_id)
    days = (await session.execute(query)).scalar_one_or_none()
    if days:
        due_at = clock.now() + timedelta(days=days)
        values = {"batch_id": batch_id, "tenant": session.tenant_id, "due_at": due_at}
        await session.execute(insert(change_expiry).values(**values))


async def set_expiry(session: WriteSession, chosen: ColumnElement[bool], at: datetime | None) -> int:
    """Pending changes that `chosen` holds for expire then, or never. Answers how many."""
    table = staged_change.c
    mine = (table.tenant_id == session.tenant_id, table.status == ChangeStatus.PENDING)
    found = select(table.batch_id).where(*mine, chosen).distinct().order_by(table.batch_id)
    batches = list((await session.execute(found)).scalars())
    if at is not None:
        for batch_id in batches:
            await _bring_forward(session, batch_id, at)
    held = select(table.id).where(*mine, chosen, table.batch_id.in_(batches)).order_by(table.id)
    ids = held.with_for_update(of=staged_change).cte("held").prefix_with("MATERIALIZED")
    moved = update(staged_change).where(table.tenant_id == session.tenant_id, table.id == ids.c.id)
    return len((await session.execute(moved.values(expires_at=at).returning(table.id))).all())


async def _bring_forward(session: WriteSession, batch_id: UUID, at: datetime) -> None:
    made = upsert(change_expiry).values(batch_id=batch_id, tenant=session.tenant_id, due_at=at)
    due = change_expiry.c.due_at
    await session.execute(
        made.on_conflict_do_update(index_elements=["batch_id"], set_={"due_at": func.least(due, made.excluded.due_at)})
    )


async def list_due(session: Session, now: datetime, limit: int) -> Sequence[Due]:
    """Of all tenants, longest due first."""
    table = change_expiry.c
    query = select(table.batch_id, table.tenant).where(table.due_at <= now).order_by(table.due_at).limit(limit)
    return [Due(row.batch_id, TenantId(row.tenant)) for row in await session.execute(query)]


async def expire(session: WriteSession, batch_id: UUID, now: datetime) -> int:
    """End what is past its date, and note when the next of the batch is. Done again it finds nothing."""
    own = (change_expiry.c.tenant == session.tenant_id, change_expiry.c.batch_id == batch_id)
    if (await session.execute(select(change_expiry.c.batch_id).where(*own).with_for_update())).first() is None:
        return 0
    table = staged_change.c
    waiting = (
        *(table.tenant_id == session.tenant_id, table.batch_id == batch_id),
        table.status == ChangeStatus.PENDING,
    )
    past = select(table.id).where(*waiting, table.expires_at <= now).order_by(table.id)
    ids = past.with_for_update(of=staged_change).cte("held").prefix_with("MATERIALIZED")
    until = func.to_char(func.timezone("UTC", table.expires_at), "YYYY-MM-DD HH24:MI")
    sentence = literal("Nobody decided by ") + cast(until, TextType) + literal(" UTC; stage it anew if it is wanted.")
    moved = update(staged_change).where(table.tenant_id == session.tenant_id, table.id == ids.c.id)
    ended = moved.values(status=ChangeStatus.EXPIRED, sentence=sentence).returning(table.id)
    count = len((await session.execute(ended)).all())
    following = (await session.execute(select(func.min(table.expires_at)).where(*waiting))).scalar_one()
    if following is None:
        await session.execute(delete(change_expiry).where(*own))
    else:
        await session.execute(update(change_expiry).where(*own).values(due_at=following))
    return count
