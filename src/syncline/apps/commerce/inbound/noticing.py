"""What a pull brings is held against the mirror before it goes in: the fields that somebody changed in the store become
an inbound change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from syncline.apps.commerce.contract import Store, StoreReview
from syncline.apps.commerce.fields import AnyValue, Owner, fields_of, same_value
from syncline.apps.commerce.inbound import repository
from syncline.apps.commerce.inbound.standing import Standing, standing
from syncline.apps.commerce.mirror.catalog_kinds import COLLECTION, MEDIA, PRODUCT, VARIANT
from syncline.apps.commerce.mirror.listing import Listed, list_records
from syncline.apps.commerce.mirror.merging import VERSIONS, Notice, Rows
from syncline.apps.commerce.mirror.values import values_of_row
from syncline.apps.commerce.staging.repository import INBOUND, Proposal, add_changes
from syncline.runtime.db.session import WriteSession

AUTHOR: Final = "the store"
FOLLOWED: Final[Mapping[str, Owner]] = {
    PRODUCT.name: Owner.PRODUCT,
    VARIANT.name: Owner.VARIANT,
    COLLECTION.name: Owner.COLLECTION,
    MEDIA.name: Owner.PRODUCT_MEDIA,
}
"""Kinds whose changes are reviewed. Not stock, which every sale moves."""

AGAIN: Final = "It was changed in the store once more; a later change stands for this one."
BACK: Final = "In the store it is again what it was; nothing is left to decide."


@dataclass(frozen=True, slots=True)
class Fresh:
    """A record as the store says it is now."""

    values: Mapping[str, AnyValue]
    version: datetime | None


def notice_for(store: Store, *, run_id: UUID, what: str) -> Notice | None:
    """For whoever loads lines of the store in the name of a run; None where changes in the store need no review."""
    if store.review is not StoreReview.INBOUND:
        return None
    return Noticing(store, uuid5(run_id, INBOUND), f"Changed in {store.name} itself, seen by {what} {run_id}")


@dataclass(frozen=True, slots=True)
class Noticing:
    """All that one run notices is one batch. In the transaction that stores the rows: whoever reads them again after a
    crash finds them as they are in the mirror, and notices nothing twice."""

    store: Store
    batch_id: UUID
    summary: str

    async def __call__(self, session: WriteSession, store_id: UUID, rows: Rows) -> None:
        owner = FOLLOWED.get(rows.kind.name)
        if owner is None or not rows.contents:
            return
        fresh = self._fresh(owner, rows)
        held = await repository.lock_records(session, store_id, rows.kind, list(fresh))
        numbers = [number for number, version in held.items() if not _is_older(fresh[number].version, version)]
        if not numbers:
            return
        sending = await repository.list_sending(session, store_id, owner.value, numbers)
        chosen = repository.among(rows.kind.table.c.id, numbers)
        async for page in list_records(session, store_id, owner, chosen, currency=self.store.currency):
            await self._stage(session, store_id, owner, page, fresh, sending)

    def _fresh(self, owner: Owner, rows: Rows) -> dict[int, Fresh]:
        columns = (*rows.kind.columns, *VERSIONS)
        found = {}
        for content in rows.contents:
            row = dict(zip(columns, content, strict=True))
            found[row["id"]] = Fresh(values_of_row(owner, row, self.store.currency), row["source_updated_at"])
        return found

    async def _stage(
        self,
        session: WriteSession,
        store_id: UUID,
        owner: Owner,
        page: Sequence[Listed],
        fresh: Mapping[int, Fresh],
        sending: Sequence[tuple[int, Mapping[str, AnyValue]]],
    ) -> None:
        moved = {}
        for record in page:
            ours = [after for number, after in sending if number == record.resource_id]
            names = _moved(owner, record.values, fresh[record.resource_id].values, ours)
            if names:
                moved[record.resource_id] = (record, names)
        if not moved:
            return
        earlier = await repository.lock_earlier(session, store_id, owner.value, list(moved))
        found: list[tuple[Listed, Standing]] = []
        for number, (record, names) in moved.items():
            base = earlier[number].before if number in earlier else {}
            found.append((record, standing(base, record.values, fresh[number].values, names)))
        proposals = [_proposal(owner, record, one) for record, one in found if one.after]
        for sentence, is_left in ((AGAIN, True), (BACK, False)):
            ids = [
                earlier[record.resource_id].id
                for record, one in found
                if record.resource_id in earlier and bool(one.after) is is_left
            ]
            await repository.give_way(session, ids, sentence)
        if proposals:
            await repository.ensure_batch(
                session, self.batch_id, store_id=store_id, author=AUTHOR, summary=self.summary
            )
            await add_changes(
                session,
                batch_id=self.batch_id,
                store_id=store_id,
                author=AUTHOR,
                note=None,
                proposals=proposals,
                direction=INBOUND,
            )


def _is_older(fresh: datetime | None, held: datetime | None) -> bool:
    """The merge refuses it, so it says nothing."""
    return fresh is not None and held is not None and fresh < held


def _moved(
    owner: Owner, held: Mapping[str, AnyValue], now: Mapping[str, AnyValue], ours: Sequence[Mapping[str, AnyValue]]
) -> list[str]:
    """The fields that can be changed here too and are not as the mirror has them. What we are writing ourselves at this
    moment is nobody else's change."""
    names = [field.name for field in fields_of(owner) if field.editable]
    return [
        name
        for name in names
        if not same_value(name, held.get(name), now.get(name))
        and not any(name in after and same_value(name, after[name], now.get(name)) for after in ours)
    ]


def _proposal(owner: Owner, record: Listed, one: Standing) -> Proposal:
    return Proposal(
        kind=owner.value,
        resource_id=record.resource_id,
        product_id=record.product_id,
        label=record.label,
        before=dict(one.before),
        after=dict(one.after),
    )
