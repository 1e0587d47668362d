from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from syncline.kernel.tenant import TenantId

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


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    email: str
    name: str
    email_verified: bool
    has_password: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant a person belongs to, and as what."""

    tenant: Tenant
    role: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and what opens it. The tokens exist only here and with the caller."""

    person: Person
    place: Place
    places: Sequence[Place]
    session_id: UUID
    access_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignInSession:
    """One device that is signed in."""

    id: UUID
    tenant_id: TenantId
    device: str
    address: str
    methods: Sequence[str]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from: the address of the connection and what the client calls itself."""

    address: str
    device: str
