"""Fields of products, variants and what hangs on them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from syncline.sandbox.shopify.amounts import decimal_amount, moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, entries, leaf, many, single, stored
from syncline.sandbox.shopify.connections import listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.resolvers_metafields import metafields_of
from syncline.sandbox.shopify.resolvers_texts import plain_text
from syncline.sandbox.shopify.state import Product, ProductOption, Variant


def _variants(context: Context, _: dict[str, Any]) -> Items:
    return context.store.variants_of


def _options(call: Call) -> Run:
    first = call.args.get("first")
    child = call.child()
    return lambda product: [child(option) for option in product.options[:first]]


def _description(call: Call) -> Run:
    length = call.args.get("truncateAt")
    return lambda product: plain_text(product.description_html, length)


def _price_range(context: Context) -> Run:
    store = context.store

    def run(product: Product) -> dict[str, Any]:
        prices = sorted(Decimal(variant.price) for variant in store.variants_of(product))
        return {"minVariantPrice": amount(store, str(prices[0])), "maxVariantPrice": amount(store, str(prices[-1]))}

    return run


def _compare_at_range(context: Context) -> Run:
    """Null when no variant has a compare-at price."""
    store = context.store

    def run(product: Product) -> dict[str, Any] | None:
        found = [variant.compare_at_price for variant in store.variants_of(product) if variant.compare_at_price]
        if not found:
            return None
        prices = sorted(map(Decimal, found))
        return {
            "minVariantCompareAtPrice": amount(store, str(prices[0])),
            "maxVariantCompareAtPrice": amount(store, str(prices[-1])),
        }

    return run


def _online_url(context: Context) -> Run:
    domain = context.store.shop.domain
    return lambda product: f"https://{domain}/products/{product.handle}" if product.published_at else None


def _is_for_sale(context: Context) -> Run:
    store, stock = context.store, _stock(context)

    def run(variant: Variant) -> bool:
        is_sold_out = store.items[variant.item_id].tracked and stock(variant) <= 0
        return not is_sold_out or variant.inventory_policy == "CONTINUE"

    return run


def amount(store: Any, value: str) -> dict[str, str]:
    """A MoneyV2 in the shop's currency."""
    return {"amount": decimal_amount(value), "currencyCode": store.shop.currency}


def _is_default(product: Product) -> bool:
    return len(product.variant_ids) == 1 and [option.values for option in product.options] == [["Default Title"]]


def _has_out_of_stock(context: Context) -> Run:
    store = context.store
    return lambda product: any(
        store.items[variant.item_id].tracked and _stock(context)(variant) <= 0 for variant in store.variants_of(product)
    )


def _stock(context: Context) -> Callable[[Variant], int]:
    levels = context.store.levels_of
    return lambda variant: sum(level.available for level in levels(variant.item_id))


def _selected_options(context: Context) -> Run:
    products = context.store.products

    def run(variant: Variant) -> list[dict[str, Any]]:
        options = products[variant.product_id].options
        return [
            {"name": option.name, "value": value, "optionValue": _option_value(option, value)}
            for option, value in zip(options, variant.option_values, strict=False)
        ]

    return run


def _option_value(option: ProductOption, value: str) -> dict[str, Any]:
    """Its id is made from the option's and the value's place in it: the store keeps no value by itself."""
    place = option.values.index(value) if value in option.values else len(option.values)
    return {"id": gid("ProductOptionValue", option.id * 1000 + place), "name": value, "hasVariants": True}


def _display_name(context: Context) -> Run:
    products = context.store.products
    return lambda variant: f"{products[variant.product_id].title} - {variant.title}"


def _product_of(context: Context) -> Run:
    products = context.store.products
    return lambda variant: products[variant.product_id]


def _item_of(context: Context) -> Run:
    items = context.store.items
    return lambda variant: items[variant.item_id]


