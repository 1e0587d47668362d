from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from syncline.apps.commerce.contract import StoreExists, StoreNotFound, StoreRefused
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.settings import CommerceSettings
from syncline.apps.commerce.stores import service
from syncline.apps.commerce.stores.connection import client_of, config_of
from syncline.apps.commerce.stores.models import store
from syncline.kernel.errors import InvalidInput
from syncline.kernel.tenant import Actor
from syncline.runtime.db.engine import Database

TOKEN = "shpat_5ecret_of_this_shop"

# `OpenShop` and `OpenTheShop` of the folder's conftest: test folders are no packages to import from.
Shop = Any
Open = Any


def told(error: BaseException | None) -> str:
    """What an error and its causes say; a traceback would also show the lines of this file."""
    return "" if error is None else f"{error!s} {error!r} {vars(error)} {told(error.__cause__ or error.__context__)}"


async def add(commerce: LocalCommerce, actor: Actor, shop: Shop, **changes: Any) -> Any:
    given = {"name": "demo", "shop_domain": shop.domain, "token": TOKEN, "base_url": shop.url, **changes}
    return await commerce.add_store(actor=actor, **given)


async def test_a_store_is_kept_with_what_the_shop_says_of_itself(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN, currency="JPY")
    made = await add(commerce, owner, shop, shop_domain="Sandbox-Supply.myshopify.com")
    assert (made.name, made.shop_domain, made.shop_name) == ("demo", "sandbox-supply.myshopify.com", "Sandbox Supply")
    assert (made.currency, made.plan, made.api_version) == ("JPY", "Basic", "2026-10")
    assert {"write_products", "read_products", "write_inventory", "read_locations"} <= set(made.scopes)
    assert await commerce.list_stores(actor=owner) == [made]


@pytest.mark.parametrize(
    ("changes", "field", "advice"),
    [
        ({"name": "Summer Store"}, "name", "lower-case"),
        ({"name": ""}, "name", "lower-case"),
        ({"name": "a" * 64}, "name", "at most 63"),
        ({"shop_domain": "https://summer.myshopify.com"}, "shop_domain", "without https"),
        ({"shop_domain": "summer-store.example"}, "shop_domain", "like summer-store.myshopify.com"),
        ({"shop_domain": "evil.example/.myshopify.com"}, "shop_domain", "permanent address"),
        ({"shop_domain": "summer.myshopify.com\n.evil.example"}, "shop_domain", "permanent address"),
        ({"base_url": "http://203.0.113.7:9000"}, "base_url", "loopback"),
        ({"base_url": "https://127.0.0.1.evil.example"}, "base_url", "loopback"),
        ({"base_url": "http://127.0.0.1@evil.example"}, "base_url", "loopback"),
        ({"base_url": "ftp://127.0.0.1"}, "base_url", "loopback"),
        ({"base_url": "127.0.0.1:9000"}, "base_url", "loopback"),
        ({"base_url": "http://[::1"}, "base_url", "loopback"),
    ],
)
async def test_a_wrong_address_is_refused_before_anybody_is_asked(
    commerce: LocalCommerce, owner: Actor, changes: dict[str, str], field: str, advice: str
) -> None:
    given = {"name": "demo", "shop_domain": "summer.myshopify.com", "token": TOKEN, **changes}
    with pytest.raises(InvalidInput, match=advice) as caught:
        await commerce.add_store(actor=owner, **given)  # the network is off: asking would fail otherwise
    assert [wrong.field for wrong in caught.value.fields] == [field]


