from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from syncline.apps.accounts.contract.circles import Circles
from syncline.apps.accounts.contract.people import People
from syncline.apps.accounts.contract.privacy import Privacy
from syncline.apps.accounts.contract.types import DEFAULT_OVERLAP, ApiKey, IssuedKey, Tenant
from syncline.kernel.tenant import Actor, TenantId


class KeyRing(People, Circles, Privacy, Protocol):
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
        scopes: Sequence[str] | None = None,
    ) -> IssuedKey:
        """`scopes` narrows what the role may do. Raises `UnknownRole`, `UnknownScope`; `InvalidInput` for an empty name
        or an expiry in the past."""
        ...

    async def rotate_key(
        self, *, tenant_id: TenantId, key_id: UUID, created_by: str, overlap: timedelta = DEFAULT_OVERLAP
    ) -> IssuedKey:
        """A new key like the old one, which works for `overlap` yet. Raises `KeyNotFound`, `KeyNotInUse`;
        `InvalidInput` for an overlap below zero or above 30 days."""
        ...

    async def list_keys(self, *, tenant_id: TenantId, include_revoked: bool = False) -> Sequence[ApiKey]:
        """Newest first."""
        ...

    async def revoke_key(self, *, tenant_id: TenantId, key_id: UUID) -> ApiKey:
        """The key stops working: at once in this process, in others when what they keep of it is too old. Revoking
        twice changes nothing. Raises `KeyNotFound`."""
        ...

    async def find_tenant(self, *, slug: str) -> Tenant | None:
        """The tenant with this slug, if there is one."""
        ...

    async def list_tenant_ids(self) -> Sequence[TenantId]:
        """Every tenant of the installation, for work that goes over all of them."""
        ...

    async def list_person_ids(self) -> Sequence[UUID]:
        """Every person of the installation."""
        ...

    async def rotate_signing_key(self) -> str:
        """Publish a new key for access tokens; it signs a little later, and nobody is signed out. Answers its id."""
        ...
