"""Pausing a store: its pulls and pushes do not start, nobody else's do not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import PullMode, Store
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.stores import repository
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.controls.stops import Paused
from syncline.runtime.http.factory import create_app

WHY = {"reason": "It moves to another plan"}


@pytest.fixture
async def client(runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    actors = {
        "owner": Actor(tenant_id, "ann", "owner"),
        "editor": Actor(tenant_id, "ed", "editor"),
        "stranger": Actor(other_tenant_id, "sam", "owner"),
    }

    async def authenticate(key: str) -> Actor | None:
        return actors.get(key)

    app = create_app(runtime, [APP], authenticate=authenticate)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


@pytest.fixture
async def demo(runtime: Runtime, tenant_id: TenantId) -> Store:
    values = {
        "name": "demo",
        "shop_domain": "demo.myshopify.com",
        "base_url": None,
        "api_version": "2026-10",
        "shop_name": "Demo",
        "currency": "USD",
        "plan": "Basic",
        "scopes": ["read_products"],
    }
    async with runtime.database.writing(tenant_id) as session:
        return (await repository.add(session, token_sealed=runtime.secrets.seal("t"), values=values)).store


def be(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def pause(client: httpx.AsyncClient, who: str, name: str = "demo") -> httpx.Response:
    return await client.put(f"/api/shopify/stores/{name}/pause", json=WHY, headers=be(who))


async def test_a_paused_stores_pulls_and_pushes_do_not_start(
    client: httpx.AsyncClient, commerce: LocalCommerce, demo: Store, owner: Actor
) -> None:
    paused = await pause(client, "owner")
    assert (paused.status_code, paused.json()["store_id"]) == (200, str(demo.id))
    with pytest.raises(Paused, match="ann paused this store: It moves to another plan"):
        await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL)
    with pytest.raises(Paused):
        await commerce.start_push(actor=owner, store="demo")


async def test_a_store_that_goes_on_is_pulled_again(
    client: httpx.AsyncClient, commerce: LocalCommerce, demo: Store, owner: Actor
) -> None:
    await pause(client, "owner")
    gone_on = await client.delete("/api/shopify/stores/demo/pause", headers=be("owner"))
    assert (gone_on.status_code, gone_on.json()["name"]) == (200, "demo")
    assert (await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL)).store == "demo"


@pytest.mark.parametrize(("who", "expected"), [("nobody", 401), ("editor", 403), ("stranger", 404)])
async def test_only_an_owner_of_its_tenant_pauses_a_store(
    client: httpx.AsyncClient, demo: Store, who: str, expected: int
) -> None:
    assert (await pause(client, who)).status_code == expected
    answer = await client.delete("/api/shopify/stores/demo/pause", headers=be("owner"))
    assert (answer.status_code, answer.json()["code"]) == (404, "OPS_004")


async def test_a_store_nobody_knows_is_404(client: httpx.AsyncClient) -> None:
    assert (await pause(client, "owner", "nowhere")).status_code == 404
