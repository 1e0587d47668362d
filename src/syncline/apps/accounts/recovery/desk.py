"""Opens the transactions of recovery, none of which is open while a password is hashed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import Caller, MemberNotFound, SignInRefused
from syncline.apps.accounts.mail import letters
from syncline.apps.accounts.mail.service import PostOffice
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people.email import checked_email, email_key
from syncline.apps.accounts.people.service import to_person
from syncline.apps.accounts.recovery import service
from syncline.apps.accounts.recovery.service import CHANGE, NOW, RESET, VERIFY
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import entries
from syncline.apps.accounts.signin import service as signin
from syncline.apps.accounts.signin.desk import SignInDesk
from syncline.apps.accounts.signin.passwords import check_password
from syncline.apps.accounts.totp import service as totp
from syncline.kernel import clock
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession


class RecoveryDesk:
    def __init__(self, database: Database, settings: AccountsSettings, *, signin: SignInDesk, post: PostOffice) -> None:
        self._database = database
        self._settings = settings
        self._signin = signin
        self._post = post

    async def send_verification(self, user_id: UUID) -> None:
        """Nothing when the address is confirmed already, or was asked for a moment ago."""
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            user = await people.find_user(session, user_id)
            if user is None or user.email_verified_at is not None:
                return
            await self.welcome(session, user)

    async def welcome(self, session: WriteSession, user: Row[Any]) -> None:
        """Asks a person to confirm his address. Needs `see_own`."""
        lifetime = self._settings.verification_lifetime
        token = await service.issue(session, user, VERIFY, email=user.email, lifetime=lifetime)
        if token is not None:
            letter = letters.verification(
                name=user.name, address=self._settings.public_url, token=token.text, good_for=lifetime
            )
            await self._post.post(session, letter, to=user.email)

    async def verify(self, token: str) -> None:
        """Raises `TokenNotGood`, `EmailTaken`."""
        async with self._database.system() as session:
            before = await service.confirm_address(session, token)
            after = await people.find_user(session, before.id)
            assert after is not None
            if after.email_key != before.email_key:
                told = letters.notice(name=before.name, what="The e-mail address of your Syncline account was changed.")
                await self._post.post(session, told, to=before.email)
            places = await signin.places_of(session, after.id)
        is_new = after.email_key != before.email_key
        action = "address changed" if is_new else "address confirmed"
        await entries.everywhere(self._database, to_person(after), places, action)

    async def send_reset(self, email: str) -> None:
        """Run by a job, so that asking takes the same time whether there is an account or not."""
        async with self._database.system() as session:
            user = await people.find_user_by_email(session, email_key(email))
            if user is None or user.disabled_at is not None:
                return
            await people.see_own(session, user.id)
            lifetime = self._settings.reset_lifetime
            token = await service.issue(session, user, RESET, email=user.email, lifetime=lifetime)
            if token is not None:
                letter = letters.reset(
                    name=user.name, address=self._settings.public_url, token=token.text, good_for=lifetime
                )
                await self._post.post(session, letter, to=user.email)

    async def start_reset(self, email: str, *, without_second_step: bool) -> str:
        """A link for an operator to hand over; nothing is mailed. Raises `MemberNotFound`."""
        async with self._database.system() as session:
            user = await people.find_user_by_email(session, email_key(email))
            if user is None:
                raise MemberNotFound(f"Nobody has the address {email}.")
            await people.see_own(session, user.id)
            if without_second_step:
                await totp.turn_off(session, user.id)
            lifetime = self._settings.reset_lifetime
            token = await service.issue(session, user, RESET, email=user.email, lifetime=lifetime, again_after=NOW)
        assert token is not None
        return f"{self._settings.public_url.rstrip('/')}/account/reset-password#token={token.text}"

    async def reset(self, *, token: str, password: str) -> None:
        """Sets the password and ends every session. A password that is refused leaves the token good.

        Raises `TokenNotGood`, `WeakPassword`.
        """
        async with self._database.system() as session:
            _, _, user = await service.look_at(session, token, RESET)
        check_password(password, email=user.email)
        hashed = await self._signin.passwords.hash(password)
        async with self._database.system() as session:
            good, _, user = await service.look_at(session, token, RESET)
            await service.use(session, good)
            await service.set_password(session, user, hashed, keep=None, because="the password was reset")
            if user.email_verified_at is None:
                # Who reads the mailbox has shown that it is his.
                await people.update_user(session, user.id, {"email_verified_at": clock.now()})
            await self._tell(session, user, "The password of your Syncline account was reset.")
            places = await signin.places_of(session, user.id)
        await entries.everywhere(self._database, to_person(user), places, "password reset")

    async def change_password(
        self, *, user_id: UUID, session_id: UUID | None, current: str, new: str, caller: Caller
    ) -> int:
        """How many other sessions it ended. Raises `SignInRefused`, `TooManyAttempts`, `WeakPassword`."""
        user = await self._signin.confirm_password(user_id, current, caller=caller)
        check_password(new, email=user.email)
        if new == current:
            wrong = FieldError("new_password", "must not be the present one")
            raise InvalidInput("This is your present password. Choose another.", fields=[wrong])
        hashed = await self._signin.passwords.hash(new)
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            now = await people.find_user(session, user_id, lock=True)
            if now is None or now.password_hash != user.password_hash:
                raise SignInRefused("The password was changed meanwhile. Sign in again.")
            ended = await service.set_password(
                session, now, hashed, keep=session_id, because="the password was changed"
            )
            await self._tell(session, now, "The password of your Syncline account was changed.")
        return ended

    async def change_email(self, *, user_id: UUID, email: str, password: str, caller: Caller) -> None:
        """Mails a token to the new address; the old one stays until it is used. Says nothing of whether the new address
        has an account. Raises `SignInRefused`, `TooManyAttempts`."""
        address = checked_email(email)
        user = await self._signin.confirm_password(user_id, password, caller=caller)
        async with self._database.system() as session:
            await people.see_own(session, user_id)
            if await people.find_user_by_email(session, email_key(address)) is not None:
                return
            lifetime = self._settings.verification_lifetime
            token = await service.issue(session, user, CHANGE, email=address, lifetime=lifetime)
            if token is not None:
                letter = letters.change_of_address(
                    name=user.name, address=self._settings.public_url, token=token.text, good_for=lifetime
                )
                await self._post.post(session, letter, to=address)

    async def _tell(self, session: WriteSession, user: Row[Any], what: str) -> None:
        await self._post.post(session, letters.notice(name=user.name, what=what), to=user.email)
