"""`/api/shopify/oauth` and `/api/shopify/apps`: who may, what a browser sees, and that no secret comes back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from syncline.sandbox.shopify import session_tokens
from syncline.sandbox.shopify.options import SandboxOptions

OAUTH, APPS = "/api/shopify/oauth", "/api/shopify/apps"
SECRET = SandboxOptions().client_secrets[0]
Call = Any
Merchant = Any


async def begun(call: Call, merchant: Merchant) -> httpx.Response:
    params = {"shop": merchant.shop.domain, "base_url": merchant.shop.url, "name": "summer", "return_to": "/stores"}
    answer: httpx.Response = await call("GET", f"{OAUTH}/install", params=params)
    assert answer.status_code == 200, answer.text
    return answer


async def came_back(address: str) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(verify=False) as browser:
        return parse_qsl(urlsplit((await browser.get(address)).headers["Location"]).query)


async def test_an_install_is_begun_allowed_and_followed(call: Call, merchant: Merchant) -> None:
    install = (await begun(call, merchant)).json()
    back = await call("GET", f"{OAUTH}/callback", role=None, params=await came_back(install["authorize_url"]))
    assert (back.status_code, back.headers["Location"], back.headers["Cache-Control"]) == (303, "/stores", "no-store")
    followed = (await call("GET", f"{OAUTH}/installs/{install['id']}")).json()
    assert (followed["status"], followed["store"], followed["authorize_url"]) == ("connected", "summer", None)
    (listed,) = (await call("GET", f"{OAUTH}/installs")).json()["installs"]
    assert listed["id"] == install["id"]
    (access,) = (await call("GET", f"{OAUTH}/status")).json()["stores"]
    assert (access["store"], access["kind"], access["needs_consent"]) == ("summer", "code", False)


async def test_without_a_page_to_come_back_to_a_page_says_so(call: Call, merchant: Merchant) -> None:
    query = await merchant.allow(await merchant.begin(name="summer"))
    back = await call("GET", f"{OAUTH}/callback", role=None, params=query)
    assert (back.status_code, back.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "It is called summer." in back.text


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_browser_is_led_there_and_only_it_comes_back(
    call: Call, web: Any, merchant: Merchant, scheme: str
) -> None:
    transport = httpx.ASGITransport(app=web, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer owner@mine", "Accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://syncline.test", verify=False) as browser:
        params = {"shop": merchant.shop.domain, "base_url": merchant.shop.url}
        led = await browser.get(f"{OAUTH}/install", params=params, headers=headers)
        assert (led.status_code, len(browser.cookies)) == (302, 1)
        assert {"HttpOnly", "SameSite=lax"} <= set(led.headers["Set-Cookie"].split("; "))
        query = dict(await came_back(led.headers["Location"]))
        stranger = await call("GET", f"{OAUTH}/callback", role=None, params=query)
        assert (stranger.status_code, stranger.json()["code"]) == (409, "STORE_007")
        back = await browser.get(f"{OAUTH}/callback", params=query)
        assert (back.status_code, len(browser.cookies)) == (200, 0)


async def test_the_callback_tells_a_stranger_nothing(call: Call, merchant: Merchant) -> None:
    nothing = await call("GET", f"{OAUTH}/callback", role=None)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "STORE_007")
    query = dict(await merchant.allow(await merchant.begin()))
    forged = await call("GET", f"{OAUTH}/callback", role=None, params={**query, "hmac": "0" * 64})
    assert (forged.status_code, forged.json()["code"]) == (400, "STORE_006")
    assert "nothing was connected" in forged.json()["error"]


async def test_a_page_in_shopifys_admin_connects_its_shop(call: Call, merchant: Merchant) -> None:
    page = session_tokens.make(shop_domain=merchant.shop.domain, client_id="sandbox-app", secret=SECRET)
    body = {"session_token": page, "name": "summer", "base_url": merchant.shop.url}
    answer = await call("POST", f"{OAUTH}/token-exchange", json=body)
    assert (answer.status_code, answer.json()["name"]) == (200, "summer")
    again = await call("POST", f"{OAUTH}/token-exchange", json=body)
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    forged = await call("POST", f"{OAUTH}/token-exchange", json={**body, "session_token": page[:-3] + "AAA"})
    assert (forged.status_code, forged.json()["code"]) == (400, "STORE_006")


async def test_another_tenants_page_is_not_believed(call: Call, merchant: Merchant) -> None:
    page = session_tokens.make(shop_domain=merchant.shop.domain, client_id="sandbox-app", secret=SECRET)
    answer = await call("POST", f"{OAUTH}/token-exchange", tenant="other", json={"session_token": page})
    assert (answer.status_code, answer.json()["code"]) == (400, "STORE_006")


async def test_a_shop_of_our_own_needs_nobody(call: Call, merchant: Merchant) -> None:
    body = {"shop": merchant.shop.domain, "base_url": merchant.shop.url, "name": "own"}
    answer = await call("POST", f"{OAUTH}/client-credentials", json=body)
    assert (answer.status_code, answer.json()["name"]) == (200, "own")
    gone = await call("POST", f"{OAUTH}/client-credentials", json={**body, "base_url": "http://127.0.0.1:9"})
    assert (gone.status_code, gone.json()["code"]) == (503, "STORE_010")


async def test_an_app_is_entered_rotated_and_removed_and_no_secret_shown(call: Call, merchant: Merchant) -> None:
    new = "a-brand-new-secret"
    answers = [
        await call("PUT", APPS, json={"client_id": "mine", "secret": "the-secret-of-mine"}),
        await call("PUT", f"{APPS}/mine/rotation", json={"secret": new}),
        await call("GET", APPS),
        await call("DELETE", f"{APPS}/mine/rotation"),
    ]
    assert [one.status_code for one in answers] == [200] * 4
    assert [one.json()["has_other_secret"] for one in (answers[1], answers[3])] == [True, False]
    assert [app["client_id"] for app in answers[2].json()["apps"]] == ["mine", "sandbox-app"]
    assert answers[0].json()["redirect_uri"] == "http://127.0.0.1:8080/api/shopify/oauth/callback"
    assert not any(word in one.text for one in answers for word in (new, "the-secret-of-mine"))
    assert (await call("DELETE", f"{APPS}/mine")).status_code == 204
    assert (await call("DELETE", f"{APPS}/mine")).json()["code"] == "STORE_004"


async def test_an_app_in_use_stays(call: Call, merchant: Merchant) -> None:
    await merchant.install(name="summer")
    kept = await call("DELETE", f"{APPS}/sandbox-app")
    assert (kept.status_code, kept.json()["code"]) == (409, "STORE_005")


async def test_a_custom_apps_secret_is_kept_and_the_one_before_beside_it(call: Call, merchant: Merchant) -> None:
    await merchant.commerce.add_store(
        actor=merchant.actor,
        name="custom",
        shop_domain=merchant.shop.domain,
        token=SandboxOptions().token,
        base_url=merchant.shop.url,
    )
    given = await call("PUT", "/api/shopify/stores/custom/api-secret", json={"secret": "shpss_of_the_custom_app"})
    assert (given.status_code, given.json()["has_webhook_secret"], given.json()["kind"]) == (200, True, "custom")
    await merchant.install(shop="custom")
    refused = await call("PUT", "/api/shopify/stores/custom/api-secret", json={"secret": "shpss_of_the_custom_app"})
    assert (refused.status_code, "stores app rotate" in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{OAUTH}/install?shop=summer", None),
        ("GET", f"{OAUTH}/installs", None),
        ("POST", f"{OAUTH}/token-exchange", {"session_token": "a.b.c"}),
        ("POST", f"{OAUTH}/client-credentials", {"shop": "summer"}),
        ("GET", APPS, None),
        ("PUT", APPS, {"client_id": "mine", "secret": "the-secret-of-mine"}),
        ("DELETE", f"{APPS}/mine", None),
    ],
)
async def test_only_who_manages_stores_may(call: Call, method: str, path: str, body: Any) -> None:
    assert (await call(method, path, role=None, json=body)).status_code == 401
    assert (await call(method, path, role="editor", json=body)).status_code == 403
