"""Which Smartlead campaigns a delta sync need not read, because nothing happened in them.

A campaign is read in pages of 1,000 mails; what it counts is one request. So where reading takes more than one, its
counters are asked for first. They need not be right, for they are compared with themselves only: whatever makes an
event (a mail sent, a first open or click, a reply, a bounce, an unsubscription) moves one. What could be missed:

- Counters that run ahead of the statistics. So a campaign that moved is read once more by the run after, and left out
  only when it has not moved since then.
- Two moves that cancel each other, and counters that stand still. So each campaign is read whole once in
  `SYNCLINE_OUTREACH_WHOLE_EVERY` all the same.

A campaign whose counters cannot be had is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.sync.planning import Campaign, Mark, Marks
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest
from syncline.connectors.smartlead.client import SmartleadClient
from syncline.connectors.smartlead.streams import ROWS, read_counters
from syncline.kernel.errors import Fatal, Retriable, Skippable
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime

log = structlog.get_logger(__name__)


async def look(
    runtime: Runtime,
    tenant_id: TenantId,
    campaigns: Sequence[Campaign],
    request: SyncRequest,
    *,
    marks: Marks,
    now: datetime,
    whole_every: timedelta,
) -> list[Campaign]:
    """The same campaigns, with their counters where it pays to look. Raises `ConnectionNotFound`."""
    found = {one: mark for one in campaigns if (mark := worth_looking(one, request, marks)) is not None}
    if not found:
        return list(campaigns)
    looked = dict[Campaign, Campaign]()
    async with opening.smartlead(runtime, tenant_id) as client:
        for one, mark in found.items():
            try:
                looked[one] = await _looked_at(client, one, mark, now=now, whole_every=whole_every)
            except (Fatal, Skippable) as error:
                log.warning("a campaign's counters cannot be had", campaign=one.id, reason=error.sentence)
            except Retriable as error:
                # Whatever it is, the rest would meet it too, and reading waits until it has passed.
                log.warning("counters cannot be had at present", reason=error.sentence)
                break
    unmoved = sum(one.is_unmoved for one in looked.values())
    log.info("campaigns looked at", tenant_id=str(tenant_id), looked=len(looked), unmoved=unmoved)
    return [looked.get(one, one) for one in campaigns]


def worth_looking(campaign: Campaign, request: SyncRequest, marks: Marks) -> Mark | None:
    """The mark to compare with; None when the campaign is read anyhow, or reading it costs no more than looking."""
    mark = marks.get((campaign.platform, campaign.id, campaign.namespace))
    is_delta = request.mode is SyncMode.DELTA and campaign.platform is Platform.SMARTLEAD
    return mark if is_delta and mark is not None and (mark.mails or 0) >= ROWS else None


def is_unmoved(mark: Mark, counters: dict[str, int], *, now: datetime, whole_every: timedelta) -> bool:
    is_recent = mark.whole_at is not None and now - mark.whole_at < whole_every
    return is_recent and mark.is_settled and mark.counters == counters


async def _looked_at(
    client: SmartleadClient, campaign: Campaign, mark: Mark, *, now: datetime, whole_every: timedelta
) -> Campaign:
    counters = await read_counters(client, int(campaign.id))
    unmoved = is_unmoved(mark, counters, now=now, whole_every=whole_every)
    return replace(campaign, counters=counters, is_unmoved=unmoved)
