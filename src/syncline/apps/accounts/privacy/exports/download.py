"""The file of an export, opened slice by slice while it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from syncline.apps.accounts.privacy.exports.repository import read_parts
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.secrets import SecretBox


async def read_file(
    database: Database, tenant_id: TenantId, secrets: SecretBox, export_id: UUID
) -> AsyncIterator[bytes]:
    async with database.reading_still(tenant_id) as session:
        async for sealed in read_parts(session, export_id):
            yield secrets.open_bytes(sealed)
