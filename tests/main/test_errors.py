"""Whatever is wrong with a request to the real application, the answer has one shape and gives nothing away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import httpx
import pytest
from cryptography.fernet import Fernet

from syncline.kernel.tenant import Actor, TenantId
from syncline.main.settings import load_app_settings
from syncline.main.targets import APPS
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobQueue
from syncline.runtime.secrets import SecretBox

TENANT = TenantId(UUID(int=1))
KEY = {"Authorization": "Bearer owner"}
VIEWER = {"Authorization": "Bearer viewer"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def runtime(shared_database: Database) -> Runtime:
    secrets = SecretBox([Fernet.generate_key().decode()])
    made = Runtime(database=shared_database, queue=JobQueue([]), secrets=secrets, settings=load_app_settings(APPS))
    made.contracts |= {app.provides: app.build(made) for app in APPS if app.provides and app.build}
    return made


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    async def authenticate(key: str) -> Actor | None:
        return Actor(TENANT, key, key) if key in {"owner", "viewer"} else None

    app = create_app(runtime, APPS, authenticate=authenticate, limit_bytes=1_000)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


def assert_one_shape(answer: httpx.Response, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["status"], body["success"]) == (status, False)
    assert body["type"] == f"urn:syncline:problem:{code}"
    assert body["title"]
    assert body["error"] == body["detail"] != ""
    assert body["correlation_id"] == answer.headers["x-correlation-id"] != ""


@pytest.mark.parametrize("body", [b"{", b'{"name": }', b"[1,", b"name=x", b"<key/>", b"\xff\xfe", b'{"a":"\xff"}', b""])
@pytest.mark.parametrize("kind", [JSON, {"Content-Type": "text/xml"}, {}])
async def test_a_body_that_is_not_json_is_400(client: httpx.AsyncClient, body: bytes, kind: Mapping[str, str]) -> None:
    answer = await client.post("/api/keys", content=body, headers={**KEY, **kind})
    assert answer.status_code == 400
    assert_one_shape(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in {"REQ_001", "REQ_002"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/xml", "nonsense", ""])
async def test_json_is_json_whatever_its_content_type_says(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/api/keys", content=b'{"name":""}', headers={**KEY, "Content-Type": kind})
    assert_one_shape(answer, 400, "REQ_001")
    assert {one["field"] for one in answer.json()["fields"]} >= {"name", "role"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/keys/", "/api/keys/1/2/3", "/../etc/passwd", "/%00"])
async def test_an_unknown_address_is_404(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert_one_shape(await client.request(method, path, headers=KEY), 404, "REQ_004")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/keys"), ("GET", "/api/enhanced-sync/shopify-down"), ("DELETE", "/live")]
)
async def test_another_method_is_405_and_names_those_there_are(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers=KEY)
    assert_one_shape(answer, 405, "REQ_005")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/api/enhanced-sync/shopify-down", "/api/enhanced-sync/shopify-up", "/api/enhanced-sync/approve-changes"]
)
async def test_a_stranger_who_reads_where_only_writing_is_possible_is_401(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert_one_shape(answer, 401, "API_001")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "Basic b3duZXI6", "bearer  ", "Bearer \x7f"])
async def test_a_key_that_is_none_is_401(client: httpx.AsyncClient, value: str) -> None:
    assert_one_shape(await client.get("/api/keys", headers={"Authorization": value}), 401, "API_001")


async def test_a_role_that_may_not_is_403_and_says_what_it_takes(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/keys", json={"name": "x", "role": "viewer"}, headers=VIEWER)
    assert_one_shape(answer, 403, "API_002")
    assert answer.json()["permission"] == "keys:manage"


async def test_a_body_that_is_too_large_is_413_and_says_how_much_is_taken(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/keys", content=b'{"name":"' + b"x" * 2_000 + b'"}', headers={**KEY, **JSON})
    assert_one_shape(answer, 413, "REQ_013")
    assert answer.json()["limit_bytes"] == 1_000


@pytest.mark.parametrize("query", ["page=0", "page=x", "limit=101", "limit=-1", "page=99999999999999999999"])
async def test_a_page_there_cannot_be_is_400_with_its_field(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/enhanced-sync/staged-changes?{query}", headers=KEY)
    assert_one_shape(answer, 400, "REQ_001")
    assert answer.json()["fields"][0]["field"] in {"page", "limit"}


async def test_what_breaks_inside_is_500_and_nothing_of_it_is_told(client: httpx.AsyncClient, runtime: Runtime) -> None:
    runtime.contracts.clear()
    answer = await client.get("/api/shopify/stores", headers=KEY)
    assert_one_shape(answer, 500, "REQ_500")
    assert "Commerce" not in answer.text
    assert set(answer.json()) == {
        "type", "title", "status", "detail", "success", "code", "error", "correlation_id", "fields",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", bytes(13)])
async def test_a_stranger_whose_body_cannot_be_read_is_asked_for_a_key_all_the_same(
    client: httpx.AsyncClient, body: bytes
) -> None:
    assert_one_shape(await client.post("/api/keys", content=body, headers=JSON), 401, "API_001")
