"""Decisions about keys: which are accepted, who may have one, when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import ApiKey, IssuedKey, KeyNotFound, UnknownRole
from syncline.apps.accounts.keys import repository
from syncline.apps.accounts.keys.bearer import Bearer, new_bearer
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import ROLES
from syncline.runtime.db.session import Session, WriteSession

_NAME_CHARACTERS = 100


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
    session: WriteSession, *, name: str, role: str, created_by: str, expires_at: datetime | None
) -> IssuedKey:
    now = clock.now()
    _check(name=name, role=role, expires_at=expires_at, now=now)
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
        },
    )
    return IssuedKey(key=to_key(row), bearer=bearer.text)


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
    await repository.revoke_key(session, key_id, clock.now())
    row = await repository.find_key(session, key_id)
    if row is None:
        raise KeyNotFound(f"There is no key {key_id} here. See `syncline keys list`.")
    return to_key(row)


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
    )
