"""Everything one sandbox shop consists of besides the HTTP server."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from syncline.sandbox.shopify.authority import Authority
from syncline.sandbox.shopify.bucket import RATES, Bucket
from syncline.sandbox.shopify.faults import Faults, parse_faults
from syncline.sandbox.shopify.idempotency import IdempotencyKeys
from syncline.sandbox.shopify.ledger import Ledger
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.shopify.webhooks import Webhooks


@dataclass(slots=True)
class ProductSetOperation:
    """An asynchronous productSet; its work is done at once and shown after `ready_at`."""

    id: int
    product_id: int | None
    user_errors: list[dict[str, Any]]
    started_at: datetime
    ready_at: datetime


@dataclass(slots=True)
class Counters:
    requests: int = 0
    refused: int = 0
    throttled: int = 0
    mutations: int = 0
    unauthenticated: int = 0
    by_operation: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    store: Store
    options: SandboxOptions
    faults: Faults
    bucket: Bucket
    ledger: Ledger
    idempotency: IdempotencyKeys
    webhooks: Webhooks
    authority: Authority = field(default_factory=Authority)
    counters: Counters = field(default_factory=Counters)
    product_operations: dict[int, ProductSetOperation] = field(default_factory=dict)
    bulk: Any = None
    """The `BulkOperations`; not typed here because they are built on the compiler, and that on this."""

    @classmethod
    def make(cls, store: Store, options: SandboxOptions) -> World:
        if options.plan not in RATES:
            raise ValueError(f"There is no plan {options.plan!r}; there are {', '.join(RATES)}.")
        faults = Faults(parse_faults(options.faults), Random(options.seed))
        return cls(
            store=store,
            options=options,
            faults=faults,
            bucket=Bucket(RATES[options.plan]),
            ledger=Ledger(),
            idempotency=IdempotencyKeys(store.now),
            webhooks=Webhooks(store, faults, options),
        )
