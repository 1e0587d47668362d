"""A worker process is killed at random points of a full sync and of its delivery, while the tools have troubles of
their own; whoever comes next goes on where it stood, and in the end every event is stored once and was told once."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from syncline.apps.outreach.sync import service
from syncline.apps.outreach.sync.service import Run
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest, SyncStatus
from syncline.main.testing.farm import Farm
from syncline.main.testing.town import open_town
from syncline.main.testing.works import Works, eventually
from syncline.sandbox.together import Town

KILLS = 8
WORK_DONE = (
    "select count(*) + count(*) filter (where state = 'delivered') from outreach.receipt where tenant_id = %(tenant)s"
)
FAULTS = (
    "lemlist:drop_before=1%,truncate=1%",
    "smartlead:http_502=2%",
    "mixpanel:drop_after=10%@/import,drop_before=5%@/import,http_503=5%@/import",
)
REQUEST = SyncRequest(platforms=tuple(Platform), mode=SyncMode.FULL, batch_size=100)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double shows an event in its export at once, and takes small batches as well."""
    monkeypatch.setenv("SYNCLINE_OUTREACH_EXPORT_LAG", "0")


@pytest.fixture
async def town(works: Works) -> AsyncIterator[Town]:
    """Both tools with a past, connected."""
    async with open_town(works, events=4_000, campaigns=6) as made:
        made.smartlead.switches.body_bytes = 200
        made.mixpanel.switches.max_bytes = 150_000
        made.break_with(FAULTS)
        yield made


async def begin(works: Works, request: SyncRequest) -> Run:
    async with works.runtime.database.writing(works.actor.tenant_id) as session:
        return await service.start(session, works.runtime, request, actor=works.actor, config={})


async def look(works: Works, run: Run) -> Run:
    async with works.runtime.database.reading(works.actor.tenant_id) as session:
        return await service.get(session, run.id)


async def work_done(works: Works) -> int:
    return int((await works.rows(WORK_DONE, tenant=works.actor.tenant_id))[0][0])


async def reach(works: Works, point: int) -> None:
    """Returns when so much is done."""
    await eventually(lambda: work_done(works), lambda done: done >= point)


def at_source(town: Town) -> int:
    of_campaigns = sum(event.campaign is not None for event, _ in town.lemlist.store.all_events())
    return of_campaigns + int(town.smartlead.store.counts()["first"])


@pytest.mark.process
@pytest.mark.parametrize("seed", [1])
async def test_killed_and_hindered_a_sync_stores_and_delivers_every_event_once(
    works: Works, town: Town, farm: Farm, seed: int
) -> None:
    total = at_source(town)
    points = sorted(random.Random(seed).sample(range(int(total * 1.9)), KILLS))
    print(f"seed {seed}: killed at {points} of {2 * total}")  # noqa: T201 - shown with a failure
    run = await begin(works, REQUEST)
    for point in points:
        worker = await farm.start()
        await reach(works, point)
        farm.kill(worker)
        await farm.bury()
    await farm.start()
    await eventually(lambda: work_done(works), lambda done: done == 2 * total, seconds=120)
    done = await eventually(lambda: look(works, run), lambda one: one.status.is_final)
    assert (done.status, done.counts.created, len(farm.killed)) == (SyncStatus.COMPLETED, total, KILLS)
    stored = await works.rows("select count(*), count(distinct event_key) from outreach.event_source")
    assert stored == [(total, total)]
    counts = town.mixpanel.records.counts()
    assert (counts["raw"], counts["distinct"]) == (total, total)
    compared = await begin(works, replace(REQUEST, mode=SyncMode.COMPARE))
    ended = await eventually(lambda: look(works, compared), lambda one: one.status.is_final)
    assert ended.report is not None
    assert ended.report["agreed"] is True
