"""Source = stored = delivered: the comparison by day and namespace, what differs by name, and its mending.

The source's side is what a run of mode `reconcile` has just read; Mixpanel's side is our receipts, or with `readBack`
the raw export, in which nothing is ever deduplicated, so that it also shows what was sent twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Row

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.delivery import repository as deliveries
from syncline.apps.outreach.delivery.repository import DELIVERED
from syncline.apps.outreach.events.event import EventSource
from syncline.apps.outreach.happenings.storing import milliseconds, store, unpacked
from syncline.apps.outreach.reconcile import repository
from syncline.apps.outreach.reconcile.repository import Receipt
from syncline.apps.outreach.sync_contract import SyncMode, SyncRequest
from syncline.connectors.mixpanel.client import MixpanelClient
from syncline.connectors.mixpanel.streams import count_marks
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import Session, WriteSession

NAMED: Final = 100
"""Differences that the report names; the counts are of all."""
MOST_EXPORTS: Final = 40
"""Of the 60 export queries that Mixpanel allows an hour: longer ranges are asked for several days at a time."""
ENOUGH_EVENTS: Final = 20_000
"""Of fewer events no export is asked for while days are left: who compares again within the hour needs queries too."""
NOT_AT_MIXPANEL: Final = "not at Mixpanel"
_AT_ONCE: Final = 1_000
_AT_MIXPANEL: Final = ("at_mixpanel", "raw_at_mixpanel")
_COUNTS: Final = ("source", "stored", "delivered", "forgotten", "waiting", "refused", "missing", "extra", *_AT_MIXPANEL)


@dataclass(slots=True)
class Exported:
    """What Mixpanel's raw export has of the events that are compared, by the day and namespace under which they are.
    `missing` are keys whose receipt says delivered and that are not there."""

    raw: Counter[tuple[date, str]] = field(default_factory=Counter)
    distinct: Counter[tuple[date, str]] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


async def read_back(
    runtime: Runtime, tenant_id: TenantId, run: Row[Any], request: SyncRequest, say: Callable[[str], Awaitable[None]]
) -> Exported | None:
    """None for a run that did not ask for it. `say` is told which part comes next. Raises connector outcomes,
    `ConnectionNotFound`."""
    if request.mode is not SyncMode.COMPARE or not run.config["asked"].get("readBack"):
        return None
    async with runtime.database.reading(tenant_id) as session:
        about = repository.scope(session, run.id, request, run.read_until)
        days = await repository.count_told(session, about)
    found = Exported()
    if not days:
        return found
    async with opening.mixpanel(runtime, tenant_id) as client:
        parts = windows(days, MOST_EXPORTS, ENOUGH_EVENTS)
        for number, (first, last) in enumerate(parts, start=1):
            await say(part_sentence(number, len(parts)))
            async with runtime.database.reading(tenant_id) as session:
                receipts = await _receipts(session, about, first, last)
            await _compare_window(client, first, last, receipts, found)
    return found


async def _receipts(session: Session, about: dict[str, Any], first: date, last: date) -> Sequence[Receipt]:
    begin, end = (datetime.combine(day, time.min, UTC) for day in (first, last + timedelta(days=1)))
    return await repository.list_receipts(session, about, first_ms=milliseconds(begin), last_ms=milliseconds(end) - 1)


async def _compare_window(
    client: MixpanelClient, first: date, last: date, receipts: Sequence[Receipt], found: Exported
) -> None:
    marks = [one.mark for one in receipts]
    # By name, for the project may be full of what others sent.
    seen = await count_marks(client, first, last, marks, events=sorted({event for event, *_ in marks}))
    for one in receipts:
        where, count = (one.day, one.namespace), seen[one.mark]
        found.raw[where] += count
        found.distinct[where] += count > 0
        if count > 1:
            found.twice.append(one.event_key)
        if count == 0 and one.state == DELIVERED:
            found.missing.append(one.event_key)


def part_sentence(number: int, parts: int) -> str:
    return (
        f"Reading Mixpanel's export, part {number} of {parts}. Mixpanel allows 60 requests an hour, so a part can take"
        " minutes to begin."
    )


def windows(days: Mapping[date, int], most: int, enough: int = 0) -> list[tuple[date, date]]:
    """The days in at most so many stretches, each with about as many events, and with enough: of one at a time the
    export is held in memory."""
    least = max(enough, sum(days.values()) / most)
    found, first, count = list[tuple[date, date]](), None, 0
    for day in sorted(days):
        first, count = first or day, count + days[day]
        if count >= least:
            found.append((first, day))
            first, count = None, 0
    return found if first is None else [*found, (first, max(days))]


async def compare(
    session: WriteSession, run: Row[Any], request: SyncRequest, exported: Exported | None
) -> dict[str, Any]:
    """The report; with `repair` what is missing is stored, and what Mixpanel lacks waits to be delivered again."""
    about = repository.scope(session, run.id, request, run.read_until)
    rows = [_line(row, exported) for row in await repository.count_by_day(session, about)]
    differences = [_difference(row) for row in await repository.list_differences(session, about, NAMED)]
    if exported is not None:
        differences += [{"event_key": key, "what": NOT_AT_MIXPANEL} for key in exported.missing[:NAMED]]
        differences += [{"event_key": key, "what": "twice at Mixpanel"} for key in exported.twice[:NAMED]]
    totals = {name: sum(row.get(name, 0) for row in rows) for name in _COUNTS if exported or name not in _AT_MIXPANEL}
    repaired = await _repair(session, about, exported) if run.config["asked"].get("repair") else None
    return {
        "agreed": all(agrees(row) for row in rows) and not (exported and (exported.missing or exported.twice)),
        "read_back": exported is not None,
        "days": rows,
        "totals": totals,
        "differences": differences,
        "repaired": repaired,
    }


def _line(row: Sequence[Any], exported: Exported | None) -> dict[str, Any]:
    namespace, day, source, stored, delivered, forgotten, waiting, refused, missing, extra = row
    told: dict[str, Any] = {
        "day": day.isoformat(),
        "namespace": namespace,
        "source": source,
        "stored": stored,
        "delivered": delivered,
        "forgotten": forgotten,
        "waiting": waiting,
        "refused": refused,
        "missing": missing,
        "extra": extra,
    }
    if exported is not None:
        told["at_mixpanel"] = exported.distinct[day, namespace]
        told["raw_at_mixpanel"] = exported.raw[day, namespace]
    return told


def agrees(row: Mapping[str, Any]) -> bool:
    """Of somebody who was forgotten Mixpanel is told nothing more, and what it was told is not looked for."""
    told, forgotten = row["delivered"], row["forgotten"]
    is_there = row.get("at_mixpanel", told) == told == row.get("raw_at_mixpanel", told)
    return bool(row["source"] == row["stored"] == told + forgotten and not row["missing"] and is_there)


def _difference(row: Sequence[Any]) -> dict[str, Any]:
    key, at_source, is_stored, state, sentence = row
    if at_source and not is_stored:
        what = "not stored"
    elif is_stored and not at_source:
        what = "not at the source"
    else:
        what = f"refused by Mixpanel: {sentence}"
    return {"event_key": key, "what": what, "delivery": state}


async def _repair(session: WriteSession, about: dict[str, Any], exported: Exported | None) -> dict[str, int]:
    """What the tool does not have any more stays: only a `namespace_reset` takes away."""
    stored, after = 0, ""
    while missing := await repository.list_missing(session, about, after, _AT_ONCE):
        after = missing[-1][0]
        for namespace in sorted({row[1] for row in missing}):
            happenings = [unpacked(event, at) for _, space, at, event in missing if space == namespace]
            stored += await store(session, happenings, namespace=namespace, source=EventSource.SYNC, to_mixpanel=True)
    again = list(exported.missing) if exported is not None else []
    refused = [row[0] for row in await repository.list_differences(session, about, 10_000) if row[3] == "refused"]
    return {"stored": stored, "sent_again": await deliveries.wait_again(session, [*again, *refused])}
