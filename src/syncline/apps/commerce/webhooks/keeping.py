"""Deliveries into the database: all that came together in one transaction, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec
from psycopg import sql

from syncline.connectors.shopify.webhooks import WebhookHeaders
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import WriteSession

MALFORMED: Final = "The body is not JSON, though it is signed. It is kept as it came."


@dataclass(frozen=True, slots=True)
class Delivery:
    """A signed delivery for one store. `reason` is why it is a dead letter from the beginning."""

    id: UUID
    tenant: TenantId
    store_id: UUID
    headers: WebhookHeaders
    body: bytes
    body_hash: int
    received_at: datetime
    due_at: datetime
    correlation_id: str
    reason: str | None = None


class Kept(Enum):
    NEW = "new"
    REPEATED = "repeated"
    """The same delivery is kept already."""
    NO_STORE = "no_store"
    """The store was disconnected a moment ago."""


async def keep(session: WriteSession, deliveries: Sequence[Delivery]) -> Mapping[UUID, Kept]:
    """Into a session of no tenant: each tenant's rows are written as that tenant's, in one transaction for all.

    In the order of their keys, so that two processes that keep the same deliveries wait for each other and do not lock
    each other out. Safe to repeat."""
    driver = await session.driver()
    found: dict[UUID, Kept] = {}
    ordered = sorted(deliveries, key=lambda one: (one.tenant, one.store_id, one.headers.delivery_id, one.id))
    for tenant, group in groupby(ordered, key=lambda one: one.tenant):
        rows = list(group)
        async with driver.pipeline():
            await driver.execute("select set_config('syncline.tenant', %s, true)", (str(tenant),))
            cursor = await driver.execute(_KEEP, _values(tenant, rows), binary=True)
        answers: dict[UUID, bool] = dict(await cursor.fetchall())
        for one in rows:
            if one.id in answers:
                found[one.id] = Kept.NEW
            else:
                found[one.id] = Kept.REPEATED if one.store_id in answers else Kept.NO_STORE
    return found


def _values(tenant: TenantId, rows: Sequence[Delivery]) -> dict[str, object]:
    """All but the bodies as one JSON text: a list for each column would take five times as long to encode."""
    told = [
        {
            "place": place,
            "id": one.id,
            "store_id": one.store_id,
            "delivery_id": one.headers.delivery_id,
            "action_id": one.headers.action_id,
            "topic": one.headers.topic,
            "api_version": one.headers.api_version,
            "name": one.headers.name,
            "triggered_at": one.headers.triggered_at,
            "received_at": one.received_at,
            "due_at": one.due_at,
            "correlation_id": one.correlation_id,
            "body_hash": one.body_hash,
            "reason": one.reason,
        }
        for place, one in enumerate(rows, start=1)
    ]
    return {
        "tenant": tenant,
        "rows": msgspec.json.encode(told).decode(),
        "stores": list({one.store_id for one in rows}),
        "bodies": [one.body for one in rows],
    }


# Nobody removes the store before this is committed. A delivery that another transaction keeps at this moment is waited
# for, and then found.
_KEEP = sql.SQL("""
with open as materialized (
    select id from commerce.store where tenant_id = %(tenant)s and id = any (%(stores)s) for key share
), incoming as materialized (
    select * from json_to_recordset(%(rows)s::json) as t (
        place integer, id uuid, store_id uuid, delivery_id text, action_id text, topic text, api_version text,
        name text, triggered_at timestamptz, received_at timestamptz, due_at timestamptz, correlation_id text,
        body_hash bigint, reason text
    ) join unnest(%(bodies)b::bytea[]) with ordinality as b (body, at) on b.at = t.place
    where store_id in (select id from open)
), kept as (
    insert into commerce.webhook_event (
        id, tenant_id, store_id, delivery_id, action_id, topic, api_version, name, triggered_at, received_at, due_at,
        correlation_id, body_bytes, body_hash, state, reason, first_failed_at, last_failed_at, settled_at
    )
    select id, %(tenant)s, store_id, delivery_id, action_id, topic, api_version, name, triggered_at, received_at,
           due_at, correlation_id, octet_length(body), body_hash,
           case when reason is null then 'waiting' else 'dead' end, reason,
           case when reason is not null then received_at end, case when reason is not null then received_at end,
           case when reason is not null then received_at end
    from incoming order by store_id, delivery_id
    on conflict (store_id, delivery_id) do nothing returning id
), bodies as (
    insert into commerce.webhook_body (event_id, tenant_id, store_id, body)
    select id, %(tenant)s, store_id, body from incoming where id in (select id from kept)
)
select id, true from kept union all select id, false from open
""")
