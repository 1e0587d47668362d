"""While one piece is stored, the next one is prepared, and only that one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from syncline.apps.commerce.mirror.lines import Chunk
from syncline.apps.commerce.mirror.loading import Loaded, Prepared
from syncline.apps.commerce.pull.ahead import Piece, Ready, ready_ahead
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database

Line = Callable[..., bytes]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Pulling:
    """A stream of pieces for a store of its own. `given` says how many were taken from the source."""

    def __init__(self, database: Database, tenant_id: TenantId, pieces: list[list[bytes]]) -> None:
        self.database, self.tenant_id, self.store_id = database, tenant_id, new_id()
        self.pieces = pieces
        self.given = 0
        self.is_closed = False

    async def source(self) -> AsyncGenerator[Piece, None]:
        try:
            for number, lines in enumerate(self.pieces):
                self.given += 1
                yield Piece(lines, str(number))
        finally:
            self.is_closed = True

    def ahead(self) -> AsyncGenerator[Ready, None]:
        return ready_ahead(self.database, self.tenant_id, self.store_id, "products", self.source())

    async def store(self, ready: Ready) -> Loaded:
        async with self.database.writing(self.tenant_id) as session:
            return await ready.store(session, self.store_id, read_from=NOON)


Pull = Callable[[list[list[bytes]]], Pulling]


@pytest.fixture
def pull(shared_database: Database, tenant_id: TenantId) -> Pull:
    return lambda pieces: Pulling(shared_database, tenant_id, pieces)


async def test_every_piece_comes_in_order_and_is_stored_once(pull: Pull, product_line: Line) -> None:
    pulling = pull([[product_line(number)] for number in range(1, 6)])
    found = [(ready.cursor, (await pulling.store(ready)).inserted) async for ready in pulling.ahead()]
    assert found == [(str(number), 1) for number in range(5)]


async def test_no_more_than_the_next_piece_is_read_ahead(pull: Pull, product_line: Line) -> None:
    pulling = pull([[product_line(number)] for number in range(1, 6)])
    taken = []
    async for ready in pulling.ahead():
        await pulling.store(ready)
        taken.append(pulling.given)
    assert taken == [2, 3, 4, 5, 5]


async def test_a_piece_that_repeats_the_one_before_waits_for_it_and_finds_it_stored(
    pull: Pull, product_line: Line, variant_line: Line
) -> None:
    pulling = pull([[product_line(1), variant_line(11)], [product_line(1), product_line(2)], [product_line(3)]])
    kinds, counts = [], []
    async for ready in pulling.ahead():
        kinds.append(type(ready.content))
        loaded = await pulling.store(ready)
        counts.append((loaded.inserted, loaded.updated, loaded.unchanged))
    assert kinds == [Prepared, Chunk, Prepared]
    assert counts == [(2, 0, 0), (1, 0, 1), (1, 0, 0)]


async def test_what_was_stored_before_the_last_piece_is_found_by_the_look_up_ahead(
    pull: Pull, product_line: Line
) -> None:
    pulling = pull([[product_line(1)], [product_line(2)], [product_line(1)]])
    counts = [(await pulling.store(ready)).unchanged async for ready in pulling.ahead()]
    assert counts == [0, 0, 1]


async def test_a_caller_that_stops_leaves_nothing_open(pull: Pull, product_line: Line) -> None:
    pulling = pull([[product_line(number)] for number in range(1, 6)])
    async with aclosing(pulling.ahead()) as ahead:
        await anext(ahead)
    assert pulling.is_closed
    assert pulling.database.pool_status().active == 0
