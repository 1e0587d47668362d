"""Sends a merchant to Shopify's consent page and takes him back. No transaction is open while Shopify is called."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from syncline.apps.commerce.contract import Store, StoreExists, StoreRefused
from syncline.apps.commerce.contract.connecting import (
    CallbackNotBelieved,
    Install,
    InstallNotFound,
    InstallOver,
    InstallStatus,
    ShopifyUnavailable,
    ShopTaken,
)
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository as stores_repository
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.stores.credentials import repository as credentials_repository
from syncline.apps.commerce.stores.credentials import service as credentials
from syncline.apps.commerce.stores.credentials.repository import AppRow
from syncline.apps.commerce.stores.installing import flow, repository
from syncline.apps.commerce.stores.installing.connecting import Granted, keep
from syncline.apps.commerce.stores.installing.repository import InstallRow
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.connectors.shopify.oauth import Callback, NotBelieved, authorize_url, read_callback
from syncline.connectors.shopify.oauth_client import Credentials, OAuthClient, Tokens
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import record
from syncline.runtime.connect.errors import NotProcessed
from syncline.runtime.db.session import Session, WriteSession

log = structlog.get_logger(__name__)

KEPT = timedelta(days=1)
_OVER = (
    "This install is over: it was finished already, took more than ten minutes, or began in another browser. Begin"
    " again with `syncline stores install`."
)
_NOT_BELIEVED = (
    "This answer was not signed by Shopify just now, so nothing was connected. Begin again with `syncline stores"
    " install`, and check that the app's secret is the one on its page at Shopify."
)


async def start(
    session: WriteSession,
    settings: CommerceSettings,
    *,
    actor: Actor,
    shop: str,
    name: str | None,
    client_id: str | None,
    base_url: str | None,
    return_to: str | None,
    browser: str | None,
) -> Install:
    """Raises `InvalidInput`, `AppNotFound`, `StoreExists`."""
    app = await credentials.chosen(session, client_id)
    domain, called, url = await whom(session, settings, shop=shop, name=name, base_url=base_url)
    state = flow.new_state(session.tenant)
    await repository.remove_before(session, clock.now() - KEPT)
    made = await repository.add(
        session,
        {
            "app_id": app.id,
            "state": flow.digest(state),
            "browser": None if browser is None else flow.digest(browser),
            "shop_domain": domain,
            "base_url": url,
            "name": called,
            "return_to": flow.checked_return(return_to),
            "requested_by": actor.name,
            "expires_at": clock.now() + flow.LIFETIME,
        },
    )
    address = authorize_url(
        domain,
        client_id=app.client_id,
        scopes=app.scopes,
        redirect_uri=credentials.redirect_uri(settings.public_url),
        state=state,
        base_url=url,
    )
    await record(
        session,
        actor=actor,
        action="stores.begin_install",
        subject=f"store {called}",
        details={"shop_domain": domain, "client_id": app.client_id},
    )
    return replace(made.install, authorize_url=address)


async def whom(
    session: Session, settings: CommerceSettings, *, shop: str, name: str | None, base_url: str | None
) -> tuple[str, str, str | None]:
    """Domain, name and base URL of a shop that is to be connected; those of a store that is known stay. Raises
    `InvalidInput`, `StoreExists`."""
    domain = flow.domain_of(shop)
    known = await stores_repository.find_by_name(session, shop) or await stores_repository.find_by_name(session, domain)
    if known is not None:
        return known.store.shop_domain, known.store.name, base_url or known.store.base_url
    called = name or domain.partition(".")[0]
    stores.check_shop(name=called, shop_domain=domain, base_url=base_url, settings=settings)
    if await stores_repository.find_by_name(session, called) is not None:
        raise StoreExists(f"A store called {called} is already connected; choose another name.")
    return domain, called, base_url


async def finish(runtime: Runtime, *, query: Sequence[tuple[str, str]], browser: str | None) -> Install:
    """Raises `CallbackNotBelieved`, `InstallOver`, `StoreRefused`, `ShopTaken`, `StoreExists`, `ShopifyUnavailable`.

    What is not believed leaves the install as it is: a forged answer must not spoil the one that is still to come. So
    does a Shopify that cannot be reached, for the code is unused then."""
    state = dict(query).get("state", "")
    tenant_id = flow.tenant_of(state)
    if tenant_id is None:
        raise InstallOver(_OVER)
    async with runtime.database.writing(tenant_id) as session:
        pending = await repository.find_by_state(session, flow.digest(state))
        app = None if pending is None else await credentials_repository.find_by_id(session, pending.app_id)
        if pending is None or app is None:
            raise InstallOver(_OVER)
        callback = _believed(query, pending, credentials.opened(runtime.secrets, app))
        _require_browser(pending, browser)
        if not await repository.take(session, pending.install.id):
            raise InstallOver(_OVER)
    try:
        store = await _connect(runtime, tenant_id, pending, app, callback)
    except Retriable as error:
        raise await _put_off(runtime, tenant_id, pending, error) from error
    except (StoreRefused, ShopTaken, StoreExists) as error:
        await _end(runtime, tenant_id, pending, InstallStatus.FAILED, error.sentence)
        raise
    await _end(runtime, tenant_id, pending, InstallStatus.CONNECTED, None, store)
    return replace(pending.install, status=InstallStatus.CONNECTED, sentence=None, store=store.name)


def _believed(query: Sequence[tuple[str, str]], pending: InstallRow, secrets: Sequence[str]) -> Callback:
    try:
        return read_callback(query, secrets=secrets, now=clock.now(), shop_domain=pending.install.shop_domain)
    except NotBelieved as error:
        log.warning("store.callback_not_believed", shop=pending.install.shop_domain, why=str(error))
        raise CallbackNotBelieved(_NOT_BELIEVED) from error


def _require_browser(pending: InstallRow, browser: str | None) -> None:
    """Where a browser began, it has to come back: nobody's shop ends up in a stranger's tenant by a link."""
    if pending.browser is not None and not hmac.compare_digest(pending.browser, flow.digest(browser or "")):
        raise InstallOver(_OVER)


async def _connect(
    runtime: Runtime, tenant_id: TenantId, pending: InstallRow, app: AppRow, callback: Callback
) -> Store:
    install = pending.install
    try:
        tokens = await ask(runtime, app, install.shop_domain, pending.base_url, code=callback.code)
    except Fatal as error:
        raise StoreRefused(error.sentence) from error
    granted = Granted(GrantKind.CODE, app, install.shop_domain, pending.base_url, install.store, tokens)
    return await keep(runtime, tenant_id, granted)


async def ask(
    runtime: Runtime,
    app: AppRow,
    shop_domain: str,
    base_url: str | None,
    *,
    code: str | None = None,
    session_token: str | None = None,
) -> Tokens:
    """A token for one of them, or without either for the app's own word. Raises connector outcomes."""
    known = Credentials(app.client_id, runtime.secrets.open(app.secret_sealed))
    async with OAuthClient(shop_domain, known, base_url=base_url) as client:
        if code is not None:
            return await client.by_code(code)
        if session_token is not None:
            return await client.by_session_token(session_token)
        return await client.by_client_credentials()


