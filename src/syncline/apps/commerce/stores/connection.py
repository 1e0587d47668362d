"""One client per store and process, so that all its tasks plan against one picture of the store's bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens.source import StoreTokens
from syncline.apps.commerce.stores.uninstalling import how_to_return
from syncline.connectors.shopify.auth import RenewedToken
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.kernel.errors import Fatal
from syncline.runtime.app import Runtime


class AppUninstalled(Fatal):
    """The shop removed the app: there is no token until it is installed again."""


@dataclass(slots=True)
class _Shared:
    client: ShopifyClient
    signed_by: str | bytes | None
    users: int = 0


@dataclass(slots=True)
class _Pool:
    clients: dict[UUID, _Shared] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_pools: WeakKeyDictionary[Runtime, _Pool] = WeakKeyDictionary()


def config_of(runtime: Runtime, row: StoreRow) -> ShopifyConfig:
    """Raises `Fatal` for a store whose shop uninstalled the app."""
    if row.token_sealed is None:
        raise AppUninstalled(
            f"{row.store.shop_domain} uninstalled the app; {how_to_return(row.store.name)}",
            vendor_code="uninstalled",
        )
    return ShopifyConfig(
        shop_domain=row.store.shop_domain,
        access_token=runtime.secrets.open(row.token_sealed),
        api_version=row.store.api_version,
        base_url=row.store.base_url,
        client_id=row.client_id,
    )


def _auth(runtime: Runtime, row: StoreRow) -> RenewedToken | None:
    return None if row.client_id is None else RenewedToken(StoreTokens(runtime, row.tenant_id, row.store.id))


@asynccontextmanager
async def client_of(runtime: Runtime, row: StoreRow) -> AsyncIterator[ShopifyClient]:
    """The store's client, shared while anybody in this process uses it. A token that somebody typed in anew opens
    another; those of an app come and go under the same one, so that what runs is not interrupted."""
    pool = _pools.setdefault(runtime, _Pool())
    key = row.store.id
    async with pool.lock:
        shared = pool.clients.get(key)
        signed_by = row.client_id or row.token_sealed
        if shared is None or shared.signed_by != signed_by:
            client = ShopifyClient(config_of(runtime, row), auth=_auth(runtime, row))
            await client.__aenter__()
            shared = pool.clients[key] = _Shared(client, signed_by)
        shared.users += 1
    try:
        yield shared.client
    finally:
        async with pool.lock:
            shared.users -= 1
            if shared.users == 0:
                if pool.clients.get(key) is shared:
                    del pool.clients[key]
                await shared.client.__aexit__(None, None, None)
