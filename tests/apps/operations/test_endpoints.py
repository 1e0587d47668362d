"""Channels over HTTP: who may, what is refused, and that no secret comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from syncline.apps.operations.app import APP
from syncline.apps.operations.channels.address import check_address
from syncline.apps.operations.contract import BadChannel, ChannelKind
from syncline.kernel.tenant import Actor
from syncline.runtime.app import Runtime
from syncline.runtime.connect.guard import Guard, allowing
from syncline.runtime.http.factory import create_app

CHANNELS = "/api/notifications/channels"
HOOK = {"name": "pager", "kind": "webhook", "target": "https://hooks.example.com/very-secret"}


@pytest.fixture
async def client(runtime: Runtime, owner: Actor, stranger: Actor) -> AsyncIterator[httpx.AsyncClient]:
    people = {"owner": owner, "stranger": stranger, "editor": Actor(owner.tenant_id, "ed", "editor")}

    async def authenticate(key: str) -> Actor | None:
        return people.get(key)

    app = create_app(runtime, [APP], authenticate=authenticate)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test", headers=be("owner")) as made:
        yield made


def be(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def test_a_channel_is_added_changed_and_removed_and_keeps_its_secrets(client: httpx.AsyncClient) -> None:
    made = await client.post(CHANNELS, json=HOOK)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert made.json()["channel"]["target"] == "hooks.example.com"
    listed = await client.get(CHANNELS)
    assert "very-secret" not in made.text + listed.text
    assert "whsec_" not in listed.text
    changed = await client.patch(f"{CHANNELS}/pager", json={"operations": ["push"], "only_failures": True})
    assert (changed.json()["operations"], changed.json()["only_failures"]) == (["push"], True)
    assert (await client.delete(f"{CHANNELS}/pager")).status_code == 204
    gone = await client.delete(f"{CHANNELS}/pager")
    assert (gone.status_code, gone.json()["code"]) == (404, "NOTIFY_001")


async def test_a_second_of_the_same_name_is_refused(client: httpx.AsyncClient) -> None:
    await client.post(CHANNELS, json=HOOK)
    again = await client.post(CHANNELS, json=HOOK)
    assert (again.status_code, again.json()["code"]) == (409, "NOTIFY_002")


@pytest.mark.parametrize(("who", "status"), [("editor", 403), ("nobody", 401)])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHANNELS),
        ("POST", CHANNELS),
        ("PATCH", f"{CHANNELS}/pager"),
        ("DELETE", f"{CHANNELS}/pager"),
        ("POST", f"{CHANNELS}/pager/test"),
        ("GET", "/api/notifications/deliveries"),
    ],
)
async def test_only_owners_and_admins(client: httpx.AsyncClient, who: str, status: int, method: str, path: str) -> None:
    answer = await client.request(method, path, json=HOOK if method == "POST" else {}, headers=be(who))
    assert answer.status_code == status


async def test_another_tenants_channel_is_not_there(client: httpx.AsyncClient) -> None:
    await client.post(CHANNELS, json=HOOK)
    assert (await client.get(CHANNELS, headers=be("stranger"))).json()["channels"] == []
    assert (await client.post(f"{CHANNELS}/pager/test", headers=be("stranger"))).status_code == 404
    assert (await client.delete(f"{CHANNELS}/pager", headers=be("stranger"))).status_code == 404


async def test_what_was_told_is_listed(client: httpx.AsyncClient) -> None:
    await client.post(CHANNELS, json={"name": "ops", "kind": "email", "target": "ops@example.com"})
    receipt = await client.post(f"{CHANNELS}/ops/test")
    assert (receipt.status_code, receipt.json()["status"]) == (200, "kept")
    listed = (await client.get("/api/notifications/deliveries", params={"channel": "ops", "status": "kept"})).json()
    assert [one["subject"] for one in listed["deliveries"]] == ["A trial of the channel ops"]
    unknown = await client.get("/api/notifications/deliveries", params={"channel": "nobody"})
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Has Spaces"},
        {"kind": "pigeon"},
        {"target": "http://hooks.example.com/x"},
        {"target": "https://10.0.0.1/x"},
        {"target": "https://user:word@hooks.example.com/"},
        {"target": "ftp://hooks.example.com/"},
        {"kind": "email", "target": "a@example.com, b@example.com"},
        {"kind": "email", "target": "a@example.com\r\nBcc: c@example.com"},
        {"kind": "slack", "target": "https://hooks.example.com/services/T/B/X"},
        {"operations": ["dance"]},
        {"target": "https://hooks.example.com/" + "x" * 2_000},
    ],
)
async def test_what_cannot_be_told_is_refused_with_its_reason(
    client: httpx.AsyncClient, change: dict[str, Any]
) -> None:
    refused = await client.post(CHANNELS, json={**HOOK, **change})
    assert refused.status_code == 400
    assert refused.json()["fields"]
    assert (await client.get(CHANNELS)).json()["channels"] == []


def test_addresses_that_an_operator_allows_may_be_called_without_tls() -> None:
    allowed = allowing(["hooks.internal", "10.1.0.0/16"])
    assert check_address(ChannelKind.WEBHOOK, "http://hooks.internal/x", allowed) == "hooks.internal"
    assert check_address(ChannelKind.SLACK, "http://10.1.2.3/x", allowed) == "10.1.2.3"
    with pytest.raises(BadChannel):
        check_address(ChannelKind.WEBHOOK, "http://hooks.internal/x", Guard())
