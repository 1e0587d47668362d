"""Connections: asked before they are kept, sealed, and loopback alone for a sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from tests.apps.outreach.conftest import Call, Place

CONNECTIONS = "/api/outreach/connections"


async def test_keys_are_kept_sealed_and_never_shown(place: Place, call: Call) -> None:
    listed = await call("GET", CONNECTIONS)
    assert [one["platform"] for one in listed.json()["connections"]] == ["lemlist", "mixpanel", "smartlead"]
    for key in (place.town.lemlist.key, place.town.mixpanel.project.password):
        assert key not in listed.text
        rows = await place.rows("SELECT c::text, encode(sealed, 'escape') FROM outreach.connection c")
        assert not [row for row in rows if key in row[0] or key in row[1]]


async def test_what_the_tool_does_not_take_is_not_kept(place: Place, call: Call) -> None:
    body = {"api_key": "another", "base_url": f"{place.url}/lemlist/api"}
    refused = await call("PUT", f"{CONNECTIONS}/lemlist", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "LINK_003")
    assert (await call("POST", f"{CONNECTIONS}/lemlist/test")).status_code == 200


async def test_a_key_that_is_revoked_later_is_said_by_the_test(place: Place, call: Call) -> None:
    place.town.lemlist.key = "another"
    assert (await call("POST", f"{CONNECTIONS}/lemlist/test")).status_code == 409
    (first, *_) = (await call("GET", CONNECTIONS)).json()["connections"]
    assert "API key" in first["sentence"]


@pytest.mark.parametrize(
    ("platform", "body", "field"),
    [
        ("hubspot", {"api_key": "k"}, "platform"),
        ("lemlist", {}, "api_key"),
        ("lemlist", {"api_key": "with blank"}, "api_key"),
        ("lemlist", {"api_key": "k\r\nX: y"}, "api_key"),
        ("lemlist", {"api_key": "k", "base_url": "http://10.0.0.1/api"}, "base_url"),
        ("lemlist", {"api_key": "k", "base_url": "https://evil.example"}, "base_url"),
        ("lemlist", {"api_key": "k", "base_url": "http://127.0.0.1:9/\0"}, "base_url"),
        ("lemlist", {"api_key": "k", "base_url": "http://127.0.0.1:99999/"}, "base_url"),
        ("lemlist", {"api_key": "k", "base_url": "http://me@127.0.0.1:9/"}, "base_url"),
        ("lemlist", {"api_key": "k", "base_url": "http://127.0.0.1:9/api?x=1"}, "base_url"),
        ("lemlist", {"api_key": "k", "plan": "none"}, "plan"),
        ("smartlead", {"api_key": "k", "plan": "gold"}, "plan"),
        ("mixpanel", {"password": "p", "username": "u"}, "project"),
        ("mixpanel", {"password": "p", "username": "u", "project": "1", "region": "mars"}, "region"),
        ("attio", {"api_key": "k"}, "access_token"),
    ],
)
async def test_whatever_is_wrong_is_said_by_its_field(
    call: Call, platform: str, body: dict[str, Any], field: str
) -> None:
    refused = await call("PUT", f"{CONNECTIONS}/{platform}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "LINK_002")
    assert field in {one["field"] for one in refused.json()["fields"]}


async def test_what_is_disconnected_is_gone_and_another_tenants_is_not_reached(place: Place, call: Call) -> None:
    del place
    assert (await call("DELETE", f"{CONNECTIONS}/lemlist", tenant="other")).status_code == 404
    assert (await call("DELETE", f"{CONNECTIONS}/lemlist")).status_code == 204
    assert (await call("POST", f"{CONNECTIONS}/lemlist/test")).status_code == 404


@pytest.mark.parametrize("role", ["editor", "viewer", "service"])
async def test_only_who_manages_connects(call: Call, role: str) -> None:
    assert (await call("PUT", f"{CONNECTIONS}/lemlist", role=role, json={"api_key": "k"})).status_code == 403
