"""The sign-in desk: opens the transactions of a sign-in, none of which is open while a password is hashed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from syncline.apps.accounts.contract import (
    Caller,
    Person,
    Place,
    RefreshRaced,
    RegistrationClosed,
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
from syncline.apps.accounts.signin import service
from syncline.apps.accounts.signin.access_token import Claims, write_token
from syncline.apps.accounts.signin.key_store import KeyStore
from syncline.apps.accounts.signin.passwords import Passwords, check_password
from syncline.apps.accounts.signin.service import Renewal
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session
from syncline.runtime.observe.logs import get_logger

log = get_logger(__name__)

_REFUSED = "E-mail or password is not right."
_OVER = "This session has ended. Sign in again."


class SignInDesk:
    """One per process: what its requests share is the turn to hash, and the signing keys."""

    def __init__(self, database: Database, settings: AccountsSettings, *, keys: KeyStore, passwords: Passwords) -> None:
        self._database = database
        self._settings = settings
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
            tenant = await people_service.make_tenant(db, shop_domain=domain)
            await people_service.join(db, user.id, "owner", created_by=name)
            opened = await service.open_session(
                db,
                user_id=user.id,
                tenant_id=tenant.id,
                methods=("pwd",),
                caller=caller,
                settings=self._settings,
            )
        place = Place(tenant, "owner")
        person = people_service.to_person(user)
        return await self._signed_in(person, place, [place], opened.id, opened.refresh, ("pwd",))

    async def sign_in(self, *, email: str, password: str, tenant: str | None, caller: Caller) -> SignedIn:
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
            service.require_enabled(user)
            if better is not None:
                await people.update_user(db, user.id, {"password_hash": better})
            await service.forget_failures(db, email_key=key, address=caller.address)
            place, places = await service.choose_place(db, user.id, wanted=tenant)
            opened = await service.open_session(
                db,
                user_id=user.id,
                tenant_id=place.tenant.id,
                methods=("pwd",),
                caller=caller,
                settings=self._settings,
            )
        person = people_service.to_person(user)
        return await self._signed_in(person, place, places, opened.id, opened.refresh, ("pwd",))

    async def refresh(self, *, refresh_token: str, tenant: str | None, caller: Caller) -> SignedIn:
        """The next pair of tokens, for another tenant if asked. Raises `SessionOver`, `RefreshRaced`, `NotAMember`."""
        token = parse_token(service.REFRESH, refresh_token)
        if token is None:
            raise SessionOver(_OVER)
        async with self._database.system() as db:
            done = await service.renew(db, token, caller=caller, settings=self._settings)
            if done.outcome is Renewal.RENEWED:
                assert done.session is not None
                person = await self._enabled_person(db, token.owner)
                recent = done.session.tenant_id
                place, places = await service.choose_place(db, person.id, wanted=tenant, recent=recent)
                if place.tenant.id != recent:
                    await service.move_session(db, done.session.id, place.tenant.id)
        if done.outcome is Renewal.RACED:
            raise RefreshRaced(
                "This refresh token was used a moment ago, as two tabs of a browser do. Use the tokens of that answer.",
                extra={"retry_after": 1},
            )
        if done.outcome is Renewal.STOLEN:
            log.warning("refresh token used twice; its session was ended", user_id=str(token.owner))
        if done.session is None or done.refresh is None:
            raise SessionOver(_OVER)
        methods = tuple(done.session.methods)
        return await self._signed_in(person, place, places, done.session.id, done.refresh, methods)

    async def sign_out(self, *, refresh_token: str) -> None:
        """Ends the session of a refresh token. One that is not good any more has nothing left to end."""
        token = parse_token(service.REFRESH, refresh_token)
        if token is None:
            return
        async with self._database.system() as db:
            await service.end_by_token(db, token)

    async def _count_attempt(self, key: str, address: str) -> None:
        async with self._database.system() as db:
            wait = await service.seconds_to_wait(db, email_key=key, address=address, settings=self._settings)
        if wait is not None:
            raise TooManyAttempts(
                f"There were too many failed attempts from your address. Wait {wait} s, then try again.",
                extra={"retry_after": wait},
            )

    async def _enabled_person(self, db: Session, user_id: UUID) -> Person:
        user = await people.find_user(db, user_id)
        assert user is not None  # his sessions go with him
        service.require_enabled(user)
        return people_service.to_person(user)

    async def _signed_in(
        self,
        person: Person,
        place: Place,
        places: Sequence[Place],
        session_id: UUID,
        refresh: OpaqueToken,
        methods: tuple[str, ...],
    ) -> SignedIn:
        expires_at = clock.now() + self._settings.access_lifetime
        claims = Claims(person.id, place.tenant.id, session_id, methods, expires_at)
        access = write_token(claims, key=await self.keys.signer(), issuer=self._settings.issuer)
        return SignedIn(person, place, tuple(places), session_id, access, expires_at, refresh.text)
