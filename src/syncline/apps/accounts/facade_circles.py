"""The local `Circles`, which the local `KeyRing` is too."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from syncline.apps.accounts.contract import Preferences, Shown
from syncline.apps.accounts.friends import service as friends
from syncline.apps.accounts.profiles import service as profiles
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime


class LocalCircles:
    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def friends_of(self, *, tenant_id: TenantId, user_id: UUID) -> Sequence[UUID]:
        async with self._database.reading(tenant_id) as session:
            return await friends.friends_of(session, user_id)

    async def visible_to(
        self, *, tenant_id: TenantId, viewer: UUID | None, user_ids: Sequence[UUID], what: Shown
    ) -> Sequence[UUID]:
        async with self._database.reading(tenant_id) as session:
            return await friends.visible_to(session, viewer, user_ids, what)

    async def preferences_of(self, *, tenant_id: TenantId, user_ids: Sequence[UUID]) -> Sequence[Preferences]:
        async with self._database.reading(tenant_id) as session:
            return await profiles.get_many(session, user_ids)
