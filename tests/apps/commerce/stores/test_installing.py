"""The consent page and back: each state once, by whoever began, for the shop that was asked; what fails on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from syncline.apps.commerce.contract import PullMode, StoreExists, StoreRefused
from syncline.apps.commerce.contract.connecting import (
    AppNotFound,
    CallbackNotBelieved,
    Install,
    InstallNotFound,
    InstallOver,
    InstallStatus,
    ShopifyUnavailable,
    ShopTaken,
)
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.stores.installing import connecting
from syncline.apps.commerce.stores.installing.models import store_install
from syncline.connectors.shopify.oauth import signature_of
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput, Unavailable
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.sandbox.shopify.faults import Fault
from syncline.sandbox.shopify.options import SandboxOptions

SECRET = SandboxOptions().client_secrets[0]
Merchant = Any


def resigned(query: list[tuple[str, str]], **changes: str) -> list[tuple[str, str]]:
    values = {**dict(query), **changes}
    del values["hmac"]
    return [*values.items(), ("hmac", signature_of(values.items(), SECRET))]


async def state_of(merchant: Merchant, begun: Install) -> Install:
    found: Install = await merchant.commerce.get_install(actor=merchant.actor, install_id=begun.id)
    return found


async def test_a_merchants_consent_connects_the_shop(merchant: Merchant) -> None:
    done = await merchant.install(name="summer")
    assert (done.status, done.store) == (InstallStatus.CONNECTED, "summer")
    (store,) = await merchant.commerce.list_stores(actor=merchant.actor)
    assert (store.name, store.shop_domain, store.shop_name) == ("summer", merchant.shop.domain, "Sandbox Supply")
    assert set(store.scopes) >= {"write_products", "read_products", "write_inventory"}
    (access,) = await merchant.commerce.list_access(actor=merchant.actor)
    assert (access.kind, access.trouble, access.needs_consent) == ("code", None, False)
    assert access.expires_at - access.issued_at == timedelta(hours=1)


async def test_without_a_name_the_shops_address_is_its_name(merchant: Merchant) -> None:
    assert (await merchant.install()).store == merchant.shop.domain.partition(".")[0]


async def test_the_store_is_pulled_with_the_token_it_was_granted(merchant: Merchant, queue: Any) -> None:
    await merchant.install(name="demo")
    run = await merchant.commerce.start_pull(actor=merchant.actor, store="demo", mode=PullMode.FULL)
    await queue.run_waiting(merchant.commerce.runtime)
    ended = await merchant.commerce.get_pull(actor=merchant.actor, run_id=run.id)
    assert (ended.status, ended.error) == ("completed", None)


async def test_who_began_is_in_the_trail(merchant: Merchant) -> None:
    await merchant.install(name="summer")
    async with merchant.commerce.runtime.database.reading(merchant.actor.tenant_id) as session:
        entries = await list_entries(session, EntryQuery(action="stores.install"), PageRequest())
    (entry,) = entries.items
    assert (entry.actor, entry.subject, entry.outcome) == ("the owner", "store summer", "done")


async def test_the_callback_twice_connects_once(merchant: Merchant) -> None:
    query = await merchant.allow(await merchant.begin(name="summer"))
    await merchant.commerce.finish_install(query=query)
    with pytest.raises(InstallOver, match="finished already"):
        await merchant.commerce.finish_install(query=query)
    assert await merchant.grants() == {"authorization_code": 1}


@pytest.mark.parametrize("state", ["", "made-up", "0" * 32 + "_" + "a" * 43, "../../etc", "ü" * 76])
async def test_a_state_of_nobody_is_refused(merchant: Merchant, state: str) -> None:
    query = await merchant.allow(await merchant.begin())
    with pytest.raises(InstallOver):
        await merchant.commerce.finish_install(query=resigned(query, state=state))


async def test_another_tenants_state_is_not_ours(merchant: Merchant, stranger: Actor) -> None:
    """The tenant stands in the state, and the rest of it is looked for among that tenant's only."""
    query = await merchant.allow(await merchant.begin())
    theirs = f"{stranger.tenant_id.hex}_{dict(query)['state'].partition('_')[2]}"
    with pytest.raises(InstallOver):
        await merchant.commerce.finish_install(query=resigned(query, state=theirs))
    assert await merchant.commerce.list_stores(actor=stranger) == []


async def test_a_forged_answer_connects_nothing_and_spoils_nothing(merchant: Merchant) -> None:
    begun = await merchant.begin(name="summer")
    query = await merchant.allow(begun)
    for forged in ("0" * 64, ""):
        with pytest.raises(CallbackNotBelieved, match="not signed by Shopify"):
            await merchant.commerce.finish_install(query=[*query[:-1], ("hmac", forged)])
    assert (await state_of(merchant, begun)).status is InstallStatus.WAITING
    assert (await merchant.commerce.finish_install(query=query)).status is InstallStatus.CONNECTED


