"""An account's Smartlead: one key in the query, and limits that depend on the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from syncline.connectors.smartlead.errors import ABSENT, ERRORS, UNREADABLE, refusal
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.client import Timeouts
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.rest import Endpoint, Pace, RestClient
from syncline.runtime.connect.retry import DEFAULT_RETRY, RetryPolicy

CLOUD = "https://server.smartlead.ai/api/v1"
PACES: Mapping[str, tuple[Pace, ...]] = {
    "standard": (Pace(10, 1.0, burst=2), Pace(60, 60.0, burst=5), Pace(1_000, 3_600.0, burst=400)),
    "pro": (Pace(20, 1.0, burst=4), Pace(120, 60.0, burst=10), Pace(3_000, 3_600.0, burst=1_200)),
    "old": (Pace(10, 2.0, burst=2),),
    "none": (),
}
"""The documents contradict each other (guides: standard and pro; an older page: old; the questions page: by plan)."""


@dataclass(frozen=True, slots=True)
class SmartleadConfig:
    """`plan` is one of `PACES`."""

    api_key: str = field(repr=False)
    base_url: str = CLOUD
    plan: str = "standard"


class SmartleadClient(RestClient):
    def __init__(
        self,
        config: SmartleadConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = DEFAULT_RETRY,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Raises `Fatal` for a plan there is not."""
        if config.plan not in PACES:
            raise Fatal(f"Smartlead has no plan {config.plan!r} that we know; use one of {', '.join(PACES)}.")
        endpoint = Endpoint(
            upstream="smartlead",
            base_url=config.base_url.rstrip("/"),
            secrets=(config.api_key,),
            errors=ERRORS,
            refusals=refusal,
            paces=PACES[config.plan],
            query={"api_key": config.api_key},
        )
        super().__init__(endpoint, transport=transport, registry=registry, retry=retry, timeouts=timeouts)

    async def get(self, operation: str, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The decoded body. Raises `Skippable` for an empty one and `{}`: so Smartlead may say that there is none."""
        return await self.send(operation, path, _present, query=query)


def _present(response: httpx.Response) -> Any:
    if not response.content.strip() or (body := decoded(response)) == {}:
        raise ERRORS.outcome(ABSENT)
    return body


def decoded(response: httpx.Response) -> Any:
    """Raises `VendorTrouble` for a body that is not whole."""
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error


def whole(told: Any) -> int:
    """Totals come as `42` and as `"42"`. Raises `VendorTrouble`."""
    try:
        return int(told)
    except (TypeError, ValueError) as error:
        raise ERRORS.outcome(UNREADABLE, detail=f"no number: {told!r}") from error
