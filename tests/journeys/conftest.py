"""A shop that is really asked, a database that is really written, and workers that are really killed."""

from __future__ import annotations

import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from syncline.apps.commerce.contract import Store
from syncline.main.testing.farm import Farm, open_farm, open_seedbed
from syncline.main.testing.shop import NewShop, Shop, open_shop
from syncline.main.testing.works import Works, open_works
from syncline.runtime.db.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of a small store instead of few of a large one."""
    monkeypatch.setenv("SYNCLINE_COMMERCE_CHUNK_LINES", "100")


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
async def new_shop() -> AsyncIterator[NewShop]:
    """`await new_shop(products=..., plan=...)`."""
    async with AsyncExitStack() as stack:

        async def open_(**options: Any) -> Shop:
            return await stack.enter_async_context(open_shop(**options))

        yield open_


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    return await new_shop()


@pytest.fixture
async def store(works: Works, shop: Shop) -> Store:
    """`shop`, connected as demo."""
    return await works.connect(shop)


@pytest.fixture(scope="session")
async def seedbed() -> AsyncIterator[Process]:
    async with open_seedbed() as process:
        yield process


@pytest.fixture
async def farm(seedbed: Process, works: Works) -> AsyncIterator[Farm]:
    ours = {name: value for name, value in os.environ.items() if name.startswith("SYNCLINE_")}
    async with open_farm(seedbed, works, ours) as opened:
        yield opened
