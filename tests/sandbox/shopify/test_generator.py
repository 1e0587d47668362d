from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from decimal import Decimal

import pytest

from syncline.sandbox.shopify.generator import Generated, generate
from syncline.sandbox.shopify.generator_sales import NEWEST
from syncline.sandbox.shopify.state import Store


@pytest.fixture(scope="module")
def store() -> Store:
    store = Store()
    generate(store)
    return store


def test_default_size(store: Store) -> None:
    assert (len(store.products), len(store.variants), len(store.locations)) == (2000, 9000, 2)


@pytest.mark.parametrize(("products", "mean", "variants"), [(10, 4.5, 45), (60, 1.0, 60), (1000, 3.5, 3500)])
def test_asked_size_is_met_exactly(products: int, mean: float, variants: int) -> None:
    store = Store()
    made = generate(store, products, variants_per_product=mean)
    assert made == Generated(products, variants, len(store.levels))
    assert (len(store.products), len(store.variants)) == (products, variants)


def test_a_seed_gives_the_same_store_and_another_seed_another() -> None:
    stores = [Store(), Store(), Store()]
    for store, seed in zip(stores, (7, 7, 8), strict=True):
        generate(store, 50, seed=seed)
    first, again, other = ([asdict(p) for p in s.products.values()] for s in stores)
    assert first == again
    assert first != other
    assert [asdict(v) for v in stores[0].variants.values()] == [asdict(v) for v in stores[1].variants.values()]
    assert list(stores[0].levels) == list(stores[1].levels)


def test_dirt_of_skus(store: Store) -> None:
    counts = Counter(variant.sku for variant in store.variants.values())
    assert counts[None] > 50
    assert counts[""] > 50
    assert any(sku and times > 1 for sku, times in counts.items())


def test_dirt_of_prices(store: Store) -> None:
    variants = store.variants.values()
    compared = [(Decimal(v.compare_at_price), Decimal(v.price)) for v in variants if v.compare_at_price is not None]
    assert any(v.price == "0.00" for v in variants)
    assert any(compare < price for compare, price in compared)
    assert any(compare > price for compare, price in compared)


def test_dirt_of_texts(store: Store) -> None:
    products = store.products.values()
    titles = [product.title for product in products]
    bodies = "".join({product.description_html for product in products})
    lengths = [len(product.description_html) for product in products]
    assert any(title != title.strip() for title in titles)
    assert any("🔥" in title for title in titles)
    assert any("\u0590" <= char <= "\u06ff" for title in titles for char in title)
    assert max(map(len, titles)) == 255
    assert {"\\", "\t", "\n", "\r", '"', "\u2028"} <= set(bodies)
    assert min(lengths) == 0
    assert 3900 < max(lengths) <= 4096
    assert any(product.handle.isdigit() for product in products)
    assert {"", "acme ", "ACME"} <= {product.vendor for product in products}
    assert "" in {product.product_type for product in products}


def test_dirt_of_states_and_stock(store: Store) -> None:
    products = store.products.values()
    assert {product.status for product in products} == {"ACTIVE", "DRAFT", "ARCHIVED"}
    assert max(len(product.variant_ids) for product in products) == 100
    assert any(level.available < 0 for level in store.levels.values())
    assert any(not item.tracked for item in store.items.values())


def test_what_shopify_guarantees_holds(store: Store) -> None:
    for product in store.products.values():
        variants = store.variants_of(product)
        combinations = [tuple(value.casefold() for value in variant.option_values) for variant in variants]
        assert len(set(combinations)) == len(combinations)
        assert [variant.position for variant in variants] == list(range(1, len(variants) + 1))
        assert product.created_at <= product.updated_at <= NEWEST
        assert len({tag.casefold() for tag in product.tags}) == len(product.tags)
        assert product.tags == sorted(product.tags, key=str.casefold)
        assert len(product.title) <= 255


def test_the_smallest_store_has_the_dirt_too() -> None:
    store = Store()
    generate(store, 10)
    skus = [variant.sku for variant in store.variants.values()]
    assert None in skus
    assert "" in skus
    assert any(product.title.startswith("  ") for product in store.products.values())


def test_too_many_variants_are_refused() -> None:
    with pytest.raises(ValueError, match="At most 100"):
        generate(Store(), 10, variants_per_product=101)
