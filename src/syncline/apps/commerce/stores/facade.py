"""The part of the local `Commerce` that joins stores by OAuth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from syncline.apps.commerce.contract import Store, StoreRefused
from syncline.apps.commerce.contract.connecting import (
    CallbackNotBelieved,
    Install,
    ShopifyApp,
    ShopifyUnavailable,
    StoreAccess,
)
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import access, granting, service
from syncline.apps.commerce.stores.credentials import repository as credentials_repository
from syncline.apps.commerce.stores.credentials import service as credentials
from syncline.apps.commerce.stores.credentials.repository import AppRow
from syncline.apps.commerce.stores.installing import service as installing
from syncline.apps.commerce.stores.installing.connecting import Granted, keep
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.connectors.shopify.oauth import NotBelieved
from syncline.connectors.shopify.session_token import read_session_token
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, InvalidInput, Retriable
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.controls.stops import require_open
from syncline.runtime.db.session import Session


@dataclass(frozen=True)
class LocalConnecting:
    runtime: Runtime
    settings: CommerceSettings

    async def list_apps(self, *, actor: Actor) -> Sequence[ShopifyApp]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            rows = await credentials_repository.list_all(session)
            return [await self._shown(session, row) for row in rows]

    async def _shown(self, session: Session, row: AppRow) -> ShopifyApp:
        stores = await grants.count_of_app(session, row.id)
        return credentials.shown(row, self.settings.public_url, stores=stores)

    async def set_app(self, *, actor: Actor, client_id: str, secret: str, scopes: Sequence[str] = ()) -> ShopifyApp:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await credentials.put(
                session, self.runtime.secrets, client_id=client_id, secret=secret, scopes=scopes
            )
            return await self._shown(session, row)

    async def rotate_app(self, *, actor: Actor, client_id: str, secret: str | None) -> ShopifyApp:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await credentials.rotate(session, self.runtime.secrets, client_id=client_id, secret=secret)
            return await self._shown(session, row)

    async def remove_app(self, *, actor: Actor, client_id: str) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await credentials.get(session, client_id)
            await credentials.remove(session, row, stores=await grants.count_of_app(session, row.id))

    async def start_install(
        self,
        *,
        actor: Actor,
        shop: str,
        name: str | None = None,
        client_id: str | None = None,
        base_url: str | None = None,
        return_to: str | None = None,
        browser: str | None = None,
    ) -> Install:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await require_open(session)
            return await installing.start(
                session,
                self.settings,
                actor=actor,
                shop=shop,
                name=name,
                client_id=client_id,
                base_url=base_url,
                return_to=return_to,
                browser=browser,
            )

    async def finish_install(self, *, query: Sequence[tuple[str, str]], browser: str | None = None) -> Install:
        return await installing.finish(self.runtime, query=query, browser=browser)

    async def get_install(self, *, actor: Actor, install_id: UUID) -> Install:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await installing.get(session, install_id)

    async def list_installs(self, *, actor: Actor) -> Sequence[Install]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await installing.list_all(session)

    async def exchange_session_token(
        self, *, actor: Actor, session_token: str, name: str | None = None, base_url: str | None = None
    ) -> Store:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            app, shop = await self._app_of(await credentials_repository.list_all(session), session_token)
            domain, called, url = await installing.whom(session, self.settings, shop=shop, name=name, base_url=base_url)
        return await self._grant(actor, GrantKind.TOKEN_EXCHANGE, app, domain, called, url, session_token)

    async def _app_of(self, apps: Sequence[AppRow], session_token: str) -> tuple[AppRow, str]:
        """Which of the tenant's apps a page's token is for, and its shop."""
        for app in apps:
            secrets = credentials.opened(self.runtime.secrets, app)
            try:
                found = read_session_token(session_token, client_id=app.client_id, secrets=secrets, now=clock.now())
            except NotBelieved:
                continue
            return app, found.shop_domain
        raise CallbackNotBelieved(
            "This session token is not signed for an app of yours, or has ended: it is good for a minute. Have the "
            "page ask for a new one."
        )

    async def connect_by_credentials(
        self,
        *,
        actor: Actor,
        shop: str,
        name: str | None = None,
        client_id: str | None = None,
        base_url: str | None = None,
    ) -> Store:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            app = await credentials.chosen(session, client_id)
            domain, called, url = await installing.whom(session, self.settings, shop=shop, name=name, base_url=base_url)
        return await self._grant(actor, GrantKind.CLIENT_CREDENTIALS, app, domain, called, url)

    async def _grant(
        self,
        actor: Actor,
        kind: GrantKind,
        app: AppRow,
        domain: str,
        name: str,
        base_url: str | None,
        session_token: str | None = None,
    ) -> Store:
        try:
            tokens = await installing.ask(self.runtime, app, domain, base_url, session_token=session_token)
        except Fatal as error:
            raise StoreRefused(error.sentence) from error
        except Retriable as error:
            raise ShopifyUnavailable(f"{error.sentence} Nothing was connected; try again in a moment.") from error
        return await keep(self.runtime, actor.tenant_id, Granted(kind, app, domain, base_url, name, tokens))

    async def set_api_secret(self, *, actor: Actor, store: str, secret: str) -> StoreAccess:
        if wrong := credentials.wrong_with_secret(secret):
            raise InvalidInput(wrong[0].message, fields=wrong)
        async with self.runtime.database.writing(actor.tenant_id) as session:
            row = await service.get(session, store)
            await granting.keep_secret(session, self.runtime.secrets, row, secret)
            return next(one for one in await access.list_access(session) if one.store == row.store.name)

    async def list_access(self, *, actor: Actor, store: str | None = None) -> Sequence[StoreAccess]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            row = None if store is None else await service.get(session, store)
            found = await access.list_access(session)
        return [one for one in found if row is None or one.store == row.store.name]