PRODUCT: dict[str, Resolver] = {
    "id": leaf(lambda product: gid("Product", product.id)),
    "legacyResourceId": leaf(lambda product: str(product.id)),
    "title": leaf(lambda product: product.title),
    "handle": leaf(lambda product: product.handle),
    "description": _description,
    "descriptionHtml": leaf(lambda product: product.description_html),
    "vendor": leaf(lambda product: product.vendor),
    "productType": leaf(lambda product: product.product_type),
    "status": leaf(lambda product: product.status),
    "tags": leaf(lambda product: product.tags),
    "createdAt": leaf(lambda product: moment(product.created_at)),
    "updatedAt": leaf(lambda product: moment(product.updated_at)),
    "publishedAt": leaf(lambda product: moment(product.published_at)),
    "templateSuffix": leaf(lambda product: product.template_suffix),
    "isGiftCard": leaf(lambda product: product.is_gift_card),
    "seo": single(lambda _: lambda product: product),
    "options": _options,
    "variants": listed(
        _variants,
        {
            "POSITION": lambda variant: variant.position,
            "ID": lambda variant: variant.id,
            "TITLE": lambda variant: variant.title.casefold(),
            "SKU": lambda variant: variant.sku or "",
        },
    ),
    "variantsCount": single(lambda _: lambda product: {"count": len(product.variant_ids), "precision": "EXACT"}),
    "totalInventory": stored(lambda context: context.store.total_inventory),
    "tracksInventory": stored(
        lambda context: (
            lambda product: any(
                context.store.items[variant.item_id].tracked for variant in context.store.variants_of(product)
            )
        )
    ),
    "hasOnlyDefaultVariant": leaf(_is_default),
    "hasOutOfStockVariants": stored(_has_out_of_stock),
    "priceRangeV2": single(_price_range),
    "compareAtPriceRange": single(_compare_at_range),
    "bodyHtml": leaf(lambda product: product.description_html),
    "onlineStoreUrl": stored(_online_url),
    **metafields_of("Product"),
}

VARIANT: dict[str, Resolver] = {
    "id": leaf(lambda variant: gid("ProductVariant", variant.id)),
    "legacyResourceId": leaf(lambda variant: str(variant.id)),
    "title": leaf(lambda variant: variant.title),
    "displayName": stored(_display_name),
    "sku": leaf(lambda variant: variant.sku),
    "barcode": leaf(lambda variant: variant.barcode),
    "price": leaf(lambda variant: variant.price),
    "compareAtPrice": leaf(lambda variant: variant.compare_at_price),
    "position": leaf(lambda variant: variant.position),
    "taxable": leaf(lambda variant: variant.taxable),
    "inventoryPolicy": leaf(lambda variant: variant.inventory_policy),
    "inventoryQuantity": stored(_stock),
    "availableForSale": stored(_is_for_sale),
    "sellableOnlineQuantity": stored(_stock),
    "selectedOptions": many(_selected_options),
    "createdAt": leaf(lambda variant: moment(variant.created_at)),
    "updatedAt": leaf(lambda variant: moment(variant.updated_at)),
    "inventoryItem": single(_item_of),
    "product": single(_product_of),
    **metafields_of("ProductVariant"),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "Product": PRODUCT,
    "ProductVariant": VARIANT,
    "ProductOption": {
        "id": leaf(lambda option: gid("ProductOption", option.id)),
        "name": leaf(lambda option: option.name),
        "position": leaf(lambda option: option.position),
        "values": leaf(lambda option: option.values),
    },
    "SEO": {
        "title": leaf(lambda product: product.seo_title),
        "description": leaf(lambda product: product.seo_description),
    },
    "SelectedOption": entries("name", "value", "optionValue"),
    "ProductOptionValue": {**entries("id", "name", "hasVariants"), "swatch": lambda _: lambda _value: None},
    "ProductCompareAtPriceRange": entries("minVariantCompareAtPrice", "maxVariantCompareAtPrice"),
    "ProductPriceRangeV2": entries("minVariantPrice", "maxVariantPrice"),
    "MoneyV2": entries("amount", "currencyCode"),
    "Count": entries("count", "precision"),
}
