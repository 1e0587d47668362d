from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.stores.directory.models import shop_directory
from syncline.apps.commerce.webhook_management_contract import SubscriptionState, WebhookSubscription
from syncline.apps.commerce.webhook_watch.models import webhook_subscription, webhook_watch
from syncline.kernel import clock
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class Watch:
    """That a store's webhooks are kept up."""

    store_id: UUID
    address: str
    registered_at: datetime
    checked_at: datetime | None
    good_at: datetime | None
    sentence: str | None
    api_version: str | None
    gap_since: datetime | None
    gap_reason: str | None
    caught_up_at: datetime | None


_NAMES = tuple(field.name for field in fields(Watch))


async def find_watch(session: Session, store_id: UUID, *, lock: bool = False) -> Watch | None:
    table = webhook_watch
    query = select(table).where(table.c.tenant_id == session.tenant_id, table.c.store_id == store_id)
    row = (await session.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    return None if row is None else Watch(**{name: row[name] for name in _NAMES})


async def begin_watch(session: WriteSession, store_id: UUID, address: str) -> None:
    """Again: only the address is another."""
    values = {"tenant_id": session.tenant_id, "store_id": store_id, "address": address, "registered_at": clock.now()}
    query = upsert(webhook_watch).values(**values)
    await session.execute(
        query.on_conflict_do_update(index_elements=[webhook_watch.c.store_id], set_={"address": address})
    )


async def change_watch(session: WriteSession, store_id: UUID, **values: Any) -> None:
    table = webhook_watch
    query = update(table).where(table.c.tenant_id == session.tenant_id, table.c.store_id == store_id)
    await session.execute(query.values(**values))


async def end_watch(session: WriteSession, store_id: UUID) -> None:
    for table in (webhook_subscription, webhook_watch):
        await session.execute(delete(table).where(table.c.tenant_id == session.tenant_id, table.c.store_id == store_id))


async def list_subscriptions(session: Session, store_id: UUID) -> Sequence[WebhookSubscription]:
    table = webhook_subscription
    query = select(table).where(table.c.tenant_id == session.tenant_id, table.c.store_id == store_id)
    rows = (await session.execute(query.order_by(table.c.topic))).mappings()
    return [
        WebhookSubscription(
            topic=row["topic"],
            state=SubscriptionState(row["state"]),
            number=row["number"],
            since=row["since"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def want_topics(session: WriteSession, store_id: UUID, topics: Iterable[str]) -> None:
    """Those named and no others; what is known of them stays."""
    table, wanted = webhook_subscription, list(dict.fromkeys(topics))
    mine = (table.c.tenant_id == session.tenant_id, table.c.store_id == store_id)
    await session.execute(delete(table).where(*mine, table.c.topic.not_in(wanted)))
    common = {"tenant_id": session.tenant_id, "store_id": store_id, "changed_at": clock.now()}
    rows = [{**common, "topic": topic, "state": SubscriptionState.WAITING.value} for topic in wanted]
    if rows:
        await session.execute(upsert(table).values(rows).on_conflict_do_nothing())


async def keep(session: WriteSession, store_id: UUID, topic: str, **values: Any) -> None:
    """What came of one topic."""
    table = webhook_subscription
    query = update(table).where(
        table.c.tenant_id == session.tenant_id, table.c.store_id == store_id, table.c.topic == topic
    )
    await session.execute(query.values(changed_at=clock.now(), **values))


async def list_shops(session: Session) -> Sequence[tuple[UUID, TenantId]]:
    """Every connected store, of all tenants; whether it is watched its tenant's session tells."""
    rows = await session.execute(select(shop_directory.c.store_id, shop_directory.c.tenant))
    return [(row.store_id, TenantId(row.tenant)) for row in rows]
