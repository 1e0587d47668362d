from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Protocol, TypeVar

import pytest
import structlog
from typer.testing import CliRunner, Result

from syncline.main.cli import app
from syncline.runtime.db.settings import DatabaseSettings
from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.entities import Shop as ShopFacts
from syncline.sandbox.shopify.faults import parse_faults
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import NewVariant, Store
from syncline.sandbox.together import Town

T = TypeVar("T")


class Run(Protocol):
    def __call__(self, *arguments: str, stdin: str | None = None) -> Result: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs a command in this process, with no settings but its own."""
    for name in list(os.environ):
        if name.startswith("SYNCLINE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SYNCLINE_DATA_DIR", str(tmp_path))
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)

    yield call
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def on_database(run: Run, monkeypatch: pytest.MonkeyPatch, database_settings: DatabaseSettings) -> Run:
    """The same, on a migrated database of the test run's server."""
    monkeypatch.setenv("SYNCLINE_DATABASE_URL", str(database_settings.url))
    monkeypatch.setenv("SYNCLINE_DATABASE_ADMIN_URL", str(database_settings.admin_url))
    return run


@dataclass
class Shop:
    """A sandbox shop on a socket, in a thread of its own: commands take the test's thread for themselves."""

    store: Store
    url: str
    loop: asyncio.AbstractEventLoop
    app: Any

    def do(self, change: Callable[[Store], T]) -> T:
        """A merchant's edit, made where the shop runs."""

        async def made() -> T:
            return change(self.store)

        return asyncio.run_coroutine_threadsafe(made(), self.loop).result(10)

    def price(self, sku: str) -> str:
        return next(one.price for one in self.store.variants.values() if one.sku == sku)

    def reprice(self, sku: str, price: str) -> None:
        variant = next(one for one in self.store.variants.values() if one.sku == sku)
        self.do(lambda store: store.update_variant(variant, price=price))

    def fail(self, faults: str) -> None:
        def add(_: Store) -> None:
            for fault in parse_faults(faults):
                self.app.state.engine.world.faults.add(fault)

        self.do(add)

    @property
    def options(self) -> tuple[str, ...]:
        return ("--domain", self.store.shop.domain, "--url", self.url)


def _stock(store: Store) -> None:
    main, flagship = store.add_location("Main warehouse").id, store.add_location("Flagship store").id
    began = datetime(2026, 1, 5, 8, tzinfo=UTC)
    store.add_product(
        title="[red]Linen[/red] Shirt",
        handle="linen-shirt",
        vendor="Acme",
        tags=["summer"],
        options=[("Size", ["S", "M"])],
        variants=[
            NewVariant(["S"], "20.00", "SHIRT-S", quantities={main: 10, flagship: 3}),
            NewVariant(["M"], "22.00", "SHIRT-M", quantities={main: 1}),
        ],
        created_at=began,
        log=False,
    )
    for number in range(12):
        variant = NewVariant(["Default Title"], f"{number}.50", f"MUG-{number}", quantities={main: number})
        store.add_product(
            title=f"Mug {number}", handle=f"mug-{number}", variants=[variant], created_at=began, log=False
        )


@contextmanager
def _served(web: Any) -> Iterator[tuple[str, asyncio.AbstractEventLoop]]:
    """A double's address, and the loop of the thread in which it runs."""
    opened, made = Event(), []

    async def serve() -> None:
        closed = asyncio.Event()
        async with running(web) as url:
            made.append((url, asyncio.get_running_loop(), closed))
            opened.set()
            await closed.wait()

    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(asyncio.run, serve())
        assert opened.wait(60)
        url, loop, closed = made[0]
        yield url, loop
        loop.call_soon_threadsafe(closed.set)
        serving.result(60)


@contextmanager
def _opened(store: Store, folder: Path) -> Iterator[Shop]:
    _stock(store)
    folder.mkdir()
    web = create_app(store, SandboxOptions(limits=False), folder)
    with _served(web) as (url, loop):
        yield Shop(store, url, loop, web)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shirt in two sizes at two locations, and twelve mugs at one."""
    with _opened(Store(), tmp_path / "shop") as made:
        yield made


@pytest.fixture
def outlet(tmp_path: Path) -> Iterator[Shop]:
    """Another shop with the same goods."""
    with _opened(Store(ShopFacts(domain="outlet-supply.myshopify.com")), tmp_path / "outlet") as made:
        yield made


@dataclass
class Tools:
    """Doubles of the outreach tools on a socket; `at_source` counts what a sync of everything stores."""

    town: Town
    url: str

    @property
    def at_source(self) -> int:
        lemlist = sum(event.campaign is not None for event, _ in self.town.lemlist.store.all_events())
        return lemlist + int(self.town.smartlead.store.counts()["first"])

    def options(self, tool: str) -> tuple[str, ...]:
        """Of `outreach connect`."""
        told = self.town.addresses(self.url)[tool]
        mixpanel = ("--project", told.get("project_id", ""), "--user", told.get("username", ""))
        plan = ("--plan", "none") if tool in {"lemlist", "smartlead"} else ()
        key = told.get("key") or told.get("password") or told["token"]
        return (tool, "--key", key, "--url", told["url"], *plan, *(mixpanel if tool == "mixpanel" else ()))


@pytest.fixture
def tools() -> Iterator[Tools]:
    """Two hundred events in four campaigns of lemlist and Smartlead, and an empty Mixpanel."""
    until = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    town = Town.make(events=200, campaigns=4, limits=False, until_ms=until)
    with _served(town.app()) as (url, _):
        yield Tools(town, url)


@pytest.fixture
def outreach(on_database: Run, tools: Tools) -> Run:
    """Commands on a database that is connected to lemlist, Smartlead and Mixpanel."""
    for tool in ("lemlist", "smartlead", "mixpanel"):
        assert on_database("outreach", "connect", *tools.options(tool)).exit_code == 0
    return on_database


@pytest.fixture
def connected(on_database: Run, shop: Shop) -> Run:
    """Commands on a database that knows the shop as `demo`."""
    assert on_database("stores", "add", "demo", *shop.options, "--token", "shpat_sandbox").exit_code == 0
    return on_database


@pytest.fixture
def pulled(connected: Run) -> Run:
    """The same, with the shop's records in the mirror."""
    assert connected("pull", "demo", "--json").exit_code == 0
    return connected


@pytest.fixture
def said() -> Callable[[Result], Any]:
    """The one JSON document that a command with `--json` prints, and nothing else on either stream."""

    def read(done: Result) -> Any:
        assert done.stderr == ""
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)

    return read
