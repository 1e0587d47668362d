"""Setting stock: compared before it is set, sent under a key so that a repeat changes nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import msgspec

from syncline.connectors.shopify import ids, queries
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_INPUT
from syncline.connectors.shopify.reads import read_levels
from syncline.connectors.shopify.results import InventoryResult, UserError, by_row
from syncline.kernel.errors import Fatal, Retriable

LevelChange: TypeAlias = tuple[int, int, int, int | None]
"""(item, location, quantity, the quantity it is expected to have now). None for the last means: whatever it is."""

Key: TypeAlias = tuple[int, int]

MAX_PLACES: Final = 20
"""Locations in one call: each makes its answer three points dearer for every item."""

# The first version with @idempotent and changeFromQuantity. Names of versions sort by time.
_KEYED_SINCE: Final = "2026-01"
_GENERATIONS: Final = 5
_PAUSES: Final = (0.2, 0.5, 1.0, 2.0)


async def set_inventory(
    client: ShopifyClient,
    changes: Sequence[LevelChange],
    *,
    idempotency_key: str,
    reason: str = "correction",
    reference: str | None = None,
) -> list[InventoryResult]:
    """Sets what is available, in the order given; a row whose expected quantity is out of date is refused as stale.

    Shopify writes all rows of a call or none. When some are refused, the others are sent again without them, under a
    key made from the given one and the rows. A stale row whose level already is what was asked for counts as written:
    so it does when the same call is made again after a crash. `updated_at` is the level's own, read together with its
    quantity; a row whose level is no longer as it was written `is_overtaken`. `reference` is a `gid://` shown in
    Shopify's inventory history.
    """
    results: dict[int, InventoryResult] = {}
    for batch in _batches(client, changes):
        pending = batch
        while pending:
            rows = [changes[i] for i in pending]
            answers = await _set_levels(client, rows, idempotency_key, reason, reference)
            done = {i: answer for i, answer in zip(pending, answers, strict=True) if answer is not None}
            results |= done
            pending = [i for i in pending if i not in done]
    return await _settled(client, changes, [results[i] for i in range(len(changes))])


async def _settled(
    client: ShopifyClient, changes: Sequence[LevelChange], results: Sequence[InventoryResult]
) -> list[InventoryResult]:
    """Looks at the levels of stale rows, and takes those for written that are as they should be; and at those of
    written rows whose level did not come with the answer, for their time."""
    unsure = [result.key for result in results if result.is_stale or _lacks_time(result)]
    levels = await read_levels(client, unsure) if unsure else {}

    def settle(change: LevelChange, result: InventoryResult) -> InventoryResult:
        level = levels.get(result.key)
        if result.key in levels and (result.ok or (level and level.quantity("available") == change[2])):
            return _seen(change, level.quantity("available") if level else None, level.updatedAt if level else None)
        return result

    return [settle(change, result) for change, result in zip(changes, results, strict=True)]


def _lacks_time(result: InventoryResult) -> bool:
    return result.ok and result.updated_at is None and not result.is_overtaken


def _seen(change: LevelChange, quantity: int | None, updated_at: str | None) -> InventoryResult:
    """A row that was written, with its level as it is now. The time of a level that moved on belongs to the other
    quantity: with it, or with the time of the write, which Shopify gives only as that of the whole group and up to a
    second later, what was written could pass for newer than what is there."""
    item, place, wanted, _ = change
    if quantity != wanted:
        return InventoryResult((item, place), ok=True, values={"available": wanted}, is_overtaken=True)
    return InventoryResult((item, place), ok=True, updated_at=updated_at, values={"available": wanted})


def _batches(client: ShopifyClient, changes: Sequence[LevelChange]) -> Iterator[list[int]]:
    """Indexes of rows that go in one call. On 2025-10 leaving out the comparison holds for a whole call, so rows with
    and without one are kept apart."""
    groups = [list(range(len(changes)))]
    if _is_old(client):
        groups = [[i for i in groups[0] if (changes[i][3] is None) is bare] for bare in (False, True)]
    for group in groups:
        batch: list[int] = []
        places: set[int] = set()
        for i in group:
            place = changes[i][1]
            if len(batch) == MAX_INPUT or (len(places) == MAX_PLACES and place not in places):
                yield batch
                batch, places = [], set()
            batch.append(i)
            places.add(place)
        if batch:
            yield batch


async def _set_levels(
    client: ShopifyClient, rows: Sequence[LevelChange], key: str, reason: str, reference: str | None
) -> list[InventoryResult | None]:
    """One atomic call. None for a row that was fine but not written because of another's error."""
    input_: dict[str, Any] = {"name": "available", "reason": reason}
    if reference is not None:
        input_["referenceDocumentUri"] = reference
    send = _send_compared if _is_old(client) else _send_keyed
    payload = await send(client, input_, rows, key)
    refused, whole = by_row(payload["userErrors"], ["input", "quantities"])
    if refused:
        return [_refused(row, refused[i]) if i in refused else None for i, row in enumerate(rows)]
    if whole:
        return [_refused(row, whole) for row in rows]
    return _written(rows, payload["inventoryAdjustmentGroup"])


