"""What resolvers and mutations of one request see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncline.sandbox.shopify.cost import Path, Size
from syncline.sandbox.shopify.idempotency import Attempt
from syncline.sandbox.shopify.ledger import Change
from syncline.sandbox.shopify.problems import Problem
from syncline.sandbox.shopify.schema import AdminSchema
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.shopify.world import World


@dataclass(slots=True)
class Context:
    world: World
    schema: AdminSchema
    scopes: frozenset[str]
    """Granted scopes, with the read scope that each write scope implies."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    in_bulk: bool = False
    """Whether this runs inside a bulk operation: page sizes do not count there, productSet is always synchronous."""
    operation: str | None = None
    request_id: str = ""
    base_url: str = ""
    """Where this sandbox is reached, for the addresses of files."""
    errors: list[Problem] = field(default_factory=list)
    """Errors that leave a null in the data."""
    sizes: dict[Path, Size] = field(default_factory=dict)
    searches: list[dict[str, Any]] = field(default_factory=list)
    """Entries of `extensions.search`."""
    search_debug: bool = False
    changes: list[Change] = field(default_factory=list)
    """What the mutation that runs now has changed so far."""

    keys: list[tuple[str, str]] = field(default_factory=list)
    """(idempotency key, fingerprint) of the request's mutations that carry one."""
    reserved: dict[str, Attempt] = field(default_factory=dict)
    """Attempts begun before the mutation runs, so that a slow request is seen in flight."""

    @property
    def store(self) -> Store:
        return self.world.store

    def record(self, kind: str, number: int | str, **values: Any) -> None:
        """Notes a change for the ledger."""
        self.changes.append(Change(kind, number, values))
