"""Every question about one person to the tables of this app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Table, and_, func, or_, select

from syncline.apps.commerce.batch.models import batch_run
from syncline.apps.commerce.conflicts.models import conflict_rule
from syncline.apps.commerce.mirror.models import (
    customer,
    customer_address,
    customer_metafield,
    fulfillment,
    order_line,
    order_metafield,
    order_transaction,
    refund,
    refund_line,
    shop_order,
)
from syncline.apps.commerce.pull.models import pull_run
from syncline.apps.commerce.push.models import push_run
from syncline.apps.commerce.review.models import review_rule
from syncline.apps.commerce.schedules.models import schedule
from syncline.apps.commerce.staging.models import change_batch, change_note, change_selection, staged_change
from syncline.apps.commerce.stores.installing.models import store_install
from syncline.apps.commerce.transfer.mapping.models import sheet_mapping
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.privacy.scrubbing import scrub_table

ERASED_PERSON = "an erased person"
AUTHORED = (
    (change_batch, change_batch.c.author),
    (review_rule, review_rule.c.changed_by),
    (sheet_mapping, sheet_mapping.c.changed_by),
    (staged_change, staged_change.c.author),
    (staged_change, staged_change.c.reviewer),
    (staged_change, staged_change.c.assignee),
    (change_note, change_note.c.author),
    (change_selection, change_selection.c.created_by),
    (pull_run, pull_run.c.requested_by),
    (push_run, push_run.c.requested_by),
    (schedule, schedule.c.created_by),
    (batch_run, batch_run.c.requested_by),
    (conflict_rule, conflict_rule.c.created_by),
    (store_install, store_install.c.requested_by),
)
QUOTING: Mapping[str, Mapping[str, Sequence[str]]] = {
    "change_batch": {"key": ["id"], "texts": ["summary"]},
    "staged_change": {
        "key": ["id"],
        "texts": ["label", "note", "sentence"],
        "jsonb": ["before", "after", "theirs"],
    },
    "change_note": {"key": ["id"], "texts": ["text"]},
    "change_selection": {"key": ["id"], "texts": ["search"]},
    "receipt": {"key": ["change_id", "attempt"], "texts": ["sentence"], "jsonb": ["before", "after"]},
    "pull_run": {"key": ["id"], "texts": ["error"]},
    "pull_stream": {"key": ["run_id", "stream"], "texts": ["error"], "jsonb": ["notes"]},
    "push_run": {"key": ["id"], "texts": ["error"]},
    "reconciliation": {"key": ["id"], "jsonb": ["notes"]},
    "schedule": {"key": ["id"], "texts": ["last_sentence"]},
    "batch_run": {"key": ["id"], "texts": ["summary", "search", "note", "error"], "jsonb": ["updates"]},
    "batch_refusal": {"key": ["run_id", "product_id"], "texts": ["label", "sentence"]},
    "webhook_event": {"key": ["id"], "texts": ["reason"]},
    "metafield": {"key": ["store_id", "id"], "texts": ["value"]},
    "collection_metafield": {"key": ["store_id", "id"], "texts": ["value"]},
    "order_metafield": {"key": ["store_id", "id"], "texts": ["value"]},
    "customer_metafield": {"key": ["store_id", "id"], "texts": ["value"]},
}
"""Tables whose texts may quote anything, an address too."""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's number in a store, and what he is known by."""

    store_id: UUID
    number: int
    email: str | None
    phone: str | None


async def list_customers(
    session: Session, *, emails: Collection[str], numbers: Collection[tuple[UUID, int]]
) -> Sequence[Known]:
    """Buried ones too: what is gone from the store is kept here as a tombstone, with all it says."""
    table = customer.c
    query = select(table.store_id, table.id, table.email, table.phone).where(
        table.tenant_id == session.tenant_id,
        or_(func.lower(table.email).in_(emails), *_any_of(customer, "id", numbers)),
    )
    return [Known(*row) for row in await session.execute(query)]


