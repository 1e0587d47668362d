"""Every question to the mirror that is not a load."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from syncline.apps.commerce.mirror.kinds import KINDS, LOCATION, PRODUCT, VARIANT, Kind, content_hash, content_of_row
from syncline.apps.commerce.mirror.lines import Key
from syncline.apps.commerce.mirror.models import location, product, variant
from syncline.runtime.db.session import Session


def _live(session: Session, store_id: UUID, kind: Kind) -> Any:
    table = kind.table.c
    return (table.tenant_id == session.tenant_id) & (table.store_id == store_id) & table.deleted_at.is_(None)


async def count_kind(session: Session, store_id: UUID, kind: Kind) -> int:
    query = select(func.count()).select_from(kind.table).where(_live(session, store_id, kind))
    return int((await session.execute(query)).scalar_one())


async def count_all(session: Session, store_id: UUID) -> dict[str, int]:
    return {name: await count_kind(session, store_id, kind) for name, kind in KINDS.items()}


async def list_locations(session: Session, store_id: UUID) -> Sequence[tuple[int, str]]:
    """Number and name of every location that can hold stock."""
    query = (
        select(location.c.id, location.c.name)
        .where(_live(session, store_id, LOCATION), location.c.is_active)
        .order_by(location.c.id)
    )
    return [(number, name) for number, name in (await session.execute(query))]


async def list_contents(session: Session, store_id: UUID, kind: Kind) -> AsyncIterator[dict[Key, int]]:
    """Every live record's key and the hash of what the mirror really holds of it, in pages of 5,000."""
    query = select(*(kind.table.c[name] for name in kind.columns)).where(_live(session, store_id, kind))
    result = await session.stream(query, execution_options={"yield_per": 5_000})
    async for page in result.mappings().partitions(5_000):
        yield {tuple(row[name] for name in kind.key): content_hash(content_of_row(kind, dict(row))) for row in page}


async def find_products_with_wrong_variant_count(session: Session, store_id: UUID, *, limit: int) -> Sequence[int]:
    """Products whose own count of variants is not what the mirror holds of them: a line was lost on the way."""
    held = (
        select(variant.c.product_id, func.count().label("n"))
        .where(_live(session, store_id, VARIANT))
        .group_by(variant.c.product_id)
        .subquery()
    )
    query = (
        select(product.c.id)
        .outerjoin(held, held.c.product_id == product.c.id)
        .where(
            _live(session, store_id, PRODUCT),
            product.c.variants_count.is_not(None),
            product.c.variants_count != func.coalesce(held.c.n, 0),
        )
        .order_by(product.c.id)
        .limit(limit)
    )
    return list((await session.execute(query)).scalars())
