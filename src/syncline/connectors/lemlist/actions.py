"""Writing to lemlist: hooks. lemlist signs nothing; a hook's secret stands in the body of each call."""

from __future__ import annotations

import hmac
from typing import Any, Final

import msgspec

from syncline.connectors.lemlist.client import LemlistClient, decoded
from syncline.runtime.connect.connector import Action

ADD_HOOK: Final = Action("add_hook", idempotent_by="read back with list_hooks after OutcomeUnknown")
REMOVE_HOOK: Final = Action("remove_hook", idempotent_by="the hook's id")
ACTIONS: Final = (ADD_HOOK, REMOVE_HOOK)

_JSON = {"Content-Type": "application/json"}


async def add_hook(client: LemlistClient, *, target: str, secret: str, kind: str | None = None) -> str:
    """Its id. Raises `OutcomeUnknown` when it may have been made."""
    sent: dict[str, Any] = {"targetUrl": target, "secret": secret} | ({} if kind is None else {"type": kind})
    content = msgspec.json.encode(sent)
    answer = await client.send(
        "add_hook", "/hooks", decoded, method="POST", content=content, headers=_JSON, idempotent=False
    )
    return str(answer["_id"])


async def list_hooks(client: LemlistClient) -> list[dict[str, Any]]:
    """Without their secrets, which lemlist never gives back."""
    return await client.list("list_hooks", "/hooks", {})


async def remove_hook(client: LemlistClient, hook: str) -> None:
    await client.send("remove_hook", f"/hooks/{hook}", decoded, method="DELETE")


def is_from_hook(body: dict[str, Any], secret: str) -> bool:
    """Whether a call to us carries the secret of the hook, compared without telling by its time how much is right."""
    return hmac.compare_digest(str(body.get("secret", "")).encode(), secret.encode())
