"""Alignments that come round: what is kept of them, and what they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import xxhash

from syncline.apps.commerce.alignment.service import align, choose_fields
from syncline.apps.commerce.alignment_contract import AlignedBy, Alignment
from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.schedule_contract import ScheduledAlignment
from syncline.apps.commerce.schedules.repository import ScheduleRow
from syncline.apps.commerce.staging.selection import parse_where
from syncline.apps.commerce.stores.repository import find_by_id
from syncline.kernel.tenant import Actor
from syncline.runtime.db.session import WriteSession

ALIGN_JOB = "commerce.align_on_schedule"


def kept(*, source: Store, target: Store, fields: Sequence[str], by: AlignedBy, where: str) -> dict[str, Any]:
    """The columns of a schedule that repeats this. Raises `InvalidInput` for what cannot be copied."""
    names = [one.name for one in choose_fields(source, target, fields)]
    parse_where(where)
    alignment = {"fields": names, "by": by.value, "where": where.strip()}
    same = json.dumps([str(source.id), sorted(names), by.value, where.strip()])
    return {
        "source_id": source.id,
        "alignment": alignment,
        "alignment_key": xxhash.xxh3_128_hexdigest(same.encode("utf-8", "surrogatepass")),
    }


def shown(row: ScheduleRow) -> ScheduledAlignment | None:
    if row.alignment is None or row.source is None:
        return None
    found = row.alignment
    return ScheduledAlignment(row.source, tuple(found["fields"]), AlignedBy(found["by"]), found["where"])


async def repeat(session: WriteSession, row: ScheduleRow, actor: Actor) -> tuple[UUID | None, str]:
    """The batch that was staged, None when nothing was to be done, and a sentence about it. Raises `InvalidInput` for
    what can no longer be copied."""
    wanted = shown(row)
    target = await find_by_id(session, row.store_id)
    source = None if row.source_id is None else await find_by_id(session, row.source_id)
    assert wanted is not None, "an alignment has its source"
    assert source is not None, "a schedule goes with the stores it is about"
    assert target is not None, "a schedule goes with the stores it is about"
    found = await align(
        session,
        source=source.store,
        target=target.store,
        fields=wanted.fields,
        by=wanted.by,
        where=wanted.where,
        actor=actor,
        note=None,
        is_repeated=True,
    )
    return found.batch_id, _sentence(found)


def _sentence(found: Alignment) -> str:
    parts = [f"{found.waiting:,} staged before"] if found.waiting else []
    parts += [f"{found.replaced:,} not sent, for the source has other values by now"] if found.replaced else []
    parts += [f"{found.unmatched:,} without a counterpart"] if found.unmatched else []
    parts += [f"{found.ambiguous:,} ambiguous"] if found.ambiguous else []
    besides = f" ({', '.join(parts)})" if parts else ""
    if not found.staged:
        return f"Nothing to stage of {found.looked:,} records of {found.source}{besides}."
    changes = "change waits" if found.staged == 1 else "changes wait"
    return f"{found.staged:,} {changes} for review on {found.target}{besides}."
