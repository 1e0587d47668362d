"""`/api/auth/me`: who the caller is, and what he says of himself."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from syncline.apps.accounts.contract import PersonNeeded
from syncline.apps.accounts.people.service import describe, see_own_of
from syncline.apps.accounts.profiles import service
from syncline.apps.accounts.profiles.schemas import Me, Profile, ProfileUpdate
from syncline.apps.accounts.signin.confinement import confined_to
from syncline.apps.accounts.signin.schemas import Place
from syncline.kernel.tenant import Actor, granted_to
from syncline.runtime.db.session import Session
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/auth", tags=["auth"])

_Anybody = Annotated[Actor, Depends(require("account:read"))]
_Self = Annotated[Actor, Depends(require("account:edit"))]


@router.get("/me", summary="Who am I")
async def me(actor: _Anybody, session: Reading) -> Me:
    """The person with his profile, the present tenant and role, and every tenant the person belongs to."""
    return await _me(session, actor)


@router.patch("/me", summary="Change your profile", responses=problems(PersonNeeded))
async def change_me(body: ProfileUpdate, actor: _Self, session: Writing) -> Me:
    """What is left out stays. The profile is yours in all tenants, and the members of each can be told of it."""
    user_id = await see_own_of(session, actor)
    name = body.name if "name" in body.model_fields_set else None
    await service.change(session, user_id, name=name, values=body.given())
    return await _me(session, actor)


async def _me(session: Session, actor: Actor) -> Me:
    facts = await describe(session, actor, only_here=await confined_to(session, actor) is not None)
    person = facts.person
    if person is not None:
        actor = replace(actor, name=person.name)
    return Me(
        user=Me.person(person),
        name=actor.name,
        role=actor.role,
        method=actor.method,
        permissions=sorted(granted_to(actor)),
        tenant=Place.of(facts.place),
        tenants=[Place.of(one) for one in facts.places],
        session_id=actor.session_id,
        profile=None if person is None else Profile.of(await service.get(session, person.id)),
    )
