from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from syncline.kernel.tenant import TenantId

DEFAULT_TENANT = "main"
"""The slug of the tenant that exists from the first migration on."""


DEFAULT_OVERLAP = timedelta(days=1)
"""How long a key that is replaced works yet, unless said otherwise."""


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
    scopes: Sequence[str] | None = None
    """Narrows what its role may do; None narrows nothing."""

    replaced_by: UUID | None = None
    """The key that took its place; this one works until it expires."""


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
class SecondStep:
    """The first step was right; this, and a code, make the second."""

    challenge: str = field(repr=False)
    expires_at: datetime


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
class Member:
    """A person in a tenant."""

    user_id: UUID
    name: str
    email: str
    email_verified: bool
    role: str
    joined_at: datetime
    added_by: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    id: UUID
    email: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """The only moment the token exists outside the mail."""

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail to a person. `text` is None once it is sent: it may hold a token."""

    id: UUID
    kind: str
    recipient: str
    subject: str
    text: str | None = field(repr=False)
    created_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from: the address of the connection and what the client calls itself."""

    address: str
    device: str
