"""A team's lemlist: one key, at most 20 requests in 2 seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from syncline.connectors.lemlist.errors import ERRORS, UNREADABLE, refusal
from syncline.runtime.connect.client import Timeouts
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.rest import Endpoint, Pace, RestClient
from syncline.runtime.connect.retry import DEFAULT_RETRY, RetryPolicy

CLOUD = "https://api.lemlist.com/api"
PACE = Pace(calls=20, seconds=2.0)


@dataclass(frozen=True, slots=True)
class LemlistConfig:
    api_key: str = field(repr=False)
    base_url: str = CLOUD
    is_paced: bool = True
    """False only for a double that limits nothing."""


class LemlistClient(RestClient):
    """Signs as documented: Basic with an empty user and the key as the password."""

    def __init__(
        self,
        config: LemlistConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
    ) -> None:
        endpoint = Endpoint(
            upstream="lemlist",
            base_url=config.base_url.rstrip("/"),
            secrets=(config.api_key,),
            errors=ERRORS,
            refusals=refusal,
            paces=(PACE,) if config.is_paced else (),
            auth=httpx.BasicAuth("", config.api_key),
        )
        super().__init__(endpoint, transport=transport, registry=registry, retry=retry, timeouts=timeouts)

    async def list(self, operation: str, path: str, query: Mapping[str, object]) -> list[dict[str, Any]]:
        """An array, or the array inside an object: lemlist's campaigns have been seen as both."""
        body = await self.send(operation, path, decoded, query=query)
        if isinstance(body, dict):
            body = next((body[name] for name in ("campaigns", "data", "results") if name in body), None)
        if not isinstance(body, list):
            raise ERRORS.outcome(UNREADABLE, detail=f"{operation}: no list")
        return body


def decoded(response: httpx.Response) -> Any:
    """Raises `VendorTrouble` for a body that is not whole."""
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error
