"""`/api/invitations`: ask people in, and come in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from syncline.apps.accounts.contract import (
    AlreadyMember,
    InvitationNotFound,
    InvitationNotGood,
    PersonNeeded,
    RoleNotYours,
    SecondStep,
    SignInRefused,
    TooManyAttempts,
    UnknownRole,
    WeakPassword,
)
from syncline.apps.accounts.invitations import service
from syncline.apps.accounts.invitations.desk import InvitationDesk
from syncline.apps.accounts.invitations.schemas import (
    Acceptance,
    Invitation,
    InvitationCreate,
    InvitationList,
    InvitationToken,
    InvitedTo,
)
from syncline.apps.accounts.members.service import checked_role, require_may_give
from syncline.apps.accounts.people.service import person_of
from syncline.apps.accounts.signin.endpoints import Cookie, From
from syncline.apps.accounts.signin.schemas import Place, SecondStepNeeded, Tokens
from syncline.kernel.tenant import Actor
from syncline.runtime.http.audit import reads_people
from syncline.runtime.http.auth import require
from syncline.runtime.http.browser import FromAnotherSite
from syncline.runtime.http.dependencies import Reading, Writing, uses
from syncline.runtime.http.problems import problems
from syncline.runtime.http.rate_limit import limited

router = APIRouter(prefix="/api/invitations", tags=["invitations"])

Desk = Annotated[InvitationDesk, Depends(uses(InvitationDesk))]
_Manager = Annotated[Actor, Depends(require("users:manage"))]
_Self = Annotated[Actor, Depends(require("account:edit"))]


@router.get("", summary="List open invitations", dependencies=[Depends(require("users:read"))])
@reads_people
async def list_invitations(session: Reading) -> InvitationList:
    """Newest first; those that were accepted, withdrawn or have expired are not among them."""
    return InvitationList(invitations=[Invitation.model_validate(one) for one in await service.list_open(session)])


@router.post(
    "", status_code=201, summary="Invite somebody", responses=problems(UnknownRole, RoleNotYours, AlreadyMember)
)
async def invite(body: InvitationCreate, actor: _Manager, session: Writing, desk: Desk) -> Invitation:
    """Mails a link that is good once, in place of an earlier one. Only owners invite owners."""
    require_may_give(actor, checked_role(body.role))
    made = await desk.invite(session, email=body.email, role=body.role, invited_by=actor.name)
    return Invitation.model_validate(made.invitation)


@router.delete(
    "/{invitation_id}", summary="Withdraw an invitation", responses=problems(InvitationNotFound, RoleNotYours)
)
async def revoke_invitation(invitation_id: UUID, actor: _Manager, session: Writing) -> Invitation:
    """Its link stops working."""
    require_may_give(actor, (await service.find_open(session, invitation_id)).role)
    return Invitation.model_validate(await service.revoke(session, invitation_id))


@router.post("/look", summary="What an invitation is to", responses=problems(InvitationNotGood))
@limited("sign-in")
async def look_at_invitation(body: InvitationToken, desk: Desk) -> InvitedTo:
    """Leaves it as it is."""
    invitation, tenant, has_account = await desk.look_at(body.token)
    return InvitedTo(
        tenant=tenant.name,
        email=invitation.email,
        role=invitation.role,
        invited_by=invitation.created_by,
        expires_at=invitation.expires_at,
        has_account=has_account,
    )


@router.post(
    "/accept",
    summary="Come in",
    responses=problems(InvitationNotGood, SignInRefused, TooManyAttempts, WeakPassword, AlreadyMember, FromAnotherSite),
)
@limited("sign-in")
async def accept_invitation(
    body: Acceptance, desk: Desk, caller: From, cookie: Cookie, request: Request, response: Response
) -> Tokens | SecondStepNeeded:
    """With the password of the invited address's account; or with a name and a new password, which makes one."""
    cookie.check(request, wanted=body.cookie)
    made = await desk.accept(body.token, name=body.name, password=body.password, caller=caller)
    if isinstance(made, SecondStep):
        response.headers["Cache-Control"] = "no-store"
        return SecondStepNeeded.of(made)
    return cookie.answer(request, response, made, wanted=body.cookie)


@router.post(
    "/accept-signed-in",
    summary="Come in with the account that is signed in",
    responses=problems(InvitationNotGood, AlreadyMember, PersonNeeded),
)
async def accept_invitation_signed_in(body: InvitationToken, actor: _Self, desk: Desk) -> Place:
    """It must have the invited address. Go over with the header X-Tenant, or by a refresh."""
    return Place.of(await desk.accept_signed_in(body.token, user_id=person_of(actor)))
