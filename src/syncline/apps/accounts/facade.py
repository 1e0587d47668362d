"""The local `KeyRing`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from syncline.apps.accounts import repository, service
from syncline.apps.accounts.bearer import parse_bearer
from syncline.apps.accounts.contract import ApiKey, IssuedKey, Tenant
from syncline.apps.accounts.settings import AccountsSettings
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database


class LocalKeyRing:
    def __init__(self, database: Database, settings: AccountsSettings) -> None:
        self._database = database
        self._settings = settings

    async def authenticate(self, *, bearer: str) -> Actor | None:
        parsed = parse_bearer(bearer)
        if parsed is None:
            return None
        async with self._database.reading(parsed.tenant_id) as session:
            key = await service.find_valid_key(session, parsed)
        if key is None:
            return None
        every = self._settings.last_used_every
        if service.use_is_worth_noting(key, every):
            async with self._database.writing(parsed.tenant_id) as writing:
                await service.note_use(writing, key.id, every=every)
        return Actor(tenant_id=parsed.tenant_id, name=key.name, role=key.role)

    async def create_key(
        self,
        *,
        tenant_id: TenantId,
        name: str,
        role: str,
        created_by: str,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        async with self._database.writing(tenant_id) as session:
            return await service.create_key(session, name=name, role=role, created_by=created_by, expires_at=expires_at)

    async def list_keys(self, *, tenant_id: TenantId, include_revoked: bool = False) -> Sequence[ApiKey]:
        async with self._database.reading(tenant_id) as session:
            return await service.list_keys(session, include_revoked=include_revoked)

    async def revoke_key(self, *, tenant_id: TenantId, key_id: UUID) -> ApiKey:
        async with self._database.writing(tenant_id) as session:
            return await service.revoke_key(session, key_id)

    async def find_tenant(self, *, slug: str) -> Tenant | None:
        async with self._database.system() as session:
            row = await repository.find_tenant(session, slug)
        return None if row is None else Tenant(TenantId(row.id), row.slug, row.name, row.created_at)


def build(runtime: Runtime) -> LocalKeyRing:
    return LocalKeyRing(runtime.database, runtime.settings_of("accounts", AccountsSettings))
