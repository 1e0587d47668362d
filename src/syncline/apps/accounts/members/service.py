"""Decisions about members: who may give which role, and that the last owner stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import LastOwner, Member, MemberNotFound, RoleNotYours, UnknownRole
from syncline.apps.accounts.members import repository
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.signin.repository import end_sessions
from syncline.kernel import clock
from syncline.kernel.errors import FieldError
from syncline.kernel.tenant import PERMISSIONS, ROLES, Actor, may_grant
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

PEOPLES_ROLES = tuple(role for role in ROLES if role != "service")
"""`service` is for keys: it may do nothing with an account of its own."""


def checked_role(role: str) -> str:
    """Raises `UnknownRole`."""
    if role not in PEOPLES_ROLES:
        raise UnknownRole(
            f"There is no role “{role}” for people. The roles are: {', '.join(PEOPLES_ROLES)}.",
            fields=[FieldError("role", f"must be one of {', '.join(PEOPLES_ROLES)}")],
        )
    return role


def require_may_give(actor: Actor, *roles: str) -> None:
    """Raises `RoleNotYours`. A key that is limited gives no role that may do more than the key."""
    for role in roles:
        exceeds = actor.scopes is not None and not PERMISSIONS[role] <= actor.scopes
        if exceeds or not may_grant(actor.role, role):
            who = "This key" if actor.user_id is None else f"Your role, {actor.role},"
            raise RoleNotYours(f"{who} may not give or take away the role {role}. Ask an owner.")


async def list_members(session: Session) -> Sequence[Member]:
    return [to_member(row) for row in await repository.list_members(session)]


async def get_member(session: Session, user_id: UUID) -> Member:
    row = await repository.find_member(session, user_id)
    if row is None:
        raise MemberNotFound(f"There is no member {user_id} here. See `syncline users list`.")
    return to_member(row)


async def find_member_by_email(session: Session, key: str) -> Member | None:
    members = await list_members(session)
    return next((one for one in members if email_key(one.email) == key), None)


async def change_role(session: WriteSession, actor: Actor, user_id: UUID, role: str) -> Member:
    """Works from the member's next request on. Raises `MemberNotFound`, `UnknownRole`, `RoleNotYours`, `LastOwner`."""
    owners = await repository.lock_owners(session)
    member = await get_member(session, user_id)
    require_may_give(actor, member.role, checked_role(role))
    if role != "owner":
        _require_another_owner(owners, user_id)
    await repository.update_role(session, user_id, role)
    note_change(f"member {user_id}", before={"role": member.role}, after={"role": role})
    return await get_member(session, user_id)


async def remove(session: WriteSession, actor: Actor, user_id: UUID) -> Member:
    """Also ends his sessions here. His account, and his place in other tenants, stay. Raises `MemberNotFound`,
    `RoleNotYours`, `LastOwner`."""
    owners = await repository.lock_owners(session)
    member = await get_member(session, user_id)
    require_may_give(actor, member.role)
    _require_another_owner(owners, user_id)
    await repository.delete_member(session, user_id)
    await end_sessions(session, user_id, clock.now(), "removed from the tenant")
    note_change(f"member {user_id}", before={"role": member.role, "joined_at": member.joined_at})
    return member


def _require_another_owner(owners: Sequence[UUID], user_id: UUID) -> None:
    if list(owners) == [user_id]:
        raise LastOwner("This is the last owner. Make somebody else an owner first.")


def to_member(row: Row[Any]) -> Member:
    return Member(
        user_id=row.user_id,
        name=row.name,
        email=row.email,
        email_verified=row.email_verified_at is not None,
        role=row.role,
        joined_at=row.created_at,
        added_by=row.created_by,
        is_disabled=row.disabled_at is not None,
    )
