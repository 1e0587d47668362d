"""All that the sandbox serves: for each type of the schema its fields, and which type an entity is of."""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify import (
    mutations_collections,
    mutations_inventory,
    mutations_media,
    mutations_metafields,
    mutations_products,
    mutations_sales,
    mutations_set,
    mutations_variants,
    resolvers_bulk,
    resolvers_catalog,
    resolvers_charges,
    resolvers_collections,
    resolvers_customers,
    resolvers_inventory,
    resolvers_media,
    resolvers_metafields,
    resolvers_money,
    resolvers_orders,
    resolvers_root,
    resolvers_shop,
    resolvers_unused,
    subscriptions,
)
from syncline.sandbox.shopify.bulk import BulkOperation
from syncline.sandbox.shopify.compiler import Resolver, entries
from syncline.sandbox.shopify.connections import PAGE_INFO
from syncline.sandbox.shopify.entities_content import Collection, Media, Metafield
from syncline.sandbox.shopify.entities_sales import (
    Address,
    Customer,
    Fulfillment,
    Order,
    OrderLine,
    Refund,
    Transaction,
)
from syncline.sandbox.shopify.state import Event, InventoryItem, InventoryLevel, Location, Product, Shop, Variant
from syncline.sandbox.shopify.world import ProductSetOperation

_TOLD: dict[str, dict[str, Resolver]] = {
    **resolvers_catalog.TYPES,
    "Product": {**resolvers_catalog.PRODUCT, **resolvers_collections.PRODUCT, **resolvers_media.PRODUCT},
    **resolvers_inventory.TYPES,
    **resolvers_orders.TYPES,
    **resolvers_charges.TYPES,
    "Order": {**resolvers_orders.ORDER, **resolvers_charges.ORDER},
    "LineItem": {**resolvers_orders.LINE, **resolvers_charges.LINE},
    "OrderTransaction": {**resolvers_orders.TYPES["OrderTransaction"], **resolvers_charges.TRANSACTION},
    **resolvers_money.TYPES,
    **resolvers_customers.TYPES,
    **resolvers_collections.TYPES,
    **resolvers_media.TYPES,
    **resolvers_metafields.TYPES,
    "Job": entries("id", "done"),
    **resolvers_shop.TYPES,
    **resolvers_bulk.TYPES,
    **mutations_products.TYPES,
    **mutations_variants.TYPES,
    **mutations_inventory.TYPES,
    **mutations_set.TYPES,
    **mutations_metafields.TYPES,
    **mutations_collections.TYPES,
    **mutations_media.TYPES,
    **mutations_sales.TYPES,
    **subscriptions.TYPES,
    "PageInfo": PAGE_INFO,
    "QueryRoot": {**resolvers_root.QUERY, **resolvers_bulk.QUERY, **subscriptions.QUERY},
    "Mutation": {
        **mutations_products.MUTATIONS,
        **mutations_variants.MUTATIONS,
        **mutations_inventory.MUTATIONS,
        **mutations_set.MUTATIONS,
        **mutations_metafields.MUTATIONS,
        **mutations_collections.MUTATIONS,
        **mutations_media.MUTATIONS,
        **mutations_sales.MUTATIONS,
        **resolvers_bulk.MUTATIONS,
        **subscriptions.MUTATIONS,
    },
}

SERVED: dict[str, dict[str, Resolver]] = {
    name: {**resolvers_unused.TYPES.get(name, {}), **_TOLD.get(name, {})}
    for name in _TOLD.keys() | resolvers_unused.TYPES.keys()
}

TYPE_NAMES: dict[type, str] = {
    **resolvers_charges.TYPE_NAMES,
    **subscriptions.TYPE_NAMES,
    Product: "Product",
    Variant: "ProductVariant",
    InventoryItem: "InventoryItem",
    InventoryLevel: "InventoryLevel",
    Location: "Location",
    Event: "BasicEvent",
    Shop: "Shop",
    BulkOperation: "BulkOperation",
    ProductSetOperation: "ProductSetOperation",
    Order: "Order",
    OrderLine: "LineItem",
    Refund: "Refund",
    Fulfillment: "Fulfillment",
    Transaction: "OrderTransaction",
    Customer: "Customer",
    Address: "MailingAddress",
    Collection: "Collection",
    Metafield: "Metafield",
}


def type_name(entity: Any) -> str:
    return entity.type_name if isinstance(entity, Media) else TYPE_NAMES[type(entity)]