@pytest.mark.parametrize("shop", ["evil.com/x.myshopify.com", "evil.com", "other-shop.myshopify.com"])
async def test_a_signed_answer_of_another_shop_is_not_believed(merchant: Merchant, shop: str) -> None:
    query = await merchant.allow(await merchant.begin())
    with pytest.raises(CallbackNotBelieved):
        await merchant.commerce.finish_install(query=resigned(query, shop=shop))


async def test_an_old_answer_is_not_believed(merchant: Merchant) -> None:
    query = await merchant.allow(await merchant.begin())
    with clock.frozen(clock.now() + timedelta(seconds=95)), pytest.raises(CallbackNotBelieved):
        await merchant.commerce.finish_install(query=query)


async def test_an_install_that_took_too_long_is_over(merchant: Merchant) -> None:
    begun = await merchant.begin()
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        query = await merchant.allow(begun)
        with pytest.raises(InstallOver):
            await merchant.commerce.finish_install(query=query)
        assert (await state_of(merchant, begun)).status is InstallStatus.EXPIRED


async def test_another_browser_than_began_cannot_come_back(merchant: Merchant) -> None:
    query = await merchant.allow(await merchant.begin(browser="of this browser"))
    for other in (None, "", "of another"):
        with pytest.raises(InstallOver):
            await merchant.commerce.finish_install(query=query, browser=other)
    done = await merchant.commerce.finish_install(query=query, browser="of this browser")
    assert done.status is InstallStatus.CONNECTED


async def test_a_code_that_was_used_by_somebody_else_fails_with_the_reason(merchant: Merchant) -> None:
    begun = await merchant.begin()
    query = await merchant.allow(begun)
    merchant.shop.web.state.engine.world.authority.codes.clear()
    with pytest.raises(StoreRefused, match="gives no token"):
        await merchant.commerce.finish_install(query=query)
    failed = await state_of(merchant, begun)
    assert failed.status is InstallStatus.FAILED
    assert "gives no token" in str(failed.sentence)


async def test_a_wrong_secret_is_told_before_anything_is_sent(merchant: Merchant) -> None:
    await merchant.commerce.set_app(actor=merchant.actor, client_id="sandbox-app", secret="another-secret-altogether")
    query = await merchant.allow(await merchant.begin())
    with pytest.raises(CallbackNotBelieved, match="check that the app's secret"):
        await merchant.commerce.finish_install(query=query)
    assert await merchant.grants() == {}


async def test_while_shopify_is_down_the_state_stays_good(merchant: Merchant) -> None:
    begun = await merchant.begin(name="summer")
    query = await merchant.allow(begun)
    world = merchant.shop.web.state.engine.world
    async with merchant.commerce.runtime.database.writing(merchant.actor.tenant_id) as session:
        await session.execute(store_install.update().values(base_url="http://127.0.0.1:9"))
    with pytest.raises(ShopifyUnavailable, match="load this page again"):
        await merchant.commerce.finish_install(query=query)
    assert (await state_of(merchant, begun)).status is InstallStatus.WAITING
    async with merchant.commerce.runtime.database.writing(merchant.actor.tenant_id) as session:
        await session.execute(store_install.update().values(base_url=merchant.shop.url))
    assert (await merchant.commerce.finish_install(query=query)).status is InstallStatus.CONNECTED
    assert dict(world.authority.granted) == {"authorization_code": 1}


async def test_an_answer_lost_on_its_way_fails_the_install_and_says_so(merchant: Merchant) -> None:
    begun = await merchant.begin()
    query = await merchant.allow(begun)
    merchant.shop.web.state.engine.world.faults.add(Fault("drop_after", count=1, match="access_token"))
    with pytest.raises(ShopifyUnavailable, match="lost on its way"):
        await merchant.commerce.finish_install(query=query)
    assert (await state_of(merchant, begun)).status is InstallStatus.FAILED
    assert await merchant.grants() == {"authorization_code": 1}
    assert (await merchant.install()).status is InstallStatus.CONNECTED


