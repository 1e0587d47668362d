"""The local `KeyRing`; what it says of people is in `facade_people`, of their data in `facade_privacy`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from joserfc.jwk import OKPKey
from sqlalchemy import Row

from syncline.apps.accounts.contract import DEFAULT_OVERLAP, ApiKey, IssuedKey, NotAMember, Place, Privacy, Tenant
from syncline.apps.accounts.facade_people import Desks, LocalPeople
from syncline.apps.accounts.facade_privacy import LocalPrivacy
from syncline.apps.accounts.invitations.desk import InvitationDesk
from syncline.apps.accounts.kept import Kept
from syncline.apps.accounts.keys import service
from syncline.apps.accounts.keys.bearer import Bearer, parse_bearer
from syncline.apps.accounts.mail.service import PostOffice
from syncline.apps.accounts.oidc.desk import OpenIdDesk
from syncline.apps.accounts.oidc.repository import delete_identities_of
from syncline.apps.accounts.people.repository import list_person_ids, see_own
from syncline.apps.accounts.providers.client import ProviderClient
from syncline.apps.accounts.providers.desk import ProviderDesk
from syncline.apps.accounts.recovery.desk import RecoveryDesk
from syncline.apps.accounts.repository import find_tenant, list_tenant_ids
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin import standing
from syncline.apps.accounts.signin.access_token import Claims, key_id_of, looks_like_jwt, read_token
from syncline.apps.accounts.signin.confinement import require_unconfined
from syncline.apps.accounts.signin.desk import SignInDesk
from syncline.apps.accounts.signin.key_store import KeyStore
from syncline.apps.accounts.signin.passwords import Passwords
from syncline.apps.accounts.signin.refresh_cookie import RefreshCookie
from syncline.apps.accounts.signin.service import choose_place
from syncline.apps.accounts.twostep.desk import TwoStepDesk
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import WriteSession
from syncline.runtime.shared_lookups import SharedLookups

_TOKENS_KEPT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token says whose signature is of this key."""

    kid: str
    key: OKPKey
    claims: Claims


