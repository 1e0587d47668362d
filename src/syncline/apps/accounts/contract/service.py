from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from syncline.apps.accounts.contract.types import ApiKey, IssuedKey, Tenant
from syncline.kernel.tenant import Actor, TenantId


class KeyRing(Protocol):
    """The tenants, the people, and what opens a tenant for them: keys and access tokens."""

    async def authenticate(self, *, bearer: str) -> Actor | None:
        """Who holds this key or access token; None when it is malformed, unknown, revoked or expired, and no more is
        said."""
        ...

    async def enter(self, *, actor: Actor, tenant: str) -> Actor:
        """`actor` in the tenant with this slug or id, where that is another one of his. Raises `NotAMember`: a key
        opens one tenant only, and a person those he belongs to."""
        ...

    async def create_key(
        self,
        *,
        tenant_id: TenantId,
        name: str,
        role: str,
        created_by: str,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Raises `UnknownRole`; `InvalidInput` for an empty name or an expiry in the past."""
        ...

    async def list_keys(self, *, tenant_id: TenantId, include_revoked: bool = False) -> Sequence[ApiKey]:
        """Newest first."""
        ...

    async def revoke_key(self, *, tenant_id: TenantId, key_id: UUID) -> ApiKey:
        """The key stops working at once. Revoking twice changes nothing. Raises `KeyNotFound`."""
        ...

    async def find_tenant(self, *, slug: str) -> Tenant | None:
        """The tenant with this slug, if there is one."""
        ...

    async def rotate_signing_key(self) -> str:
        """Publish a new key for access tokens; it signs a little later, and nobody is signed out. Answers its id."""
        ...
