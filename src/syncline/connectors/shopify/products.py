"""Products as wholes: found by their handle, made with all that belongs to them, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from syncline.connectors.shopify import ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.reads import read_families
from syncline.connectors.shopify.results import WriteResult, silent, user_errors

STREAM: Final = "products"
FIND: Final = """query FindProduct($identifier: ProductIdentifierInput!) {
  productByIdentifier(identifier: $identifier) { id handle createdAt }
}"""
# Without an identifier productSet makes a new product, and refuses a handle that is taken: so that a repeat makes no
# second one. It takes variants, stock, files and metafields in one call, and all of it or nothing is made.
CREATE: Final = """mutation CreateProduct($input: ProductSetInput!) {
  productSet(input: $input, synchronous: true) {
    product { id handle updatedAt }
    userErrors { field message code }
  }
}"""
DELETE: Final = """mutation DeleteProduct($input: ProductDeleteInput!) {
  productDelete(input: $input) { deletedProductId userErrors { field message } }
}"""


async def find_by_handles(client: ShopifyClient, handles: Iterable[str]) -> dict[str, int | None]:
    """The number of the product that has each handle; None where no product has it."""

    async def find(handle: str) -> tuple[str, int | None]:
        asked = {"identifier": {"handle": handle}}
        node = (await client.execute(FIND, asked, idempotent=True)).data["productByIdentifier"]
        return handle, None if node is None else ids.number_of(node["id"])

    return dict(await asyncio.gather(*map(find, dict.fromkeys(handles))))


async def read_whole(client: ShopifyClient, numbers: Iterable[int]) -> dict[int, list[bytes]]:
    """The lines of products and their variants; none for one that no longer exists."""
    return await read_families(client, STREAM, numbers)


async def create_product(client: ShopifyClient, given: Mapping[str, Any]) -> WriteResult:
    """Makes a product of a `ProductSetInput` with a handle; the result's key is its number, 0 when it was refused.

    Raises `OutcomeUnknown` when it may or may not have been made: whoever has its handle then tells.
    """
    answer = await client.execute(CREATE, {"input": dict(given)}, idempotent=False)
    payload = answer.data["productSet"]
    errors = user_errors(payload["userErrors"], "input")
    node = payload["product"]
    if errors or node is None:
        return WriteResult(0, ok=False, errors=errors or (silent(),))
    return WriteResult(ids.number_of(node["id"]), ok=True, updated_at=node["updatedAt"], values=node)


async def delete_product(client: ShopifyClient, number: int) -> WriteResult:
    """For good: Shopify cannot bring a product back. Raises `OutcomeUnknown` when it may or may not be gone."""
    asked = {"input": {"id": ids.gid(ids.PRODUCT, number)}}
    payload = (await client.execute(DELETE, asked, idempotent=False)).data["productDelete"]
    errors = user_errors(payload["userErrors"], "input")
    if errors or payload["deletedProductId"] is None:
        return WriteResult(number, ok=False, errors=errors or (silent(),))
    return WriteResult(number, ok=True)
