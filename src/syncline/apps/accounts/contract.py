"""What others may know of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from syncline.kernel.errors import InvalidInput, NotFound
from syncline.kernel.tenant import Actor, TenantId

DEFAULT_TENANT = "main"
"""The slug of the tenant that exists from the first migration on."""


@dataclass(frozen=True, slots=True)
class Tenant:
    id: TenantId
    slug: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `prefix` is what may be shown to tell keys apart."""

    id: UUID
    name: str
    role: str
    prefix: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """The only moment the bearer value exists outside the caller's hands."""

    key: ApiKey
    bearer: str


class KeyNotFound(NotFound):
    code = "KEYS_001"
    title = "No such key"


class UnknownRole(InvalidInput):
    code = "KEYS_002"
    title = "No such role"


class TenantNotFound(NotFound):
    code = "TENANT_001"
    title = "No such tenant"


class KeyRing(Protocol):
    """The tenants, and the keys that open them."""

    async def authenticate(self, *, bearer: str) -> Actor | None:
        """Who holds this key; None when it is malformed, unknown, revoked or expired, and no more is said."""
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
