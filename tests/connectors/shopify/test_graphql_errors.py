"""Answers with HTTP 200 that are refusals."""

from datetime import timedelta

import httpx
import pytest

from syncline.connectors.shopify import errors, queries
from syncline.connectors.shopify.actions import update_product
from syncline.connectors.shopify.testing import RecordedStore, answer, graphql_error, open_client, read_request
from syncline.kernel.errors import ConnectorOutcome, Fatal, Retriable
from syncline.runtime.connect.errors import OutcomeUnknown, Throttled, VendorTrouble
from syncline.runtime.connect.testing import ScriptedVendor, answering


async def read(response: httpx.Response, times: int = 9) -> ConnectorOutcome:
    vendor = ScriptedVendor(RecordedStore()).then(*[answering(lambda: response)] * times)
    async with open_client(vendor.transport) as client:
        with pytest.raises(ConnectorOutcome) as caught:
            await client.execute(queries.STORE, idempotent=True)
    return caught.value


async def write(response: httpx.Response) -> ConnectorOutcome:
    vendor = ScriptedVendor(RecordedStore()).then(answering(lambda: response))
    async with open_client(vendor.transport) as client:
        with pytest.raises(ConnectorOutcome) as caught:
            await update_product(client, 1, {"title": "x"})
    assert len(vendor.requests) == 1
    return caught.value


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("THROTTLED", Throttled),
        ("MAX_COST_EXCEEDED", errors.MaxCostExceeded),
        ("ACCESS_DENIED", errors.MissingScope),
        ("INTERNAL_SERVER_ERROR", VendorTrouble),
        ("TIMEOUT", VendorTrouble),
        ("BAD_REQUEST", Fatal),
        ("SHOP_INACTIVE", Fatal),
        ("undefinedField", errors.SchemaRefused),
        ("argumentNotAccepted", errors.SchemaRefused),
        ("NEVER_SEEN_BEFORE", Fatal),
    ],
)
async def test_code_decides_whatever_the_message(code: str, outcome: type[ConnectorOutcome]) -> None:
    caught = await read(graphql_error(code))
    assert type(caught) is outcome
    assert caught.vendor_code == code


async def test_field_that_the_schema_refuses_is_named() -> None:
    caught = await read(graphql_error("undefinedField", typeName="Product", fieldName="vendor"))
    assert "does not know Product.vendor" in caught.sentence


async def test_permission_that_is_missing_is_named() -> None:
    caught = await read(graphql_error("ACCESS_DENIED", requiredAccess="`read_inventory` access scope."))
    assert "read_inventory" in caught.sentence
    assert isinstance(caught, Fatal)


async def test_data_beside_an_error_is_not_taken_for_an_answer() -> None:
    error = {"message": "x", "path": ["shop"], "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    caught = await read(httpx.Response(200, json={"data": {"shop": {"id": "1"}}, "errors": [error]}))
    assert isinstance(caught, VendorTrouble)


async def test_gravest_of_several_errors_decides() -> None:
    both = [{"message": "", "extensions": {"code": code}} for code in ("INTERNAL_SERVER_ERROR", "ACCESS_DENIED")]
    assert isinstance(await read(httpx.Response(200, json={"errors": both})), errors.MissingScope)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"ok":true}'])
async def test_body_that_is_not_graphql_is_trouble_that_may_pass(body: bytes) -> None:
    caught = await read(httpx.Response(200, content=body, headers={"Content-Type": "text/html"}))
    assert isinstance(caught, errors.UnreadableAnswer)


async def test_filter_that_shopify_ignored_is_not_passed_over() -> None:
    warning = {"field": "10", "message": "Invalid search field for this query.", "code": "invalid_field"}
    body = {"data": {"shop": {}}, "extensions": {"search": [{"path": ["products"], "warnings": [warning]}]}}
    caught = await read(httpx.Response(200, json=body))
    assert isinstance(caught, errors.FilterNotUnderstood)


async def test_internal_error_of_a_write_leaves_its_outcome_unknown() -> None:
    assert isinstance(await write(graphql_error("INTERNAL_SERVER_ERROR")), OutcomeUnknown)


async def test_write_answered_with_data_and_an_error_is_read_back() -> None:
    error = {"message": "x", "extensions": {"code": "ACCESS_DENIED"}}
    body = {"data": {"productUpdate": {"product": {"id": "1"}}}, "errors": [error]}
    assert isinstance(await write(httpx.Response(200, json=body)), OutcomeUnknown)


async def test_write_refused_without_data_is_what_its_code_says() -> None:
    error = {"message": "x", "extensions": {"code": "ACCESS_DENIED"}}
    body = {"data": {"productUpdate": None}, "errors": [error]}
    assert isinstance(await write(httpx.Response(200, json=body)), errors.MissingScope)


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        (400, Fatal, "status 400"),
        (401, errors.TokenRejected, "make a new one"),
        (402, Fatal, "unpaid Shopify bill"),
        (403, Fatal, "still installed"),
        (404, errors.NotAShopifyStore, "check the address"),
        (423, Fatal, "Shopify's support"),
        (429, Throttled, "fewer calls"),
        (430, Throttled, "turned calls"),
        (500, VendorTrouble, "problem of its own"),
        (504, VendorTrouble, "problem of its own"),
        (302, errors.NotAShopifyStore, ".myshopify.com"),
        (418, Fatal, "status 418"),
    ],
)
async def test_status_decides_whatever_the_body(status: int, outcome: type[ConnectorOutcome], words: str) -> None:
    response = httpx.Response(status, json={"errors": "any words"}, headers={"Retry-After": "0.001"})
    caught = await read(response)
    assert type(caught) is outcome
    assert words in caught.sentence
    assert caught.vendor_code == str(status)


async def test_wait_asked_for_survives_for_the_job_queue() -> None:
    caught = await read(httpx.Response(503, headers={"Retry-After": "0.004"}))
    assert isinstance(caught, Retriable)
    assert caught.wait == timedelta(seconds=0.004)


async def test_same_mutation_is_sent_once_however_the_answer_is_lost() -> None:
    def drop(request: httpx.Request) -> httpx.Response:
        assert read_request(request).operation == "UpdateProduct"
        raise httpx.ReadError("peer closed connection without sending complete message body")

    vendor = ScriptedVendor(drop)
    async with open_client(vendor.transport) as client:
        with pytest.raises(OutcomeUnknown, match="reads the record back"):
            await update_product(client, 1, {"title": "x"})
    assert len(vendor.requests) == 1


async def test_answer_without_cost_is_an_answer() -> None:
    vendor = ScriptedVendor(lambda _: httpx.Response(200, json={"data": {"shop": {"id": "1"}}}))
    async with open_client(vendor.transport) as client:
        found = await client.execute(queries.PROBE, idempotent=True)
    assert found.data == {"shop": {"id": "1"}}
    assert answer(None).status_code == 200
