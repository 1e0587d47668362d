"""The part of the contract that helps people to decide together about staged changes: counts, selections, notes, who is
asked, and until when. `Commerce` has these methods too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from syncline.apps.commerce.contract.types import ChangeQuery, ChangeStatus
from syncline.kernel.errors import InvalidInput, NotFound
from syncline.kernel.tenant import Actor


class CountBy(StrEnum):
    """What staged changes are counted by. `vendor` is the product's when the change was staged."""

    STORE = "store"
    KIND = "kind"
    VENDOR = "vendor"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """How many changes there are of one group; what they are not counted by is None."""

    changes: int
    store: str | None = None
    kind: str | None = None
    vendor: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeCounts:
    total: int
    groups: Sequence[ChangeCount]


@dataclass(frozen=True, slots=True)
class Selection:
    """The changes that matched when it was made, `changes` of them. `counts` is what has become of them, by status:
    those that were removed since are in no status."""

    id: UUID
    changes: int
    counts: Mapping[str, int]
    search: str
    created_by: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeNote:
    author: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of `changed` changes that were approved or rejected. Of approved ones `to_push` go to the store with
    the next push; `accepted` were made in the store itself, so the mirror has them already and nothing is sent.
    `put_back` are the batches that undo what was made in the store and rejected, one that was staged for each store and
    others in which the same waited already: they write nothing before they are approved and pushed themselves."""

    changed: int
    to_push: int = 0
    accepted: int = 0
    put_back: Sequence[UUID] = ()


class SelectionNotFound(NotFound):
    code = "CHANGE_005"
    title = "No such selection"


class AssigneeRefused(InvalidInput):
    code = "CHANGE_006"
    title = "This person cannot be asked to decide"


class Deciding(Protocol):
    """Everything around the decision itself, which is `approve` and `reject`."""

    async def count_changes(
        self,
        *,
        actor: Actor,
        store: str | None = None,
        statuses: Sequence[ChangeStatus] = (),
        by: Sequence[CountBy] = (CountBy.STATUS,),
    ) -> ChangeCounts:
        """Exact at any moment and known without looking at the changes. Raises `StoreNotFound`."""
        ...

    async def select_changes(self, *, actor: Actor, query: ChangeQuery) -> Selection:
        """Keep which changes match now, for a day. Whatever takes a `ChangeQuery` takes the selection: what is staged
        later, or comes to match later, is not in it."""
        ...

    async def get_selection(self, *, actor: Actor, selection_id: UUID) -> Selection:
        """Raises `SelectionNotFound`, also when its day is over."""
        ...

    async def add_note(self, *, actor: Actor, query: ChangeQuery, text: str) -> int:
        """The same words beside each change that matches. Answers how many. Raises `NothingToDo`."""
        ...

    async def list_notes(self, *, actor: Actor, change_id: UUID) -> Sequence[ChangeNote]:
        """Oldest first, with what its author said when it was staged. Raises `BatchNotFound`."""
        ...

    async def assign(self, *, actor: Actor, query: ChangeQuery, assignee: str | None) -> int:
        """Ask a member of the tenant, by his e-mail address, to decide about what matches and is pending or in
        conflict; None asks nobody in particular. Others may decide all the same. Raises `AssigneeRefused` for who is no
        member or may not approve, and `ChangeNotReviewable` when nothing that matches is to be decided."""
        ...

    async def set_expiry(self, *, actor: Actor, query: ChangeQuery, at: datetime | None) -> int:
        """What matches and is pending expires then if nobody has decided; None is never. Raises `InvalidInput` for a
        moment that is over or has no offset, and `ChangeNotReviewable` when nothing that matches is pending."""
        ...
