"""The control surface under /sandbox/: what tests and demonstrations set and read. It takes no token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.bucket import RATES, Bucket
from syncline.sandbox.shopify.control_webhooks import webhook_routes
from syncline.sandbox.shopify.edits import EditError, apply_edit
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.faults import KINDS, Fault, parse_faults
from syncline.sandbox.shopify.state import Store

LINES_AT_ONCE = 500


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value)} does not go into JSON")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def control_routes(engine: Engine) -> list[Route]:
    control = Control(engine)
    return [
        Route("/sandbox/stats", control.stats, methods=["GET", "DELETE"]),
        Route("/sandbox/ledger", control.ledger),
        Route("/sandbox/ledger/counts", control.ledger_counts),
        Route("/sandbox/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/limits", control.limits, methods=["POST"]),
        Route("/sandbox/edit", control.edit, methods=["POST"]),
        *webhook_routes(engine.world.webhooks),
        Route("/sandbox/state", control.state_sizes),
        Route("/sandbox/state/{kind}", control.state),
    ]


class Control:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.world = engine.world

    async def stats(self, request: Request) -> Response:
        """GET: requests, points, throttled answers, the bucket's history. DELETE: all back to zero, the bucket full."""
        world = self.world
        if request.method == "DELETE":
            world.bucket.reset()
            world.counters = type(world.counters)()
        counters = msgspec.to_builtins(world.counters)
        files = self.engine.bulk.files
        return _json(
            {
                **counters,
                "plan": world.options.plan,
                "limits": world.options.limits,
                "bucket": world.bucket.stats(),
                "bulkOperations": len(self.engine.bulk.operations),
                "downloads": {"count": files.downloads, "bytes": files.served_bytes},
                "ledgerEntries": len(world.ledger.entries),
            }
        )

    async def ledger(self, request: Request) -> Response:
        """GET, `after` a number and of one `mutation`: every mutation applied, refused or replayed, oldest first."""
        after = int(request.query_params.get("after", 0))
        found = self.world.ledger.select(after=after, mutation=request.query_params.get("mutation"))
        return _json({"entries": [entry.shown() for entry in found], "total": len(self.world.ledger.entries)})

    async def ledger_counts(self, _: Request) -> Response:
        """GET: how often each resource was written, `{"ProductVariant/41...": 1}`."""
        return _json(self.world.ledger.times_written())

    async def faults(self, request: Request) -> Response:
        """GET: what is on, and the kinds. POST `{"faults": "throttle=3"}`, or one or a list of
        `{"kind", "count", "probability", "match", "after", "seconds", "field"}`: adds. DELETE: none any more."""
        faults = self.world.faults
        if request.method == "DELETE":
            faults.clear()
        if request.method == "POST":
            try:
                for fault in _faults(await request.json()):
                    faults.add(fault)
            except (ValueError, TypeError) as error:
                return _json({"error": str(error)}, 400)
        return _json({"active": [fault.shown() for fault in faults.active], "kinds": KINDS})

    async def limits(self, request: Request) -> Response:
        """POST `{"plan": "plus", "enabled": true}`: another plan with a full bucket, or limits on and off."""
        asked = await request.json()
        options = self.world.options
        plan = asked.get("plan", options.plan)
        if plan not in RATES:
            return _json({"error": f"There is no plan {plan!r}; there are {', '.join(RATES)}."}, 400)
        enabled = bool(asked.get("enabled", options.limits))
        self.world.options = replace(options, plan=plan, limits=enabled)
        self.world.bucket = Bucket(RATES[plan])
        return _json({"plan": plan, "enabled": enabled})

    async def edit(self, request: Request) -> Response:
        """POST: a merchant's edit, see `edits.apply_edit`."""
        try:
            changed = apply_edit(self.world.store, await request.json())
        except (EditError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        self.world.webhooks.acted()
        return _json(changed)

    async def state_sizes(self, _: Request) -> Response:
        store = self.world.store
        sizes = {name: len(rows) for name, rows in _tables(store).items()}
        return _json({**sizes, "revision": store.revision, "shop": msgspec.to_builtins(store.shop)})

    async def state(self, request: Request) -> Response:
        """GET: all entities of one kind, as they are kept, one JSON object a line."""
        rows = _tables(self.world.store).get(request.path_params["kind"])
        if rows is None:
            return _json({"error": f"There are {', '.join(_tables(self.world.store))}."}, 404)
        return StreamingResponse(_lines(list(_values(rows))), media_type="application/jsonl")


def _faults(sent: Any) -> Iterator[Fault]:
    if isinstance(sent, Mapping) and "faults" in sent:
        yield from parse_faults(str(sent["faults"]))
        return
    for one in sent if isinstance(sent, list) else [sent]:
        yield Fault(**one)


def _tables(store: Store) -> dict[str, Any]:
    return {
        "products": store.products,
        "variants": store.variants,
        "items": store.items,
        "levels": store.levels,
        "locations": store.locations,
        "events": store.events,
        "orders": store.sales.orders,
        "lines": store.sales.lines,
        "refunds": store.sales.refunds,
        "fulfillments": store.sales.fulfillments,
        "transactions": store.sales.transactions,
        "customers": store.sales.customers,
        "addresses": store.sales.addresses,
        "collections": store.collections.by_id,
        "memberships": list(store.collections.memberships()),
        "media": store.media.by_id,
        "product_media": list(store.media.shown()),
        "metafields": store.metafields.by_id,
    }


def _values(rows: Any) -> Iterator[Any]:
    yield from rows.values() if isinstance(rows, dict) else rows


def _lines(entities: list[Any]) -> Iterator[bytes]:
    for start in range(0, len(entities), LINES_AT_ONCE):
        yield b"".join(_encode(entity) + b"\n" for entity in entities[start : start + LINES_AT_ONCE])


def _json(body: Any, status: int = 200) -> Response:
    return Response(_encode(body), status, media_type="application/json")
