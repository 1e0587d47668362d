from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.kernel import clock
from syncline.sandbox.shopify.search import Search, SearchNotServedError, compile_search
from syncline.sandbox.shopify.search_syntax import describe, parse
from syncline.sandbox.shopify.state import NewVariant, Product, Store

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def store() -> Store:
    """Five products, updated on five seconds in a row from noon."""
    store = Store()
    place = store.add_location("Warehouse").id
    rows = [
        ("Green Hoodie", "Acme", ["sale", "Winter"], "HOOD-1", "10.00", 5, "ACTIVE"),
        ("Green Trouser", "acme", ["eco"], "TR-1", "0.00", 0, "DRAFT"),
        ("Blue hoodie, women's", "O'Neill", [], "", "99.90", -3, "ARCHIVED"),
        ("Mug", "", ["Sale"], None, "7.50", 12, "ACTIVE"),
        ("קומקום", "Zed", [], "HOOD-2", "20.00", 1, "ACTIVE"),
    ]
    for at, (title, vendor, tags, sku, price, stock, status) in enumerate(rows):
        store.add_product(
            title=title,
            handle=f"p-{at}",
            created_at=NOON - timedelta(days=at),
            updated_at=NOON + timedelta(seconds=at),
            variants=[NewVariant(["Default Title"], price=price, sku=sku, quantities={place: stock})],
            vendor=vendor,
            tags=tags,
            status=status,
        )
    return store


def found(store: Store, query: str, resource: str = "products") -> list[int]:
    """Places (0 is the first) of the entities that match."""
    search = compile_search(store, resource, query)
    first = min(store.orders(resource)["ID"].keys())[1]
    return [entity.id - first for entity in search.find()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("vendor:Acme", [0, 1]),
        ("vendor:ACME status:active", [0]),
        ("vendor:Acme OR vendor:Zed", [0, 1, 4]),
        ("vendor:Acme AND (status:draft OR status:archived)", [1]),
        ("vendor:Zed OR vendor:Acme status:draft", [1, 4]),
        ("-vendor:Acme", [2, 3, 4]),
        ("NOT vendor:Acme status:active", [3, 4]),
        ("status:active,draft", [0, 1, 3, 4]),
        ('vendor:"O\'Neill"', [2]),
        ("vendor:O'Neill", [2]),
        ("vendor:*", [0, 1, 2, 4]),
        ("tag:sale", [0, 3]),
        ("tag:wint*", [0]),
        ("tag_not:sale", [1, 2, 4]),
        ("sku:HOOD-1", [0]),
        ("sku:HOOD*", [0, 4]),
        ("sku:*", [0, 1, 4]),
        ("title:hoodie", [0, 2]),
        ("title:'green hoodie'", [0]),
        ("title:'hoodie green'", []),
        ("title:gre*", [0, 1]),
        ("green hoodie", [0]),
        ("קומקום", [4]),
        ("price:0", [1]),
        ("price:>=10 price:<=20", [0, 4]),
        ("inventory_total:<0", [2]),
        ("inventory_total:1..5", [0, 4]),
        ("handle:p-1,p-3", [1, 3]),
        ("has_only_default_variant:true", [0, 1, 2, 3, 4]),
        ("out_of_stock_somewhere:true", [1, 2]),
        ("gift_card:true", []),
        ("", [0, 1, 2, 3, 4]),
    ],
)
def test_selects(store: Store, query: str, expected: list[int]) -> None:
    assert found(store, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("updated_at:>='2026-08-01T12:00:02Z'", [2, 3, 4]),
        ("updated_at:>'2026-08-01T12:00:02Z'", [3, 4]),
        ("updated_at:<='2026-08-01T12:00:02Z'", [0, 1, 2]),
        ("updated_at:<'2026-08-01T12:00:02Z'", [0, 1]),
        ("updated_at:'2026-08-01T12:00:02Z'", [2]),
        ("updated_at:>='2026-08-01T12:00:02.900Z'", [2, 3, 4]),
        ("updated_at:>='2026-08-01T14:00:03+02:00'", [3, 4]),
        ("updated_at:>='2026-08-01T12:00:01Z' AND updated_at:<'2026-08-01T12:00:03Z'", [1, 2]),
        ("created_at:2026-07-30", [2]),
        ("created_at:<2026-08", [1, 2, 3, 4]),
        ("created_at:>=2026-08-01", [0]),
        ("created_at:<=2026-07-29", [3, 4]),
    ],
)
def test_times_are_whole_seconds_in_utc(store: Store, query: str, expected: list[int]) -> None:
    assert found(store, query) == expected


def test_now_moves_although_the_store_does_not(store: Store) -> None:
    with clock.frozen(NOON + timedelta(seconds=1)):
        early = found(store, "updated_at:<=now")
    with clock.frozen(NOON + timedelta(seconds=3)):
        late = found(store, "updated_at:<=now")
    assert (early, late) == ([0, 1], [0, 1, 2, 3])


def test_an_unquoted_timestamp_falls_apart_and_widens_the_answer(store: Store) -> None:
    search = compile_search(store, "products", "updated_at:>=2026-08-01T12:00:03Z")
    assert len(search.find()) == 5
    entry = search.extension(["products"])
    assert entry["warnings"] == [
        {"field": "00", "message": "Invalid search field for this query.", "code": "invalid_field"}
    ]
    assert entry["parsed"]["and"][0] == {"field": "updated_at", "range": {"gte": "2026-08-01T12"}}


