"""Watchers hear everything once and in order, whatever happens between them and the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest

from syncline.kernel.errors import InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.live import feed, messages, watcher
from syncline.runtime.live.announcing import log_line
from syncline.runtime.live.hub import Hub, TooManyRooms, TooManyWatchers
from syncline.runtime.live.message import BadRoom, MessageType, Operation
from syncline.runtime.live.watcher import RESTART

Enter = Callable[..., Any]
Say = Callable[..., Any]


async def test_what_is_said_is_heard_in_the_operations_room_its_stores_and_the_tenants(
    enter: Enter, say: Say, operation: Operation
) -> None:
    readers = [enter(operation.room), enter("store:summer"), enter("tenant")]
    elsewhere = [enter(f"pull:{new_id()}")]
    for reader in [*readers, *elsewhere]:
        await reader.until(1, "subscribed")
    await say("begun", "going on")
    for reader in readers:
        await reader.until(2, "operation_log")
        assert [one["data"] for one in reader.of("operation_log")] == [{"message": "begun"}, {"message": "going on"}]
        assert [one["room"] for one in reader.of("operation_log")] == [operation.room] * 2
    assert elsewhere[0].of("operation_log") == []


async def test_another_tenant_hears_nothing_though_he_knows_the_room(
    enter: Enter, say: Say, operation: Operation, other_tenant_id: TenantId
) -> None:
    mine, stranger = enter(operation.room), enter(operation.room, "tenant", tenant=other_tenant_id)
    await stranger.until(1, "subscribed")
    await mine.until(1, "subscribed")
    await say("secret")
    await mine.until(1, "operation_log")
    await say("his own", tenant=other_tenant_id)
    await stranger.until(1, "operation_log")
    assert [one["data"]["message"] for one in stranger.of("operation_log")] == ["his own"]


async def test_what_was_rolled_back_is_never_heard(
    enter: Enter, say: Say, database: Database, tenant_id: TenantId, operation: Operation
) -> None:
    reader = enter("tenant")
    await reader.until(1, "subscribed")
    with suppress(ZeroDivisionError):
        async with database.writing(tenant_id) as session:
            await log_line(session, operation, "no")
            raise ZeroDivisionError
    await say("yes")
    await reader.until(1, "operation_log")
    assert [one["data"]["message"] for one in reader.of("operation_log")] == ["yes"]


async def test_whoever_comes_back_hears_what_he_missed_once_and_then_what_is_new(enter: Enter, say: Say) -> None:
    await say("one", "two", "three")
    reader = enter("tenant", after=1)
    await reader.until(2, "operation_log")
    await say("four")
    await reader.until(3, "operation_log")
    assert reader.ids == [2, 3, 4]
    assert reader.of("gap") == []


async def test_while_many_say_and_come_at_once_nobody_misses_or_doubles(enter: Enter, say: Say) -> None:
    async def talk(number: int) -> None:
        await say(*(f"{number}.{turn}" for turn in range(25)))

    talking = [asyncio.create_task(talk(number)) for number in range(4)]
    readers = [enter("tenant", after=0)]
    await readers[0].until(20, "operation_log")
    readers += [enter("tenant", after=0), enter("tenant", "store:summer", after=0)]
    await asyncio.gather(*talking)
    for reader in readers:
        await reader.until(100, "operation_log")
        assert reader.ids == list(range(1, 101))


async def test_numbers_are_in_the_order_of_commits_though_the_first_to_speak_commits_last(
    enter: Enter, say: Say, database: Database, tenant_id: TenantId, operation: Operation
) -> None:
    reader = enter("tenant")
    await reader.until(1, "subscribed")
    async with database.writing(tenant_id) as session:
        await log_line(session, operation, "early")
        await say("late")
        await reader.until(1, "operation_log")
    await reader.until(2, "operation_log")
    assert [(one["id"], one["data"]["message"]) for one in reader.of("operation_log")] == [(1, "late"), (2, "early")]


async def test_who_comes_late_is_told_how_the_operation_stands(enter: Enter, say: Say, operation: Operation) -> None:
    await say("started", kind=MessageType.START)
    await say("1 %", "2 %", kind=MessageType.PROGRESS, part="products")
    await say("7 %", kind=MessageType.PROGRESS, part="orders")
    await say("a line")
    states = ("operation_start", "operation_progress", "operation_log")
    for _ in range(2):  # from the database, then from what is remembered of it
        reader = enter(operation.room)
        await reader.until(3, *states)
        assert [one["data"]["message"] for one in reader.of(*states)] == ["started", "2 %", "7 %"]
    await say("3 %", kind=MessageType.PROGRESS, part="products")
    later = enter(operation.room)
    await later.until(3, *states)
    assert [one["data"]["message"] for one in later.of(*states)] == ["started", "7 %", "3 %"]


async def test_a_gap_is_told_when_what_was_missed_is_no_longer_kept(
    enter: Enter, say: Say, database: Database, tenant_id: TenantId
) -> None:
    await say("one", "two", "three", "four")
    async with database.writing(tenant_id) as session:
        assert await messages.forget(session, most=2) == 2
    reader = enter("tenant", after=1)
    await reader.until(2, "operation_log")
    (told,) = reader.of("gap")
    assert (told["after"], told["upto"]) == (1, 2)
    assert reader.ids == [3, 4]


async def test_an_id_that_was_never_given_is_a_gap_and_not_silence(enter: Enter, say: Say) -> None:
    await say("one")
    reader = enter("tenant", after=99)
    await reader.until(1, "gap")
    await say("two")
    await reader.until(1, "operation_log")
    assert reader.ids == [2]


async def test_too_much_missed_is_a_gap_and_the_latest_state(
    enter: Enter, say: Say, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REPLAYED", 3)
    await say("going", kind=MessageType.PROGRESS)
    await say("one", "two", "three", "four")
    monkeypatch.setattr(feed, "RING", 2)
    reader = enter(operation.room, after=0)
    await reader.until(1, "operation_progress")
    assert [(one["after"], one["upto"]) for one in reader.of("gap")] == [(0, 5)]
    assert reader.ids == [1]


async def test_older_messages_than_memory_holds_come_from_the_database(
    enter: Enter, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "RING", 2)
    first = enter("tenant")
    await first.until(1, "subscribed")
    await say("one", "two", "three", "four")
    await first.until(4, "operation_log")
    second = enter("tenant", after=0)
    await second.until(4, "operation_log")
    assert second.ids == [1, 2, 3, 4]


async def test_one_who_takes_nothing_holds_up_nobody_and_gets_the_latest_state(
    enter: Enter, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "MOST_WAITING", 20)
    slow, quick = enter("tenant"), enter("tenant")
    await slow.until(1, "subscribed")
    slow.open.clear()
    await say(*(f"line {number}" for number in range(30)))
    await say(*(f"{number} %" for number in range(10)), kind=MessageType.PROGRESS)
    await quick.until(40, "operation_log", "operation_progress")
    slow.open.set()
    await say("after", kind=MessageType.COMPLETE)
    await slow.until(1, "operation_complete")
    assert [one["data"]["message"] for one in slow.of("operation_progress")][-1] == "9 %"
    assert slow.ids == sorted(slow.ids)
    assert len(slow.ids) <= 21
    told = {number for one in slow.of("gap") for number in range(one["after"] + 1, one["upto"] + 1)}
    assert set(range(1, 42)) - set(slow.ids) <= told


async def test_a_lost_database_connection_loses_no_message(
    enter: Enter, say: Say, database_settings: DatabaseSettings
) -> None:
    reader = enter("tenant")
    await reader.until(1, "subscribed")
    await say("one")
    await reader.until(1, "operation_log")
    async with await psycopg.AsyncConnection.connect(str(database_settings.admin_url), autocommit=True) as operator:
        await operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await say("two")
    await reader.until(2, "operation_log")
    assert reader.ids == [1, 2]


async def test_places_are_limited_and_free_again(hub: Hub, enter: Enter, other_tenant_id: TenantId) -> None:
    readers = [enter("tenant") for _ in range(4)]
    with pytest.raises(TooManyWatchers):
        enter("tenant")
    enter("tenant", tenant=other_tenant_id)
    assert hub.watching == 5
    hub.exit(readers[0].watcher)
    hub.exit(readers[0].watcher)
    enter("tenant")
    assert hub.watching == 5


@pytest.mark.parametrize("room", ["", "pull", "pull:7", "store:", "Tenant", f"PULL:{UUID(int=1)}", "store:a b"])
async def test_there_can_be_no_such_room(hub: Hub, tenant_id: TenantId, room: str, enter: Enter) -> None:
    reader = enter("tenant")
    with pytest.raises(BadRoom):
        hub.join(reader.watcher, [room])


async def test_rooms_are_limited_and_left_again(hub: Hub, enter: Enter, say: Say, operation: Operation) -> None:
    reader = enter("tenant", "store:summer", operation.room)
    await reader.until(1, "subscribed")
    with pytest.raises(TooManyRooms):
        hub.join(reader.watcher, ["store:winter"])
    with pytest.raises(InvalidInput):
        hub.join(reader.watcher, ["tenant"], -1)
    await say("one")
    await reader.until(1, "operation_log")
    hub.leave(reader.watcher, ["tenant", "store:summer", operation.room])
    other = enter("tenant")
    await other.until(1, "subscribed")
    await say("two")
    await other.until(1, "operation_log")
    assert reader.ids == [1]


async def test_at_the_end_everybody_is_told_and_nobody_comes_in(database: Database, tenant_id: TenantId) -> None:
    hub, stop, heard = Hub(database), asyncio.Event(), list[str]()

    async def take(frame: Any) -> None:
        heard.append(frame.text)

    running = asyncio.create_task(hub.run(stop))
    await eventually(lambda: hub.is_listening)
    watcher = hub.enter(tenant_id, take)
    stop.set()
    await running
    assert heard == [RESTART.reason]
    with pytest.raises(TooManyWatchers):
        hub.enter(tenant_id, take)
    hub.exit(watcher)


async def test_one_who_is_stuck_is_cut_off_and_one_whose_time_is_up_sent_away(
    hub: Hub, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, late, fine = enter("tenant"), enter("tenant"), enter("tenant")
    for reader in (stuck, late, fine):
        await reader.until(1, "subscribed")
    owner = asyncio.create_task(asyncio.Event().wait())
    stuck.watcher.owner = owner
    stuck.open.clear()
    hub._beat([stuck.watcher])
    late.watcher.until = 0
    monkeypatch.setattr("syncline.runtime.live.hub._STUCK_SECONDS", -1.0)
    hub._beat([stuck.watcher])
    monkeypatch.setattr("syncline.runtime.live.hub._STUCK_SECONDS", 120.0)
    hub._beat([late.watcher, fine.watcher])
    with pytest.raises(asyncio.CancelledError):
        await owner
    await eventually(lambda: [one.get("reason", "")[:10] for one in late.heard[1:]] == ["Time is up"])
    await fine.until(1, "heartbeat")
    assert late.watcher.ended
    assert not fine.watcher.ended
