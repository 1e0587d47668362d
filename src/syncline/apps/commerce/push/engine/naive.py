"""What changes come to one product a request: the yardstick that a push's cost is held against. Pure.

A program without this engine reads the product with what hangs on it, at Shopify's page of 50, and writes the product,
its variants, its stock, its metafields, its images, their order or its place in a collection in a request of its own.
The points are those charged by Shopify's law (see the connector's `cost`) for a product of one variant at one location
with one metafield, one image: the least they can be. `bench/push_cost.py` sends these very requests.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncline.apps.commerce.fields import Owner
from syncline.apps.commerce.push_contract import PushCost
from syncline.apps.commerce.staging.repository import ChangeRow

WRITE = 10
READS = {
    Owner.PRODUCT: 2,
    Owner.VARIANT: 3,
    Owner.INVENTORY_LEVEL: 3,
    Owner.PRODUCT_METAFIELD: 3,
    Owner.VARIANT_METAFIELD: 3,
    Owner.PRODUCT_MEDIA: 3,
    Owner.PRODUCT_IMAGE: 3,
    Owner.PRODUCT_GALLERY: 3,
    Owner.COLLECTION: 2,
    Owner.COLLECTION_MEMBERSHIP: 1,
    Owner.WHOLE_PRODUCT: 5,
}


def naive_cost(changes: Iterable[ChangeRow]) -> PushCost:
    """A read and a write for each record's product and kind; only the naive half of the cost is set."""
    calls = {(change.kind, _whose(change)) for change in changes}
    points = sum(WRITE + READS.get(Owner(kind), 1) for kind, _ in calls)
    return PushCost(naive_requests=2 * len(calls), naive_points=float(points))


def _whose(change: ChangeRow) -> tuple[int, int]:
    is_placed = Owner(change.kind) in {Owner.COLLECTION, Owner.COLLECTION_MEMBERSHIP}
    return (change.product_id, change.resource_id if is_placed else 0)