async def list_orders(
    session: Session,
    *,
    emails: Collection[str],
    customers: Collection[tuple[UUID, int]],
    numbers: Collection[tuple[UUID, int]],
) -> Sequence[tuple[UUID, int]]:
    table = shop_order.c
    query = select(table.store_id, table.id).where(
        table.tenant_id == session.tenant_id,
        or_(
            func.lower(table.email).in_(emails),
            *_any_of(shop_order, "customer_id", customers),
            *_any_of(shop_order, "id", numbers),
        ),
    )
    return [(store_id, number) for store_id, number in await session.execute(query)]


def _any_of(table: Table, column: str, keys: Collection[tuple[UUID, int]]) -> list[Any]:
    by_store: dict[UUID, list[int]] = {}
    for store_id, number in keys:
        by_store.setdefault(store_id, []).append(number)
    return [and_(table.c.store_id == store_id, table.c[column].in_(ids)) for store_id, ids in by_store.items()]


_OF_CUSTOMERS = {
    "customer": (customer, "id"),
    "address": (customer_address, "customer_id"),
    "customer_metafield": (customer_metafield, "customer_id"),
}
_OF_ORDERS = {
    "order": (shop_order, "id"),
    "order_line": (order_line, "order_id"),
    "refund": (refund, "order_id"),
    "refund_line": (refund_line, "order_id"),
    "order_metafield": (order_metafield, "order_id"),
    "fulfillment": (fulfillment, "order_id"),
    "transaction": (order_transaction, "order_id"),
}
_INNER = {"tenant_id", "line_hash", "content_hash", "parts_hash"}


async def read_records(
    session: Session, *, customers: Collection[tuple[UUID, int]], orders: Collection[tuple[UUID, int]]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(kind, row), kind after kind."""
    for tables, keys in ((_OF_CUSTOMERS, customers), (_OF_ORDERS, orders)):
        for kind, (table, column) in tables.items():
            mine = _any_of(table, column, keys)
            if not mine:
                continue
            query = select(table).where(table.c.tenant_id == session.tenant_id, or_(*mine))
            for row in (await session.execute(query.order_by(table.c.store_id, table.c.id))).mappings():
                yield kind, {name: value for name, value in row.items() if name not in _INNER}


async def read_quotes(session: Session, terms: Collection[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(table, what it quotes), of the texts in which one of the terms stands."""
    like = [f"%{term}%" for term in sorted(terms)]
    driver = await session.driver()
    for name, how in QUOTING.items():
        columns = [*how.get("texts", ()), *how.get("jsonb", ())]
        query = sql.SQL("select {names} from {table} where tenant_id = %s and ({holds})").format(
            names=sql.SQL(", ").join(map(sql.Identifier, [*how["key"], *columns])),
            table=sql.Identifier("commerce", name),
            holds=sql.SQL(" or ").join(
                sql.SQL("{}::text ilike any (%s)").format(sql.Identifier(column)) for column in columns
            ),
        )
        async with driver.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, [session.tenant_id, *([like] * len(columns))])
            for row in await cursor.fetchall():
                yield name, row


async def scrub_quotes(session: WriteSession, terms: Collection[str]) -> int:
    changed = 0
    for name, how in QUOTING.items():
        changed += await scrub_table(
            session,
            sql.Identifier("commerce", name),
            key=how["key"],
            texts=how.get("texts", ()),
            jsonb=how.get("jsonb", ()),
            where=sql.SQL("tenant_id = %s"),
            values=[session.tenant_id],
            terms=terms,
        )
    return changed


async def list_authored(session: Session, names: Collection[str]) -> Sequence[tuple[str, str, int]]:
    """Table, column, and how many of its rows name him."""
    found: list[tuple[str, str, int]] = []
    for table, column in AUTHORED:
        mine = (table.c.tenant_id == session.tenant_id, column.in_(names))
        count = int(await session.scalar(select(func.count()).select_from(table).where(*mine)) or 0)
        found += [(table.name, column.name, count)] if count else []
    return found


async def anonymise_authored(session: WriteSession, names: Collection[str]) -> int:
    changed = 0
    driver = await session.driver()
    for table, column in AUTHORED:
        query = sql.SQL("update {table} set {column} = %s where tenant_id = %s and {column} = any(%s)").format(
            table=sql.Identifier("commerce", table.name), column=sql.Identifier(column.name)
        )
        changed += (await driver.execute(query, [ERASED_PERSON, session.tenant_id, sorted(names)])).rowcount
    return changed
