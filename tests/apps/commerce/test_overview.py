from __future__ import annotations

from typing import Any

from syncline.apps.commerce.contract import ChangeQuery, PullMode, RunStatus
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.mirror.kinds import KINDS
from syncline.kernel.tenant import Actor

ALL = dict.fromkeys(KINDS, 0) | {
    "product": 3,
    "variant": 4,
    "location": 2,
    "inventory_level": 6,
    "inventory_item": 4,
}


async def test_a_new_store_has_nothing_yet(shop: Any, commerce: LocalCommerce, owner: Actor) -> None:
    made = await commerce.add_store(
        actor=owner, name="demo", shop_domain=shop.domain, token="shpat_sandbox", base_url=shop.url
    )
    seen = await commerce.overview(actor=owner, store="demo")
    assert (seen.store, seen.records, seen.changes) == (made, dict.fromkeys(ALL, 0), {})
    assert (seen.last_pull, seen.last_push, seen.last_reconciliation) == (None, None, None)


async def test_it_shows_where_everything_stands(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    batch = await commerce.stage_edit(actor=owner, store="demo", where="", edits=["price=+1", "tags=+new"])
    query = ChangeQuery(batch_id=batch.id, search="sku:SHIRT-S field:price")
    await commerce.approve(actor=owner, query=query)
    pushed = await pulled.push()
    again = await pulled.pull(PullMode.INCREMENTAL)
    seen = await commerce.overview(actor=owner, store="demo")
    assert (seen.records, seen.changes) == (ALL, {"applied": 1, "pending": 6})
    assert (seen.last_pull, seen.last_push) == (again, pushed)
    assert (again.status, pushed.status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)
    assert seen.last_reconciliation == again.reconciliation
    assert again.reconciliation.agreed
