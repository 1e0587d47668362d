"""INVALID_VARIABLE and what arguments alone show to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[..., dict[str, Any]]
UPDATE = "mutation($product:ProductUpdateInput!){productUpdate(product:$product){product{id} userErrors{message}}}"


def test_an_unknown_input_field_to_the_letter(ask: Ask) -> None:
    sent = {"id": "gid://shopify/Product/1", "colour": "red"}
    assert ask(UPDATE, {"product": sent}) == {
        "errors": [
            {
                "message": (
                    "Variable $product of type ProductUpdateInput! was provided invalid value for colour "
                    "(Field is not defined on ProductUpdateInput)"
                ),
                "locations": [{"line": 1, "column": 10}],
                "extensions": {
                    "code": "INVALID_VARIABLE",
                    "value": sent,
                    "problems": [{"path": ["colour"], "explanation": "Field is not defined on ProductUpdateInput"}],
                },
            }
        ]
    }


def test_a_missing_variable_is_null(ask: Ask) -> None:
    error = ask("query($id:ID!){product(id:$id){id}}")["errors"][0]
    assert error["message"] == "Variable $id of type ID! was provided invalid value"
    assert error["extensions"]["problems"] == [{"path": [], "explanation": "Expected value to not be null"}]


def test_an_id_that_is_not_global(ask: Ask) -> None:
    error = ask("query($id:ID!){product(id:$id){id}}", {"id": "7"})["errors"][0]
    problem = {"path": [], "explanation": "Invalid global id '7'", "message": "Invalid global id '7'"}
    assert error["extensions"]["problems"] == [problem]


def test_values_of_the_wrong_type_name_their_place(ask: Ask) -> None:
    query = (
        "mutation($v:[ProductVariantsBulkInput!]!){productVariantsBulkUpdate("
        'productId:"gid://shopify/Product/1",variants:$v){userErrors{code}}}'
    )
    sent = [{"price": "12,50"}, {"inventoryPolicy": "SOMETIMES", "taxable": "yes"}]
    problems = ask(query, {"v": sent})["errors"][0]["extensions"]["problems"]
    assert problems == [
        {"path": [0, "price"], "explanation": 'Could not coerce value "12,50" to Money'},
        {"path": [1, "inventoryPolicy"], "explanation": 'Expected "SOMETIMES" to be one of: CONTINUE, DENY'},
        {"path": [1, "taxable"], "explanation": 'Could not coerce value "yes" to Boolean'},
    ]


def test_exactly_one_of_the_identifiers(ask: Ask) -> None:
    query = "query($i:ProductIdentifierInput!){productByIdentifier(identifier:$i){id}}"
    sent = {"handle": "mug", "id": "gid://shopify/Product/1"}
    found = ask(query, {"i": sent})["errors"][0]["extensions"]["problems"][0]["explanation"]
    assert found == "'ProductIdentifierInput' requires exactly one argument, but 2 were provided."


def test_more_than_250_inputs_are_refused(ask: Ask) -> None:
    query = 'mutation($t:[String!]!){tagsAdd(id:"gid://shopify/Product/7000000000001",tags:$t){userErrors{message}}}'
    error = ask(query, {"t": ["a"] * 251})["errors"][0]
    assert error["message"] == "The input array size of 251 is greater than the maximum allowed of 250."
    assert error["extensions"] == {"code": "MAX_INPUT_SIZE_EXCEEDED"}


def test_null_and_omitted_are_different_things(ask: Ask) -> None:
    query = UPDATE.replace("product{id}", "product{seo{title} templateSuffix vendor}")
    sent = {"id": "gid://shopify/Product/7000000000001", "templateSuffix": None}
    product = ask(query, {"product": sent})["data"]["productUpdate"]["product"]
    assert (product["templateSuffix"], product["vendor"]) == (None, "Acme")
