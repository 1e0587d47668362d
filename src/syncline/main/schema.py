"""The database at the right version: our own is migrated whenever it is behind, somebody else's only when asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncline.kernel.errors import Unavailable
from syncline.main.settings import Settings
from syncline.main.targets import migration_sources
from syncline.runtime.app import Runtime
from syncline.runtime.db import migrate
from syncline.runtime.db.access import Access
from syncline.runtime.http.health import Check, CheckResult
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)


class SchemaBehind(Unavailable):
    code = "DB_004"
    title = "The database has to be migrated first"


@asynccontextmanager
async def open_access(settings: Settings, *, upgrade: bool = False) -> AsyncIterator[Access]:
    """The addresses of the database, with our own server running and migrated. `upgrade` migrates an external one too;
    without it that one is left as it is, because its operator decides when."""
    access = await asyncio.to_thread(Access, settings.database)
    try:
        if access.is_embedded or upgrade:
            applied = await asyncio.to_thread(_upgrade, access)
            if applied:
                log.info("database migrated", migrations=applied)
        yield access
    finally:
        access.close()


async def require_schema(access: Access) -> None:
    """Raises `SchemaBehind`."""
    behind = await asyncio.to_thread(pending_migrations, access.operator_url)
    if behind:
        raise SchemaBehind(f"The database is {behind} migrations behind this version. Run: syncline db upgrade")


def pending_migrations(operator_url: str) -> int:
    """How many migrations an upgrade would apply. Blocks."""
    return sum(len(branch.pending) for branch in migrate.status(operator_url, migration_sources()))


def _upgrade(access: Access) -> list[str]:
    # Most starts have nothing to do; looking is cheaper than taking the migration lock.
    if pending_migrations(access.operator_url) == 0:
        return []
    return migrate.upgrade(access.operator_url, migration_sources())


def schema_check(runtime: Runtime) -> Check:
    """Asks until the schema is right, and then no more: it does not go back under a running process."""
    is_right = False

    async def look() -> CheckResult:
        nonlocal is_right
        if not is_right:
            behind = await asyncio.to_thread(pending_migrations, runtime.database.operator_url)
            if behind:
                return CheckResult.down(f"{behind} migrations are missing; run: syncline db upgrade")
            is_right = True
        return CheckResult.up()

    return Check("migrations", look)
