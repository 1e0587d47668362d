"""Decisions about friends: who may ask whom, what both sides then have, and what a third may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    Acquaintance,
    Audience,
    FriendNotFound,
    MemberNotFound,
    PersonBlocked,
    Shown,
    Tie,
    Visibility,
)
from syncline.apps.accounts.friends import repository
from syncline.apps.accounts.members.repository import find_member
from syncline.apps.accounts.members.service import find_member_by_email
from syncline.apps.accounts.people.email import email_key
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.runtime.db.session import Session, WriteSession


async def ask(session: WriteSession, user_id: UUID, other: UUID) -> Acquaintance:
    """Who was asked by the other already accepts by this. Raises `MemberNotFound`, also for somebody who has blocked
    the asker, `PersonBlocked`, `InvalidInput` for oneself."""
    if other == user_id:
        wrong = FieldError("user_id", "must be somebody else")
        raise InvalidInput("You cannot be your own friend. Ask somebody else.", fields=[wrong])
    await repository.lock_pair(session, user_id, other)
    await _require_open(session, user_id, other)
    now = clock.now()
    await repository.insert_friendship(
        session, {"one": user_id, "other": other, "asked_by": user_id, "asked_at": now, "accepted_at": None}
    )
    row = await repository.find_friendship(session, user_id, other)
    assert row is not None  # the two are locked
    if row.accepted_at is None and row.asked_by == other:
        await repository.accept_friendship(session, user_id, other, now)
    return await _one(session, user_id, other)


async def accept(session: WriteSession, user_id: UUID, other: UUID) -> Acquaintance:
    """Accepting twice changes nothing. Raises `FriendNotFound`."""
    await repository.lock_pair(session, user_id, other)
    row = await repository.find_friendship(session, user_id, other)
    if row is None or (row.accepted_at is None and row.asked_by == user_id):
        raise FriendNotFound(f"{other} has not asked you to be friends here. See GET /api/friends.")
    if row.accepted_at is None:
        await repository.accept_friendship(session, user_id, other, clock.now())
    return await _one(session, user_id, other)


async def decline(session: WriteSession, user_id: UUID, other: UUID) -> None:
    """Raises `FriendNotFound`; a friend is not declined but removed."""
    await repository.lock_pair(session, user_id, other)
    row = await repository.find_friendship(session, user_id, other)
    if row is None or row.accepted_at is not None or row.asked_by == user_id:
        raise FriendNotFound(f"{other} has not asked you to be friends here. See GET /api/friends.")
    await repository.delete_friendship(session, user_id, other)


async def remove(session: WriteSession, user_id: UUID, other: UUID) -> None:
    """A friend, or a request of one's own: gone for both. Raises `FriendNotFound`."""
    if not await repository.delete_friendship(session, user_id, other):
        raise FriendNotFound(f"{other} is no friend of yours here. See GET /api/friends.")


async def block(session: WriteSession, user_id: UUID, other: UUID) -> None:
    """Ends what there is between the two; the other is not told. Raises `MemberNotFound`."""
    if other == user_id or await find_member(session, other) is None:
        raise _nobody()
    await repository.lock_pair(session, user_id, other)
    await repository.insert_block(session, user_id, other, clock.now())
    await repository.delete_friendship(session, user_id, other)


async def unblock(session: WriteSession, user_id: UUID, other: UUID) -> None:
    """Brings nothing back. Raises `FriendNotFound`."""
    if not await repository.delete_block(session, user_id, other):
        raise FriendNotFound(f"You have not blocked {other} here.")


async def find_by_email(session: Session, email: str) -> UUID:
    """Raises `MemberNotFound`."""
    member = await find_member_by_email(session, email_key(email))
    if member is None:
        raise _nobody()
    return member.user_id


