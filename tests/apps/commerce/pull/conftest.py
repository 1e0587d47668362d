"""A run whose streams a test takes up itself, in a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from syncline.apps.commerce.contract import PullMode, Store
from syncline.apps.commerce.pull import repository
from syncline.runtime.db.session import WriteSession

AddRun = Callable[..., Awaitable[UUID]]


@pytest.fixture
async def store(add_store: Callable[..., Awaitable[Store]]) -> Store:
    return await add_store()


@pytest.fixture
def add_run(session: WriteSession, store: Store) -> AddRun:
    async def add(**more: Any) -> UUID:
        values = {"mode": PullMode.FULL, "streams": {"products": None, "inventory": None}, "path": None, **more}
        return await repository.add_run(session, store_id=store.id, requested_by="tester", **values)

    return add
