"""How Shopify's words for the catalogue and its stock become ours."""

from __future__ import annotations

from decimal import Decimal

from syncline.apps.commerce.mirror.kind import (
    Content,
    Kind,
    Parent,
    decimal,
    moment,
    sorted_json,
    unversioned,
    updated_at,
)
from syncline.apps.commerce.mirror.models import (
    collection,
    collection_membership,
    inventory_item,
    inventory_level,
    location,
    metafield,
    product,
    product_media,
    variant,
)
from syncline.connectors.shopify.catalog_nodes import (
    CollectionNode,
    InventoryItemNode,
    InventoryLevelNode,
    LocationNode,
    MediaNode,
    MembershipNode,
    MetafieldNode,
    ProductNode,
    VariantNode,
)
from syncline.connectors.shopify.ids import number_of, type_of


def _product(node: ProductNode) -> Content:
    return (
        node.number,
        node.handle,
        node.title,
        node.descriptionHtml,
        node.vendor,
        node.productType,
        node.status.lower(),
        list(node.tags),
        node.templateSuffix,
        node.seo.title,
        node.seo.description,
        node.isGiftCard,
        sorted_json([{"name": option.name, "values": option.values} for option in node.options]),
        node.variantsCount.count if node.variantsCount is not None else None,
        moment(node.createdAt),
        moment(node.publishedAt),
    )


def _variant(node: VariantNode) -> Content:
    item = node.inventoryItem
    weight = item.measurement.weight
    return (
        node.number,
        node.product_number,
        node.title,
        node.sku,
        node.barcode,
        Decimal(node.price),
        decimal(node.compareAtPrice),
        node.position,
        node.taxable,
        node.inventoryPolicy.lower(),
        sorted_json(node.selectedOptions),
        item.number,
        item.tracked,
        item.requiresShipping,
        decimal(item.unitCost.amount) if item.unitCost is not None else None,
        Decimal(str(weight.value)) if weight is not None else None,
        weight.unit.lower() if weight is not None else None,
        moment(node.createdAt),
    )


def _location(node: LocationNode) -> Content:
    return (node.number, node.name, node.isActive)


def _level(node: InventoryLevelNode) -> Content:
    quantities = {entry.name: entry.quantity for entry in node.quantities}
    return (
        node.item_number,
        node.location_number,
        quantities.get("available"),
        quantities.get("on_hand"),
        quantities.get("committed"),
        quantities.get("incoming"),
    )


def _item(node: InventoryItemNode) -> Content:
    weight = node.measurement.weight
    return (
        number_of(node.id),
        node.sku,
        node.tracked,
        node.requiresShipping,
        node.countryCodeOfOrigin,
        node.provinceCodeOfOrigin,
        node.harmonizedSystemCode,
        decimal(node.unitCost.amount) if node.unitCost is not None else None,
        Decimal(str(weight.value)) if weight is not None else None,
        weight.unit.lower() if weight is not None else None,
        moment(node.createdAt),
    )


def _collection(node: CollectionNode) -> Content:
    count = node.productsCount
    return (
        number_of(node.id),
        node.handle,
        node.title,
        node.descriptionHtml,
        node.sortOrder.lower(),
        node.templateSuffix,
        node.seo.title,
        node.seo.description,
        sorted_json(node.ruleSet) if node.ruleSet is not None else None,
        count.count if count is not None and count.precision == "EXACT" else None,
    )


def _membership(node: MembershipNode) -> Content:
    return (number_of(node.parent_id), number_of(node.id))


def _media(node: MediaNode) -> Content:
    preview = node.preview.image if node.preview is not None else None
    shown = node.image or preview
    return (
        number_of(node.parent_id),
        number_of(node.id),
        node.mediaContentType.lower(),
        node.alt,
        node.status.lower(),
        shown.url if shown is not None else None,
        node.image.width if node.image is not None else None,
        node.image.height if node.image is not None else None,
    )


_OWNERS = {"Product": "product", "ProductVariant": "variant"}


