"""What a run says to whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from tests.apps.outreach.conftest import Place

from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.telling import operation_of, telling_of, wait_sentence
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.kernel.paging import PageRequest
from syncline.runtime.connect.hearing import CallWait
from syncline.runtime.live import messages
from syncline.runtime.live.message import Level, Message, MessageType


async def said(place: Place, run_id: UUID) -> list[Message]:
    async with place.runtime.database.reading(place.actor.tenant_id) as session:
        return await messages.list_heard(session, [operation_of(run_id).room], after=0, upto=10_000, limit=1_000)


async def test_a_run_says_its_beginning_how_far_it_is_what_was_read_and_its_end(place: Place) -> None:
    run = await place.sync()
    told = await said(place, run.id)
    kinds = [one.type for one in told]
    assert (kinds[0], kinds[-1]) == (MessageType.START, MessageType.COMPLETE)
    assert (told[0].data["mode"], told[0].data["requested_by"]) == ("full_historical", "ann")
    last = [one.data for one in told if one.type is MessageType.PROGRESS][-1]
    assert (last["read"], last["total"], last["created"]) == (run.counts.read, run.counts.read, run.counts.created)
    assert {name: one["read"] for name, one in last["platforms"].items()} == {
        name.value: counts.read for name, counts in run.by_platform.items()
    }
    lines = [one.data for one in told if one.type is MessageType.LOG]
    assert sum(one["chunks"] for one in lines) == run.counts.chunks
    assert (told[-1].data["status"], told[-1].data["counts"]["created"]) == ("completed", run.counts.created)


async def test_workers_of_one_process_say_it_together(place: Place) -> None:
    run = await place.begin(parallelWorkers=4)
    request = service.unpacked(await _request_of(place, run.id))
    database, tenant = place.runtime.database, place.actor.tenant_id
    async with (
        telling_of(database, tenant, run.id, request) as one,
        telling_of(database, tenant, run.id, request) as two,
    ):
        assert one is two
        assert one.workers == 2
    assert one.workers == 0


async def _request_of(place: Place, run_id: UUID) -> dict[str, Any]:
    ((config,),) = await place.rows("SELECT config FROM outreach.sync_run WHERE id = %(id)s", id=run_id)
    return dict(config["request"])


async def test_a_run_that_is_not_to_be_tracked_says_nothing(place: Place) -> None:
    run = await place.sync(enableProgressTracking=False)
    assert run.status is SyncStatus.COMPLETED
    assert await said(place, run.id) == []


async def test_what_a_tool_asks_to_wait_for_is_said(new_place: Callable[..., Any]) -> None:
    place: Place = await new_place()
    place.town.break_with(["lemlist:throttle=1@/api/activities"])
    run = await place.sync(platforms="lemlist")
    assert run.status is SyncStatus.COMPLETED
    (wait,) = [one for one in await said(place, run.id) if one.level is Level.WARNING]
    assert wait.data["platform"] == "lemlist"
    assert wait.data["wait_seconds"] >= 1
    assert "lemlist asks to wait" in wait.data["message"]


async def test_a_run_that_fails_says_why(place: Place) -> None:
    place.town.lemlist.key = "another"
    run = await place.sync()
    told = await said(place, run.id)
    assert told[-1].data["status"] == "failed"
    errors = [one.data["message"] for one in told if one.level is Level.ERROR]
    assert errors == [run.sentence]


async def test_a_wait_before_the_work_begins_again_is_said(new_place: Callable[..., Any]) -> None:
    place: Place = await new_place()
    place.town.break_with(["lemlist:truncate=8@/api/activities"])
    run = await place.sync(platforms="lemlist")
    assert run.status is SyncStatus.COMPLETED
    said_of_it = [one.data["message"] for one in await said(place, run.id) if one.level is Level.WARNING]
    assert any(one.startswith("The worker goes on in ") for one in said_of_it), said_of_it


async def test_a_cancelled_run_says_so_and_its_log_is_found(place: Place) -> None:
    run = await place.begin()
    async with place.runtime.database.writing(place.actor.tenant_id) as session:
        await service.cancel(session, place.queue, run.id)
    told = await said(place, run.id)
    assert [one.type for one in told] == [MessageType.START, MessageType.COMPLETE]
    assert told[-1].data["status"] == "cancelled"


async def test_another_tenant_hears_nothing(place: Place, other_tenant_id: Any) -> None:
    run = await place.sync()
    async with place.runtime.database.reading(other_tenant_id) as session:
        page = await messages.list_lines(session, messages.LineQuery(room=operation_of(run.id).room), PageRequest())
    assert page.items == []


@pytest.mark.parametrize(
    ("upstream", "asked", "sentence"),
    [
        ("lemlist", True, "lemlist asks to wait 2 s: Too many requests."),
        ("lemlist", False, "lemlist is asked again in 2 s: Too many requests."),
        (None, False, "The worker goes on in 2 s: Too many requests."),
    ],
)
def test_a_wait_in_words(upstream: str | None, *, asked: bool, sentence: str) -> None:
    assert wait_sentence(CallWait(upstream, "Too many requests.", 2.0, is_asked=asked)) == sentence
