"""Database connections are cut at random while workers pull, push and sync, as a proxy or an administrator does. What
was under way begins again, and in the end everything is there once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
import pytest
from tests.journeys.test_kill_outreach import REQUEST, at_source, begin, look, work_done

from syncline.apps.commerce.contract import ChangeStatus, PullPath, RunStatus, Store
from syncline.apps.commerce.push_contract import EngineConfig
from syncline.apps.outreach.sync_contract import SyncStatus
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import NewShop, Shop
from syncline.main.testing.town import open_town
from syncline.main.testing.works import Works, eventually

LEAST_CUTS = 4
PATIENCE_SECONDS = 180
_BACKENDS = """
    select pid from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
    order by pid
"""


@dataclass(slots=True)
class Cutter:
    done: int = 0


@asynccontextmanager
async def cutting(works: Works, seed: int) -> AsyncIterator[Cutter]:
    """One connection after the other is cut, one time in five all of them, one to ten times a second. Begins when
    a worker is at work: one whose very first connection is cut ends, and says so."""
    await eventually(lambda: works.rows("select from jobs.pgqueuer where status = 'picked'"), bool)
    cutter = Cutter()
    cut = asyncio.create_task(_cut_always(works.runtime.database.operator_url, random.Random(seed), cutter))
    try:
        yield cutter
    finally:
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)


async def _cut_always(url: str, draw: random.Random, cutter: Cutter) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            await asyncio.sleep(draw.uniform(0.1, 0.8))
            found = [pid for (pid,) in await (await connection.execute(_BACKENDS)).fetchall()]
            chosen = found if draw.random() < 0.2 else draw.sample(found, min(1, len(found)))
            for pid in chosen:
                await connection.execute("select pg_terminate_backend(%s)", (pid,))
            cutter.done += len(chosen)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double of Mixpanel shows an event in its export at once."""
    monkeypatch.setenv("SYNCLINE_OUTREACH_EXPORT_LAG", "0")


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=40)


@pytest.mark.process
@pytest.mark.parametrize("path", PullPath)
async def test_pull_reads_everything_once(works: Works, shop: Shop, store: Store, farm: Farm, path: PullPath) -> None:
    run = await works.start_pull(path=path)
    await farm.start()
    async with cutting(works, seed=1) as cutter:
        done = await works.pull_ends(run.id, seconds=PATIENCE_SECONDS)
    assert cutter.done >= LEAST_CUTS
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    total = sum((await count_in_shop(shop)).values())
    assert sum(stream.read for stream in done.streams) == sum(stream.inserted for stream in done.streams) == total
    assert await differences(works, shop, store.id) == []


@pytest.mark.process
async def test_push_writes_every_change_once(works: Works, shop: Shop, store: Store, farm: Farm) -> None:
    await works.pull()
    await works.stage_approved("", "price=+10%")
    run = await works.start_push(config=EngineConfig(batch_size=2))
    await farm.start()
    async with cutting(works, seed=1) as cutter:
        done = await works.push_ends(run.id, seconds=PATIENCE_SECONDS)
    assert cutter.done >= LEAST_CUTS
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert done.counts == {ChangeStatus.APPLIED: run.total}
    assert Counter((await shop.writes()).values()) == {1: run.total}
    assert await works.rows("select count(*), count(finished_at) from commerce.receipt") == [(run.total, run.total)]
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []


@pytest.mark.process
async def test_sync_stores_and_delivers_every_event_once(works: Works, farm: Farm) -> None:
    async with open_town(works, events=1_500, campaigns=4) as town:
        town.smartlead.switches.body_bytes = 200
        town.mixpanel.switches.max_bytes = 50_000
        total = at_source(town)
        run = await begin(works, REQUEST)
        await farm.start()
        async with cutting(works, seed=1) as cutter:
            await eventually(lambda: work_done(works), lambda done: done == 2 * total, seconds=PATIENCE_SECONDS)
            done = await eventually(lambda: look(works, run), lambda one: one.status.is_final)
        assert cutter.done >= LEAST_CUTS
        assert (done.status, done.counts.created) == (SyncStatus.COMPLETED, total)
        stored = await works.rows("select count(*), count(distinct event_key) from outreach.event_source")
        assert stored == [(total, total)]
        counts = town.mixpanel.records.counts()
        assert (counts["raw"], counts["distinct"]) == (total, total)
