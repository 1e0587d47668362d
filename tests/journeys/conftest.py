"""A shop that is really asked, a database that is really written, and workers that are really killed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from syncline.apps.commerce.contract import Store
from syncline.main.testing.farm import Farm, open_farm
from syncline.main.testing.shop import Shop, open_shop
from syncline.main.testing.works import Works, open_works
from syncline.runtime.db.settings import DatabaseSettings

OpenShop = Callable[..., Awaitable[Shop]]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of a small store instead of few of a large one."""
    monkeypatch.setenv("SYNCLINE_COMMERCE_CHUNK_LINES", "100")


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
async def new_shop() -> AsyncIterator[OpenShop]:
    """`await new_shop(products=..., plan=...)`."""
    async with AsyncExitStack() as stack:

        async def open_(**options: object) -> Shop:
            return await stack.enter_async_context(open_shop(**options))

        yield open_


@pytest.fixture
async def shop(new_shop: OpenShop) -> Shop:
    return await new_shop()


@pytest.fixture
async def store(works: Works, shop: Shop) -> Store:
    """`shop`, connected as demo."""
    return await works.connect(shop)


@pytest.fixture
async def farm(works: Works) -> AsyncIterator[Farm]:
    async with open_farm(works, os.environ) as opened:
        yield opened
