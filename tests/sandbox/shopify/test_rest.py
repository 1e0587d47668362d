"""What older clients ask over REST before they begin."""

from __future__ import annotations

import httpx

from syncline.sandbox.shopify.options import DEFAULT_SCOPES
from syncline.sandbox.shopify.rest import CallLimit

SHOP = "/admin/api/2025-07/shop.json"


async def test_the_shop_is_told_with_the_level_of_the_bucket(http: httpx.AsyncClient) -> None:
    answer = await http.get(SHOP)
    shop = answer.json()["shop"]
    assert (shop["name"], shop["myshopify_domain"], shop["currency"]) == (
        "Sandbox Supply",
        "sandbox-supply.myshopify.com",
        "USD",
    )
    assert answer.headers["X-Shopify-Shop-Api-Call-Limit"] == "1/40"
    assert answer.headers["X-Shopify-API-Version"] == "2025-10"


async def test_without_the_token_nothing_is_told(http: httpx.AsyncClient) -> None:
    assert (await http.get(SHOP, headers={"X-Shopify-Access-Token": "another"})).status_code == 401


async def test_the_scopes_hold_what_writing_implies(http: httpx.AsyncClient) -> None:
    scopes = {one["handle"] for one in (await http.get("/admin/oauth/access_scopes.json")).json()["access_scopes"]}
    assert scopes == DEFAULT_SCOPES | {"read_products", "read_inventory", "read_orders", "read_customers", "read_files"}


async def test_a_bucket_that_runs_over_refuses_and_says_how_long(http: httpx.AsyncClient) -> None:
    await http.post("/sandbox/limits", json={"plan": "standard"})
    answers = [await http.get(SHOP) for _ in range(60)]
    refused = [one for one in answers if one.status_code == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "2.0"
    assert "X-Shopify-Shop-Api-Call-Limit" not in refused[0].headers
    assert refused[0].json()["errors"].startswith("Exceeded 2 calls per second")


def test_the_bucket_leaks() -> None:
    now = [0.0]
    limit = CallLimit(lambda: now[0])
    levels = [limit.take("standard", is_on=True) for _ in range(41)]
    assert (levels[0], levels[39], levels[40]) == ((1, 40), (40, 40), None)
    now[0] = 10.0
    assert limit.take("standard", is_on=True) == (21, 40)
