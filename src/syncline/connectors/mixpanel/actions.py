"""Writing to Mixpanel: strict import, in parts that its limits allow."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from syncline.connectors.mixpanel.client import MixpanelClient
from syncline.connectors.mixpanel.errors import ERRORS, UNREADABLE
from syncline.runtime.connect.connector import Action

IMPORT: Final = Action(
    "import_events",
    idempotent_by="(event, distinct_id, time, $insert_id) in reports; the raw export keeps each copy, so that a"
    " batch is read back after OutcomeUnknown",
)
ACTIONS: Final = (IMPORT,)

MOST_EVENTS = 2_000
# The text says 10 MB, its example of a refusal 2 MiB: what fits the smaller is safe under both.
MOST_BYTES = 2_000_000
_HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that was refused and never will be taken as it is; `index` is its place in the batch."""

    index: int
    insert_id: str
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    count: int
    failed: tuple[Failed, ...] = ()


def batches(events: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut by number and by size of the JSON, in order."""
    batch: list[dict[str, Any]] = []
    size = 2
    for event in events:
        more = len(msgspec.json.encode(event)) + 1
        if batch and (len(batch) == MOST_EVENTS or size + more > MOST_BYTES):
            yield batch
            batch, size = [], 2
        batch.append(event)
        size += more
    if batch:
        yield batch


async def import_events(client: MixpanelClient, events: Sequence[dict[str, Any]]) -> Imported:
    """One batch, once. Raises connector outcomes: `TooLarge` with nothing ingested, `OutcomeUnknown` when it may have
    been ingested: read the days back and send only what is not there."""
    return await client.ingestion.send(
        "import",
        "/import",
        _imported,
        method="POST",
        query={"strict": 1},
        content=gzip.compress(msgspec.json.encode(events), compresslevel=1),
        headers=_HEADERS,
        idempotent=False,
    )


def _imported(response: httpx.Response) -> Imported:
    try:
        told = msgspec.json.decode(response.content)
        failed = tuple(
            # The page calls it $insert_id, the OpenAPI document insert_id.
            Failed(
                index=one["index"],
                insert_id=str(one.get("$insert_id") or one.get("insert_id") or ""),
                field=str(one.get("field", "")),
                message=str(one.get("message", "")),
            )
            for one in told.get("failed_records", ())
        )
        return Imported(int(told["num_records_imported"]), failed)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ERRORS.outcome(UNREADABLE, detail=str(error)) from error
