from __future__ import annotations

from typing import Any

import httpx
import pytest

PASSWORD = "four words in a row"
HERE = {"sec-fetch-site": "same-origin"}
ELSEWHERE = {"sec-fetch-site": "cross-site", "origin": "https://evil.example.com"}
Signed = dict[str, Any]


async def sign_in(client: httpx.AsyncClient, headers: dict[str, str] = HERE) -> httpx.Response:
    body = {"email": "ada@example.com", "password": PASSWORD, "cookie": True}
    return await client.post("/api/auth/login", json=body, headers=headers)


async def test_the_refresh_token_is_in_the_cookie_and_nowhere_else(client: httpx.AsyncClient, ada: Signed) -> None:
    answer = await sign_in(client)
    assert answer.json()["refresh_token"] is None
    assert "slr_" not in answer.text
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert parts == {"httponly", "max-age=2592000", "path=/api/auth", "samesite=strict"}


async def test_over_tls_it_is_secure_and_says_so_in_its_name(client: httpx.AsyncClient, ada: Signed) -> None:
    client.base_url = httpx.URL("https://syncline.test")
    answer = await sign_in(client)
    assert answer.headers["set-cookie"].startswith("__Secure-syncline-refresh=slr_")
    assert "Secure" in answer.headers["set-cookie"]
    assert (await client.post("/api/auth/refresh", headers=HERE)).status_code == 200


async def test_the_cookie_is_renewed_with_each_use_and_its_token_is_good_once(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    await sign_in(client)
    used = client.cookies["syncline-refresh"]
    first = await client.post("/api/auth/refresh", headers=HERE)
    assert (first.status_code, first.json()["refresh_token"]) == (200, None)
    assert client.cookies["syncline-refresh"] != used
    client.cookies.clear()
    again = await client.post("/api/auth/refresh", headers={**HERE, "cookie": f"syncline-refresh={used}"})
    assert (again.status_code, again.json()["code"]) == (409, "AUTH_006")


@pytest.mark.parametrize("path", ["/api/auth/refresh", "/api/auth/logout"])
@pytest.mark.parametrize("headers", [ELSEWHERE, {"sec-fetch-site": "same-site"}, {"origin": "null"}, {}])
async def test_what_another_site_sends_with_the_cookie_is_not_done(
    client: httpx.AsyncClient, ada: Signed, path: str, headers: dict[str, str]
) -> None:
    await sign_in(client)
    refused = await client.post(path, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "API_003")
    assert (await client.post("/api/auth/refresh", headers=HERE)).status_code == 200


async def test_another_site_cannot_sign_a_browser_in_as_somebody_it_chose(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    """A form may send JSON under another name, and needs no leave of ours for that."""
    body = '{"email": "ada@example.com", "password": "four words in a row", "cookie": true}'
    sent = await client.post("/api/auth/login", content=body, headers={**ELSEWHERE, "content-type": "text/plain"})
    assert (sent.status_code, sent.json()["code"]) == (403, "API_003")
    assert "set-cookie" not in sent.headers


async def test_a_token_in_the_body_needs_no_cookie_and_sets_none(client: httpx.AsyncClient, ada: Signed) -> None:
    body = {"refresh_token": ada["refresh_token"]}
    answer = await client.post("/api/auth/refresh", json=body, headers=ELSEWHERE)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"].startswith("slr_")
    assert "set-cookie" not in answer.headers


async def test_with_neither_there_is_a_sentence(client: httpx.AsyncClient) -> None:
    for body in (b"", b"{}", b'{"refresh_token": null}'):
        answer = await client.post("/api/auth/refresh", headers=HERE, content=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTH_002")


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(client: httpx.AsyncClient, ada: Signed) -> None:
    inside = (await sign_in(client)).json()
    answer = await client.post("/api/auth/logout", headers=HERE)
    assert answer.status_code == 200
    assert "syncline-refresh" not in client.cookies
    bearer = {"Authorization": f"Bearer {inside['access_token']}"}
    assert (await client.get("/api/auth/me", headers=bearer)).status_code == 401


async def test_the_cookie_is_no_credential_anywhere_else(client: httpx.AsyncClient, ada: Signed) -> None:
    await sign_in(client)
    kept = client.cookies["syncline-refresh"]
    answer = await client.get("/api/auth/me", headers={**HERE, "cookie": f"syncline-refresh={kept}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "API_001")
