from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import ColumnElement

from syncline.apps.commerce.contract import (
    BatchNotFound,
    ChangeBatch,
    ChangeNotReviewable,
    ChangeQuery,
    ChangeStatus,
    NothingToDo,
    Resolution,
    StagedChange,
    Store,
)
from syncline.apps.commerce.contract.decisions import Decided, SelectionNotFound
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.listing import list_places
from syncline.apps.commerce.mirror.repository import list_locations
from syncline.apps.commerce.nearest import did_you_mean, join_or
from syncline.apps.commerce.review.service import get_rule
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.staging import repository
from syncline.apps.commerce.staging.edits import Edit, describe, edits_for, location_of, parse_edits
from syncline.apps.commerce.staging.overlap import finish
from syncline.apps.commerce.staging.proposing import propose, with_types
from syncline.apps.commerce.staging.putting_back import put_back, take_turns
from syncline.apps.commerce.staging.search import Search
from syncline.apps.commerce.staging.selected import find_selection
from syncline.apps.commerce.staging.selection import mirror_condition, parse_where
from syncline.apps.commerce.stores import service as stores
from syncline.kernel.errors import FieldError, InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import Session, WriteSession


async def check_places(
    session: Session,
    store: Store,
    search: Search,
    edits: Sequence[Edit],
    *,
    within: ColumnElement[bool] | None = None,
) -> None:
    """An inventory edit says where it is meant: a misspelt location would change nothing, and one left out would change
    every location at once. `within` is a further condition on the products. Raises `InvalidInput`."""
    mine = edits_for(Owner.INVENTORY_LEVEL, edits)
    if not mine:
        return
    known = [name for _, name in await list_locations(session, store.id)]
    named = {place for place in map(location_of, mine) if place is not None}
    folded = {name.casefold() for name in known}
    for place in sorted(named):
        if place.casefold() not in folded:
            raise _wrong_place(
                f"{store.name} has no location {place!r}.{did_you_mean(place, known)} It has {join_or(known)}."
                if known
                else f"{store.name} has no location {place!r}: none is mirrored yet; pull the store first."
            )
    if len(named) == len(mine):
        return
    found = mirror_condition(Owner.INVENTORY_LEVEL, search)
    places = await list_places(session, store.id, found if within is None else found & within)
    if len(places) > 1:
        raise _wrong_place(
            f"The stock that matches lies at {len(places)} locations; say which one is meant after @, like"
            f' inventory=10@"{places[0]}". They are {join_or(places)}.'
        )


def _wrong_place(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields=[FieldError("location", sentence)])


async def stage_edit(
    session: WriteSession, *, store: Store, where: str, expressions: Sequence[str], actor: Actor, note: str | None
) -> ChangeBatch:
    """One batch with a pending change for every record the edits make different and that does not wait already. All or
    nothing."""
    if not expressions:
        raise InvalidInput("Say what to change, like --set price=+10% or --set tags=+sale.")
    search = parse_where(where)
    edits = await with_types(session, store, parse_edits(expressions, currency=store.currency))
    await check_places(session, store, search, edits)
    summary = "; ".join(describe(edit, store.currency) for edit in edits) + (f" where {where}" if where.strip() else "")
    batch_id = await repository.add_batch(session, store_id=store.id, kind="edit", summary=summary, author=actor)
    looked = staged = 0
    async for seen, proposals in propose(session, store, search, edits):
        looked += seen
        staged += await repository.add_changes(
            session, batch_id=batch_id, store_id=store.id, author=actor.name, note=note, proposals=proposals
        )
    if not looked:
        found = (
            f"Nothing in {store.name} matches {where.strip()}"
            if where.strip()
            else f"{store.name} has nothing to change"
        )
        raise NothingToDo(f"{found}; pull the store first if it is new.")
    if not staged:
        raise NothingToDo(f"All {looked} records that match have these values already; nothing was staged.")
    return await finish(session, store_id=store.id, batch_id=batch_id)


async def get_batch(session: Session, batch_id: UUID) -> ChangeBatch:
    batch = await repository.find_batch(session, batch_id)
    if batch is None:
        raise BatchNotFound(f"There is no batch {batch_id}; see `syncline review list --batches`.")
    return batch


async def get_change(session: Session, change_id: UUID) -> StagedChange:
    change = await repository.find_change(session, change_id)
    if change is None:
        raise BatchNotFound(f"There is no staged change {change_id}.")
    return change


