"""Something that webhooks are sent to: keeps what comes and answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.server import running


@dataclass(slots=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def topic(self) -> str:
        return self.headers["x-shopify-topic"]


@dataclass(slots=True)
class Receiver:
    url: str = ""
    status: int = 200
    got: list[Received] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.got.append(Received(dict(request.headers), await request.body()))
        return Response(status_code=self.status)

    def of(self, topic: str) -> list[Received]:
        return [one for one in self.got if one.topic == topic]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hooks", receiver.take, methods=["POST"])])
    async with running(app) as url:
        receiver.url = f"{url}/hooks"
        yield receiver
