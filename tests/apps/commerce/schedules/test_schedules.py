"""Schedules that come round: once each, for their tenant only, and what they say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import PullMode, RunStatus, StoreNotFound
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.pull.service import STREAM_JOB
from syncline.apps.commerce.schedule_contract import (
    BadTiming,
    ScheduledAction,
    ScheduleExists,
    ScheduleNotFound,
)
from syncline.apps.commerce.schedules import jobs, repository
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)  # a Sunday
FULL, CONTENT = ScheduledAction.PULL_FULL, ScheduledAction.RECONCILE_CONTENT


async def test_nothing_is_scheduled_by_itself(ticking: Any) -> None:
    await ticking.after(days=8)
    assert (await ticking.commerce.list_schedules(actor=ticking.actor), ticking.queue.waiting) == ([], [])


async def test_it_is_not_due_before_its_time(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    assert (made.next_run_at, made.is_enabled, made.last_run) == (NOON + timedelta(hours=1), True, None)
    await ticking.after(minutes=59, seconds=59)
    assert await ticking.last_pull() is None
    assert await ticking.commerce.schedule_lag() == timedelta(0)


async def test_when_due_the_store_is_pulled_and_it_tells_how_that_ended(ticking: Any) -> None:
    await ticking.add("every 1h")
    await ticking.after(hours=1)
    begun = await ticking.only()
    assert (begun.next_run_at, begun.last_run.status) == (NOON + timedelta(hours=2), "running")
    await ticking.work()
    run, ended = await ticking.last_pull(), await ticking.only()
    assert (run.status, run.mode, run.requested_by) == (RunStatus.COMPLETED, PullMode.INCREMENTAL, "schedule every 1h")
    assert (ended.last_run.status, ended.last_run.run_id, ended.last_run.sentence) == ("completed", run.id, None)


async def test_two_workers_at_once_start_one_pull(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    ticking.at(NOON + timedelta(hours=1))
    payload = {"schedule_id": str(made.id)}
    await asyncio.gather(*(jobs.run(ticking.context(ticking.actor.tenant_id), payload) for _ in range(8)))
    assert len(ticking.take(STREAM_JOB)) == len((await ticking.last_pull()).streams)
    async with ticking.runtime.database.reading(ticking.actor.tenant_id) as session:
        assert (await session.execute(text("SELECT count(*) FROM commerce.pull_run"))).scalar_one() == 1
    assert (await ticking.only()).last_run.status == "running"


async def test_two_ticks_at_once_find_it_once(ticking: Any) -> None:
    await ticking.add("every 1h")
    now = NOON + timedelta(hours=1)
    async with ticking.runtime.database.system() as one, ticking.runtime.database.system() as two:
        found = [await repository.take_due(session, now, 10) for session in (one, two)]
    assert [len(each) for each in found] == [1, 0]


async def test_a_tick_that_finds_it_again_starts_nothing_more(ticking: Any) -> None:
    await ticking.add("every 1h")
    await ticking.after(hours=1)
    await ticking.work()
    first = await ticking.last_pull()
    await ticking.tick()
    await ticking.work()
    assert (await ticking.last_pull()).id == first.id


async def test_what_was_missed_is_made_up_once_and_says_so(ticking: Any) -> None:
    await ticking.add("every 1h")
    await ticking.after(hours=6, minutes=20)
    assert await ticking.commerce.schedule_lag() == timedelta(0)
    late = await ticking.only()
    assert late.next_run_at == NOON + timedelta(hours=7)
    assert "5 later times made up by this one" in str(late.last_run.sentence)
    await ticking.work()
    first = await ticking.last_pull()
    await ticking.after(minutes=1)
    await ticking.work()
    assert (await ticking.last_pull()).id == first.id


async def test_while_a_pull_runs_an_incremental_one_is_left_out(ticking: Any) -> None:
    await ticking.add("every 1h")
    mode = PullMode.FULL
    running = await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=mode)
    await ticking.after(hours=1)
    skipped = await ticking.only()
    assert (skipped.last_run.status, skipped.last_run.run_id) == ("skipped", running.id)
    assert "brings the same" in str(skipped.last_run.sentence)
    assert (skipped.next_run_at, skipped.failures) == (NOON + timedelta(hours=2), 0)


@pytest.mark.parametrize("action", [FULL, CONTENT])
async def test_a_full_one_and_a_comparison_wait_for_the_pull_that_runs(ticking: Any, action: ScheduledAction) -> None:
    await ticking.add("0 13 * * 0", action)
    await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=PullMode.INCREMENTAL)
    await ticking.after(hours=1, minutes=2)
    waiting = await ticking.only()
    assert (waiting.last_run, waiting.next_run_at) == (None, NOON + timedelta(hours=1))
    assert await ticking.commerce.schedule_lag() == timedelta(minutes=2)
    await ticking.work()
    await ticking.after(minutes=1)
    await ticking.work()
    ended = await ticking.only()
    assert (ended.last_run.status, ended.next_run_at) == ("completed", NOON + timedelta(days=7, hours=1))


async def test_a_full_one_is_left_out_while_a_full_one_runs(ticking: Any) -> None:
    await ticking.add("every 1h", FULL)
    await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=PullMode.FULL)
    await ticking.after(hours=1)
    assert (await ticking.only()).last_run.status == "skipped"


async def test_the_weekly_full_pull_wins_over_the_hourly_one_of_the_same_minute(ticking: Any) -> None:
    await ticking.add("every 1h")
    await ticking.add("0 13 * * 0", FULL)
    await ticking.after(hours=1)
    found = {one.action: one for one in await ticking.commerce.list_schedules(actor=ticking.actor)}
    assert found[FULL].last_run.status == "running"
    assert found[ScheduledAction.PULL].last_run.status == "skipped"
    assert (await ticking.last_pull()).mode is PullMode.FULL


async def test_failures_in_a_row_are_counted_and_end_with_a_success(ticking: Any) -> None:
    await ticking.add("every 1h")
    ticking.shop.renew("shpat_other")
    counted = []
    for _ in range(2):
        await ticking.after(hours=1)
        await ticking.work()
        counted.append((await ticking.only()).failures)
    failed = await ticking.only()
    assert (counted, failed.last_run.status) == ([1, 2], "failed")
    assert "access token" in str(failed.last_run.sentence)
    ticking.shop.renew("shpat_sandbox")
    await ticking.after(hours=1)
    assert (await ticking.only()).failures == 2
    await ticking.work()
    assert ((await ticking.only()).failures, (await ticking.only()).last_run.status) == (0, "completed")


async def test_what_is_refused_is_a_failed_run_and_not_tried_each_minute(ticking: Any) -> None:
    await ticking.add("every 1h")
    async with ticking.runtime.database.writing(ticking.actor.tenant_id) as session:
        await session.execute(text("UPDATE commerce.store SET scopes = '{}'"))
    await ticking.after(hours=1)
    failed = await ticking.only()
    assert (failed.last_run.status, failed.failures, failed.next_run_at) == ("failed", 1, NOON + timedelta(hours=2))
    assert "is left out" in str(failed.last_run.sentence)


async def test_a_comparison_tells_what_it_found(ticking: Any) -> None:
    await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=PullMode.FULL)
    await ticking.work()
    await ticking.add("every 1d", ScheduledAction.RECONCILE_IDS)
    await ticking.after(days=1)
    await ticking.work()
    found = (await ticking.commerce.overview(actor=ticking.actor, store="demo")).last_reconciliation
    ended = await ticking.only()
    assert (ended.last_run.status, ended.last_run.run_id, found.method) == ("completed", found.id, "ids")


async def test_a_comparison_that_cannot_be_made_is_a_failure_with_its_sentence(ticking: Any) -> None:
    await ticking.add("every 1d", ScheduledAction.RECONCILE_IDS)
    ticking.shop.renew("shpat_other")
    await ticking.after(days=1)
    await ticking.work()
    ended = await ticking.only()
    assert (ended.last_run.status, ended.failures) == ("failed", 1)
    assert "access token" in str(ended.last_run.sentence)


async def test_paused_it_does_not_come_round_and_resumed_it_makes_nothing_up(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    paused = await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, is_enabled=False)
    assert (paused.is_enabled, paused.next_run_at) == (False, None)
    await ticking.after(hours=5)
    assert await ticking.last_pull() is None
    resumed = await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, is_enabled=True)
    assert resumed.next_run_at == NOON + timedelta(hours=6)


async def test_another_zone_is_another_next_time_and_the_same_one_keeps_it(ticking: Any) -> None:
    made = await ticking.add("0 3 * * *")
    assert made.next_run_at == datetime(2026, 11, 23, 3, tzinfo=UTC)
    moved = await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, zone="America/New_York")
    assert (moved.zone, moved.next_run_at) == ("America/New_York", datetime(2026, 11, 23, 8, tzinfo=UTC))
    ticking.at(NOON + timedelta(minutes=5))
    same = await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, action=FULL)
    assert (same.action, same.next_run_at) == (FULL, moved.next_run_at)


async def test_run_now_keeps_the_next_time(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    begun = await ticking.commerce.run_schedule(actor=ticking.actor, schedule_id=made.id)
    assert (begun.last_run.status, begun.next_run_at) == ("running", made.next_run_at)
    assert (await ticking.last_pull()).requested_by == "the owner"


SPOILT = [("zone", "Mars/Olympus"), ("timing", "0 3 31 2 *"), ("timing", "once in a while")]


async def spoil(ticking: Any, column: str, value: str) -> None:
    """As when a system loses a time zone, or a release reads times more strictly."""
    async with ticking.runtime.database.writing(ticking.actor.tenant_id) as session:
        await session.execute(text(f"UPDATE commerce.schedule SET {column} = :value"), {"value": value})


@pytest.mark.parametrize(("column", "value"), SPOILT)
async def test_a_time_that_is_no_longer_valid_pauses_it_once_and_says_so(ticking: Any, column: str, value: str) -> None:
    await ticking.add("0 3 * * *", FULL)
    await spoil(ticking, column, value)
    await ticking.after(hours=24)
    paused = await ticking.only()
    assert (paused.is_enabled, paused.next_run_at, paused.last_run.status) == (False, None, "failed")
    assert paused.last_run.sentence.startswith("Paused itself")
    assert value in paused.last_run.sentence
    assert (ticking.queue.waiting, await ticking.last_pull()) == ([], None)
    await ticking.after(minutes=1)
    assert await ticking.only() == paused


async def test_a_time_that_is_no_longer_valid_is_seen_before_a_pull_is_waited_for(ticking: Any) -> None:
    await ticking.add("0 3 * * *", FULL)
    await spoil(ticking, *SPOILT[0])
    await ticking.commerce.start_pull(actor=ticking.actor, store="demo", mode=PullMode.INCREMENTAL)
    await ticking.after(hours=24)
    assert not (await ticking.only()).is_enabled


@pytest.mark.parametrize(("column", "value"), SPOILT)
async def test_what_is_no_longer_valid_can_be_paused_mended_and_resumed(ticking: Any, column: str, value: str) -> None:
    made = await ticking.add("0 3 * * *")
    await spoil(ticking, column, value)

    async def change(**more: Any) -> Any:
        return await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, **more)

    assert not (await change(is_enabled=False)).is_enabled
    with pytest.raises(BadTiming):
        await change(is_enabled=True)
    mended = await change(timing="0 4 * * *", zone="UTC", is_enabled=True)
    assert mended.next_run_at == datetime(2026, 11, 23, 4, tzinfo=UTC)


async def test_with_its_store_it_is_gone(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    ticking.at(NOON + timedelta(hours=1))
    await jobs.find_due(ticking.context(None), {})
    async with ticking.runtime.database.writing(ticking.actor.tenant_id) as session:
        await session.execute(text("DELETE FROM commerce.store"))
    await ticking.work()
    async with ticking.runtime.database.system() as session:
        assert (await session.execute(text("SELECT count(*) FROM commerce.schedule_due"))).scalar_one() == 0
    with pytest.raises(ScheduleNotFound):
        await ticking.commerce.run_schedule(actor=ticking.actor, schedule_id=made.id)


async def test_another_tenant_neither_sees_nor_moves_it(
    ticking: Any, stranger: Actor, commerce: LocalCommerce, connect_as: Callable[[Actor], Awaitable[Any]]
) -> None:
    made = await ticking.add("every 1h")
    assert await commerce.list_schedules(actor=stranger) == []
    for attempt in (
        commerce.change_schedule(actor=stranger, schedule_id=made.id, is_enabled=False),
        commerce.remove_schedule(actor=stranger, schedule_id=made.id),
        commerce.run_schedule(actor=stranger, schedule_id=made.id),
    ):
        with pytest.raises(ScheduleNotFound):
            await attempt
    await connect_as(stranger)
    await commerce.add_schedule(actor=stranger, store="demo", action=FULL, timing="every 1h")
    await ticking.after(hours=1)
    await ticking.work()
    mine, theirs = await ticking.only(), (await commerce.list_schedules(actor=stranger))[0]
    assert mine.last_run is not None
    assert theirs.last_run is not None
    assert (mine.last_run.status, theirs.last_run.status) == ("completed", "completed")
    assert mine.last_run.run_id != theirs.last_run.run_id


async def test_what_cannot_be_asked(ticking: Any) -> None:
    made = await ticking.add("every 1h")
    with pytest.raises(ScheduleExists):
        await ticking.add("every  1h")
    other = await ticking.add("every 2h")
    with pytest.raises(ScheduleExists):
        await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=other.id, timing="every 1h")
    with pytest.raises(BadTiming):
        await ticking.add("hourly")
    with pytest.raises(BadTiming):
        await ticking.commerce.change_schedule(actor=ticking.actor, schedule_id=made.id, zone="Mars")
    with pytest.raises(StoreNotFound):
        await ticking.commerce.list_schedules(actor=ticking.actor, store="nope")
    with pytest.raises(ScheduleNotFound):
        await ticking.commerce.remove_schedule(actor=ticking.actor, schedule_id=new_id())


def test_the_app_ticks_every_minute() -> None:
    assert (jobs.TICK_JOB, "* * * * *") in [(one.job, one.cron) for one in APP.schedules]
    assert {one.name for one in jobs.JOBS} <= {one.name for one in APP.jobs}