def test_an_unknown_field_is_ignored_with_a_warning(store: Store) -> None:
    search = compile_search(store, "products", "vendor:Acme colour:red")
    assert len(search.find()) == 2
    assert [warning.field for warning in search.warnings] == ["colour"]


def test_a_negated_unknown_field_is_ignored_too(store: Store) -> None:
    assert len(compile_search(store, "products", "-colour:red").find()) == 5


def test_a_value_of_the_wrong_type_is_ignored_with_a_warning(store: Store) -> None:
    search = compile_search(store, "products", "id:abc")
    assert (len(search.find()), search.warnings[0].code) == (5, "invalid_value")


def test_a_filter_the_sandbox_does_not_serve_is_an_error(store: Store) -> None:
    with pytest.raises(SearchNotServedError, match="category_id"):
        compile_search(store, "products", "category_id:1")


def test_ids_by_number_range_and_global_id(store: Store) -> None:
    ids = sorted(store.products)
    assert found(store, f"id:{ids[1]} OR id:{ids[3]} OR id:1") == [1, 3]
    assert found(store, f"id:>{ids[2]}") == [3, 4]
    assert found(store, f"id:>={ids[1]} id:<{ids[3]}") == [1, 2]
    assert found(store, f"id:'gid://shopify/Product/{ids[4]}'") == [4]


def test_variants_by_their_product(store: Store) -> None:
    ids = sorted(store.products)
    assert found(store, f"product_id:{ids[2]}", "variants") == [2]
    assert found(store, f"product_ids:{ids[0]},{ids[4]}", "variants") == [0, 4]
    assert found(store, "product_status:draft", "variants") == [1]
    assert found(store, "inventory_quantity:>4", "variants") == [0, 3]


def test_items_have_no_free_text(store: Store) -> None:
    search = compile_search(store, "items", "hoodie sku:HOOD-2")
    assert (len(search.find()), search.warnings[0].field) == (1, "default")


def test_events_by_action(store: Store) -> None:
    first, second = list(store.products.values())[:2]
    store.delete_product(first)
    store.delete_product(second)
    for query in ("action:destroy subject_type:PRODUCT", "verb:destroy"):
        search = compile_search(store, "events", query)
        assert [event.subject_id for event in store.events if search.matches(event)] == [first.id, second.id]


def test_keys_follow_the_sort_key(store: Store) -> None:
    search = compile_search(store, "products", "vendor:Acme")
    assert [key[0] for key in search.keys("TITLE")] == ["green hoodie", "green trouser"]
    assert [key[0] for key in search.keys("UPDATED_AT")] == [NOON, NOON + timedelta(seconds=1)]


def test_a_kept_answer_is_forgotten_when_the_store_changes(store: Store) -> None:
    query = "vendor:Acme"
    before = found(store, query)
    store.update_product(next(iter(store.products.values())), vendor="Other")
    assert (before, found(store, query)) == ([0, 1], [1])


def test_a_time_filter_looks_at_few_products() -> None:
    store = Store()
    for at in range(300):
        moment = NOON + timedelta(seconds=at)
        store.add_product(title="x", handle=f"h{at}", created_at=moment, updated_at=moment)
    search = compile_search(store, "products", "updated_at:>='2026-08-01T12:04:55Z' title:x")
    seen: list[int] = []

    def note(entity: Product) -> bool:
        seen.append(entity.id)
        return True

    looked_at = Search(store, "products", "counted", note, bounds=search.bounds)
    assert len(looked_at.keys("UPDATED_AT")) == 5
    assert len(looked_at.keys("ID")) == 5
    assert len(seen) == 10


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("first_name:Bob", {"field": "first_name", "match_all": "Bob"}),
        ('name:"Bob Norman"', {"field": "name", "match_phrase": "Bob Norman"}),
        ("-a:1", {"not": {"field": "a", "match_all": "1"}}),
        ("a:>1 a:<=3", {"and": [{"field": "a", "range": {"gt": "1"}}, {"field": "a", "range": {"lte": "3"}}]}),
        ("a:1 OR b:2", {"or": [{"field": "a", "match_all": "1"}, {"field": "b", "match_all": "2"}]}),
        ("sku:A\\:B", {"field": "sku", "match_all": "A:B"}),
        ("sku:'it\\'s'", {"field": "sku", "match_phrase": "it's"}),
        ("sku:'open", {"field": "sku", "match_all": "'open"}),
        ("ANDROID", {"match_all": "ANDROID"}),
        ("(a:1) (b:2", {"and": [{"field": "a", "match_all": "1"}, {"field": "b", "match_all": "2"}]}),
    ],
)
def test_reads_the_grammar(query: str, expected: dict[str, object]) -> None:
    tree = parse(query)
    assert tree is not None
    assert describe(tree) == expected


@given(st.text(alphabet=":<>=-*()'\"\\., aOR:ANDNOT0123456789TZ", max_size=40))
def test_any_text_can_be_searched_for(text: str) -> None:
    store = Store()
    product = store.add_product(title="T", handle="t", created_at=NOON, variants=[NewVariant(["X"], sku="N")])
    for field in ("", "updated_at:", "id:", "price:", "title:", "gift_card:", "sku:"):
        assert compile_search(store, "products", f"{field}{text}").find() in ([], [product])


@pytest.mark.parametrize("query", ["", "   ", "()", "AND", ":"])
def test_a_query_without_terms_is_none(query: str) -> None:
    assert parse(query) is None
