"""Decisions about keys: which are accepted, who may have one, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    ApiKey,
    IssuedKey,
    KeyNotFound,
    KeyNotInUse,
    RoleNotYours,
    UnknownRole,
    UnknownScope,
)
from syncline.apps.accounts.keys import repository
from syncline.apps.accounts.keys.bearer import Bearer, new_bearer
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import ROLES, Actor, all_permissions, may_grant, role_may
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

_NAME_CHARACTERS = 100
_LONGEST_OVERLAP = timedelta(days=30)


async def find_valid_key(session: Session, bearer: Bearer) -> ApiKey | None:
    """The key that `bearer` is, if it may still be used."""
    now = clock.now()
    for row in await repository.list_candidates(session, bearer.prefix):
        if not bearer.matches(row.digest):
            continue
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
            return None
        return to_key(row)
    return None


def use_is_worth_noting(key: ApiKey, every: timedelta) -> bool:
    """Not each request is a write: once in a while is enough to find keys that nobody uses."""
    return key.last_used_at is None or key.last_used_at <= clock.now() - every


async def note_use(session: WriteSession, key_id: UUID, *, every: timedelta) -> None:
    await repository.mark_used(session, key_id, clock.now(), every=every)


async def create_key(
    session: WriteSession,
    *,
    name: str,
    role: str,
    created_by: str,
    expires_at: datetime | None,
    scopes: Sequence[str] | None = None,
) -> IssuedKey:
    now = clock.now()
    _check(name=name, role=role, expires_at=expires_at, now=now)
    narrowed = None if scopes is None else _checked_scopes(role, scopes)
    bearer = new_bearer(session.tenant)
    row = await repository.insert_key(
        session,
        {
            "id": new_id(),
            "tenant_id": session.tenant,
            "name": name.strip(),
            "role": role,
            "prefix": bearer.prefix,
            "digest": bearer.digest,
            "created_at": now,
            "created_by": created_by,
            "expires_at": expires_at,
            "scopes": narrowed,
        },
    )
    made = to_key(row)
    note_change(f"key {made.id}", after=_told(made))
    return IssuedKey(key=made, bearer=bearer.text)


async def rotate_key(session: WriteSession, key_id: UUID, *, created_by: str, overlap: timedelta) -> IssuedKey:
    """The new key is good for as long as the old one was made for."""
    if not timedelta(0) <= overlap <= _LONGEST_OVERLAP:
        raise InvalidInput(
            f"Let the old key work for 0 to {_LONGEST_OVERLAP.days} days yet.",
            fields=[FieldError("overlap_seconds", f"must be from 0 to {_LONGEST_OVERLAP.days} days")],
        )
    old, now = await repository.find_key(session, key_id, lock=True), clock.now()
    if old is None:
        raise _no_key(key_id)
    is_over = old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now)
    if is_over or old.replaced_by is not None:
        raise KeyNotInUse(
            f"The key “{old.name}” {'no longer works' if is_over else 'was replaced already'}; make a new one instead.",
            extra={"replaced_by": None if old.replaced_by is None else str(old.replaced_by)},
        )
    lifetime = None if old.expires_at is None else old.expires_at - old.created_at
    issued = await create_key(
        session,
        name=old.name,
        role=old.role,
        created_by=created_by,
        expires_at=None if lifetime is None else now + lifetime,
        scopes=old.scopes,
    )
    until = now + overlap if old.expires_at is None else min(now + overlap, old.expires_at)
    await repository.replace_key(session, key_id, by=issued.key.id, until=until)
    note_change(
        f"key {key_id}",
        before={"expires_at": old.expires_at, "replaced_by": None},
        after={"expires_at": until, "replaced_by": issued.key.id},
    )
    return issued


def require_grantable(actor: Actor, role: str, scopes: Sequence[str] | None) -> None:
    """Nobody gives a key more than he has himself. Raises `RoleNotYours`."""
    if role in ROLES and not may_grant(actor.role, role):
        raise RoleNotYours(f"Your role, {actor.role}, may not give the role {role}. Ask an owner.")
    if actor.scopes is not None and (scopes is None or not set(scopes) <= actor.scopes):
        raise RoleNotYours("A key that is limited to scopes may only make keys limited to some of the same scopes.")


def _checked_scopes(role: str, scopes: Sequence[str]) -> list[str]:
    possible = {one for one in all_permissions() if role_may(role, one)}
    wrong = sorted(set(scopes) - possible)
    if wrong or not scopes:
        raise UnknownScope(
            f"{'No scope was given.' if not scopes else f'The role {role} has no permission “{wrong[0]}”.'}"
            f" Choose from: {', '.join(sorted(possible))}.",
            fields=[FieldError("scopes", "must be permissions of the role")],
        )
    return sorted(set(scopes))


def _check(*, name: str, role: str, expires_at: datetime | None, now: datetime) -> None:
    if role not in ROLES:
        raise UnknownRole(
            f"There is no role “{role}”. The roles are: {', '.join(ROLES)}.",
            fields=[FieldError("role", f"must be one of {', '.join(ROLES)}")],
        )
    if not name.strip() or len(name.strip()) > _NAME_CHARACTERS:
        raise InvalidInput(
            f"Give the key a name of 1 to {_NAME_CHARACTERS} characters, so that you know it again.",
            fields=[FieldError("name", f"must have 1 to {_NAME_CHARACTERS} characters")],
        )
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        raise InvalidInput(
            "The key would already have expired. Give a moment in the future, with its time zone.",
            fields=[FieldError("expires_at", "must be in the future, with a time zone")],
        )


async def list_keys(session: Session, *, include_revoked: bool) -> Sequence[ApiKey]:
    return [to_key(row) for row in await repository.list_keys(session, include_revoked=include_revoked)]


async def revoke_key(session: WriteSession, key_id: UUID) -> ApiKey:
    before = await repository.find_key(session, key_id, lock=True)
    if before is None:
        raise _no_key(key_id)
    await repository.revoke_key(session, key_id, clock.now())
    after = await get_key(session, key_id)
    note_change(f"key {key_id}", before={"revoked_at": before.revoked_at}, after={"revoked_at": after.revoked_at})
    return after


async def get_key(session: Session, key_id: UUID) -> ApiKey:
    row = await repository.find_key(session, key_id)
    if row is None:
        raise _no_key(key_id)
    return to_key(row)


def _told(key: ApiKey) -> dict[str, Any]:
    """What the trail shows of a key that is made."""
    return {"name": key.name, "role": key.role, "scopes": key.scopes, "expires_at": key.expires_at}


def _no_key(key_id: UUID) -> KeyNotFound:
    return KeyNotFound(f"There is no key {key_id} here. See `syncline keys list`.")


def to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        role=row.role,
        prefix=row.prefix,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        scopes=None if row.scopes is None else tuple(row.scopes),
        replaced_by=row.replaced_by,
    )
