"""What others may know of accounts."""

from __future__ import annotations

from syncline.apps.accounts.contract.errors import (
    AccountDisabled,
    EmailTaken,
    KeyNotFound,
    NotAMember,
    PersonNeeded,
    RefreshRaced,
    RegistrationClosed,
    RoleNotYours,
    SessionNotFound,
    SessionOver,
    SignInRefused,
    TenantNotFound,
    TooManyAttempts,
    UnknownRole,
    WeakPassword,
)
from syncline.apps.accounts.contract.service import (
    KeyRing,
)
from syncline.apps.accounts.contract.types import (
    DEFAULT_TENANT,
    ApiKey,
    Caller,
    IssuedKey,
    Person,
    Place,
    SignedIn,
    SignInSession,
    Tenant,
)

__all__ = [
    "DEFAULT_TENANT",
    "AccountDisabled",
    "ApiKey",
    "Caller",
    "EmailTaken",
    "IssuedKey",
    "KeyNotFound",
    "KeyRing",
    "NotAMember",
    "Person",
    "PersonNeeded",
    "Place",
    "RefreshRaced",
    "RegistrationClosed",
    "RoleNotYours",
    "SessionNotFound",
    "SessionOver",
    "SignInRefused",
    "SignInSession",
    "SignedIn",
    "Tenant",
    "TenantNotFound",
    "TooManyAttempts",
    "UnknownRole",
    "WeakPassword",
]
