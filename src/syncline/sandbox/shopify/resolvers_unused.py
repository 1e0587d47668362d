"""Fields of features this store does not use, so that clients which ask for everything get an answer: null, empty, or
what Shopify says where there is nothing to tell. What is below such a field is checked against the schema only.
"""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, leaf, single
from syncline.sandbox.shopify.connections import empty
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid


def null(_: Call) -> Run:
    return lambda _entity: None


def _no_list(_: Call) -> Run:
    return lambda _entity: []


def _nulls(*names: str) -> dict[str, Resolver]:
    return dict.fromkeys(names, null)


def _lists(*names: str) -> dict[str, Resolver]:
    return dict.fromkeys(names, _no_list)


def _falses(*names: str) -> dict[str, Resolver]:
    return dict.fromkeys(names, leaf(lambda _: False))


def _business(context: Context) -> Any:
    shop = context.store.shop
    found = {
        "id": gid("BusinessEntity", shop.id),
        "displayName": shop.name,
        "companyName": shop.name,
        "primary": True,
        "address": {"countryCode": "US"},
    }
    return lambda _: found


TYPES: dict[str, dict[str, Resolver]] = {
    "Product": {
        **_nulls("category", "feedback", "giftCardTemplateSuffix", "onlineStorePreviewUrl", "combinedListingRole"),
        **_falses("requiresSellingPlan", "hasVariantsThatRequiresComponents"),
    },
    "ProductVariant": {
        **_nulls("image", "taxCode", "unitPriceMeasurement"),
        **_falses("requiresComponents"),
        "presentmentPrices": empty,
    },
    "Collection": {**_nulls("feedback"), "publications": empty},
    "InventoryItem": {**_nulls("inventoryHistoryUrl"), "countryHarmonizedSystemCodes": empty},
    "InventoryLevel": _nulls("deactivationAlert"),
    "Location": {
        **_nulls("deactivatedAt", "localPickupSettingsV2"),
        **_falses("addressVerified", "deletable", "deactivatable", "hasUnfulfilledOrders", "isFulfillmentService"),
        "fulfillsOnlineOrders": leaf(lambda location: location.is_active),
        "shipsInventory": leaf(lambda location: location.is_active),
        "address": single(lambda _: lambda _location: {"formatted": []}),
        "metafields": empty,
    },
    "LocationAddress": entries(
        "address1", "address2", "city", "country", "countryCode", "formatted", "latitude", "longitude", "phone",
        "province", "provinceCode", "zip",
    ),
    "MediaImage": {"metafields": empty},
    "Order": {
        **_nulls(
            "app", "cancellation", "cartToken", "channelInformation", "checkoutToken", "currentTotalAdditionalFeesSet",
            "currentTotalDutiesSet", "customerJourney", "customerJourneySummary", "displayAddress",
            "merchantOfRecordApp", "originalTotalAdditionalFeesSet", "originalTotalDutiesSet", "paymentTerms",
            "physicalLocation", "publication", "purchasingEntity", "registeredSourceUrl", "retailLocation",
            "shopifyProtect", "sourceIdentifier", "staffMember",
        ),
        **_lists("additionalFees", "disputes", "alerts", "merchantEditableErrors"),
        **_falses(
            "customerAcceptsMarketing", "dutiesIncluded", "estimatedTaxes", "hasTimelineComment", "taxExempt",
            "canNotifyCustomer", "merchantEditable", "productNetwork",
        ),
        "merchantBusinessEntity": single(_business),
        "risk": single(lambda _: lambda _order: {"recommendation": "NONE", "assessments": ()}),
    },
    "BusinessEntity": entries("id", "displayName", "companyName", "primary", "address"),
    "BusinessEntityAddress": entries("address1", "address2", "city", "countryCode", "province", "zip"),
    "OrderRiskSummary": {**entries("recommendation"), **_lists("assessments")},
    "LineItem": {
        **_nulls("lineItemGroup", "sellingPlan", "contract", "image"),
        **_lists("duties", "discountAllocations"),
    },
    "ShippingLine": {**_nulls("requestedFulfillmentService"), **_lists("discountAllocations", "taxLines")},
    "Refund": {**_nulls("return", "staffMember"), **_lists("duties"), "orderAdjustments": empty},
    "RefundLineItem": _nulls("location"),
    "Fulfillment": _nulls("deliveredAt", "estimatedDeliveryAt", "inTransitAt", "service", "originAddress"),
    "OrderTransaction": {
        **_nulls(
            "accountNumber", "amountRoundingSet", "authorizationCode", "authorizationExpiresAt",
            "currencyExchangeAdjustment", "device", "location", "maximumRefundableV2", "paymentDetails", "paymentId",
            "receiptJson", "settlementCurrency", "settlementCurrencyRate", "shopifyPaymentsSet", "user",
        ),
        **_lists("fees"),
        **_falses("manuallyCapturable", "multiCapturable"),
    },
    "BasicEvent": {
        **_nulls("additionalContent", "additionalData", "appTitle", "arguments", "secondaryMessage"),
        **_falses("hasAdditionalContent"),
    },
    "Customer": _nulls("market"),
}  # fmt: skip
"""Type -> field. Where another module serves the field, that one does."""
