"""Reading Smartlead. A row of the statistics is one mail with its present state, so that a row changes for as long as
somebody may open or answer it; the filter by date looks at the sending only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from syncline.connectors.smartlead.client import SmartleadClient, whole
from syncline.connectors.smartlead.errors import AGGREGATE, ERRORS, RESTLESS
from syncline.connectors.smartlead.tally import MOST_PASSES, Tally, Verdict
from syncline.kernel.clock import iso
from syncline.runtime.connect.connector import Stream

log = structlog.get_logger("syncline.connectors.smartlead")

ROWS = 1_000
LEADS_A_PAGE = 100

STATISTICS: Final = Stream(
    name="statistics",
    kinds=("Mail",),
    key={"Mail": "stats_id"},
    cursor="sent_time; the bounds are documented as exclusive",
    paging="offset, in an order that is not documented: read until as many are seen as there are",
    cost="1 request a page of 1,000; about 10 KB a row",
)
LEADS: Final = Stream(
    name="leads",
    kinds=("Lead",),
    key={"Lead": "lead.id"},
    cursor="none",
    paging="offset",
    cost="1 request a page of 100",
)
STREAMS: Final = {stream.name: stream for stream in (STATISTICS, LEADS)}


@dataclass(frozen=True, slots=True)
class Page:
    """Records as Smartlead tells them, `total` of all pages; `cursor` reads on after them, None on the last page."""

    records: list[dict[str, Any]]
    total: int
    cursor: str | None


async def list_campaigns(client: SmartleadClient) -> list[dict[str, Any]]:
    """All of them: Smartlead does not page them. Raises connector outcomes."""
    body = await client.get("campaigns", "/campaigns/")
    if not isinstance(body, list):
        raise ERRORS.outcome(AGGREGATE, detail="campaigns: no list")
    return body


async def read_counters(client: SmartleadClient, campaign: int) -> dict[str, int]:
    """What a campaign's analytics count, by name: mails sent, opens, clicks, replies, bounces, unsubscriptions, leads.

    They disagree with the statistics (seen live), so they say only whether something moved since they were read last.
    Raises connector outcomes: `Skippable` when the campaign is gone."""
    body = await client.get("analytics", f"/campaigns/{campaign}/analytics")
    told = {name: value for name, value in body.items() if name.endswith("_count")} if isinstance(body, dict) else {}
    if "sent_count" not in told:
        raise ERRORS.outcome(AGGREGATE, detail="analytics: no counters")
    return {name: whole(value or 0) for name, value in sorted(told.items())}


async def read_statistics(
    client: SmartleadClient,
    campaign: int,
    *,
    sent_after: datetime | None = None,
    sent_before: datetime | None = None,
    status: str | None = None,
    cursor: str | None = None,
) -> AsyncIterator[Page]:
    """The mails of a campaign; some twice when mails are removed meanwhile. `status` is opened, clicked, replied,
    unsubscribed or bounced. Raises connector outcomes: `Skippable` when the campaign is gone, `Retriable` when the list
    does not rest for long enough to be read whole."""
    asked: dict[str, object] = {}
    if sent_after is not None:
        asked["sent_time_start_date"] = iso(sent_after)
    if sent_before is not None:
        asked["sent_time_end_date"] = iso(sent_before)
    if status is not None:
        asked["email_status"] = status
    path = f"/campaigns/{campaign}/statistics"
    async for page in _pages(client, "statistics", path, asked, cursor, size=ROWS, key=("stats_id",)):
        yield page


async def read_leads(client: SmartleadClient, campaign: int, *, cursor: str | None = None) -> AsyncIterator[Page]:
    path = f"/campaigns/{campaign}/leads"
    async for page in _pages(client, "leads", path, {}, cursor, size=LEADS_A_PAGE, key=("lead", "id")):
        yield page


async def _pages(
    client: SmartleadClient,
    operation: str,
    path: str,
    asked: dict[str, object],
    cursor: str | None,
    *,
    size: int,
    key: Sequence[str],
) -> AsyncIterator[Page]:
    tally = Tally.resumed(cursor)
    while True:
        if tally.passes >= MOST_PASSES:
            raise ERRORS.outcome(RESTLESS, detail=f"{path}: {len(tally.known)} of {tally.total}")
        body = await client.get(operation, path, {**asked, "offset": tally.offset, "limit": size})
        rows, total = _rows(operation, body, key)
        is_first = tally.offset == 0
        if tally.shrank(total) and not is_first:
            continue
        fresh = tally.add(_key(row, key) for row in rows)
        found = [row for row, is_fresh in zip(rows, fresh, strict=True) if is_fresh]
        verdict = tally.judge(is_end=len(rows) < size)
        if verdict is Verdict.DISAGREES:
            log.warning("a list is not as long as it says", path=path, says=total, has=len(tally.known))
        yield Page(found, total, tally.cursor() if verdict is Verdict.GOES_ON else None)
        if verdict is not Verdict.GOES_ON:
            return


def _rows(operation: str, body: Any, key: Sequence[str]) -> tuple[list[dict[str, Any]], int]:
    """Both wrappers that are documented. Sums in place of rows are refused, for nothing could be told from them."""
    if isinstance(body, dict):
        rows = body.get("data", body.get("leads"))
        total = body.get("total_stats", body.get("total_leads", body.get("total", 0)))
        if isinstance(rows, list) and all(key[0] in row for row in rows):
            return rows, whole(total)
    raise ERRORS.outcome(AGGREGATE, detail=f"{operation}: no rows")


def _key(row: dict[str, Any], key: Sequence[str]) -> str:
    value: Any = row
    for name in key:
        value = value[name]
    return str(value)
