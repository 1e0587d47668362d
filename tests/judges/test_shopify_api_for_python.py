"""Shopify's own library for Python (PyPI ShopifyAPI) is a client of the sandbox: it installs an app, exchanges the
code, asks the shop and runs GraphQL."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import shopify

from syncline.sandbox.server import running
from syncline.sandbox.shopify.app import create_app
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store

OPTIONS = SandboxOptions()
SCOPES = ["read_products", "write_orders"]
VERSION = "2025-10"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with running(create_app(Store(), OPTIONS)) as address:
        yield address


@pytest.fixture
def session(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[shopify.Session]:
    """Of the sandbox: the library makes `127.0.0.1:port` of a shop's first word, a domain and a port, and asks for its
    token over TLS, which the sandbox does not speak."""
    real = urllib.request.urlopen

    def without_tls(request: Any, *given: Any, **more: Any) -> Any:
        request.full_url = request.full_url.replace("https://", "http://", 1)
        return real(request, *given, **more)

    monkeypatch.setattr(urllib.request, "urlopen", without_tls)
    shopify.Session.setup(
        api_key=OPTIONS.client_id,
        secret=OPTIONS.client_secrets[0],
        protocol="http",
        myshopify_domain="0.0.1",
        port=urlsplit(url).port,
    )
    yield shopify.Session("127", VERSION)
    shopify.Session.setup(api_key=None, secret=None, protocol="https", myshopify_domain="myshopify.com", port=None)


async def allowed(session: shopify.Session) -> dict[str, str]:
    """What the browser comes back with from where the library sends it."""
    asked = session.create_permission_url(SCOPES, "http://127.0.0.1:1/back", "a-state")
    async with httpx.AsyncClient(verify=False) as browser:
        sent = await browser.get(asked.replace("https://", "http://", 1))
    return dict(parse_qsl(urlsplit(sent.headers["Location"]).query))


async def test_the_library_installs_an_app_and_asks_the_shop(session: shopify.Session) -> None:
    token = await asyncio.to_thread(session.request_token, await allowed(session))
    assert token.startswith("shpat_")
    assert set(session.access_scopes) == set(SCOPES)
    assert await asyncio.to_thread(told, session) == ("Sandbox Supply", "sandbox-supply.myshopify.com", "USD")


def told(session: shopify.Session) -> tuple[str, str, str]:
    """The shop over REST, its currency over GraphQL. The library keeps a session for a thread."""
    shopify.ShopifyResource.activate_session(session)
    try:
        shop = shopify.Shop.current()
        answer = json.loads(shopify.GraphQL().execute("{shop{currencyCode}}"))
    finally:
        shopify.ShopifyResource.clear_session()
    return shop.name, shop.myshopify_domain, answer["data"]["shop"]["currencyCode"]


async def test_the_library_refuses_what_was_changed_on_the_way(session: shopify.Session) -> None:
    query = await allowed(session)
    with pytest.raises(shopify.ValidationException):
        await asyncio.to_thread(session.request_token, {**query, "shop": "evil.myshopify.com"})
    assert await asyncio.to_thread(session.request_token, query)


async def test_a_code_is_good_once_for_the_library_too(session: shopify.Session) -> None:
    query = await allowed(session)
    await asyncio.to_thread(session.request_token, query)
    session.token = None
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        await asyncio.to_thread(session.request_token, query)
    refused.value.close()
