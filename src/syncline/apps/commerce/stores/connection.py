"""One client per store and process, so that all its tasks plan against one picture of the store's bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.uninstalling import how_to_return
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.kernel.errors import Fatal
from syncline.runtime.app import Runtime


class AppUninstalled(Fatal):
    """The shop removed the app: there is no token until it is installed again."""


@dataclass(slots=True)
class _Shared:
    client: ShopifyClient
    token_sealed: bytes | None
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
    )


@asynccontextmanager
async def client_of(runtime: Runtime, row: StoreRow) -> AsyncIterator[ShopifyClient]:
    """The store's client, shared while anybody in this process uses it; a changed token opens a new one."""
    pool = _pools.setdefault(runtime, _Pool())
    key = row.store.id
    async with pool.lock:
        shared = pool.clients.get(key)
        if shared is None or shared.token_sealed != row.token_sealed:
            client = ShopifyClient(config_of(runtime, row))
            await client.__aenter__()
            shared = pool.clients[key] = _Shared(client, row.token_sealed)
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
