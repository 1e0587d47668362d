"""What was staged before and is not decided, or was rejected: an alignment that is repeated does not say it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus
from syncline.apps.commerce.fields import AnyValue, same_value
from syncline.apps.commerce.staging.models import change_batch, staged_change
from syncline.apps.commerce.staging.repository import OUTBOUND, Proposal, review
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import Session, WriteSession

KIND = "alignment"
_WAITING = (ChangeStatus.PENDING, ChangeStatus.APPROVED, ChangeStatus.SENDING, ChangeStatus.CONFLICT)
UNSENT = (ChangeStatus.PENDING, ChangeStatus.APPROVED)
OUTDATED = "The source has another value by now, so this is not sent; where the stores differ, what it says now waits."
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A change of the target that was staged before."""

    id: UUID
    key: Key
    status: ChangeStatus
    is_alignment: bool
    before: Mapping[str, Any]
    after: Mapping[str, Any]


async def find_earlier(session: Session, store_id: UUID, records: Mapping[Key, int]) -> Sequence[Earlier]:
    """Of these records, each with its product; first staged first."""
    table = staged_change.c
    numbers = sorted(set(records.values()))
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
    found = (
        Earlier(number, (kind, resource), ChangeStatus(status), batch == KIND, before, after)
        for number, kind, resource, status, before, after, batch in rows
    )
    return [one for one in found if one.key in records]


def outdated(one: Earlier, wanted: Mapping[str, AnyValue]) -> bool:
    """Whether an alignment that was not sent says something else of its record than the source does now. Pure. One that
    `does_more` than is copied this time is nobody's to take back."""
    return _is_unsent(one) and not does_more(one, wanted) and _differs(one, wanted)


def does_more(one: Earlier, wanted: Mapping[str, AnyValue]) -> bool:
    return not one.after.keys() <= wanted.keys()


def outdated_in_part(one: Earlier, wanted: Mapping[str, AnyValue]) -> bool:
    """As `outdated`, of one that does more."""
    return _is_unsent(one) and does_more(one, wanted) and _differs(one, wanted)


def _is_unsent(one: Earlier) -> bool:
    return one.is_alignment and one.status in UNSENT


def _differs(one: Earlier, wanted: Mapping[str, AnyValue]) -> bool:
    return any(name in wanted and not same_value(name, value, wanted[name]) for name, value in one.after.items())


def sift(proposals: Sequence[Proposal], earlier: Sequence[Earlier], *, heeds_rejected: bool) -> list[Proposal]:
    """What is left to be staged. Pure.

    A field is left out when the last change of it that waits has the same value, or, with `heeds_rejected`, when the
    same step from the same value was rejected."""
    by_key: dict[Key, list[Earlier]] = {}
    for one in earlier:
        by_key.setdefault(one.key, []).append(one)
    left: list[Proposal] = []
    for proposal in proposals:
        known = by_key.get((proposal.kind, proposal.resource_id), [])
        names = [name for name in proposal.after if not _is_known(name, proposal, known, heeds_rejected)]
        if names:
            before, after = ({name: side[name] for name in names} for side in (proposal.before, proposal.after))
            left.append(replace(proposal, before=before, after=after))
    return left


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


async def take_back(session: WriteSession, changes: Sequence[UUID], actor: Actor) -> int:
    """Gives up changes that were not sent and that the source no longer says: nobody rejected them. Answers how many;
    one that is on its way by now is left alone, and what is staged anew conflicts with it."""
    if not changes:
        return 0
    moved = await review(
        session,
        ChangeQuery(ids=tuple(changes)),
        frm=UNSENT,
        to=ChangeStatus.SKIPPED,
        reviewer=actor.name,
        note=OUTDATED,
    )
    return len(moved)
