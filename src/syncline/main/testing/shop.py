"""A sandbox shop on a socket of the test's event loop, asked over HTTP as anybody would."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

import httpx
import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.kernel.ids import new_id
from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store

_OPERATION = re.compile(rb'"query":\s*"\s*(?:query|mutation)\s+(\w+)')


class Moment(StrEnum):
    """Where a request is when a tripwire goes off: lost on the way, before it is run, or run and not answered."""

    LOST = "lost"
    ARRIVING = "arriving"
    ANSWERING = "answering"


@dataclass(slots=True)
class _Trip:
    operations: frozenset[str]
    passing: int
    moment: Moment
    act: Callable[[], None]


@dataclass(slots=True)
class Tripwire:
    """Calls something when a chosen request reaches the shop."""

    app: ASGIApp
    trip: _Trip | None = None

    def set(self, act: Callable[[], None], *operations: str, passing: int = 0, moment: Moment) -> None:
        """`act` at the first request of these operations after `passing` of them; it replaces what was set before."""
        self.trip = _Trip(frozenset(operations), passing, moment, act)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/graphql.json") or self.trip is None:
            await self.app(scope, receive, send)
            return
        first = await receive()
        again = _replaying([first], receive)
        trip = self._tripped(first.get("body", b""))
        if trip is None:
            await self.app(scope, again, send)
            return
        if trip.moment is Moment.ANSWERING:
            await self.app(scope, again, _before_answer(send, trip.act))
            return
        trip.act()
        if trip.moment is Moment.ARRIVING:
            await self.app(scope, again, send)
        else:
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    def _tripped(self, body: bytes) -> _Trip | None:
        """The trip, if this is the request it waits for; it goes off once."""
        found = _OPERATION.search(body[:4096])
        # A request of several calls is named after all of them.
        names = set(found[1].decode().split("_")) if found is not None else set()
        if self.trip is None or not names & self.trip.operations:
            return None
        if self.trip.passing:
            self.trip.passing -= 1
            return None
        trip, self.trip = self.trip, None
        return trip


def _replaying(waiting: list[Message], receive: Receive) -> Receive:
    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _before_answer(send: Send, act: Callable[[], None]) -> Send:
    async def passed_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            act()
        await send(message)

    return passed_on


@dataclass(slots=True)
class Shop:
    """`store` is the sandbox's own memory, for choosing what to touch; what is counted comes over HTTP."""

    url: str
    token: str
    store: Store
    tripwire: Tripwire
    http: httpx.AsyncClient = field(repr=False)
    world: Any = field(repr=False)

    @property
    def domain(self) -> str:
        return self.store.shop.domain

    def revoke(self) -> None:
        """The merchant makes a new token; the old one is refused from now on."""
        self.token = f"shpat_{new_id().hex}"
        self.world.options = replace(self.world.options, token=self.token)

    async def rows(self, kind: str) -> list[dict[str, Any]]:
        """products, variants, items, levels, locations or events, as the shop keeps them."""
        return [msgspec.json.decode(line) for line in (await self._get(f"/sandbox/state/{kind}")).content.splitlines()]

    async def ledger(self) -> list[dict[str, Any]]:
        """Every mutation the shop took, oldest first."""
        entries: list[dict[str, Any]] = (await self._get("/sandbox/ledger")).json()["entries"]
        return entries

    async def writes(self) -> Counter[str]:
        """How often each field of each record was written: `ProductVariant/41 price` -> 1."""
        changes = (change for entry in await self.ledger() if not entry["replayed"] for change in entry["changes"])
        return Counter(
            f"{change['kind']}/{change['id']} {name}" for change in changes for name in _fields(change["values"])
        )

    async def stats(self) -> dict[str, Any]:
        said: dict[str, Any] = (await self._get("/sandbox/stats")).json()
        return said

    async def fault(self, faults: str) -> None:
        """Adds faults, in the sandbox's own syntax."""
        (await self.http.post("/sandbox/faults", json={"faults": faults})).raise_for_status()

    async def faults(self) -> list[dict[str, Any]]:
        """Those set, with how often each has fired."""
        active: list[dict[str, Any]] = (await self._get("/sandbox/faults")).json()["active"]
        return active

    async def heal(self) -> None:
        (await self.http.delete("/sandbox/faults")).raise_for_status()

    async def edit(self, action: str, kind: str, number: int | None = None, **more: Any) -> dict[str, Any]:
        """A merchant's edit; `more` are the other keys of `edits.apply_edit`."""
        which = {} if number is None else {"id": number}
        answer = await self.http.post("/sandbox/edit", json={"action": action, "kind": kind, **which, **more})
        assert answer.is_success, f"{action} {kind} {number} {more}: {answer.text}"
        said: dict[str, Any] = answer.json()
        return said

    async def query(self, document: str, **variables: Any) -> dict[str, Any]:
        """The Admin API as another app of the same shop would use it."""
        answer = await self.http.post(
            "/admin/api/2026-10/graphql.json",
            headers={"X-Shopify-Access-Token": self.token},
            json={"query": document, "variables": variables},
        )
        data: dict[str, Any] = answer.raise_for_status().json()["data"]
        return data

    async def _get(self, path: str) -> httpx.Response:
        return (await self.http.get(path)).raise_for_status()


NewShop: TypeAlias = Callable[..., Awaitable[Shop]]
"""The fixture that opens one shop more; it takes what `open_shop` takes."""


def _fields(values: dict[str, Any]) -> list[str]:
    return [name for name in values if name != "id"]


def whole(products: int) -> dict[str, Any]:
    """Some orders, customers, collections, metafields and media for a shop of so many products."""
    return {
        "orders": products // 2,
        "customers": products // 4,
        "collections": 4 if products else 0,
        "metafields_per_product": 1,
        "media_per_product": 1,
    }


@asynccontextmanager
async def open_shop(
    *,
    products: int = 60,
    seed: int = 1,
    variants_per_product: float = 4.5,
    more: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Shop]:
    """`options` are those of the sandbox; without limits unless a plan is named. `more` goes to its generator; without
    it the shop has something of every kind."""
    store = Store()
    generate(
        store, products=products, seed=seed, variants_per_product=variants_per_product, **(more or whole(products))
    )
    settings = {"limits": "plan" in options, "token": f"shpat_{new_id().hex}", **options}
    app = create_app(store, SandboxOptions(**settings))
    made: list[Tripwire] = []

    def wired(inner: ASGIApp) -> Tripwire:
        made.append(Tripwire(inner))
        return made[-1]

    app.add_middleware(wired)
    async with running(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        await http.get("/sandbox/state")
        yield Shop(url, settings["token"], store, made[-1], http, app.state.engine.world)
