"""`/api/friends`: friends inside the tenant, and who may see what."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from syncline.apps.accounts.contract import FriendNotFound, MemberNotFound, PersonBlocked, PersonNeeded
from syncline.apps.accounts.friends import service
from syncline.apps.accounts.friends.schemas import Friend, FriendAsked, FriendList, Visibility, VisibilityUpdate
from syncline.apps.accounts.people.service import person_of
from syncline.apps.accounts.signin.schemas import Done
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.http.auth import require
from syncline.runtime.http.dependencies import Reading, Writing
from syncline.runtime.http.problems import problems

router = APIRouter(prefix="/api/friends", tags=["friends"])

_Self = Annotated[Actor, Depends(require("account:edit"))]


@router.get("", summary="Your friends, and who asks to be one", responses=problems(PersonNeeded))
async def list_friends(actor: _Self, session: Reading) -> FriendList:
    """In this tenant; also whom you asked and whom you blocked."""
    found = await service.list_acquaintances(session, person_of(actor))
    return FriendList(friends=[Friend.model_validate(one) for one in found])


@router.post("", summary="Ask somebody to be friends", responses=problems(MemberNotFound, PersonBlocked, PersonNeeded))
async def ask_friend(body: FriendAsked, actor: _Self, session: Writing) -> Friend:
    """A member of this tenant, by id or whole address. Who has asked you already is your friend by this."""
    user_id = person_of(actor)
    if body.user_id is not None and body.email is None:
        other = body.user_id
    elif body.email is not None and body.user_id is None:
        other = await service.find_by_email(session, body.email)
    else:
        wrong = FieldError("user_id", "give this or email, one of them")
        raise InvalidInput("Say whom you ask: give user_id or email, one of them.", fields=[wrong])
    return Friend.model_validate(await service.ask(session, user_id, other))


@router.get("/visibility", summary="Who may see what of you", responses=problems(PersonNeeded))
async def get_visibility(actor: _Self, session: Reading) -> Visibility:
    """In this tenant."""
    (found,) = await service.get_visibilities(session, [person_of(actor)])
    return Visibility.model_validate(found)


@router.patch("/visibility", summary="Change who may see what of you", responses=problems(PersonNeeded))
async def change_visibility(body: VisibilityUpdate, actor: _Self, session: Writing) -> Visibility:
    """everyone (of this tenant), friends, or nobody."""
    sent = body.model_dump(exclude_unset=True)
    return Visibility.model_validate(await service.change_visibility(session, person_of(actor), sent))


@router.post("/{user_id}/accept", summary="Be friends", responses=problems(FriendNotFound, PersonNeeded))
async def accept_friend(user_id: UUID, actor: _Self, session: Writing) -> Friend:
    """Of somebody who asked you."""
    return Friend.model_validate(await service.accept(session, person_of(actor), user_id))


@router.post("/{user_id}/decline", summary="Do not be friends", responses=problems(FriendNotFound, PersonNeeded))
async def decline_friend(user_id: UUID, actor: _Self, session: Writing) -> Done:
    """The other is not told, and may ask again; block who asks too often."""
    await service.decline(session, person_of(actor), user_id)
    return Done()


@router.delete("/{user_id}", summary="Be friends no more", responses=problems(FriendNotFound, PersonNeeded))
async def remove_friend(user_id: UUID, actor: _Self, session: Writing) -> Done:
    """For both; also takes back what you asked."""
    await service.remove(session, person_of(actor), user_id)
    return Done()


@router.post("/{user_id}/block", summary="Block somebody", responses=problems(MemberNotFound, PersonNeeded))
async def block_person(user_id: UUID, actor: _Self, session: Writing) -> Done:
    """Ends your friendship. Neither sees anything of the other, and the other cannot ask you; he is not told."""
    await service.block(session, person_of(actor), user_id)
    return Done()


@router.delete("/{user_id}/block", summary="Unblock somebody", responses=problems(FriendNotFound, PersonNeeded))
async def unblock_person(user_id: UUID, actor: _Self, session: Writing) -> Done:
    """What was between you does not come back."""
    await service.unblock(session, person_of(actor), user_id)
    return Done()
