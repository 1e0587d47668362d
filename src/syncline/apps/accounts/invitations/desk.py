"""Opens the transactions of inviting and of accepting, none of which is open while a password is hashed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    AlreadyMember,
    Caller,
    Invitation,
    InvitationNotGood,
    Invited,
    Place,
    SecondStep,
    SignedIn,
    SignInRefused,
    Tenant,
)
from syncline.apps.accounts.invitations import service
from syncline.apps.accounts.mail import letters
from syncline.apps.accounts.mail.service import PostOffice
from syncline.apps.accounts.members.repository import find_member
from syncline.apps.accounts.opaque import OpaqueToken
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people import service as people_service
from syncline.apps.accounts.people.email import email_key
from syncline.apps.accounts.repository import list_tenants
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import entries
from syncline.apps.accounts.signin.desk import Admission, SignInDesk
from syncline.apps.accounts.signin.passwords import check_password
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import TenantId
from syncline.runtime.audit.trail import record
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession


class InvitationDesk:
    def __init__(self, database: Database, settings: AccountsSettings, *, signin: SignInDesk, post: PostOffice) -> None:
        self._database = database
        self._settings = settings
        self._signin = signin
        self._post = post

    async def invite(self, session: WriteSession, *, email: str, role: str, invited_by: str) -> Invited:
        """Written and mailed in the caller's transaction. Raises `UnknownRole`, `InvalidInput`, `AlreadyMember`."""
        lifetime = self._settings.invitation_lifetime
        made = await service.invite(session, email=email, role=role, invited_by=invited_by, lifetime=lifetime)
        letter = letters.invitation(
            tenant=(await self._tenant(session)).name,
            inviter=invited_by,
            role=role,
            address=self._settings.public_url,
            token=made.token,
            good_for=lifetime,
        )
        await self._post.post(session, letter, to=made.invitation.email)
        return made

    async def look_at(self, text: str) -> tuple[Invitation, Tenant, bool]:
        """What one is invited to, and whether there is an account for its address. Raises `InvitationNotGood`."""
        token = service.parse(text)
        async with self._database.reading(TenantId(token.owner)) as session:
            invitation = await service.look_at(session, token)
            has_account = await people.find_user_by_email(session, email_key(invitation.email)) is not None
            return invitation, await self._tenant(session), has_account

    async def accept(self, text: str, *, name: str | None, password: str, caller: Caller) -> SignedIn | SecondStep:
        """Into the account of the invited address, whose password it takes, or into one that is made.

        Raises `InvitationNotGood`, `SignInRefused`, `TooManyAttempts`, `WeakPassword`, `AlreadyMember`.
        """
        token = service.parse(text)
        invitation, _, has_account = await self.look_at(text)
        if has_account:
            return await self._accept_as_known(token, invitation, password, caller)
        if name is None:
            raise InvalidInput("Say your name.", fields=[FieldError("name", "is missing")])
        name = people_service.checked_name(name)
        check_password(password, email=invitation.email)
        hashed = await self._signin.passwords.hash(password)
        async with self._database.writing(TenantId(token.owner)) as session:
            # The link was in the mailbox, so the mailbox is his.
            user = await people_service.make_user(
                session, email=invitation.email, name=name, password_hash=hashed, is_verified=True
            )
            await people.see_own(session, user.id)
            admission = await self._join(session, user, token, caller)
            await self._tell(session, user, invitation)
        return await self._signin.finish(admission)

    async def accept_signed_in(self, text: str, *, user_id: UUID) -> Place:
        """Into the account that is signed in, which must have the invited address.

        Raises `InvitationNotGood`, `AlreadyMember`.
        """
        token = service.parse(text)
        async with self._database.writing(TenantId(token.owner)) as session:
            invitation = await service.look_at(session, token)
            user = await people.find_user(session, user_id)
            if user is None or user.email_key != email_key(invitation.email):
                raise InvitationNotGood(f"This invitation is for {invitation.email}. Sign in with that address.")
            await people.see_own(session, user_id)
            await self._take(session, user, token)
            await self._tell(session, user, invitation)
            return Place(await self._tenant(session), invitation.role)

    async def _accept_as_known(
        self, token: OpaqueToken, invitation: Invitation, password: str, caller: Caller
    ) -> SignedIn | SecondStep:
        async with self._database.system() as session:
            user = await people.find_user_by_email(session, email_key(invitation.email))
        if user is None:
            raise SignInRefused("The account of this address is gone. Try again.")
        user = await self._signin.confirm_password(user.id, password, caller=caller)
        async with self._database.writing(TenantId(token.owner)) as session:
            await people.see_own(session, user.id)
            admission = await self._join(session, user, token, caller)
            await self._tell(session, user, invitation)
        return await self._signin.finish(admission)

    async def _join(self, session: WriteSession, user: Row[Any], token: OpaqueToken, caller: Caller) -> Admission:
        await self._take(session, user, token)
        tenant = str(token.owner)
        return await self._signin.admit(session, user, methods=("pwd",), tenant=tenant, caller=caller)

    async def _tell(self, session: WriteSession, user: Row[Any], invitation: Invitation) -> None:
        """In the trail of the tenant he joins, wherever he is signed in. Not who invited him, whose name must be
        forgettable: the invitation has its own entry."""
        await record(
            session,
            actor=entries.actor_of(session, people_service.to_person(user), role=invitation.role),
            action="invitation accepted",
            subject=f"member {user.id}",
            after={"role": invitation.role},
            details={"invitation": str(invitation.id)},
        )

    async def _take(self, session: WriteSession, user: Row[Any], token: OpaqueToken) -> None:
        invitation = await service.look_at(session, token)
        await service.use(session, invitation)
        if await find_member(session, user.id) is not None:
            raise AlreadyMember("You belong to this tenant already.")
        await people_service.join(session, user.id, invitation.role, created_by=invitation.created_by)

    async def _tenant(self, session: Session) -> Tenant:
        (row,) = await list_tenants(session, [session.tenant])
        return people_service.to_tenant(row)
