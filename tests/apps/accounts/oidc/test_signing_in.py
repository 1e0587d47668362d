"""Against a real provider, in a process of its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from tests.apps.accounts.oidc.conftest import agree

from syncline.apps.accounts.totp.codes import code_at, step_of
from syncline.kernel import clock
from syncline.runtime.db.settings import DatabaseSettings

PASSWORD = "four words in a row"
Signed = dict[str, Any]
HERE = {"sec-fetch-site": "same-origin"}


async def start(client: httpx.AsyncClient, provider: str = "work", **more: str) -> httpx.Response:
    return await client.post("/api/auth/openid/start", json={"provider": provider, **more})


async def come_back(client: httpx.AsyncClient, sub: str = "ada-at-work", **more: str) -> httpx.Response:
    url = (await start(client, **more)).json()["authorization_url"]
    return await client.get(await agree(url, sub))


async def confirm(client: httpx.AsyncClient, mailbox: Any) -> None:
    answer = await client.post("/api/auth/verify-email", json={"token": await mailbox.token("verify_email")})
    assert answer.status_code == 200


@pytest.fixture
async def ada_confirmed(client: httpx.AsyncClient, ada: Signed, mailbox: Any) -> Signed:
    await confirm(client, mailbox)
    return ada


def auth(signed: Signed) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed['access_token']}"}


async def test_a_confirmed_e_mail_opens_its_account_and_the_refresh_token_stays_in_a_cookie(
    client: httpx.AsyncClient, ada_confirmed: Signed, mailbox: Any
) -> None:
    back = await come_back(client, return_to="/stores?new=1")
    assert (back.status_code, back.headers["location"]) == (303, "/stores?new=1")
    assert "slr_" not in back.headers["location"] + back.text
    renewed = await client.post("/api/auth/refresh", headers=HERE)
    assert renewed.status_code == 200
    assert renewed.json()["user"]["id"] == ada_confirmed["user"]["id"]
    sessions = (await client.get("/api/auth/sessions", headers=auth(renewed.json()))).json()["sessions"]
    assert [one["methods"] for one in sessions if one["is_current"]] == [["oidc"]]
    assert "Work" in (await mailbox.read("notice"))[0].text


async def test_the_second_time_the_identity_is_enough_whatever_became_of_the_e_mail(
    client: httpx.AsyncClient, ada_confirmed: Signed, database_settings: DatabaseSettings
) -> None:
    await come_back(client)
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        connection.execute("UPDATE accounts.user_account SET email = 'new@example.com', email_key = 'new@example.com'")
    assert (await come_back(client)).status_code == 303
    (identity,) = (await client.get("/api/auth/identities", headers=auth(ada_confirmed))).json()["identities"]
    assert (identity["provider"], identity["email"]) == ("work", "ada@example.com")
    assert identity["last_used_at"] > identity["created_at"]


async def test_an_account_that_did_not_confirm_its_e_mail_is_not_given_away(
    client: httpx.AsyncClient, ada: Signed
) -> None:
    """Somebody registers another's address and waits for him: then both would be in one account."""
    back = await come_back(client)
    assert (back.status_code, back.json()["code"]) == (403, "OIDC_006")
    assert "password reset" in back.json()["error"]
    assert (await client.get("/api/auth/identities", headers=auth(ada))).json()["identities"] == []


@pytest.mark.parametrize("sub", ["unsure", "silent"])
async def test_an_e_mail_the_provider_does_not_vouch_for_opens_nothing(
    client: httpx.AsyncClient, ada_confirmed: Signed, sub: str
) -> None:
    back = await come_back(client, sub)
    assert (back.status_code, back.json()["code"]) == (403, "OIDC_006")
    assert "set-cookie" not in back.headers