def test_every_wrong_part_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        service.check_address(name="?", shop_domain="?", token="", base_url="?", settings=CommerceSettings())
    assert [wrong.field for wrong in caught.value.fields] == ["name", "shop_domain", "token", "base_url"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1/", "https://[::1]:1", "http://127.9.8.7"])
def test_a_sandbox_on_this_machine_may_be_named_unless_that_is_off(url: str) -> None:
    check = partial(service.check_address, name="demo", shop_domain="summer.myshopify.com", token=TOKEN, base_url=url)
    check(settings=CommerceSettings())
    with pytest.raises(InvalidInput, match="sandbox"):
        check(settings=CommerceSettings(allow_sandbox_urls=False))


async def test_a_wrong_token_is_one_sentence_and_nothing_is_kept(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    with pytest.raises(StoreRefused, match="refused the access token") as caught:
        await add(commerce, owner, shop, token="shpat_wr0ng")
    assert "wr0ng" not in told(caught.value)
    assert await commerce.list_stores(actor=owner) == []


@pytest.mark.parametrize("token", ["", "shpat_ü", "with a blank", "two\nlines", "shpat_5ecret\n", "x" * 100_000])
async def test_what_can_be_no_token_is_refused_before_anybody_is_asked(
    commerce: LocalCommerce, owner: Actor, token: str
) -> None:
    with pytest.raises(InvalidInput, match="no access token") as caught:
        await commerce.add_store(actor=owner, name="demo", shop_domain="summer.myshopify.com", token=token)
    assert [wrong.field for wrong in caught.value.fields] == ["token"]
    assert not token or token not in told(caught.value)


async def test_a_missing_scope_is_named(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN, scopes=frozenset({"write_products", "read_inventory", "read_locations"}))
    with pytest.raises(StoreRefused, match="lacks write_inventory;") as caught:
        await add(commerce, owner, shop)
    assert "write_products" not in caught.value.sentence


async def test_a_domain_where_nothing_answers_is_one_sentence(commerce: LocalCommerce, owner: Actor) -> None:
    with pytest.raises(StoreRefused, match="Nothing answers at summer"):
        await commerce.add_store(
            actor=owner,
            name="demo",
            shop_domain="summer.myshopify.com",
            token=TOKEN,
            base_url="http://127.0.0.1:1",
        )


async def test_a_page_that_is_no_shop_is_one_sentence(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN, faults="html")
    with pytest.raises(StoreRefused, match="not as a Shopify store"):
        await add(commerce, owner, shop)


async def test_an_unknown_api_version_is_refused_with_the_list(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    with pytest.raises(StoreRefused, match="2026-10, 2025-10"):
        await add(commerce, owner, shop, api_version="2019-04")


async def test_the_older_version_works(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN)
    assert (await add(commerce, owner, shop, api_version="2025-10")).api_version == "2025-10"


async def test_a_name_and_a_shop_are_connected_once(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN)
    await add(commerce, owner, shop)
    with pytest.raises(StoreExists, match="called demo"):
        await add(commerce, owner, shop, shop_domain="other.myshopify.com")
    with pytest.raises(StoreExists, match="under another name"):
        await add(commerce, owner, shop, name="second")


async def test_two_people_at_once_connect_it_once(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN)
    made = await asyncio.gather(*(add(commerce, owner, shop) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Store", "StoreExists", "StoreExists", "StoreExists"]
    assert len(await commerce.list_stores(actor=owner)) == 1


async def test_another_tenant_has_stores_of_its_own(
    open_shop: Open, commerce: LocalCommerce, owner: Actor, stranger: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    mine = await add(commerce, owner, shop)
    assert await commerce.list_stores(actor=stranger) == []
    with pytest.raises(StoreNotFound):
        await commerce.test_store(actor=stranger, store="demo")
    theirs = await add(commerce, stranger, shop)
    assert (await commerce.list_stores(actor=owner), theirs.id != mine.id) == ([mine], True)


async def test_a_store_is_found_by_its_name_and_by_its_domain(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    await add(commerce, owner, shop)
    by_domain = await commerce.overview(actor=owner, store=shop.domain)
    assert by_domain == await commerce.overview(actor=owner, store="demo")
    with pytest.raises(StoreNotFound, match="No store is called summer"):
        await commerce.overview(actor=owner, store="summer")


async def test_testing_a_store_keeps_what_it_says_now(open_shop: Open, commerce: LocalCommerce, owner: Actor) -> None:
    shop = await open_shop(token=TOKEN)
    before = await add(commerce, owner, shop)
    shop.store.shop.plan, shop.store.shop.name = "Shopify Plus", "Renamed"
    after = await commerce.test_store(actor=owner, store="demo")
    assert (after.id, after.name, after.plan, after.shop_name) == (before.id, "demo", "Shopify Plus", "Renamed")


async def token_of(commerce: LocalCommerce, actor: Actor) -> str:
    async with commerce.runtime.database.reading(actor.tenant_id) as session:
        return config_of(commerce.runtime, await service.get(session, "demo")).access_token


async def test_a_token_is_replaced_when_the_shop_accepts_it(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    before = await add(commerce, owner, shop)
    for token, sentence in (("shpat_wr0ng", "refused the access token"), ("two words", "no access token")):
        with pytest.raises(InvalidInput, match=sentence) as caught:
            await commerce.replace_token(actor=owner, store="demo", token=token)
        assert token not in told(caught.value)
    assert await token_of(commerce, owner) == TOKEN
    shop.renew("shpat_new")
    with pytest.raises(StoreRefused):
        await commerce.test_store(actor=owner, store="demo")
    after = await commerce.replace_token(actor=owner, store="demo", token="shpat_new")
    assert (after, await token_of(commerce, owner)) == (before, "shpat_new")


async def test_testing_a_store_does_not_bring_an_older_token_back(
    open_shop: Open, commerce: LocalCommerce, owner: Actor
) -> None:
    shop = await open_shop(token=TOKEN)
    await add(commerce, owner, shop)
    async with commerce.runtime.database.reading(owner.tenant_id) as session:
        seen_before = await service.get(session, "demo")
    facts = await service.ask_shop(config_of(commerce.runtime, seen_before))
    shop.renew("shpat_new")
    await commerce.replace_token(actor=owner, store="demo", token="shpat_new")
    async with commerce.runtime.database.writing(owner.tenant_id) as session:
        await service.refresh(session, seen_before, facts=facts, token_sealed=None)
    assert await token_of(commerce, owner) == "shpat_new"


async def test_the_token_is_nowhere_in_clear(
    open_shop: Open,
    commerce: LocalCommerce,
    owner: Actor,
    shared_database: Database,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = await open_shop(token=TOKEN)
    made = await add(commerce, owner, shop)
    async with shared_database.reading(owner.tenant_id) as session:
        row = (await session.execute(select(store))).mappings().one()
        found = await service.get(session, "demo")
    config = config_of(commerce.runtime, found)
    assert config.access_token == TOKEN
    async with client_of(commerce.runtime, found) as client:
        shown = [repr(made), repr(dict(row)), repr(found), repr(config), repr(client), repr(client.http)]
    printed = capsys.readouterr()
    assert "vendor call" in printed.out + caplog.text
    secret = TOKEN.removeprefix("shpat_")
    assert [text for text in [*shown, printed.out, printed.err, caplog.text] if secret in text] == []
    assert secret.encode() not in bytes(row["token_sealed"])
