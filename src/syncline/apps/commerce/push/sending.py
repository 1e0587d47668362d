"""Changes to the store, kind by kind: which action writes them and how its answers end them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push import ends
from syncline.apps.commerce.push.ends import Ready
from syncline.apps.commerce.push.reading import read_now
from syncline.apps.commerce.push.repository import Settled
from syncline.apps.commerce.push.sending_galleries import send_gallery_images, send_orders
from syncline.apps.commerce.push.sending_memberships import send_memberships
from syncline.apps.commerce.push.sending_metafields import send_metafields
from syncline.apps.commerce.push.sending_wholes import send_wholes
from syncline.apps.commerce.push.vendor_fields import answered, collection_input, product_input, variant_input
from syncline.apps.commerce.staging.repository import ChangeRow
from syncline.connectors.shopify import actions
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.results import RowResult

Sender: TypeAlias = Callable[[ShopifyClient, str, Sequence[Ready]], Awaitable[list[Settled]]]
"""Takes the store's currency too. One end for each of the changes, in their order. Raises `OutcomeUnknown` when any of
them may or may not have been carried out."""


async def send_products(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    results = [
        await actions.update_product(client, one.change.resource_id, product_input(one.change.after, one.now))
        for one in members
    ]
    return [_end(one.change, result, currency) for one, result in zip(members, results, strict=True)]


async def send_variants(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """Variants of one product."""
    rows = [(one.change.resource_id, variant_input(one.change.after, one.now)) for one in members]
    results = await actions.update_variants(client, members[0].change.product_id, rows)
    return [_end(one.change, result, currency) for one, result in zip(members, results, strict=True)]


async def send_levels(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """Compare-and-swap at Shopify itself: a quantity that moved since it was read is refused, the others are set."""
    results = await actions.set_inventory(
        client, [_quantity(one) for one in members], idempotency_key=_idempotency_key(members)
    )
    made = [_end(one.change, result, currency) for one, result in zip(members, results, strict=True)]
    stale = [one.change for one, result in zip(members, results, strict=True) if result.is_stale]
    if not stale:
        return made
    now = await read_now(client, currency, stale)
    moved = {change.id: ends.moved(change, now[change.id]) for change in stale}
    return [moved.get(end.change_id, end) for end in made]


async def send_collections(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    results = [
        await actions.update_collection(client, one.change.resource_id, collection_input(one.change.after, one.now))
        for one in members
    ]
    return [_end(one.change, result, currency) for one, result in zip(members, results, strict=True)]


async def send_images(client: ShopifyClient, currency: str, members: Sequence[Ready]) -> list[Settled]:
    """Images of one product."""
    rows = [(one.change.resource_id, one.change.after["image_alt"]) for one in members]
    results = await actions.set_image_alts(client, members[0].change.product_id, rows)
    return [_end(one.change, result, currency) for one, result in zip(members, results, strict=True)]


SENDERS: Mapping[Owner, Sender] = {
    Owner.PRODUCT: send_products,
    Owner.VARIANT: send_variants,
    Owner.INVENTORY_LEVEL: send_levels,
    Owner.PRODUCT_MEDIA: send_images,
    Owner.PRODUCT_METAFIELD: send_metafields,
    Owner.VARIANT_METAFIELD: send_metafields,
    Owner.COLLECTION: send_collections,
    Owner.COLLECTION_MEMBERSHIP: send_memberships,
    Owner.PRODUCT_IMAGE: send_gallery_images,
    Owner.PRODUCT_GALLERY: send_orders,
    Owner.WHOLE_PRODUCT: send_wholes,
}


def _end(change: ChangeRow, result: RowResult[Any], currency: str) -> Settled:
    if not result.ok:
        return ends.refused(change, result)
    return ends.written(change, result, answered(change.after, result.values, currency))


def _quantity(one: Ready) -> tuple[int, int, int, int | None]:
    change = one.change
    now = one.now.get("available")
    return (
        change.resource_id,
        change.location_id or 0,
        int(str(change.after["available"])),
        int(str(now)) if now is not None else None,
    )


def _idempotency_key(members: Sequence[Ready]) -> str:
    """The same changes at the same attempt have the same key, also after a crash, so Shopify applies them once."""
    named = ",".join(sorted(f"{one.change.id}:{one.change.attempt}" for one in members))
    return str(uuid5(NAMESPACE_OID, named))
