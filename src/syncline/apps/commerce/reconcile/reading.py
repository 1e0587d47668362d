"""The store's side of a comparison: keys, or keys with the hash of every value, never the records themselves."""

from __future__ import annotations

from syncline.apps.commerce.mirror.kinds import KINDS, Kind, content_hash, kinds_of
from syncline.apps.commerce.mirror.lines import Key, key_of
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.records import decode, kind_of


async def ids_of_kind(client: ShopifyClient, kind: Kind) -> dict[Key, int | None]:
    return {(number,): None async for page in streams.list_ids(client, kind.name) for number in page}


async def contents_of_stream(client: ShopifyClient, stream: str) -> dict[str, dict[Key, int | None]]:
    """Every record of a stream, read by pages: another way than the bulk file that most pulls come by."""
    contents: dict[str, dict[Key, int | None]] = {kind.name: {} for kind in kinds_of(stream)}
    async for page in streams.read_pages(client, streams.STREAMS[stream]):
        for line in page.lines:
            name = kind_of(line)
            content = KINDS[name].content(decode(line, name))
            contents[name][key_of(line, name)] = content_hash(content)
    return contents
