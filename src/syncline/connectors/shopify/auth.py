"""Signing calls to Shopify, and where a store's key may be sent."""

from __future__ import annotations

import re
from collections.abc import Generator

import httpx

from syncline.kernel.errors import Fatal
from syncline.runtime.connect.client import require_https

# The official client's own pattern (@shopify/shopify-api 15.0.0).
_SHOP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-]*\.myshopify\.com")


class AccessToken(httpx.Auth):
    """Puts the token on a request at the last moment; with an Authorization header alone Shopify answers 401."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "AccessToken([redacted])"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X-Shopify-Access-Token"] = self._token
        yield request


def store_origin(shop_domain: str, base_url: str | None) -> str:
    """`https://acme.myshopify.com`, or the base URL given in its place. Raises `Fatal`.

    A key goes to Shopify's own domain only: a storefront's own domain may point anywhere.
    """
    if base_url is not None:
        require_https(base_url)
        return base_url.rstrip("/")
    if not _SHOP.fullmatch(shop_domain):
        raise Fatal(
            f"{shop_domain!r} is not a Shopify store address; use the one that ends in .myshopify.com, "
            "shown in Shopify under Settings > Domains.",
            vendor_code="wrong_domain",
        )
    return f"https://{shop_domain.lower()}"
