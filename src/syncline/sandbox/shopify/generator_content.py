"""Makes collections, media and metafields for the products of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from syncline.sandbox.shopify import generator_words as words
from syncline.sandbox.shopify.entities_content import Collection, Media, Metafield, Rule, RuleSet
from syncline.sandbox.shopify.generator_sales import NEWEST, SPAN_SECONDS
from syncline.sandbox.shopify.state import Store

FILES = "https://cdn.shopify.com/s/files/1/0548/3800/0009/files"
MANUAL_MOST = 200
"""Products in a manual collection at most."""
SORT_ORDERS = (
    "BEST_SELLING",
    "MANUAL",
    "ALPHA_ASC",
    "ALPHA_DESC",
    "CREATED_DESC",
    "PRICE_ASC",
    "PRICE_DESC",
    "CREATED",
)
METAFIELDS = (
    ("custom", "material", "single_line_text_field", "Merino ull"),
    ("custom", "care", "multi_line_text_field", 'Wash cold.\nDo not "tumble" dry \\ 30°'),
    ("custom", "launched", "date", "2025-09-01"),
    ("specs", "weight_class", "number_integer", "7"),
    ("specs", "ratio", "number_decimal", "1.50"),
    ("specs", "is_fragile", "boolean", "true"),
    ("specs", "size", "dimension", '{"value":25.0,"unit":"cm"}'),
    ("app", "data", "json", '{"b":[1,2,{"c":null}],"a":"é"}'),
    ("app", "colours", "list.single_line_text_field", '["red","blå","🟢"]'),
    ("reviews", "rating", "rating", '{"value":"4.5","scale_min":"1.0","scale_max":"5.0"}'),
)
"""namespace, key, type, value."""


class ContentMaker:
    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.random = Random(f"content {seed}")
        self.new_id = store.journal.next_id

    # -- collections

    def add_collections(self, count: int) -> None:
        """One in three is smart. A manual one holds at most 200 products, some hold none."""
        product_ids = list(self.store.products)
        for number in range(count):
            rules = self._rules(number) if number % 3 == 1 else None
            most = 0 if number % 20 == 19 else min(MANUAL_MOST, len(product_ids))
            chosen = [] if rules else self.random.sample(product_ids, self.random.randrange(most + 1) if most else 0)
            self.store.collections.insert(self._collection(number, rules), chosen)

    def _collection(self, number: int, rules: RuleSet | None) -> Collection:
        random = self.random
        title = (
            f"{random.choice(words.ADJECTIVES)} {random.choice(('Edit', 'Été ☀️', 'Gifts & more', 'Archive', '«Best»'))}"
        )
        return Collection(
            self.new_id("collection"),
            title,
            f"collection-{number}",
            self._moment(),
            random.choice(("", "<p>Picked by hand.</p>", '<p>Now &amp; then\u2028"new"</p>')),
            random.choice(SORT_ORDERS),
            "wide" if number % 10 == 4 else None,
            title[:40] if number % 4 == 0 else None,
            "Free shipping." if number % 4 == 2 else None,
            rules,
        )

    def _rules(self, number: int) -> RuleSet:
        random = self.random
        kinds = (
            RuleSet((Rule("TAG", "EQUALS", random.choice(words.TAGS)),)),
            RuleSet((Rule("VENDOR", "EQUALS", random.choice(words.VENDORS)),)),
            RuleSet((Rule("TYPE", "EQUALS", random.choice(words.TYPES)), Rule("VARIANT_PRICE", "LESS_THAN", "100"))),
            RuleSet((Rule("TITLE", "CONTAINS", "wool"), Rule("IS_PRICE_REDUCED", "IS_SET", "")), disjunctive=True),
        )
        return kinds[number // 3 % len(kinds)]

    # -- media

    def add_media(self, per_product: float) -> None:
        """On average so many; one product in forty shares a file with the product before it."""
        before: Media | None = None
        for number, product_id in enumerate(self.store.products):
            for at in range(self._times(per_product)):
                if at == 0 and before is not None and number % 40 == 39:
                    self.store.media.of_product.setdefault(product_id, []).append(before.id)
                    continue
                before = self._media(number, at)
                self.store.media.insert(before, [product_id])

    def _media(self, number: int, at: int) -> Media:
        random = self.random
        name, created = f"{FILES}/product-{number}-{at}", self._moment()
        alt = random.choice((None, None, "Front", "Sett fra siden – «blå»"))
        kind = random.randrange(50) if number >= 5 else number + 45
        match kind:
            case 47:
                still = f"{name}-preview.jpg?v=1"
                return Media(
                    self.new_id("media"), "VIDEO", created, created, f"{name}.mp4", alt, "READY", still, 1920, 1080
                )
            case 48:
                page = "https://www.youtube.com/embed/dQw4w9WgXcQ"
                return Media(
                    self.new_id("media"), "EXTERNAL_VIDEO", created, created, page, alt, "READY", None, None, None
                )
            case 49:
                return Media(self.new_id("media"), "MODEL_3D", created, created, f"{name}.glb", alt)
            case 46:
                return Media(self.new_id("media"), "IMAGE", created, created, f"{name}.jpg", alt, "FAILED")
        size = random.choice((800, 1600, 2048, 4472))
        return Media(
            self.new_id("media"), "IMAGE", created, created, f"{name}.jpg?v={number}", alt, "READY", None, size, size
        )

    # -- metafields

    def add_metafields(self, per_product: float) -> None:
        """On average so many for a product and a quarter of it for a variant; some collections, customers and orders
        have one each."""
        store = self.store
        for number in store.products:
            self._metafields("Product", number, self._times(per_product))
        for number in store.variants:
            self._metafields("ProductVariant", number, self._times(per_product / 4))
        for kind, number in self._others():
            self._metafields(kind, number, 1)

    def _others(self) -> Iterator[tuple[str, int]]:
        tables: dict[str, Iterable[int]] = {
            "Collection": self.store.collections.by_id,
            "Customer": self.store.sales.customers,
            "Order": self.store.sales.orders,
        }
        for kind, table in tables.items():
            yield from ((kind, number) for number in list(table)[::10])

    def _metafields(self, kind: str, owner_id: int, count: int) -> None:
        first = owner_id % len(METAFIELDS)
        created = self._moment() if count else NEWEST
        for at in range(count):
            turn, place = divmod(first + at, len(METAFIELDS))
            namespace, key, value_type, value = METAFIELDS[place]
            name = key if at < len(METAFIELDS) else f"{key}_{turn}"
            self.store.metafields.insert(
                Metafield(
                    self.new_id("metafield"), kind, owner_id, namespace, name, value_type, value, created, created
                )
            )

    def _times(self, mean: float) -> int:
        """A whole number that is `mean` on average."""
        whole = int(mean)
        return whole + (self.random.random() < mean - whole)

    def _moment(self) -> datetime:
        return NEWEST - timedelta(seconds=self.random.randrange(3 * 86_400, SPAN_SECONDS))
