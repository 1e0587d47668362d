"""Whom a webhook may be for: every store of the shop, each with its own tenant's secrets, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.credentials import repository as credentials
from syncline.apps.commerce.stores.signatures import recipients_of
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.secrets import SecretBox, new_key


@pytest.fixture
def domain() -> str:
    """Of this test alone: the directory is everybody's."""
    return f"shop-{new_id().hex}.myshopify.com"


async def connect(runtime: Runtime, tenant: TenantId, domain: str, **values: Any) -> None:
    row: dict[str, Any] = {
        "name": "demo",
        "shop_domain": domain,
        "base_url": None,
        "api_version": "2026-10",
        "shop_name": "Demo",
        "currency": "USD",
        "plan": "Basic",
        "scopes": [],
    }
    async with runtime.database.writing(tenant) as session:
        made = await repository.add(session, token_sealed=runtime.secrets.seal("t"), values=row)
        if values:
            moment = clock.now()
            await grants.put(session, made.store.id, {"granted_at": moment, "issued_at": moment, **values})


async def app(runtime: Runtime, tenant: TenantId, secret: str, other: str | None) -> Any:
    values: dict[str, Any] = {
        "secret_sealed": runtime.secrets.seal(secret),
        "other_secret_sealed": None if other is None else runtime.secrets.seal(other),
        "scopes": [],
    }
    async with runtime.database.writing(tenant) as session:
        return (await credentials.put(session, new_id().hex, values)).id


async def secrets_of(runtime: Runtime, domain: str) -> dict[TenantId, tuple[str, ...]]:
    found = await recipients_of(runtime.database, runtime.secrets, domain)
    return {one.tenant_id: tuple(one.secrets) for one in found}


async def test_a_shop_that_nobody_connected_has_no_recipient(runtime: Runtime, domain: str) -> None:
    assert await secrets_of(runtime, domain) == {}


async def test_two_tenants_of_one_shop_have_each_their_own_secrets(
    runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId, domain: str
) -> None:
    mine = await app(runtime, tenant_id, "new", "old")
    await connect(runtime, tenant_id, domain, kind=GrantKind.CODE, app_id=mine)
    sealed = runtime.secrets.seal("theirs")
    await connect(runtime, other_tenant_id, domain, kind=GrantKind.CUSTOM, secret_sealed=sealed)
    assert await secrets_of(runtime, domain.upper()) == {tenant_id: ("new", "old"), other_tenant_id: ("theirs",)}


async def test_a_store_by_token_whose_secret_was_never_given_is_there_without_one(
    runtime: Runtime, tenant_id: TenantId, domain: str
) -> None:
    await connect(runtime, tenant_id, domain)
    assert await secrets_of(runtime, domain) == {tenant_id: ()}


STRANGE_BOX = SecretBox([new_key()])
"""Of an installation with other keys."""


async def test_a_secret_that_cannot_be_opened_is_its_own_tenants_trouble(
    runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId, domain: str
) -> None:
    await connect(runtime, tenant_id, domain, kind=GrantKind.CUSTOM, secret_sealed=STRANGE_BOX.seal("lost"))
    sealed = runtime.secrets.seal("theirs")
    await connect(runtime, other_tenant_id, domain, kind=GrantKind.CUSTOM, secret_sealed=sealed)
    with capture_logs() as logs:
        found = await recipients_of(runtime.database, runtime.secrets, domain)
    assert {one.tenant_id: (one.secrets, one.is_closed) for one in found} == {
        tenant_id: ((), True),
        other_tenant_id: (("theirs",), False),
    }
    (told,) = [one for one in logs if one["log_level"] == "error"]
    assert (told["tenant"], told["store"], told["shop_domain"]) == (str(tenant_id), "demo", domain)


async def test_of_a_rotation_the_secret_that_opens_is_given(runtime: Runtime, tenant_id: TenantId, domain: str) -> None:
    sealed, other = runtime.secrets.seal("new"), STRANGE_BOX.seal("lost")
    await connect(runtime, tenant_id, domain, kind=GrantKind.CUSTOM, secret_sealed=sealed, other_secret_sealed=other)
    assert await secrets_of(runtime, domain) == {tenant_id: ("new",)}


async def test_secrets_are_in_no_repr(runtime: Runtime, tenant_id: TenantId, domain: str) -> None:
    mine = await app(runtime, tenant_id, "shpss_hush", None)
    await connect(runtime, tenant_id, domain, kind=GrantKind.CODE, app_id=mine)
    assert "shpss_hush" not in repr(await recipients_of(runtime.database, runtime.secrets, domain))
