"""metafieldsSet and metafieldsDelete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
LATER = datetime.fromisoformat("2100-11-05T12:00:00Z")
SHIRT = "gid://shopify/Product/7000000000001"
SET = (
    "mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {"
    " metafields { namespace key type value jsonValue compareDigest ownerType }"
    " userErrors { field message code elementIndex } } }"
)
DELETE = (
    "mutation($m: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $m) {"
    " deletedMetafields { ownerId namespace key } userErrors { field message } } }"
)
CARE = {
    "ownerId": SHIRT,
    "namespace": "custom",
    "key": "care",
    "type": "single_line_text_field",
    "value": "Wash cold",
}
PLAIN = {"namespace": "custom", "key": "care"}
UNKNOWN_DIGEST = "0" * 64


def put(ask: Ask, *given: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = ask(SET, {"m": list(given)})["data"]["metafieldsSet"]
    return answer


def codes(answer: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(error["code"], error["elementIndex"]) for error in answer["userErrors"]]


def test_a_metafield_is_made_and_its_owner_bumped(ask: Ask, shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)
    made = put(ask, CARE | {"type": "json", "value": '{"a":[1,null]}'})
    assert made["userErrors"] == []
    assert made["metafields"][0]["jsonValue"] == {"a": [1, None]}
    assert (made["metafields"][0]["ownerType"], len(made["metafields"][0]["compareDigest"])) == ("PRODUCT", 64)
    assert shop.products[7000000000001].updated_at == LATER


def test_the_digest_lets_only_the_first_of_two_writers_through(ask: Ask) -> None:
    digest = put(ask, CARE)["metafields"][0]["compareDigest"]
    first = put(ask, CARE | {"value": "Wash warm", "compareDigest": digest})
    assert first["userErrors"] == []
    second = put(ask, CARE | {"value": "Wash hot", "compareDigest": digest})
    assert codes(second) == [("STALE_OBJECT", 0)]
    assert (
        put(ask, CARE | {"value": "Wash hot", "compareDigest": first["metafields"][0]["compareDigest"]})["userErrors"]
        == []
    )


@pytest.mark.parametrize(
    ("digest", "expected"),
    [(None, "STALE_OBJECT"), (UNKNOWN_DIGEST, "STALE_OBJECT"), ("abc", "INVALID_COMPARE_DIGEST")],
)
def test_a_digest_that_does_not_fit_what_is_there(ask: Ask, digest: str | None, expected: str) -> None:
    put(ask, CARE)
    assert codes(put(ask, CARE | {"compareDigest": digest})) == [(expected, 0)]


def test_a_null_digest_makes_what_is_not_there(ask: Ask) -> None:
    assert codes(put(ask, CARE | {"compareDigest": UNKNOWN_DIGEST})) == [("STALE_OBJECT", 0)]
    assert put(ask, CARE | {"compareDigest": None})["userErrors"] == []


def test_one_bad_metafield_keeps_all_from_being_written(ask: Ask, shop: Store, engine: Engine) -> None:
    revision = shop.revision
    answer = put(ask, CARE, CARE | {"key": "weight", "type": "number_integer", "value": "heavy"})
    assert (codes(answer), answer["metafields"]) == ([("INVALID_VALUE", 1)], [])
    assert (shop.revision, engine.world.ledger.times_written()) == (revision, {})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ownerId": "gid://shopify/Product/1"}, "INVALID"),
        ({"key": "c"}, "TOO_SHORT"),
        ({"key": "c" * 65}, "TOO_LONG"),
        ({"namespace": "two words"}, "INVALID"),
        ({"type": None}, "BLANK"),
        ({"type": "string"}, "INVALID_TYPE"),
        ({"value": ""}, "BLANK"),
        ({"value": "two\nlines"}, "INVALID_VALUE"),
        ({"type": "boolean", "value": "yes"}, "INVALID_VALUE"),
        ({"type": "number_decimal", "value": "NaN"}, "INVALID_VALUE"),
        ({"type": "json", "value": "{"}, "INVALID_VALUE"),
        ({"type": "date", "value": "soon"}, "INVALID_VALUE"),
        ({"type": "dimension", "value": '{"value": 1}'}, "INVALID_VALUE"),
        ({"type": "list.number_integer", "value": "[1, 2.5]"}, "INVALID_VALUE"),
        ({"type": "product_reference", "value": "7"}, "INVALID_VALUE"),
    ],
)
def test_what_is_wrong_with_one_is_said_with_its_code(ask: Ask, change: dict[str, Any], code: str) -> None:
    assert codes(put(ask, CARE | change)) == [(code, 0)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", "true"),
        ("number_decimal", "-1.50"),
        ("date_time", "2026-01-01T00:00:00Z"),
        ("list.single_line_text_field", '["a","blå"]'),
        ("money", '{"amount":"1.00","currency_code":"NOK"}'),
        ("variant_reference", "gid://shopify/ProductVariant/1"),
        ("color", "#00ff7F"),
        ("url", "https://example.com/a?b=c"),
    ],
)
def test_values_of_many_types_are_taken(ask: Ask, kind: str, value: str) -> None:
    assert put(ask, CARE | {"type": kind, "value": value})["metafields"][0]["value"] == value


def test_more_than_25_are_refused(ask: Ask) -> None:
    answer = put(ask, *(CARE | {"key": f"key-{number}"} for number in range(26)))
    assert codes(answer) == [("LESS_THAN_OR_EQUAL_TO", None)]


def test_the_ledger_tells_what_was_written(ask: Ask, engine: Engine, shop: Store) -> None:
    put(ask, CARE)
    number = next(iter(shop.metafields.by_id))
    change = engine.world.ledger.entries[0].changes[0]
    assert (change.kind, change.id, change.values["value"]) == ("Metafield", number, "Wash cold")


def test_deleting_tells_null_for_what_is_not_there(ask: Ask, shop: Store) -> None:
    put(ask, CARE)
    wanted = [{"ownerId": SHIRT, **PLAIN}, {"ownerId": SHIRT, **PLAIN, "key": "none"}]
    answer = ask(DELETE, {"m": wanted})["data"]["metafieldsDelete"]
    assert answer == {"deletedMetafields": [wanted[0], None], "userErrors": []}
    assert shop.metafields.by_id == {}


def test_the_owners_write_scope_is_asked_for(ask: Ask) -> None:
    answer = ask(SET, {"m": [CARE]}, token_scopes=frozenset({"read_products"}))
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert answer["data"] == {"metafieldsSet": None}


def test_reading_by_namespace_and_key(ask: Ask) -> None:
    put(ask, CARE, CARE | {"namespace": "specs", "key": "size"})
    query = (
        'query($id: ID!) { product(id: $id) { metafield(namespace: "custom", key: "care") { value }'
        ' none: metafield(namespace: "custom", key: "none") { value }'
        " all: metafields(first: 9) { nodes { key } }"
        ' named: metafields(first: 9, namespace: "specs") { nodes { key } }'
        ' keys: metafields(first: 9, keys: ["custom.care"]) { nodes { key } } } }'
    )
    assert ask(query, {"id": SHIRT})["data"]["product"] == {
        "metafield": {"value": "Wash cold"},
        "none": None,
        "all": {"nodes": [{"key": "care"}, {"key": "size"}]},
        "named": {"nodes": [{"key": "size"}]},
        "keys": {"nodes": [{"key": "custom.care"}]},
    }
