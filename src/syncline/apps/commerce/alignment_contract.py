"""The part of the contract that is about several stores of one tenant. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.kernel.tenant import Actor


class AlignedBy(StrEnum):
    """What tells that records of two stores are the same thing. By handle a variant is told by its options too."""

    SKU = "sku"
    HANDLE = "handle"


@dataclass(frozen=True, slots=True)
class Alignment:
    """What came of making one store like another. `looked` records of the source were looked at: `staged` of their
    counterparts become others, `unchanged` are alike, `unmatched` have none, and of `ambiguous` ones nobody can tell
    which is meant; `waiting` changes are not staged again, because the same ones wait already; `replaced` ones that
    waited, approved or not, are not sent, because the source has other values by now. `problems` has a
    sentence for each of the first ambiguous ones; `batch_id` is None when nothing was staged."""

    source: str
    target: str
    by: AlignedBy
    fields: Sequence[str]
    batch_id: UUID | None
    looked: int
    staged: int
    unchanged: int
    unmatched: int
    ambiguous: int
    problems: Sequence[str]
    waiting: int = 0
    replaced: int = 0


class Alignments(Protocol):
    """Fields of one store's records copied to another's, as staged changes."""

    async def align_stores(
        self,
        *,
        actor: Actor,
        source: str,
        target: str,
        fields: Sequence[str],
        by: AlignedBy = AlignedBy.SKU,
        where: str = "",
        note: str | None = None,
    ) -> Alignment:
        """Stages on `target` what makes the `fields` of its records those of `source`; both as of their last pulls.
        `where` chooses records of the source. Nothing is guessed: what is ambiguous is named and left.

        Raises `StoreNotFound`, and `InvalidInput` for a field that cannot be copied."""
        ...
