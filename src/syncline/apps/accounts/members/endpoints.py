"""`/api/members`: the people of the caller's tenant."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from syncline.apps.accounts.contract import LastOwner, MemberNotFound, RoleNotYours, UnknownRole
from syncline.apps.accounts.members import service
from syncline.apps.accounts.members.schemas import Member, MemberList, MemberUpdate
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/members", tags=["members"])

_Manager = Annotated[Actor, Depends(require("users:manage"))]


@router.get("", summary="List the people of this tenant", dependencies=[Depends(require("users:read"))])
@reads_people
async def list_members(session: Reading) -> MemberList:
    """The oldest member first."""
    return MemberList(members=[Member.model_validate(one) for one in await service.list_members(session)])


@router.patch(
    "/{user_id}",
    summary="Give somebody another role",
    responses=problems(MemberNotFound, UnknownRole, RoleNotYours, LastOwner),
)
async def change_role(user_id: UUID, body: MemberUpdate, actor: _Manager, session: Writing) -> Member:
    """From his next request on. Only owners make owners and unmake them, and the last one stays."""
    return Member.model_validate(await service.change_role(session, actor, user_id, body.role))


@router.delete("/{user_id}", summary="Remove somebody", responses=problems(MemberNotFound, RoleNotYours, LastOwner))
async def remove_member(user_id: UUID, actor: _Manager, session: Writing) -> Member:
    """At once. His account and his places elsewhere stay, and so do the keys he made: revoke those he knows."""
    return Member.model_validate(await service.remove(session, actor, user_id))
