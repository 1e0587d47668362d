"""Lines as the connector gives them, with defaults that make a valid record; and a small shop on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from cryptography.fernet import Fernet
from fastapi import FastAPI
from psycopg.sql import SQL, Identifier
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import Commerce, PullMode, PullRun, PushRun, Store
from syncline.apps.commerce.facade import LocalCommerce, build
from syncline.apps.commerce.stores import repository as store_repository
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession
from syncline.runtime.http.factory import create_app as make_web
from syncline.runtime.jobs.testing import FakeJobQueue
from syncline.runtime.secrets import SecretBox
from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import NewVariant, Shop
from syncline.sandbox.shopify.state import Store as SandboxStore

Line = Callable[..., bytes]
Call = Callable[..., Awaitable[httpx.Response]]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def taken_for_empty(shared_database: Database) -> Iterator[Callable[[str], None]]:
    """`taken_for_empty("product")`: the planner takes the table for one without rows, as it does when it was looked at
    before they were committed. Forgotten after the test."""
    forget = SQL("SELECT pg_clear_relation_stats('commerce', {})")
    with psycopg.connect(shared_database.operator_url, autocommit=True) as operator, ExitStack() as afterwards:

        def take(table: str) -> None:
            afterwards.callback(operator.execute, forget.format(table))
            operator.execute(SQL("ANALYZE {}").format(Identifier("commerce", table)))

        yield take


@pytest.fixture
def product_line() -> Line:
    def make(number: int = 1, *, updated_at: str = "2026-11-22T10:00:00Z", **more: Any) -> bytes:
        record = {
            "id": f"gid://shopify/Product/{number}",
            "title": f"Product {number}",
            "handle": f"product-{number}",
            "descriptionHtml": "<p>Good.</p>",
            "vendor": "Acme",
            "productType": "Shirt",
            "status": "ACTIVE",
            "tags": ["new", "Summer"],
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": updated_at,
            "publishedAt": None,
            "templateSuffix": None,
            "isGiftCard": False,
            "seo": {"title": None, "description": None},
            "options": [{"id": "gid://shopify/ProductOption/1", "name": "Size", "position": 1, "values": ["S"]}],
            "variantsCount": {"count": 1},
        }
        return msgspec.json.encode({**record, **more})

    return make


@pytest.fixture
def variant_line() -> Line:
    def make(number: int = 11, *, product: int = 1, updated_at: str = "2026-11-22T10:00:00Z", **more: Any) -> bytes:
        record = {
            "id": f"gid://shopify/ProductVariant/{number}",
            "title": "S",
            "sku": f"SKU-{number}",
            "barcode": None,
            "price": "12.50",
            "compareAtPrice": None,
            "position": 1,
            "taxable": True,
            "inventoryPolicy": "DENY",
            "selectedOptions": [{"name": "Size", "value": "S"}],
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": updated_at,
            "inventoryItem": {
                "id": f"gid://shopify/InventoryItem/{number}00",
                "tracked": True,
                "requiresShipping": True,
                "unitCost": {"amount": "4.00"},
                "measurement": {"weight": {"value": 0.6, "unit": "KILOGRAMS"}},
            },
            "__parentId": f"gid://shopify/Product/{product}",
        }
        return msgspec.json.encode({**record, **more})

    return make


@pytest.fixture
def level_line() -> Line:
    def make(
        item: int = 1100, *, place: int = 5, available: int = 3, updated_at: str = "2026-11-22T10:00:00Z"
    ) -> bytes:
        record = {
            "id": f"gid://shopify/InventoryLevel/99?inventory_item_id={item}",
            "updatedAt": updated_at,
            "item": {"id": f"gid://shopify/InventoryItem/{item}"},
            "quantities": [
                {"name": "available", "quantity": available},
                {"name": "on_hand", "quantity": available},
                {"name": "committed", "quantity": 0},
                {"name": "incoming", "quantity": 0},
            ],
            "__parentId": f"gid://shopify/Location/{place}",
        }
        return msgspec.json.encode(record)

    return make


@pytest.fixture
def location_line() -> Line:
    def make(number: int = 5, *, name: str = "Main", is_active: bool = True) -> bytes:
        return msgspec.json.encode({"id": f"gid://shopify/Location/{number}", "name": name, "isActive": is_active})

    return make


@pytest.fixture
def add_store(session: WriteSession) -> Callable[..., Awaitable[Store]]:
    """A store in the rolled-back transaction, whose shop nobody ever asks."""

    async def add(name: str = "demo", *, currency: str = "USD") -> Store:
        values: dict[str, Any] = {
            "name": name,
            "shop_domain": f"{name}.myshopify.com",
            "base_url": None,
            "api_version": "2026-10",
            "shop_name": "Demo",
            "currency": currency,
            "plan": "Basic",
            "scopes": [],
        }
        return (await store_repository.add(session, token_sealed=b"", values=values)).store

    return add


TOKEN = SandboxOptions().token


@dataclass
class Door:
    """In front of a shop: keeps the next request of one operation waiting while a test does something."""

    app: ASGIApp | None = None
    operation: bytes | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, app: ASGIApp) -> Door:
        self.app = app
        return self

    def hold(self, operation: str) -> None:
        self.operation = operation.encode()

    async def wait(self) -> None:
        """Until the request is there."""
        await asyncio.wait_for(self.arrived.wait(), 60)

    def open(self) -> None:
        self.opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waiting = [await receive()] if scope["type"] == "http" else []
        if self.operation is not None and waiting and self.operation in waiting[0].get("body", b""):
            self.operation = None
            self.arrived.set()
            await self.opened.wait()

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        assert self.app is not None
        await self.app(scope, again, send)


@dataclass
class OpenShop:
    """A sandbox shop that answers at `url`. What a test does to `store` is a merchant's edit."""

    store: SandboxStore
    url: str
    web: Any
    door: Door

    def renew(self, token: str) -> None:
        """The shop's owner makes a new token; the old one is worth nothing from now on."""
        world = self.web.state.engine.world
        world.options = replace(world.options, token=token)

    @property
    def domain(self) -> str:
        return self.store.shop.domain

    def variant(self, sku: str) -> Any:
        return next(one for one in self.store.variants.values() if one.sku == sku)

    def available(self, sku: str, place: str) -> int:
        location = next(one.id for one in self.store.locations.values() if one.name == place)
        return int(self.store.levels[self.variant(sku).item_id, location].available)


