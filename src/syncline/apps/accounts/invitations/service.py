"""Decisions about invitations: to whom, as what, and when one is good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    AlreadyMember,
    Invitation,
    InvitationNotFound,
    InvitationNotGood,
    Invited,
)
from syncline.apps.accounts.invitations import repository
from syncline.apps.accounts.members.service import checked_role, find_member_by_email
from syncline.apps.accounts.opaque import OpaqueToken, new_token, parse_token
from syncline.apps.accounts.people.email import checked_email, email_key
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession

INVITATION = "sli"


async def invite(session: WriteSession, *, email: str, role: str, invited_by: str, lifetime: timedelta) -> Invited:
    """In place of earlier ones to the same address. Raises `UnknownRole`, `InvalidInput`, `AlreadyMember`."""
    address, role, now = checked_email(email), checked_role(role), clock.now()
    if await find_member_by_email(session, email_key(address)) is not None:
        raise AlreadyMember(f"{address} belongs to this tenant already.")
    await repository.revoke(session, now, email_key=email_key(address))
    token = new_token(INVITATION, session.tenant)
    values = {
        "id": new_id(),
        "tenant_id": session.tenant,
        "email": address,
        "email_key": email_key(address),
        "role": role,
        "digest": token.digest,
        "created_at": now,
        "created_by": invited_by,
        "expires_at": now + lifetime,
    }
    made = to_invitation(await repository.insert_invitation(session, values))
    note_change(f"invitation {made.id}", after={"role": made.role, "expires_at": made.expires_at})
    return Invited(made, token.text)


def parse(text: str) -> OpaqueToken:
    """Raises `InvitationNotGood`."""
    token = parse_token(INVITATION, text)
    if token is None:
        raise _not_good()
    return token


async def look_at(session: Session, token: OpaqueToken) -> Invitation:
    """Raises `InvitationNotGood`. Leaves it as it is."""
    row = await repository.find_open(session, token.digest, clock.now())
    if row is None:
        raise _not_good()
    return to_invitation(row)


async def use(session: WriteSession, invitation: Invitation) -> None:
    """Raises `InvitationNotGood` when somebody was first."""
    if not await repository.take(session, invitation.id, clock.now()):
        raise _not_good()


async def list_open(session: Session) -> Sequence[Invitation]:
    return [to_invitation(row) for row in await repository.list_open(session, clock.now())]


async def find_open(session: Session, invitation_id: UUID) -> Invitation:
    """Raises `InvitationNotFound`."""
    found = next((one for one in await list_open(session) if one.id == invitation_id), None)
    if found is None:
        raise _not_found(invitation_id)
    return found


async def revoke(session: WriteSession, invitation_id: UUID) -> Invitation:
    """Raises `InvitationNotFound`, also for one that was accepted or has expired."""
    rows = await repository.revoke(session, clock.now(), invitation_id=invitation_id)
    if not rows:
        raise _not_found(invitation_id)
    note_change(f"invitation {invitation_id}", before={"role": rows[0].role, "expires_at": rows[0].expires_at})
    return to_invitation(rows[0])


def _not_found(invitation_id: UUID) -> InvitationNotFound:
    return InvitationNotFound(f"There is no open invitation {invitation_id} here.")


def _not_good() -> InvitationNotGood:
    return InvitationNotGood(
        "This invitation is not valid: it was used, has expired, or was withdrawn. Ask for a new one."
    )


def to_invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        role=row.role,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
    )
