"""Which scopes each feature needs of a store's token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from syncline.connectors.shopify.actions import ACTIONS
from syncline.connectors.shopify.streams import STREAMS

# shopify.dev/docs/api/webhooks, 2026-10. App topics and those of compliance need no scope.
WEBHOOK_SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "products": ("read_products",),
    "collections": ("read_products",),
    "inventory_levels": ("read_inventory",),
    "inventory_items": ("read_inventory",),
    "locations": ("read_locations",),
    "orders": ("read_orders",),
    "customers": ("read_customers",),
}

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{f"pull {name}": stream.scopes for name, stream in STREAMS.items()},
    **{f"push {action.name.replace('_', ' ')}": action.scopes for action in ACTIONS if action.scopes},
    **{f"webhooks {topic}": scopes for topic, scopes in WEBHOOK_SCOPES.items()},
}
"""By feature, as people are told it."""


def covers(granted: Iterable[str], scope: str) -> bool:
    """The right to write holds that to read."""
    held = set(granted)
    return scope in held or scope.replace("read_", "write_", 1) in held


def lacking(granted: Iterable[str], wanted: Iterable[str]) -> list[str]:
    held = set(granted)
    return [scope for scope in wanted if not covers(held, scope)]


def missing_by_feature(granted: Iterable[str]) -> dict[str, Sequence[str]]:
    """Features that lack something, and what."""
    held = frozenset(granted)
    found = {feature: lacking(held, scopes) for feature, scopes in NEEDS.items()}
    return {feature: scopes for feature, scopes in found.items() if scopes}


def all_scopes() -> list[str]:
    """What an app asks for that is to do all that Syncline can: a scope to write stands for its scope to read."""
    wanted = {scope for scopes in NEEDS.values() for scope in scopes}
    return sorted(one for one in wanted if one.replace("read_", "write_", 1) == one or not covers(wanted - {one}, one))