class LocalKeyRing(LocalPeople, LocalPrivacy):
    def __init__(self, runtime: Runtime, settings: AccountsSettings, signing_keys: KeyStore, desks: Desks) -> None:
        LocalPeople.__init__(self, runtime, desks)
        LocalPrivacy.__init__(self, runtime)
        self._settings = settings
        self._signing_keys = signing_keys
        self._kept_keys: Kept[standing.Standing] = Kept(settings.standing_kept)
        self._kept_sessions: Kept[standing.Standing] = Kept(settings.standing_kept)
        self._kept_places: Kept[Place] = Kept(settings.standing_kept)
        self._kept_tokens: Kept[_Verified] = Kept(_TOKENS_KEPT)
        self._refused_keys: Kept[bool] = Kept(settings.refused_keys_kept)
        self._lookups: SharedLookups[Actor | None] = SharedLookups()

    async def authenticate(self, *, bearer: str) -> Actor | None:
        if looks_like_jwt(bearer):
            return await self._by_access_token(bearer)
        parsed = parse_bearer(bearer)
        return None if parsed is None else await self._by_key(parsed)

    async def _by_key(self, parsed: Bearer) -> Actor | None:
        name = (parsed.tenant_id, parsed.digest)
        known, moment = self._kept_keys.find(name), self._kept_keys.moment
        if known is not None:
            return None if is_over(known.ends_at) else known.actor
        if self._refused_keys.find(name):
            return None
        # With the moment in it, nobody waits for a look-up that began before something was forgotten.
        return await self._lookups.ask((*name, moment), lambda: self._look_up_key(parsed, name, moment))

    async def _look_up_key(self, parsed: Bearer, name: Hashable, moment: int) -> Actor | None:
        async with self._database.reading(parsed.tenant_id) as session:
            key = await service.find_valid_key(session, parsed)
        if key is None:
            # A key that is refused once is refused for ever: nobody has a new one's secret before it is made, and
            # none is given back. So this may be kept also while other processes make keys.
            self._refused_keys.keep(name, True, about=parsed.tenant_id, looked_up=self._refused_keys.moment)
            return None
        every = self._settings.last_used_every
        if service.use_is_worth_noting(key, every):
            async with self._database.writing(parsed.tenant_id) as writing:
                await service.note_use(writing, key.id, every=every)
        scopes = None if key.scopes is None else frozenset(key.scopes)
        actor = Actor(tenant_id=parsed.tenant_id, name=key.name, role=key.role, key_id=key.id, scopes=scopes)
        found = standing.Standing(actor, clock.now(), key.expires_at)
        self._kept_keys.keep(name, found, about=key.id, looked_up=moment)
        return actor

    async def _by_access_token(self, text: str) -> Actor | None:
        claims = await self._claims(text)
        return None if claims is None else await self._standing(claims, claims.tenant_id)

    async def _claims(self, text: str) -> Claims | None:
        """Of a genuine, present token. A verified signature is good while its key is the same."""
        name = sha256(text.encode()).digest()
        known, moment = self._kept_tokens.find(name), self._kept_tokens.moment
        if known is not None and await self._signing_keys.public_key(known.kid) is known.key:
            return None if is_over(known.claims.expires_at) else known.claims
        kid = key_id_of(text)
        key = None if kid is None else await self._signing_keys.public_key(kid)
        claims = read_token(text, find_key=lambda _kid: key, issuer=self._settings.issuer)
        if kid is not None and key is not None and claims is not None:
            self._kept_tokens.keep(name, _Verified(kid, key, claims), about=claims.user_id, looked_up=moment)
        return claims

    async def _standing(self, claims: Claims, tenant_id: TenantId) -> Actor | None:
        name = (claims.session_id, claims.user_id, tenant_id)
        known, moment = self._kept_sessions.find(name), self._kept_sessions.moment
        if known is not None:
            return None if is_over(known.ends_at) else known.actor
        return await self._lookups.ask((*name, moment), lambda: self._look_up_session(claims, tenant_id, name, moment))

    async def _look_up_session(self, claims: Claims, tenant_id: TenantId, name: Hashable, moment: int) -> Actor | None:
        async with self._database.reading(tenant_id) as session:
            found = await standing.find(session, claims, tenant_id)
        every = self._settings.last_used_every
        if found is not None and found.last_seen_at <= clock.now() - every:
            async with self._database.writing(tenant_id) as writing:
                await standing.note(writing, claims, every=every)
        if found is None:
            return None
        self._kept_sessions.keep(name, found, about=claims.user_id, looked_up=moment)
        return found.actor

    async def enter(self, *, actor: Actor, tenant: str) -> Actor:
        if tenant == str(actor.tenant_id):
            return actor
        if actor.user_id is None:
            async with self._database.system() as session:
                row = await find_tenant(session, tenant)
            if row is not None and row.id == actor.tenant_id:
                return actor
            raise NotAMember("A key opens the tenant it was made in, and no other. Leave the header X-Tenant out.")
        place = await self._place(actor.user_id, tenant)
        if place.tenant.id != actor.tenant_id:
            await self._require_free(actor, actor.user_id)
        return standing.moved(actor, place)

    async def _place(self, user_id: UUID, tenant: str) -> Place:
        known, moment = self._kept_places.find((user_id, tenant)), self._kept_places.moment
        if known is not None:
            return known
        async with self._database.system() as session:
            await see_own(session, user_id)
            place, _ = await choose_place(session, user_id, wanted=tenant)
        self._kept_places.keep((user_id, tenant), place, about=user_id, looked_up=moment)
        return place

    async def _require_free(self, actor: Actor, user_id: UUID) -> None:
        async with self._database.system() as session:
            await see_own(session, user_id)
            await require_unconfined(session, actor)

    async def create_key(
        self,
        *,
        tenant_id: TenantId,
        name: str,
        role: str,
        created_by: str,
        expires_at: datetime | None = None,
        scopes: Sequence[str] | None = None,
    ) -> IssuedKey:
        async with self._database.writing(tenant_id) as session:
            return await service.create_key(
                session, name=name, role=role, created_by=created_by, expires_at=expires_at, scopes=scopes
            )

    async def rotate_key(
        self, *, tenant_id: TenantId, key_id: UUID, created_by: str, overlap: timedelta = DEFAULT_OVERLAP
    ) -> IssuedKey:
        async with self._database.writing(tenant_id) as session:
            return await service.rotate_key(session, key_id, created_by=created_by, overlap=overlap)

    async def list_keys(self, *, tenant_id: TenantId, include_revoked: bool = False) -> Sequence[ApiKey]:
        async with self._database.reading(tenant_id) as session:
            return await service.list_keys(session, include_revoked=include_revoked)

    async def revoke_key(self, *, tenant_id: TenantId, key_id: UUID) -> ApiKey:
        async with self._database.writing(tenant_id) as session:
            return await service.revoke_key(session, key_id)

    async def find_tenant(self, *, slug: str) -> Tenant | None:
        async with self._database.system() as session:
            row = await find_tenant(session, slug)
        return None if row is None else Tenant(TenantId(row.id), row.slug, row.name, row.created_at)

    async def list_tenant_ids(self) -> Sequence[TenantId]:
        async with self._database.system() as session:
            return [TenantId(one) for one in await list_tenant_ids(session)]

    async def list_person_ids(self) -> Sequence[UUID]:
        async with self._database.system() as session:
            return await list_person_ids(session)

    async def rotate_signing_key(self) -> str:
        return await self._signing_keys.rotate()


def is_over(ends_at: datetime | None) -> bool:
    return ends_at is not None and ends_at <= clock.now()


def build(runtime: Runtime) -> LocalKeyRing:
    """Also puts the desks, which only this app's endpoints and jobs use, beside the contract."""
    database, settings = runtime.database, runtime.settings_of("accounts", AccountsSettings)
    keys = KeyStore(database, runtime.secrets, settings)
    post = PostOffice(runtime.queue, runtime.secrets)

    async def welcome(session: WriteSession, user: Row[Any]) -> None:
        await recovery.welcome(session, user)

    signin = SignInDesk(
        database, settings, keys=keys, passwords=Passwords(settings), secrets=runtime.secrets, welcome=welcome
    )
    recovery = RecoveryDesk(database, settings, signin=signin, post=post)
    client = ProviderClient(runtime.guard)
    providers = ProviderDesk(
        database, settings, client=client, secrets=runtime.secrets, guard=runtime.guard, forget=delete_identities_of
    )
    openid = OpenIdDesk(
        database, settings, signin=signin, providers=providers, client=client, secrets=runtime.secrets, post=post
    )
    twostep = TwoStepDesk(database, settings, signin=signin, secrets=runtime.secrets, post=post)
    invitations = InvitationDesk(database, settings, signin=signin, post=post)
    own: dict[type, object] = {
        SignInDesk: signin,
        RecoveryDesk: recovery,
        TwoStepDesk: twostep,
        InvitationDesk: invitations,
        ProviderDesk: providers,
        OpenIdDesk: openid,
        RefreshCookie: RefreshCookie(settings),
    }
    ring = LocalKeyRing(runtime, settings, keys, Desks(recovery, invitations))
    runtime.contracts.update({**own, Privacy: ring})
    return ring
