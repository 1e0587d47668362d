from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from syncline.apps.accounts.settings import AccountsSettings

GOOD = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "password": "four words in a row",
    "shopDomain": "summer.myshopify.com",
}


async def register(client: httpx.AsyncClient, **change: object) -> httpx.Response:
    body = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    return await client.post("/api/auth/register", json=body)


async def test_it_makes_a_tenant_with_its_owner_who_is_signed_in(client: httpx.AsyncClient) -> None:
    made = await register(client)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    told = made.json()
    assert (told["success"], told["token_type"], told["expires_in"]) == (True, "Bearer", 600)
    assert (told["tenant"]["slug"], told["tenant"]["role"]) == ("summer", "owner")
    me = await client.get("/api/auth/me", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert me.status_code == 200
    facts = me.json()
    assert (facts["user"]["email"], facts["user"]["email_verified"]) == ("ada@example.com", False)
    assert (facts["role"], facts["permissions"], facts["method"]) == ("owner", ["*"], "session")
    assert facts["tenant"] == told["tenant"]
    assert facts["tenants"] == [told["tenant"]]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "REQ_001"),
        ({"name": "   "}, "name", "REQ_001"),
        ({"name": None}, "name", "REQ_001"),
        ({"email": "ada"}, "email", "REQ_001"),
        ({"email": "ada@@example.com"}, "email", "REQ_001"),
        ({"email": "ada@example.com\r\nBcc: all@example.com"}, "email", "REQ_001"),
        ({"email": "<ada@example.com>"}, "email", "REQ_001"),
        ({"email": 7}, "email", "REQ_001"),
        ({"password": "short"}, "password", "AUTH_005"),
        ({"password": "ada@example.com"}, "password", "AUTH_005"),
        ({"password": None}, "password", "REQ_001"),
        ({"shopDomain": "summer"}, "shopDomain", "REQ_001"),
        ({"shopDomain": "summer.myshopify.com'; --"}, "shopDomain", "REQ_001"),
        ({"shopDomain": None}, "shopDomain", "REQ_001"),
        ({"role": "owner"}, "role", "REQ_001"),
    ],
)
async def test_a_wrong_field_is_400_and_named(
    client: httpx.AsyncClient, change: dict[str, Any], field: str, code: str
) -> None:
    answer = await register(client, **change)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [wrong["field"] for wrong in answer.json()["fields"]] == [field]


async def test_a_refused_password_is_not_said_again(client: httpx.AsyncClient) -> None:
    assert "tr0ub4dor" not in (await register(client, password="tr0ub4dor")).text


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.COM", " ada@example.com "])
async def test_an_e_mail_has_one_account_whatever_its_capitals(client: httpx.AsyncClient, email: str) -> None:
    assert (await register(client)).status_code == 201
    again = await register(client, email=email)
    assert (again.status_code, again.json()["code"]) == (409, "AUTH_004")


async def test_of_ten_at_once_for_one_e_mail_one_is_made(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(register(client) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]


async def test_two_companies_may_name_the_same_shop_and_stay_apart(client: httpx.AsyncClient) -> None:
    one = (await register(client)).json()["tenant"]
    two = (await register(client, email="eve@example.com")).json()["tenant"]
    assert one["id"] != two["id"]
    assert two["slug"].startswith("summer-")


async def test_a_refused_registration_leaves_nothing_behind(client: httpx.AsyncClient) -> None:
    await register(client)
    await register(client, shopDomain="winter.myshopify.com")
    later = await register(client, email="eve@example.com", shopDomain="winter.myshopify.com")
    assert later.json()["tenant"]["slug"] == "winter"


async def test_where_registration_is_closed_it_is_403(client: httpx.AsyncClient, settings: AccountsSettings) -> None:
    settings.registration_is_open = False
    answer = await register(client)
    assert (answer.status_code, answer.json()["code"]) == (403, "AUTH_007")
