"""A pulled shop whose app's secret is known, and what Shopify would send for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import text
from starlette.types import ASGIApp

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.webhook_contract import WebhookEvent
from syncline.apps.commerce.webhooks import repository
from syncline.apps.commerce.webhooks.repository import EventFilter
from syncline.apps.commerce.webhooks.writing import enqueue_apply
from syncline.kernel import clock
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobContext
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings
from syncline.sandbox.shopify import payloads

SECRET = "shpss_of_the_app"


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass
class Hooked:
    """`send` is one delivery; `work` runs the jobs that wait."""

    pulled: Any
    client: httpx.AsyncClient
    store_id: UUID
    limiter: Limiter = field(default_factory=lambda: Limiter(MemoryCounts(), with_settings({})))

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.pulled.commerce.runtime
        return runtime

    @property
    def tenant(self) -> TenantId:
        tenant: TenantId = self.pulled.actor.tenant_id
        return tenant

    @property
    def shop(self) -> Any:
        return self.pulled.shop

    def headers(self, body: bytes, topic: str, **more: str | None) -> dict[str, str]:
        told: dict[str, str | None] = {
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": signature(body),
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": str(uuid4()),
            "X-Shopify-Event-Id": str(uuid4()),
            "X-Shopify-Triggered-At": clock.now().isoformat(),
            **{f"X-Shopify-{name.replace('_', '-').title()}": value for name, value in more.items()},
        }
        return {name: value for name, value in told.items() if value is not None}

    async def send(
        self, topic: str, payload: Mapping[str, Any] | bytes, *, path: str = "/api/webhooks/shopify", **more: str | None
    ) -> httpx.Response:
        body = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        return await self.client.post(path, content=body, headers=self.headers(body, topic, **more))

    async def work(self) -> None:
        """What is to be done at once; jobs for later stay."""
        queue = self.pulled.queue
        while ready := [one for one in queue.waiting if one.run_at is None]:
            job = ready[0]
            queue.waiting.remove(job)
            context = JobContext(runtime=self.runtime, job_id=job.job_id, attempt=1, tenant=job.tenant)
            await queue.declared(job.job).run(context, job.payload)

    @property
    def waiting(self) -> Sequence[Any]:
        found: Sequence[Any] = self.pulled.queue.waiting
        return found

    async def events(self, **wanted: Any) -> Sequence[WebhookEvent]:
        async with self.runtime.database.reading(self.tenant) as session:
            page = await repository.list_events(
                session, EventFilter(store_id=self.store_id, **wanted), PageRequest(limit=100)
            )
        return page.items

    async def event(self) -> WebhookEvent:
        (only,) = await self.events()
        return only

    async def mirrored(self, table: str, number: int, key: str = "id") -> Mapping[str, Any] | None:
        query = text(f"SELECT * FROM commerce.{table} WHERE store_id = :store AND {key} = :number")
        async with self.runtime.database.reading(self.tenant) as session:
            rows = await session.execute(query, {"store": self.store_id, "number": number})
            row = rows.mappings().one_or_none()
        return None if row is None else dict(row)

    def product(self, handle: str) -> Any:
        return next(one for one in self.shop.store.products.values() if one.handle == handle)

    def payload(self, handle: str, *, later: int = 1, **changes: Any) -> dict[str, Any]:
        """A product as it is in the shop, changed `later` seconds after its last change there."""
        one = self.product(handle)
        moment = payloads.rest_moment(one.updated_at + timedelta(seconds=later))
        return {**payloads.product(self.shop.store, one), "updated_at": moment, **changes}


async def give_secret(runtime: Runtime, tenant: TenantId, store_id: UUID, *secrets: str) -> None:
    """The newest first."""
    now = clock.now()
    sealed = [runtime.secrets.seal(one) for one in secrets]
    async with runtime.database.writing(tenant) as session:
        values = {
            "kind": grants.GrantKind.CUSTOM,
            "secret_sealed": sealed[0],
            "other_secret_sealed": sealed[1] if len(sealed) > 1 else None,
            "granted_at": now,
            "issued_at": now,
        }
        await grants.put(session, store_id, values)


def served(runtime: Runtime, limiter: Limiter | None = None) -> ASGIApp:
    return create_app(runtime, [APP], limiter=limiter)


@pytest.fixture
async def shop(open_shop: Callable[..., Awaitable[Any]]) -> Any:
    """Of an address of its own: tests that share the database connect shops of one address, each with its own key."""
    opened = await open_shop()
    opened.store.shop.domain = f"shop-{uuid4().hex[:12]}.myshopify.com"
    return opened


@pytest.fixture
async def hooked(pulled: Any, make_client: Callable[..., Awaitable[httpx.AsyncClient]]) -> Hooked:
    (store,) = await pulled.commerce.list_stores(actor=pulled.actor)
    runtime = pulled.commerce.runtime
    await give_secret(runtime, pulled.actor.tenant_id, store.id, SECRET)
    return Hooked(pulled, await make_client(runtime), store.id)


@pytest.fixture
async def make_client() -> AsyncIterator[Callable[..., Awaitable[httpx.AsyncClient]]]:
    opened: list[httpx.AsyncClient] = []

    async def make(runtime: Runtime, limiter: Limiter | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=served(runtime, limiter), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://syncline.test")
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()


async def title(hooked: Hooked, handle: str = "mug") -> str:
    row = await hooked.mirrored("product", hooked.product(handle).id)
    assert row is not None
    return str(row["title"])


async def soon(hooked: Hooked) -> None:
    """As if the waits and leases were over; with a job that looks."""
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        query = text("UPDATE commerce.webhook_event SET due_at = now() - interval '1 s' WHERE store_id = :store")
        await session.execute(query, {"store": hooked.store_id})
        await enqueue_apply(session, hooked.runtime.queue, hooked.tenant, hooked.store_id)
