"""`/api/keys`: make, list and revoke the keys of the caller's tenant."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.accounts.contract import KeyNotFound, KeyNotInUse, RoleNotYours, UnknownRole, UnknownScope
from syncline.apps.accounts.keys import service
from syncline.apps.accounts.keys.schemas import Key, KeyCreate, KeyList, KeyRotation, NewKey
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/keys", tags=["keys"])

_Manager = Annotated[Actor, Depends(require("keys:manage"))]


@router.get("", summary="List the keys of this tenant")
async def list_keys(
    _actor: _Manager,
    session: Reading,
    include_revoked: Annotated[bool, Query(description="Also those that no longer work")] = False,
) -> KeyList:
    """Newest first, without their secrets."""
    keys = await service.list_keys(session, include_revoked=include_revoked)
    return KeyList(keys=[Key.model_validate(key) for key in keys])


@router.post("", status_code=201, summary="Make a key", responses=problems(UnknownRole, UnknownScope, RoleNotYours))
async def create_key(body: KeyCreate, actor: _Manager, session: Writing) -> NewKey:
    """The answer is the only place the key is ever shown. Nobody gives a key more than he has himself."""
    service.require_grantable(actor, body.role, body.scopes)
    issued = await service.create_key(
        session,
        name=body.name,
        role=body.role,
        created_by=actor.name,
        expires_at=body.expires_at,
        scopes=body.scopes,
    )
    return NewKey(**Key.model_validate(issued.key).model_dump(), key=issued.bearer)


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    summary="Replace a key",
    responses=problems(KeyNotFound, KeyNotInUse, RoleNotYours),
)
async def rotate_key(key_id: UUID, actor: _Manager, session: Writing, body: KeyRotation | None = None) -> NewKey:
    """A new key like the old one, shown this once. The old one works for the overlap yet: a day, unless said."""
    old = await service.get_key(session, key_id)
    service.require_grantable(actor, old.role, old.scopes)
    overlap = timedelta(seconds=(body or KeyRotation()).overlap_seconds)
    issued = await service.rotate_key(session, key_id, created_by=actor.name, overlap=overlap)
    return NewKey(**Key.model_validate(issued.key).model_dump(), key=issued.bearer)


@router.delete("/{key_id}", summary="Revoke a key", responses=problems(KeyNotFound))
async def revoke_key(key_id: UUID, _actor: _Manager, session: Writing) -> Key:
    """It stops working at once, for good."""
    return Key.model_validate(await service.revoke_key(session, key_id))
