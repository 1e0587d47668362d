"""Looks at what webhooks missed, as they are kept, and what has to be known for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import RowMapping, insert, select, tuple_

from syncline.apps.commerce.mirror.kind import Kind
from syncline.apps.commerce.stores.models import store
from syncline.apps.commerce.webhook_contract import WebhookEvent
from syncline.apps.commerce.webhook_management_contract import CatchUp, Miss, MissedKind, MissReason
from syncline.apps.commerce.webhook_watch.models import webhook_catch_up, webhook_miss
from syncline.apps.commerce.webhooks.models import webhook_event
from syncline.apps.commerce.webhooks.repository import event_of
from syncline.runtime.db.session import Session, WriteSession

MOST_NAMED = 500
_AT_ONCE = 1_000
_LISTED = 50


async def list_live(session: Session, store_id: UUID, kind: Kind, numbers: Sequence[int]) -> list[int]:
    """Those of these records that the mirror holds, and does not hold for deleted."""
    table = kind.table.c
    query = select(table.id).where(
        table.tenant_id == session.tenant_id,
        table.store_id == store_id,
        table.deleted_at.is_(None),
        table.id.in_(numbers),
    )
    return sorted(await session.scalars(query))


async def latest_events(
    session: Session, store_id: UUID, records: Sequence[tuple[str, int]], *, since: datetime
) -> dict[tuple[str, int], WebhookEvent]:
    """Of each record its last webhook received since then, if there was one."""
    table = webhook_event.c
    found: dict[tuple[str, int], WebhookEvent] = {}
    for start in range(0, len(records), _AT_ONCE):
        query = (
            select(webhook_event)
            .where(
                table.tenant_id == session.tenant_id,
                table.store_id == store_id,
                table.received_at >= since,
                tuple_(table.kind, table.number).in_(records[start : start + _AT_ONCE]),
            )
            .order_by(table.received_at)
        )
        rows = (await session.execute(query)).mappings()
        found |= {(row["kind"], row["number"]): event_of(row) for row in rows}
    return found


async def add(session: WriteSession, store_id: UUID, made: CatchUp) -> None:
    values = {name: value for name, value in asdict(made).items() if name not in {"store", "misses", "kinds"}}
    kinds = [asdict(kind) for kind in made.kinds]
    row = {**values, "kinds": kinds, "store_id": store_id, "tenant_id": session.tenant_id}
    await session.execute(insert(webhook_catch_up).values(**row))
    rows = [
        {**asdict(one), "reason": one.reason.value, "catch_up_id": made.id, "store_id": store_id} for one in made.misses
    ]
    if rows:
        await session.execute(insert(webhook_miss), [{**one, "tenant_id": session.tenant_id} for one in rows])


async def list_all(session: Session, store_id: UUID | None) -> Sequence[CatchUp]:
    """The last 50, newest first."""
    table = webhook_catch_up
    query = (
        select(table, store.c.name.label("store"))
        .join(store, store.c.id == table.c.store_id)
        .where(table.c.tenant_id == session.tenant_id)
        .order_by(table.c.ended_at.desc(), table.c.id)
        .limit(_LISTED)
    )
    if store_id is not None:
        query = query.where(table.c.store_id == store_id)
    found = [_of(row) for row in (await session.execute(query)).mappings()]
    named = await _named(session, [one.id for one in found])
    return [replace(one, misses=named.get(one.id, ())) for one in found]


async def _named(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Miss]]:
    table = webhook_miss.c
    query = select(webhook_miss).where(table.tenant_id == session.tenant_id, table.catch_up_id.in_(list(ids)))
    found: dict[UUID, list[Miss]] = {}
    for row in (await session.execute(query.order_by(table.kind, table.number))).mappings():
        one = Miss(row["kind"], row["number"], row["what"], MissReason(row["reason"]), row["event_id"])
        found.setdefault(row["catch_up_id"], []).append(one)
    return found


def _of(row: RowMapping) -> CatchUp:
    names = ("id", "store", "cause", "since", "until", "compared", "missed", "repaired", "sentence", "ended_at")
    return CatchUp(**{name: row[name] for name in names}, kinds=msgspec.convert(row["kinds"], list[MissedKind]))
