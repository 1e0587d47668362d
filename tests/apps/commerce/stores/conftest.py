"""A shop on a real socket, the app that it may install, and the merchant's browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from syncline.apps.commerce.contract.connecting import Install
from syncline.apps.commerce.facade import LocalCommerce
from syncline.kernel.tenant import Actor
from syncline.sandbox.shopify.options import SandboxOptions

CLIENT_ID, SECRET = SandboxOptions().client_id, SandboxOptions().client_secrets[0]
SCOPES = ("write_products", "write_inventory", "read_locations")


@dataclass
class Merchant:
    """At a shop, with a browser."""

    shop: Any
    commerce: LocalCommerce
    actor: Actor

    async def begin(self, **more: Any) -> Install:
        """The owner's part: an install that waits."""
        given = {"shop": self.shop.domain, "base_url": self.shop.url, **more}
        return await self.commerce.start_install(actor=self.actor, **given)

    async def allow(self, begun: Install) -> list[tuple[str, str]]:
        """What the browser comes back with after Install was pressed."""
        async with httpx.AsyncClient(verify=False) as browser:
            sent = await browser.get(str(begun.authorize_url))
        assert sent.status_code == 302, sent.text
        return parse_qsl(urlsplit(sent.headers["Location"]).query)

    async def install(self, **more: Any) -> Install:
        query = await self.allow(await self.begin(**more))
        return await self.commerce.finish_install(query=query)

    async def grants(self) -> dict[str, int]:
        """Tokens that the shop gave out, by the kind of grant."""
        authority = self.shop.web.state.engine.world.authority
        return dict(authority.granted)


MakeMerchant = Callable[..., Awaitable[Merchant]]


@pytest.fixture
async def merchant(open_shop: Any, commerce: LocalCommerce, owner: Actor) -> Merchant:
    """Of a shop whose address is this test's alone, for a shop is connected once through the same app."""
    made = await meet(open_shop, commerce, owner)
    await commerce.set_app(actor=owner, client_id=CLIENT_ID, secret=SECRET, scopes=SCOPES)
    return made


async def meet(open_shop: Any, commerce: LocalCommerce, actor: Actor, **options: Any) -> Merchant:
    shop = await open_shop(**options)
    shop.store.shop.domain = f"shop-{actor.tenant_id.hex}.myshopify.com"
    return Merchant(shop, commerce, actor)
