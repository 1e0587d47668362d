"""Recorded answers of a healthy lemlist, for the kit's conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from syncline.connectors.lemlist.actions import add_hook, list_hooks
from syncline.connectors.lemlist.client import LemlistClient, LemlistConfig
from syncline.connectors.lemlist.connector import CONNECTOR
from syncline.connectors.lemlist.streams import ACTIVITIES, read_activities, read_campaigns
from syncline.runtime.connect.conformance import CasePage
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.testing import FAST_RETRY, Fault, answering, fresh_registry

KEY = "lemlist-key-of-the-tests"
_AT = "2025-10-27T20:20:59.696Z"
_IDS = {
    "activities": [f"act_{number:017d}" for number in range(250)],
    "campaigns": [f"cam_{number:017d}" for number in range(250)],
}


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[str]
    cursor: str | None


class LemlistCase:
    connector: Connector = CONNECTOR
    secrets: Collection[str] = (KEY,)

    def well(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        if name == "hooks":
            made = {"_id": "hoo_1", "targetUrl": "https://x.example", "createdAt": _AT}
            return httpx.Response(200, json=made if request.method == "POST" else [made])
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        return httpx.Response(200, json=[_record(one) for one in _IDS[name][offset : offset + limit]])

    def throttled(self, wait: timedelta) -> Fault:
        headers = {"Retry-After": str(wait.total_seconds())}
        return answering(lambda: httpx.Response(429, headers=headers, text="Too many requests"))

    def expired_token(self) -> Fault:
        return answering(lambda: httpx.Response(401, text="The authentication you supplied is incorrect"))

    def open(self, transport: httpx.AsyncBaseTransport) -> AbstractAsyncContextManager[LemlistClient]:
        return LemlistClient(LemlistConfig(KEY), transport=transport, registry=fresh_registry(), retry=FAST_RETRY)

    async def discover(self, client: LemlistClient) -> None:
        await list_hooks(client)

    async def pages(self, client: LemlistClient, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:
        read = read_activities if stream == ACTIVITIES.name else read_campaigns
        async for page in read(client, cursor=cursor):
            yield _Page([str(one["_id"]) for one in page.records], page.cursor)

    def keys(self, stream: str) -> Collection[str]:
        return _IDS[stream]

    async def write(self, client: LemlistClient) -> None:
        await add_hook(client, target="https://x.example/hook", secret="s")  # noqa: S106 - no secret

    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "POST"


def _record(identity: str) -> dict[str, Any]:
    return {"_id": identity, "createdAt": _AT}