OpenTheShop = Callable[..., Awaitable[OpenShop]]


def stock(store: SandboxStore) -> None:
    """A shirt in two sizes at two locations, a drafted mug at one, and a hat with awkward signs and no vendor."""
    main = store.add_location("Main warehouse").id
    flagship = store.add_location("Flagship store").id
    digits = store.shop.currency != "JPY"
    began = datetime(2026, 1, 5, 8, tzinfo=UTC)
    store.add_product(
        title="Linen Shirt",
        handle="linen-shirt",
        vendor="Acme",
        product_type="Shirt",
        tags=["Linen", "summer"],
        description_html="<p>Cool.</p>",
        options=[("Size", ["S", "M"])],
        variants=[
            NewVariant(
                *(["S"], "20.00" if digits else "2000", "SHIRT-S", "0123"),
                unit_cost="8.50" if digits else "850",
                quantities={main: 10, flagship: 3},
            ),
            NewVariant(["M"], "22.00" if digits else "2200", "SHIRT-M", quantities={main: 1, flagship: 0}),
        ],
        created_at=began,
        log=False,
    )
    store.add_product(
        title="Mug",
        handle="mug",
        vendor="Globex",
        status="DRAFT",
        variants=[NewVariant(["Default Title"], "9.00" if digits else "900", None, quantities={main: 5})],
        created_at=began + timedelta(days=1),
        log=False,
    )
    store.add_product(
        title="100% wool_hat \\ «🧢»",
        handle="wool-hat",
        vendor="",
        tags=["summer sale"],
        variants=[NewVariant(["Default Title"], "15.50" if digits else "1550", "", quantities={main: 0})],
        created_at=began + timedelta(days=2),
        log=False,
    )


