"""Lines of several streams in one go, as tests of the catalogue like to write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.mirror.loading import load_lines
from syncline.connectors.shopify.sources import SOURCES
from syncline.runtime.db.session import WriteSession

_CATALOG = ("products", "inventory")


async def load_catalog(session: WriteSession, store_id: UUID, lines: Sequence[bytes], *, read_from: datetime) -> None:
    """Load products, variants, locations and stock levels, each line in the stream its type belongs to."""
    for stream in _CATALOG:
        types = [f'"gid://shopify/{name}/'.encode() for name in SOURCES[stream].types]
        own = [line for line in lines if any(line.startswith(b'{"id":' + name) for name in types)]
        await load_lines(session, store_id, stream, own, read_from=read_from)