def _refused(row: LevelChange, errors: Sequence[UserError]) -> InventoryResult:
    return InventoryResult((row[0], row[1]), ok=False, errors=tuple(errors))


def _written(rows: Sequence[LevelChange], group: Mapping[str, Any] | None) -> list[InventoryResult | None]:
    """A row that changed nothing is not in the group, and without a group none changed: their levels stood at their
    quantities already, and are looked at later."""
    levels = _levels_of(rows, group)
    return [_with_level(row, levels.get((row[0], row[1]))) for row in rows]


def _with_level(row: LevelChange, level: Mapping[str, Any] | None) -> InventoryResult:
    if level is None:
        return InventoryResult((row[0], row[1]), ok=True, values={"available": row[2]})
    (available,) = level["quantities"]
    return _seen(row, available["quantity"], level["updatedAt"])


def _levels_of(rows: Sequence[LevelChange], group: Mapping[str, Any] | None) -> dict[Key, Mapping[str, Any]]:
    """The levels that came with the answer, by item and location."""
    items = [change["item"] for change in group["changes"] if change["item"]] if group else []
    return {
        (ids.number_of(item["id"]), place): item[alias]
        for item in items
        for place, alias in _aliases(rows).items()
        if item[alias]
    }


def _aliases(rows: Sequence[LevelChange]) -> dict[int, str]:
    """What the locations of a call are named in its document: by their order."""
    return {place: queries.place_alias(i) for i, place in enumerate(dict.fromkeys(row[1] for row in rows))}


def _places(rows: Sequence[LevelChange]) -> dict[str, str]:
    return {alias: ids.gid(ids.LOCATION, place) for place, alias in _aliases(rows).items()}


def _is_old(client: ShopifyClient) -> bool:
    return client.version < _KEYED_SINCE


def _quantities(rows: Sequence[LevelChange], expectation: str) -> list[dict[str, Any]]:
    """An explicit null skips the comparison; since 2026-04 leaving it out is an error."""
    return [
        {
            "inventoryItemId": ids.gid(ids.INVENTORY_ITEM, item),
            "locationId": ids.gid(ids.LOCATION, place),
            "quantity": quantity,
            expectation: expected,
        }
        for item, place, quantity, expected in rows
    ]


async def _send_compared(
    client: ShopifyClient, input_: dict[str, Any], rows: Sequence[LevelChange], _key: str
) -> dict[str, Any]:
    """2025-10: no idempotency key, so a lost answer is `OutcomeUnknown`."""
    whole = input_ | {
        "quantities": _quantities(rows, "compareQuantity"),
        "ignoreCompareQuantity": rows[0][3] is None,
    }
    places = _places(rows)
    query = queries.set_inventory(len(places), keyed=False)
    answer = await client.execute(query, {"input": whole, **places}, idempotent=False)
    payload: dict[str, Any] = answer.data["inventorySetQuantities"]
    return payload


async def _send_keyed(
    client: ShopifyClient, input_: dict[str, Any], rows: Sequence[LevelChange], key: str
) -> dict[str, Any]:
    whole = input_ | {"quantities": _quantities(rows, "changeFromQuantity")}
    places = _places(rows)
    query = queries.set_inventory(len(places), keyed=True)
    for generation in range(_GENERATIONS):
        variables = {"input": whole, "key": _derived(key, whole, generation), **places}
        payload = await _when_settled(client, query, variables)
        codes = {error.get("code") for error in payload["userErrors"]}
        if "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" in codes:
            raise Fatal("A change was sent under the key of another one; please report this with the log.")
        if "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" not in codes:
            return payload
        # Nothing was written under this key and Shopify wants a new one; it is derived, so that a retry after a
        # crash finds the same.
    raise Retriable(
        "Shopify keeps failing to set the stock of the same items.",
        vendor_code="IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
        wait=timedelta(minutes=1),
    )


async def _when_settled(client: ShopifyClient, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The same key may still be at work for a call whose answer was lost; its result comes once that has ended."""
    for pause in _PAUSES:
        answer = await client.execute(query, variables, idempotent=True)
        payload: dict[str, Any] = answer.data["inventorySetQuantities"]
        if all(e.get("code") != "IDEMPOTENCY_CONCURRENT_REQUEST" for e in payload["userErrors"]):
            return payload
        await asyncio.sleep(pause)
    raise Retriable(
        "Shopify is still working on the same change of stock.",
        vendor_code="IDEMPOTENCY_CONCURRENT_REQUEST",
        wait=timedelta(seconds=10),
    )


def _derived(key: str, input_: Mapping[str, Any], generation: int) -> str:
    """32 hex digits that depend on the caller's key and on what is sent under it."""
    text = msgspec.json.encode([key, generation, input_], order="sorted")
    return hashlib.blake2b(text, digest_size=16).hexdigest()
