"""Recorded answers of a healthy Attio, for the kit's conformance suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import msgspec

from syncline.connectors.attio.actions import add_attribute, check_workspace
from syncline.connectors.attio.client import AttioClient, AttioConfig
from syncline.connectors.attio.connector import CONNECTOR
from syncline.connectors.attio.streams import read_people
from syncline.runtime.connect.conformance import CasePage
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.testing import FAST_RETRY, Fault, answering, fresh_registry

TOKEN = "attio-token-of-the-tests"  # noqa: S105 - worth nothing
_PEOPLE = [f"record-{number}" for number in range(1_200)]


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[str]
    cursor: str | None


class AttioCase:
    connector: Connector = CONNECTOR
    secrets: Collection[str] = (TOKEN,)

    def well(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/query"):
            asked = msgspec.json.decode(request.content)
            found = _PEOPLE[asked["offset"] : asked["offset"] + asked["limit"]]
            return httpx.Response(200, json={"data": [{"id": {"record_id": one}} for one in found]})
        if request.url.path.endswith("/self"):
            return httpx.Response(200, json={"active": True, "workspace_name": "Tests"})
        return httpx.Response(200, json={"data": {"api_slug": "opens"}})

    def throttled(self, wait: timedelta) -> Fault:
        told = {"status_code": 429, "type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "later"}
        return answering(lambda: httpx.Response(429, headers={"Retry-After": str(wait.total_seconds())}, json=told))

    def expired_token(self) -> Fault:
        told = {"status_code": 401, "type": "auth_error", "code": "unauthorized", "message": "no"}
        return answering(lambda: httpx.Response(401, json=told))

    def open(self, transport: httpx.AsyncBaseTransport) -> AbstractAsyncContextManager[AttioClient]:
        return AttioClient(AttioConfig(TOKEN), transport=transport, registry=fresh_registry(), retry=FAST_RETRY)

    async def discover(self, client: AttioClient) -> None:
        await check_workspace(client)

    async def pages(self, client: AttioClient, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:  # noqa: ARG002
        async for page in read_people(client, cursor=cursor):
            yield _Page([str(one["id"]["record_id"]) for one in page.records], page.cursor)

    def keys(self, stream: str) -> Collection[str]:  # noqa: ARG002 - there is one
        return _PEOPLE

    async def write(self, client: AttioClient) -> None:
        await add_attribute(client, slug="opens", title="Opens", kind="number")

    def is_write(self, request: httpx.Request) -> bool:
        return request.url.path.endswith("/attributes")
