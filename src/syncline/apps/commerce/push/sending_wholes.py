"""Products to be made and deleted, each in a call of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from syncline.apps.commerce.fields import AnyValue
from syncline.apps.commerce.push import ends
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.repository import Settled
from syncline.apps.commerce.push.whole_products import is_making, read_made, write_whole
from syncline.apps.commerce.whole_product import FIELD
from syncline.connectors.shopify.client import ShopifyClient
from syncline.runtime.connect.errors import OutcomeUnknown


async def send_wholes(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """What was made is read at once: the receipt has it as the store has it, with its ids, and an undo compares with
    that."""
    (one,) = members
    change = one.change
    result = await write_whole(client, change)
    if not result.ok:
        return [ends.refused(change, result)]
    after: dict[str, AnyValue] = {FIELD: None}
    if is_making(change):
        after = dict(await read_made(client, currency, change, result.key))
        if after[FIELD] is None:
            raise OutcomeUnknown("The product was made and cannot be read yet.", detail=change.label)
    return [ends.written(change, replace(result, errors=()), after)]
