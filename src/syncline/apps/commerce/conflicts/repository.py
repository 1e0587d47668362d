from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.commerce.conflicts.models import conflict_rule
from syncline.apps.commerce.contract.conflicts import Choice, ConflictRule
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.db.session import Session, WriteSession


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`author` is a name and a person, no rights."""

    rule: ConflictRule
    author: Actor


def _row(row: RowMapping) -> RuleRow:
    values = {name: row[name] for name in ConflictRule.__dataclass_fields__}
    rule = ConflictRule(**{**values, "choice": Choice(row["choice"])})
    return RuleRow(rule, Actor(TenantId(row["tenant_id"]), row["created_by"], "", user_id=row["created_by_id"]))


async def list_rules(session: Session, store_id: UUID | None) -> Sequence[RuleRow]:
    """All, or those that hold for one store: its own last, so that they go before."""
    query = (
        select(conflict_rule, store.c.name.label("store"))
        .outerjoin(store, store.c.id == conflict_rule.c.store_id)
        .where(conflict_rule.c.tenant_id == session.tenant_id)
        .order_by(conflict_rule.c.store_id.is_not(None), store.c.name, conflict_rule.c.field)
    )
    if store_id is not None:
        query = query.where(or_(conflict_rule.c.store_id.is_(None), conflict_rule.c.store_id == store_id))
    return [_row(row) for row in (await session.execute(query)).mappings()]


async def put_rule(session: WriteSession, *, store_id: UUID | None, field: str, choice: Choice, actor: Actor) -> UUID:
    said = {
        "choice": choice,
        "created_by": actor.name,
        "created_by_id": actor.user_id,
        "created_at": clock.now(),
    }
    made = upsert(conflict_rule).values(
        id=new_id(), tenant_id=session.tenant_id, store_id=store_id, field=field, **said
    )
    key = [conflict_rule.c.tenant_id, conflict_rule.c.store_id, conflict_rule.c.field]
    query = made.on_conflict_do_update(index_elements=key, set_=said).returning(conflict_rule.c.id)
    (found,) = (await session.execute(query)).one()
    return UUID(str(found))


async def remove_rule(session: WriteSession, rule_id: UUID) -> bool:
    query = delete(conflict_rule).where(conflict_rule.c.tenant_id == session.tenant_id, conflict_rule.c.id == rule_id)
    return (await session.execute(query.returning(conflict_rule.c.id))).one_or_none() is not None
