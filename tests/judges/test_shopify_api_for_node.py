"""Shopify's own library (npm @shopify/shopify-api) judges the sandbox and our connector: what the sandbox signs the
library believes, what the library refuses we refuse, and both send the merchant to the same address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from syncline.connectors.shopify.auth import is_shop_domain
from syncline.connectors.shopify.oauth import NotBelieved, authorize_url, read_callback, signature_of
from syncline.connectors.shopify.session_token import read_session_token
from syncline.kernel import clock
from syncline.sandbox.shopify import session_tokens
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store

OPTIONS = SandboxOptions()
APP = {"clientId": OPTIONS.client_id, "secret": OPTIONS.client_secrets[0]}
Judge = Any


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(Store(), OPTIONS))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", verify=False) as made:
        yield made


async def came_back(browser: httpx.AsyncClient) -> dict[str, str]:
    asked = {"client_id": OPTIONS.client_id, "redirect_uri": "http://127.0.0.1:1/back", "state": "a-state"}
    sent = await browser.get("/admin/oauth/authorize", params=asked)
    return dict(parse_qsl(urlsplit(sent.headers["Location"]).query))


async def test_the_library_believes_what_the_sandbox_signs(judge: Judge, browser: httpx.AsyncClient) -> None:
    query = await came_back(browser)
    assert judge("callback", **APP, query=query) is True
    assert read_callback(list(query.items()), secrets=[APP["secret"]], now=clock.now()).state == "a-state"


@pytest.mark.parametrize("name", ["code", "shop", "state", "host", "timestamp"])
async def test_what_was_changed_on_the_way_neither_believes(
    judge: Judge, browser: httpx.AsyncClient, name: str
) -> None:
    query = await came_back(browser)
    query[name] = query[name][:-1] + ("0" if query[name][-1] != "0" else "1")
    assert judge("callback", **APP, query=query) in {False, "InvalidHmacError"}
    with pytest.raises(NotBelieved):
        read_callback(list(query.items()), secrets=[APP["secret"]], now=clock.now())


@pytest.mark.parametrize(("seconds", "is_fresh"), [(-100, False), (-80, True), (80, True), (100, False)])
def test_both_call_the_same_answers_fresh(judge: Judge, seconds: int, is_fresh: bool) -> None:
    at = clock.now() + timedelta(seconds=seconds)
    values = {"code": "c", "shop": "acme.myshopify.com", "state": "s", "timestamp": str(int(at.timestamp()))}
    query = {**values, "hmac": signature_of(values.items(), APP["secret"])}
    assert (judge("callback", **APP, query=query) is True) == is_fresh
    assert _believed(query) == is_fresh


def _believed(query: dict[str, str]) -> bool:
    try:
        read_callback(list(query.items()), secrets=[APP["secret"]], now=clock.now())
    except NotBelieved:
        return False
    return True


@pytest.mark.parametrize("is_online", [False, True])
def test_both_send_the_merchant_to_the_same_address(judge: Judge, is_online: bool) -> None:
    scopes, path = ["read_products", "write_orders"], "/api/shopify/oauth/callback"
    theirs = judge("begin", **APP, scopes=scopes, shop="acme.myshopify.com", path=path, isOnline=is_online)
    asked = parse_qs(urlsplit(theirs).query)
    ours = authorize_url(
        "acme.myshopify.com",
        client_id=OPTIONS.client_id,
        scopes=scopes,
        redirect_uri=f"https://sync.example{path}",
        state=asked["state"][0],
        is_online=is_online,
    )
    assert urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    assert parse_qs(urlsplit(ours).query) == asked


@pytest.mark.parametrize(
    "shop",
    [
        "acme.myshopify.com",
        "A-1.myshopify.com",
        "evil.com/x.myshopify.com",
        "x.myshopify.com.evil.com",
        "-x.myshopify.com",
        "x.myshopify.com@evil.com",
        "https://x.myshopify.com",
        "",
    ],
)
def test_both_know_the_same_shops(judge: Judge, shop: str) -> None:
    assert is_shop_domain(shop) == (judge("shop", **APP, shop=shop) == shop != "")


def test_the_library_reads_the_sandboxs_session_tokens(judge: Judge) -> None:
    token = session_tokens.make(shop_domain="acme.myshopify.com", client_id=APP["clientId"], secret=APP["secret"])
    claims = judge("session", **APP, token=token)
    ours = read_session_token(token, client_id=APP["clientId"], secrets=[APP["secret"]], now=clock.now())
    assert (claims["dest"], claims["sub"]) == (f"https://{ours.shop_domain}", ours.user_id)


@pytest.mark.parametrize(
    "changes", [{"secret": "another-secret-altogether"}, {"client_id": "another"}, {"seconds": -60}]
)
def test_neither_believes_a_session_token_that_is_not_good(judge: Judge, changes: dict[str, Any]) -> None:
    given = {"client_id": APP["clientId"], "secret": APP["secret"], **changes}
    token = session_tokens.make(shop_domain="acme.myshopify.com", **given)
    assert judge("session", **APP, token=token) == "InvalidJwtError"
    with pytest.raises(NotBelieved):
        read_session_token(token, client_id=APP["clientId"], secrets=[APP["secret"]], now=clock.now())
