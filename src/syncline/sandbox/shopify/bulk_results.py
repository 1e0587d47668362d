"""Result files of bulk operations: written once per query and state of the store, then only read.

Grouped, a parent stands directly before its children. Ungrouped, the lines of many roots take turns, so that a reader
who counts on neighbours fails. A parent never comes after its child: whether Shopify keeps to that is not said; the
reordering fault breaks it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, NamedTuple
from uuid import uuid4

import msgspec

from syncline.sandbox.shopify.compiler import BulkConnection, BulkLine
from syncline.sandbox.shopify.state import Store

BATCH_LINES = 500
"""Lines written between two turns of the event loop, about 10 ms."""
LANES = 50
"""Roots whose lines take turns when the layout is not grouped."""
KEPT_RESULTS = 32

_encode = msgspec.json.Encoder().encode


class Line(NamedTuple):
    text: bytes
    is_root: bool


@dataclass(frozen=True, slots=True)
class Result:
    path: Path
    size: int
    objects: int
    roots: int


@dataclass(slots=True)
class Progress:
    objects: int = 0
    roots: int = 0
    is_stopped: bool = False
    """Set from outside: write no further batch."""


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What is wrong with the lines of a result; the operation still counts what should have been there."""

    reordered: bool = False
    duplicated: bool = False
    missing: bool = False


class ResultCache:
    """Results by (query, layout, state of the store), the oldest dropped when there are many.

    A dropped file stays on disk as long as the folder does: an address may still point to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: OrderedDict[tuple[object, ...], Result] = OrderedDict()

    def find(self, key: tuple[object, ...]) -> Result | None:
        return self._kept.get(key)

    def keep(self, key: tuple[object, ...], result: Result) -> None:
        self._kept[key] = result
        if len(self._kept) > KEPT_RESULTS:
            self._kept.popitem(last=False)

    def new_path(self) -> Path:
        return self.folder / f"result-{uuid4()}.jsonl"


def bulk_lines(store: Store, root: BulkLine, *, grouped: bool) -> Iterator[Line]:
    """The lines of a compiled bulk query.

    Lazy, and safe while the store changes between two lines: what was deleted meanwhile is left out.
    """
    families = (family for connection in root.connections for family in _families(store, connection, None, None))
    return chain.from_iterable(families) if grouped else _in_turn(families)


async def write_lines(lines: Iterator[Line], path: Path, progress: Progress) -> Result:
    """Writes all lines, giving way to the event loop after every batch; `progress` counts along."""
    with path.open("wb") as file:
        while not progress.is_stopped and (batch := list(islice(lines, BATCH_LINES))):
            _write(file, (line.text for line in batch))
            progress.objects += len(batch)
            progress.roots += sum(line.is_root for line in batch)
            await asyncio.sleep(0)
        return Result(path, file.tell(), progress.objects, progress.roots)


def write_faulty(result: Result, path: Path, faults: LineFaults) -> Result:
    """The same result with its lines spoiled: every seventh left out, every third twice, all in another order."""
    lines = _read(result)
    if faults.missing:
        lines = [line for number, line in enumerate(lines) if number % 7 != len(lines) % 7]
    if faults.duplicated:
        lines = [copy for number, line in enumerate(lines) for copy in ((line, line) if number % 3 == 0 else (line,))]
    if faults.reordered:
        lines = _reordered(lines)
    with path.open("wb") as file:
        _write(file, lines)
        return Result(path, file.tell(), result.objects, result.roots)


def _reordered(lines: list[bytes]) -> list[bytes]:
    """Children before their parents and anywhere, but those of one parent in their order: Shopify's page on bulk
    queries says that the order of each connection is kept."""
    of_parent: dict[bytes, deque[bytes]] = {}
    for line in lines:
        of_parent.setdefault(_parent_of(line), deque()).append(line)
    parents = [_parent_of(line) for line in lines if not _is_root(line)]
    Random(len(lines)).shuffle(parents)
    roots = [line for line in lines if _is_root(line)]
    Random(len(roots)).shuffle(roots)
    return [*(of_parent[parent].popleft() for parent in parents), *roots]


def _parent_of(line: bytes) -> bytes:
    return b"" if _is_root(line) else line[line.rindex(b'"__parentId":"gid:') :]


def write_first(result: Result, path: Path, objects: int) -> Result:
    """The first `objects` lines: what a failed operation leaves as its partial data."""
    lines = _read(result)[:objects]
    with path.open("wb") as file:
        _write(file, lines)
        return Result(path, file.tell(), len(lines), sum(map(_is_root, lines)))


def _families(store: Store, connection: BulkConnection, above: Any, parent: str | None) -> Iterator[Iterator[Line]]:
    """The nodes of a connection, each with everything below it."""
    is_there = _presence(store, connection.node_type)
    for entity in list(connection.items(above)):
        yield _family(store, connection.line, entity, parent, is_there)


def _family(
    store: Store, line: BulkLine, entity: Any, parent: str | None, is_there: Callable[[Any], bool]
) -> Iterator[Line]:
    if not is_there(entity):
        return
    shown = line.run(entity)
    if parent is not None:
        shown["__parentId"] = parent
    yield Line(_encode(shown), parent is None)
    for connection in line.connections:
        for family in _families(store, connection, entity, shown["id"]):
            yield from family


def _in_turn(families: Iterator[Iterator[Line]]) -> Iterator[Line]:
    """One line of each of the next `LANES` families in turn; a family that ends makes room for the next."""
    lanes = deque(islice(families, LANES))
    while lanes:
        lane = lanes.popleft()
        line = next(lane, None)
        if line is None:
            lanes.extend(islice(families, 1))
        else:
            yield line
            lanes.append(lane)


def _presence(store: Store, node_type: str) -> Callable[[Any], bool]:
    tables: dict[str, dict[int, Any]] = {
        "Product": store.products,
        "ProductVariant": store.variants,
        "InventoryItem": store.items,
        "Location": store.locations,
        "Order": store.sales.orders,
        "LineItem": store.sales.lines,
        "Customer": store.sales.customers,
        "MailingAddress": store.sales.addresses,
        "Collection": store.collections.by_id,
        "Media": store.media.by_id,
        "Metafield": store.metafields.by_id,
    }
    if node_type == "InventoryLevel":
        levels = store.levels
        return lambda level: (level.item_id, level.location_id) in levels
    table = tables.get(node_type)
    return (lambda _: True) if table is None else (lambda entity: entity.id in table)


def _read(result: Result) -> list[bytes]:
    return result.path.read_bytes().split(b"\n")[:-1]


def _write(file: BinaryIO, lines: Iterable[bytes]) -> None:
    if joined := b"\n".join(lines):
        file.write(joined)
        file.write(b"\n")


def _is_root(line: bytes) -> bool:
    return b'"__parentId":"gid:' not in line
