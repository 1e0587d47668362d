"""`/api/keys`: make, list and revoke the keys of the caller's tenant."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from syncline.apps.accounts.contract import KeyNotFound, UnknownRole
from syncline.apps.accounts.keys import service
from syncline.apps.accounts.keys.schemas import Key, KeyCreate, KeyList, NewKey
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


@router.post("", status_code=201, summary="Make a key", responses=problems(UnknownRole))
async def create_key(body: KeyCreate, actor: _Manager, session: Writing) -> NewKey:
    """The answer is the only place the key is ever shown."""
    issued = await service.create_key(
        session, name=body.name, role=body.role, created_by=actor.name, expires_at=body.expires_at
    )
    return NewKey(**Key.model_validate(issued.key).model_dump(), key=issued.bearer)


@router.delete("/{key_id}", summary="Revoke a key", responses=problems(KeyNotFound))
async def revoke_key(key_id: UUID, _actor: _Manager, session: Writing) -> Key:
    """It stops working at once, for good."""
    return Key.model_validate(await service.revoke_key(session, key_id))
