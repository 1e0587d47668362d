from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.engine import Asked, Engine
from syncline.sandbox.shopify.idempotency import MESSAGES
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
ITEM = "gid://shopify/InventoryItem/43000000000001"
MUG = "gid://shopify/InventoryItem/43000000000003"
WAREHOUSE = "gid://shopify/Location/61000000001"
FLAGSHIP = "gid://shopify/Location/61000000002"
SET = (
    "mutation($i:InventorySetQuantitiesInput!,$k:String!){inventorySetQuantities(input:$i) @idempotent(key:$k){"
    "inventoryAdjustmentGroup{reason changes{name delta quantityAfterChange item{id} location{name}}}"
    " userErrors{field message code}}}"
)
SET_PLAIN = SET.replace(",$k:String!", "").replace(" @idempotent(key:$k)", "")
ADJUST = SET.replace("Set", "Adjust").replace("inventorySet", "inventoryAdjust")
KEYS = count()


def row(quantity: int, item: str = ITEM, location: str = WAREHOUSE, **more: Any) -> dict[str, Any]:
    return {"inventoryItemId": item, "locationId": location, "quantity": quantity, **more}


def given(*rows: dict[str, Any], name: str = "available", reason: str = "correction", **more: Any) -> dict[str, Any]:
    return {"name": name, "reason": reason, "quantities": list(rows), **more}


def put(ask: Ask, *rows: dict[str, Any], key: str | None = None, **more: Any) -> dict[str, Any]:
    sent = {"i": given(*rows, **more), "k": key or f"key-{next(KEYS)}"}
    found: dict[str, Any] = ask(SET, sent)["data"]["inventorySetQuantities"]
    return found


def codes(found: dict[str, Any]) -> list[tuple[list[str], str]]:
    return [(one["field"], one["code"]) for one in found["userErrors"]]


def test_setting_available_changes_on_hand_too(ask: Ask, shop: Store) -> None:
    before = shop.now()
    found = put(ask, row(4, changeFromQuantity=10))
    assert found == {
        "inventoryAdjustmentGroup": {
            "reason": "correction",
            "changes": [
                {
                    "name": name,
                    "delta": -6,
                    "quantityAfterChange": 4,
                    "item": {"id": ITEM},
                    "location": {"name": "Warehouse"},
                }
                for name in ("available", "on_hand")
            ],
        },
        "userErrors": [],
    }
    assert shop.levels[43000000000001, 61000000001].available == 4
    assert shop.products[7000000000001].updated_at >= before


def test_setting_on_hand_leaves_what_is_committed(ask: Ask, shop: Store) -> None:
    shop.set_level(43000000000001, 61000000001, committed=3)
    assert put(ask, row(9, changeFromQuantity=13), name="on_hand")["userErrors"] == []
    level = shop.levels[43000000000001, 61000000001]
    assert (level.available, level.committed, level.on_hand) == (6, 3, 9)


def test_a_stale_quantity_is_refused_and_nothing_is_written(ask: Ask, shop: Store) -> None:
    found = put(ask, row(4, changeFromQuantity=10), row(5, MUG, changeFromQuantity=9))
    assert found == {
        "inventoryAdjustmentGroup": None,
        "userErrors": [
            {
                "field": ["input", "quantities", "1", "changeFromQuantity"],
                "message": "The changeFromQuantity value does not match persisted value.",
                "code": "CHANGE_FROM_QUANTITY_STALE",
            }
        ],
    }
    assert shop.levels[43000000000001, 61000000001].available == 10


def test_an_explicit_null_skips_the_comparison(ask: Ask, shop: Store) -> None:
    assert put(ask, row(77, changeFromQuantity=None))["userErrors"] == []
    assert shop.levels[43000000000001, 61000000001].available == 77


def test_leaving_the_comparison_out_is_an_error(ask: Ask) -> None:
    answer = ask(SET, {"i": given(row(1)), "k": "a"})
    assert answer["data"] == {"inventorySetQuantities": None}
    assert answer["errors"] == [
        {
            "message": "InventoryQuantityInput must include the following argument: changeFromQuantity.",
            "locations": [{"line": 1, "column": 54}],
            "path": ["inventorySetQuantities"],
            "extensions": {"code": "INVALID_FIELD_ARGUMENTS"},
        }
    ]


