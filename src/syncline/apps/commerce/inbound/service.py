from __future__ import annotations

from syncline.apps.commerce.contract import Store, StoreReview
from syncline.apps.commerce.stores import repository as store_repository
from syncline.apps.commerce.stores import service as stores
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import WriteSession


async def set_review(session: WriteSession, *, store: str, review: StoreReview) -> Store:
    before = (await stores.get(session, store)).store
    after = (await store_repository.change(session, before.id, {"review": review})).store
    note_change(f"store {after.name}", before={"review": before.review}, after={"review": after.review})
    return after
