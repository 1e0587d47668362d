"""Syncline's own database is killed, or stopped, in the middle. The work goes on by itself when it is back."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncline.apps.commerce.contract import ChangeStatus, PullPath, PullRun, PushRun, RunStatus, Store
from syncline.apps.commerce.push_contract import EngineConfig
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.shop import Moment, Shop
from syncline.main.testing.works import Works, open_works
from syncline.runtime.db.server import ServerHandle, ensure_server
from syncline.runtime.db.settings import DatabaseSettings

ENDS = {"killed": signal.SIGKILL, "stopped": signal.SIGINT}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not under pytest's own folder: that is closed to the server's account when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="syncline-restart-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_server(data_dir: Path) -> Iterator[ServerHandle]:
    handle = ensure_server(data_dir)
    yield handle
    handle.close()


@pytest.fixture
async def works(own_server: ServerHandle, data_dir: Path) -> AsyncIterator[Works]:
    async with open_works(DatabaseSettings(data_dir=data_dir), data_dir) as opened:
        yield opened


async def assert_restarted_within(works: Works, run: PullRun | PushRun) -> None:
    ((began,),) = await works.rows("select pg_postmaster_start_time()")
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.started_at < began < run.finished_at


def end_database(server: ServerHandle, how: signal.Signals) -> None:
    os.kill(server.postmaster_pid, how)


@pytest.mark.process
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize(
    ("path", "operation"), [(PullPath.BULK, "BulkFind"), (PullPath.PAGED, "LevelsOfLocation")], ids=list(PullPath)
)
async def test_pull_goes_on_by_itself(
    works: Works,
    shop: Shop,
    store: Store,
    own_server: ServerHandle,
    path: PullPath,
    operation: str,
    end: signal.Signals,
) -> None:
    shop.tripwire.set(lambda: end_database(own_server, end), operation, passing=1, moment=Moment.ANSWERING)
    run = await works.pull(path=path)
    await assert_restarted_within(works, run)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    total = sum((await count_in_shop(shop)).values())
    assert sum(stream.read for stream in run.streams) == sum(stream.inserted for stream in run.streams) == total
    assert await differences(works, shop, store.id) == []


@pytest.mark.process
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_push_goes_on_by_itself_and_writes_everything_once(
    works: Works, shop: Shop, store: Store, own_server: ServerHandle, end: signal.Signals
) -> None:
    await works.pull()
    await works.stage_approved("", "price=+10%")
    shop.tripwire.set(lambda: end_database(own_server, end), "UpdateVariants", passing=20, moment=Moment.ANSWERING)
    run = await works.push(config=EngineConfig(batch_size=1))
    await assert_restarted_within(works, run)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert run.counts == {ChangeStatus.APPLIED: run.total}
    assert set((await shop.writes()).values()) == {1}
    assert len(await shop.writes()) == run.total
    assert await works.rows("select count(*), count(finished_at) from commerce.receipt") == [(run.total, run.total)]
    assert await differences(works, shop, store.id, without=["source_updated_at"]) == []
