"""Keeping what Shopify granted: a new store, or a new token for one that is known, with all it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError

from syncline.apps.commerce.contract import Store, StoreRefused
from syncline.apps.commerce.contract.connecting import ShopTaken
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores import service as stores
from syncline.apps.commerce.stores.credentials.repository import AppRow
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.columns import columns_of, ends_at
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.apps.commerce.stores.tokens.timing import renew_at
from syncline.apps.commerce.stores.uninstalling import installed_again
from syncline.connectors.shopify.client import ShopifyConfig
from syncline.connectors.shopify.oauth_client import Tokens
from syncline.connectors.shopify.store import StoreFacts
from syncline.kernel import clock
from syncline.kernel.errors import Unavailable
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

_WRITES, _WAIT_SECONDS = 4, 1.0
"""Tries to write down what Shopify gave, so long and more apart: a code is good once."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What Shopify gave, for which shop, through which app."""

    kind: GrantKind
    app: AppRow
    shop_domain: str
    base_url: str | None
    name: str
    tokens: Tokens


async def keep(runtime: Runtime, tenant_id: TenantId, granted: Granted) -> Store:
    """Asks the shop who it is and writes the store and its grant down, in one transaction. A shop that the tenant has
    already keeps its name and everything that is known of it. Raises `StoreRefused`, `ShopTaken`, `StoreExists`,
    `Unavailable`."""
    settings = runtime.settings_of("commerce", CommerceSettings)
    config = ShopifyConfig(
        shop_domain=granted.shop_domain,
        access_token=granted.tokens.access_token,
        api_version=settings.api_version,
        base_url=granted.base_url,
        client_id=granted.app.client_id,
    )
    async with runtime.database.reading(tenant_id) as session:
        known = await repository.find_by_name(session, granted.shop_domain)
    facts = await _facts(config, known)
    for left in reversed(range(_WRITES)):
        try:
            async with runtime.database.writing(tenant_id) as session:
                return await _write(session, runtime, granted, config, facts)
        except Unavailable:
            if left == 0:
                raise
            log.warning("store.grant_not_written", shop=granted.shop_domain, tries_left=left)
            await asyncio.sleep(_WAIT_SECONDS * (_WRITES - left))
    raise AssertionError("the last try answers or raises")


async def _facts(config: ShopifyConfig, known: StoreRow | None) -> StoreFacts | None:
    """None when the shop does not say now, but is known: its new token must not be lost for that."""
    try:
        return await stores.ask_granted(config)
    except StoreRefused as error:
        if known is None:
            raise
        log.warning("store.not_asked", store=known.store.name, reason=error.sentence)
        return None


async def _write(
    session: WriteSession, runtime: Runtime, granted: Granted, config: ShopifyConfig, facts: StoreFacts | None
) -> Store:
    row = await repository.find_by_name(session, granted.shop_domain)
    if row is None:
        if facts is None:
            raise StoreRefused(f"{granted.shop_domain} was removed meanwhile; begin again.")
        store = await stores.add(session, runtime.secrets, name=granted.name, config=config, facts=facts)
    else:
        sealed = runtime.secrets.seal(granted.tokens.access_token)
        told = {} if facts is None else stores.told_by(facts)
        values = {**told, "token_sealed": sealed, "uninstalled_at": None, "base_url": granted.base_url}
        store = (await repository.change(session, row.store.id, values)).store
        note_change(f"store {store.name}", before={"access_token": "before"}, after={"access_token": "after"})
    await _grant(session, runtime, granted, store)
    await installed_again(session, store.id)
    return store


async def _grant(session: WriteSession, runtime: Runtime, granted: Granted, store: Store) -> None:
    tokens, now = granted.tokens, clock.now()
    due = renew_at(now, ends_at(tokens, now))
    try:
        async with session.begin_nested():
            await directory.change(session, store.id, client_id=granted.app.client_id, renew_at=due)
    except IntegrityError as error:
        raise ShopTaken(
            f"{granted.shop_domain} is connected to another tenant of this installation through the same app. Shopify "
            "keeps one token for an app and a shop: use an app of your own, or have it removed there."
        ) from error
    await grants.put(
        session,
        store.id,
        {
            "kind": granted.kind,
            "app_id": granted.app.id,
            "secret_sealed": None,
            "other_secret_sealed": None,
            "granted_at": now,
            **columns_of(tokens, runtime.secrets, now),
        },
    )
