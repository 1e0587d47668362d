"""Recording events: once, twice, two at once, and two different ones that meet on one key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text, update
from structlog.testing import capture_logs

from syncline.apps.outreach.contract import EventIdentity
from syncline.apps.outreach.events import privacy
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.models import event_source
from syncline.apps.outreach.events.service import record
from syncline.apps.outreach.keys.event_key import event_key
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession

SENT = EventIdentity("lemlist", "cam_1", "email_sent", "Sam@example.com", "default", "act_1")
OPENED = SENT._replace(event_type="email_opened", activity_id=None, timestamp_ms=1_700_000_000_000)
AT = datetime(2024, 1, 1, tzinfo=UTC)


def event(identity: EventIdentity, **properties: Any) -> Event:
    return Event(identity, EventSource.SYNC, AT, properties or None)


async def rows(session: Session) -> list[Any]:
    query = event_source.select().where(event_source.c.tenant_id == session.tenant)
    return list(await session.execute(query.order_by(event_source.c.event_key)))


async def test_an_event_is_stored_once_with_its_identity_beside_its_key(session: WriteSession) -> None:
    first = await record(session, [event(SENT, subject="Hello"), event(OPENED)])
    again = await record(session, [event(OPENED), event(SENT, subject="Other")])
    assert [(one.is_new, one.collision_detected) for one in first] == [(True, False), (True, False)]
    assert [(one.is_new, one.collision_detected) for one in again] == [(False, False), (False, False)]
    opened, sent = await rows(session)
    assert (sent.event_key, opened.event_key) == (event_key(SENT), event_key(OPENED))
    assert (sent.email, sent.activity_id, sent.timestamp_ms) == ("sam@example.com", "act_1", None)
    assert (opened.activity_id, opened.timestamp_ms) == (None, 1_700_000_000_000)
    assert (sent.properties, sent.occurred_at, sent.source) == ({"subject": "Hello"}, AT, "sync")


async def test_of_two_in_one_batch_one_is_new(session: WriteSession) -> None:
    found = await record(session, [event(SENT), event(SENT), event(SENT._replace(timestamp_ms=5))])
    assert [one.is_new for one in found] == [True, False, False]
    assert [one.collision_detected for one in found] == [False, False, False]
    assert len(await rows(session)) == 1


async def test_a_different_event_on_the_same_key_is_reported_and_not_stored(session: WriteSession) -> None:
    await record(session, [event(SENT)])
    other = {"campaign_id": "cam_2", "identity_hash": b"another"}
    mine = (event_source.c.tenant_id == session.tenant, event_source.c.event_key == event_key(SENT))
    await session.execute(update(event_source).where(*mine).values(**other))
    with capture_logs() as logs:
        (found,) = await record(session, [event(SENT)])
    assert (found.is_new, found.collision_detected) == (False, True)
    assert [(one["log_level"], one["event_keys"]) for one in logs] == [("error", [event_key(SENT)])]
    announced = text("SELECT name, data->>'count' FROM bus.outbox WHERE tenant = :t")
    assert [tuple(row) for row in await session.execute(announced, {"t": session.tenant})] == [
        ("outreach.event_keys_collided", "1")
    ]
    (row,) = await rows(session)
    assert row.campaign_id == "cam_2"


@pytest.mark.parametrize(
    "column",
    [
        {"platform": "smartlead"},
        {"campaign_id": "cam_2"},
        {"event_type": "email_opened"},
        {"email": "ada@example.com"},
        {"namespace": "other"},
        {"activity_id": None},
        {"identity_hash": b"another"},
    ],
)
async def test_every_part_of_the_stored_identity_is_compared(session: WriteSession, column: dict[str, Any]) -> None:
    await record(session, [event(SENT)])
    await session.execute(update(event_source).where(event_source.c.tenant_id == session.tenant).values(**column))
    (found,) = await record(session, [event(SENT)])
    assert found.collision_detected


async def test_a_batch_of_a_thousand(session: WriteSession) -> None:
    many = [event(SENT._replace(activity_id=f"act_{number}")) for number in range(1_000)]
    assert sum(one.is_new for one in await record(session, many)) == 1_000
    assert sum(one.is_new for one in await record(session, [*many[500:], event(OPENED)])) == 1
    assert await record(session, []) == []


async def test_two_who_record_the_same_in_opposite_order_neither_block_nor_double(
    database: Database, tenant_id: TenantId
) -> None:
    many = [event(SENT._replace(activity_id=f"act_{number}")) for number in range(300)]

    async def once(events: list[Event]) -> int:
        async with database.writing(tenant_id) as session:
            return sum(one.is_new for one in await record(session, events))

    found = await asyncio.gather(*(once(many if number % 2 else many[::-1]) for number in range(8)))
    assert sum(found) == 300


async def test_the_same_event_of_another_tenant_is_another_one(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> None:
    for tenant in (tenant_id, other_tenant_id):
        async with database.writing(tenant) as session:
            (found,) = await record(session, [event(SENT)])
            assert found.is_new
            assert len(await rows(session)) == 1


async def test_whoever_is_forgotten_keeps_his_keys_and_comes_back_without_his_address(session: WriteSession) -> None:
    await record(session, [event(SENT, firstName="Sam")])
    assert await privacy.forget(session, {"sam@example.com"}) == 1
    assert await privacy.keep_out(session, {"sam@example.com"}) == 1
    found = await record(session, [event(SENT, firstName="Sam"), event(OPENED, firstName="Sam")])
    assert [(one.is_new, one.collision_detected) for one in found] == [(False, False), (True, False)]
    dumped = str(await rows(session)).casefold()
    assert (dumped.count("sam@"), dumped.count("firstname")) == (0, 0)


async def test_somebody_else_is_not_kept_out(session: WriteSession) -> None:
    await privacy.keep_out(session, {"sam@example.com"})
    await record(session, [event(SENT._replace(email="ada@example.com"))])
    (row,) = await rows(session)
    assert row.email == "ada@example.com"


async def test_after_the_table_was_emptied_an_event_is_recorded_again(session: WriteSession) -> None:
    await record(session, [event(SENT)])
    await session.execute(text("DELETE FROM outreach.event_source WHERE tenant_id = :t"), {"t": session.tenant})
    (found,) = await record(session, [event(SENT)])
    assert found.is_new
