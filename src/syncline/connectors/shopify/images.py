"""Alt texts of a product's images: read again, and set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from syncline.connectors.shopify import content_queries, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.results import RowResult, WriteResult, by_row, silent

_IMAGE: Final = "MediaImage"


async def read_images(client: ShopifyClient, numbers: Iterable[int]) -> dict[int, dict[str, Any] | None]:
    """Images as {id, alt}, by id; None for one that no longer exists."""
    wanted = list(dict.fromkeys(numbers))
    found: dict[int, dict[str, Any] | None] = {}
    for start in range(0, len(wanted), MAX_INPUT):
        part = wanted[start : start + MAX_INPUT]
        asked = {"ids": [ids.gid(_IMAGE, number) for number in part]}
        answer = await client.execute(content_queries.READ_IMAGES, asked, idempotent=True)
        found |= dict(zip(part, answer.data["nodes"], strict=True))
    return found


async def set_image_alts(
    client: ShopifyClient, product: int, rows: Sequence[tuple[int, str | None]]
) -> list[WriteResult]:
    """Sets the alt texts of images of one product, in the order given; None clears one.

    Shopify writes all of a call or none. When some are refused, the others are sent again without them. Raises
    `OutcomeUnknown` when a call may or may not have been carried out.
    """
    results: dict[int, WriteResult] = {}
    for start in range(0, len(rows), MAX_INPUT):
        pending = list(range(start, min(start + MAX_INPUT, len(rows))))
        while pending:
            answers = await _set(client, product, [rows[i] for i in pending])
            results |= {i: answer for i, answer in zip(pending, answers, strict=True) if answer is not None}
            pending = [i for i in pending if i not in results]
    return [results[i] for i in range(len(rows))]


async def _set(client: ShopifyClient, product: int, rows: Sequence[tuple[int, str | None]]) -> list[WriteResult | None]:
    """One call. None for a row that was fine but not written because of another's error."""
    media = [{"id": ids.gid(_IMAGE, number), "alt": alt or ""} for number, alt in rows]
    variables = {"product": ids.gid(ids.PRODUCT, product), "media": media}
    answer = await client.execute(content_queries.SET_IMAGE_ALTS, variables, idempotent=False)
    payload = answer.data["productUpdateMedia"]
    refused, whole = by_row(payload["mediaUserErrors"], ["media"])
    if refused:
        return [
            RowResult(number, ok=False, errors=tuple(refused[i])) if i in refused else None
            for i, (number, _) in enumerate(rows)
        ]
    if whole:
        return [RowResult(number, ok=False, errors=tuple(whole)) for number, _ in rows]
    nodes = {ids.number_of(node["id"]): node for node in payload["media"] or ()}
    return [
        RowResult(number, ok=True, values=nodes[number])
        if number in nodes
        else RowResult(number, ok=False, errors=(silent(),))
        for number, _ in rows
    ]
