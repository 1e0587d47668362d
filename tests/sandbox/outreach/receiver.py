"""Takes webhooks on a socket, and answers what it is told to."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.server import running


@dataclass
class Receiver:
    url: str = ""
    answers: deque[int] = field(default_factory=deque)
    """Statuses of the next answers; then 200."""
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.taken.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answers.popleft() if self.answers else 200)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with running(Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])) as url:
        receiver.url = f"{url}/hook"
        yield receiver
