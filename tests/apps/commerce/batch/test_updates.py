"""What `updates` ask for, operation by operation, and what is said of those that ask for nothing clear."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from syncline.apps.commerce.batch.updates import edits_of
from syncline.apps.commerce.batch_contract import BatchOperation
from syncline.apps.commerce.fields import AnyValue
from syncline.apps.commerce.staging.edits import AdjustQuantity, SetValue, apply, describe
from syncline.apps.commerce.staging.membership_edits import ChangeMembership
from syncline.kernel.errors import InvalidInput

PRODUCT: Mapping[str, AnyValue] = {
    "title": "Shirt",
    "status": "draft",
    "vendor": "Acme",
    "product_type": "",
    "tags": ["Linen", "old"],
    "seo_title": "Now",
    "seo_description": None,
}


def change(operation: str, updates: Any, current: Mapping[str, AnyValue] = PRODUCT) -> dict[str, AnyValue]:
    return apply(edits_of(BatchOperation(operation), updates, currency="USD"), current, "USD")


@pytest.mark.parametrize(
    ("operation", "updates", "changes"),
    [
        ("status", {"status": "Active"}, {"status": "active"}),
        ("status", {"status": "draft"}, {}),
        ("details", {"vendor": "Globex", "type": "Tee"}, {"vendor": "Globex", "product_type": "Tee"}),
        ("details", {"vendor": None}, {"vendor": ""}),
        ("details", {"vendor": 'a "quoted", name'}, {"vendor": 'a "quoted", name'}),
        ("seo", {"title": None, "description": "Cool"}, {"seo_title": None, "seo_description": "Cool"}),
        ("seo", {"description": None}, {}),
        ("tags", {"add": ["sale", "LINEN"], "remove": ["OLD"]}, {"tags": ["Linen", "sale"]}),
        ("tags", {"add": 'sale,"a, b"'}, {"tags": ["Linen", "old", "sale", "a, b"]}),
        ("tags", {"add": ["-sale", "+x"]}, {"tags": ["Linen", "old", "-sale", "+x"]}),
        ("tags", {"replace": ["b", "a", "A"]}, {"tags": ["b", "a"]}),
        ("tags", {"replace": []}, {"tags": []}),
        ("tags", {"replace": ["old", "Linen"]}, {}),
    ],
)
def test_what_a_product_becomes(operation: str, updates: Any, changes: Any) -> None:
    assert change(operation, updates) == changes


def test_stock_is_set_or_adjusted_by_location() -> None:
    updates = {"levels": [{"location": "Main", "available": 10}, {"location": "Shop", "available": "-3"}]}
    edits = edits_of(BatchOperation.INVENTORY, updates, currency="USD")
    assert edits == (SetValue("available", 10, "Main"), AdjustQuantity("available", -3, "Shop"))
    assert edits_of(BatchOperation.INVENTORY, {"available": "+5"}, currency="USD") == (AdjustQuantity("available", 5),)


def test_collections_are_named_by_their_handles() -> None:
    (edit,) = edits_of(BatchOperation.COLLECTIONS, {"add": [" Summer ", "summer"], "remove": "a,b"}, currency="USD")
    assert edit == ChangeMembership("collections", ("summer",), ("a", "b"))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("custom.material", "Wool"),
        ("metafield.custom.material", "Wool"),
        ("custom.material", {"type": "single_line_text_field", "value": "Wool"}),
        ("custom.material:single_line_text_field", "Wool"),
    ],
)
def test_a_metafield_in_each_way_to_name_it(name: str, given: Any) -> None:
    held = {"metafield.custom.material": {"type": "single_line_text_field", "value": "Cotton"}}
    wool = {"type": "single_line_text_field", "value": "Wool"}
    assert change("metafields", {name: given}, held) == {"metafield.custom.material": wool}
    assert change("metafields", {name.partition(":")[0]: None}, held) == {"metafield.custom.material": None}


def test_a_metafield_of_a_variant_and_values_that_are_no_texts() -> None:
    held = {"variant_metafield.custom.care": {"type": "list.single_line_text_field", "value": '["a"]'}}
    updates = {"variant_metafield.custom.care": ["b", "c, d"]}
    found: Any = change("metafields", updates, held)["variant_metafield.custom.care"]
    assert (found["type"], json.loads(found["value"])) == ("list.single_line_text_field", ["b", "c, d"])
    number = {"metafield.custom.years": {"type": "number_integer", "value": "1"}}
    years = {"type": "number_integer", "value": "24"}
    assert change("metafields", {"custom.years": 24}, number) == {"metafield.custom.years": years}


WRONG: list[tuple[str, Any, str, str]] = [
    ("status", {}, "updates", "Nothing to change: give status"),
    ("status", {"stat": "active"}, "updates.stat", "Did you mean status"),
    ("status", {"status": "on"}, "updates.status", "write active, draft, archived or unlisted"),
    ("status", {"status": None}, "updates.status", "cannot be cleared"),
    ("status", {"status": 1}, "updates.status", "is a text"),
    ("details", {"vendor": "x" * 256}, "updates.vendor", "256 characters"),
    ("tags", {"add": ["a"], "replace": ["b"]}, "updates.replace", "give replace alone"),
    ("tags", {"add": ["a"], "remove": ["A"]}, "updates.remove", "a cannot be added and removed at once"),
    ("tags", {"add": [1]}, "updates.add", "a list of texts"),
    ("tags", {"add": []}, "updates", "Nothing to change"),
    ("collections", {"add": ["a"], "remove": ["A"]}, "updates.remove", "put into a and taken out at once"),
    ("inventory", {"available": 2.5}, "updates.available", "as a number"),
    ("inventory", {"available": "x"}, "updates.available", "not a whole number"),
    ("inventory", {"location": "Main"}, "updates.available", "as a number"),
    ("inventory", {"available": 1, "levels": [{"available": 1}]}, "updates.levels", "not both"),
    ("inventory", {"levels": [{"available": 1}, {"available": 2, "location": "A"}]}, "updates.levels", "once"),
    ("inventory", {"levels": [{"available": 1, "place": "A"}]}, "updates.levels[0].place", "a location and"),
    ("metafields", {}, "updates", "custom.material"),
    ("metafields", {"material": "x"}, "updates.material", "namespace and key"),
    ("metafields", {"custom.a:whatever": "x"}, "updates.custom.a:whatever", "whatever"),
    ("metafields", {"custom.a:number_integer": "x"}, "updates.custom.a:number_integer", "not a number_integer"),
    ("price", {"prize": 1}, "updates.prize", "Did you mean price"),
    ("price", {"price": None}, "updates.price", "cannot be cleared"),
    ("price", {"price": True}, "updates.price", "as an amount"),
    ("price", {"price": {}}, "updates.price", "write a rule"),
    ("price", {"price": {"percent": 1, "amount": 1}}, "updates.price", "percent and amount cannot be given together"),
    ("price", {"price": {"set": 1, "ending": ".99"}}, "updates.price", "leave everything else out"),
    ("price", {"price": {"percent": -150}}, "updates.price", "more than 100 % off"),
    ("price", {"price": {"percent": "ten"}}, "updates.price", "write percent as a number"),
    ("price", {"price": {"percent": "NaN"}}, "updates.price", "write percent as a number"),
    ("price", {"price": {"percent": 1, "ending": "9"}}, "updates.price", "an ending is the part after the point"),
    ("price", {"price": {"percent": 1, "ending": "-.9"}}, "updates.price", "write the ending like .99"),
    ("price", {"price": {"percent": 1, "rounding": "sideways"}}, "updates.price", "half-up, half-even, up or down"),
    ("price", {"price": {"from": "vendor"}}, "updates.price", "is not an amount"),
    ("price", {"price": "12.345"}, "updates.price", "at most 2 digits"),
]


@pytest.mark.parametrize(("operation", "updates", "field", "sentence"), WRONG)
def test_what_is_not_clear_is_said_with_its_place(operation: str, updates: Any, field: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        change(operation, updates)
    assert sentence in caught.value.sentence
    assert [one.field for one in caught.value.fields] == [field]


def test_each_operation_reads_as_a_clause() -> None:
    edits = edits_of(
        BatchOperation.PRICE,
        {"price": {"from": "cost", "times": "2.5", "ending": ".95", "rounding": "up"}, "compare_at_price": "price"},
        currency="USD",
    )
    assert [describe(edit, "USD") for edit in edits] == [
        "price taken from the cost per item, raised by 150 %, ending in .95, rounded up",
        "compare-at price taken from the price",
    ]
