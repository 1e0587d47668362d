"""Refusals of documents, in the shapes of graphql-ruby as Shopify runs it."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import parse

from syncline.sandbox.shopify.schema import load_schema
from syncline.sandbox.shopify.validation import check

ITEM = 'inventoryItemId:"gid://shopify/InventoryItem/1",locationId:"gid://shopify/Location/1"'


def refused(query: str, version: str = "2026-10") -> list[dict[str, Any]]:
    return [problem.shown() for problem in check(load_schema(version).graphql, parse(query))]


def test_an_unknown_field_to_the_letter() -> None:
    assert refused("query Names { shop { nme } }") == [
        {
            "message": "Field 'nme' doesn't exist on type 'Shop'",
            "locations": [{"line": 1, "column": 22}],
            "path": ["query Names", "shop", "nme"],
            "extensions": {"code": "undefinedField", "typeName": "Shop", "fieldName": "nme"},
        }
    ]


def test_a_missing_required_argument_to_the_letter() -> None:
    assert refused("{ product { id } }") == [
        {
            "message": "Field 'product' is missing required arguments: id",
            "locations": [{"line": 1, "column": 3}],
            "path": ["query", "product"],
            "extensions": {
                "code": "missingRequiredArguments",
                "className": "Field",
                "name": "product",
                "arguments": "id",
            },
        }
    ]


def test_a_literal_of_the_wrong_type_to_the_letter() -> None:
    assert refused('{ products(first: "3") { nodes { id } } }') == [
        {
            "message": "Argument 'first' on Field 'products' has an invalid value (\"3\"). Expected type 'Int'.",
            "locations": [{"line": 1, "column": 3}],
            "path": ["query", "products", "first"],
            "extensions": {"code": "argumentLiteralsIncompatible", "typeName": "Field", "argumentName": "first"},
        }
    ]


CODES = [
    ("{products(first:1,colour:1){nodes{id}}}", "argumentNotAccepted"),
    ("{products(first:1,sortKey:BAD){nodes{id}}}", "argumentLiteralsIncompatible"),
    ('{products(first:1,sortKey:"TITLE"){nodes{id}}}', "argumentLiteralsIncompatible"),
    ('{product(id:"12"){id}}', "argumentLiteralsIncompatible"),
    ("{shop}", "selectionMismatch"),
    ("{shop{name{first}}}", "selectionMismatch"),
    ("{products(first:$n){nodes{id}}}", "variableNotDefined"),
    ("query($n:Int){shop{name}}", "variableNotUsed"),
    ("query($id:String!){product(id:$id){id}}", "variableMismatch"),
    ("query($x:Strin){shop{name @include(if:$x)}}", "variableRequiresValidType"),
    ('{node(id:"gid://shopify/Product/1"){...on Thing{id}}}', "undefinedType"),
    ("{shop{name @idem}}", "undefinedDirective"),
    ('mutation{productUpdate(product:{colour:"red"}){product{id}}}', "argumentNotAccepted"),
    (
        (
            'mutation{inventorySetQuantities(input:{name:"available",reason:"x",quantities:[{quantity:1}]}){'
            "userErrors{code}}}"
        ),
        "missingRequiredInputObjectAttribute",
    ),
]


@pytest.mark.parametrize(("query", "code"), CODES)
def test_each_refusal_has_its_code(query: str, code: str) -> None:
    assert code in {problem["extensions"]["code"] for problem in refused(query)}


VALID = [
    (
        "query($n:Int=3){products(first:$n,sortKey:UPDATED_AT,reverse:true){edges{cursor node{...P}}}} "
        "fragment P on Product{id variants(first:2){nodes{id}}}"
    ),
    "query($ids:[ID!]!){nodes(ids:$ids){__typename id ... on Product{title}}}",
    (
        'mutation{productVariantsBulkUpdate(productId:"gid://shopify/Product/1",variants:{id:null,price:3}){'
        "userErrors{code field message}}}"
    ),
    (
        f'mutation($k:String!){{inventorySetQuantities(input:{{name:"available",reason:"other",quantities:[{{{ITEM},'
        "quantity:1,changeFromQuantity:null}]}) @idempotent(key:$k){userErrors{code}}}"
    ),
]


@pytest.mark.parametrize("query", VALID)
def test_a_right_document_is_not_refused(query: str) -> None:
    assert refused(query) == []


def test_user_errors_without_a_code_field_refuse_it() -> None:
    query = 'mutation{productUpdate(product:{id:"gid://shopify/Product/1"}){userErrors{code}}}'
    assert refused(query)[0]["extensions"]["typeName"] == "UserError"


def test_compare_quantity_is_gone_since_2026_04_and_the_directive_is_new_in_2026_01() -> None:
    query = (
        f'mutation{{inventorySetQuantities(input:{{name:"available",reason:"other",ignoreCompareQuantity:true,'
        f'quantities:[{{{ITEM},quantity:1}}]}}) @idempotent(key:"a"){{userErrors{{code}}}}}}'
    )
    codes = {
        version: [one["extensions"]["code"] for one in refused(query, version)]
        for version in ("2025-10", "2026-01", "2026-04")
    }
    assert codes == {"2025-10": ["undefinedDirective"], "2026-01": [], "2026-04": ["argumentNotAccepted"]}


def test_a_field_taken_away_is_refused_like_one_that_never_was() -> None:
    found = check(load_schema("2026-10").graphql, parse("{shop{name}}"), frozenset({("Shop", "name")}))
    assert [problem.message for problem in found] == ["Field 'name' doesn't exist on type 'Shop'"]
