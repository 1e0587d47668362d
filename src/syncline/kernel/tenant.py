"""Whose data it is and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)

ROLES = ("owner", "admin", "editor", "approver", "analyst", "viewer", "instructor", "learner", "service")

_OWN_ACCOUNT = frozenset({"account:read", "account:edit"})
_LOOKING = frozenset({"stores:read", "catalog:read", "changes:read"})
_SALES = frozenset({"orders:read", "customers:read"})
_OUTREACH = frozenset({"outreach:read", "outreach:sync"})

PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": frozenset({"*"}),
    "admin": frozenset({"*"}),
    "editor": _OWN_ACCOUNT | _LOOKING | _OUTREACH | {"catalog:pull", "changes:stage"},
    "approver": _OWN_ACCOUNT | _LOOKING | {"changes:approve", "changes:push", "changes:stage", "outreach:read"},
    "analyst": _OWN_ACCOUNT | _LOOKING | _SALES | {"outreach:read"},
    "viewer": _OWN_ACCOUNT | _LOOKING | {"outreach:read"},
    "instructor": _OWN_ACCOUNT,
    "learner": _OWN_ACCOUNT,
    "service": frozenset({"account:read"})
    | _LOOKING
    | _SALES
    | _OUTREACH
    | {"catalog:pull", "changes:stage", "changes:push"},
}
"""What each role may do, as `area:verb`; `*` is everything inside the tenant."""


ADMINISTRATION = frozenset(
    {
        "audit:read",
        "controls:manage",
        "installation:manage",
        "keys:manage",
        "notifications:manage",
        "operations:manage",
        "operations:read",
        "outreach:manage",
        "privacy:manage",
        "privacy:read",
        "signin:manage",
        "stores:manage",
        "users:manage",
        "users:read",
    }
)
"""What only `*` holds: no narrower role may."""


def all_permissions() -> frozenset[str]:
    """Every permission by its name."""
    return ADMINISTRATION.union(*PERMISSIONS.values()) - {"*"}


def role_may(role: str, permission: str) -> bool:
    granted = PERMISSIONS.get(role, frozenset())
    return "*" in granted or permission in granted


def may_grant(granting: str, role: str) -> bool:
    """Whether somebody with the role `granting` may give or take away `role`: nobody makes owners but owners."""
    return granting == "owner" or (granting == "admin" and role != "owner")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which tenant. `name` is what the audit trail and receipts show."""

    tenant_id: TenantId
    name: str
    role: str
    user_id: UUID | None = None
    """The person; None for a key, which belongs to no person, and for the command line."""

    key_id: UUID | None = None
    """The API key; None for who signed in, and for the command line."""

    method: str = "key"
    """How he proved it: `key`, `session` (signed in), or `shell`."""

    session_id: UUID | None = None
    scopes: frozenset[str] | None = None
    """Narrows what the role may do; None narrows nothing."""

    def may(self, permission: str) -> bool:
        return role_may(self.role, permission) and (self.scopes is None or permission in self.scopes)


def granted_to(actor: Actor) -> frozenset[str]:
    """The permissions of `actor`, narrowed by his scopes; `*` is everything inside the tenant."""
    granted = PERMISSIONS.get(actor.role, frozenset())
    if actor.scopes is None:
        return granted
    return frozenset(actor.scopes) if "*" in granted else granted & actor.scopes