async def test_a_database_that_is_away_after_the_exchange_loses_nothing(
    merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away for the first try to write the grant down, and back for the second."""
    query = await merchant.allow(await merchant.begin(name="summer"))
    real, left = connecting._write, [Unavailable("The database is away.")]

    async def write(*given: Any) -> Any:
        if left:
            raise left.pop()
        return await real(*given)

    monkeypatch.setattr(connecting, "_write", write)
    monkeypatch.setattr(connecting, "_WAIT_SECONDS", 0)
    assert (await merchant.commerce.finish_install(query=query)).status is InstallStatus.CONNECTED
    assert await merchant.grants() == {"authorization_code": 1}


async def test_a_shop_that_is_known_keeps_its_name_and_data_and_gets_a_new_token(
    merchant: Merchant, queue: Any
) -> None:
    first = await merchant.install(name="summer")
    run = await merchant.commerce.start_pull(actor=merchant.actor, store="summer", mode=PullMode.FULL)
    await queue.run_waiting(merchant.commerce.runtime)
    assert (await merchant.commerce.get_pull(actor=merchant.actor, run_id=run.id)).status == "completed"
    before = await merchant.commerce.overview(actor=merchant.actor, store="summer")
    again = await merchant.install(name="another-name")
    assert (again.store, first.store) == ("summer", "summer")
    after = await merchant.commerce.overview(actor=merchant.actor, store="summer")
    assert (after.store.id, after.records) == (before.store.id, before.records)
    assert await merchant.grants() == {"authorization_code": 2}


async def test_a_store_by_token_becomes_one_by_oauth_and_back(merchant: Merchant) -> None:
    await merchant.commerce.add_store(
        actor=merchant.actor,
        name="summer",
        shop_domain=merchant.shop.domain,
        token=SandboxOptions().token,
        base_url=merchant.shop.url,
    )
    await merchant.install(shop="summer")
    (access,) = await merchant.commerce.list_access(actor=merchant.actor)
    assert (access.store, access.kind, access.client_id) == ("summer", "code", "sandbox-app")
    await merchant.commerce.replace_token(actor=merchant.actor, store="summer", token=SandboxOptions().token)
    (access,) = await merchant.commerce.list_access(actor=merchant.actor)
    assert (access.kind, access.client_id, access.expires_at) == ("custom", None, None)


async def test_a_shop_of_two_tenants_needs_two_apps(merchant: Merchant, stranger: Actor) -> None:
    await merchant.install(name="summer")
    commerce = merchant.commerce
    theirs = type(merchant)(merchant.shop, commerce, stranger)
    await commerce.set_app(actor=stranger, client_id="sandbox-app", secret=SECRET)
    with pytest.raises(ShopTaken, match="another tenant"):
        await theirs.install(name="winter")
    assert await commerce.list_stores(actor=stranger) == []
    merchant.shop.web.state.engine.world.authority.others["their-app"] = ["a-secret-of-their-app"]
    await commerce.set_app(actor=stranger, client_id="their-app", secret="a-secret-of-their-app")
    assert (await theirs.install(name="winter", client_id="their-app")).status is InstallStatus.CONNECTED
    assert [one.name for one in await commerce.list_stores(actor=stranger)] == ["winter"]
    assert [one.name for one in await commerce.list_stores(actor=merchant.actor)] == ["summer"]


async def test_an_app_has_to_be_entered_first(commerce: LocalCommerce, owner: Actor) -> None:
    with pytest.raises(AppNotFound, match="syncline stores app set"):
        await commerce.start_install(actor=owner, shop="summer.myshopify.com")


async def test_of_several_apps_one_has_to_be_named(merchant: Merchant) -> None:
    await merchant.commerce.set_app(actor=merchant.actor, client_id="second", secret="another-secret-altogether")
    with pytest.raises(InvalidInput, match="say through which: sandbox-app, second"):
        await merchant.begin()
    assert (await merchant.begin(client_id="second")).client_id == "second"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"shop": "evil.com/x.myshopify.com"}, "shop_domain"),
        ({"shop": "evil.com"}, "shop_domain"),
        ({"shop": ""}, "shop_domain"),
        ({"name": "Not A Name"}, "name"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"return_to": "//evil.example"}, "return_to"),
        ({"return_to": "https://evil.example"}, "return_to"),
    ],
)
async def test_what_is_wrong_is_told_before_anybody_is_sent_anywhere(
    merchant: Merchant, given: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await merchant.begin(**given)
    assert field in [wrong.field for wrong in caught.value.fields]


async def test_a_name_that_is_taken_is_told_at_the_beginning(merchant: Merchant) -> None:
    await merchant.install(name="summer")
    with pytest.raises(StoreExists, match="choose another name"):
        await merchant.begin(shop="other-shop", name="summer")


async def test_nothing_of_the_way_is_kept_in_the_clear(merchant: Merchant) -> None:
    query = await merchant.allow(await merchant.begin(name="summer"))
    await merchant.commerce.finish_install(query=query)
    async with merchant.commerce.runtime.database.reading(merchant.actor.tenant_id) as session:
        rows = (await session.execute(select(store_install))).all()
    assert dict(query)["state"] not in repr(rows)


async def test_another_tenant_sees_no_install(merchant: Merchant, stranger: Actor) -> None:
    begun = await merchant.begin()
    with pytest.raises(InstallNotFound):
        await merchant.commerce.get_install(actor=stranger, install_id=begun.id)
    assert await merchant.commerce.list_installs(actor=stranger) == []
    assert [one.id for one in await merchant.commerce.list_installs(actor=merchant.actor)] == [begun.id]
