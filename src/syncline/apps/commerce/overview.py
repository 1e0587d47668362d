"""Where a store stands, from every feature's own table."""

from __future__ import annotations

from syncline.apps.commerce.contract import ChangeQuery, Store, StoreOverview
from syncline.apps.commerce.mirror.repository import count_all
from syncline.apps.commerce.pull import repository as pull_repository
from syncline.apps.commerce.pull import service as pulls
from syncline.apps.commerce.push import repository as push_repository
from syncline.apps.commerce.push import service as pushes
from syncline.apps.commerce.reconcile.repository import find_last as find_last_reconciliation
from syncline.apps.commerce.staging.repository import count_by_status
from syncline.runtime.db.session import Session


async def overview_of(session: Session, store: Store) -> StoreOverview:
    pull = await pull_repository.find_last(session, store.id)
    push = await push_repository.find_last(session, store.id)
    return StoreOverview(
        store=store,
        records=await count_all(session, store.id),
        changes=await count_by_status(session, ChangeQuery(store=store.name)),
        last_pull=await pulls.view(session, pull) if pull is not None else None,
        last_push=await pushes.view(session, push) if push is not None else None,
        last_reconciliation=await find_last_reconciliation(session, store.id),
    )