async def test_an_e_mail_nobody_has_makes_no_account(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    back = await come_back(client, "bob-at-work")
    assert (back.status_code, back.json()["code"]) == (403, "OIDC_006")
    assert "invitation" in back.json()["error"]


async def test_a_second_step_is_asked_for_all_the_same(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    import base64

    begun = await client.post("/api/auth/totp", json={"password": PASSWORD}, headers=auth(ada_confirmed))
    seed = base64.b32decode(begun.json()["secret"])
    now = step_of(clock.now())
    done = await client.post("/api/auth/totp/confirm", json={"code": code_at(seed, now)}, headers=auth(ada_confirmed))
    assert done.status_code == 200
    back = await come_back(client)
    assert back.status_code == 303
    page, _, told = back.headers["location"].partition("#challenge=")
    assert page == "/account/second-step"
    body = {"challenge": told, "code": code_at(seed, now + 1)}
    with clock.frozen(clock.now() + timedelta(seconds=30)):
        signed = await client.post("/api/auth/login/second-step", json=body)
    assert signed.status_code == 200, signed.text


async def test_who_says_no_at_the_provider_gets_a_sentence(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    url = (await start(client)).json()["authorization_url"]
    back = await client.get(await agree(url, "", action="deny") + f"&state={parse_qs(urlsplit(url).query)['state'][0]}")
    assert (back.status_code, back.json()["code"]) == (401, "OIDC_003")
    assert "access_denied" in back.json()["error"]


async def test_a_state_is_good_once(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    url = (await start(client)).json()["authorization_url"]
    jar = dict(client.cookies)
    place = await agree(url, "ada-at-work")
    first = await client.get(place)
    second = await client.get(place, headers={"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())})
    assert [first.status_code, second.status_code] == [303, 400]
    assert second.json()["code"] == "OIDC_005"


async def test_of_two_at_once_with_one_state_one_comes_in(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    url = (await start(client)).json()["authorization_url"]
    place = await agree(url, "ada-at-work")
    answers = await asyncio.gather(*(client.get(place) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]


async def test_another_browser_is_not_signed_in_by_somebody_elses_answer(
    client: httpx.AsyncClient, ada_confirmed: Signed
) -> None:
    """A victim who is made to open the attacker's link must not end up in the attacker's account."""
    url = (await start(client)).json()["authorization_url"]
    place = await agree(url, "ada-at-work")
    client.cookies.clear()
    back = await client.get(place)
    assert (back.status_code, back.json()["code"]) == (400, "OIDC_005")
    assert "set-cookie" not in back.headers


async def test_the_answer_of_one_provider_is_not_taken_for_anothers(
    client: httpx.AsyncClient, ada_confirmed: Signed
) -> None:
    url = (await start(client)).json()["authorization_url"]
    place = await agree(url, "ada-at-work")
    back = await client.get(place.replace("/callback/work", "/callback/crooked"))
    assert (back.status_code, back.json()["code"]) == (400, "OIDC_005")


async def test_who_takes_more_than_ten_minutes_begins_again(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with clock.frozen(noon):
        url = (await start(client)).json()["authorization_url"]
    place = await agree(url, "ada-at-work")
    with clock.frozen(noon + timedelta(minutes=10)):
        assert (await client.get(place)).json()["code"] == "OIDC_005"


async def test_two_tabs_of_one_browser_do_not_meet(client: httpx.AsyncClient, ada_confirmed: Signed) -> None:
    urls = [(await start(client)).json()["authorization_url"] for _ in range(2)]
    places = [await agree(url, "ada-at-work") for url in urls]
    assert [(await client.get(place)).status_code for place in places] == [303, 303]


@pytest.mark.parametrize(
    "path", ["//evil.example.com", "https://evil.example.com", "/\\evil.example.com", "evil", "", "/a\\b", "/a b", "/é"]
)
async def test_nobody_is_led_away_to_another_site(client: httpx.AsyncClient, path: str) -> None:
    answer = await start(client, return_to=path)
    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (400, "return_to")


async def test_a_provider_that_is_not_there_is_named(client: httpx.AsyncClient) -> None:
    answer = await start(client, "nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "OIDC_001")
    assert "nowhere" in answer.json()["error"]


async def test_whoever_comes_from_nowhere_is_told_to_begin(client: httpx.AsyncClient) -> None:
    for query in ("", "?state=x", "?code=a&state=" + "a" * 43, "?error=access_denied"):
        back = await client.get(f"/api/auth/openid/callback/work{query}")
        assert (back.status_code, back.json()["code"]) == (400, "OIDC_005")


async def test_what_is_stored_meanwhile_is_of_no_use_to_a_thief(
    client: httpx.AsyncClient, database_settings: DatabaseSettings
) -> None:
    url = (await start(client)).json()["authorization_url"]
    asked = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    with psycopg.connect(str(database_settings.admin_url)) as connection:
        connection.execute("SET row_security = off")
        ((row,),) = connection.execute("SELECT f::text FROM accounts.oidc_flow f").fetchall()
    secrets = [asked["state"], asked["nonce"], *client.cookies.values()]
    assert [one for one in secrets if one in row or one.encode().hex() in row] == []
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")


async def test_the_sign_in_page_learns_what_there_is(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/auth/providers?tenant=nobody")).json()
    assert told == {"providers": [{"name": "work", "title": "Work"}, {"name": "crooked", "title": "The crooked one"}]}
