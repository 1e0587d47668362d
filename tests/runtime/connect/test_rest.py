"""Calls to a vendor whose limits count requests."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from syncline.kernel.errors import Fatal, Skippable
from syncline.runtime.connect.errors import ErrorTable, OutcomeUnknown, Rule, Throttled, VendorTrouble
from syncline.runtime.connect.rest import Endpoint, Pace, RestClient
from syncline.runtime.connect.testing import FAST_RETRY, ScriptedVendor, fresh_registry, status

ERRORS = ErrorTable(
    {
        404: Rule(Skippable, "gone"),
        429: Rule(Throttled, "slower", wait=timedelta(milliseconds=1)),
        500: Rule(VendorTrouble, "trouble"),
        "unreadable": Rule(VendorTrouble, "not whole"),
    },
    otherwise=Rule(Fatal, "refused"),
)


def well(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=[1])


def client(vendor: ScriptedVendor, **more: Any) -> RestClient:
    endpoint = Endpoint(
        upstream="acme",
        base_url="https://acme.example",
        secrets=("key-7",),
        errors=ERRORS,
        refusals=lambda response: None if response.is_success else response.status_code,
        query={"api_key": "key-7"},
        **more,
    )
    return RestClient(endpoint, transport=vendor.transport, registry=fresh_registry(), retry=FAST_RETRY)


def read(response: httpx.Response) -> Any:
    if response.headers["content-type"] != "application/json":
        raise ERRORS.outcome("unreadable")
    return response.json()


async def test_the_key_goes_with_every_call_and_into_no_log(caplog: pytest.LogCaptureFixture) -> None:
    vendor = ScriptedVendor(well)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="httpx"):
        async with client(vendor) as acme:
            assert await acme.send("list", "/list", read, query={"offset": 2}) == [1]
            shown = f"{acme!r}{vars(acme)}"
    assert str(vendor.requests[0].url) == "https://acme.example/list?api_key=key-7&offset=2"
    assert "https://acme.example/list" in caplog.text
    assert "key-7" not in caplog.text + shown


@pytest.mark.parametrize("trouble", [status(500), status(200, json=None, headers={"content-type": "text/plain"})])
async def test_what_cannot_be_read_is_asked_for_again_or_left_open(trouble: Any) -> None:
    async with client(ScriptedVendor(well).then(trouble)) as acme:
        assert await acme.send("list", "/list", read) == [1]
    vendor = ScriptedVendor(well).then(trouble)
    async with client(vendor) as acme:
        with pytest.raises(OutcomeUnknown):
            await acme.send("add", "/list", read, method="POST", idempotent=False)
    assert len(vendor.requests) == 1


async def test_outcomes_come_from_the_table() -> None:
    async with client(ScriptedVendor(well).then(status(404), status(429), status(418))) as acme:
        with pytest.raises(Skippable):
            await acme.send("list", "/list", read)
        with pytest.raises(Fatal):
            await acme.send("list", "/list", read)


@pytest.mark.parametrize("late", [0.0, 0.015], ids=["in time", "woken late"])
@pytest.mark.parametrize("pace", [Pace(20, 2.0), Pace(60, 6.0, burst=5)], ids=["spread", "with a burst"])
def test_a_pace_never_lets_more_through_than_it_says_and_wastes_little(pace: Pace, late: float) -> None:
    bucket, now, sent = pace.limiter().bucket, 0.0, list[float]()
    bucket.at = 0.0
    while now < 20.0:
        wait = bucket.seconds_until(1, now)
        now += wait + late * (wait > 0)
        bucket.take(1, now)
        bucket.settle(1, 1, now)
        sent.append(now)
    most = max(sum(start <= one < start + pace.seconds for one in sent) for start in sent)
    assert most <= pace.calls
    assert len(sent) > 0.9 * 20.0 * pace.calls / pace.seconds


async def test_a_burst_passes_at_once() -> None:
    vendor = ScriptedVendor(well)
    async with client(vendor, paces=(Pace(60, 3_600.0, burst=20),)) as acme:
        await asyncio.gather(*(acme.send("list", "/list", read) for _ in range(20)))
    assert len(vendor.requests) == 20


def test_a_key_is_sent_over_tls_only() -> None:
    endpoint = Endpoint("acme", "http://acme.example", ("k",), ERRORS, lambda _: None)
    with pytest.raises(Fatal, match="not https"):
        RestClient(endpoint)
