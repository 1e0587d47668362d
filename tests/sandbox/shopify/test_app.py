"""The double over HTTP, on a real socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store

PATH = "/admin/api/2026-10/graphql.json"
NAME = {"query": "{shop{name}}"}
TAG = {"query": 'mutation Tag{tagsAdd(id:"gid://shopify/Product/7000000000002",tags:["x"]){userErrors{message}}}'}
UNAUTHORIZED = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


async def fault(http: httpx.AsyncClient, text: str) -> None:
    answer = await http.post("/sandbox/faults", json={"faults": text})
    assert answer.status_code == 200


async def ended(http: httpx.AsyncClient, name: str, query: str, **variables: str) -> dict[str, Any]:
    """A bulk operation that is looked at until it is over."""
    found: dict[str, Any] = {"status": None}
    async with asyncio.timeout(60):
        while found["status"] not in {"COMPLETED", "FAILED"}:
            await asyncio.sleep(0.02)
            answer = await http.post(PATH, json={"query": query, "variables": variables})
            found = answer.json()["data"][name]
    return found


async def test_an_answer_names_its_version_and_request(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json=NAME)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"shop": {"name": "Sandbox Supply"}}
    assert answer.headers["X-Shopify-API-Version"] == "2026-10"
    assert len(answer.headers["X-Request-Id"]) == 36


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/admin/api/2025-10/graphql.json", "2025-10"),
        ("/admin/api/2019-04/graphql.json", "2025-10"),
        ("/admin/api/graphql.json", "2026-10"),
        ("/admin/api/unstable/graphql.json", "unstable"),
    ],
)
async def test_an_unsupported_version_falls_forward_to_the_oldest(
    http: httpx.AsyncClient, path: str, served: str
) -> None:
    assert (await http.post(path, json=NAME)).headers["X-Shopify-API-Version"] == served


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Shopify-Access-Token": "wrong"},
        {"X-Shopify-Access-Token": "", "Authorization": f"Bearer {SandboxOptions().token}"},
    ],
)
async def test_only_the_token_header_counts(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await http.post(PATH, json=NAME, headers=headers)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"query":" "}', b"not json"])
async def test_a_request_without_a_query_is_malformed(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post(PATH, content=body)
    assert (answer.status_code, answer.json()) == (
        400,
        {"errors": {"query": "Required parameter missing or invalid"}},
    )


async def test_another_shop_is_not_here(shop: Store, tmp_path: Path) -> None:
    app = create_app(shop, SandboxOptions(shop_domain="one.myshopify.com"), tmp_path)
    headers = {"X-Shopify-Access-Token": SandboxOptions().token}
    async with running(app) as url, httpx.AsyncClient(base_url=url, headers=headers, verify=False) as client:
        hosts = [{"Host": "one.myshopify.com"}, {"Host": "two.myshopify.com"}]
        codes = [(await client.post(PATH, json=NAME, headers=host)).status_code for host in hosts]
    assert codes == [200, 404]


async def test_the_scopes_are_told_over_rest(http: httpx.AsyncClient) -> None:
    answer = await http.get("/admin/oauth/access_scopes.json")
    assert {"handle": "write_products"} in answer.json()["access_scopes"]


async def test_the_debug_headers(http: httpx.AsyncClient) -> None:
    headers = {"Shopify-GraphQL-Cost-Debug": "1", "Shopify-Search-Query-Debug": "1"}
    query = {"query": '{products(first:1,query:"vendor:Acme"){nodes{id}}}'}
    extensions = (await http.post(PATH, json=query, headers=headers)).json()["extensions"]
    assert [one["path"] for one in extensions["cost"]["fields"]][-1] == ["products"]
    assert extensions["search"][0]["query"] == "vendor:Acme"


async def test_a_dropped_connection_has_applied_nothing(http: httpx.AsyncClient, shop: Store) -> None:
    await fault(http, "drop_before=1")
    with pytest.raises(httpx.TransportError):
        await http.post(PATH, json=TAG)
    assert shop.products[7000000000002].tags == []


async def test_a_connection_dropped_after_has_applied_it(http: httpx.AsyncClient, shop: Store) -> None:
    await fault(http, "drop_after=1@Tag")
    with pytest.raises(httpx.TransportError):
        await http.post(PATH, json=TAG)
    assert shop.products[7000000000002].tags == ["x"]
    entries = (await http.get("/sandbox/ledger")).json()["entries"]
    assert [(one["mutation"], one["operation"]) for one in entries] == [("tagsAdd", "Tag")]


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        ("500=1", 500, "application/json; charset=utf-8"),
        ("502=1", 502, "text/html; charset=utf-8"),
        ("503=1", 503, "text/html; charset=utf-8"),
        ("html=1", 200, "text/html; charset=utf-8"),
        ("429=1:3s", 429, "application/json; charset=utf-8"),
        ("token_revoked=1", 401, "application/json; charset=utf-8"),
    ],
)
async def test_faults_of_http_strike_once_and_apply_nothing(
    http: httpx.AsyncClient, shop: Store, text: str, status: int, kind: str
) -> None:
    await fault(http, text)
    answer = await http.post(PATH, json=TAG)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert shop.products[7000000000002].tags == []
    assert (await http.post(PATH, json=TAG)).status_code == 200


async def test_too_many_requests_say_how_long(http: httpx.AsyncClient) -> None:
    await fault(http, "retry_after=1:3s")
    assert (await http.post(PATH, json=NAME)).headers["Retry-After"] == "3.0"


async def test_a_forced_throttle_looks_like_an_empty_bucket(http: httpx.AsyncClient) -> None:
    await fault(http, "throttle=1")
    answer = (await http.post(PATH, json={"query": "{products(first:250){nodes{id}}}"})).json()
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in answer
    assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 12


async def test_an_internal_error_names_the_request(http: httpx.AsyncClient) -> None:
    await fault(http, "internal_error=1")
    answer = await http.post(PATH, json=NAME)
    error = answer.json()["errors"][0]
    assert error["extensions"] == {
        "code": "INTERNAL_SERVER_ERROR",
        "requestId": answer.headers["X-Request-Id"],
    }


async def test_a_removed_field_is_refused_by_the_schema(http: httpx.AsyncClient) -> None:
    await fault(http, "field_removed=Shop.name:1")
    assert (await http.post(PATH, json=NAME)).json()["errors"][0]["extensions"]["code"] == "undefinedField"
    assert "data" in (await http.post(PATH, json=NAME)).json()


async def test_a_removed_field_is_refused_inside_a_bulk_query_too(http: httpx.AsyncClient) -> None:
    await fault(http, "field_removed=Product.vendor")
    run = (
        "mutation($q:String!){bulkOperationRunQuery(query:$q,groupObjects:true){bulkOperation{id}"
        " userErrors{field message code}}}"
    )
    sent = {"query": run, "variables": {"q": "{products{edges{node{id vendor}}}}"}}
    assert (await http.post(PATH, json=sent)).json()["data"]["bulkOperationRunQuery"] == {
        "bulkOperation": None,
        "userErrors": [
            {
                "field": ["query"],
                "message": "Invalid bulk query: Field 'vendor' doesn't exist on type 'Product'",
                "code": "INVALID",
            }
        ],
    }


async def test_a_slow_request_holds_its_key_in_flight(http: httpx.AsyncClient) -> None:
    await fault(http, "slow=1:1.5s@Set")
    row = {
        "inventoryItemId": "gid://shopify/InventoryItem/43000000000001",
        "locationId": "gid://shopify/Location/61000000001",
        "quantity": 1,
        "changeFromQuantity": None,
    }
    body: dict[str, Any] = {
        "query": (
            'mutation Set($i:InventorySetQuantitiesInput!){inventorySetQuantities(input:$i) @idempotent(key:"k"){'
            "userErrors{code}}}"
        ),
        "variables": {"i": {"name": "available", "reason": "other", "quantities": [row]}},
    }
    slow = asyncio.create_task(http.post(PATH, json=body))
    await asyncio.sleep(0.1)
    second = (await http.post(PATH, json=body)).json()["data"]["inventorySetQuantities"]["userErrors"]
    first = (await slow).json()["data"]["inventorySetQuantities"]["userErrors"]
    assert (first, second) == ([], [{"code": "IDEMPOTENCY_CONCURRENT_REQUEST"}])


async def test_a_bulk_query_from_start_to_file(http: httpx.AsyncClient) -> None:
    run = (
        'mutation{bulkOperationRunQuery(query:"{products{edges{node{id variants{edges{node{id sku}}}}}}}",'
        "groupObjects:true){bulkOperation{id status} userErrors{message}}}"
    )
    started = (await http.post(PATH, json={"query": run})).json()["data"]["bulkOperationRunQuery"]
    assert started["userErrors"] == []
    query = "query($id:ID!){bulkOperation(id:$id){status url objectCount rootObjectCount fileSize}}"
    done = await ended(http, "bulkOperation", query, id=started["bulkOperation"]["id"])
    assert (done["status"], done["objectCount"], done["rootObjectCount"]) == ("COMPLETED", "11", "5")
    file = await http.get(done["url"])
    assert len(file.content) == int(done["fileSize"])
    assert file.text.splitlines()[:2] == [
        '{"id":"gid://shopify/Product/7000000000001"}',
        (
            '{"id":"gid://shopify/ProductVariant/41000000000001","sku":"SHIRT-S",'
            '"__parentId":"gid://shopify/Product/7000000000001"}'
        ),
    ]


async def test_a_bulk_mutation_from_upload_to_ledger(http: httpx.AsyncClient, shop: Store) -> None:
    create = (
        "mutation($i:[StagedUploadInput!]!){stagedUploadsCreate(input:$i){stagedTargets{url parameters{name value}}"
        " userErrors{message}}}"
    )
    asked = {
        "resource": "BULK_MUTATION_VARIABLES",
        "filename": "vars.jsonl",
        "mimeType": "text/jsonl",
        "httpMethod": "POST",
    }
    answer = (await http.post(PATH, json={"query": create, "variables": {"i": [asked]}})).json()
    target = answer["data"]["stagedUploadsCreate"]["stagedTargets"][0]
    fields = {one["name"]: one["value"] for one in target["parameters"]}
    line = b'{"id":"gid://shopify/Product/7000000000002","t":["a"]}\n{"id":"gid://shopify/Product/404","t":["a"]}\n'
    assert (await http.post(target["url"], data=fields, files={"file": line})).status_code == 201
    run = (
        'mutation($p:String!){bulkOperationRunMutation(mutation:"mutation T($id:ID!,$t:[String!]!){tagsAdd(id:$id,'
        'tags:$t){userErrors{message}}}",stagedUploadPath:$p){bulkOperation{id} userErrors{message}}}'
    )
    started = (await http.post(PATH, json={"query": run, "variables": {"p": fields["key"]}})).json()
    assert started["data"]["bulkOperationRunMutation"]["userErrors"] == []
    done = await ended(http, "currentBulkOperation", "{currentBulkOperation(type:MUTATION){status url}}")
    lines = sorted((await http.get(done["url"])).text.splitlines(), key=lambda one: "Product does" in one)
    assert lines == [
        '{"data":{"tagsAdd":{"userErrors":[]}},"__lineNumber":0}',
        '{"data":{"tagsAdd":{"userErrors":[{"message":"Product does not exist"}]}},"__lineNumber":1}',
    ]
    assert shop.products[7000000000002].tags == ["a"]
    entries = (await http.get("/sandbox/ledger", params={"mutation": "tagsAdd"})).json()["entries"]
    assert [one["inBulk"] for one in entries] == [True, True]


async def test_a_bulk_query_the_sandbox_does_not_serve_says_so(http: httpx.AsyncClient) -> None:
    run = (
        'mutation{bulkOperationRunQuery(query:"{draftOrders{edges{node{id}}}}",groupObjects:true){userErrors{message}}}'
    )
    error = (await http.post(PATH, json={"query": run})).json()["errors"][0]
    assert error["message"] == "QueryRoot.draftOrders is not served by the sandbox."
