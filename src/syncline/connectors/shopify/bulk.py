"""Bulk operations: Shopify runs the query on its side, unthrottled, and leaves a file of JSON lines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from syncline.connectors.shopify import queries
from syncline.connectors.shopify.bulk_file import CHUNK_BYTES, BulkUrlExpired, FileChunk, FileTruncated, read_file
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.errors import BUSY_CODES
from syncline.connectors.shopify.sources import bulk_query
from syncline.kernel.errors import Fatal
from syncline.runtime.connect.connector import Stream
from syncline.runtime.connect.deadline import Deadline
from syncline.runtime.connect.errors import NotProcessed, OutcomeUnknown

__all__ = [
    "CHUNK_BYTES",
    "BulkBusy",
    "BulkState",
    "BulkUrlExpired",
    "FileChunk",
    "FileTruncated",
    "cancel",
    "find",
    "read_file",
    "start",
    "wait",
]

RUNNING: Final = frozenset({"CREATED", "RUNNING", "CANCELING"})
# The first version with bulkOperations. Names of versions sort by time.
_LISTED_SINCE: Final = "2026-01"


class BulkBusy(NotProcessed):
    """All slots for bulk queries of this app and store are taken (one until 2025-10, five since 2026-01)."""


@dataclass(frozen=True, slots=True)
class BulkState:
    """`url` is None for an empty result; `partial_url` holds what a failed operation had written. Both live 7 days.

    `error_code` is ACCESS_DENIED, INTERNAL_SERVER_ERROR or TIMEOUT. Counts grow while it runs.
    """

    id: str
    status: str
    error_code: str | None
    url: str | None
    partial_url: str | None
    object_count: int
    root_object_count: int
    file_size: int | None
    created_at: str
    completed_at: str | None
    query: str

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING

    @property
    def is_complete(self) -> bool:
        return self.status == "COMPLETED"


async def start(
    client: ShopifyClient,
    stream: Stream,
    *,
    since: datetime | None = None,
    within: str | None = None,
    patience: timedelta = timedelta(minutes=10),
    pause: timedelta = timedelta(seconds=5),
) -> str:
    """Starts an operation and returns its id. Waits up to `patience` for a slot, then raises `BulkBusy`. `within` is a
    search that limits it to a part of the stream's records.

    If the answer is lost, the operation is looked for and taken over, so that none is left running unseen.
    """
    query = bulk_query(stream.name, since=since, within=within)
    limit = Deadline.after(patience)
    while True:
        try:
            return await _start_once(client, query, pause)
        except BulkBusy:
            if not limit.allows(pause.total_seconds()):
                raise
        except OutcomeUnknown:
            found = await _find_running(client, query)
            if found is None:
                raise
            return found.id
        await asyncio.sleep(pause.total_seconds())


async def _start_once(client: ShopifyClient, query: str, pause: timedelta) -> str:
    answer = await client.execute(queries.BULK_START, {"query": query}, idempotent=False)
    payload = answer.data["bulkOperationRunQuery"]
    codes = [error.get("code") for error in payload["userErrors"]]
    if any(code in BUSY_CODES for code in codes):
        raise BulkBusy(
            f"Another bulk export is running on {client.config.shop_domain}; Syncline waits for it.",
            vendor_code=next(code for code in codes if code in BUSY_CODES),
            wait=pause,
        )
    if codes or payload["bulkOperation"] is None:
        reasons = "; ".join(str(error["message"]) for error in payload["userErrors"]) or "it gave no reason"
        raise Fatal(
            f"Shopify refused the bulk export of {client.config.shop_domain}: {reasons}. Update Syncline, or choose "
            "another API version for the store.",
            vendor_code=next(iter(codes), None),
        )
    return str(payload["bulkOperation"]["id"])


async def _find_running(client: ShopifyClient, query: str) -> BulkState | None:
    if client.version < _LISTED_SINCE:
        current = (await client.execute(queries.BULK_CURRENT, idempotent=True)).data["currentBulkOperation"]
        recent = [current] if current else []
    else:
        recent = (await client.execute(queries.BULK_RECENT, idempotent=True)).data["bulkOperations"]["nodes"]
    states = [_state(node) for node in recent]
    return next((s for s in states if s.is_running and s.query.split() == query.split()), None)


async def find(client: ShopifyClient, op_id: str) -> BulkState:
    """The present state; one point. Raises `Fatal` if Shopify no longer knows the operation."""
    node = (await client.execute(queries.BULK_FIND, {"id": op_id}, idempotent=True)).data["node"]
    if not node:
        raise Fatal("Shopify no longer knows this bulk export; start the pull anew.", detail=op_id)
    return _state(node)


async def wait(
    client: ShopifyClient,
    op_id: str,
    *,
    poll: timedelta = timedelta(seconds=1),
    slowest: timedelta = timedelta(seconds=15),
) -> BulkState:
    """Polls until the operation has ended, ever more slowly. The caller bounds it with a time-out of its own."""
    seconds = poll.total_seconds()
    while (state := await find(client, op_id)).is_running:
        await asyncio.sleep(seconds)
        seconds = min(seconds * 1.3, slowest.total_seconds())
    return state


async def cancel(client: ShopifyClient, op_id: str) -> None:
    """Asks for the end; the operation stays CANCELING for a moment. One that has ended already is left as it is."""
    await client.execute(queries.BULK_CANCEL, {"id": op_id}, idempotent=True)


def _state(node: dict[str, Any]) -> BulkState:
    """UnsignedInt64 comes as a string."""
    size = node["fileSize"]
    return BulkState(
        id=node["id"],
        status=node["status"],
        error_code=node["errorCode"],
        url=node["url"],
        partial_url=node["partialDataUrl"],
        object_count=int(node["objectCount"]),
        root_object_count=int(node["rootObjectCount"]),
        file_size=None if size is None else int(size),
        created_at=node["createdAt"],
        completed_at=node["completedAt"],
        query=node["query"],
    )
