"""Media of a product: which it shows and in what order, taken away, and put into another order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from syncline.connectors.shopify import content_queries, ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT, MAX_QUERY_COST, estimate
from syncline.connectors.shopify.results import RowResult, UserError, WriteResult, by_row, silent
from syncline.connectors.shopify.vendor_jobs import wait_for_job

_GONE: Final = "MEDIA_DOES_NOT_EXIST"
_TYPE_NAMES: Final = {"image": "MediaImage", "video": "Video", "external_video": "ExternalVideo", "model_3d": "Model3d"}


def media_id(kind: str, number: int) -> str:
    """`gid://shopify/MediaImage/1`; `kind` is Shopify's word for its content, in small letters."""
    return ids.gid(_TYPE_NAMES[kind], number)


async def read_media(client: ShopifyClient, products: Iterable[int]) -> dict[int, list[str] | None]:
    """The ids of what each product shows, `gid://shopify/MediaImage/1`, in its order; None for a product that no longer
    exists. A product shows at most 250."""
    found = await _galleries(client, content_queries.READ_MEDIA, products)
    return {number: [one["id"] for one in shown] if shown is not None else None for number, shown in found.items()}


async def read_galleries(
    client: ShopifyClient, products: Iterable[int]
) -> dict[int, Sequence[Mapping[str, Any]] | None]:
    """The same with what is known of each medium, under Shopify's names."""
    return await _galleries(client, content_queries.READ_GALLERIES, products)


async def _galleries(
    client: ShopifyClient, query: str, products: Iterable[int]
) -> dict[int, Sequence[Mapping[str, Any]] | None]:
    wanted = list(dict.fromkeys(products))
    size = max(1, min(MAX_INPUT, MAX_QUERY_COST // estimate(query, {"ids": [""]})))
    found: dict[int, Sequence[Mapping[str, Any]] | None] = {}
    for start in range(0, len(wanted), size):
        part = wanted[start : start + size]
        asked = {"ids": [ids.gid(ids.PRODUCT, number) for number in part]}
        nodes = (await client.execute(query, asked, idempotent=True)).data["nodes"]
        found |= {number: node["media"]["nodes"] if node else None for number, node in zip(part, nodes, strict=True)}
    return found


async def delete_media(client: ShopifyClient, product: int, media: Sequence[str]) -> list[RowResult[str]]:
    """Takes media away from a product, in the order given; one that it does not show is no error. Shopify cannot bring
    them back: a file that no other product shows is deleted.

    Shopify deletes all of a call or none. When some are refused, the others are sent again without them. Raises
    `OutcomeUnknown` when a call may or may not have been carried out.
    """
    results: dict[str, RowResult[str]] = {}
    wanted = list(dict.fromkeys(media))
    for start in range(0, len(wanted), MAX_INPUT):
        pending = wanted[start : start + MAX_INPUT]
        while pending:
            results |= await _delete(client, product, pending)
            pending = [one for one in pending if one not in results]
    return [results[one] for one in media]


async def _delete(client: ShopifyClient, product: int, media: Sequence[str]) -> dict[str, RowResult[str]]:
    """One call, by id; without those that were fine but not deleted because of another."""
    variables = {"product": ids.gid(ids.PRODUCT, product), "media": list(media)}
    answer = await client.execute(content_queries.DELETE_MEDIA, variables, idempotent=False)
    payload = answer.data["productDeleteMedia"]
    refused, whole = by_row(payload["mediaUserErrors"], ["mediaIds"])
    if refused:
        return {media[i]: _refused(media[i], errors) for i, errors in refused.items()}
    if whole:
        return {one: RowResult(one, ok=False, errors=tuple(whole)) for one in media}
    deleted = set(payload["deletedMediaIds"] or ())
    return {one: RowResult(one, ok=one in deleted, errors=() if one in deleted else (silent(),)) for one in media}


def _refused(one: str, errors: Sequence[UserError]) -> RowResult[str]:
    is_gone = all(error.code == _GONE for error in errors)
    return RowResult(one, ok=is_gone, errors=() if is_gone else tuple(errors))


async def order_media(client: ShopifyClient, product: int, wanted: Sequence[str], *, now: Sequence[str]) -> WriteResult:
    """Puts all that a product shows into the order `wanted`; `now` is the order it was just read in.

    Shopify moves them after it has answered, and is waited for. It has no comparison of its own: an order that somebody
    else made since `now` was read is gone over. Raises `OutcomeUnknown` when it takes too long or may or may not have
    been carried out, `ValueError` when `wanted` does not hold exactly what `now` does.
    """
    moves = moves_between(now, wanted)
    for start in range(0, len(moves), MAX_INPUT):
        given = {"product": ids.gid(ids.PRODUCT, product), "moves": moves[start : start + MAX_INPUT]}
        answer = await client.execute(content_queries.ORDER_MEDIA, given, idempotent=False)
        payload = answer.data["productReorderMedia"]
        rows, whole = by_row(payload["mediaUserErrors"], ["moves"])
        errors = [*whole, *(error for row in rows.values() for error in row)]
        if errors:
            return WriteResult(product, ok=False, errors=tuple(errors))
        await wait_for_job(client, payload["job"], "moving the media of a product")
    return WriteResult(product, ok=True, values={"media": list(wanted)})


def moves_between(now: Sequence[str], wanted: Sequence[str]) -> list[Mapping[str, Any]]:
    """Shopify's moves, carried out one after the other; positions count from 0. Only what stands elsewhere is moved."""
    if sorted(now) != sorted(wanted):
        msg = "an order names exactly the media that the product shows, each once"
        raise ValueError(msg)
    order, moves = list(now), list[Mapping[str, Any]]()
    for position, one in enumerate(wanted):
        if order[position] != one:
            order.remove(one)
            order.insert(position, one)
            moves.append({"id": one, "newPosition": str(position)})
    return moves
