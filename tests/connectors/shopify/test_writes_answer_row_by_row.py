"""Products and variants: what is sent, and the answer to each row."""

from typing import Any

import pytest

from syncline.connectors.shopify import actions
from syncline.connectors.shopify.results import UserError
from syncline.connectors.shopify.testing import RecordedStore, open_client, read_request, variant
from syncline.runtime.connect.testing import ScriptedVendor


async def test_product_is_patched_and_answered_with_its_new_values(sandbox: Any) -> None:
    product = next(iter(sandbox.store.products.values()))
    vendor_before = product.vendor
    async with sandbox.client() as client:
        fields = {"title": "New", "tags": ["x", "y"], "seo": {"title": "S"}, "status": "DRAFT"}
        result = await actions.update_product(client, product.id, fields)
    assert result.ok
    assert result.updated_at == result.values["updatedAt"]
    assert (result.values["title"], result.values["tags"], result.values["seo"]["title"]) == ("New", ["x", "y"], "S")
    after = sandbox.store.products[product.id]
    assert (after.title, after.status, after.vendor) == ("New", "DRAFT", vendor_before)


async def test_product_that_is_refused_keeps_its_reason(sandbox: Any) -> None:
    product = next(iter(sandbox.store.products.values()))
    async with sandbox.client() as client:
        blank = await actions.update_product(client, product.id, {"title": ""})
        gone = await actions.update_product(client, 1, {"title": "x"})
    assert not blank.ok
    assert blank.errors[0].field == ("title",)
    assert "blank" in blank.errors[0].message
    assert not gone.ok
    assert gone.errors


async def test_field_that_cannot_be_written_is_refused_before_any_call() -> None:
    vendor = ScriptedVendor(RecordedStore())
    async with open_client(vendor.transport) as client:
        with pytest.raises(ValueError, match="cannot write variantsCount"):
            await actions.update_product(client, 1, {"title": "x", "variantsCount": 3})
        with pytest.raises(ValueError, match="cannot write inventoryQuantity"):
            await actions.update_variants(client, 1, [(2, {"inventoryQuantity": 3})])
    assert vendor.requests == []


async def test_one_wrong_variant_does_not_hinder_the_others(sandbox: Any) -> None:
    product = next(p for p in sandbox.store.products.values() if len(p.variant_ids) >= 3)
    first, second, third = product.variant_ids[:3]
    rows = [(first, {"price": "11.00"}), (second, {"price": "-1"}), (third, {"price": "13.00"}), (7, {"price": "1"})]
    async with sandbox.client() as client:
        results = await actions.update_variants(client, product.id, rows)
    assert [(r.key, r.ok) for r in results] == [(first, True), (second, False), (third, True), (7, False)]
    assert results[0].values["price"] == "11.00"
    assert results[0].updated_at is not None
    assert results[1].errors[0].field == ("price",)
    assert results[3].errors[0].code == "PRODUCT_VARIANT_DOES_NOT_EXIST"
    assert sandbox.store.variants[third].price == "13.00"


async def test_fields_of_a_variant_and_of_its_item(sandbox: Any) -> None:
    product = next(iter(sandbox.store.products.values()))
    number = product.variant_ids[0]
    fields = {
        "sku": "NEW-1",
        "barcode": "123",
        "compareAtPrice": None,
        "taxable": False,
        "inventoryPolicy": "CONTINUE",
        "unitCost": "3.50",
        "weight": {"value": 2.5, "unit": "POUNDS"},
        "tracked": False,
        "requiresShipping": False,
    }
    async with sandbox.client() as client:
        (result,) = await actions.update_variants(client, product.id, [(number, fields)])
        found = (await actions.read_variants(client, [number]))[number]
    assert result.ok
    assert result.values["inventoryItem"]["unitCost"]["amount"] == "3.5"
    assert found is not None
    assert (found.sku, found.barcode, found.compareAtPrice, found.taxable) == ("NEW-1", "123", None, False)
    assert (found.inventoryPolicy, found.inventoryItem.tracked) == ("CONTINUE", False)
    assert found.inventoryItem.measurement.weight is not None
    assert (found.inventoryItem.measurement.weight.value, found.inventoryItem.measurement.weight.unit) == (
        2.5,
        "POUNDS",
    )


async def test_product_that_is_gone_refuses_all_its_variants(sandbox: Any) -> None:
    number = next(iter(sandbox.store.variants))
    async with sandbox.client() as client:
        results = await actions.update_variants(client, 5, [(number, {"price": "1"}), (6, {"price": "2"})])
    assert [r.ok for r in results] == [False, False]
    assert {e.code for r in results for e in r.errors} == {"PRODUCT_DOES_NOT_EXIST"}


async def test_variant_without_any_answer_is_not_taken_for_written() -> None:
    node = {**variant(2), "updatedAt": "t"}
    payload = {"product": None, "productVariants": [node], "userErrors": []}
    store = RecordedStore(answers={"UpdateVariants": lambda _: {"productVariantsBulkUpdate": payload}})
    async with open_client(ScriptedVendor(store).transport) as client:
        results = await actions.update_variants(client, 1, [(2, {"price": "1"}), (3, {"price": "1"})])
    assert [r.ok for r in results] == [True, False]
    assert results[1].errors == (UserError((), "NO_ANSWER", "Shopify gave no answer for this row."),)


async def test_more_than_250_variants_go_in_several_calls(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(products=1)
    product = next(iter(sandbox.store.products.values()))
    rows = [(number, {"price": "9.99"}) for number in range(1, 601)]
    async with sandbox.client() as client:
        results = await actions.update_variants(client, product.id, rows)
    assert [r.key for r in results] == [number for number, _ in rows]


@pytest.mark.parametrize(("fields", "cost"), [({"price": "1"}, 10), ({"unitCost": "1"}, 14)])
async def test_price_change_costs_no_more_than_it_must(sandbox: Any, fields: dict[str, str], cost: float) -> None:
    product = next(iter(sandbox.store.products.values()))
    async with sandbox.client() as client:
        await actions.update_variants(client, product.id, [(product.variant_ids[0], fields)])
    assert client.limiter.stats.points == cost


async def test_reading_before_a_write_tells_what_is_gone(sandbox: Any) -> None:
    numbers = list(sandbox.store.variants)
    products = list(sandbox.store.products)
    async with sandbox.client() as client:
        variants = await actions.read_variants(client, [*numbers, 1, numbers[0]])
        found = await actions.read_products(client, [*products, 2])
        levels = await actions.read_levels(client, [*list(sandbox.store.levels)[:30], (1, 61000000001)])
    assert len(variants) == len(numbers) + 1
    assert variants[1] is None
    assert all(variants[n].price == sandbox.store.variants[n].price for n in numbers)  # type: ignore[union-attr]
    assert found[2] is None
    assert len([p for p in found.values() if p]) == len(products)
    assert [key for key, level in levels.items() if level is None] == [(1, 61000000001)]
    assert all(
        level.quantity("available") == sandbox.store.levels[key].available for key, level in levels.items() if level
    )


async def test_read_of_many_is_cut_to_what_one_query_may_cost() -> None:
    store = RecordedStore(answers={"ReadVariants": lambda asked: {"nodes": [None] * len(asked.variables["ids"])}})
    vendor = ScriptedVendor(store)
    async with open_client(vendor.transport) as client:
        client.limiter.bucket.known = True
        found = await actions.read_variants(client, range(400))
    sizes = [len(read_request(request).variables["ids"]) for request in vendor.requests]
    assert len(found) == 400
    assert sizes[0] == 20
    assert sum(sizes) == 400
    assert max(sizes) <= 166
