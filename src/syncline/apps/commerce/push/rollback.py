"""The way back: the before-images of what was applied, staged as changes like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from syncline.apps.commerce.contract import BatchNotFound, ChangeBatch, NothingToDo
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.gallery import is_shown
from syncline.apps.commerce.mirror.naming import list_named_collections
from syncline.apps.commerce.push import repository
from syncline.apps.commerce.push.repository import AppliedRow
from syncline.apps.commerce.staging.overlap import finish
from syncline.apps.commerce.staging.repository import Proposal, add_batch, add_changes, find_batch
from syncline.apps.commerce.stores.repository import hold
from syncline.apps.commerce.whole_product import FIELD, WholeProduct, draft_number, without_ids
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession

_NAMED: Final = 5
"""Of what cannot be undone, in a sentence."""


def proposal_of(row: AppliedRow) -> Proposal:
    """Before is what the store answered to the write, after what it said just before: a value that moved since is a
    conflict when the rollback is pushed."""
    change = row.change
    if change.kind == Owner.WHOLE_PRODUCT:
        return _whole(row)
    return Proposal(
        kind=change.kind,
        resource_id=change.resource_id,
        product_id=change.product_id,
        location_id=change.location_id,
        label=change.label,
        before=row.written,
        after=row.restored,
        reverts_id=change.id,
    )


def undo_of(row: AppliedRow) -> Proposal | None:
    """None for a medium that Shopify has deleted and cannot be made anew."""
    plain = proposal_of(row)
    return _medium_back(plain, row) if row.change.kind == Owner.PRODUCT_IMAGE else plain


def _medium_back(plain: Proposal, row: AppliedRow) -> Proposal | None:
    """What was added is taken away; what was taken away is made anew from its address and goes back to its place."""
    written, restored = row.written["images"], row.restored["images"]
    if is_shown(written):
        return replace(plain, resource_id=int(written["id"]), after={"images": None})
    if restored["type"] != "image" or not restored["url"]:
        return None
    anew = {name: value for name, value in restored.items() if name != "id"}
    return replace(plain, resource_id=0, after={"images": anew})


NEW_IDS = "Shopify gives what was deleted new ids when it is made again, and what pointed to the old ones stays broken."


def _whole(row: AppliedRow) -> Proposal:
    """What was made is deleted; what was deleted is made again, as another product with the same handle."""
    change, made, lost = row.change, row.written[FIELD], row.restored[FIELD]
    if made is not None:
        return Proposal(change.kind, made["id"], made["id"], change.label, row.written, {FIELD: None}, None, change.id)
    number = draft_number(lost["handle"])
    label = f"{change.label} (new ids)"
    return Proposal(change.kind, number, number, label, {FIELD: None}, {FIELD: without_ids(lost)}, None, change.id)


async def stage_rollback(
    session: WriteSession, *, batch_id: UUID, change_ids: Sequence[UUID], actor: Actor, note: str | None
) -> ChangeBatch:
    """A new batch that undoes `batch_id`, or only `change_ids` of it. A rollback can be rolled back."""
    batch = await find_batch(session, batch_id)
    if batch is None:
        raise BatchNotFound(f"There is no batch {batch_id}; see `syncline review list --batches`.")
    rows = await repository.list_applied(session, batch_id, change_ids)
    missing = set(change_ids) - {row.change.id for row in rows}
    if missing:
        named = ", ".join(str(one) for one in sorted(missing)[:5])
        raise BatchNotFound(f"Batch {batch_id} has no applied change {named}; only what was written can be undone.")
    if not rows:
        raise NothingToDo(f"Nothing of batch {batch_id} was written to the store, so there is nothing to undo.")
    proposals = [undo_of(row) for row in rows]
    lost = [row.change.label for row, proposal in zip(rows, proposals, strict=True) if proposal is None]
    if len(lost) == len(rows):
        raise NothingToDo(_lost_sentence(lost))
    store_id = rows[0].change.store_id
    if not await hold(session, store_id):
        raise BatchNotFound(f"The store of batch {batch_id} was removed a moment ago, and the batch with it.")
    count = len(rows) - len(lost)
    summary = f"Undo of {count:,} change{'' if count == 1 else 's'}: {batch.summary}"
    if lost:
        summary = f"{summary}. {_lost_sentence(lost)}"
    if any(row.change.kind == Owner.WHOLE_PRODUCT and row.written[FIELD] is None for row in rows):
        summary = f"{summary}. {NEW_IDS}"
    kept = await _in_standing_collections(session, store_id, [one for one in proposals if one is not None])
    undo = await add_batch(
        session, store_id=store_id, kind="rollback", summary=summary, author=actor, reverts_id=batch_id
    )
    await add_changes(
        session,
        batch_id=undo,
        store_id=store_id,
        author=actor.name,
        note=note,
        proposals=kept,
    )
    return await finish(session, store_id=store_id, batch_id=undo)


async def _in_standing_collections(
    session: WriteSession, store_id: UUID, proposals: Sequence[Proposal]
) -> list[Proposal]:
    """A product that is made again goes back into its collections, as far as they are there and still filled by hand:
    one that is not would refuse the whole product."""
    joined = any((one.after.get(FIELD) or {}).get("collections") for one in proposals if FIELD in one.after)
    if not joined:
        return list(proposals)
    named = await list_named_collections(session, store_id)
    standing = frozenset(one.id for one in named if not one.is_by_rule)
    return [
        replace(one, after={FIELD: _only_in(one.after[FIELD], standing)}) if one.after.get(FIELD) else one
        for one in proposals
    ]


def _only_in(product: WholeProduct, collections: frozenset[int]) -> WholeProduct:
    return {**product, "collections": [one for one in product.get("collections") or () if one in collections]}


def _lost_sentence(labels: Sequence[str]) -> str:
    named = "; ".join(labels[:_NAMED]) + (" and others" if len(labels) > _NAMED else "")
    return (
        f"Not undone: {named}. Shopify keeps nothing of a deleted video, 3D model or image without an address; add the "
        "file again in the shop's admin."
    )
