"""Sends people to a provider and takes them back. No transaction is open while a provider is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from syncline.apps.accounts.contract import (
    Caller,
    FreshSignInNeeded,
    ProviderNotBelieved,
    ProviderRefused,
    SecondStep,
    SignedIn,
    SignInNotGood,
)
from syncline.apps.accounts.mail import letters
from syncline.apps.accounts.mail.service import PostOffice
from syncline.apps.accounts.oidc import flow as flows
from syncline.apps.accounts.oidc import repository, service
from syncline.apps.accounts.oidc.flow import Secrets
from syncline.apps.accounts.oidc.id_token import Identity, NotBelieved, identity_of, key_id_of, read_id_token
from syncline.apps.accounts.people import repository as people
from syncline.apps.accounts.people.service import person_of
from syncline.apps.accounts.providers.client import ProviderClient
from syncline.apps.accounts.providers.desk import ProviderDesk
from syncline.apps.accounts.providers.provider import Provider
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.confinement import BY_TENANT, require_unconfined
from syncline.apps.accounts.signin.desk import SignInDesk
from syncline.apps.accounts.signin.repository import find_session
from syncline.apps.accounts.signin.service import choose_place
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.secrets import SecretBox

log = get_logger(__name__)

_FRESH = timedelta(minutes=10)
_OVER = (
    "This sign-in is over: it was finished already, took more than ten minutes, or began in another browser. Begin"
    " again."
)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the cookie it has to bring back."""

    url: str
    secrets: Secrets = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider sent the browser back with, not yet believed; and the cookie of that browser."""

    state: str
    code: str | None = field(repr=False)
    issuer: str | None
    error: str | None
    browser: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """`signed_in` is None where an identity was linked to the person who is signed in already."""

    signed_in: SignedIn | SecondStep | None
    return_to: str


class OpenIdDesk:
    def __init__(
        self,
        database: Database,
        settings: AccountsSettings,
        *,
        signin: SignInDesk,
        providers: ProviderDesk,
        client: ProviderClient,
        secrets: SecretBox,
        post: PostOffice,
    ) -> None:
        self._database = database
        self._public_url = settings.public_url.rstrip("/")
        self._signin = signin
        self._providers = providers
        self._client = client
        self._secrets = secrets
        self._post = post

    async def start(self, name: str, *, tenant: str | None, return_to: str) -> Departure:
        """Raises `ProviderNotFound`, `ProviderUnavailable`, `ProviderNotBelieved`, `InvalidInput`."""
        provider = await self._providers.named(name, tenant=tenant)
        return await self._depart(provider, {"tenant": tenant, "return_to": flows.checked_return(return_to)})

    async def start_linking(
        self, actor: Actor, name: str, *, tenant: str | None, password: str | None, return_to: str, caller: Caller
    ) -> Departure:
        """Raises what `start` raises, and `NotAMember`, `SignInRefused`, `TooManyAttempts`,
        `FreshSignInNeeded`, `TenantSignInOnly`: a stolen session must not be enough to come back for good."""
        provider = await self._providers.named(name, tenant=tenant)
        await self._require_belongs(actor, provider)
        await self._confirm(actor, password, caller)
        values = {
            "tenant": tenant,
            "user_id": person_of(actor),
            "session_id": actor.session_id,
            "return_to": flows.checked_return(return_to),
        }
        return await self._depart(provider, values)

    async def _depart(self, provider: Provider, values: dict[str, Any]) -> Departure:
        metadata = await self._client.metadata(provider)
        made = flows.new_secrets()
        row = {
            "digest": flows.digest(made.state),
            "browser": flows.digest(made.browser),
            "provider": provider.key,
            "provider_tenant_id": provider.tenant_id,
            "sealed_exchange": self._secrets.seal(made.sealed_part()),
            "expires_at": clock.now() + flows.LIFETIME,
            **values,
        }
        async with self._database.system() as db:
            await repository.insert_flow(db, row)
        url = flows.authorization_url(
            metadata.authorization_endpoint,
            client_id=provider.client_id,
            redirect_uri=self._providers.redirect_uri(provider.key),
            made=made,
        )
        return Departure(url, made)

    async def finish(self, key: str, answer: Answer, *, caller: Caller) -> Arrival:
        """Raises `SignInNotGood`, `ProviderNotFound`, `ProviderRefused`, `ProviderNotBelieved`, `ProviderUnavailable`,
        `NoAccountYet`, `IdentityTaken`, `AccountDisabled`, `NotAMember`."""
        flow = await self._take(key, answer)
        tenant_id = None if flow.provider_tenant_id is None else TenantId(flow.provider_tenant_id)
        provider = await self._providers.by_key(key, tenant_id)
        identity = await self._identify(provider, flow, answer)
        if flow.user_id is not None:
            await self._link(flow, provider, identity)
            return Arrival(None, flow.return_to)
        opening = self._database.system() if tenant_id is None else self._database.writing(tenant_id)
        async with opening as db:
            user, is_new = await service.find_person(db, provider, identity)
            if is_new:
                await self._tell(db, user, f"can be entered with {provider.title} from now on")
            admission = await self._signin.admit(
                db,
                user,
                methods=("oidc",) if tenant_id is None else (BY_TENANT,),
                tenant=flow.tenant if tenant_id is None else str(tenant_id),
                caller=caller,
            )
        return Arrival(await self._signin.finish(admission), flow.return_to)

    async def unlink(self, actor: Actor, identity_id: UUID, *, password: str | None, caller: Caller) -> None:
        """Raises `IdentityNotFound`, `LastWayIn`, and what `start_linking` raises of the password."""
        async with self._database.system() as db:
            await service.get_own(db, person_of(actor), identity_id)
        await self._confirm(actor, password, caller)
        async with self._database.system() as db:
            await people.see_own(db, person_of(actor))
            user = await people.find_user(db, person_of(actor), lock=True)
            assert user is not None  # his session goes with him
            gone = await service.unlink(db, user, identity_id)
            await self._tell(db, user, f"is not linked to an identity of {gone.issuer} any more")

    async def _take(self, key: str, answer: Answer) -> Row[Any]:
        """Spends the state, whatever comes of it. Raises `SignInNotGood`."""
        async with self._database.system() as db:
            flow = await repository.take_flow(db, flows.digest(answer.state))
        is_ours = (
            flow is not None
            and flow.expires_at > clock.now()
            and answer.browser is not None
            and bytes(flow.browser) == flows.digest(answer.browser)
            # The answer of one provider must not be taken for that of another (RFC 9700, section 4.4).
            and flow.provider == key
        )
        if flow is None or not is_ours:
            raise SignInNotGood(_OVER)
        return flow

    async def _identify(self, provider: Provider, flow: Row[Any], answer: Answer) -> Identity:
        metadata = await self._client.metadata(provider)
        if answer.issuer != provider.issuer and (answer.issuer is not None or metadata.names_itself):
            raise self._not_believed(provider, "iss of the answer")
        if answer.error is not None:
            raise _refused(provider, answer.error)
        if answer.code is None:
            raise self._not_believed(provider, "neither code nor error")
        nonce, verifier = flows.opened(self._secrets.open(flow.sealed_exchange))
        tokens = await self._client.exchange(
            provider, code=answer.code, verifier=verifier, redirect_uri=self._providers.redirect_uri(provider.key)
        )
        text, access = str(tokens.get("id_token", "")), tokens.get("access_token")
        try:
            keys = await self._client.keys(provider, key_id_of(text))
            claims = read_id_token(text, keys=keys, issuer=provider.issuer, client_id=provider.client_id, nonce=nonce)
            needs_more = "email" not in claims and isinstance(access, str)
            return identity_of(claims, await self._client.userinfo(provider, str(access)) if needs_more else None)
        except NotBelieved as error:
            raise self._not_believed(provider, str(error)) from error

    async def _link(self, flow: Row[Any], provider: Provider, identity: Identity) -> None:
        """To the person who began, if he is signed in yet. Raises `SignInNotGood`, `IdentityTaken`."""
        async with self._database.system() as db:
            await people.see_own(db, flow.user_id)
            session = None if flow.session_id is None else await find_session(db, flow.session_id)
            user = await people.find_user(db, flow.user_id, lock=True)
            if user is None or session is None or session.ended_at is not None or session.expires_at <= clock.now():
                raise SignInNotGood("You were signed out meanwhile. Sign in, and link it again.")
            await service.link(db, user.id, provider, identity)
            await self._tell(db, user, f"can be entered with {provider.title} from now on")

    async def _require_belongs(self, actor: Actor, provider: Provider) -> None:
        """Raises `NotAMember`: a tenant's provider is of no use to who is none of its people."""
        if provider.tenant_id is None:
            return
        async with self._database.system() as db:
            await people.see_own(db, person_of(actor))
            await choose_place(db, person_of(actor), wanted=str(provider.tenant_id))

    async def _confirm(self, actor: Actor, password: str | None, caller: Caller) -> None:
        user_id = person_of(actor)
        async with self._database.system() as db:
            await people.see_own(db, user_id)
            await require_unconfined(db, actor)
            user = await people.find_user(db, user_id)
            session = None if actor.session_id is None else await find_session(db, actor.session_id)
        assert user is not None  # his session goes with him
        if user.password_hash is not None:
            await self._signin.confirm_password(user_id, password or "", caller=caller)
        elif session is None or session.created_at < clock.now() - _FRESH:
            raise FreshSignInNeeded(
                "Sign in again, and do this within ten minutes: you have no password to confirm it."
            )

    def _not_believed(self, provider: Provider, why: str) -> ProviderNotBelieved:
        log.warning("answer of a sign-in provider not believed", provider=provider.key, why=why)
        return ProviderNotBelieved(
            f"The answer of {provider.title} could not be verified, so nobody was signed in. Begin again; if it stays"
            " so, show your administrator this page."
        )

    async def _tell(self, db: WriteSession, user: Row[Any], what: str) -> None:
        letter = letters.notice(name=user.name, what=f"Your Syncline account {what}.")
        await self._post.post(db, letter, to=user.email)


def _refused(provider: Provider, error: str) -> ProviderRefused:
    # Theirs, from the address: shown only if it is one of the words of RFC 6749, section 4.1.2.1, or like them.
    word = f" ({error})" if error.isascii() and error.replace("_", "").isalpha() and len(error) <= 40 else ""
    if error == "access_denied":
        return ProviderRefused(f"You did not sign in at {provider.title}, or may not use it here{word}. Try again.")
    return ProviderRefused(f"{provider.title} refused this sign-in{word}. Try again in a minute, or another way.")
