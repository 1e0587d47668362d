"""Decisions about sessions: who may have one, how it is renewed, when it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    AccountDisabled,
    Caller,
    NotAMember,
    Place,
    SessionNotFound,
    SignInSession,
)
from syncline.apps.accounts.opaque import OpaqueToken, new_token
from syncline.apps.accounts.people.repository import list_places, see_own
from syncline.apps.accounts.people.service import to_place
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import repository
from syncline.apps.accounts.signin.throttle import FORGOTTEN_AFTER, account_digest, address_group, wait_after
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.session import Session, WriteSession

REFRESH, CHALLENGE = "slr", "slc"
_CHALLENGE_LIFETIME = timedelta(minutes=5)
_CHALLENGE_TRIES = 5
_DEVICE_CHARACTERS = 200


async def seconds_to_wait(
    db: WriteSession, *, email_key: str, address: str, settings: AccountsSettings, free: int | None = None
) -> int | None:
    """None when this attempt may be made; it is then counted as failed until `forget_failures` says otherwise, so that
    many at once are not more than many in turn."""
    account, group = account_digest(email_key), address_group(address)
    row = await repository.lock_throttle(db, account, group, clock.now())
    now = clock.now()  # after the row was waited for
    free = settings.throttle_after if free is None else free
    if row.failures >= free and row.closed_until > now:
        left: float = (row.closed_until - now).total_seconds()
        return max(1, round(left))
    failures = 1 if row.failed_at < now - FORGOTTEN_AFTER else row.failures + 1
    wait = wait_after(failures, free=free, longest=settings.throttle_longest)
    values = {"failures": failures, "failed_at": now, "closed_until": now + wait}
    await repository.update_throttle(db, account, group, values)
    return None


async def forget_failures(db: WriteSession, *, email_key: str, address: str) -> None:
    await repository.delete_throttle(db, account_digest(email_key), address_group(address))


def require_enabled(user: Row[Any]) -> None:
    if user.disabled_at is not None:
        raise AccountDisabled("This account is disabled. Ask an owner or administrator of your company.")


async def places_of(db: Session, user_id: UUID) -> Sequence[Place]:
    """All tenants of a person, the first joined first. Needs `see_own`."""
    return [to_place(row) for row in await list_places(db, user_id)]


async def choose_place(
    db: Session, user_id: UUID, *, wanted: str | None, recent: UUID | None = None
) -> tuple[Place, Sequence[Place]]:
    """The tenant a session is for: the one that was asked for (slug or id), else the most recent, else the oldest."""
    places = await places_of(db, user_id)
    if not places:
        raise NotAMember("You belong to no tenant any more. Ask for an invitation.")
    if wanted is None:
        return next((one for one in places if one.tenant.id == recent), places[0]), places
    found = next((one for one in places if wanted in {one.tenant.slug, str(one.tenant.id)}), None)
    if found is None:
        raise NotAMember(f"You do not belong to a tenant “{wanted}”.", extra={"tenants": _slugs(places)})
    return found, places


def _slugs(places: Sequence[Place]) -> list[str]:
    return [one.tenant.slug for one in places]


@dataclass(frozen=True, slots=True)
class OpenedSession:
    id: UUID
    refresh: OpaqueToken


async def open_session(
    db: WriteSession,
    *,
    user_id: UUID,
    tenant_id: TenantId,
    methods: Sequence[str],
    caller: Caller,
    settings: AccountsSettings,
) -> OpenedSession:
    """Needs `see_own`."""
    now = clock.now()
    row = await repository.insert_session(
        db,
        {
            "id": new_id(),
            "tenant_id": tenant_id,
            "user_id": user_id,
            "methods": list(methods),
            "device": caller.device[:_DEVICE_CHARACTERS],
            "address": caller.address,
            "created_at": now,
            "last_seen_at": now,
            "expires_at": now + settings.session_lifetime,
        },
    )
    return OpenedSession(row.id, await _issue(db, row.id, user_id, now, settings))


async def _issue(
    db: WriteSession, session_id: UUID, user_id: UUID, now: datetime, settings: AccountsSettings
) -> OpaqueToken:
    token = new_token(REFRESH, user_id)
    values = {
        "digest": token.digest,
        "session_id": session_id,
        "user_id": user_id,
        "issued_at": now,
        "expires_at": now + settings.refresh_lifetime,
    }
    await repository.insert_refresh_token(db, values)
    return token


async def open_challenge(
    db: WriteSession, user_id: UUID, *, methods: Sequence[str], tenant: str | None
) -> tuple[OpaqueToken, datetime]:
    """What a right first step gives when a second one is asked for, and when it ends. Needs `see_own`."""
    now = clock.now()
    token, expires_at = new_token(CHALLENGE, user_id), now + _CHALLENGE_LIFETIME
    values = {
        "digest": token.digest,
        "user_id": user_id,
        "methods": list(methods),
        "tenant": tenant,
        "created_at": now,
        "expires_at": expires_at,
        "failures": 0,
    }
    await repository.insert_challenge(db, values, now)
    return token, expires_at


async def try_challenge(db: WriteSession, token: OpaqueToken) -> bool:
    await see_own(db, token.owner)
    return await repository.try_challenge(db, token.digest, clock.now(), most=_CHALLENGE_TRIES)


class Renewal(Enum):
    RENEWED = "renewed"
    RACED = "raced"
    OVER = "over"
    STOLEN = "stolen"


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a refresh token. Not an exception: that a stolen one ended its session has to be committed."""

    outcome: Renewal
    session: Row[Any] | None = None
    refresh: OpaqueToken | None = None


