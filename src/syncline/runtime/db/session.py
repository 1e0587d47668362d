"""Sessions: one transaction each, opened and closed by `Database`, never by a service."""

from __future__ import annotations

from typing import cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from syncline.kernel.tenant import TenantId


class Session(AsyncSession):
    """An open transaction. `tenant_id` is whose rows it can see; None sees no tenant's rows at all."""

    tenant_id: TenantId | None = None

    async def driver(self) -> psycopg.AsyncConnection:
        """The psycopg connection of this very transaction, for COPY and NOTIFY. Never commit or close it."""
        raw = await (await self.connection()).get_raw_connection()
        return cast("psycopg.AsyncConnection", raw.driver_connection)

    @property
    def tenant(self) -> TenantId:
        """`tenant_id`, where the code only makes sense for a tenant. Raises `LookupError` in a system session."""
        if self.tenant_id is None:
            msg = "this session belongs to no tenant"
            raise LookupError(msg)
        return self.tenant_id


class WriteSession(Session):
    """Commits at the clean end of its block."""


class ReadSession(Session):
    """A read-only transaction: the server refuses every write."""
