"""The part of the local `Outreach` that keeps namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncline.apps.outreach.contract import MatchedNamespace, Namespace, NamespaceStats
from syncline.apps.outreach.namespaces import repository, service
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalNamespaces:
    runtime: Runtime

    async def list_namespaces(self, *, actor: Actor) -> Sequence[Namespace]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await repository.list_all(session)

    async def create_namespace(
        self, *, actor: Actor, name: str, keywords: Sequence[str] = (), description: str = ""
    ) -> Namespace:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.create(
                session, name=name, keywords=keywords, description=description, made_by=actor.name
            )

    async def get_namespace(self, *, actor: Actor, name: str) -> Namespace:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get(session, name)

    async def change_namespace(
        self,
        *,
        actor: Actor,
        name: str,
        keywords: Sequence[str] | None = None,
        description: str | None = None,
        is_active: bool | None = None,
    ) -> Namespace:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.change(session, name, keywords=keywords, description=description, is_active=is_active)

    async def namespace_stats(self, *, actor: Actor, name: str) -> NamespaceStats:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.stats(session, name)

    async def match_campaigns(self, *, actor: Actor, campaigns: Sequence[str]) -> Sequence[MatchedNamespace]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.match_campaigns(session, campaigns)
