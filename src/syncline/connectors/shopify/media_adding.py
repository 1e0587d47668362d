"""Images put into a product from their addresses. Shopify fetches them after it has answered, and is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from syncline.connectors.shopify import content_queries, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.media import delete_media
from syncline.connectors.shopify.results import RowResult, UserError, by_row, silent
from syncline.connectors.shopify.vendor_jobs import PAUSES

_LOOKED_AT = 100
"""At once: by id Shopify may charge for each."""
_AT_WORK = frozenset({"UPLOADED", "PROCESSING"})


@dataclass(frozen=True, slots=True)
class NewMedium:
    """`url` must be open to Shopify's servers; `alt` may be empty."""

    url: str
    alt: str = ""


async def add_media(client: ShopifyClient, product: int, rows: Sequence[NewMedium]) -> list[RowResult[int]]:
    """Puts images behind those that the product shows, in the order given.

    The key of a result is the row's place in `rows`; its values are what Shopify says of the medium, also while it is
    still at work on it after half a minute. One that Shopify could not fetch is taken away again and refused with
    Shopify's reason. Raises `OutcomeUnknown` when a call may or may not have been carried out: nothing keeps a repeat
    from adding them twice, so read the product first.
    """
    results: list[RowResult[int]] = []
    for start in range(0, len(rows), MAX_INPUT):
        results += await _add(client, product, start, rows[start : start + MAX_INPUT])
    made = {result.values["id"]: result for result in results if result.ok}
    states = await _wait(client, list(made))
    failed = [one for one in states.values() if one["status"] == "FAILED"]
    if failed:
        await delete_media(client, product, [one["id"] for one in failed])
    return [_told(result, states.get(result.values["id"])) if result.ok else result for result in results]


async def _add(client: ShopifyClient, product: int, start: int, rows: Sequence[NewMedium]) -> list[RowResult[int]]:
    """One call: the good ones are added, whatever is wrong with the others."""
    media = [{"originalSource": row.url, "alt": row.alt, "mediaContentType": "IMAGE"} for row in rows]
    variables = {"product": ids.gid(ids.PRODUCT, product), "media": media}
    answer = await client.execute(content_queries.ADD_MEDIA, variables, idempotent=False)
    payload = answer.data["productCreateMedia"]
    refused, whole = by_row(payload["mediaUserErrors"], ["media"])
    if whole:
        return [RowResult(start + i, ok=False, errors=tuple(whole)) for i in range(len(rows))]
    made = [node for node in payload["media"] or () if node]
    if len(made) + len(refused) != len(rows):
        return [RowResult(start + i, ok=False, errors=tuple(refused.get(i, (silent(),)))) for i in range(len(rows))]
    nodes = iter(made)
    return [
        RowResult(start + i, ok=False, errors=tuple(refused[i]))
        if i in refused
        else RowResult(start + i, ok=True, values=next(nodes))
        for i in range(len(rows))
    ]


async def _wait(client: ShopifyClient, media: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What Shopify says of them when it has done with all, or has taken too long."""
    states: dict[str, Mapping[str, Any]] = {}
    pending = list(media)
    for pause in (0.0, *PAUSES):
        if not pending:
            break
        await asyncio.sleep(pause)
        for start in range(0, len(pending), _LOOKED_AT):
            part = pending[start : start + _LOOKED_AT]
            answer = await client.execute(content_queries.READ_MEDIA_STATES, {"ids": part}, idempotent=True)
            states |= {one: node for one, node in zip(part, answer.data["nodes"], strict=True) if node}
        pending = [one for one in pending if one in states and states[one]["status"] in _AT_WORK]
    return states


def _told(result: RowResult[int], state: Mapping[str, Any] | None) -> RowResult[int]:
    if state is None:
        # Somebody took it away while Shopify was at work.
        return RowResult(result.key, ok=True, values=result.values, is_overtaken=True)
    if state["status"] != "FAILED":
        return RowResult(result.key, ok=True, values=state)
    errors = [UserError(("originalSource",), error["code"], error["message"]) for error in state["mediaErrors"]]
    return RowResult(result.key, ok=False, errors=tuple(errors) or (_failed(),))


def _failed() -> UserError:
    return UserError(("originalSource",), "FAILED", "Shopify could not make an image of what is at this address.")
