"""Products into collections that are filled by hand, and out of them."""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.commerce.push import ends
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.reading import read_now
from syncline.apps.commerce.push.repository import Settled
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient


async def send_memberships(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """All of one collection, and all into it or all out of it."""
    products = [one.change.product_id for one in members]
    write = actions.add_members if is_adding(members[0]) else actions.remove_members
    results = await write(client, members[0].change.resource_id, products)
    found = {
        one.change.id: ends.written(one.change, result, dict(one.change.after))
        if result.ok
        else ends.refused(one.change, result)
        for one, result in zip(members, results, strict=True)
    }
    refused = [one for one, result in zip(members, results, strict=True) if not result.ok]
    if refused:
        # A product that somebody else has put in meanwhile is refused too, and is as wanted. It was not put in by us,
        # so an undo leaves it where it is.
        now = await read_now(client, currency, [one.change for one in refused])
        for one in refused:
            settled = ends.after_refusal(one.change, now[one.change.id])
            found |= {one.change.id: settled} if settled is not None else {}
    return [found[one.change.id] for one in members]


def is_adding(one: Ready) -> bool:
    return bool(one.change.after["collections"])
