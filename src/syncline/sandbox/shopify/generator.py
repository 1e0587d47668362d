"""Makes a store of any size, the same one for the same seed, with the dirt of real ones.

Dirt: SKUs that are null, "", or used twice; HTML bodies of 0.2-4 KB with backslashes, tabs, line ends, quotes and
U+2028; emoji, right-to-left, padded, awkward and 255-character titles; tags in odd case; no vendor or type; drafts and
archived products; prices of zero, compare-at below the price; handles of digits; negative stock; one product with 100
variants (from 50 products on).

Memory: entities have slots and repeated texts (bodies, tags, vendors, option values, prices) are shared. A product with
4.5 variants at two locations takes about 7 KB, so 100,000 of them 0.7 GB (measured, CPython 3.11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from syncline.kernel.collecting import none_collected
from syncline.sandbox.shopify import generator_words as words
from syncline.sandbox.shopify.generator_content import ContentMaker
from syncline.sandbox.shopify.generator_sales import NEWEST, SalesMaker
from syncline.sandbox.shopify.state import InventoryItem, NewVariant, Store

OLDEST_DAYS = 3 * 365
BODIES = 1000
MOST_VARIANTS = 100
COUNTS = (1, 2, 3, 4, 5, 6, 8, 9, 12, 16)
COUNT_WEIGHTS = (30, 10, 14, 12, 10, 8, 6, 4, 4, 2)
ORIGINS = ("NO", "PT", "CA", "JP", "IT")
NOT_IN_HANDLE = re.compile(r"[^\w]+", re.UNICODE)
KILOGRAMS = tuple(Decimal(text) for text in ("0", "0.25", "0.4", "1", "1.5", "12"))


@dataclass(frozen=True, slots=True)
class Generated:
    products: int
    variants: int
    levels: int


def generate(
    store: Store,
    products: int = 2000,
    seed: int = 1,
    locations: int = 2,
    variants_per_product: float = 4.5,
    *,
    orders: int = 0,
    customers: int = 0,
    collections: int = 0,
    metafields_per_product: float = 0,
    media_per_product: float = 0,
) -> Generated:
    """Adds exactly `products` products and `round(products * variants_per_product)` variants to the store, and of the
    rest what is asked for. The products of a seed are the same whatever else is asked for."""
    random = Random(seed)
    before = len(store.levels)
    with none_collected():
        places = [store.add_location(_location_name(number)).id for number in range(locations)]
        counts = _variant_counts(random, products, variants_per_product)
        maker = _Maker(random, store, places)
        for number, count in enumerate(counts):
            maker.add_product(number, count)
        for number, item in enumerate(store.items.values()):
            _declare(number, item)
        content = ContentMaker(store, seed)
        content.add_collections(collections)
        content.add_media(media_per_product)
        sales = SalesMaker(store, seed)
        sales.add_customers(customers)
        sales.add_orders(orders)
        content.add_metafields(metafields_per_product)
    return Generated(products, sum(counts), len(store.levels) - before)


def _declare(number: int, item: InventoryItem) -> None:
    """What customs want to know, of two items in three."""
    if number % 3:
        item.country_code_of_origin = ORIGINS[number % len(ORIGINS)]
        item.harmonized_system_code = f"{6100 + number % 17:04d}{number % 100:02d}"
        item.province_code_of_origin = "ON" if item.country_code_of_origin == "CA" else None


def _variant_counts(random: Random, products: int, mean: float) -> list[int]:
    total = max(products, round(products * mean))
    if total > products * MOST_VARIANTS:
        raise ValueError(f"At most {MOST_VARIANTS} variants per product can be made.")
    counts = random.choices(COUNTS, COUNT_WEIGHTS, k=products)
    fixed = 0
    if products >= 50 and total - MOST_VARIANTS >= products - 1:
        counts[0], fixed = MOST_VARIANTS, 1
    missing = total - sum(counts)
    step = 1 if missing > 0 else -1
    while missing:
        at = random.randrange(fixed, products)
        if 1 <= counts[at] + step <= MOST_VARIANTS:
            counts[at] += step
            missing -= step
    return counts


class _Maker:
    def __init__(self, random: Random, store: Store, places: Sequence[int]) -> None:
        self.random = random
        self.store = store
        self.places = places
        self.bodies = [self._body() for _ in range(BODIES)]
        self.prices = [f"{random.randrange(100, 60000) / 100:.2f}" for _ in range(400)]
        self.skus: list[str] = []

    def add_product(self, number: int, count: int) -> None:
        random = self.random
        title = self._title(number)
        options = _options(count)
        created = NEWEST - timedelta(seconds=random.randrange(86_400, OLDEST_DAYS * 86_400))
        updated = created + timedelta(seconds=random.randrange(int((NEWEST - created).total_seconds())))
        status = random.choices(("ACTIVE", "DRAFT", "ARCHIVED"), (85, 9, 6))[0]
        self.store.add_product(
            title=title,
            handle=self.store.free_handle(self._handle(title, number)),
            options=options,
            variants=self._variants(number, count, options),
            created_at=created,
            updated_at=updated,
            log=False,
            description_html=self._chance(4, "", random.choice(self.bodies)),
            vendor=self._chance(3, "", random.choice(words.VENDORS)),
            product_type=self._chance(5, "", random.choice(words.TYPES)),
            status=status,
            tags=sorted(random.sample(words.TAGS, random.randrange(7)), key=str.casefold),
            published_at=created if status == "ACTIVE" and random.random() < 0.95 else None,
            template_suffix=self._chance(2, "wide", None),
            seo_title=self._chance(5, title[:70], None),
            seo_description=self._chance(5, "Free shipping & returns.", None),
            is_gift_card=number % 997 == 17,
        )

    def _variants(self, number: int, count: int, options: Sequence[tuple[str, Sequence[str]]]) -> Iterator[NewVariant]:
        random = self.random
        price = self._chance(1, "0.00", random.choice(self.prices))
        tracked = random.random() >= 0.03
        weight = random.choice(KILOGRAMS)
        cost = self._chance(40, None, random.choice(self.prices))
        for at, values in zip(range(count), _combinations(options), strict=False):
            yield NewVariant(
                option_values=values,
                price=price,
                sku=self._sku(number, at),
                barcode=self._barcode(number, at),
                compare_at_price=self._compare_at(price),
                taxable=random.random() >= 0.05,
                inventory_policy=self._chance(5, "CONTINUE", "DENY"),
                tracked=tracked,
                requires_shipping=random.random() >= 0.02,
                unit_cost=cost,
                weight=weight,
                weight_unit="KILOGRAMS",
                quantities=self._quantities(),
            )

    def _title(self, number: int) -> str:
        random = self.random
        plain = f"{random.choice(words.ADJECTIVES)} {random.choice(words.NOUNS)}"
        # The first ten products show each kind of dirt once, so that the smallest store has it too.
        dirt = number if number < 10 else random.randrange(100)
        match dirt:
            case 1:
                return f"  {plain}"
            case 2:
                return f"{plain} "
            case 3:
                return f"{random.choice(words.EMOJI)} {plain} {random.choice(words.EMOJI)}"
            case 4:
                return random.choice(words.RIGHT_TO_LEFT)
            case 5:
                return random.choice(words.AWKWARD).format(plain)
            case 6:
                return (f"{plain} with a name that goes on " * 10)[:255]
            case _:
                return f"{plain} {number}" if number % 3 else plain

    def _handle(self, title: str, number: int) -> str:
        if number % 50 == 7:
            return str(100_000 + number)
        stem = NOT_IN_HANDLE.sub("-", title.lower())[:60].strip("-_")
        return f"{stem or 'product'}-{number}"

    def _sku(self, number: int, at: int) -> str | None:
        # The first variants of products 7, 8 and 9 show each kind, so that the smallest store has them.
        kind = number - 6 if at == 0 and 7 <= number <= 9 else self.random.randrange(100)
        match kind:
            case 1:
                return None
            case 2:
                return ""
            case 3 | 4 if self.skus:
                return self.random.choice(self.skus)
            case _:
                sku = f"SKU-{number:06d}-{at:02d}"
                if len(self.skus) < 500:
                    self.skus.append(sku)
                return sku

    def _barcode(self, number: int, at: int) -> str | None:
        kind = self.random.randrange(10)
        if kind < 7:
            return f"57{number:07d}{at:03d}"
        return "" if kind == 7 else None

    def _compare_at(self, price: str) -> str | None:
        kind = self.random.randrange(100)
        if kind >= 20:
            return None
        if kind < 2:
            return f"{Decimal(price) / 2:.2f}"
        return f"{Decimal(price) * 5 / 4:.2f}"

    def _quantities(self) -> dict[int, int]:
        random = self.random
        return {
            place: -random.randrange(1, 6) if random.random() < 0.02 else random.randrange(200)
            for at, place in enumerate(self.places)
            if at == 0 or random.random() < 0.8
        }

    def _body(self) -> str:
        wanted = self.random.randrange(200, 4000)
        parts: list[str] = []
        while sum(map(len, parts)) < wanted:
            parts.append(self.random.choice(words.PARAGRAPHS).format(self.random.choice(words.NOUNS)))
        return "".join(parts)[:4096]

    def _chance(self, percent: int, rare: Any, usual: Any) -> Any:
        return rare if self.random.random() * 100 < percent else usual


def _options(count: int) -> list[tuple[str, Sequence[str]]]:
    if count == 1:
        return [("Title", ["Default Title"])]
    if count <= 6:
        return [("Size", words.SIZES[:count])]
    if count <= len(words.SIZES) * 2:
        return [("Size", words.SIZES[: -(-count // 2)]), ("Color", words.COLORS[:2])]
    colors = words.COLORS[: -(-count // len(words.SIZES))]
    return [("Size", words.SIZES), ("Color", colors), ("Material", words.MATERIALS[:1])]


def _combinations(options: Sequence[tuple[str, Sequence[str]]]) -> Iterator[list[str]]:
    if not options:
        yield []
        return
    for value in options[0][1]:
        for rest in _combinations(options[1:]):
            yield [value, *rest]


def _location_name(number: int) -> str:
    return words.LOCATIONS[number] if number < len(words.LOCATIONS) else f"Shop {number + 1}"
