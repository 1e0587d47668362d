from __future__ import annotations

from typing import Any

from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.stores import repository, service
from syncline.apps.commerce.stores.connection import client_of
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.tenant import Actor


async def row_of(commerce: LocalCommerce, actor: Actor) -> StoreRow:
    async with commerce.runtime.database.reading(actor.tenant_id) as session:
        return await service.get(session, "demo")


async def name_of_shop(client: ShopifyClient) -> str:
    return str((await client.execute("{shop{name}}", idempotent=True)).data["shop"]["name"])


async def test_all_tasks_of_a_process_share_one_client_and_the_last_closes_it(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    row = await row_of(commerce, owner)
    async with client_of(commerce.runtime, row) as first:
        async with client_of(commerce.runtime, row) as second:
            assert second is first
        assert await name_of_shop(first) == "Sandbox Supply"
    async with client_of(commerce.runtime, row) as later:
        assert later is not first


async def test_a_changed_token_opens_a_new_client_and_the_old_one_ends_with_its_users(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    row = await row_of(commerce, owner)
    async with client_of(commerce.runtime, row) as old:
        sealed = commerce.runtime.secrets.seal("shpat_new")
        async with commerce.runtime.database.writing(owner.tenant_id) as session:
            changed = await repository.change(session, row.store.id, {"token_sealed": sealed})
        async with client_of(commerce.runtime, changed) as new:
            assert new is not old
            assert new.config.access_token == "shpat_new"
        assert await name_of_shop(old) == "Sandbox Supply"
