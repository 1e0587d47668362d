from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, func, or_, select, text

from syncline.apps.commerce.pull.models import pull_run, pull_seen
from syncline.apps.commerce.push.models import push_run, push_unit, push_worker, receipt
from syncline.apps.commerce.schedules.models import schedule
from syncline.apps.commerce.staging.models import change_note, change_tally, staged_change
from syncline.apps.commerce.stores.directory.models import shop_directory
from syncline.apps.commerce.stores.models import store
from syncline.apps.commerce.stores.tokens.models import store_grant
from syncline.apps.commerce.tables import METADATA
from syncline.runtime.db.session import Session, WriteSession

HANGING_ON = {
    pull_run.name: ((pull_seen, "run_id"),),
    push_run.name: ((push_unit, "run_id"), (push_worker, "run_id")),
    staged_change.name: ((receipt, "change_id"), (change_note, "change_id")),
}
"""Tables without a store of their own: their rows go with those of the table that they hang on, by this column."""

AT_ONCE = {store.name, schedule.name, store_grant.name, shop_directory.name}
"""Their rows go in the first transaction."""


def tables_of_a_store() -> list[Table]:
    """All others that have rows of a store. The counts come last: taking changes away is counted too."""
    found = [table for table in METADATA.sorted_tables if "store_id" in table.c and table.name not in AT_ONCE]
    return sorted(found, key=lambda table: table is change_tally)


def _of_store(store_id: UUID) -> ColumnElement[bool]:
    """Its own schedules, and those of other stores that copy from it: they go with it."""
    return or_(schedule.c.store_id == store_id, schedule.c.source_id == store_id)


async def count_schedules(session: Session, store_id: UUID) -> int:
    query = select(func.count()).select_from(schedule)
    query = query.where(schedule.c.tenant_id == session.tenant_id, _of_store(store_id))
    return int((await session.execute(query)).scalar_one())


async def lock_store(session: WriteSession, store_id: UUID) -> bool:
    """Waits for whoever holds it, such as a pull that begins; False when it is gone. Schedules come first, in the order
    in which one that comes round takes hold of both."""
    schedules = select(schedule.c.id).where(schedule.c.tenant_id == session.tenant_id, _of_store(store_id))
    await session.execute(schedules.order_by(schedule.c.id).with_for_update())
    query = select(store.c.id).where(store.c.tenant_id == session.tenant_id, store.c.id == store_id)
    return (await session.execute(query.with_for_update())).one_or_none() is not None


async def remove_store(session: WriteSession, store_id: UUID) -> None:
    """With its token and its schedules."""
    await session.execute(delete(store).where(store.c.tenant_id == session.tenant_id, store.c.id == store_id))


async def remove_rows(session: WriteSession, table: Table, store_id: UUID, limit: int) -> int:
    """At most `limit` rows of the table, and what hangs on them. Answers how many rows of the table itself."""
    values = {"tenant": session.tenant_id, "store": store_id, "limit": limit}
    return (await session.execute(text(_statement(table)), values)).rowcount  # type: ignore[attr-defined,no-any-return]


def _statement(table: Table) -> str:
    own = "tenant_id = :tenant AND store_id = :store"
    if table.name not in HANGING_ON:
        # By where the rows stand: not every table of a store has a key of one column.
        return (
            f"DELETE FROM {table.fullname} WHERE {own} "  # noqa: S608 - names of our own tables
            f"AND ctid = ANY (ARRAY(SELECT ctid FROM {table.fullname} WHERE {own} LIMIT :limit))"
        )
    hanging = "".join(
        f", of_{one.name} AS (DELETE FROM {one.fullname} "  # noqa: S608 - names of our own tables
        f"WHERE tenant_id = :tenant AND {column} IN (SELECT id FROM chosen))"
        for one, column in HANGING_ON[table.name]
    )
    return f"""
        WITH chosen AS (SELECT id FROM {table.fullname} WHERE {own} LIMIT :limit){hanging}
        DELETE FROM {table.fullname} WHERE {own} AND id IN (SELECT id FROM chosen)
    """  # noqa: S608 - names of our own tables
