"""Finds the provider that is meant, and looks after those of a tenant; no transaction is open while one is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import ProviderNotFound
from syncline.apps.accounts.providers import service
from syncline.apps.accounts.providers.client import Metadata, ProviderClient
from syncline.apps.accounts.providers.provider import Provider
from syncline.apps.accounts.repository import find_tenant
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.confinement import BY_TENANT
from syncline.apps.accounts.signin.repository import end_sessions_by
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.connect.guard import Guard
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.secrets import SecretBox

Forget = Callable[[WriteSession, str], Awaitable[None]]
"""What else goes when the provider with this key goes."""


class ProviderDesk:
    def __init__(
        self,
        database: Database,
        settings: AccountsSettings,
        *,
        client: ProviderClient,
        secrets: SecretBox,
        guard: Guard,
        forget: Forget,
    ) -> None:
        self._database = database
        self._client = client
        self._secrets = secrets
        self._guard = guard
        self._forget = forget
        self._public_url = settings.public_url.rstrip("/")
        self._own = {
            one.name: Provider(
                key=one.name,
                name=one.name,
                title=one.title or one.name.capitalize(),
                issuer=one.issuer,
                client_id=one.client_id,
                client_secret=one.client_secret.get_secret_value() if one.client_secret else None,
            )
            for one in settings.openid_providers
        }

    def redirect_uri(self, key: str) -> str:
        """Each provider has its own, so that an answer of one cannot be passed off as another's (RFC 9700, 4.4.2)."""
        return f"{self._public_url}/api/auth/openid/callback/{key}"

    async def offered(self, tenant: str | None) -> Sequence[Provider]:
        """What one can sign in with: the installation's, and those of the tenant that is named."""
        return [*self._own.values(), *(await self._list(tenant) if tenant else [])]

    async def named(self, name: str, *, tenant: str | None) -> Provider:
        """By its name or id, without its secret; that of a tenant only where the tenant is named too. Raises
        `ProviderNotFound`."""
        for one in await self.offered(tenant):
            if name in {one.key, one.name}:
                return one
        where = f" in “{tenant}”" if tenant else ""
        raise ProviderNotFound(f"There is no sign-in provider “{name}”{where}. See GET /api/auth/providers.")

    async def by_key(self, key: str, tenant_id: TenantId | None) -> Provider:
        """The one that a sign-in began with, as it is now. Raises `ProviderNotFound`."""
        if tenant_id is None:
            found = self._own.get(key)
            if found is None:
                raise ProviderNotFound("This sign-in provider is not there any more. Sign in another way.")
            return found
        async with self._database.reading(tenant_id) as session:
            return service.to_provider(await service.get(session, UUID(key)), self._secrets)

    async def create(self, actor: Actor, values: dict[str, Any]) -> Row[Any]:
        """Raises `OwnerNeeded`, `ProviderNameTaken`, and what trying the provider out raises."""
        service.require_owner(actor)
        checked = service.checked(values, self._guard)
        made = service.draft(checked, actor.tenant_id, provider_id=new_id())
        await self._client.metadata(made, anew=True)
        async with self._database.writing(actor.tenant_id) as session:
            return await service.create(session, actor, made, secrets=self._secrets)

    async def change(self, actor: Actor, provider_id: UUID, values: dict[str, Any]) -> Row[Any]:
        """Raises what `create` raises, and `ProviderNotFound`."""
        service.require_owner(actor)
        before = await self.by_key(str(provider_id), actor.tenant_id)
        is_moved = values.get("issuer", before.issuer) != before.issuer
        if is_moved and before.client_secret is not None and "client_secret" not in values:
            # Else whoever may change the address could have the secret sent to himself.
            wrong = FieldError("client_secret", "must be given again with another issuer")
            raise InvalidInput("Another issuer needs its own client secret: give it too.", fields=[wrong])
        present = {name: getattr(before, name) for name in _CHANGEABLE}
        checked = service.checked({**present, **values}, self._guard)
        changed = service.draft(checked, actor.tenant_id, provider_id=provider_id)
        if is_moved:
            await self._client.metadata(changed, anew=True)
        async with self._database.writing(actor.tenant_id) as session:
            row = await service.change(session, actor, changed, secrets=self._secrets)
            if is_moved:
                await self._end_sessions(session)
        return row

    async def delete(self, actor: Actor, provider_id: UUID) -> Row[Any]:
        """Also ends every session it opened. Raises `OwnerNeeded`, `ProviderNotFound`."""
        service.require_owner(actor)
        async with self._database.writing(actor.tenant_id) as session:
            row = await service.delete(session, actor, provider_id)
            await self._forget(session, str(provider_id))
            await self._end_sessions(session)
        return row

    async def try_out(self, tenant_id: TenantId, provider_id: UUID) -> tuple[Metadata, int]:
        """What the provider says of itself now, and how many keys it signs with. Raises `ProviderNotFound`, and what
        trying a provider out raises."""
        one = await self.by_key(str(provider_id), tenant_id)
        said = await self._client.metadata(one, anew=True)
        return said, len((await self._client.keys(one, None)).keys)

    async def _list(self, tenant: str) -> Sequence[Provider]:
        async with self._database.system() as session:
            found = await find_tenant(session, tenant)
        if found is None:
            return []
        async with self._database.reading(TenantId(found.id)) as session:
            return [service.to_provider(row) for row in await service.list_rows(session)]

    async def _end_sessions(self, session: WriteSession) -> None:
        await end_sessions_by(session, BY_TENANT, clock.now(), "the sign-in provider was taken away")


_CHANGEABLE = ("name", "title", "issuer", "client_id", "client_secret", "new_people_role")
