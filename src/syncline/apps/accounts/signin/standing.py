"""Whether a genuine access token still opens its tenant: looked up, so that ending a session, taking a role away or
removing a member works at once and not when the token runs out; in other processes as soon as what they keep is too old
(`kept`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncline.apps.accounts.contract import Place
from syncline.apps.accounts.people.repository import see_own
from syncline.apps.accounts.signin import repository
from syncline.apps.accounts.signin.access_token import Claims
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class Standing:
    actor: Actor
    last_seen_at: datetime
    ends_at: datetime | None
    """Of the session, however fresh the token, or of the key; None for a key without an end."""


async def find(session: Session, claims: Claims, tenant_id: TenantId) -> Standing | None:
    row = await repository.find_standing(session, claims.user_id, tenant_id, claims.session_id)
    if row is None or row.disabled_at is not None or row.ended_at is not None or row.expires_at <= clock.now():
        return None
    actor = Actor(
        tenant_id=tenant_id,
        name=row.name,
        role=row.role,
        user_id=claims.user_id,
        method="session",
        session_id=claims.session_id,
    )
    return Standing(actor, row.last_seen_at, row.expires_at)


async def note(session: WriteSession, claims: Claims, *, every: timedelta) -> None:
    await see_own(session, claims.user_id)
    await repository.mark_session_seen(session, claims.session_id, clock.now(), every=every)


def moved(actor: Actor, place: Place) -> Actor:
    """The same person in another of his tenants, with the role he has there."""
    return replace(actor, tenant_id=place.tenant.id, role=place.role)
