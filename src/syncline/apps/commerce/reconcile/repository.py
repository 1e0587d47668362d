from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select

from syncline.apps.commerce.contract import KindCount, Reconciliation
from syncline.apps.commerce.reconcile.models import reconciliation
from syncline.apps.commerce.stores.models import store
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.runtime.db.session import Session, WriteSession

_KIND_FIELDS = tuple(KindCount.__dataclass_fields__)


def _view(row: RowMapping) -> Reconciliation:
    return Reconciliation(
        id=row["id"],
        store=row["store"],
        method=row["method"],
        agreed=row["agreed"],
        repaired=row["repaired"],
        kinds=tuple(KindCount(**kind) for kind in row["kinds"]),
        created_at=row["created_at"],
        notes=tuple(row["notes"]),
    )


def _select() -> Any:
    return select(reconciliation, store.c.name.label("store")).join(store, store.c.id == reconciliation.c.store_id)


async def find_reconciliation(session: Session, reconciliation_id: UUID) -> Reconciliation | None:
    query = _select().where(reconciliation.c.tenant_id == session.tenant_id, reconciliation.c.id == reconciliation_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return _view(row) if row else None


async def find_last(session: Session, store_id: UUID) -> Reconciliation | None:
    query = (
        _select()
        .where(reconciliation.c.tenant_id == session.tenant_id, reconciliation.c.store_id == store_id)
        .order_by(reconciliation.c.created_at.desc())
        .limit(1)
    )
    row = (await session.execute(query)).mappings().one_or_none()
    return _view(row) if row else None


async def add(
    session: WriteSession,
    *,
    store_id: UUID,
    run_id: UUID | None,
    method: str,
    repaired: int,
    kinds: Sequence[KindCount],
    notes: Sequence[str],
) -> UUID:
    reconciliation_id = new_id()
    await session.execute(
        insert(reconciliation).values(
            id=reconciliation_id,
            tenant_id=session.tenant_id,
            store_id=store_id,
            run_id=run_id,
            method=method,
            agreed=all(kind.agrees for kind in kinds),
            repaired=repaired,
            kinds=[{name: getattr(kind, name) for name in _KIND_FIELDS} for kind in kinds],
            notes=list(notes),
            created_at=clock.now(),
        )
    )
    return reconciliation_id
