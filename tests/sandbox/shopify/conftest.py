"""A small shop whose every value is known, and ways to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.engine import Asked, Engine
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import NewVariant, Store

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def shop() -> Store:
    """Five products a day apart; the first has two sizes, stocked at both locations (10 and 3 of each)."""
    store = Store()
    first = store.add_location("Warehouse")
    second = store.add_location("Flagship store")
    stock = {first.id: 10, second.id: 3}
    store.add_product(
        title="Linen Shirt",
        handle="linen-shirt",
        vendor="Acme",
        tags=["Linen", "summer"],
        options=[("Size", ["S", "M"])],
        variants=[
            NewVariant(["S"], price="20.00", sku="SHIRT-S", unit_cost="8.50", quantities=stock),
            NewVariant(["M"], price="22.00", sku="SHIRT-M", quantities=stock),
        ],
        created_at=START,
        log=False,
    )
    for number, title in enumerate(("Mug", "Ünder Coat", "apron", "Zebra Rug"), start=1):
        store.add_product(
            title=title,
            handle=f"product-{number}",
            created_at=START + timedelta(days=number),
            variants=[NewVariant(["Default Title"], price=f"{number}.00", quantities={first.id: number})],
            log=False,
        )
    return store


@pytest.fixture
def engine(shop: Store, tmp_path: Path) -> Engine:
    return Engine(shop, SandboxOptions(), tmp_path)


@pytest.fixture
def ask(engine: Engine) -> Ask:
    """`ask(query, variables, version=...)`: the answer's body."""

    def run(query: str, variables: dict[str, Any] | None = None, *, version: str = "2026-10", **more: Any) -> Any:
        return engine.answer(Asked(version, query, variables or {}, **more))

    return run


@pytest.fixture
async def http(shop: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The shop on a real socket, with its token on every request."""
    app = create_app(shop, SandboxOptions(), tmp_path)
    headers = {"X-Shopify-Access-Token": SandboxOptions().token}
    async with running(app) as url, httpx.AsyncClient(base_url=url, headers=headers, verify=False) as client:
        yield client
