"""A workspace's Attio: a bearer token, 100 reads and 25 writes in each second."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from syncline.connectors.attio.errors import ERRORS, UNREADABLE, refusal
from syncline.runtime.connect.client import Timeouts
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.rest import Endpoint, Pace, RestClient
from syncline.runtime.connect.retry import DEFAULT_RETRY, RetryPolicy

CLOUD = "https://api.attio.com"
READS, WRITES = Pace(100, 1.0, burst=10), Pace(25, 1.0, burst=5)
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class AttioConfig:
    access_token: str = field(repr=False)
    base_url: str = CLOUD


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "_Bearer([redacted])"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class AttioClient:
    """An async context manager."""

    def __init__(
        self,
        config: AttioConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
    ) -> None:
        def client(upstream: str, pace: Pace) -> RestClient:
            endpoint = Endpoint(
                upstream=upstream,
                base_url=config.base_url.rstrip("/"),
                secrets=(config.access_token,),
                errors=ERRORS,
                refusals=refusal,
                paces=(pace,),
                auth=_Bearer(config.access_token),
            )
            return RestClient(endpoint, transport=transport, registry=registry, retry=retry, timeouts=timeouts)

        self.reads = client("attio", READS)
        self.writes = client("attio writes", WRITES)

    def __repr__(self) -> str:
        return "AttioClient()"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.reads.http.close()
        await self.writes.http.close()

    async def get(self, operation: str, path: str) -> Any:
        return await self.reads.send(operation, path, decoded)

    async def query(self, operation: str, path: str, asked: dict[str, Any]) -> Any:
        """A read that is a POST."""
        content = msgspec.json.encode(asked)
        return await self.reads.send(operation, path, decoded, method="POST", content=content, headers=_JSON)

    async def write(
        self,
        operation: str,
        path: str,
        data: dict[str, Any],
        *,
        method: str,
        idempotent: bool,
        query: dict[str, object] | None = None,
    ) -> Any:
        content = msgspec.json.encode({"data": data})
        return await self.writes.send(
            operation, path, decoded, method=method, query=query, content=content, headers=_JSON, idempotent=idempotent
        )


def decoded(response: httpx.Response) -> Any:
    """Raises `VendorTrouble` for a body that is not whole."""
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error