async def list_acquaintances(session: Session, user_id: UUID) -> Sequence[Acquaintance]:
    """Friends, requests of both directions, and whom he blocked; never who blocked him."""
    ties = [(_other(row, user_id), _tie(row, user_id), row) for row in await _friendships(session, user_id)]
    found = [(other, tie, row.accepted_at or row.asked_at) for other, tie, row in ties]
    blocks = [row for row in await repository.list_blocks(session, user_id) if row.blocker_id == user_id]
    found += [(row.blocked_id, Tie.BLOCKED, row.created_at) for row in blocks]
    names = await repository.names_of(session, [other for other, *_ in found])
    return [Acquaintance(user_id=other, name=names[other], tie=tie, since=since) for other, tie, since in found]


async def friends_of(session: Session, user_id: UUID) -> Sequence[UUID]:
    rows = await _friendships(session, user_id)
    return [_other(row, user_id) for row in rows if row.accepted_at is not None]


async def visible_to(session: Session, viewer: UUID | None, user_ids: Sequence[UUID], what: Shown) -> Sequence[UUID]:
    """Whose `what` the viewer may see, in the order asked. Oneself always; across a block never; a viewer who is no
    person sees what everyone may."""
    members = await repository.names_of(session, user_ids)
    chosen = {one.user_id: one for one in await get_visibilities(session, user_ids)}
    friends = set(await friends_of(session, viewer)) if viewer else set()
    blocks = await repository.list_blocks(session, viewer) if viewer else []
    apart = {row.blocker_id for row in blocks} | {row.blocked_id for row in blocks}

    def may_see(one: UUID) -> bool:
        if one == viewer:
            return True
        audience: Audience = getattr(chosen[one], what.value)
        is_near = audience is Audience.EVERYONE or (audience is Audience.FRIENDS and one in friends)
        return is_near and one not in apart

    return [one for one in user_ids if one in members and may_see(one)]


async def get_visibilities(session: Session, user_ids: Sequence[UUID]) -> Sequence[Visibility]:
    """In the order asked; who said nothing has the defaults."""
    rows = {row.user_id: row for row in await repository.find_visibilities(session, user_ids)}
    return [_to_visibility(rows[one]) if one in rows else Visibility(user_id=one) for one in user_ids]


async def change_visibility(session: WriteSession, user_id: UUID, changed: Mapping[str, Audience]) -> Visibility:
    """Only what is given."""
    if changed:
        standing = Visibility(user_id=user_id)
        values = {what.value: getattr(standing, what.value).value for what in Shown}
        told = {name: audience.value for name, audience in changed.items()}
        await repository.keep_visibility(session, {"user_id": user_id, **values, **told}, told)
    return (await get_visibilities(session, [user_id]))[0]


async def _require_open(session: Session, user_id: UUID, other: UUID) -> None:
    listed = await repository.list_blocks(session, user_id)
    blocks = [row for row in listed if other in {row.blocker_id, row.blocked_id}]
    if any(row.blocker_id == user_id for row in blocks):
        raise PersonBlocked("You have blocked this person. Unblock first, if you want to be friends again.")
    # Who is blocked learns no more than that there is nobody to ask.
    if blocks or await find_member(session, other) is None:
        raise _nobody()


async def _one(session: Session, user_id: UUID, other: UUID) -> Acquaintance:
    return next(one for one in await list_acquaintances(session, user_id) if one.user_id == other)


async def _friendships(session: Session, user_id: UUID) -> Sequence[Row[Any]]:
    return await repository.list_friendships(session, user_id)


def _other(row: Row[Any], user_id: UUID) -> UUID:
    other: UUID = row.second_id if row.first_id == user_id else row.first_id
    return other


def _tie(row: Row[Any], user_id: UUID) -> Tie:
    if row.accepted_at is not None:
        return Tie.FRIEND
    return Tie.ASKED if row.asked_by == user_id else Tie.ASKS


def _to_visibility(row: Row[Any]) -> Visibility:
    return Visibility(row.user_id, **{what.value: Audience(getattr(row, what.value)) for what in Shown})


def _nobody() -> MemberNotFound:
    """In the same words whoever was meant and however: neither who blocked somebody nor whose an address is shows."""
    return MemberNotFound("There is nobody here with this address or id whom you could ask.")