@pytest.fixture
async def open_shop(tmp_path: Path) -> AsyncIterator[OpenTheShop]:
    """`await open_shop(currency="JPY", scopes=frozenset(...))`: the options are the sandbox's."""
    async with AsyncExitStack() as stack:

        async def open_(
            currency: str = "USD", fill: Callable[[SandboxStore], None] = stock, **options: Any
        ) -> OpenShop:
            store = SandboxStore(Shop(currency=currency))
            fill(store)
            settings = SandboxOptions(**{"limits": False, **options})
            folder = tmp_path / f"shop-{currency}"
            folder.mkdir()
            web = create_app(store, settings, folder)
            door = Door()
            web.add_middleware(door.before)
            return OpenShop(store, await stack.enter_async_context(running(web)), web, door)

        yield open_


@pytest.fixture
async def shop(open_shop: OpenTheShop) -> OpenShop:
    return await open_shop()


@pytest.fixture
def queue() -> FakeJobQueue:
    return FakeJobQueue(APP.jobs)


@pytest.fixture
def runtime(shared_database: Database, queue: FakeJobQueue) -> Runtime:
    """The commerce app, for a tenant of its own in a database that other tests use too; what it commits stays there.
    Jobs wait in memory until a test runs them."""
    made = Runtime(
        database=shared_database,
        queue=queue,
        secrets=SecretBox([Fernet.generate_key().decode()]),
        settings={"commerce": APP.settings()},
    )
    made.contracts[Commerce] = build(made)
    return made


@pytest.fixture
def commerce(runtime: Runtime) -> LocalCommerce:
    return build(runtime)


@pytest.fixture
def owner(tenant_id: TenantId) -> Actor:
    return Actor(tenant_id, "the owner", "owner")


@pytest.fixture
def stranger(other_tenant_id: TenantId) -> Actor:
    """An owner, of another tenant."""
    return Actor(other_tenant_id, "the stranger", "owner")


@dataclass
class Pulled:
    """A shop that is connected under the name `demo` and whose mirror is up to date."""

    shop: OpenShop
    commerce: LocalCommerce
    actor: Actor
    queue: FakeJobQueue

    async def pull(self, mode: PullMode = PullMode.FULL) -> PullRun:
        started = await self.commerce.start_pull(actor=self.actor, store="demo", mode=mode)
        await self.work()
        return await self.commerce.get_pull(actor=self.actor, run_id=started.id)

    async def push(self) -> PushRun:
        started = await self.commerce.start_push(actor=self.actor, store="demo")
        await self.work()
        return await self.commerce.get_push(actor=self.actor, run_id=started.id)

    async def work(self) -> None:
        await self.queue.run_waiting(self.commerce.runtime)

    async def connect(self) -> Store:
        return await self.commerce.add_store(
            actor=self.actor, name="demo", shop_domain=self.shop.domain, token=TOKEN, base_url=self.shop.url
        )


@pytest.fixture
def make_pulled(commerce: LocalCommerce, owner: Actor, queue: FakeJobQueue) -> Callable[[OpenShop], Awaitable[Pulled]]:
    async def make(shop: OpenShop) -> Pulled:
        made = Pulled(shop, commerce, owner, queue)
        await made.connect()
        await made.pull()
        return made

    return make


@pytest.fixture
async def pulled(shop: OpenShop, make_pulled: Callable[[OpenShop], Awaitable[Pulled]]) -> Pulled:
    return await make_pulled(shop)


@pytest.fixture(scope="module")
def web() -> FastAPI:
    """Made once for a module: it takes longer than a request."""
    return make_web(None, [APP])


@pytest.fixture
async def call(web: FastAPI, runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role)

    web.state.runtime, web.state.authenticate = runtime, authenticate
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", verify=False) as client:

        async def send(
            method: str, path: str, *, role: str | None = "owner", tenant: str = "mine", **request: Any
        ) -> httpx.Response:
            headers = {"Authorization": f"Bearer {role}@{tenant}"} if role else {}
            return await client.request(method, path, headers=headers, **request)

        yield send
