"""The token endpoint: each grant, what is repeated and what is not, and whose fault a refusal is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from syncline.connectors.shopify.auth import RenewedToken
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.connectors.shopify.errors import TokenRejected
from syncline.connectors.shopify.oauth_client import Credentials, CredentialsRefused, GrantRefused, OAuthClient
from syncline.kernel.errors import Retriable
from syncline.runtime.connect.errors import OutcomeUnknown
from syncline.runtime.connect.testing import FAST_RETRY, fresh_registry
from syncline.sandbox.shopify import session_tokens
from syncline.sandbox.shopify.options import SandboxOptions

OPTIONS = SandboxOptions()
Sandbox = Any


@asynccontextmanager
async def asking(sandbox: Sandbox, **changes: str) -> AsyncIterator[OAuthClient]:
    credentials = Credentials(**{"client_id": OPTIONS.client_id, "client_secret": OPTIONS.client_secrets[0], **changes})
    async with OAuthClient(
        "sandbox.myshopify.com",
        credentials,
        base_url="http://127.0.0.1:1",
        transport=httpx.ASGITransport(sandbox.app, raise_app_exceptions=True),
        registry=fresh_registry(),
    ) as client:
        yield client


def a_code(sandbox: Sandbox) -> str:
    code: str = sandbox.world.authority.new_code(OPTIONS.client_id, frozenset({"read_products"}), is_online=False)
    return code


def times(sandbox: Sandbox) -> dict[str, int]:
    return dict(sandbox.world.authority.granted)


async def test_a_code_gives_an_expiring_token_that_is_renewed(sandbox: Sandbox) -> None:
    async with asking(sandbox) as client:
        first = await client.by_code(a_code(sandbox))
        assert (first.scopes, first.expires_in) == (("read_products",), timedelta(hours=1))
        assert first.refresh_expires_in == timedelta(days=90)
        assert first.refresh_token is not None
        second = await client.by_refresh(first.refresh_token)
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token


async def test_the_other_two_grants(sandbox: Sandbox) -> None:
    domain = sandbox.store.shop.domain
    page = session_tokens.make(shop_domain=domain, client_id=OPTIONS.client_id, secret=OPTIONS.client_secrets[0])
    async with asking(sandbox) as client:
        assert (await client.by_session_token(page)).refresh_token is not None
        own = await client.by_client_credentials()
    assert (own.refresh_token, own.expires_in) == (None, timedelta(seconds=86_399))


async def test_a_code_used_twice_is_refused_for_good(sandbox: Sandbox) -> None:
    code = a_code(sandbox)
    async with asking(sandbox) as client:
        await client.by_code(code)
        with pytest.raises(GrantRefused, match="has to allow the app again"):
            await client.by_code(code)


async def test_a_refresh_token_that_is_not_good_is_refused_for_good_and_not_tried_again(sandbox: Sandbox) -> None:
    async with asking(sandbox) as client:
        with pytest.raises(GrantRefused):
            await client.by_refresh("shprt_made_up")
    assert sandbox.world.authority.refused == {"refresh_token": 1}


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"client_secret": "wrong"}])
async def test_wrong_credentials_are_told_apart_from_a_grant_that_ended(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    async with asking(sandbox, **changes) as client:
        with pytest.raises(CredentialsRefused, match="syncline stores app set"):
            await client.by_refresh("shprt_made_up")


async def test_a_refresh_is_repeated_when_shopify_is_not_well(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="http_502=1@access_token")
    async with asking(sandbox) as client:
        first = sandbox.world.authority.issue(
            OPTIONS.client_id, frozenset(), lasts=timedelta(hours=1), refresh_lasts=timedelta(days=90)
        )
        assert (await client.by_refresh(first["refresh_token"])).refresh_token is not None
    assert times(sandbox) == {"refresh_token": 1}


async def test_a_code_is_not_sent_twice_when_nobody_knows_whether_it_arrived(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="http_502=1@access_token")
    async with asking(sandbox) as client:
        with pytest.raises(OutcomeUnknown):
            await client.by_code(a_code(sandbox))
    assert times(sandbox) == {}


async def test_a_page_instead_of_a_token_is_no_token(open_sandbox: Any) -> None:
    sandbox = await open_sandbox(faults="html@access_token")
    async with asking(sandbox) as client:
        with pytest.raises(Retriable, match="not with a token"):
            await client.by_client_credentials()


async def test_no_secret_is_in_an_error(sandbox: Sandbox) -> None:
    async with asking(sandbox, client_secret="shpss_of_nobody_at_all") as client:
        with pytest.raises(CredentialsRefused) as caught:
            await client.by_refresh("shprt_0123456789abcdef")
    assert "shpss" not in f"{caught.value!r} {vars(caught.value)}"
    assert "shprt" not in f"{caught.value!r} {vars(caught.value)}"


class Purse:
    """A source with two tokens: the second is there after the first was refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    async def current(self) -> str:
        return self.tokens[0]

    async def other_than(self, refused: str) -> str | None:
        self.tokens.remove(refused)
        return self.tokens[0] if self.tokens else None


def reader(sandbox: Sandbox, purse: Purse) -> ShopifyClient:
    return ShopifyClient(
        ShopifyConfig("sandbox.myshopify.com", "first", base_url="http://127.0.0.1:1"),
        transport=httpx.ASGITransport(sandbox.app),
        registry=fresh_registry(),
        retry=FAST_RETRY,
        auth=RenewedToken(purse),
    )


async def test_a_call_that_meets_an_ended_token_goes_on_with_the_next(sandbox: Sandbox) -> None:
    async with reader(sandbox, Purse("ended", "shpat_sandbox")) as client:
        answer = await client.execute("{shop{name}}", idempotent=False)
    assert answer.data["shop"]["name"] == "Sandbox Supply"
    assert sandbox.world.counters.unauthenticated == 1


async def test_without_another_token_the_refusal_stands(sandbox: Sandbox) -> None:
    async with reader(sandbox, Purse("ended")) as client:
        with pytest.raises(TokenRejected):
            await client.execute("{shop{name}}", idempotent=True)
    async with reader(sandbox, Purse("ended", "ended too")) as client:
        with pytest.raises(TokenRejected):
            await client.execute("{shop{name}}", idempotent=True)
    assert sandbox.world.counters.unauthenticated == 3
