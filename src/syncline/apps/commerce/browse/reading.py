"""Pages of live records of one table, in the stores asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, func, or_, select, true

from syncline.apps.commerce.browse_contract import BrowseQuery
from syncline.kernel.paging import PageRequest
from syncline.runtime.db.session import Session


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stores of a request: their names by id."""

    names: dict[UUID, str]

    @property
    def ids(self) -> list[UUID]:
        return list(self.names)


def is_live(session: Session, table: Table, shelf: Shelf) -> ColumnElement[bool]:
    """That a row of `table` is a record that is there, in one of the stores."""
    return and_(table.c.tenant_id == session.tenant_id, table.c.store_id.in_(shelf.ids), table.c.deleted_at.is_(None))


def was_made(query: BrowseQuery, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """That `column`, when the record was made, lies in the query's span."""
    parts: list[ColumnElement[bool]] = []
    if query.since is not None:
        parts.append(column >= query.since)
    if query.until is not None:
        parts.append(column < query.until)
    return and_(true(), *parts)


def has_words(query: BrowseQuery, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """That each word of the search is a piece of one of `columns`, whatever its case."""
    return and_(
        true(),
        *(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in query.search.split()),
    )


async def page_of(
    session: Session, query: Select[Any], order: Sequence[ColumnElement[Any]], page: PageRequest
) -> tuple[Sequence[RowMapping], int]:
    """The rows of the page, and how many there are in all. One reading: both are of the same moment."""
    total = (await session.execute(query.with_only_columns(func.count()).order_by(None))).scalar_one()
    if page.offset >= total:
        return (), total
    rows = (await session.execute(query.order_by(*order).offset(page.offset).limit(page.limit))).mappings().all()
    return rows, total


async def rows_of(
    session: Session, table: Table, *conditions: ColumnElement[bool], order: Sequence[ColumnElement[Any]]
) -> Sequence[RowMapping]:
    """All rows of a table that meet `conditions`; only for what hangs on one record."""
    query = select(table).where(table.c.tenant_id == session.tenant_id, *conditions).order_by(*order)
    return (await session.execute(query)).mappings().all()
