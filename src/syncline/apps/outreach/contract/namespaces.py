"""Namespaces: parts of a tenant's outreach that are kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncline.kernel.tenant import Actor


@dataclass(frozen=True, slots=True)
class Namespace:
    """`keywords` are looked for in campaigns' names, whatever their case. One that is not active matches nothing."""

    name: str
    keywords: Sequence[str]
    description: str
    is_active: bool
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NamespaceStats:
    """What `event_source` holds of it. `people` are different addresses."""

    name: str
    events: int
    people: int
    campaigns: int
    by_platform: dict[str, int]
    by_type: dict[str, int]
    first_event_at: datetime | None
    last_event_at: datetime | None


@dataclass(frozen=True, slots=True)
class MatchedNamespace:
    """Where a campaign belongs. `keyword` is the one that matched; None when none did, and it fell to the default."""

    campaign: str
    namespace: str
    keyword: str | None


class Namespaces(Protocol):
    async def list_namespaces(self, *, actor: Actor) -> Sequence[Namespace]:
        """In the order in which they are matched: the oldest first."""
        ...

    async def create_namespace(
        self, *, actor: Actor, name: str, keywords: Sequence[str] = (), description: str = ""
    ) -> Namespace:
        """Raises `BadNamespace`, `NamespaceExists`."""
        ...

    async def get_namespace(self, *, actor: Actor, name: str) -> Namespace:
        """Raises `NamespaceNotFound`."""
        ...

    async def change_namespace(
        self,
        *,
        actor: Actor,
        name: str,
        keywords: Sequence[str] | None = None,
        description: str | None = None,
        is_active: bool | None = None,
    ) -> Namespace:
        """What is None stays. Raises `NamespaceNotFound`, `BadNamespace`."""
        ...

    async def namespace_stats(self, *, actor: Actor, name: str) -> NamespaceStats:
        """Raises `NamespaceNotFound`."""
        ...

    async def match_campaigns(self, *, actor: Actor, campaigns: Sequence[str]) -> Sequence[MatchedNamespace]:
        """Where campaigns of these names would go, in their order. Changes nothing."""
        ...
