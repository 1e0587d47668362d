"""An import is killed while it stages: nothing of it is there, and the next one stages all of it once."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from syncline.apps.commerce.contract import Store
from syncline.main.testing.shop import NewShop, Shop
from syncline.main.testing.works import Works, eventually

PRODUCTS = 1_200
STAGED = "select (select count(*) from commerce.change_batch), (select count(*) from commerce.staged_change)"
# What the transaction of another process has begun to write.
WRITING: LiteralString = """
    select l.pid from pg_locks l join pg_class c on c.oid = l.relation
    where l.database = (select oid from pg_database where datname = current_database())
        and c.relname = %s and l.mode = 'RowExclusiveLock' and l.granted
"""


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop(products=PRODUCTS)


@pytest.fixture
async def sheet(works: Works, store: Store, tmp_path: Path) -> Path:
    """Everything in the store, with another barcode in every row."""
    await works.pull()
    path = tmp_path / "all.csv"
    with path.open("wb") as file:
        await works.commerce.export_store(
            actor=works.actor, store=store.name, file=file, format="csv", columns=["barcode"]
        )
    titles, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    at = titles.index("Barcode")
    for number, row in enumerate(rows):
        row[at] = f"K{number}"
    with path.open("w", encoding="utf-8", newline="") as again:
        csv.writer(again).writerows([titles, *rows])
    return path


def environment(works: Works) -> Mapping[str, str]:
    settings = works.settings
    return {
        **os.environ,
        "SYNCLINE_DATA_DIR": str(settings.data_dir),
        "SYNCLINE_DATABASE_URL": str(settings.database_url),
        "SYNCLINE_DATABASE_ADMIN_URL": str(settings.database_admin_url),
    }


async def start_import(works: Works, sheet: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syncline.main", "import", "demo", str(sheet), "--json"),
        env=environment(works),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def writers(works: Works, table: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(works.runtime.database.operator_url) as connection:
        return await (await connection.execute(WRITING, [table])).fetchall()


async def caught_writing(works: Works, process: asyncio.subprocess.Process, table: str) -> None:
    async def look() -> list[Any]:
        assert process.returncode is None, await process.communicate()
        return await writers(works, table)

    await eventually(look, bool)


@pytest.mark.process
async def test_import_killed_while_it_stages_leaves_nothing_and_the_next_one_stages_all_of_it_once(
    works: Works, shop: Shop, sheet: Path
) -> None:
    variants = len(shop.store.variants)
    for table in ("change_batch", "staged_change"):
        process = await start_import(works, sheet)
        await caught_writing(works, process, table)
        process.send_signal(signal.SIGSTOP)
        # Stopped in the middle: its transaction is still open, and what it wrote is seen by nobody.
        assert await writers(works, table)
        assert await works.rows(STAGED) == [(0, 0)]
        process.kill()
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
        await eventually(lambda: writers(works, "change_batch"), lambda found: not found)
        assert await works.rows(STAGED) == [(0, 0)]
    process = await start_import(works, sheet)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, err)
    assert json.loads(out)["staged"] == variants
    assert await works.rows(STAGED) == [(1, variants)]
    twice = "select resource_id from commerce.staged_change group by kind, resource_id having count(*) > 1"
    assert await works.rows(twice) == []
