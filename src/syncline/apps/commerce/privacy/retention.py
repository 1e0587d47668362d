"""How long commerce keeps what is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, or_, select

from syncline.apps.commerce.mirror.kinds import KINDS, Kind
from syncline.apps.commerce.mirror.models import customer, customer_address
from syncline.apps.commerce.mirror.redaction import empty_with_all, hold_loads
from syncline.apps.commerce.pull.models import pull_run, pull_seen, pull_stream
from syncline.apps.commerce.push.models import receipt
from syncline.apps.commerce.reconcile.models import reconciliation
from syncline.apps.commerce.staging.models import change_note, staged_change
from syncline.apps.commerce.webhooks.retention import RULES as WEBHOOK_RULES
from syncline.kernel import clock
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.personal_data import RetentionRule

_ENDED = ("applied", "rejected", "failed", "skipped", "expired", "accepted")


async def _count(session: Session, query: Select[Any]) -> int:
    return int(await session.scalar(query) or 0)


def _still_holds(table: Table) -> ColumnElement[bool]:
    """Whether there is anything left of a person, so that what was emptied is not found again."""
    if table is customer:
        has_address = (
            select(customer_address.c.id)
            .where(customer_address.c.store_id == customer.c.store_id, customer_address.c.customer_id == customer.c.id)
            .exists()
        )
        named = (customer.c[name] for name in ("first_name", "last_name", "email", "phone", "note"))
        return or_(*(column.is_not(None) for column in named), has_address)
    return or_(*(table.c[name].is_not(None) for name in ("email", "note", "ship_to_city", "ship_to_zip")))


def _emptying(name: str, about: str, days: int | None, kind: Kind, older: str, *, for_good: bool) -> RetentionRule:
    """Records are not removed, for the comparison with the store counts them; they are emptied of the person."""
    table = kind.table

    def due(session: Session, before: datetime) -> ColumnElement[bool]:
        return and_(table.c.tenant_id == session.tenant_id, table.c[older] < before, _still_holds(table))

    async def count(session: Session, before: datetime) -> int:
        return await _count(session, select(func.count()).select_from(table).where(due(session, before)))

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        query = select(table.c.store_id, table.c.id).where(due(session, before)).order_by(table.c.store_id).limit(limit)
        by_store: dict[UUID, list[int]] = {}
        for store_id, number in await session.execute(query):
            by_store.setdefault(store_id, []).append(number)
        for store_id, numbers in sorted(by_store.items()):
            await hold_loads(session, store_id)
            since = clock.now() if for_good else None
            await empty_with_all(session, store_id, kind, numbers, kept_out_from=since)
        return sum(map(len, by_store.values()))

    return RetentionRule(name, about, days, count, remove)


def _changes() -> RetentionRule:
    """With their receipts; a batch stays as the line that says who did what."""
    table = staged_change.c

    async def count(session: Session, before: datetime) -> int:
        return await _count(session, select(func.count()).select_from(staged_change).where(*due(session, before)))

    def due(session: Session, before: datetime) -> tuple[ColumnElement[bool], ...]:
        return (table.tenant_id == session.tenant_id, table.status.in_(_ENDED), table.created_at < before)

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        ids = (await session.scalars(select(table.id).where(*due(session, before)).limit(limit))).all()
        for hanging in (receipt, change_note):
            mine = (hanging.c.tenant_id == session.tenant_id, hanging.c.change_id.in_(ids))
            await session.execute(delete(hanging).where(*mine))
        await session.execute(delete(staged_change).where(table.tenant_id == session.tenant_id, table.id.in_(ids)))
        return len(ids)

    about = "Changes that were applied, rejected or failed, with their receipts; without them nothing can be undone"
    return RetentionRule("commerce.changes", about, 730, count, remove, least_days=30)


def _pulls() -> RetentionRule:
    table = pull_run.c

    def due(session: Session, before: datetime) -> tuple[ColumnElement[bool], ...]:
        return (table.tenant_id == session.tenant_id, table.finished_at < before)

    async def count(session: Session, before: datetime) -> int:
        return await _count(session, select(func.count()).select_from(pull_run).where(*due(session, before)))

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        ids = (await session.scalars(select(table.id).where(*due(session, before)).limit(limit))).all()
        for part in (pull_seen, pull_stream):
            mine = (part.c.tenant_id == session.tenant_id, part.c.run_id.in_(ids))
            await session.execute(delete(part).where(*mine))
        await session.execute(delete(pull_run).where(table.tenant_id == session.tenant_id, table.id.in_(ids)))
        return len(ids)

    about = "Pulls that have ended, and what they told of themselves"
    return RetentionRule("commerce.pulls", about, 365, count, remove, least_days=7)


def _reconciliations() -> RetentionRule:
    table = reconciliation.c

    def due(session: Session, before: datetime) -> tuple[ColumnElement[bool], ...]:
        return (table.tenant_id == session.tenant_id, table.created_at < before)

    async def count(session: Session, before: datetime) -> int:
        return await _count(session, select(func.count()).select_from(reconciliation).where(*due(session, before)))

    async def remove(session: WriteSession, before: datetime, limit: int) -> int:
        some = select(table.id).where(*due(session, before)).limit(limit)
        query = delete(reconciliation).where(table.tenant_id == session.tenant_id, table.id.in_(some))
        return len((await session.execute(query.returning(table.id))).all())

    return RetentionRule(
        "commerce.reconciliations", "Comparisons of store and mirror", 365, count, remove, least_days=7
    )


RULES = (
    _emptying(
        "commerce.customers_gone",
        "Customers that the store has deleted, from then on: emptied of the person",
        30,
        KINDS["customer"],
        "deleted_at",
        for_good=False,
    ),
    _emptying(
        "commerce.orders_gone",
        "Orders that the store has deleted, from then on: emptied of the person",
        30,
        KINDS["order"],
        "deleted_at",
        for_good=False,
    ),
    _emptying(
        "commerce.order_contacts",
        "E-mail, note and place of delivery of orders, from the day they were made; they stay out of the mirror",
        None,
        KINDS["order"],
        "created_at",
        for_good=True,
    ),
    _changes(),
    _pulls(),
    _reconciliations(),
    *WEBHOOK_RULES,
)
