from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from syncline.apps.outreach.contract import Namespace, NamespaceStats
from syncline.apps.outreach.namespaces.models import namespace
from syncline.runtime.db.session import Session, WriteSession

_COLUMNS = (
    namespace.c.name,
    namespace.c.keywords,
    namespace.c.description,
    namespace.c.is_active,
    namespace.c.created_by,
    namespace.c.created_at,
    namespace.c.updated_at,
)
_TOTALS = text("""
    SELECT count(*) AS events, count(DISTINCT nullif(email, '')) AS people,
           count(DISTINCT (platform, campaign_id)) AS campaigns, min(occurred_at) AS first, max(occurred_at) AS last
    FROM outreach.event_source WHERE tenant_id = :tenant_id AND namespace = :name
""")
_GROUPS = text("""
    SELECT platform, event_type, count(*) AS events FROM outreach.event_source
    WHERE tenant_id = :tenant_id AND namespace = :name GROUP BY platform, event_type ORDER BY platform, event_type
""")


def _namespace(row: Row[*tuple[Any, ...]]) -> Namespace:
    return Namespace(**{**row._mapping, "keywords": tuple(row.keywords)})  # noqa: SLF001 - SQLAlchemy's public name


async def list_all(session: Session) -> Sequence[Namespace]:
    """The oldest first."""
    query = select(*_COLUMNS).where(namespace.c.tenant_id == session.tenant)
    rows = await session.execute(query.order_by(namespace.c.created_at, namespace.c.name))
    return [_namespace(row) for row in rows]


async def find(session: Session, name: str) -> Namespace | None:
    query = select(*_COLUMNS).where(namespace.c.tenant_id == session.tenant, namespace.c.name == name)
    row = (await session.execute(query)).one_or_none()
    return _namespace(row) if row else None


async def add(session: WriteSession, made: Namespace) -> bool:
    """Whether it was not there yet."""
    query = upsert(namespace).values(tenant_id=session.tenant, **_values(made)).on_conflict_do_nothing()
    return (await session.execute(query.returning(namespace.c.name))).one_or_none() is not None


def _values(made: Namespace) -> dict[str, Any]:
    return {column.name: getattr(made, column.name) for column in _COLUMNS} | {"keywords": list(made.keywords)}


async def change(session: WriteSession, name: str, values: Mapping[str, Any], at: datetime) -> Namespace | None:
    query = (
        update(namespace)
        .where(namespace.c.tenant_id == session.tenant, namespace.c.name == name)
        .values(**values, updated_at=at)
        .returning(*_COLUMNS)
    )
    row = (await session.execute(query)).one_or_none()
    return _namespace(row) if row else None


async def read_stats(session: Session, name: str) -> NamespaceStats:
    about = {"tenant_id": session.tenant, "name": name}
    totals = (await session.execute(_TOTALS, about)).one()
    by_platform: dict[str, int] = {}
    by_type: dict[str, int] = {}
    for row in await session.execute(_GROUPS, about):
        by_platform[row.platform] = by_platform.get(row.platform, 0) + row.events
        by_type[row.event_type] = by_type.get(row.event_type, 0) + row.events
    return NamespaceStats(
        name=name,
        events=totals.events,
        people=totals.people,
        campaigns=totals.campaigns,
        by_platform=by_platform,
        by_type=by_type,
        first_event_at=totals.first,
        last_event_at=totals.last,
    )