async def _put_off(runtime: Runtime, tenant_id: TenantId, pending: InstallRow, error: Retriable) -> ShopifyUnavailable:
    if isinstance(error, NotProcessed):
        async with runtime.database.writing(tenant_id) as session:
            await repository.change(session, pending.install.id, status=InstallStatus.WAITING, sentence=error.sentence)
        return ShopifyUnavailable(f"{error.sentence} Nothing was connected yet: load this page again in a moment.")
    sentence = f"Shopify's answer was lost on its way, so nothing was connected to {pending.install.shop_domain}."
    await _end(runtime, tenant_id, pending, InstallStatus.FAILED, sentence)
    return ShopifyUnavailable(f"{sentence} Begin again with `syncline stores install`.")


async def _end(
    runtime: Runtime,
    tenant_id: TenantId,
    pending: InstallRow,
    status: InstallStatus,
    sentence: str | None,
    store: Store | None = None,
) -> None:
    """With an entry in the trail, under the name of who began: whoever came back has no key."""
    async with runtime.database.writing(tenant_id) as session:
        values = {} if store is None else {"store_id": store.id, "name": store.name}
        await repository.change(session, pending.install.id, status=status, sentence=sentence, **values)
        await record(
            session,
            actor=Actor(tenant_id, pending.install.requested_by, "service"),
            action="stores.install",
            subject=f"store {pending.install.store if store is None else store.name}",
            outcome="done" if store is not None else "failed",
            details={"shop_domain": pending.install.shop_domain, "client_id": pending.install.client_id},
        )


async def get(session: Session, install_id: UUID) -> Install:
    found = await repository.find(session, install_id)
    if found is None:
        raise InstallNotFound("There is no such install; those of the last day are kept.")
    return found.install


async def list_all(session: Session) -> Sequence[Install]:
    return [one.install for one in await repository.list_since(session, clock.now() - KEPT)]
