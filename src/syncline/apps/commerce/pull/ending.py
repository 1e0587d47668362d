"""The end of a stream: what the reading did not bring is marked as gone, and the stream is made final."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syncline.apps.commerce.contract import RunStatus
from syncline.apps.commerce.mirror.kinds import KINDS, kinds_of
from syncline.apps.commerce.mirror.positions import place_seen
from syncline.apps.commerce.mirror.tombstones import bury_by_key, bury_orphans, bury_unseen, bury_unseen_children
from syncline.apps.commerce.pull import repository
from syncline.apps.commerce.pull.holding import Holding
from syncline.apps.commerce.pull.repository import StreamRow
from syncline.connectors.shopify import streams
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.sources import SOURCES
from syncline.kernel import clock
from syncline.runtime.db.session import WriteSession


async def finish(holding: Holding) -> None:
    held = holding.held
    gone = await _deletions(holding.client, held)
    async with holding.database.writing(holding.tenant_id) as session:
        seen = await repository.count_seen(session, held.run_id, held.stream)
        missing = _missing(held, sum(seen.values()))
        incomplete: dict[str, Any] = {}
        deleted = 0
        if missing:
            sentence = f"Shopify counted {missing} more records than it sent; they are looked for by their ids."
            incomplete = {"is_incomplete": True, "notes": [sentence]}
        else:
            deleted += await _bury_unseen(session, held)
        for kind in (one for one in kinds_of(held.stream) if one.is_placed):
            await place_seen(session, held.store_id, kind, run_id=held.run_id)
        for deletion in gone:
            moment = datetime.fromisoformat(deletion.at)
            deleted += await bury_by_key(session, held.store_id, KINDS[deletion.kind], [(deletion.id,)], moment=moment)
        if deleted:
            deleted += await _bury_orphans(session, held)
        ended = await repository.update_stream(
            session,
            held,
            status=RunStatus.COMPLETED,
            finished_at=clock.now(),
            deleted=deleted,
            error=None,
            **incomplete,
        )
        await holding.telling.end(session, ended)


def _missing(held: StreamRow, seen: int) -> int:
    """How many fewer distinct records came than the bulk operations say they have."""
    return max(0, held.expected - seen) if held.expected is not None else 0


async def _bury_unseen(session: WriteSession, held: StreamRow) -> int:
    """After a complete reading all that it did not name; after an incremental one what its records came without. A
    stream that is dated below its root brings only the changed children of each record: there nothing is gone."""
    assert held.read_from is not None
    buried = 0
    if held.since is not None and not SOURCES[held.stream].is_dated:
        return 0
    for kind in kinds_of(held.stream):
        if held.since is None:
            buried += await bury_unseen(
                session, held.store_id, kind, run_id=held.run_id, stream=held.stream, read_from=held.read_from
            )
            continue
        for parent in kind.parents:
            if parent.seen_as is not None or KINDS[parent.kind].stream == held.stream:
                buried += await bury_unseen_children(
                    session, held.store_id, kind, parent, run_id=held.run_id, read_from=held.read_from
                )
    return buried


async def _bury_orphans(session: WriteSession, held: StreamRow) -> int:
    """Within the stream. What other streams hold of a record that is gone is buried when all have ended: here it would
    cross with their loading."""
    assert held.read_from is not None
    buried = 0
    for kind in kinds_of(held.stream):
        for parent in kind.parents:
            if KINDS[parent.kind].stream == held.stream:
                buried += await bury_orphans(session, held.store_id, kind, parent, moment=held.read_from)
    return buried


async def _deletions(client: ShopifyClient, held: StreamRow) -> list[streams.Deletion]:
    """What the store's event log says is gone of the stream's own records; children go with them."""
    kinds = kinds_of(held.stream)
    if held.since is None or SOURCES[held.stream].subject is None:
        return []
    return [
        deletion
        async for page in streams.read_deletions(client, held.since)
        for deletion in page
        if deletion.kind == kinds[0].name
    ]
