"""Everything that can be wrong with a store's address, key or permissions is one sentence before any work begins."""

from typing import Any

import httpx
import pytest

from syncline.connectors.shopify import errors
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.connectors.shopify.store import READ_SCOPES, check_store
from syncline.connectors.shopify.testing import SHOP, TOKEN, RecordedStore, config, open_client
from syncline.kernel.errors import Fatal, Retriable
from syncline.runtime.connect.testing import Fault, Handler, ScriptedVendor, answering, status, unreachable


async def refused(*faults: Fault, well: Handler | None = None) -> Fatal:
    vendor = ScriptedVendor(well or RecordedStore()).then(*faults)
    async with open_client(vendor.transport) as client:
        with pytest.raises(Fatal) as caught:
            await check_store(client)
    return caught.value


async def test_facts_of_a_store() -> None:
    async with open_client(ScriptedVendor(RecordedStore()).transport) as client:
        facts = await check_store(client)
    assert (facts.shop_id, facts.name, facts.domain, facts.currency) == (9, "Recorded", SHOP, "EUR")
    assert (facts.plan, facts.is_plus, facts.time_zone) == ("Advanced", False, "Europe/Berlin")
    assert facts.missing_scopes == ()


@pytest.mark.parametrize("domain", ["acme.com", "https://acme.myshopify.com", "acme", "", "a.b.myshopify.com", "x y"])
def test_key_is_never_sent_to_what_is_not_a_shopify_address(domain: str) -> None:
    with pytest.raises(Fatal, match=r"ends in \.myshopify\.com"):
        ShopifyClient(config(shop_domain=domain))


def test_key_is_never_sent_over_an_open_connection() -> None:
    with pytest.raises(Fatal, match="not https"):
        ShopifyClient(config(base_url="http://203.0.113.5:80"))


async def test_nothing_answers() -> None:
    outcome = await refused(*[unreachable] * 9)
    assert f"Nothing answers at {SHOP}" in outcome.sentence


async def test_no_such_store() -> None:
    assert "no Shopify store" in (await refused(status(404, json={"errors": "Not Found"}))).sentence


async def test_another_web_site() -> None:
    page = httpx.Response(200, html="<html>Welcome</html>")
    outcome = await refused(*[answering(lambda: page)] * 9)
    assert isinstance(outcome, errors.NotAShopifyStore)
    assert "not as a Shopify store" in outcome.sentence


async def test_token_is_wrong() -> None:
    outcome = await refused(status(401, json={"errors": "[API] Invalid API key or access token"}))
    assert isinstance(outcome, errors.TokenRejected)
    assert TOKEN not in str(outcome)


async def test_store_is_frozen() -> None:
    assert "unpaid" in (await refused(status(402, json={"errors": "Unavailable Shop"}))).sentence


async def test_scopes_that_are_missing_are_named() -> None:
    outcome = await refused(well=RecordedStore(scopes=["read_products", "write_inventory"]))
    assert isinstance(outcome, errors.MissingScope)
    assert "lacks read_locations, write_products;" in outcome.sentence


async def test_right_to_write_includes_the_right_to_read() -> None:
    store = RecordedStore(scopes=["write_products", "write_inventory", "read_locations"])
    async with open_client(ScriptedVendor(store).transport) as client:
        assert (await check_store(client)).missing_scopes == ()


async def test_reading_alone_needs_no_right_to_write() -> None:
    async with open_client(ScriptedVendor(RecordedStore(scopes=READ_SCOPES)).transport) as client:
        facts = await check_store(client, scopes=READ_SCOPES)
        shown = await check_store(client, require_scopes=False)
    assert facts.missing_scopes == ()
    assert shown.missing_scopes == ("write_products", "write_inventory")


async def test_renamed_store_is_told_by_its_new_address() -> None:
    vendor = ScriptedVendor(RecordedStore())
    async with open_client(vendor.transport, shop_domain="old-name.myshopify.com") as client:
        with pytest.raises(errors.NotAShopifyStore, match=f"now belongs to {SHOP}"):
            await check_store(client)


async def test_trouble_at_shopify_is_not_blamed_on_the_settings() -> None:
    async with open_client(ScriptedVendor(lambda _: httpx.Response(502)).transport) as client:
        with pytest.raises(Retriable):
            await check_store(client)


def test_token_shows_nowhere() -> None:
    settings = ShopifyConfig(SHOP, TOKEN)
    client = open_client(ScriptedVendor(RecordedStore()).transport)
    assert TOKEN not in f"{settings!r}{client!r}{client.http!r}{client.http.redact!r}"


async def test_sandbox_store(sandbox: Any) -> None:
    async with sandbox.client() as client:
        facts = await check_store(client)
    assert facts.domain == sandbox.store.shop.domain
