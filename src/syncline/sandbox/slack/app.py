"""`POST /services/T…/B…/…`: takes a message, answers as Slack does, and shows what it took."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

LONGEST_HEADER = 150
LONGEST_SECTION = 3_000
MOST_BLOCKS = 50
A_SECOND = 1.0

STATUSES = {
    "invalid_payload": 400,
    "no_text": 400,
    "invalid_blocks": 400,
    "user_not_found": 400,
    "action_prohibited": 403,
    "posting_to_general_channel_denied": 403,
    "invalid_token": 403,
    "no_service": 404,
    "no_team": 404,
    "channel_not_found": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}
"""What Slack answers with each of its words."""


@dataclass
class Workspace:
    """Its webhooks by path, the messages they took, and what goes wrong: `faults` are answered one by one before
    anything is taken, then all is well again. With `limits` a webhook takes a message a second, with a small burst."""

    webhooks: set[str] = field(default_factory=lambda: {"/services/T0001/B0001/XYZ"})
    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    limits: bool = False
    burst: int = 3
    recent: deque[float] = field(default_factory=deque)
    clock: Callable[[], float] = time.monotonic

    def is_too_soon(self) -> bool:
        now = self.clock()
        while self.recent and now - self.recent[0] > A_SECOND * self.burst:
            self.recent.popleft()
        if len(self.recent) >= self.burst:
            return True
        self.recent.append(now)
        return False


def create_app(workspace: Workspace) -> Starlette:
    async def take(request: Request) -> Response:
        word = _refusal(workspace, request.url.path, await request.body())
        if word == "rate_limited":
            return JSONResponse({"ok": False, "error": word}, status_code=429, headers={"Retry-After": "1"})
        if word is not None:
            return PlainTextResponse(word, status_code=STATUSES.get(word, 404))
        workspace.messages.append(json.loads(await request.body()))
        return PlainTextResponse("ok")

    async def show(_request: Request) -> Response:
        return JSONResponse({"messages": workspace.messages})

    return Starlette(
        routes=[
            Route("/services/{team}/{bot}/{token}", take, methods=["POST"]),
            Route("/_sandbox/messages", show, methods=["GET"]),
        ]
    )


def _refusal(workspace: Workspace, path: str, body: bytes) -> str | None:
    if workspace.faults:
        return workspace.faults.popleft()
    if path not in workspace.webhooks:
        return "no_service"
    if workspace.limits and workspace.is_too_soon():
        return "rate_limited"
    return wrong_with(body)


def wrong_with(body: bytes) -> str | None:
    """Slack's word for what is wrong with a payload; None when nothing is."""
    try:
        payload = json.loads(body)
    except ValueError:
        return "invalid_payload"
    if not isinstance(payload, dict):
        return "invalid_payload"
    blocks = payload.get("blocks")
    if blocks is None:
        return None if isinstance(payload.get("text"), str) and payload["text"] else "no_text"
    if not isinstance(blocks, list) or not 0 < len(blocks) <= MOST_BLOCKS:
        return "invalid_blocks"
    return None if all(_is_block(block) for block in blocks) else "invalid_blocks"


def _is_block(block: object) -> bool:
    if not isinstance(block, dict):
        return False
    text = block.get("text")
    match block.get("type"):
        case "header":
            return _is_text(text, kinds=("plain_text",), longest=LONGEST_HEADER)
        case "section":
            return _is_text(text, kinds=("plain_text", "mrkdwn"), longest=LONGEST_SECTION)
        case "divider":
            return True
        case _:
            return False


def _is_text(text: object, *, kinds: tuple[str, ...], longest: int) -> bool:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        return False
    words = text.get("text")
    return isinstance(words, str) and 0 < len(words) <= longest
