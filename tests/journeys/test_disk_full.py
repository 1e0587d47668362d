"""The database has no room left in the middle: nothing is half written, the run says so, and goes on once there is
room again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from syncline.apps.commerce.contract import ChangeStatus, PullPath, PullRun, PushRun, RunStatus, Store
from syncline.kernel.ids import new_id
from syncline.main.targets import migration_sources
from syncline.main.testing.comparison import count_in_shop, differences
from syncline.main.testing.shop import Shop
from syncline.main.testing.works import Works, eventually, open_works
from syncline.runtime.db.migrate import upgrade
from syncline.runtime.db.server import ServerHandle, ensure_server
from syncline.runtime.db.settings import DatabaseSettings

SMALL_BYTES = 40 << 20
NO_ROOM = "no room left"
KINDS = (
    *("product", "variant", "location", "inventory_level", "inventory_item", "collection", "collection_membership"),
    *("product_media", "metafield", "shop_order", "order_line", "customer"),
)
STORED = f"""
    select {" + ".join(f"(select count(*) from commerce.{kind})" for kind in KINDS)},
           (select sum(read) from commerce.pull_stream)
"""


@dataclass
class SmallDisk:
    """A file system of forty megabytes; `space` is the part that the database's account may write to."""

    folder: Path

    @property
    def space(self) -> Path:
        return self.folder / "space"

    def fill(self, spare_bytes: int = 0) -> None:
        free = shutil.disk_usage(self.folder).free
        with (self.folder / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - spare_bytes)

    def empty(self) -> None:
        (self.folder / "ballast").unlink()


@pytest.fixture(scope="module")
def own_server() -> Iterator[ServerHandle]:
    """Apart from that of all other tests: with one disk full no database of a server can be made or dropped."""
    folder = Path(tempfile.mkdtemp(prefix="syncline-full-"))
    folder.chmod(0o755)
    handle = ensure_server(folder)
    yield handle
    handle.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def disk(own_server: ServerHandle) -> Iterator[SmallDisk]:
    folder = Path(tempfile.mkdtemp(prefix="syncline-small-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES}", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("only root may mount a file system of a chosen size; the refusal alone is tested below")
    made = SmallDisk(folder)
    folder.chmod(0o755)
    made.space.mkdir()
    with psycopg.connect(own_server.url("operator", "postgres")) as connection:
        found = connection.execute("show data_directory").fetchone()
    assert found is not None
    account = Path(found[0]).stat()
    os.chown(made.space, account.st_uid, account.st_gid)
    yield made
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def small_database(own_server: ServerHandle, disk: SmallDisk) -> Iterator[DatabaseSettings]:
    """A fresh database on the small disk; its write-ahead log lies elsewhere, or the whole server would stop."""
    name = f"small_{new_id().hex}"
    place = {"name": Identifier(name), "folder": Literal(str(disk.space))}
    app, operator = own_server.url("app", name), own_server.url("operator", name)
    with psycopg.connect(own_server.url("operator", "postgres"), autocommit=True) as connection:
        connection.execute(SQL("create tablespace {name} location {folder}").format(**place))
        connection.execute(SQL("create database {name} template template0 tablespace {name}").format(**place))
        upgrade(operator, list(migration_sources()))
        yield DatabaseSettings(url=app, admin_url=operator, data_dir=own_server.home, pool_min=0)
        connection.execute(SQL("drop database {name} with (force)").format(**place))
        connection.execute(SQL("drop tablespace {name}").format(**place))


@pytest.fixture
async def cramped(small_database: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(small_database, tmp_path) as opened:
        yield opened


def has_no_room(run: PullRun) -> bool:
    return any(NO_ROOM in str(stream.error) for stream in run.streams)


async def assert_pulled_once(works: Works, shop: Shop, store: Store, run: PullRun) -> None:
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert {stream.error for stream in run.streams} == {None}
    assert sum(stream.read for stream in run.streams) == sum((await count_in_shop(shop)).values())
    assert await differences(works, shop, store.id) == []


async def stored_and_counted(works: Works) -> tuple[int, int]:
    """Rows in the mirror, and lines that the run says it has stored."""
    ((rows, lines),) = await works.rows(STORED)
    return int(rows), int(lines)


@pytest.mark.parametrize("path", PullPath)
async def test_pull_waits_for_room_and_goes_on(cramped: Works, shop: Shop, disk: SmallDisk, path: PullPath) -> None:
    store = await cramped.connect(shop)
    disk.fill(spare_bytes=500_000)
    run = await cramped.start_pull(path=path)
    async with cramped.working():
        await eventually(lambda: cramped.get_pull(run.id), has_no_room)
        rows, lines = await stored_and_counted(cramped)
        disk.empty()
        done = await cramped.pull_ends(run.id)
    assert rows == lines
    assert rows < sum(stream.read for stream in done.streams)
    await assert_pulled_once(cramped, shop, store, done)


def is_stuck(seen: PushRun) -> bool:
    """It says so; or it has no room even for that, and its workers leave with their work undone."""
    is_undone = seen.counts.get(ChangeStatus.APPLIED, 0) < seen.total
    has_left = any(one.ended_at is not None for one in getattr(seen.engine, "workers", ()))
    return NO_ROOM in str(seen.error) or (is_undone and has_left)


async def test_push_waits_for_room_and_writes_everything_once(cramped: Works, shop: Shop, disk: SmallDisk) -> None:
    store = await cramped.connect(shop)
    await cramped.pull()
    await cramped.stage_approved("", "price=+10%")
    run = await cramped.start_push()
    disk.fill(spare_bytes=150_000)
    async with cramped.working():
        await eventually(lambda: cramped.get_push(run.id), is_stuck)
        disk.empty()
        done = await cramped.push_ends(run.id)
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert done.counts == {ChangeStatus.APPLIED: run.total}
    assert set((await shop.writes()).values()) == {1}
    assert len(await shop.writes()) == run.total
    assert await cramped.rows("select count(*), count(finished_at) from commerce.receipt") == [(run.total, run.total)]
    assert await differences(cramped, shop, store.id, without=["source_updated_at"]) == []


REFUSE = """
    create function public.refuse() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
    create trigger refuse before insert on commerce.variant execute function public.refuse();
"""


async def test_refusal_of_the_server_alone_is_waited_out_too(works: Works, shop: Shop, store: Store) -> None:
    """The server's own error for a full disk, without one: also where nobody may mount anything."""
    with psycopg.connect(works.runtime.database.operator_url, autocommit=True) as connection:
        connection.execute(REFUSE)
        run = await works.start_pull()
        async with works.working():
            await eventually(lambda: works.get_pull(run.id), has_no_room)
            assert await works.rows("select 1 from commerce.product limit 1") == []
            connection.execute("drop trigger refuse on commerce.variant")
            done = await works.pull_ends(run.id)
    await assert_pulled_once(works, shop, store, done)
