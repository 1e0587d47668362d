"""Signing calls to Shopify, and where a store's key may be sent."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator
from typing import Protocol

import httpx

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.client import require_https

HEADER = "X-Shopify-Access-Token"
# The official client's own pattern (@shopify/shopify-api 15.0.0).
_SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-]*\.myshopify\.com")


class AccessToken(httpx.Auth):
    """Puts the token on a request at the last moment; with an Authorization header alone Shopify answers 401."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "AccessToken([redacted])"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[HEADER] = self._token
        yield request


class TokenSource(Protocol):
    """Where a token that expires comes from. Both raise connector outcomes when there is none."""

    async def current(self) -> str:
        """Good now."""
        ...

    async def other_than(self, refused: str) -> str | None:
        """After Shopify refused one: another, if there is one by now."""
        ...


class RenewedToken(httpx.Auth):
    """A token that expires: asked for at each request, and once more when Shopify refuses it, for a call that was
    refused was not carried out."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def __repr__(self) -> str:
        return "RenewedToken([redacted])"

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._source.current()
        request.headers[HEADER] = token
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return
        other = await self._source.other_than(token)
        if other is not None:
            request.headers[HEADER] = other
            yield request


def is_shop_domain(text: str) -> bool:
    """Whether it is a shop's permanent address, and not another host that looks like one."""
    return _SHOP.fullmatch(text) is not None


def store_origin(shop_domain: str, base_url: str | None) -> str:
    """`https://acme.myshopify.com`, or the base URL given in its place. Raises `Fatal`.

    A key goes to Shopify's own domain only: a storefront's own domain may point anywhere.
    """
    if base_url is not None:
        require_https(base_url)
        return base_url.rstrip("/")
    if not is_shop_domain(shop_domain):
        raise Fatal(
            f"{shop_domain!r} is not a Shopify store address; use the one that ends in .myshopify.com, "
            "shown in Shopify under Settings > Domains.",
            vendor_code="wrong_domain",
        )
    return f"https://{shop_domain.lower()}"
