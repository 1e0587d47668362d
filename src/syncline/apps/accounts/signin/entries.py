"""Entries of the audit trail for what somebody does who was a stranger when the request came: coming in and going,
confirming an address, setting a password by a mail."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from syncline.apps.accounts.contract import Person, Place
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession

NO_ROLE = ""
"""Of somebody whose role plays no part, because what he does concerns himself only."""


def actor_of(session: WriteSession, person: Person, *, role: str = NO_ROLE, session_id: UUID | None = None) -> Actor:
    return Actor(session.tenant, person.name, role, user_id=person.id, method="session", session_id=session_id)


async def signed_in(
    session: WriteSession, person: Person, place: Place, session_id: UUID, methods: Sequence[str]
) -> None:
    """In the trail of the tenant the session is for. Call it last."""
    actor = actor_of(session, person, role=place.role, session_id=session_id)
    await record(
        session, actor=actor, action="sign in", subject=f"session {session_id}", details={"methods": [*methods]}
    )


async def session_ended(session: WriteSession, person: Person, session_id: UUID, action: str) -> None:
    actor = actor_of(session, person, session_id=session_id)
    await record(session, actor=actor, action=action, subject=f"session {session_id}")


async def everywhere(database: Database, person: Person, places: Sequence[Place], action: str) -> None:
    """What somebody changed of his account, in the trail of each of his tenants: it opens all of them."""
    for place in places:
        async with database.writing(place.tenant.id) as session:
            actor = actor_of(session, person, role=place.role)
            await record(session, actor=actor, action=action, subject=f"person {person.id}")
