"""What was staged before and is not decided, or was rejected: an alignment that is repeated does not say it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus
from syncline.apps.commerce.fields import same_value
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.apps.commerce.staging.repository import OUTBOUND, Proposal, review
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

KIND = "alignment"
_WAITING = (ChangeStatus.PENDING, ChangeStatus.APPROVED, ChangeStatus.SENDING, ChangeStatus.CONFLICT)
_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A change of the target that was staged before."""

    id: UUID
    key: _Key
    status: ChangeStatus
    is_alignment: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]


async def find_earlier(session: Session, store_id: UUID, proposals: Sequence[Proposal]) -> Sequence[Earlier]:
    """Of the same records, first staged first."""
    table = staged_change.c
    numbers = sorted({one.product_id for one in proposals})
    query = (
        select(table.id, table.kind, table.resource_id, table.status, table.before, table.after, change_batch.c.kind)
        .join(change_batch, change_batch.c.id == table.batch_id)
        .where(
            table.tenant_id == session.tenant_id,
            table.store_id == store_id,
            table.status.in_((*_WAITING, ChangeStatus.REJECTED)),
            table.product_id == any_(literal(numbers, ARRAY(BigInteger))),
            table.direction == OUTBOUND,
        )
        .order_by(table.id)
    )
    rows = await session.execute(query)
    wanted = {(one.kind, one.resource_id) for one in proposals}
    found = (
        Earlier(number, (kind, resource), ChangeStatus(status), batch == KIND, before, after)
        for number, kind, resource, status, before, after, batch in rows
    )
    return [one for one in found if one.key in wanted]


def sift(
    proposals: Sequence[Proposal], earlier: Sequence[Earlier], *, heeds_rejected: bool
) -> tuple[list[Proposal], list[UUID]]:
    """What is left to be staged, and the pending alignments whose place it takes. Pure.

    A field is left out when the last change of it that waits has the same value, or, with `heeds_rejected`, when the
    same step from the same value was rejected."""
    by_key: dict[_Key, list[Earlier]] = {}
    for one in earlier:
        by_key.setdefault(one.key, []).append(one)
    left: list[Proposal] = []
    replaced: list[UUID] = []
    for proposal in proposals:
        known = by_key.get((proposal.kind, proposal.resource_id), [])
        names = [name for name in proposal.after if not _is_known(name, proposal, known, heeds_rejected)]
        if not names:
            continue
        taken = [one for one in known if _is_replaced(one, proposal)]
        replaced += [one.id for one in taken]
        names = [name for name in proposal.after if name in names or any(name in one.after for one in taken)]
        before, after = ({name: side[name] for name in names} for side in (proposal.before, proposal.after))
        left.append(replace(proposal, before=before, after=after))
    return left, replaced


def _is_known(name: str, proposal: Proposal, known: Sequence[Earlier], heeds_rejected: bool) -> bool:
    value = proposal.after[name]
    waiting = [one.after[name] for one in known if one.status in _WAITING and name in one.after]
    if waiting:
        return same_value(name, waiting[-1], value)
    return heeds_rejected and any(
        one.status is ChangeStatus.REJECTED
        and name in one.after
        and same_value(name, one.after[name], value)
        and same_value(name, one.before.get(name), proposal.before[name])
        for one in known
    )


def _is_replaced(one: Earlier, proposal: Proposal) -> bool:
    """What the source no longer says, and nobody has decided; a change that does more than this one stays."""
    return one.is_alignment and one.status is ChangeStatus.PENDING and one.after.keys() <= proposal.after.keys()


async def take_back(session: WriteSession, changes: Sequence[UUID], actor: Actor) -> None:
    """Gives up pending changes whose place newer ones take: nobody rejected them."""
    if changes:
        note = "The source has another value by now; a newer change takes the place of this one."
        await review(
            session,
            ChangeQuery(ids=tuple(changes)),
            frm=(ChangeStatus.PENDING,),
            to=ChangeStatus.SKIPPED,
            reviewer=actor.name,
            note=note,
        )
