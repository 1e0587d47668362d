"""Whose data it is and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", UUID)

ROLES = ("owner", "admin", "editor", "approver", "analyst", "viewer", "instructor", "learner", "service")

PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": frozenset({"*"}),
    "admin": frozenset({"*"}),
    "editor": frozenset({"stores:read", "catalog:read", "catalog:pull", "changes:read", "changes:stage"}),
    "approver": frozenset(
        {"stores:read", "catalog:read", "changes:read", "changes:approve", "changes:push", "changes:stage"}
    ),
    "analyst": frozenset({"stores:read", "catalog:read", "changes:read"}),
    "viewer": frozenset({"stores:read", "catalog:read", "changes:read"}),
    "instructor": frozenset[str](),
    "learner": frozenset[str](),
    "service": frozenset(
        {"stores:read", "catalog:read", "catalog:pull", "changes:read", "changes:stage", "changes:push"}
    ),
}
"""What each role may do, as `area:verb`; `*` is everything inside the tenant."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which tenant. `name` is what the audit trail and receipts show."""

    tenant_id: TenantId
    name: str
    role: str

    def may(self, permission: str) -> bool:
        granted = PERMISSIONS.get(self.role, frozenset())
        return "*" in granted or permission in granted