def test_the_directive_is_required_since_2026_04(ask: Ask) -> None:
    sent = {"i": given(row(1, changeFromQuantity=None))}
    answer = ask(SET_PLAIN, sent)
    assert answer["errors"][0]["message"] == (
        "The @idempotent directive is required for this mutation but was not provided."
    )
    assert answer["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
    assert "errors" not in ask(SET_PLAIN, sent, version="2026-01")


@pytest.mark.parametrize(
    ("version", "more", "rows", "expected"),
    [
        ("2025-10", {}, [{"compareQuantity": 10}], []),
        ("2025-10", {}, [{"compareQuantity": 9}], ["COMPARE_QUANTITY_STALE"]),
        ("2025-10", {}, [{}], ["COMPARE_QUANTITY_REQUIRED"]),
        ("2025-10", {"ignoreCompareQuantity": True}, [{}], []),
        ("2026-01", {}, [{"changeFromQuantity": 9}], ["CHANGE_FROM_QUANTITY_STALE"]),
        ("2026-01", {}, [{"changeFromQuantity": None}], []),
    ],
)
def test_older_versions_compare_in_their_own_way(
    ask: Ask, version: str, more: dict[str, Any], rows: list[dict[str, Any]], expected: list[str]
) -> None:
    sent = {"i": given(*(row(1, **one) for one in rows), **more)}
    found = ask(SET_PLAIN, sent, version=version)["data"]["inventorySetQuantities"]
    assert [one["code"] for one in found["userErrors"]] == expected


WRONG: list[tuple[list[dict[str, Any]], dict[str, Any], list[str], str]] = [
    ([row(1, changeFromQuantity=None)], {"name": "incoming"}, ["input", "name"], "INVALID_NAME"),
    ([row(1, changeFromQuantity=None)], {"reason": "because"}, ["input", "reason"], "INVALID_REASON"),
    (
        [row(1, changeFromQuantity=None)],
        {"referenceDocumentUri": "note"},
        ["input", "referenceDocumentUri"],
        "INVALID_REFERENCE_DOCUMENT",
    ),
    (
        [row(1, "gid://shopify/InventoryItem/404", changeFromQuantity=None)],
        {},
        ["input", "quantities", "0", "inventoryItemId"],
        "INVALID_INVENTORY_ITEM",
    ),
    (
        [row(1, location="gid://shopify/Location/404", changeFromQuantity=None)],
        {},
        ["input", "quantities", "0", "locationId"],
        "INVALID_LOCATION",
    ),
    (
        [row(1_000_000_001, changeFromQuantity=None)],
        {},
        ["input", "quantities", "0", "quantity"],
        "INVALID_QUANTITY_TOO_HIGH",
    ),
    (
        [row(-1, changeFromQuantity=None)],
        {"name": "on_hand"},
        ["input", "quantities", "0", "quantity"],
        "INVALID_QUANTITY_NEGATIVE",
    ),
    (
        [row(1, changeFromQuantity=None)] * 2,
        {},
        ["input", "quantities", "1"],
        "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
    ),
]


@pytest.mark.parametrize(("rows", "more", "field", "code"), WRONG)
def test_what_is_wrong_has_its_code(
    ask: Ask, shop: Store, rows: list[dict[str, Any]], more: dict[str, Any], field: list[str], code: str
) -> None:
    revision = shop.revision
    assert codes(put(ask, *rows, **more)) == [(field, code)]
    assert shop.revision == revision


def test_an_item_not_stocked_at_a_location_is_stocked_or_refused_as_the_version_has_it(ask: Ask, shop: Store) -> None:
    sent = {"i": given(row(2, MUG, FLAGSHIP), ignoreCompareQuantity=True)}
    refused = ask(SET_PLAIN, sent, version="2025-10")["data"]["inventorySetQuantities"]
    assert [one["code"] for one in refused["userErrors"]] == ["ITEM_NOT_STOCKED_AT_LOCATION"]
    assert put(ask, row(2, MUG, FLAGSHIP, changeFromQuantity=None))["userErrors"] == []
    assert shop.levels[43000000000003, 61000000002].available == 2


def adjust(ask: Ask, *changes: dict[str, Any], name: str = "available") -> dict[str, Any]:
    sent = {"i": {"name": name, "reason": "received", "changes": list(changes)}, "k": f"key-{next(KEYS)}"}
    found: dict[str, Any] = ask(ADJUST, sent)["data"]["inventoryAdjustQuantities"]
    return found


def change(delta: int, **more: Any) -> dict[str, Any]:
    return {"inventoryItemId": ITEM, "locationId": WAREHOUSE, "delta": delta, **more}


def test_adjusting_adds_a_delta(ask: Ask, shop: Store) -> None:
    assert adjust(ask, change(-3, changeFromQuantity=10))["userErrors"] == []
    assert shop.levels[43000000000001, 61000000001].available == 7
    assert codes(adjust(ask, change(1, changeFromQuantity=10))) == [
        (["input", "changes", "0", "changeFromQuantity"], "CHANGE_FROM_QUANTITY_STALE")
    ]


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("available", {"ledgerDocumentUri": "a://b"}, "INVALID_AVAILABLE_DOCUMENT"),
        ("incoming", {}, "INVALID_QUANTITY_DOCUMENT"),
        ("incoming", {"ledgerDocumentUri": "gid://shopify/Order/1"}, "INTERNAL_LEDGER_DOCUMENT"),
        ("on_hand", {}, "INVALID_QUANTITY_NAME"),
    ],
)
def test_adjusting_wants_the_right_document(ask: Ask, name: str, more: dict[str, Any], code: str) -> None:
    found = adjust(ask, change(1, changeFromQuantity=None, **more), name=name)
    assert [one["code"] for one in found["userErrors"]] == [code]


