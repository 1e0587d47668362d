"""Recorded answers of a healthy Smartlead, for the kit's conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

import httpx

from syncline.connectors.smartlead.actions import add_webhook
from syncline.connectors.smartlead.client import SmartleadClient, SmartleadConfig
from syncline.connectors.smartlead.connector import CONNECTOR
from syncline.connectors.smartlead.streams import STATISTICS, list_campaigns, read_leads, read_statistics
from syncline.runtime.connect.conformance import CasePage
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.testing import FAST_RETRY, Fault, answering, fresh_registry

KEY = "smartlead-key-of-the-tests"
_MAILS = [f"mail-{number}" for number in range(2_500)]
_LEADS = list(range(250))


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[str]
    cursor: str | None


class SmartleadCase:
    connector: Connector = CONNECTOR
    secrets: Collection[str] = (KEY,)

    def well(self, request: httpx.Request) -> httpx.Response:
        match request.url.path.rstrip("/").rsplit("/", 1)[-1]:
            case "create":
                return httpx.Response(200, json={"ok": True, "data": {"id": 7}})
            case "campaigns":
                return httpx.Response(200, json=[{"id": 1, "name": "One"}])
        start, size = int(request.url.params["offset"]), int(request.url.params["limit"])
        if request.url.path.endswith("/statistics"):
            mails = [{"stats_id": one} for one in _MAILS[start : start + size]]
            return httpx.Response(200, json={"total_stats": str(len(_MAILS)), "data": mails})
        leads = [{"lead": {"id": one}} for one in _LEADS[start : start + size]]
        return httpx.Response(200, json={"total_leads": str(len(_LEADS)), "data": leads})

    def throttled(self, wait: timedelta) -> Fault:
        told = {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests."}}
        return answering(lambda: httpx.Response(429, headers={"Retry-After": str(wait.total_seconds())}, json=told))

    def expired_token(self) -> Fault:
        return answering(lambda: httpx.Response(401, json={"message": "Invalid API Key"}))

    def open(self, transport: httpx.AsyncBaseTransport) -> AbstractAsyncContextManager[SmartleadClient]:
        config = SmartleadConfig(KEY, plan="pro")
        return SmartleadClient(config, transport=transport, registry=fresh_registry(), retry=FAST_RETRY)

    async def discover(self, client: SmartleadClient) -> None:
        await list_campaigns(client)

    async def pages(self, client: SmartleadClient, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:
        if stream == STATISTICS.name:
            async for page in read_statistics(client, 1, cursor=cursor):
                yield _Page([str(one["stats_id"]) for one in page.records], page.cursor)
            return
        async for page in read_leads(client, 1, cursor=cursor):
            yield _Page([str(one["lead"]["id"]) for one in page.records], page.cursor)

    def keys(self, stream: str) -> Collection[str]:
        return _MAILS if stream == STATISTICS.name else [str(one) for one in _LEADS]

    async def write(self, client: SmartleadClient) -> None:
        await add_webhook(client, url="https://x.example/hook", events=["EMAIL_SENT"])

    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "POST"
