from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.cursors import decode_cursor, encode_cursor
from syncline.sandbox.shopify.ids import GlobalId, level_gid, number_of, parse_gid
from syncline.sandbox.shopify.state import NewVariant, Store

LATER = datetime(2026, 3, 1, 12, 0, 0, 900_000, tzinfo=UTC)


def test_a_change_bumps_the_revision_and_the_time_to_the_second(shop: Store) -> None:
    revision = shop.revision
    with clock.frozen(LATER):
        shop.update_product(shop.products[7000000000001], title="New")
    assert shop.revision == revision + 1
    assert shop.products[7000000000001].updated_at == LATER.replace(microsecond=0)


def test_changes_below_a_product_bump_it(shop: Store) -> None:
    variant = shop.variants[41000000000001]
    product = shop.products[7000000000001]
    changes: list[Callable[[], object]] = [
        lambda: shop.update_variant(variant, price="1.00"),
        lambda: shop.update_item(shop.items[variant.item_id], unit_cost="1.00"),
        lambda: shop.set_level(variant.item_id, 61000000001, available=1),
        lambda: shop.add_variant(product, NewVariant(["L"])),
        lambda: shop.delete_variant(variant),
    ]
    times = []
    for day, change in enumerate(changes, start=1):
        with clock.frozen(datetime(2026, 4, day, tzinfo=UTC)):
            change()
        times.append(product.updated_at.day)
    assert times == [1, 2, 3, 4, 5]


def test_stock_of_an_untracked_item_does_not_touch_its_product(shop: Store) -> None:
    shop.update_item(shop.items[43000000000001], tracked=False)
    before = shop.products[7000000000001].updated_at
    with clock.frozen(LATER):
        shop.set_level(43000000000001, 61000000001, available=1)
    assert shop.products[7000000000001].updated_at == before


def test_orders_follow_changes(shop: Store) -> None:
    by_time = shop.orders("products")["UPDATED_AT"]
    keys = by_time.keys()
    assert keys[0][1] == 7000000000001
    shop.touch_product(shop.products[7000000000001])
    shop.delete_product(shop.products[7000000000003])
    shop.add_product(title="New", handle="new")
    assert [number for _, number in keys] == [7000000000002, 7000000000004, 7000000000005, 7000000000001, 7000000000006]
    assert keys == sorted(keys)


def test_handles_are_unique_and_follow_a_rename(shop: Store) -> None:
    shop.update_product(shop.products[7000000000001], handle="renamed")
    assert shop.find_product_by_handle("linen-shirt") is None
    assert shop.find_product_by_handle("renamed") is shop.products[7000000000001]
    with pytest.raises(ValueError, match="is taken"):
        shop.update_product(shop.products[7000000000002], handle="renamed")
    assert shop.free_handle("renamed") == "renamed-1"


def test_an_event_for_a_variant_alone_only_when_switched_on(shop: Store) -> None:
    shop.delete_variant(shop.variants[41000000000001])
    assert shop.events == []
    shop.variant_events = True
    shop.add_variant(shop.products[7000000000001], NewVariant(["L"]))
    shop.delete_variant(shop.variants[41000000000002])
    assert [one.subject_type for one in shop.events] == ["PRODUCT_VARIANT"]


def test_global_ids() -> None:
    level = level_gid(98, 43)
    assert level == "gid://shopify/InventoryLevel/98?inventory_item_id=43"
    assert parse_gid(level) == GlobalId("InventoryLevel", 98, 43)
    assert number_of("gid://shopify/Product/7", "Product") == 7
    assert [number_of("gid://shopify/Order/7", "Product"), parse_gid("7"), parse_gid("gid://other/Product/7")] == [
        None
    ] * 3


@pytest.mark.parametrize("key", [(datetime(2026, 1, 1, tzinfo=UTC), 7), (12, 12), ("zürich", 3)])
def test_a_cursor_gives_back_its_key(key: tuple[object, int]) -> None:
    assert decode_cursor(encode_cursor(key), key[0]) == key


@pytest.mark.parametrize("text", ["?", "e30=", "", "bm90IGpzb24="])
def test_a_damaged_cursor_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        decode_cursor(text, 1)