def _metafield(node: MetafieldNode) -> Content:
    return (
        number_of(node.id),
        _OWNERS[type_of(node.parent_id)],
        number_of(node.parent_id),
        node.namespace,
        node.key,
        node.type,
        node.value,
        node.compareDigest,
        moment(node.createdAt),
    )


PRODUCT = Kind(
    name="product",
    stream="products",
    table=product,
    key=("id",),
    columns=(
        *("id", "handle", "title", "description_html", "vendor", "product_type", "status", "tags", "template_suffix"),
        *("seo_title", "seo_description", "is_gift_card", "options", "variants_count", "created_at", "published_at"),
    ),
    content=_product,
    version=updated_at,
)
VARIANT = Kind(
    name="variant",
    stream="products",
    table=variant,
    key=("id",),
    columns=(
        *("id", "product_id", "title", "sku", "barcode", "price", "compare_at_price", "position", "taxable"),
        *("inventory_policy", "selected_options", "inventory_item_id", "tracked", "requires_shipping", "cost"),
        *("weight", "weight_unit", "created_at"),
    ),
    content=_variant,
    version=updated_at,
    parents=(Parent("product", "product_id", counted_in="variants_count"),),
    root="m.product_id",
)
LOCATION = Kind(
    name="location",
    stream="inventory",
    table=location,
    key=("id",),
    columns=("id", "name", "is_active"),
    content=_location,
    version=unversioned,
)
INVENTORY_LEVEL = Kind(
    name="inventory_level",
    stream="inventory",
    table=inventory_level,
    key=("inventory_item_id", "location_id"),
    columns=("inventory_item_id", "location_id", "available", "on_hand", "committed", "incoming"),
    content=_level,
    version=updated_at,
    key_from="item_parent",
    parents=(
        Parent("variant", "inventory_item_id", matches="inventory_item_id"),
        Parent("location", "location_id"),
    ),
)
INVENTORY_ITEM = Kind(
    name="inventory_item",
    stream="inventory_items",
    table=inventory_item,
    key=("id",),
    columns=(
        *("id", "sku", "tracked", "requires_shipping", "country_of_origin", "province_of_origin"),
        *("harmonized_system_code", "cost", "weight", "weight_unit", "created_at"),
    ),
    content=_item,
    version=updated_at,
    parents=(Parent("variant", "id", matches="inventory_item_id"),),
)
COLLECTION = Kind(
    name="collection",
    stream="collections",
    table=collection,
    key=("id",),
    columns=(
        *("id", "handle", "title", "description_html", "sort_order", "template_suffix", "seo_title"),
        *("seo_description", "rule_set", "products_count"),
    ),
    content=_collection,
    version=updated_at,
)
MEMBERSHIP = Kind(
    name="collection_membership",
    stream="collections",
    table=collection_membership,
    key=("collection_id", "product_id"),
    columns=("collection_id", "product_id"),
    content=_membership,
    version=unversioned,
    key_from="parent_own",
    parents=(
        Parent("collection", "collection_id", counted_in="products_count"),
        Parent("product", "product_id"),
    ),
    root="m.collection_id",
)
MEDIA = Kind(
    name="product_media",
    stream="media",
    table=product_media,
    key=("product_id", "id"),
    columns=("product_id", "id", "type", "alt", "status", "url", "width", "height"),
    content=_media,
    version=unversioned,
    key_from="parent_own",
    parents=(Parent("product", "product_id", seen_as="product_ref"),),
    root="m.product_id",
    is_placed=True,
)
METAFIELD = Kind(
    name="metafield",
    stream="metafields",
    table=metafield,
    key=("id",),
    columns=("id", "owner_type", "owner_id", "namespace", "key", "type", "value", "compare_digest", "created_at"),
    content=_metafield,
    version=updated_at,
    parents=(
        Parent("product", "owner_id", seen_as="product_ref", only="m.owner_type = 'product'"),
        Parent("variant", "owner_id", seen_as="variant_ref", only="m.owner_type = 'variant'"),
    ),
    root=(
        "case m.owner_type when 'product' then m.owner_id else (select v.product_id from commerce.variant v"
        " where v.store_id = m.store_id and v.id = m.owner_id) end"
    ),
)
