"""Recorded records of the streams that the connector kit's suite reads, with the shapes Shopify's schema gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from syncline.connectors.shopify.ids import gid

Node = dict[str, Any]
_AT: Final = "2026-11-22T10:00:00Z"
_BAG: Final = {"shopMoney": {"amount": "12.50"}}


def _item(number: int) -> Node:
    return {
        "id": gid("InventoryItem", number),
        "sku": f"S-{number}",
        "tracked": True,
        "requiresShipping": True,
        "countryCodeOfOrigin": "PT",
        "provinceCodeOfOrigin": None,
        "harmonizedSystemCode": "610910",
        "unitCost": {"amount": "4.2", "currencyCode": "EUR"},
        "measurement": {"weight": {"value": 0.25, "unit": "KILOGRAMS"}},
        "createdAt": _AT,
        "updatedAt": _AT,
    }


def _collection(number: int, products: int) -> Node:
    rules = {"appliedDisjunctively": False, "rules": [{"column": "TAG", "relation": "EQUALS", "condition": "new"}]}
    return {
        "id": gid("Collection", number),
        "title": f"Collection {number}",
        "handle": f"collection-{number}",
        "descriptionHtml": "<p>x</p>",
        "sortOrder": "BEST_SELLING",
        "templateSuffix": None,
        "updatedAt": _AT,
        "seo": {"title": None, "description": None},
        "productsCount": {"count": products, "precision": "EXACT"},
        "ruleSet": rules if number % 2 else None,
        "products": [{"id": gid("Product", n)} for n in range(1, products + 1)],
    }


def _image(number: int) -> Node:
    url = f"https://cdn.shopify.com/{number}.png"
    return {
        "id": gid("MediaImage", number),
        "alt": "side",
        "mediaContentType": "IMAGE",
        "status": "READY",
        "preview": {"image": {"url": url}},
        "image": {"url": url, "width": 800, "height": 600},
    }


def _metafield(number: int) -> Node:
    return {
        "id": gid("Metafield", number),
        "namespace": "custom",
        "key": f"k{number}",
        "type": "single_line_text_field",
        "value": "cotton",
        "compareDigest": f"d{number}",
        "createdAt": _AT,
        "updatedAt": _AT,
    }


def _line(number: int) -> Node:
    return {
        "id": gid("LineItem", number),
        "title": "Shirt",
        "variantTitle": "S",
        "sku": "",
        "vendor": None,
        "quantity": 2,
        "currentQuantity": 1,
        "taxable": True,
        "requiresShipping": True,
        "isGiftCard": False,
        "variant": None,
        "product": {"id": gid("Product", 1)},
        "originalUnitPriceSet": _BAG,
        "discountedTotalSet": _BAG,
        "totalDiscountSet": _BAG,
    }


def _order(number: int, lines: int) -> Node:
    money = ("totalPriceSet", "totalShippingPriceSet", "totalRefundedSet", "currentTotalPriceSet", "subtotalPriceSet")
    return {
        "id": gid("Order", number),
        "name": f"#{1000 + number}",
        "email": None,
        **dict.fromkeys(("createdAt", "updatedAt", "processedAt"), _AT),
        **dict.fromkeys(("cancelledAt", "closedAt", "cancelReason", "note", "totalDiscountsSet")),
        "displayFinancialStatus": "PARTIALLY_REFUNDED",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "EUR",
        "sourceName": "web",
        "tags": ["vip"],
        "test": False,
        "taxesIncluded": True,
        "discountCodes": [],
        "customer": {"id": gid("Customer", 1)},
        **dict.fromkeys(money, _BAG),
        "totalTaxSet": None,
        "shippingAddress": {"city": "Porto", "provinceCode": None, "countryCodeV2": "PT", "zip": "4000"},
        "refunds": [{"id": gid("Refund", number), "createdAt": _AT, "note": "torn", "totalRefundedSet": _BAG}],
        "fulfillments": [
            {
                "id": gid("Fulfillment", number),
                "name": f"#{1000 + number}.1",
                "status": "SUCCESS",
                "displayStatus": "DELIVERED",
                "createdAt": _AT,
                "updatedAt": _AT,
                "totalQuantity": 1,
                "location": {"id": gid("Location", 1)},
                "trackingInfo": [{"company": "CTT", "number": "7", "url": None}],
            }
        ],
        "transactions": [
            {
                "id": gid("OrderTransaction", number),
                "kind": "SALE",
                "status": "SUCCESS",
                "gateway": "bogus",
                "test": True,
                "createdAt": _AT,
                "processedAt": _AT,
                "amountSet": _BAG,
                "parentTransaction": None,
            }
        ],
        "lineItems": [_line(number * 100 + n) for n in range(lines)],
    }


def _refund_line(number: int) -> Node:
    return {
        "id": gid("RefundLineItem", number),
        "lineItem": {"id": gid("LineItem", 100)},
        "quantity": 1,
        "restockType": "RETURN",
        "restocked": True,
        "location": None,
        **dict.fromkeys(("priceSet", "subtotalSet", "totalTaxSet"), _BAG),
    }


def _refunds(number: int, *lines: int) -> Node:
    """An order with a refund for each of `lines`, which has so many."""
    refunds = [
        {
            "id": gid("Refund", number * 10 + place),
            "refundLineItems": [_refund_line(number * 1000 + place * 100 + n) for n in range(count)],
        }
        for place, count in enumerate(lines)
    ]
    return {"id": gid("Order", number), "refunds": refunds}


def _customer(number: int) -> Node:
    unknown = ("firstName", "lastName", "company", "address2", "province", "provinceCode", "zip", "phone")
    return {
        "id": gid("Customer", number),
        "firstName": "Zoë",
        "lastName": None,
        "state": "ENABLED",
        "tags": [],
        "note": None,
        "locale": "pt-PT",
        "verifiedEmail": True,
        "taxExempt": False,
        "numberOfOrders": "3",
        "createdAt": _AT,
        "updatedAt": _AT,
        "amountSpent": {"amount": "37.5", "currencyCode": "EUR"},
        "defaultEmailAddress": {"emailAddress": "zoe@shop.example", "marketingState": "SUBSCRIBED"},
        "defaultPhoneNumber": None,
        "defaultAddress": None,
        "addresses": [
            {
                "id": gid("MailingAddress", number) + "?model_name=CustomerAddress",
                **dict.fromkeys(unknown),
                "address1": "Rua 1",
                "city": "Porto",
                "countryCodeV2": "PT",
            }
        ],
    }


ITEMS: Final = [_item(number) for number in range(1, 6)]
COLLECTIONS: Final = [_collection(number, products) for number, products in ((1, 5), (2, 0), (3, 1), (4, 2), (5, 0))]
MEDIA: Final = [{"id": gid("Product", n), "media": [_image(n * 10)] if n > 1 else []} for n in range(1, 6)]
METAFIELDS: Final = [
    {
        "id": gid("Product", n),
        "metafields": [_metafield(n * 10)],
        "variants": [{"id": gid("ProductVariant", n * 100), "metafields": [_metafield(n * 10 + 1)]}],
    }
    for n in range(1, 6)
]
ORDERS: Final = [_order(number, lines) for number, lines in ((1, 3), (2, 1), (3, 2), (4, 0), (5, 1))]
REFUND_LINES: Final = [_refunds(1, 3, 1), _refunds(2), _refunds(3, 0), _refunds(4, 5), _refunds(5, 2)]
CUSTOMERS: Final = [_customer(number) for number in range(1, 6)]
OWNED: Final = {
    stream: [{"id": gid(owner, n), "metafields": [_metafield(n * 10)] if n > 1 else []} for n in range(1, 6)]
    for stream, owner in (
        ("collection_metafields", "Collection"),
        ("order_metafields", "Order"),
        ("customer_metafields", "Customer"),
    )
}

_ALL: Final = {
    "inventory_items": ITEMS,
    "collections": COLLECTIONS,
    "media": MEDIA,
    "metafields": METAFIELDS,
    "orders": ORDERS,
    "refund_lines": REFUND_LINES,
    "customers": CUSTOMERS,
    **OWNED,
}
_BELOW: Final = ("products", "media", "metafields", "variants", "lineItems")


def keys(stream: str) -> list[str]:
    """The ids of the stream's lines, in the order they come in."""
    return [key for node in _ALL[stream] for key in _ids(node)]


def _ids(node: Node) -> Iterator[str]:
    yield node["id"]
    # A refund that is read for its lines is no line itself.
    yield from (
        key for refund in node.get("refunds", ()) for line in refund.get("refundLineItems", ()) for key in _ids(line)
    )
    for field in _BELOW:
        for child in node.get(field, ()):
            yield from _ids(child)
