"""The local `People`, which the local `KeyRing` is too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from syncline.apps.accounts.contract import Invitation, Invited, Member, MemberNotFound, OutgoingMail
from syncline.apps.accounts.facade_circles import LocalCircles
from syncline.apps.accounts.invitations import service as invitations
from syncline.apps.accounts.invitations.desk import InvitationDesk
from syncline.apps.accounts.mail.service import list_mails
from syncline.apps.accounts.members import service as members
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.recovery.desk import RecoveryDesk
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session


@dataclass(frozen=True, slots=True)
class Desks:
    recovery: RecoveryDesk
    invitations: InvitationDesk


class LocalPeople(LocalCircles):
    def __init__(self, runtime: Runtime, desks: Desks) -> None:
        super().__init__(runtime)
        self._secrets = runtime.secrets
        self._desks = desks

    async def list_members(self, *, tenant_id: TenantId) -> Sequence[Member]:
        async with self._database.reading(tenant_id) as session:
            return await members.list_members(session)

    async def invite(self, *, actor: Actor, email: str, role: str) -> Invited:
        members.require_may_give(actor, members.checked_role(role))
        async with self._database.writing(actor.tenant_id) as session:
            return await self._desks.invitations.invite(session, email=email, role=role, invited_by=actor.name)

    async def list_invitations(self, *, tenant_id: TenantId) -> Sequence[Invitation]:
        async with self._database.reading(tenant_id) as session:
            return await invitations.list_open(session)

    async def revoke_invitation(self, *, tenant_id: TenantId, invitation_id: UUID) -> Invitation:
        async with self._database.writing(tenant_id) as session:
            return await invitations.revoke(session, invitation_id)

    async def change_role(self, *, actor: Actor, email: str, role: str) -> Member:
        async with self._database.writing(actor.tenant_id) as session:
            return await members.change_role(session, actor, await _id_of(session, email), role)

    async def remove_member(self, *, actor: Actor, email: str) -> Member:
        async with self._database.writing(actor.tenant_id) as session:
            return await members.remove(session, actor, await _id_of(session, email))

    async def start_reset(self, *, email: str, without_second_step: bool = False) -> str:
        return await self._desks.recovery.start_reset(email, without_second_step=without_second_step)

    async def list_mails(self, *, limit: int = 50) -> Sequence[OutgoingMail]:
        async with self._database.system() as session:
            return await list_mails(session, self._secrets, limit=limit)


async def _id_of(session: Session, email: str) -> UUID:
    member = await members.find_member_by_email(session, email_key(email))
    if member is None:
        raise MemberNotFound(f"Nobody here has the address {email}. See `syncline users list`.")
    return member.user_id
