"""The sign-in desk: opens the transactions of a sign-in, none of which is open while a password is hashed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    Caller,
    Person,
    Place,
    RefreshRaced,
    RegistrationClosed,
    SecondStep,
    SessionOver,
    SignedIn,
    SignInRefused,
    TooManyAttempts,
)
from syncline.apps.accounts.opaque import OpaqueToken, parse_token
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people import service as people_service
from syncline.apps.accounts.people.email import checked_email, email_key
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import entries, repository, service
from syncline.apps.accounts.signin.access_token import Claims, write_token
from syncline.apps.accounts.signin.confinement import is_confined, refusal
from syncline.apps.accounts.signin.key_store import KeyStore
from syncline.apps.accounts.signin.passwords import Passwords, check_password
from syncline.apps.accounts.signin.service import Renewal
from syncline.apps.accounts.totp import service as totp
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.secrets import SecretBox

log = get_logger(__name__)

_REFUSED = "E-mail or password is not right."
_OVER = "This session has ended. Sign in again."
_CHALLENGE_OVER = "This sign-in took too long, or too many tries. Sign in again."
_ANYWHERE, _SECOND_STEPS = "anywhere", 20


Welcome = Callable[[WriteSession, Row[Any]], Awaitable[None]]
"""What happens in the transaction that makes a person."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who may come in, and the session that was opened for him."""

    person: Person
    place: Place
    places: Sequence[Place]
    session_id: UUID
    refresh: OpaqueToken
    methods: tuple[str, ...]


Admission = Admitted | SecondStep


