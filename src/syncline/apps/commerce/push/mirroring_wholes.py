"""Products that a push made and deleted, in the mirror."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.contract import ChangeStatus
from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.mirror.burying import bury_products
from syncline.apps.commerce.mirror.loading import load_lines
from syncline.apps.commerce.push.repository import End
from syncline.apps.commerce.whole_product import FIELD
from syncline.connectors.shopify import products
from syncline.connectors.shopify.client import ShopifyClient
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import WriteSession


def _applied(ends: Sequence[End]) -> list[End]:
    wholes = (end for end in ends if end.change.kind == Owner.WHOLE_PRODUCT)
    return [end for end in wholes if end.settled.status is ChangeStatus.APPLIED]


def made_by(ends: Sequence[End]) -> list[int]:
    """The numbers of the products that these ends brought."""
    return [product["id"] for end in _applied(ends) if (product := end.settled.after[FIELD]) is not None]


async def bury_deleted(session: WriteSession, store_id: UUID, ends: Sequence[End], *, moment: datetime) -> None:
    gone = [end.change.resource_id for end in _applied(ends) if end.settled.after[FIELD] is None]
    if gone:
        await bury_products(session, store_id, gone, moment=moment)


async def load_made(
    database: Database, tenant_id: TenantId, client: ShopifyClient, store_id: UUID, numbers: Sequence[int]
) -> None:
    """Read what was made and keep it, in a transaction of its own. When it is not reached, the push does it at its end;
    their stock, pictures and metafields come with the next pull in any case."""
    if not numbers:
        return
    read_from = client.store_now()
    found = await products.read_whole(client, numbers)
    lines = [line for family in found.values() for line in family]
    async with database.writing(tenant_id) as session:
        await load_lines(session, store_id, products.STREAM, lines, read_from=read_from)
