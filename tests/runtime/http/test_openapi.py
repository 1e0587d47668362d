from __future__ import annotations

import re

import httpx
import pytest

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

AROUND = {"429", "500", "503", "504"}
"""What any address may answer with, from around its endpoint."""
UNCOUNTED = ["get /ready", "get /health", "get /metrics", "get /api/metrics"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_pages_load_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']+""", page.text) == []
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert loaded
    assert {(await client.get(asset)).status_code for asset in loaded} == {200}


async def test_the_front_door_leads_to_the_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


async def test_errors_are_declared_as_problems_and_never_as_422(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    answers = document["paths"]["/things"]["post"]["responses"]
    assert set(answers) == {"201", "400", "401", "403", "409", *AROUND, "413"}
    assert {status: answers[status]["content"] for status in ("400", "401", "403", "409")} == dict.fromkeys(
        ("400", "401", "403", "409"), PROBLEM
    )
    assert "THING_003" in answers["409"]["description"]
    assert "422" not in str(document)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {"code", "error", "correlation_id", "fields"} <= set(
        document["components"]["schemas"]["Problem"]["properties"]
    )


async def test_every_reference_in_the_document_resolves(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    referred = set(re.findall(r"#/components/schemas/([A-Za-z0-9_]+)", answer.text))
    assert referred - set(answer.json()["components"]["schemas"]) == set()


async def test_operations_say_their_permission_and_the_key_they_need(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/things"]["post"]
    assert operation["operationId"] == "things_make"
    assert operation["x-permission"] == "things:write"
    assert operation["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/live"]["get"]


async def test_what_comes_from_around_an_endpoint_is_declared_for_it(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    answers = {
        f"{method} {path}": set(operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert answers["get /live"] == {"200"}
    assert [address for address, found in answers.items() if not found >= AROUND] == ["get /live", *UNCOUNTED]
    reads = {path: methods["get"] for path, methods in document["paths"].items() if "get" in methods}
    assert [path for path, operation in reads.items() if "OPS_003" in str(operation["responses"])] == []
    assert [address for address, found in answers.items() if "{" in address and "404" not in found] == []
