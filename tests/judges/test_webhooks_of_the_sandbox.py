"""Shopify's own library for Node judges the webhooks the sandbox sends, byte by byte as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.sandbox.shopify.receiver import Received, Receiver, receiving

from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import NewVariant, Store

OPTIONS = SandboxOptions()
APP = {"clientId": OPTIONS.client_id, "secret": OPTIONS.client_secrets[0]}
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
Judge = Callable[..., Any]


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Store, Receiver]]:
    store = Store()
    place = store.add_location("Lager Süd").id
    store.add_product(title="Mütze 🧢", handle="hat", variants=[NewVariant(quantities={place: 3})], log=False)
    store.sales.add_customer(first_name="Åsa", email="asa@example.com")
    app = create_app(store, OPTIONS, tmp_path)
    # Where the machine is so busy that connecting takes a second, the next attempt is not a minute away.
    app.state.engine.world.webhooks.settings.retry_scale = 0
    async with (
        running(app) as url,
        httpx.AsyncClient(base_url=url, timeout=60, verify=False) as client,
        receiving() as receiver,
    ):
        for topic in ("PRODUCTS_UPDATE", "INVENTORY_LEVELS_UPDATE", "CUSTOMERS_UPDATE"):
            app.state.engine.world.webhooks.subscribe(topic, receiver.url)
        yield client, store, receiver


def verdict(judge: Judge, one: Received, **other: str) -> Any:
    return judge("webhook", **{**APP, **other}, headers=one.headers, body=one.body.decode())


async def everything(client: httpx.AsyncClient, store: Store, receiver: Receiver) -> None:
    """Something of each kind, and the three topics of the configuration."""
    await client.post("/sandbox/webhooks", json={"config_address": receiver.url})
    await client.post("/sandbox/webhooks/storm", json={"actions": 6, "seed": 1})
    for topic in COMPLIANCE:
        await client.post("/sandbox/compliance", json={"topic": topic, "customer": next(iter(store.sales.customers))})
    await client.get("/sandbox/webhooks/settled")


async def test_the_library_believes_every_one(judge: Judge, sandbox: tuple[Any, Store, Receiver]) -> None:
    client, store, receiver = sandbox
    await everything(client, store, receiver)
    told = {one.topic: verdict(judge, one) for one in receiver.got}
    assert set(told) == {"products/update", "inventory_levels/update", "customers/update", *COMPLIANCE}
    assert {topic: one["valid"] for topic, one in told.items()} == dict.fromkeys(told, True)
    update = told["products/update"]
    assert (update["topic"], update["domain"], update["apiVersion"]) == (
        "PRODUCTS_UPDATE", store.shop.domain, "2026-10",
    )  # fmt: skip


async def test_another_secret_and_another_body_are_refused(judge: Judge, sandbox: tuple[Any, Store, Receiver]) -> None:
    client, store, receiver = sandbox
    await everything(client, store, receiver)
    one = receiver.of("products/update")[0]
    assert verdict(judge, one, secret="another") == {"valid": False, "reason": "invalid_hmac"}
    one.body = one.body.replace("Mütze".encode(), b"Muetze")
    assert verdict(judge, one)["valid"] is False


async def test_a_fault_of_the_sandbox_s_signature_is_one_to_the_library(
    judge: Judge, sandbox: tuple[Any, Store, Receiver]
) -> None:
    client, store, receiver = sandbox
    await client.post("/sandbox/faults", json={"faults": "webhook_signature"})
    await everything(client, store, receiver)
    assert {verdict(judge, one)["valid"] for one in receiver.got} == {False}
