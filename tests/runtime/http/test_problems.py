from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

Headers = dict[str, str]


def check(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Every error has the one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["success"] is False
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:syncline:problem:{code}"
    assert body["error"] == body["detail"]
    assert body["title"]
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    return body


async def test_a_domain_error_carries_its_code_status_fields_and_members(client: httpx.AsyncClient) -> None:
    body = check(await client.get("/things/busy"), 409, "THING_003")
    assert body["error"] == "A thing is being made already."
    assert body["fields"] == [{"field": "name", "message": "is taken"}]
    assert body["running"] == 7


async def test_an_unknown_address_is_404(client: httpx.AsyncClient) -> None:
    check(await client.get("/nothing/here"), 404, "REQ_004")


async def test_a_trailing_slash_is_another_address_and_not_a_redirect(
    client: httpx.AsyncClient, owner: Headers
) -> None:
    check(await client.get("/things/", headers=owner), 404, "REQ_004")


async def test_a_wrong_method_is_405_and_names_the_right_one(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things/long")
    check(answer, 405, "REQ_005")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("content", ["{", '{"name": }', "[1,", '{"name": "a"} x'])
async def test_malformed_json_is_400_and_says_where(client: httpx.AsyncClient, owner: Headers, content: str) -> None:
    body = check(await client.post("/things", content=content, headers=owner), 400, "REQ_002")
    assert "character" in str(body["error"])


@pytest.mark.parametrize("content", [b"\xff\xfe{", b"name=a", b"\x00"])
async def test_a_body_that_is_no_text_or_no_json_is_400(
    client: httpx.AsyncClient, owner: Headers, content: bytes
) -> None:
    check(await client.post("/things", content=content, headers=owner), 400, "REQ_002")


async def test_a_deeply_nested_body_is_400_and_breaks_nothing(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await client.post("/things", content="[" * 900, headers=owner)
    assert answer.status_code == 400


async def test_each_wrong_field_is_named_by_its_path(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await client.post("/things", json={"range": {"chunkSize": 5_000}}, headers=owner)
    body = check(answer, 400, "REQ_001")
    assert body["fields"] == [
        {"field": "name", "message": "is missing"},
        {"field": "range.chunkSize", "message": "should be less than or equal to 1000"},
    ]
    assert "name: is missing" in str(body["error"])


async def test_a_missing_body_is_400(client: httpx.AsyncClient, owner: Headers) -> None:
    check(await client.post("/things", headers=owner), 400, "REQ_001")


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "limit=0", "limit=101", "limit=1.5", "page=" + "9" * 30]
)
async def test_a_page_outside_the_list_is_400(client: httpx.AsyncClient, viewer: Headers, query: str) -> None:
    body = check(await client.get(f"/things?{query}", headers=viewer), 400, "REQ_001")
    assert query.startswith(str(body["fields"][0]["field"]))  # type: ignore[index]


async def test_a_page_is_an_offset(client: httpx.AsyncClient, viewer: Headers) -> None:
    answer = await client.get("/things?page=3&limit=100", headers=viewer)
    assert answer.json() == {"offset": 200, "limit": 100}


async def test_an_unforeseen_error_says_nothing_of_its_cause_but_logs_it_under_the_id(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/things/broken", headers={"X-Correlation-ID": "find-me"})
    body = check(answer, 500, "REQ_500")
    assert "hunter2" not in answer.text
    assert body["correlation_id"] == "find-me"


async def test_a_vendor_that_asks_to_wait_is_503_with_retry_after(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things/throttled")
    check(answer, 503, "CON_001")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_vendor_that_refuses_is_409_with_its_own_word(client: httpx.AsyncClient) -> None:
    body = check(await client.get("/things/refused"), 409, "CON_002")
    assert body["vendor_code"] == "ACCESS_DENIED"
    assert body["error"] == "The shop's token was revoked. Enter a new one."


async def test_a_body_over_the_limit_is_413_before_it_is_read(client: httpx.AsyncClient, owner: Headers) -> None:
    answer = await client.post("/things", json={"name": "x" * 2_000}, headers=owner)
    body = check(answer, 413, "REQ_013")
    assert body["limit_bytes"] == 1_000


async def test_a_body_without_a_length_is_stopped_when_it_has_grown_too_long(
    client: httpx.AsyncClient, owner: Headers
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"name": "'
        for _ in range(1_000):
            sent += 1
            yield b"x" * 100

    check(await client.post("/things", content=endless(), headers=owner), 413, "REQ_013")
    assert sent < 1_000


async def test_one_endpoint_may_take_more_than_the_rest(client: httpx.AsyncClient, owner: Headers) -> None:
    taken = await client.post("/things/large", json={"text": "x" * 2_000}, headers=owner)
    assert taken.json() == 2_000
    check(await client.post("/things/large", json={"text": "x" * 6_000}, headers=owner), 413, "REQ_013")
