"""What reading answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
SHIRT = "gid://shopify/Product/7000000000001"


def test_the_answer_carries_its_cost(ask: Ask) -> None:
    assert ask("{shop{name myshopifyDomain currencyCode plan{publicDisplayName shopifyPlus}}}") == {
        "data": {
            "shop": {
                "name": "Sandbox Supply",
                "myshopifyDomain": "sandbox-supply.myshopify.com",
                "currencyCode": "USD",
                "plan": {"publicDisplayName": "Basic", "shopifyPlus": False},
            }
        },
        "extensions": {
            "cost": {
                "requestedQueryCost": 2,
                "actualQueryCost": 2,
                "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 1998, "restoreRate": 100.0},
            }
        },
    }


def test_a_product_with_all_it_has(ask: Ask) -> None:
    query = (
        "query($id:ID!){product(id:$id){title handle status vendor tags createdAt totalInventory variantsCount{count}"
        " options{name position values} priceRangeV2{minVariantPrice{amount currencyCode} maxVariantPrice{amount}}"
        " variants(first:5){nodes{title sku price position selectedOptions{name value} inventoryQuantity"
        " inventoryItem{tracked unitCost{amount currencyCode} measurement{weight{value unit}}}}}}}"
    )
    assert ask(query, {"id": SHIRT})["data"]["product"] == {
        "title": "Linen Shirt",
        "handle": "linen-shirt",
        "status": "ACTIVE",
        "vendor": "Acme",
        "tags": ["Linen", "summer"],
        "createdAt": "2026-01-05T08:00:00Z",
        "totalInventory": 26,
        "variantsCount": {"count": 2},
        "options": [{"name": "Size", "position": 1, "values": ["S", "M"]}],
        "priceRangeV2": {
            "minVariantPrice": {"amount": "20.0", "currencyCode": "USD"},
            "maxVariantPrice": {"amount": "22.0"},
        },
        "variants": {
            "nodes": [
                {
                    "title": "S",
                    "sku": "SHIRT-S",
                    "price": "20.00",
                    "position": 1,
                    "selectedOptions": [{"name": "Size", "value": "S"}],
                    "inventoryQuantity": 13,
                    "inventoryItem": {
                        "tracked": True,
                        "unitCost": {"amount": "8.5", "currencyCode": "USD"},
                        "measurement": {"weight": {"value": 0.0, "unit": "KILOGRAMS"}},
                    },
                },
                {
                    "title": "M",
                    "sku": "SHIRT-M",
                    "price": "22.00",
                    "position": 2,
                    "selectedOptions": [{"name": "Size", "value": "M"}],
                    "inventoryQuantity": 13,
                    "inventoryItem": {
                        "tracked": True,
                        "unitCost": None,
                        "measurement": {"weight": {"value": 0.0, "unit": "KILOGRAMS"}},
                    },
                },
            ]
        },
    }


def test_levels_of_one_location_share_their_number(ask: Ask) -> None:
    query = (
        "{locations(first:1){nodes{name inventoryLevels(first:2){nodes{id item{id}"
        ' quantities(names:["available","on_hand","damaged"]){name quantity}}}}}}'
    )
    levels = ask(query)["data"]["locations"]["nodes"][0]["inventoryLevels"]["nodes"]
    assert [level["id"] for level in levels] == [
        "gid://shopify/InventoryLevel/98000000002?inventory_item_id=43000000000001",
        "gid://shopify/InventoryLevel/98000000002?inventory_item_id=43000000000002",
    ]
    assert levels[0]["quantities"] == [
        {"name": "available", "quantity": 3},
        {"name": "on_hand", "quantity": 3},
        {"name": "damaged", "quantity": 0},
    ]


def test_a_level_is_found_by_its_id(ask: Ask) -> None:
    level = "gid://shopify/InventoryLevel/98000000001?inventory_item_id=43000000000001"
    query = "query($id:ID!){inventoryLevel(id:$id){id location{name} item{sku variant{product{title}}}}}"
    assert ask(query, {"id": level})["data"]["inventoryLevel"] == {
        "id": level,
        "location": {"name": "Warehouse"},
        "item": {"sku": "SHIRT-S", "variant": {"product": {"title": "Linen Shirt"}}},
    }


def test_nodes_of_several_kinds_keep_their_places(ask: Ask) -> None:
    query = "query($ids:[ID!]!){nodes(ids:$ids){__typename id ... on Product{title} ... on ProductVariant{sku}}}"
    variant = "gid://shopify/ProductVariant/41000000000002"
    found = ask(query, {"ids": [variant, "gid://shopify/Product/404", SHIRT]})["data"]["nodes"]
    assert found == [
        {"__typename": "ProductVariant", "id": variant, "sku": "SHIRT-M"},
        None,
        {"__typename": "Product", "id": SHIRT, "title": "Linen Shirt"},
    ]


def test_an_id_of_another_kind_is_not_found_and_a_missing_one_is_null(ask: Ask) -> None:
    wrong = ask('{product(id:"gid://shopify/ProductVariant/41000000000001"){id}}')
    assert wrong["data"] == {"product": None}
    assert wrong["errors"] == [
        {
            "message": "Invalid id",
            "locations": [{"line": 1, "column": 2}],
            "path": ["product"],
            "extensions": {"code": "RESOURCE_NOT_FOUND"},
        }
    ]
    assert "errors" not in ask('{product(id:"gid://shopify/Product/404"){id}}')


def test_a_field_the_sandbox_does_not_serve_says_so_and_nothing_runs(ask: Ask, engine: Engine) -> None:
    answer = ask(
        f'mutation{{tagsAdd(id:"{SHIRT}",tags:["x"]){{node{{... on Product{{sellingPlanGroupsCount{{count}}}}}}}}}}'
    )
    error = answer["errors"][0]
    assert "data" not in answer
    assert error["message"] == "Product.sellingPlanGroupsCount is not served by the sandbox."
    assert error["extensions"] == {"code": "NOT_SERVED", "typeName": "Product", "fieldName": "sellingPlanGroupsCount"}
    assert engine.world.ledger.entries == []


def test_a_root_field_the_sandbox_does_not_serve_says_so(ask: Ask) -> None:
    messages = [error["message"] for error in ask("{draftOrders(first:1){nodes{id}} shop{name}}")["errors"]]
    assert messages == ["QueryRoot.draftOrders is not served by the sandbox."]


def test_a_missing_scope_denies_the_field_in_the_words_of_the_table(ask: Ask) -> None:
    answer = ask("{products(first:1){nodes{id}}}", token_scopes=frozenset({"read_orders"}))
    assert answer["data"] is None
    assert answer["errors"] == [
        {
            "message": "Access denied for products field. Required access: `read_products` access scope.",
            "locations": [{"line": 1, "column": 2}],
            "path": ["products"],
            "extensions": {
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": "`read_products` access scope.",
            },
        }
    ]


def test_writing_needs_the_write_scope_and_implies_reading(ask: Ask) -> None:
    query = f'mutation{{productDelete(input:{{id:"{SHIRT}"}}){{deletedProductId}}}}'
    denied = ask(query, token_scopes=frozenset({"read_products"}))
    assert (denied["data"], denied["errors"][0]["extensions"]["code"]) == ({"productDelete": None}, "ACCESS_DENIED")
    scopes = ask("{currentAppInstallation{accessScopes{handle}}}")["data"]["currentAppInstallation"]["accessScopes"]
    assert {"handle": "read_products"} in scopes


def test_the_count_of_variants_ignores_its_filter_and_calls_it_exact(ask: Ask) -> None:
    answer = ask(
        '{productVariantsCount(query:"sku:SHIRT-S"){count precision} productsCount(query:"vendor:Acme"){count}}'
    )
    assert answer["data"] == {
        "productVariantsCount": {"count": 6, "precision": "EXACT"},
        "productsCount": {"count": 1},
    }


def test_a_count_stops_at_its_limit(ask: Ask) -> None:
    assert ask("{productsCount(limit:3){count precision}}")["data"]["productsCount"] == {
        "count": 3,
        "precision": "AT_LEAST",
    }


def test_an_unknown_search_field_widens_the_answer_and_is_warned_about(ask: Ask) -> None:
    answer = ask('{products(first:9,query:"colour:red vendor:Acme"){nodes{title}}}')
    assert answer["data"]["products"]["nodes"] == [{"title": "Linen Shirt"}]
    entry = answer["extensions"]["search"][0]
    assert entry["path"] == ["products"]
    assert entry["warnings"] == [
        {"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}
    ]


def test_the_search_debug_header_tells_the_parsed_query(ask: Ask) -> None:
    query = '{products(first:1,query:"vendor:Acme"){nodes{id}}}'
    assert "search" not in ask(query)["extensions"]
    assert ask(query, search_debug=True)["extensions"]["search"][0]["query"] == "vendor:Acme"


def test_deletions_are_found_in_the_events(ask: Ask, shop: Store) -> None:
    shop.delete_product(shop.products[7000000000001])
    query = '{events(first:5,query:"action:destroy"){nodes{action ... on BasicEvent{subjectId subjectType}}}}'
    assert ask(query)["data"]["events"]["nodes"] == [
        {"action": "destroy", "subjectId": SHIRT, "subjectType": "PRODUCT"}
    ]


def test_inactive_locations_are_left_out_unless_asked_for(ask: Ask, shop: Store) -> None:
    shop.add_location("Closed", is_active=False)
    names = [
        [one["name"] for one in ask(query)["data"]["locations"]["nodes"]]
        for query in ("{locations(first:5){nodes{name}}}", "{locations(first:5,includeInactive:true){nodes{name}}}")
    ]
    assert names == [["Flagship store", "Warehouse"], ["Closed", "Flagship store", "Warehouse"]]


def test_cost_debug_lists_the_fields(ask: Ask) -> None:
    fields = ask("{shop{name}}", cost_debug=True)["extensions"]["cost"]["fields"]
    assert fields[-1] == {
        "path": ["shop"],
        "definedCost": 1,
        "requestedTotalCost": 1,
        "requestedChildrenCost": 0,
    }


def test_more_than_a_thousand_points_to_the_letter(ask: Ask) -> None:
    query = (
        "{products(first:250){nodes{variants(first:250){nodes{inventoryItem{inventoryLevels(first:250){nodes{id}}}}}}}}"
    )
    assert ask(query) == {
        "errors": [
            {
                "message": (
                    "Query cost is 1850, which exceeds the single query max cost limit (1000).\n\nSee "
                    "https://shopify.dev/docs/api/usage/rate-limits for more information on how the\ncost of a query "
                    "is calculated.\n\nTo query larger amounts of data with fewer limits, bulk operations should be "
                    "used instead.\nSee https://shopify.dev/docs/api/usage/bulk-operations/queries for usage "
                    "details.\n"
                ),
                "extensions": {
                    "code": "MAX_COST_EXCEEDED",
                    "cost": 1850,
                    "maxCost": 1000,
                    "documentation": "https://shopify.dev/api/usage/rate-limits",
                },
            }
        ]
    }


def test_an_empty_bucket_to_the_letter(ask: Ask, engine: Engine) -> None:
    engine.world.bucket.clock = lambda: 0.0
    engine.world.bucket.reset()
    engine.world.bucket.available = 12.0
    assert ask("{products(first:250){nodes{id}}}") == {
        "errors": [
            {
                "message": "Throttled",
                "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"},
            }
        ],
        "extensions": {
            "cost": {
                "requestedQueryCost": 13,
                "actualQueryCost": None,
                "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 12, "restoreRate": 100.0},
            }
        },
    }


def test_introspection_is_answered(ask: Ask) -> None:
    assert ask("{__schema{queryType{name}}}")["data"] == {"__schema": {"queryType": {"name": "QueryRoot"}}}


def test_a_document_that_does_not_parse(ask: Ask) -> None:
    error = ask("{shop{")["errors"][0]
    assert (error["message"], error["locations"]) == (
        "syntax error, expected Name, found <EOF>",
        [{"line": 1, "column": 7}],
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("B", {"shop": {"id": "gid://shopify/Shop/548380009"}}), ("A", {"shop": {"name": "Sandbox Supply"}})],
)
def test_the_named_operation_runs(ask: Ask, name: str, expected: dict[str, Any]) -> None:
    assert ask("query A{shop{name}} query B{shop{id}}", operation_name=name)["data"] == expected


def test_several_operations_need_a_name(ask: Ask) -> None:
    assert ask("query A{shop{name}} query B{shop{id}}")["errors"][0]["message"] == "An operation name is required"