class SignInDesk:
    """One per process: what its requests share is the turn to hash, and the signing keys."""

    def __init__(
        self,
        database: Database,
        settings: AccountsSettings,
        *,
        keys: KeyStore,
        passwords: Passwords,
        secrets: SecretBox,
        welcome: Welcome,
    ) -> None:
        self._database = database
        self._settings = settings
        self._secrets = secrets
        self._welcome = welcome
        self.keys = keys
        self.passwords = passwords

    async def register(self, *, name: str, email: str, password: str, shop_domain: str, caller: Caller) -> SignedIn:
        """A tenant with its owner, who is signed in. Raises `RegistrationClosed`, `EmailTaken`, `WeakPassword`."""
        if not self._settings.registration_is_open:
            raise RegistrationClosed("This installation takes no registrations. Ask its operator for an invitation.")
        name, email = people_service.checked_name(name), checked_email(email)
        domain = people_service.checked_domain(shop_domain)
        check_password(password, email=email)
        hashed = await self.passwords.hash(password)
        async with self._database.writing(TenantId(new_id())) as db:
            user = await people_service.make_user(db, email=email, name=name, password_hash=hashed)
            await people.see_own(db, user.id)
            await people_service.make_tenant(db, shop_domain=domain)
            await people_service.join(db, user.id, "owner", created_by=name)
            await self._welcome(db, user)
            admitted = await self._open(db, user, methods=("pwd",), tenant=None, caller=caller)
            await entries.signed_in(db, admitted.person, admitted.place, admitted.session_id, admitted.methods)
        return await self._signed_in(admitted)

    async def sign_in(self, *, email: str, password: str, tenant: str | None, caller: Caller) -> SignedIn | SecondStep:
        """Raises `SignInRefused`, `TooManyAttempts`, `NotAMember`, `AccountDisabled`."""
        key = email_key(email)
        await self._count_attempt(key, caller.address)
        async with self._database.system() as db:
            found = await people.find_user_by_email(db, key)
        stored = None if found is None else found.password_hash
        is_right, better = await self.passwords.verify(password, stored)
        if found is None or not is_right:
            raise SignInRefused(_REFUSED)
        async with self._database.system() as db:
            await people.see_own(db, found.id)
            user = await people.find_user(db, found.id, lock=True)
            if user is None or user.password_hash != stored:
                raise SignInRefused(_REFUSED)  # changed while we hashed: what ended the other sessions ends this one
            if better is not None:
                await people.update_user(db, user.id, {"password_hash": better})
            await service.forget_failures(db, email_key=key, address=caller.address)
            admission = await self.admit(db, user, methods=("pwd",), tenant=tenant, caller=caller)
        return await self.finish(admission)

    async def second_step(self, *, challenge: str, code: str, caller: Caller) -> SignedIn:
        """Raises `SessionOver` for a challenge that is over, `CodeNotRight`, `TooManyAttempts`.

        Tries are counted by account, from wherever they come: a million codes are few, and only who has the password
        gets this far.
        """
        token = parse_token(service.CHALLENGE, challenge)
        if token is None:
            raise SessionOver(_CHALLENGE_OVER)
        counted = f"second step of {token.owner}"
        await self._count_attempt(counted, _ANYWHERE, free=_SECOND_STEPS)
        async with self._database.system() as db:
            has_tries = await service.try_challenge(db, token)
        if not has_tries:
            raise SessionOver(_CHALLENGE_OVER)
        async with self._database.system() as db:
            await people.see_own(db, token.owner)
            user = await people.find_user(db, token.owner, lock=True)
            row = await repository.take_challenge(db, token.digest)
            if user is None or row is None or _changed_since(user, row.created_at):
                raise SessionOver(_CHALLENGE_OVER)
            service.require_enabled(user)
            method = await totp.check(db, user.id, code, secrets=self._secrets)
            await service.forget_failures(db, email_key=counted, address=_ANYWHERE)
            methods = (*row.methods, method)
            admitted = await self._open(db, user, methods=methods, tenant=row.tenant, caller=caller)
        return await self._came_in(admitted)

    async def admit(
        self, db: WriteSession, user: Row[Any], *, methods: tuple[str, ...], tenant: str | None, caller: Caller
    ) -> Admission:
        """After a first step that was right, in its transaction: a session, or the demand for a second step. Needs
        `see_own`. Raises `AccountDisabled`, `NotAMember`."""
        service.require_enabled(user)
        if not await totp.is_on(db, user.id):
            return await self._open(db, user, methods=methods, tenant=tenant, caller=caller)
        token, expires_at = await service.open_challenge(db, user.id, methods=methods, tenant=tenant)
        return SecondStep(token.text, expires_at)

    async def finish(self, admission: Admission) -> SignedIn | SecondStep:
        """The tokens, once the transaction of `admit` has committed."""
        return admission if isinstance(admission, SecondStep) else await self._came_in(admission)

    async def refresh(self, *, refresh_token: str, tenant: str | None, caller: Caller) -> SignedIn:
        """The next pair of tokens, for another tenant if asked. Raises `SessionOver`, `RefreshRaced`, `NotAMember`,
        `TenantSignInOnly`."""
        token = parse_token(service.REFRESH, refresh_token)
        if token is None:
            raise SessionOver(_OVER)
        async with self._database.system() as db:
            done = await service.renew(db, token, caller=caller, settings=self._settings)
            if done.outcome is Renewal.RENEWED:
                assert done.session is not None
                person = await self._enabled_person(db, token.owner)
                recent = done.session.tenant_id
                place, places = await self._place_of(db, done.session, tenant)
                if place.tenant.id != recent:
                    await service.move_session(db, done.session.id, place.tenant.id)
        if done.outcome is Renewal.RACED:
            raise RefreshRaced(
                "This refresh token was used a moment ago, as two tabs of a browser do. Use the tokens of that answer.",
                extra={"retry_after": 1},
            )
        if done.outcome is Renewal.STOLEN:
            log.warning("refresh token used twice; its session was ended", user_id=str(token.owner))
            assert done.session is not None
            await self._note_end(done.session, "session ended: a refresh token was used twice")
        if done.session is None or done.refresh is None:
            raise SessionOver(_OVER)
        methods = tuple(done.session.methods)
        return await self._signed_in(Admitted(person, place, places, done.session.id, done.refresh, methods))

    async def sign_out(self, *, refresh_token: str) -> None:
        """Ends the session of a refresh token. One that is not good any more has nothing left to end."""
        token = parse_token(service.REFRESH, refresh_token)
        if token is None:
            return
        async with self._database.system() as db:
            ended = await service.end_by_token(db, token)
        if ended is not None:
            await self._note_end(ended, "sign out")

    async def confirm_password(self, user_id: UUID, password: str, *, caller: Caller) -> Row[Any]:
        """Before what a stolen session must not be enough for. Answers the person, with the hash that was right.

        Raises `SignInRefused`, `TooManyAttempts`: guessing here counts like guessing at sign-in.
        """
        async with self._database.system() as db:
            user = await people.find_user(db, user_id)
        assert user is not None  # his session goes with him
        await self._count_attempt(user.email_key, caller.address)
        is_right, _ = await self.passwords.verify(password, user.password_hash)
        if not is_right:
            raise SignInRefused("The password is not right.")
        async with self._database.system() as db:
            await service.forget_failures(db, email_key=user.email_key, address=caller.address)
        return user

    async def _count_attempt(self, key: str, address: str, *, free: int | None = None) -> None:
        async with self._database.system() as db:
            wait = await service.seconds_to_wait(db, email_key=key, address=address, settings=self._settings, free=free)
        if wait is not None:
            raise TooManyAttempts(
                f"There were too many failed attempts from your address. Wait {wait} s, then try again.",
                extra={"retry_after": wait},
            )

    async def _place_of(self, db: Session, session: Row[Any], tenant: str | None) -> tuple[Place, Sequence[Place]]:
        """Where a session that is renewed goes on."""
        if not is_confined(session.methods):
            return await service.choose_place(db, session.user_id, wanted=tenant, recent=session.tenant_id)
        place, _ = await service.choose_place(db, session.user_id, wanted=str(session.tenant_id))
        if tenant not in {None, place.tenant.slug, str(place.tenant.id)}:
            raise refusal()
        return place, (place,)

    async def _enabled_person(self, db: Session, user_id: UUID) -> Person:
        user = await people.find_user(db, user_id)
        assert user is not None  # his sessions go with him
        service.require_enabled(user)
        return people_service.to_person(user)

    async def _open(
        self, db: WriteSession, user: Row[Any], *, methods: tuple[str, ...], tenant: str | None, caller: Caller
    ) -> Admitted:
        place, places = await service.choose_place(db, user.id, wanted=tenant)
        places = (place,) if is_confined(methods) else places
        opened = await service.open_session(
            db,
            user_id=user.id,
            tenant_id=place.tenant.id,
            methods=methods,
            caller=caller,
            settings=self._settings,
        )
        return Admitted(people_service.to_person(user), place, places, opened.id, opened.refresh, methods)

    async def _note_end(self, session: Row[Any], action: str) -> None:
        async with self._database.writing(TenantId(session.tenant_id)) as db:
            user = await people.find_user(db, session.user_id)
            assert user is not None  # his session goes with him
            await entries.session_ended(db, people_service.to_person(user), session.id, action)

    async def _came_in(self, admitted: Admitted) -> SignedIn:
        async with self._database.writing(admitted.place.tenant.id) as db:
            await entries.signed_in(db, admitted.person, admitted.place, admitted.session_id, admitted.methods)
        return await self._signed_in(admitted)

    async def _signed_in(self, admitted: Admitted) -> SignedIn:
        person, place = admitted.person, admitted.place
        expires_at = clock.now() + self._settings.access_lifetime
        claims = Claims(person.id, place.tenant.id, admitted.session_id, admitted.methods, expires_at)
        access = write_token(claims, key=await self.keys.signer(), issuer=self._settings.issuer)
        places = tuple(admitted.places)
        return SignedIn(person, place, places, admitted.session_id, access, expires_at, admitted.refresh.text)


def _changed_since(user: Row[Any], moment: datetime) -> bool:
    return user.password_changed_at is not None and bool(user.password_changed_at > moment)
