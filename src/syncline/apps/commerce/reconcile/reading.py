"""The store's side of a comparison: keys, or keys with the hash of every value, never the records themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from syncline.apps.commerce.mirror.kinds import KINDS, compared_hash, kinds_of
from syncline.apps.commerce.mirror.lines import Key, key_of, parent_of
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.records import MARKERS, decode, kind_of


@dataclass(slots=True)
class InStore:
    """Keys of one kind with the hash of their content (None when only the keys were asked for), and the number of the
    record each was read with."""

    contents: dict[Key, int | None] = field(default_factory=dict)
    roots: dict[Key, int] = field(default_factory=dict)


class _Moved(msgspec.Struct, frozen=True, gc=False):
    updated_at: datetime | None = msgspec.field(name="updatedAt", default=None)


_moved = msgspec.json.Decoder(_Moved).decode


async def read_stream(
    client: ShopifyClient,
    stream: str,
    *,
    keys_only: bool,
    told: Callable[[int], None] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, InStore]:
    """Every record of a stream by kind, read by pages: another way than the bulk file that most pulls come by. `told`
    is how many were read so far, after each page. With `since` and `until` only records updated between the two, each
    with all that hangs on it."""
    found = {kind.name: InStore() for kind in kinds_of(stream)}
    async for page in streams.read_pages(client, streams.STREAMS[stream], keys_only=keys_only, since=since):
        root, is_late = 0, False
        places: dict[tuple[str, int], int] = {}
        for line in page.lines:
            name = kind_of(line, stream)
            moved_at = _moved(line).updated_at if until is not None else None
            is_later = until is not None and moved_at is not None and moved_at > until
            if parent_of(line) is None:
                (root,) = key_of(line, "own")
                is_late = is_later
            if name in MARKERS or is_late or is_later:
                continue
            kind = KINDS[name]
            key = key_of(line, kind.key_from)
            place = places[name, root] = places.get((name, root), 0) + 1
            content = None if keys_only else kind.content(decode(line, name))
            found[name].contents[key] = None if content is None else compared_hash(kind, content, place)
            found[name].roots[key] = root
        if told is not None:
            told(sum(len(side.contents) for side in found.values()))
    return found
