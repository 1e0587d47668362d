from __future__ import annotations

import httpx
import pytest

Headers = dict[str, str]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic owner-key", "owner-key", "Bearer wrong", "Bearer owner-key x"],
)
async def test_without_a_valid_key_the_answer_is_401(client: httpx.AsyncClient, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await client.post("/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "API_001"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_is_read_in_any_case(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", json={"name": "a"}, headers={"Authorization": "bearer owner-key"})
    assert answer.json() == {"name": "a", "by": "the owner"}


async def test_a_role_without_the_permission_is_403_and_told_which_it_takes(
    client: httpx.AsyncClient, viewer: Headers
) -> None:
    answer = await client.post("/things", json={"name": "a"}, headers=viewer)
    assert answer.status_code == 403
    assert answer.json()["code"] == "API_002"
    assert answer.json()["permission"] == "things:write"


@pytest.mark.parametrize("content", [b"{", b'{"wrong": 1}', b"", b"x" * 900])
async def test_a_stranger_learns_only_that_a_key_is_needed_whatever_is_sent(
    client: httpx.AsyncClient, content: bytes
) -> None:
    answer = await client.post("/things", content=content)
    assert answer.status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer invalid_key"}])
async def test_a_stranger_with_the_wrong_method_is_401_and_not_405(client: httpx.AsyncClient, headers: Headers) -> None:
    answer = await client.get("/things/large", headers=headers)
    assert answer.status_code == 401


async def test_a_key_holder_with_the_wrong_method_is_405(client: httpx.AsyncClient, viewer: Headers) -> None:
    answer = await client.get("/things/large", headers=viewer)
    assert answer.status_code == 405