def test_an_item_update_writes_cost_tracking_and_sku(ask: Ask) -> None:
    query = (
        "mutation($id:ID!,$i:InventoryItemInput!){inventoryItemUpdate(id:$id,input:$i){inventoryItem{sku tracked"
        " unitCost{amount} variant{updatedAt}} userErrors{field message}}}"
    )
    found = ask(query, {"id": ITEM, "i": {"cost": "9.10", "tracked": False, "sku": "NEW"}})["data"]
    item = found["inventoryItemUpdate"]["inventoryItem"]
    assert (item["sku"], item["tracked"], item["unitCost"]) == ("NEW", False, {"amount": "9.1"})
    missing = ask(query, {"id": "gid://shopify/InventoryItem/404", "i": {}})["data"]["inventoryItemUpdate"]
    assert missing["userErrors"] == [
        {"field": ["id"], "message": "The product couldn't be updated because it does not exist."}
    ]


def test_activating_stocks_an_item_at_a_location(ask: Ask) -> None:
    query = (
        f'mutation($k:String!){{inventoryActivate(inventoryItemId:"{MUG}",locationId:"{FLAGSHIP}",available:6)'
        ' @idempotent(key:$k){inventoryLevel{quantities(names:["available"]){quantity}} userErrors{field message}}}'
    )
    found = ask(query, {"k": "a"})["data"]["inventoryActivate"]
    assert found == {"inventoryLevel": {"quantities": [{"quantity": 6}]}, "userErrors": []}
    again = ask(query, {"k": "b"})["data"]["inventoryActivate"]["userErrors"]
    assert [one["field"] for one in again] == [["available"]]


def test_a_repeated_key_gets_the_first_answer_and_writes_once(ask: Ask, engine: Engine, shop: Store) -> None:
    first = put(ask, row(4, changeFromQuantity=10), key="k1")
    shop.set_level(43000000000001, 61000000001, available=50)
    assert put(ask, row(4, changeFromQuantity=10), key="k1") == first
    assert shop.levels[43000000000001, 61000000001].available == 50
    assert [entry.replayed for entry in engine.world.ledger.entries] == [False, True]
    assert engine.world.ledger.times_written() == {"InventoryLevel/43000000000001@61000000001": 1}


def test_the_same_key_with_other_parameters_to_the_letter(ask: Ask) -> None:
    put(ask, row(4, changeFromQuantity=10), key="k1")
    assert put(ask, row(5, changeFromQuantity=4), key="k1")["userErrors"] == [
        {
            "field": None,
            "message": "The same idempotency key cannot be used with different operation parameters.",
            "code": "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
        }
    ]


def test_a_key_whose_first_attempt_failed(ask: Ask) -> None:
    put(ask, row(4, changeFromQuantity=9), key="k1")
    again = put(ask, row(4, changeFromQuantity=9), key="k1")
    code = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    assert again["userErrors"] == [{"field": None, "message": MESSAGES[code], "code": code}]


def test_a_key_in_flight(ask: Ask, engine: Engine) -> None:
    sent = {"i": given(row(4, changeFromQuantity=10)), "k": "k1"}
    slow = engine.plan(Asked("2026-10", SET, sent))
    engine.reserve(slow)
    second = ask(SET, sent)["data"]["inventorySetQuantities"]["userErrors"]
    assert [one["code"] for one in second] == ["IDEMPOTENCY_CONCURRENT_REQUEST"]
    assert engine.run(slow)["data"]["inventorySetQuantities"]["userErrors"] == []
    assert put(ask, row(4, changeFromQuantity=10), key="k1")["userErrors"] == []


def test_a_key_is_forgotten_after_a_day(ask: Ask, shop: Store) -> None:
    put(ask, row(4, changeFromQuantity=10), key="k1")
    with clock.frozen(shop.now() + timedelta(hours=24)):
        assert put(ask, row(5, changeFromQuantity=4), key="k1")["userErrors"] == []


@pytest.mark.parametrize("key", ["", "  "])
def test_a_key_must_not_be_blank(ask: Ask, key: str) -> None:
    answer = ask(SET, {"i": given(row(1, changeFromQuantity=None)), "k": key})
    assert answer["errors"][0]["message"] == "The idempotency key cannot be an empty string or whitespace only."


def test_a_mutation_without_support_refuses_the_directive(ask: Ask) -> None:
    query = 'mutation{tagsAdd(id:"gid://shopify/Product/7000000000001",tags:["a"])@idempotent(key:"a"){userErrors{message}}}'
    assert ask(query)["errors"][0]["extensions"] == {"code": "BAD_REQUEST"}
