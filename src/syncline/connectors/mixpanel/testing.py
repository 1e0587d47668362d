"""Recorded answers of a healthy Mixpanel, for the kit's conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, timedelta

import httpx
import msgspec

from syncline.connectors.mixpanel.actions import import_events
from syncline.connectors.mixpanel.client import MixpanelClient, MixpanelConfig
from syncline.connectors.mixpanel.connector import CONNECTOR
from syncline.connectors.mixpanel.streams import read_days
from syncline.runtime.connect.conformance import CasePage
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.testing import FAST_RETRY, Fault, answering, fresh_registry

PASSWORD = "mixpanel-password-of-the-tests"  # noqa: S105 - worth nothing
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[str]
    cursor: str | None


class MixpanelCase:
    connector: Connector = CONNECTOR
    secrets: Collection[str] = (PASSWORD,)

    def well(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"code": 200, "num_records_imported": 1, "status": "OK"})
        lines = [
            msgspec.json.encode({"event": "email_sent", "properties": {"time": 1, "$insert_id": one}})
            for one in _of(request.url.params["from_date"])
        ]
        return httpx.Response(200, content=b"\n".join(lines))

    def throttled(self, wait: timedelta) -> Fault:
        told = {"code": 429, "error": "Project exceeded rate limits.", "status": "Too Many Requests"}
        return answering(lambda: httpx.Response(429, headers={"Retry-After": str(wait.total_seconds())}, json=told))

    def expired_token(self) -> Fault:
        told = {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
        return answering(lambda: httpx.Response(401, json=told))

    def open(self, transport: httpx.AsyncBaseTransport) -> AbstractAsyncContextManager[MixpanelClient]:
        config = MixpanelConfig("4242", "account", PASSWORD)
        return MixpanelClient(config, transport=transport, registry=fresh_registry(), retry=FAST_RETRY)

    async def discover(self, client: MixpanelClient) -> None:
        await anext(aiter(read_days(client, FIRST, FIRST)))

    async def pages(self, client: MixpanelClient, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:  # noqa: ARG002
        async for page in read_days(client, FIRST, LAST, cursor=cursor):
            yield _Page([one["properties"]["$insert_id"] for one in page.records], page.cursor)

    def keys(self, stream: str) -> Collection[str]:  # noqa: ARG002 - there is one
        return [one for number in range(3) for one in _of((FIRST + timedelta(days=number)).isoformat())]

    async def write(self, client: MixpanelClient) -> None:
        await import_events(client, [{"event": "x", "properties": {}}])

    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "POST"


def _of(day: str) -> list[str]:
    return [f"{day}-{number}" for number in range(4)]
