"""A sandbox store per test, spoken to in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.runtime.connect.retry import RetryPolicy
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store


@dataclass
class Sandbox:
    store: Store
    app: Starlette

    @property
    def world(self) -> Any:
        return self.app.state.engine.world

    def client(self, *, retry: RetryPolicy = FAST_RETRY, base_url: str | None = None, **changes: Any) -> ShopifyClient:
        """In process, or over a socket when `base_url` names one."""
        settings = {"shop_domain": "sandbox.myshopify.com", "access_token": "shpat_sandbox", **changes}
        return ShopifyClient(
            ShopifyConfig(**settings, base_url=base_url or "http://127.0.0.1:1"),
            transport=None if base_url else httpx.ASGITransport(self.app),
            registry=fresh_registry(),
            retry=retry,
        )


Open = Callable[..., Any]


@pytest.fixture
async def open_sandbox() -> AsyncIterator[Open]:
    """`await open_sandbox(products=40, faults="throttle=1", ...)`; the options are those of the sandbox, and `more`
    goes to its generator."""
    async with AsyncExitStack() as stack:

        async def open_(
            products: int = 40, seed: int = 1, more: Mapping[str, Any] | None = None, **options: Any
        ) -> Sandbox:
            store = Store()
            generate(store, products=products, seed=seed, **(more or {}))
            app = create_app(store, SandboxOptions(**options))
            await stack.enter_async_context(app.router.lifespan_context(app))
            return Sandbox(store, app)

        yield open_


@pytest.fixture
async def sandbox(open_sandbox: Open) -> Sandbox:
    opened: Sandbox = await open_sandbox()
    return opened
