"""Pages, cursors and sort keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
QUERY = (
    "query($first:Int,$last:Int,$after:String,$before:String,$reverse:Boolean,$sort:ProductSortKeys){"
    "products(first:$first,last:$last,after:$after,before:$before,reverse:$reverse,sortKey:$sort){"
    "nodes{title} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}"
)
ALL = ["Linen Shirt", "Mug", "Ünder Coat", "apron", "Zebra Rug"]


def page(ask: Ask, **arguments: Any) -> tuple[list[str], dict[str, Any]]:
    found = ask(QUERY, arguments)["data"]["products"]
    return [node["title"] for node in found["nodes"]], found["pageInfo"]


def test_pages_follow_one_another_to_the_end(ask: Ask) -> None:
    titles, info = page(ask, first=2)
    assert (titles, info["hasNextPage"], info["hasPreviousPage"]) == (ALL[:2], True, False)
    titles, info = page(ask, first=2, after=info["endCursor"])
    assert (titles, info["hasNextPage"], info["hasPreviousPage"]) == (ALL[2:4], True, True)
    titles, info = page(ask, first=2, after=info["endCursor"])
    assert (titles, info["hasNextPage"]) == (ALL[4:], False)


def test_last_counts_from_the_end_and_before_goes_back(ask: Ask) -> None:
    titles, info = page(ask, last=2)
    assert (titles, info["hasNextPage"], info["hasPreviousPage"]) == (ALL[3:], False, True)
    titles, info = page(ask, last=2, before=info["startCursor"])
    assert (titles, info["hasNextPage"], info["hasPreviousPage"]) == (ALL[1:3], True, True)


def test_reverse_turns_the_order_and_cursors_with_it(ask: Ask) -> None:
    titles, info = page(ask, first=2, reverse=True)
    assert titles == [ALL[4], ALL[3]]
    titles, info = page(ask, first=2, reverse=True, after=info["endCursor"])
    assert titles == [ALL[2], ALL[1]]
    assert page(ask, last=5, reverse=True, before=info["startCursor"])[0] == [ALL[4], ALL[3]]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("TITLE", ["apron", "Linen Shirt", "Mug", "Zebra Rug", "Ünder Coat"]),
        ("UPDATED_AT", ALL),
        ("CREATED_AT", ALL),
        ("ID", ALL),
    ],
)
def test_sort_keys(ask: Ask, sort: str, expected: list[str]) -> None:
    assert page(ask, first=9, sort=sort)[0] == expected


def test_a_sort_key_that_is_not_served_says_so(ask: Ask) -> None:
    error = ask("{products(first:1,sortKey:INVENTORY_TOTAL){nodes{id}}}")["errors"][0]
    assert error["message"] == "The sort key INVENTORY_TOTAL of QueryRoot.products is not served by the sandbox."


def test_a_cursor_carries_the_last_id_and_value(ask: Ask) -> None:
    _, info = page(ask, first=1, sort="UPDATED_AT")
    assert json.loads(base64.b64decode(info["endCursor"])) == {
        "last_id": 7000000000001,
        "last_value": "2026-01-05T08:00:00+00:00",
    }


def test_a_cursor_outlives_the_object_it_stood_on(ask: Ask, shop: Store) -> None:
    _, info = page(ask, first=2)
    shop.delete_product(shop.products[7000000000002])
    assert page(ask, first=2, after=info["endCursor"])[0] == ALL[2:4]


def test_an_edit_moves_a_product_to_the_end_of_updated_at(ask: Ask, shop: Store) -> None:
    _, info = page(ask, first=2, sort="UPDATED_AT")
    shop.touch_product(shop.products[7000000000001])
    assert page(ask, first=9, sort="UPDATED_AT", after=info["endCursor"])[0] == [*ALL[2:], ALL[0]]


def test_a_cursor_of_another_sort_is_refused(ask: Ask) -> None:
    _, info = page(ask, first=1, sort="TITLE")
    error = ask(QUERY, {"first": 1, "sort": "UPDATED_AT", "after": info["endCursor"]})["errors"][0]
    assert (error["message"], error["extensions"]) == (
        "Invalid cursor for current pagination sort.",
        {"code": "BAD_REQUEST"},
    )


def test_first_251_to_the_letter(ask: Ask) -> None:
    assert ask("{products(first:251){nodes{id}}}") == {
        "errors": [
            {
                "message": (
                    "first cannot exceed 250. To query larger amounts of data with fewer limits, bulk operations "
                    "should be used instead."
                ),
                "locations": [{"line": 1, "column": 2}],
                "path": ["products"],
                "extensions": {"code": "BAD_REQUEST"},
            }
        ]
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("reverse:true", "you must provide one of first or last"),
        ("first:1,last:1", "providing both first and last is not supported"),
        ("first:-1", "first must be greater than or equal to 0"),
    ],
)
def test_paging_arguments_that_are_not_possible(ask: Ask, arguments: str, message: str) -> None:
    error = ask(f"{{products({arguments}){{nodes{{id}}}}}}")["errors"][0]
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_REQUEST")


def test_a_nested_connection_needs_its_size_too(ask: Ask) -> None:
    error = ask("{products(first:1){nodes{variants{nodes{id}}}}}")["errors"][0]
    assert (error["message"], error["path"]) == (
        "you must provide one of first or last",
        ["products", "nodes", "variants"],
    )


def test_paging_ends_at_the_limit(ask: Ask, engine: Engine) -> None:
    engine.world.options = replace(engine.world.options, pagination_limit=4)
    _, info = page(ask, first=4)
    error = ask(QUERY, {"first": 1, "after": info["endCursor"]})["errors"][0]
    assert error["message"].startswith("Pagination is limited to 4 objects.")


def test_variants_of_a_product_are_paged_by_position(ask: Ask) -> None:
    query = (
        'query($a:String){product(id:"gid://shopify/Product/7000000000001"){variants(first:1,after:$a){'
        "edges{cursor node{title}} pageInfo{hasNextPage}}}}"
    )
    first = ask(query)["data"]["product"]["variants"]
    assert (first["edges"][0]["node"]["title"], first["pageInfo"]["hasNextPage"]) == ("S", True)
    second = ask(query, {"a": first["edges"][0]["cursor"]})["data"]["product"]["variants"]
    assert (second["edges"][0]["node"]["title"], second["pageInfo"]["hasNextPage"]) == ("M", False)


def test_levels_of_a_location_are_paged(ask: Ask) -> None:
    query = (
        'query($a:String){location(id:"gid://shopify/Location/61000000001"){inventoryLevels(first:4,after:$a){'
        "nodes{item{id}} pageInfo{hasNextPage endCursor}}}}"
    )
    first = ask(query)["data"]["location"]["inventoryLevels"]
    second = ask(query, {"a": first["pageInfo"]["endCursor"]})["data"]["location"]["inventoryLevels"]
    items = [node["item"]["id"][-1] for node in first["nodes"] + second["nodes"]]
    assert (items, second["pageInfo"]["hasNextPage"]) == (["1", "2", "3", "4", "5", "6"], False)


def test_a_filtered_connection_pages_through_its_matches(ask: Ask) -> None:
    query = (
        "query($a:String){products(first:2,after:$a,query:\"created_at:>='2026-01-06T00:00:00Z'\"){"
        "nodes{title} pageInfo{hasNextPage endCursor}}}"
    )
    first = ask(query)["data"]["products"]
    second = ask(query, {"a": first["pageInfo"]["endCursor"]})["data"]["products"]
    assert [node["title"] for node in first["nodes"] + second["nodes"]] == ALL[1:]
    assert not second["pageInfo"]["hasNextPage"]
