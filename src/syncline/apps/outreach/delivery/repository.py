from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, or_, select, update

from syncline.apps.outreach.delivery.models import batch, receipt
from syncline.apps.outreach.delivery.record import Outgoing
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession

HELD, WAITING, SENDING, DELIVERED, REFUSED = "held", "waiting", "sending", "delivered", "refused"
COUNTED: Final = (HELD, WAITING, SENDING, DELIVERED, REFUSED)
ERASED = "erased"
"""Its person was forgotten: it is not told any more, and if it was, nobody knows of whom."""

_TAKE: Final = """
WITH chosen AS (
    SELECT tenant_id, event_key FROM outreach.receipt
    WHERE tenant_id = %(tenant)s AND state = 'waiting' ORDER BY at_ms LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE outreach.receipt r SET state = 'sending', batch_id = %(batch)s FROM chosen
WHERE r.tenant_id = chosen.tenant_id AND r.event_key = chosen.event_key
"""
_OF_BATCH: Final = """
SELECT r.event_key, r.event, r.distinct_id, r.at_ms, r.insert_id, e.platform, e.campaign_id, r.namespace, e.properties
FROM outreach.receipt r
LEFT JOIN outreach.event_source e ON e.tenant_id = r.tenant_id AND e.event_key = r.event_key
WHERE r.tenant_id = %(tenant)s AND r.batch_id = %(batch)s AND r.state = 'sending' ORDER BY r.at_ms, r.event_key
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a tenant's receipts. `sending_since` is when the batch was sent whose answer is out longest."""

    held: int
    waiting: int
    sending: int
    delivered: int
    refused: int
    sending_since: datetime | None


async def take(session: WriteSession, batch_id: UUID, limit: int) -> int:
    """Gives the oldest that wait to a new batch; how many. Committed before anything is sent: whoever finds it so after
    a crash knows that it may have been."""
    values = {"tenant": session.tenant, "batch": batch_id, "limit": limit}
    count = (await (await session.driver()).execute(_TAKE, values)).rowcount
    if count:
        values = {"id": batch_id, "tenant_id": session.tenant, "count": count, "sent_at": clock.now()}
        await session.execute(insert(batch).values(**values))
    return count


async def list_outgoing(session: Session, batch_id: UUID) -> list[Outgoing]:
    cursor = await (await session.driver()).execute(_OF_BATCH, {"tenant": session.tenant, "batch": batch_id})
    return [
        Outgoing(
            key=key,
            event=event,
            distinct_id=distinct_id,
            at_ms=at_ms,
            insert_id=insert_id,
            facts={
                "platform": platform,
                "campaign_id": campaign,
                "namespace": namespace,
                "event_key": key,
                **(properties or {}),
            },
        )
        for key, event, distinct_id, at_ms, insert_id, platform, campaign, namespace, properties in (
            await cursor.fetchall()
        )
    ]


async def list_open(session: Session) -> Sequence[Row[Any]]:
    """Batches whose end nobody wrote down."""
    query = select(batch).where(batch.c.tenant_id == session.tenant).order_by(batch.c.sent_at)
    return (await session.execute(query)).all()


async def settle(session: WriteSession, batch_id: UUID, keys: Sequence[str], state: str) -> None:
    """What became of these events of a batch."""
    if not keys:
        return
    moment = {"delivered_at": clock.now()} if state == DELIVERED else {}
    query = update(receipt).where(
        receipt.c.tenant_id == session.tenant, receipt.c.batch_id == batch_id, receipt.c.event_key.in_(keys)
    )
    await session.execute(query.values(state=state, sentence=None, batch_id=None, **moment))


async def refuse(session: WriteSession, batch_id: UUID, key: str, sentence: str) -> None:
    query = update(receipt).where(
        receipt.c.tenant_id == session.tenant, receipt.c.batch_id == batch_id, receipt.c.event_key == key
    )
    await session.execute(query.values(state=REFUSED, sentence=sentence, batch_id=None))


async def settle_rest(session: WriteSession, batch_id: UUID, state: str) -> None:
    """All of a batch of which nothing else was said; and the batch is over."""
    moment = {"delivered_at": clock.now()} if state == DELIVERED else {}
    mine = (receipt.c.tenant_id == session.tenant) & (receipt.c.batch_id == batch_id)
    query = update(receipt).where(mine, receipt.c.state == SENDING)
    await session.execute(query.values(state=state, sentence=None, batch_id=None, **moment))
    await session.execute(delete(batch).where(batch.c.tenant_id == session.tenant, batch.c.id == batch_id))


async def release_held(session: WriteSession, namespaces: Sequence[str]) -> int:
    query = update(receipt).where(receipt.c.tenant_id == session.tenant, receipt.c.state == HELD)
    if namespaces:
        query = query.where(receipt.c.namespace.in_(namespaces))
    return len((await session.execute(query.values(state=WAITING).returning(receipt.c.event_key))).all())


async def standing(session: Session) -> Standing:
    query = select(receipt.c.state, func.count()).where(receipt.c.tenant_id == session.tenant)
    found = {state: int(count) for state, count in await session.execute(query.group_by(receipt.c.state))}
    oldest = select(func.min(batch.c.sent_at)).where(batch.c.tenant_id == session.tenant)
    since: datetime | None = (await session.execute(oldest)).scalar_one()
    return Standing(**{state: found.get(state, 0) for state in COUNTED}, sending_since=since)


async def has_waiting(session: Session) -> bool:
    """Also what is on its way. In one statement: by two, a batch that is given back between them is in neither."""
    waiting = select(receipt.c.event_key).where(receipt.c.tenant_id == session.tenant, receipt.c.state == WAITING)
    under_way = select(batch.c.id).where(batch.c.tenant_id == session.tenant)
    return bool((await session.execute(select(or_(waiting.exists(), under_way.exists())))).scalar_one())


_OLDEST: Final = """
SELECT min(e.created_at) FROM outreach.receipt r
JOIN outreach.event_source e ON e.tenant_id = r.tenant_id AND e.event_key = r.event_key
WHERE r.tenant_id = %(tenant)s AND r.state IN ('waiting', 'sending')
"""


async def find_lag(session: Session) -> timedelta:
    """How long the event has waited that waits longest for Mixpanel; zero when none does."""
    row = await (await (await session.driver()).execute(_OLDEST, {"tenant": session.tenant})).fetchone()
    return timedelta(0) if row is None or row[0] is None else max(timedelta(0), clock.now() - row[0])


async def wait_again(session: WriteSession, keys: Sequence[str]) -> int:
    """Delivered or refused, and not there: they are sent once more."""
    query = update(receipt).where(
        receipt.c.tenant_id == session.tenant,
        receipt.c.event_key.in_(keys),
        receipt.c.state.in_((DELIVERED, REFUSED)),
    )
    done = await session.execute(
        query.values(state=WAITING, sentence=None, delivered_at=None).returning(receipt.c.event_key)
    )
    return len(done.all())
