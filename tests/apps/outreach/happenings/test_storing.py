"""Happenings become rows and receipts, each once, whatever was known of them before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from syncline.apps.outreach.delivery.models import receipt
from syncline.apps.outreach.delivery.record import insert_id
from syncline.apps.outreach.events import privacy
from syncline.apps.outreach.events.event import Event, EventSource
from syncline.apps.outreach.events.models import event_source
from syncline.apps.outreach.events.service import record
from syncline.apps.outreach.happenings.activities import Happening
from syncline.apps.outreach.happenings.storing import identity_of, store
from syncline.apps.outreach.keys.event_key import event_key
from syncline.apps.outreach.sync_contract import Platform
from syncline.runtime.db.session import WriteSession

AT = datetime(2026, 3, 1, 9, 30, 0, 123000, tzinfo=UTC)
SENT = Happening(Platform.LEMLIST, "cam_1", "email_sent", "sam@example.com", AT, "act_1", facts={"subject": 'A "b" \\'})
OPENED = replace(SENT, kind="email_opened", activity="act_2", facts=None)


async def put(session: WriteSession, *happenings: Happening, to_mixpanel: bool = True) -> int:
    return await store(session, happenings, namespace="main", source=EventSource.SYNC, to_mixpanel=to_mixpanel)


async def receipts(session: WriteSession) -> list[dict[str, Any]]:
    query = select(receipt).where(receipt.c.tenant_id == session.tenant).order_by(receipt.c.event)
    return [dict(row) for row in (await session.execute(query)).mappings()]


def key_of(one: Happening) -> str:
    return event_key(identity_of(one, "main"))


async def test_what_is_new_has_a_row_and_the_receipt_mixpanel_will_know_it_by(session: WriteSession) -> None:
    assert await put(session, SENT, OPENED) == 2
    opened, sent = await receipts(session)
    assert (opened["event"], sent["event"]) == ("email_opened", "email_sent")
    known = {name: sent[name] for name in ("event_key", "namespace", "distinct_id", "at_ms", "insert_id", "state")}
    assert known == {
        "event_key": key_of(SENT),
        "namespace": "main",
        "distinct_id": "sam@example.com",
        "at_ms": 1_772_357_400_123,
        "insert_id": insert_id(key_of(SENT)),
        "state": "waiting",
    }
    query = select(event_source).where(event_source.c.event_key == key_of(SENT))
    row = (await session.execute(query)).one()
    assert (row.occurred_at, row.properties, row.source) == (AT, {"subject": 'A "b" \\'}, "sync")


async def test_again_and_twice_in_one_page_make_no_second_receipt(session: WriteSession) -> None:
    assert await put(session, SENT, SENT, to_mixpanel=False) == 1
    assert await put(session, SENT, OPENED) == 1
    opened, sent = await receipts(session)
    assert (opened["state"], sent["state"]) == ("waiting", "held")


async def test_what_was_known_by_its_key_alone_gets_its_moment_and_its_receipt(session: WriteSession) -> None:
    await record(session, [Event(identity_of(SENT, "main"), EventSource.KEY)])
    assert await put(session, OPENED, SENT) == 1
    row = (await session.execute(select(event_source).where(event_source.c.event_key == key_of(SENT)))).one()
    assert (row.occurred_at, row.properties, row.source) == (AT, {"subject": 'A "b" \\'}, "sync")
    assert [one["event_key"] for one in await receipts(session)] == [key_of(OPENED), key_of(SENT)]


async def test_whoever_is_kept_out_has_a_row_without_an_address_and_nothing_to_deliver(session: WriteSession) -> None:
    await privacy.keep_out(session, {"sam@example.com"})
    other = replace(SENT, email="ann@example.com")
    assert await put(session, SENT, other) == 2
    assert await put(session, SENT, other) == 0
    assert [one["distinct_id"] for one in await receipts(session)] == ["ann@example.com"]
    query = select(event_source.c.email).where(event_source.c.event_key == key_of(SENT))
    assert (await session.execute(query)).scalar_one() is None
