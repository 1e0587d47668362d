"""What is stored fits together, and what does not is found: each rule is broken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, LiteralString

import httpx
import pytest
from sqlalchemy import text

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import ChangeQuery, PullMode, StoreNotFound
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.integrity_contract import IntegrityFinding
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.http.factory import create_app


def broken(found: Sequence[IntegrityFinding]) -> dict[str, int]:
    return {one.rule: one.count for one in found if one.count}


@pytest.fixture
def damage(pulled: Any, owner: Actor) -> Callable[..., Any]:
    """What no code of ours does: rows changed by hand."""

    async def make(statement: LiteralString) -> None:
        async with pulled.commerce.runtime.database.writing(owner.tenant_id) as session:
            await session.execute(text(statement))

    return make


async def test_a_store_that_was_pulled_and_changed_fits_together(
    pulled: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    batch = await commerce.stage_edit(actor=owner, store="demo", where="vendor:Acme", edits=["price=+1"])
    await commerce.approve(actor=owner, query=ChangeQuery(batch_id=batch.id))
    await pulled.push()
    found = await commerce.check_integrity(actor=owner, store="demo")
    assert broken(found) == {}
    looked_at = {one.rule for one in found if one.left_out is None}
    assert {
        "products have variants",
        "every variant has its product",
        "every inventory level has its location",
        "receipts have an outcome",
    } <= looked_at


DAMAGES: tuple[tuple[LiteralString, dict[str, int]], ...] = (
    (
        "DELETE FROM commerce.variant WHERE sku = 'SHIRT-S'",
        {
            "every product has as many variants as it says": 1,
            "every inventory item has its variant": 1,
            "every inventory level has its variant": 2,
        },
    ),
    (
        "UPDATE commerce.product SET deleted_at = now() WHERE handle = 'linen-shirt'",
        {"no variant outlives its product": 2},
    ),
    ("DELETE FROM commerce.product WHERE handle = 'mug'", {"every variant has its product": 1}),
    (
        "DELETE FROM commerce.location WHERE name = 'Flagship store'",
        {"every inventory level has its location": 2},
    ),
    (
        "UPDATE commerce.location SET deleted_at = now() WHERE name = 'Flagship store'",
        {"no inventory level outlives its location": 2},
    ),
)


@pytest.mark.parametrize(("statement", "expected"), DAMAGES)
async def test_damage_to_the_mirror_is_found(
    damage: Any, commerce: LocalCommerce, owner: Actor, statement: LiteralString, expected: dict[str, int]
) -> None:
    await damage(statement)
    found = await commerce.check_integrity(actor=owner, store="demo")
    assert broken(found) == expected
    (worst,) = [one for one in found if one.rule == next(reversed(expected))]
    assert worst.examples
    assert worst.advice == "Run: syncline reconcile demo"


async def test_what_is_read_together_must_fit_and_what_is_not_may_lag(
    damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    await damage("DELETE FROM commerce.product WHERE handle = 'mug'")
    await damage("DELETE FROM commerce.variant WHERE sku = 'SHIRT-S'")
    grave = {one.rule: one.is_grave for one in await commerce.check_integrity(actor=owner, store="demo") if one.count}
    assert grave["every variant has its product"]
    assert not grave["every inventory level has its variant"]


async def test_a_product_without_variants_is_found(damage: Any, commerce: LocalCommerce, owner: Actor) -> None:
    await damage("UPDATE commerce.variant SET deleted_at = now() WHERE sku LIKE 'SHIRT-%'")
    found = broken(await commerce.check_integrity(actor=owner, store="demo"))
    assert found["products have variants"] == 1
    assert found["no inventory level outlives its variant"] == 4


async def test_a_count_of_changes_that_is_wrong_is_found(
    pulled: Any, damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    await commerce.stage_edit(actor=owner, store="demo", where="vendor:Acme", edits=["price=+1"])
    await damage("UPDATE commerce.change_tally SET n = n + 1")
    (wrong,) = [one for one in await commerce.check_integrity(actor=owner, store="demo") if one.count]
    assert (wrong.rule, wrong.examples) == (
        "staged changes are as many as their counts say",
        ("variant Acme pending",),
    )


async def test_changes_and_receipts_left_hanging_are_found(
    pulled: Any, damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    batch = await commerce.stage_edit(actor=owner, store="demo", where="vendor:Acme", edits=["price=+1"])
    await commerce.approve(actor=owner, query=ChangeQuery(batch_id=batch.id))
    await pulled.push()
    await damage("UPDATE commerce.receipt SET finished_at = NULL")
    await damage("UPDATE commerce.staged_change SET status = 'sending'")
    found = broken(await commerce.check_integrity(actor=owner, store="demo"))
    assert found == {"changes are being sent only while a push runs": 2, "receipts have an outcome": 2}
    await damage("DELETE FROM commerce.change_batch")
    found = broken(await commerce.check_integrity(actor=owner, store="demo"))
    assert found["staged changes belong to a batch"] == 2


async def test_a_change_of_a_product_that_is_gone_is_told_and_not_grave(
    pulled: Any, damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    await commerce.stage_edit(actor=owner, store="demo", where="handle:mug", edits=["title=Cup"])
    await damage(
        "UPDATE commerce.variant v SET deleted_at = now() FROM commerce.product p"
        " WHERE p.id = v.product_id AND p.handle = 'mug'"
    )
    await damage("UPDATE commerce.product SET deleted_at = now() WHERE handle = 'mug'")
    found = await commerce.check_integrity(actor=owner, store="demo")
    (gone,) = [one for one in found if one.rule == "changes that wait are of products that exist"]
    assert (gone.count, gone.is_grave) == (1, False)


SCARF: dict[str, Any] = {"title": "Silk Scarf", "variants": [{"price": "30"}]}


async def test_changes_of_collections_and_new_products_are_of_something(
    pulled: Any, shop: Any, damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    """Neither has a product in the mirror: the one is of none, the other makes one."""
    shirt = next(one.id for one in shop.store.products.values() if one.handle == "linen-shirt")
    shop.store.collections.create(title="Winter", handle="winter", product_ids=[shirt])
    await pulled.pull(PullMode.INCREMENTAL)
    await commerce.stage_products(actor=owner, store="demo", products=[SCARF])
    await commerce.stage_edit(actor=owner, store="demo", where="collection:winter", edits=["collection_title=Cold"])
    await commerce.stage_edit(actor=owner, store="demo", where="handle:mug", edits=["collections=+winter"])
    assert broken(await commerce.check_integrity(actor=owner, store="demo")) == {}
    await damage("UPDATE commerce.collection SET deleted_at = now()")
    found = await commerce.check_integrity(actor=owner, store="demo")
    (gone,) = [one for one in found if one.rule == "changes that wait are of collections that exist"]
    assert (gone.count, gone.is_grave) == (2, False)


async def test_the_deletion_of_a_product_that_is_gone_is_told(
    pulled: Any, damage: Any, commerce: LocalCommerce, owner: Actor
) -> None:
    await commerce.stage_deletion(actor=owner, store="demo", where="handle:mug")
    await damage("UPDATE commerce.product SET deleted_at = now() WHERE handle = 'mug'")
    found = broken(await commerce.check_integrity(actor=owner, store="demo"))
    assert found["changes that wait are of products that exist"] == 1


async def test_while_a_pull_runs_the_mirror_is_left_out(pulled: Any, commerce: LocalCommerce, owner: Actor) -> None:
    await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL)
    found = await commerce.check_integrity(actor=owner, store="demo")
    (products,) = [one for one in found if one.rule == "products have variants"]
    assert "a pull of it is running" in str(products.left_out)


async def test_what_was_never_read_is_missed_by_nobody(
    shop: Any, commerce: LocalCommerce, owner: Actor, queue: Any, runtime: Any
) -> None:
    await commerce.add_store(
        actor=owner, name="demo", shop_domain=shop.domain, token="shpat_sandbox", base_url=shop.url
    )
    await commerce.start_pull(actor=owner, store="demo", mode=PullMode.FULL, streams=["inventory"])
    await queue.run_waiting(runtime)
    found = await commerce.check_integrity(actor=owner, store="demo")
    assert broken(found) == {}
    (alone,) = [one for one in found if one.rule == "every inventory level has its variant"]
    assert alone.left_out == "no variant was ever read of it"


async def test_over_http_it_takes_a_key_that_may_read_changes(pulled: Any, runtime: Any, tenant_id: TenantId) -> None:
    async def authenticate(bearer: str) -> Actor | None:
        return {one: Actor(tenant_id, one, one) for one in PERMISSIONS}.get(bearer)

    web = create_app(runtime, [APP], authenticate=authenticate)
    transport = httpx.ASGITransport(app=web)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", verify=False) as client:
        path = "/api/shopify/stores/demo/integrity"
        nobody = await client.get(path)
        answers = {role: await client.get(path, headers={"Authorization": f"Bearer {role}"}) for role in PERMISSIONS}
        unknown = await client.get(path.replace("demo", "nope"), headers={"Authorization": "Bearer owner"})
    assert (nobody.status_code, unknown.status_code, unknown.json()["code"]) == (401, 404, "STORE_001")
    allowed = {role for role, answer in answers.items() if answer.status_code == 200}
    assert allowed == {role for role in PERMISSIONS if Actor(tenant_id, "", role).may("changes:read")}
    rules = answers["viewer"].json()["rules"]
    assert {rule["count"] for rule in rules} == {0}


async def test_another_tenant_has_no_such_store(pulled: Any, commerce: LocalCommerce, stranger: Actor) -> None:
    with pytest.raises(StoreNotFound):
        await commerce.check_integrity(actor=stranger, store="demo")