def no_selection(selection_id: UUID) -> SelectionNotFound:
    return SelectionNotFound(f"There is no selection {selection_id}, or its day is over; make it again.")


async def known_query(session: Session, query: ChangeQuery) -> ChangeQuery:
    """`query` with its store by the name it was given. Raises `StoreNotFound`, `BatchNotFound` and `SelectionNotFound`:
    a mistyped one is not an empty list."""
    if query.batch_id is not None:
        await get_batch(session, query.batch_id)
    if query.selection_id is not None and await find_selection(session, query.selection_id) is None:
        raise no_selection(query.selection_id)
    if query.store is None:
        return query
    row = await stores.get(session, query.store)
    return replace(query, store=row.store.name)


async def nothing_moved(session: Session, query: ChangeQuery, wanted: str) -> ChangeNotReviewable:
    counts = await repository.count_by_status(session, query)
    if not counts:
        return ChangeNotReviewable("No staged change matches.")
    found = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return ChangeNotReviewable(f"Nothing that matches can be {wanted}: it is {found}.")


async def approve(
    session: WriteSession, query: ChangeQuery, *, actor: Actor, note: str | None, settings: CommerceSettings
) -> Decided:
    """Approve what matches and is pending. Two people at once never approve the same change twice."""
    query = await known_query(session, query)
    not_by = actor if (await get_rule(session, settings)).four_eyes else None
    moved = await repository.review(
        session,
        query,
        frm=(ChangeStatus.PENDING,),
        to=ChangeStatus.APPROVED,
        reviewer=actor.name,
        note=note,
        not_by=not_by,
    )
    if moved:
        tell_moved(query, len(moved), "approved")
        accepted = await repository.count_inbound(session, moved)
        return Decided(len(moved), to_push=len(moved) - accepted, accepted=accepted)
    if await repository.count_late(session, query):
        raise ChangeNotReviewable(
            "What matches was to be decided by a date that is over; set it a later one, or stage it anew."
        )
    if not_by is not None and ChangeStatus.PENDING in await repository.count_by_status(session, query):
        raise ChangeNotReviewable("You staged what matches yourself; here somebody else has to approve it.")
    raise await nothing_moved(session, query, "approved")


async def reject(session: WriteSession, query: ChangeQuery, *, actor: Actor, note: str | None) -> Decided:
    """Reject what matches and was not sent: pending, approved, in conflict or refused by the store. For what somebody
    changed in the store itself, what puts it back is staged."""
    query = await known_query(session, query)
    await take_turns(session, query)
    open_states = (ChangeStatus.PENDING, ChangeStatus.APPROVED, ChangeStatus.CONFLICT, ChangeStatus.FAILED)
    moved = await repository.review(
        session, query, frm=open_states, to=ChangeStatus.REJECTED, reviewer=actor.name, note=note
    )
    if not moved:
        raise await nothing_moved(session, query, "rejected")
    tell_moved(query, len(moved), "rejected")
    back = await put_back(session, moved, actor=actor, note=note)
    for batch_id in back.made:
        note_change(f"batch {batch_id}", after={"kind": "put_back", "status": ChangeStatus.PENDING.value})
    return Decided(len(moved), put_back=[*back.made, *back.waiting_in])


def tell_moved(query: ChangeQuery, moved: int, status: str) -> None:
    """For the audit trail: not the values, which stand in the changes themselves."""
    which = {name: value for name, value in asdict(query).items() if value}
    note_change("staged changes", after={"status": status, "changes": moved, "which": which})


async def resolve(
    session: WriteSession, query: ChangeQuery, *, actor: Actor, resolution: Resolution, settings: CommerceSettings
) -> int:
    """Settle conflicts that match: give them up, or approve them again on top of what the store says now. Where four
    eyes are asked for, that takes somebody else too."""
    query = await known_query(session, query)
    approves = resolution is not Resolution.SKIP
    not_by = actor if approves and (await get_rule(session, settings)).four_eyes else None
    moved = await repository.resolve_conflicts(session, query, actor=actor.name, resolution=resolution, not_by=not_by)
    if moved:
        tell_moved(query, moved, f"conflict settled: {resolution.value}")
    if not moved and not_by is not None and ChangeStatus.CONFLICT in await repository.count_by_status(session, query):
        raise ChangeNotReviewable("You staged what matches yourself; here somebody else has to approve it again.")
    if not moved:
        raise await nothing_moved(session, query, "resolved")
    return moved
