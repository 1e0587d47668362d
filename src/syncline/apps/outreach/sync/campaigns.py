"""The campaigns of both tools, each with the namespace that its name leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from syncline.apps.outreach.connections import opening
from syncline.apps.outreach.contract import Namespace
from syncline.apps.outreach.namespaces.matching import match
from syncline.apps.outreach.sync.planning import Campaign
from syncline.apps.outreach.sync_contract import Platform
from syncline.connectors.lemlist.streams import read_campaigns
from syncline.connectors.smartlead.streams import list_campaigns
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime


async def list_all(
    runtime: Runtime, tenant_id: TenantId, platforms: Sequence[Platform], namespaces: Sequence[Namespace]
) -> list[Campaign]:
    """In the order in which the tools tell them. Raises connector outcomes and `ConnectionNotFound`."""

    def space(name: str) -> str:
        return match(name, namespaces).namespace

    found = list[Campaign]()
    if Platform.LEMLIST in platforms:
        async with opening.lemlist(runtime, tenant_id) as client:
            async for page in read_campaigns(client):
                found += _campaigns(Platform.LEMLIST, page.records, "_id", "createdAt", space)
    if Platform.SMARTLEAD in platforms:
        async with opening.smartlead(runtime, tenant_id) as smartlead:
            told = await list_campaigns(smartlead)
        found += _campaigns(Platform.SMARTLEAD, told, "id", "created_at", space)
    return found


def _campaigns(
    platform: Platform, records: Iterable[dict[str, Any]], key: str, opened: str, space: Callable[[str], str]
) -> list[Campaign]:
    return [
        Campaign(platform, str(one[key]), name, space(name), _moment(one.get(opened)))
        for one in records
        for name in [str(one.get("name") or "").replace("\0", "")]
    ]


def _moment(told: object) -> datetime | None:
    """None for what cannot be read: the campaign is then read from the beginning of time."""
    try:
        found = datetime.fromisoformat(str(told))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
