"""The fields asked of each kind of record, written once, so that a page and a bulk file give the same lines."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = (
    "id title handle descriptionHtml vendor productType status tags createdAt updatedAt publishedAt templateSuffix "
    "isGiftCard seo { title description } options { id name position values } variantsCount { count }"
)
VARIANT: Final = (
    "id title sku barcode price compareAtPrice position taxable inventoryPolicy selectedOptions { name value } "
    "createdAt updatedAt inventoryItem { id tracked requiresShipping unitCost { amount } "
    "measurement { weight { value unit } } }"
)
LOCATION: Final = "id name isActive"
_QUANTITIES: Final = 'quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity }'
LEVEL: Final = f"id updatedAt item {{ id }} {_QUANTITIES}"
LEVEL_OF_ITEM: Final = f"id updatedAt {_QUANTITIES}"
INVENTORY_ITEM: Final = (
    "id sku tracked requiresShipping countryCodeOfOrigin provinceCodeOfOrigin harmonizedSystemCode "
    "unitCost { amount currencyCode } measurement { weight { value unit } } createdAt updatedAt"
)
COLLECTION: Final = (
    "id title handle descriptionHtml sortOrder templateSuffix updatedAt seo { title description } "
    "productsCount { count precision } ruleSet { appliedDisjunctively rules { column relation condition } }"
)
MEDIA: Final = (
    "id alt mediaContentType status preview { image { url } } ... on MediaImage { image { url width height } }"
)
METAFIELD: Final = "id namespace key type value compareDigest createdAt updatedAt"


def _money(*names: str) -> str:
    return " ".join(f"{name} {{ shopMoney {{ amount }} }}" for name in names)


ORDER: Final = (
    "id name email createdAt updatedAt processedAt cancelledAt closedAt cancelReason displayFinancialStatus "
    "displayFulfillmentStatus currencyCode presentmentCurrencyCode sourceName tags note test taxesIncluded "
    "discountCodes customer { id } "
    + _money("totalPriceSet", "subtotalPriceSet", "totalTaxSet", "totalDiscountsSet", "totalShippingPriceSet")
    + " "
    + _money("totalRefundedSet", "currentTotalPriceSet")
    + " shippingAddress { city provinceCode countryCodeV2 zip } "
    # Lists, not connections: Shopify allows no connection inside a list in bulk, so the lines of refunds are a stream
    # of their own.
    f"refunds {{ id createdAt note {_money('totalRefundedSet')} }} "
    "fulfillments { id name status displayStatus createdAt updatedAt totalQuantity location { id } "
    "trackingInfo { company number url } } "
    f"transactions {{ id kind status gateway test createdAt processedAt {_money('amountSet')} "
    "parentTransaction { id } }"
)
ORDER_LINE: Final = (
    "id title variantTitle sku vendor quantity currentQuantity taxable requiresShipping isGiftCard "
    "variant { id } product { id } " + _money("originalUnitPriceSet", "discountedTotalSet", "totalDiscountSet")
)
REFUND_LINE: Final = "id lineItem { id } quantity restockType restocked location { id } " + _money(
    "priceSet", "subtotalSet", "totalTaxSet"
)
CUSTOMER: Final = (
    "id firstName lastName state tags note locale verifiedEmail taxExempt numberOfOrders createdAt updatedAt "
    "amountSpent { amount currencyCode } defaultEmailAddress { emailAddress marketingState } "
    "defaultPhoneNumber { phoneNumber } defaultAddress { id } "
    "addresses { id firstName lastName company address1 address2 city province provinceCode countryCodeV2 zip phone }"
)
