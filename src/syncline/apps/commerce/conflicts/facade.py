"""The part of the local `Commerce` that is about conflicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from syncline.apps.commerce.conflicts import service
from syncline.apps.commerce.contract import ChangeQuery
from syncline.apps.commerce.contract.conflicts import Choice, ConflictRule, Settled, ThreeWay
from syncline.apps.commerce.settings import CommerceSettings
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime


@dataclass(frozen=True)
class LocalConflicts:
    runtime: Runtime
    settings: CommerceSettings

    async def get_three_way(self, *, actor: Actor, change_id: UUID) -> ThreeWay:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.get_three_way(session, change_id)

    async def settle_conflicts(
        self, *, actor: Actor, query: ChangeQuery, choices: Mapping[str, Choice], otherwise: Choice = Choice.THEIRS
    ) -> Settled:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.settle_by_hand(
                session, query, actor=actor, choices=choices, otherwise=otherwise, settings=self.settings
            )

    async def list_conflict_rules(self, *, actor: Actor, store: str | None = None) -> Sequence[ConflictRule]:
        async with self.runtime.database.reading(actor.tenant_id) as session:
            return await service.list_rules(session, store)

    async def set_conflict_rule(
        self, *, actor: Actor, field: str, choice: Choice, store: str | None = None
    ) -> ConflictRule:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            return await service.set_rule(session, store=store, field=field, choice=choice, actor=actor)

    async def remove_conflict_rule(self, *, actor: Actor, rule_id: UUID) -> None:
        async with self.runtime.database.writing(actor.tenant_id) as session:
            await service.remove_rule(session, rule_id)
