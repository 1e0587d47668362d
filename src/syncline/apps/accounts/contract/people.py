from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from syncline.apps.accounts.contract.types import Invitation, Invited, Member, OutgoingMail
from syncline.kernel.tenant import Actor, TenantId


class People(Protocol):
    """The people of a tenant, and of the installation."""

    async def list_members(self, *, tenant_id: TenantId) -> Sequence[Member]:
        """The oldest member first."""
        ...

    async def invite(self, *, actor: Actor, email: str, role: str) -> Invited:
        """Mails a link. Raises `UnknownRole`, `RoleNotYours`, `AlreadyMember`, `InvalidInput`."""
        ...

    async def list_invitations(self, *, tenant_id: TenantId) -> Sequence[Invitation]:
        """Those that are open, newest first."""
        ...

    async def revoke_invitation(self, *, tenant_id: TenantId, invitation_id: UUID) -> Invitation:
        """Raises `InvitationNotFound`."""
        ...

    async def change_role(self, *, actor: Actor, email: str, role: str) -> Member:
        """Raises `MemberNotFound`, `UnknownRole`, `RoleNotYours`, `LastOwner`."""
        ...

    async def remove_member(self, *, actor: Actor, email: str) -> Member:
        """Raises `MemberNotFound`, `RoleNotYours`, `LastOwner`."""
        ...

    async def start_reset(self, *, email: str, without_second_step: bool = False) -> str:
        """A link to set a new password, for an operator to hand over; also turns the second step off if asked, for who
        lost his phone and his recovery codes. Raises `MemberNotFound` for an address without an account."""
        ...

    async def list_mails(self, *, limit: int = 50) -> Sequence[OutgoingMail]:
        """What was written to people, newest first. For the operator only: what is not sent yet holds tokens."""
        ...
