"""The part of the contract that is about conflicts. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from syncline.apps.commerce.contract.types import ChangeQuery
from syncline.kernel.errors import NotFound
from syncline.kernel.tenant import Actor


class Choice(StrEnum):
    """Whose value a field gets where both sides moved it. `merge` adds and removes tags as both sides did and makes
    both steps of a quantity; other fields keep the store's value."""

    OURS = "ours"
    THEIRS = "theirs"
    MERGE = "merge"


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field on three sides: as it was when the change was staged, in the store, as wanted. `verdict` is `ours` or
    `theirs` where that side alone moved, `same` where they agree, `conflict` where both moved apart; `merged` is what
    each choice would make of it; `rule` the remembered one, if any."""

    field: str
    base: Any
    theirs: Any
    ours: Any
    verdict: str
    merged: Mapping[Choice, Any]
    rule: Choice | None


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """One change whose record moved in the store."""

    change_id: UUID
    label: str
    store: str
    fields: Sequence[FieldConflict]


@dataclass(frozen=True, slots=True)
class ConflictRule:
    """How later conflicts on `field` are settled by themselves; `*` is every field without a rule of its own. `store`
    is None for a rule of all stores, before which a store's own goes."""

    id: UUID
    store: str | None
    field: str
    choice: Choice
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """`approved` changes go over the store's value with the next push; of the `skipped` nothing was left."""

    approved: int
    skipped: int


class ConflictRuleNotFound(NotFound):
    code = "CONFLICT_001"
    title = "No such rule"


class Conflicts(Protocol):
    """Changes whose record moved in the store after they were staged."""

    async def get_three_way(self, *, actor: Actor, change_id: UUID) -> ThreeWay:
        """Raises `BatchNotFound`, and `NothingToDo` for a change that is in no conflict."""
        ...

    async def settle_conflicts(
        self, *, actor: Actor, query: ChangeQuery, choices: Mapping[str, Choice], otherwise: Choice = Choice.THEIRS
    ) -> Settled:
        """Every conflict that matches, field by field. Where four eyes are asked for, that takes somebody else than the
        author. Raises `ChangeNotReviewable`."""
        ...

    async def list_conflict_rules(self, *, actor: Actor, store: str | None = None) -> Sequence[ConflictRule]:
        """Of all stores, or those that hold for one."""
        ...

    async def set_conflict_rule(
        self, *, actor: Actor, field: str, choice: Choice, store: str | None = None
    ) -> ConflictRule:
        """For conflicts from now on; one of the same field and store is replaced. Raises `InvalidInput`."""
        ...

    async def remove_conflict_rule(self, *, actor: Actor, rule_id: UUID) -> None: ...
