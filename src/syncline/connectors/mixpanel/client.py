"""A project of Mixpanel's: one host takes events, another gives them back, each with limits of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

import httpx

from syncline.connectors.mixpanel.errors import ERRORS, refusal
from syncline.runtime.connect.client import Timeouts
from syncline.runtime.connect.registry import PROCESS, Registry
from syncline.runtime.connect.rest import Endpoint, Pace, RestClient
from syncline.runtime.connect.retry import RetryPolicy

INGESTION = "https://api.mixpanel.com"
EXPORT = "https://data.mixpanel.com/api/2.0"
EXPORT_PACES = (Pace(3, 1.0), Pace(60, 3_600.0, burst=40))
# Mixpanel asks for waits from 2 s, doubling to 60 s, with 1 to 5 s of jitter ("429 Too Many Requests").
RETRY = RetryPolicy(attempts=8, base=timedelta(seconds=4), cap=timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class MixpanelConfig:
    """A service account of the project. Other residencies have hosts of their own (`api-eu`, `data-eu`, `-in`)."""

    project_id: str
    username: str
    password: str = field(repr=False)
    ingestion_url: str = INGESTION
    export_url: str = EXPORT
    is_paced: bool = True
    """False only for a double that limits nothing."""


class MixpanelClient:
    """An async context manager."""

    def __init__(
        self,
        config: MixpanelConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        registry: Registry = PROCESS,
        retry: RetryPolicy = RETRY,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.config = config

        def client(upstream: str, base_url: str, paces: tuple[Pace, ...]) -> RestClient:
            endpoint = Endpoint(
                upstream=upstream,
                base_url=base_url.rstrip("/"),
                secrets=(config.password,),
                errors=ERRORS,
                refusals=refusal,
                paces=paces,
                auth=httpx.BasicAuth(config.username, config.password),
                query={"project_id": config.project_id},
            )
            return RestClient(endpoint, transport=transport, registry=registry, retry=retry, timeouts=timeouts)

        self.ingestion = client("mixpanel", config.ingestion_url, ())
        self.export = client("mixpanel export", config.export_url, EXPORT_PACES if config.is_paced else ())

    def __repr__(self) -> str:
        return f"MixpanelClient({self.config.project_id!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.ingestion.http.close()
        await self.export.http.close()
