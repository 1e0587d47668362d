"""Workers in the test's own event loop, and an embedded server of their own for those that kill it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncline.kernel.tenant import TenantId
from syncline.runtime.db.access import Access
from syncline.runtime.db.engine import Database
from syncline.runtime.db.migrate import upgrade
from syncline.runtime.db.server import ServerHandle, ensure_server
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.jobs.testing import Fleet
from syncline.runtime.migrations import SOURCE


@pytest.fixture
async def fleet(database: Database, tenant_id: TenantId) -> AsyncIterator[Fleet]:
    made = Fleet(database, tenant_id)
    yield made
    await made.stop()


@pytest.fixture
def own_server() -> Iterator[ServerHandle]:
    """An embedded server that a test may kill."""
    folder = Path(tempfile.mkdtemp(prefix="syncline-jobs-"))
    folder.chmod(0o755)
    handle = ensure_server(folder)
    yield handle
    handle.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def own_database(own_server: ServerHandle) -> AsyncIterator[Database]:
    settings = DatabaseSettings(data_dir=own_server.home.parent)
    access = await asyncio.to_thread(Access, settings)
    await asyncio.to_thread(upgrade, access.operator_url, [SOURCE])
    database = await Database.open(settings, access)
    yield database
    await database.close()