async def renew(db: WriteSession, token: OpaqueToken, *, caller: Caller, settings: AccountsSettings) -> Renewed:
    """Replace a refresh token by the next. Using one a second time ends its session: either the thief or the person
    has the newer one, and nobody can tell which.

    Within `refresh_race` of the first use a second one is refused without ending anything, because two tabs of a
    browser do that. It is safe: the second use is given nothing, and later ones end the session as ever.
    """
    now = clock.now()
    await see_own(db, token.owner)
    row = await repository.find_refresh_token(db, token.digest)
    if row is None or row.ended_at is not None or min(row.expires_at, row.token_expires_at) <= now:
        return Renewed(Renewal.OVER)
    if row.used_at is not None:
        if now - row.used_at <= settings.refresh_race:
            return Renewed(Renewal.RACED)
        await repository.end_sessions(db, row.user_id, now, "a refresh token was used twice", only=row.id)
        return Renewed(Renewal.STOLEN, row)
    await repository.mark_token_used(db, token.digest, now)
    seen = {"last_seen_at": now, "address": caller.address, "device": caller.device[:_DEVICE_CHARACTERS]}
    await repository.update_session(db, row.id, seen)
    return Renewed(Renewal.RENEWED, row, await _issue(db, row.id, row.user_id, now, settings))


async def move_session(db: WriteSession, session_id: UUID, tenant_id: TenantId) -> None:
    """From now on the session's access tokens are for another tenant of the same person."""
    await repository.update_session(db, session_id, {"tenant_id": tenant_id})


async def list_sessions(db: Session, user_id: UUID, *, within: UUID | None = None) -> Sequence[SignInSession]:
    """In all tenants, or `within` one."""
    await see_own(db, user_id)
    return [_to_session(row) for row in await repository.list_sessions(db, user_id, clock.now(), within=within)]


async def end_session(
    db: WriteSession, user_id: UUID, session_id: UUID, *, because: str, within: UUID | None = None
) -> None:
    """Raises `SessionNotFound`, also for one that has ended and for somebody else's."""
    await see_own(db, user_id)
    if not await repository.end_sessions(db, user_id, clock.now(), because, only=session_id, within=within):
        raise SessionNotFound(f"You have no session {session_id}. GET /api/auth/sessions lists those you have.")


async def end_by_token(db: WriteSession, token: OpaqueToken) -> Row[Any] | None:
    """Ends the session that a refresh token belongs to, also a used one: whoever signs out means it. Answers the
    session, None where nothing was left to end."""
    await see_own(db, token.owner)
    row = await repository.find_refresh_token(db, token.digest)
    if row is None or not await repository.end_sessions(db, row.user_id, clock.now(), "signed out", only=row.id):
        return None
    return row


async def end_other_sessions(
    db: WriteSession, user_id: UUID, *, but: UUID | None, because: str, within: UUID | None = None
) -> int:
    """How many there were."""
    await see_own(db, user_id)
    return await repository.end_sessions(db, user_id, clock.now(), because, but=but, within=within)


def _to_session(row: Row[Any]) -> SignInSession:
    return SignInSession(
        id=row.id,
        tenant_id=TenantId(row.tenant_id),
        device=row.device,
        address=row.address,
        methods=tuple(row.methods),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
    )
