"""The cost law, on costs that others measured on the real API."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from syncline.sandbox.shopify.cost import (
    Priced,
    Size,
    actual_cost,
    field_costs,
    price,
    requested_cost,
    scale,
    scale_returned,
)
from syncline.sandbox.shopify.schema import load_schema


def priced(query: str, variables: dict[str, Any] | None = None) -> list[Priced]:
    document = parse(query)
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    return price(load_schema("2026-10").graphql, operation, fragments, variables or {})


@pytest.mark.parametrize(
    ("n", "times"), [(1, 1), (3, 2), (5, 3), (10, 4), (25, 6), (50, 7), (100, 9), (200, 10), (250, 11)]
)
def test_a_connection_grows_with_the_logarithm_of_its_size(n: int, times: int) -> None:
    assert scale(n) == times


def test_a_connection_that_returned_one_node_costs_its_base() -> None:
    assert [scale_returned(n) for n in (0, 1, 2, 250)] == [0, 0, 1, 11]


MEASURED = [
    # Live page costs, and costs that a shipped connector notes beside its queries after an audit of the real API.
    ("{products(first:250){nodes{id title} pageInfo{hasNextPage endCursor}}}", 13),
    (
        (
            '{location(id:"gid://shopify/Location/1"){inventoryLevels(first:100){pageInfo{hasNextPage} edges{cursor '
            'node{id quantities(names:["available"]){quantity} item{id variant{id product{id}}}}}}}}'
        ),
        48,
    ),
    ("{locations(first:20){nodes{name isActive fulfillmentService{id callbackUrl}} pageInfo{endCursor}}}", 12),
    ('{product(id:"gid://shopify/Product/1"){metafields(first:50){edges{node{legacyResourceId updatedAt}}}}}', 10),
    (
        (
            "{orders(first:25){edges{cursor node{name channel{name} totalPriceSet{shopMoney{amount}} "
            "customAttributes{key} risk{assessments{riskLevel}} displayAddress{zip} shippingAddress{zip} "
            "billingAddress{zip} taxLines{channelLiable} purchasingEntity{... on PurchasingCompany{company{id}}}}}}}"
        ),
        68,
    ),
    (
        (
            '{fulfillmentOrder(id:"gid://shopify/FulfillmentOrder/1"){lineItems(first:25){edges{cursor node{'
            "id lineItem{id product{id} variant{id}}}}}}}"
        ),
        27,
    ),
    ('mutation{productDelete(input:{id:"gid://shopify/Product/1"}){deletedProductId userErrors{field message}}}', 10),
    ("mutation{stagedUploadsCreate(input:[]){stagedTargets{url parameters{name value}} userErrors{message}}}", 11),
    ('{node(id:"gid://shopify/BulkOperation/1"){... on BulkOperation{id status url}}}', 1),
    ("{shop{name} productsCount{count}}", 2),
]


@pytest.mark.parametrize(("query", "cost"), MEASURED)
def test_requested_cost_is_what_was_measured(query: str, cost: int) -> None:
    assert requested_cost(priced(query)) == cost


def test_objects_directly_on_a_mutation_payload_are_free_and_deeper_ones_are_not() -> None:
    shallow = 'mutation{tagsAdd(id:"gid://shopify/Product/1",tags:["a"]){node{id} userErrors{message}}}'
    deep = 'mutation{productUpdate(product:{id:"gid://shopify/Product/1"}){product{id seo{title}}}}'
    assert [requested_cost(priced(shallow)), requested_cost(priced(deep))] == [10, 11]


def test_the_size_comes_from_a_variable() -> None:
    assert requested_cost(priced("query($n:Int){products(first:$n){nodes{id}}}", {"n": 10})) == 6


def test_a_fragment_counts_as_what_it_holds() -> None:
    query = "{products(first:10){nodes{...P}}} fragment P on Product{id seo{title} options{name}}"
    assert requested_cost(priced(query)) == 2 + 4 * 3


def test_an_interface_costs_as_much_as_its_dearest_branch() -> None:
    query = (
        '{node(id:"gid://shopify/Product/1"){id ... on Product{seo{title}} '
        "... on ProductVariant{product{id seo{title}}}}}"
    )
    assert requested_cost(priced(query)) == 3


def test_product_set_costs_a_fifth_of_a_point_for_each_variant() -> None:
    query = "mutation($i:ProductSetInput!){productSet(input:$i){product{id}}}"
    assert requested_cost(priced(query, {"i": {"variants": [{}] * 100}})) == 30


def test_actual_cost_is_the_law_on_what_was_returned() -> None:
    orders = priced("{orders(first:250){nodes{id lineItems(first:50){nodes{id}}}}}")
    sizes = {("orders",): Size(1, 250), ("orders", "nodes", "lineItems"): Size(250, 260)}
    assert actual_cost(orders, sizes) == 35 + 0  # 2 + 11 x 3, as measured

    products = priced("{products(first:250){nodes{id options{name} variants(first:100){nodes{id}}}}}")
    sizes = {("products",): Size(1, 250), ("products", "nodes", "variants"): Size(250, 250)}
    assert actual_cost(products, sizes) == 46  # 2 + 11 x 4, as measured


def test_field_costs_tell_own_and_children() -> None:
    assert field_costs(priced("{products(first:10){nodes{id}}}")) == [
        {
            "path": ["products", "nodes", "id"],
            "definedCost": 0,
            "requestedTotalCost": 0,
            "requestedChildrenCost": None,
        },
        {"path": ["products", "nodes"], "definedCost": 1, "requestedTotalCost": 1, "requestedChildrenCost": 0},
        {"path": ["products"], "definedCost": 2, "requestedTotalCost": 6, "requestedChildrenCost": 4},
    ]
