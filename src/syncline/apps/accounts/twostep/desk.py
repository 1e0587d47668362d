"""Opens the transactions of turning the second step on and off, none of which is open while a password is hashed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import Caller
from syncline.apps.accounts.mail import letters
from syncline.apps.accounts.mail.service import PostOffice
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.desk import SignInDesk
from syncline.apps.accounts.totp import service
from syncline.apps.accounts.totp.service import Enrolment
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.secrets import SecretBox


class TwoStepDesk:
    def __init__(
        self,
        database: Database,
        settings: AccountsSettings,
        *,
        signin: SignInDesk,
        secrets: SecretBox,
        post: PostOffice,
    ) -> None:
        self._database = database
        self._settings = settings
        self._signin = signin
        self._secrets = secrets
        self._post = post

    async def begin(self, user_id: UUID, *, password: str, caller: Caller) -> Enrolment:
        """Raises `SignInRefused`, `TooManyAttempts`, `SecondStepIsOn`."""
        user = await self._signin.confirm_password(user_id, password, caller=caller)
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            return await service.begin(
                session, user_id, email=user.email, issuer=self._settings.authenticator_name, secrets=self._secrets
            )

    async def confirm(self, user_id: UUID, *, code: str) -> list[str]:
        """The recovery codes. Raises `CodeNotRight`, `SecondStepIsOn`."""
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            made = await service.confirm(session, user_id, code, secrets=self._secrets)
            await self._tell(session, await people.find_user(session, user_id), "turned on")
        return made

    async def renew_recovery_codes(self, user_id: UUID, *, password: str, code: str, caller: Caller) -> list[str]:
        """Raises `SignInRefused`, `TooManyAttempts`, `CodeNotRight`."""
        await self._signin.confirm_password(user_id, password, caller=caller)
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            await service.check(session, user_id, code, secrets=self._secrets)
            return await service.renew_recovery_codes(session, user_id)

    async def turn_off(self, user_id: UUID, *, password: str, code: str, caller: Caller) -> None:
        """Raises `SignInRefused`, `TooManyAttempts`, `CodeNotRight`."""
        user = await self._signin.confirm_password(user_id, password, caller=caller)
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            await service.check(session, user_id, code, secrets=self._secrets)
            await service.turn_off(session, user_id)
            await self._tell(session, user, "turned off")

    async def _tell(self, session: WriteSession, user: Row[Any] | None, what: str) -> None:
        assert user is not None  # his session goes with him
        letter = letters.notice(name=user.name, what=f"The second step of your sign-in to Syncline was {what}.")
        await self._post.post(session, letter, to=user.email)
