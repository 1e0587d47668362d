"""Limits over HTTP: what holds, who may change what, and that the change holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.runtime.db.engine import Database
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.protection import Protection
from syncline.runtime.jobs import JobQueue
from syncline.runtime.limits import rates
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import SIGNED_IN, parse_rate, with_settings
from syncline.runtime.secrets import SecretBox


@pytest.fixture
async def client(
    database: Database, tenant_id: TenantId, other_tenant_id: TenantId
) -> AsyncIterator[httpx.AsyncClient]:
    people = {
        "owner": Actor(tenant_id, "ann", "owner"),
        "editor": Actor(tenant_id, "ed", "editor"),
        "stranger": Actor(other_tenant_id, "sam", "owner"),
    }

    async def authenticate(key: str) -> Actor | None:
        return people.get(key)

    secrets = SecretBox([Fernet.generate_key().decode()])
    runtime = Runtime(database=database, queue=JobQueue([]), secrets=secrets, settings={})
    app = create_app(
        runtime,
        (),
        authenticate=authenticate,
        limiter=Limiter(MemoryCounts(), with_settings({SIGNED_IN: "1000/min"})),
        protection=Protection(rates_kept_seconds=0),
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as made:
        yield made


def bearing(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def change(client: httpx.AsyncClient, rate: str | None, who: str = "owner", name: str = SIGNED_IN) -> Any:
    return await client.put("/api/limits", json={"name": name, "rate": rate}, headers=bearing(who))


async def shown(client: httpx.AsyncClient, who: str) -> tuple[str, str]:
    limits = (await client.get("/api/limits", headers=bearing(who))).json()["limits"]
    return next((one["rate"], one["source"]) for one in limits if one["name"] == SIGNED_IN)


async def test_a_change_holds_for_this_tenant_and_no_other(client: httpx.AsyncClient) -> None:
    answer = await change(client, "7/min")
    assert (answer.status_code, answer.json()["rate"], answer.json()["actor"]) == (200, "7/min", "ann")
    limits = [
        (await client.get("/api/limits", headers=bearing(who))).headers["x-ratelimit-limit"]
        for who in ("owner", "editor", "stranger")
    ]
    assert limits == ["7", "7", "1000"]
    assert await shown(client, "stranger") == ("1000/min", "setting")


async def test_null_puts_it_back(client: httpx.AsyncClient) -> None:
    await change(client, "7/min")
    assert (await change(client, None)).json()["rate"] == "1000/min"
    assert await shown(client, "owner") == ("1000/min", "setting")


async def test_a_tenant_gets_no_more_than_the_installation_gives(client: httpx.AsyncClient) -> None:
    refused = [await change(client, rate) for rate in ("1001/min", "off", "1000/min burst 2000")]
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "LIMIT_003")] * 3
    assert "1000/min" in refused[0].json()["error"]


async def test_what_the_operator_set_for_a_tenant_its_admin_leaves_alone(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    async with database.writing(tenant_id) as session:
        await rates.set_for_tenant(session, SIGNED_IN, parse_rate("5000/min"), actor="operator", by_operator=True)
    assert await shown(client, "owner") == ("5000/min", "tenant")
    refused = [await change(client, rate) for rate in ("1/min", None)]
    assert [one.json()["code"] for one in refused] == ["LIMIT_003", "LIMIT_003"]


async def test_what_counts_addresses_is_not_a_tenants_to_change(client: httpx.AsyncClient) -> None:
    refused = await change(client, "1/min", name="sign-in")
    assert (refused.status_code, refused.json()["code"]) == (403, "LIMIT_003")


async def test_bad_names_and_rates_say_what_to_do(client: httpx.AsyncClient) -> None:
    unknown, unreadable = await change(client, "1/min", name="sing-in"), await change(client, "often")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "LIMIT_004")
    assert (unreadable.status_code, unreadable.json()["fields"][0]["field"]) == (400, "rate")
    assert "300/15min" in unreadable.json()["error"]


async def test_only_who_manages_controls_may_change_and_the_trail_says_what(
    client: httpx.AsyncClient, database: Database, tenant_id: TenantId
) -> None:
    assert (await change(client, "7/min", "editor")).status_code == 403
    assert (await client.get("/api/limits")).status_code == 401
    await change(client, "7/min")
    async with database.reading(tenant_id) as session:
        found = await list_entries(session, EntryQuery(action="limits.change"), PageRequest())
    (entry,) = found.items
    assert (entry.before, entry.after) == ({"rate": "1000/min"}, {"rate": "7/min"})


async def test_the_figures_show_what_the_operator_set_while_it_runs(
    client: httpx.AsyncClient, database: Database
) -> None:
    async def told() -> str:
        return str((await client.get("/api/metrics", headers=bearing("owner"))).json()["rate_limits"][SIGNED_IN])

    assert await told() == "1000/min"
    async with database.system() as session:
        await rates.set_for_installation(session, SIGNED_IN, parse_rate("7000/min"), actor="operator")
    assert await told() == "7000/min"
    async with database.system() as session:
        assert await rates.reset_for_installation(session, SIGNED_IN)
