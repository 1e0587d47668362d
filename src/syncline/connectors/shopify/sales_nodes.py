"""Orders and customers as they come in a line of a bulk file, with Shopify's names. Amounts are in the shop's own
currency."""

from __future__ import annotations

import msgspec

from syncline.connectors.shopify.catalog_nodes import Money, Record


class ShopMoney(Record, frozen=True, gc=False):
    amount: str


class MoneyBag(Record, frozen=True, gc=False):
    """In the shop's own currency."""

    shopMoney: ShopMoney


class Ref(Record, frozen=True, gc=False):
    id: str


class ShippingAddress(Record, frozen=True, gc=False):
    city: str | None
    provinceCode: str | None
    countryCodeV2: str | None
    zip: str | None


class RefundNode(Record, frozen=True, gc=False):
    id: str
    createdAt: str | None
    note: str | None
    totalRefundedSet: MoneyBag


class Tracking(Record, frozen=True, gc=False):
    company: str | None
    number: str | None
    url: str | None


class FulfillmentNode(Record, frozen=True, gc=False):
    id: str
    name: str
    status: str
    displayStatus: str | None
    createdAt: str
    updatedAt: str
    totalQuantity: int
    location: Ref | None
    trackingInfo: list[Tracking]


class TransactionNode(Record, frozen=True, gc=False):
    id: str
    kind: str
    status: str
    gateway: str | None
    test: bool
    createdAt: str | None
    processedAt: str | None
    amountSet: MoneyBag
    parentTransaction: Ref | None


class OrderNode(Record, frozen=True, gc=False):
    """`customer` is None for a guest and for a customer who was deleted."""

    id: str
    name: str
    email: str | None
    createdAt: str
    updatedAt: str
    processedAt: str
    cancelledAt: str | None
    closedAt: str | None
    cancelReason: str | None
    displayFinancialStatus: str | None
    displayFulfillmentStatus: str
    currencyCode: str
    presentmentCurrencyCode: str
    sourceName: str | None
    tags: list[str]
    note: str | None
    test: bool
    taxesIncluded: bool
    discountCodes: list[str]
    customer: Ref | None
    totalPriceSet: MoneyBag
    subtotalPriceSet: MoneyBag | None
    totalTaxSet: MoneyBag | None
    totalDiscountsSet: MoneyBag | None
    totalShippingPriceSet: MoneyBag
    totalRefundedSet: MoneyBag
    currentTotalPriceSet: MoneyBag
    shippingAddress: ShippingAddress | None
    refunds: list[RefundNode]
    fulfillments: list[FulfillmentNode]
    transactions: list[TransactionNode]


class OrderLineNode(Record, frozen=True, gc=False):
    """`variant` and `product` are None once they are deleted. `currentQuantity` is what refunds and edits left."""

    id: str
    title: str
    variantTitle: str | None
    sku: str | None
    vendor: str | None
    quantity: int
    currentQuantity: int
    taxable: bool
    requiresShipping: bool
    isGiftCard: bool
    variant: Ref | None
    product: Ref | None
    originalUnitPriceSet: MoneyBag
    discountedTotalSet: MoneyBag
    totalDiscountSet: MoneyBag
    parent_id: str = msgspec.field(name="__parentId")


class RefundLineNode(Record, frozen=True, gc=False):
    """Below its order, with the refund it is of. `location` is None where nothing went back on a shelf."""

    id: str
    lineItem: Ref
    quantity: int
    restockType: str
    restocked: bool
    location: Ref | None
    priceSet: MoneyBag
    subtotalSet: MoneyBag
    totalTaxSet: MoneyBag
    refund: Ref
    parent_id: str = msgspec.field(name="__parentId")


class EmailAddress(Record, frozen=True, gc=False):
    emailAddress: str
    marketingState: str


class PhoneNumber(Record, frozen=True, gc=False):
    phoneNumber: str


class AddressNode(Record, frozen=True, gc=False):
    id: str
    firstName: str | None
    lastName: str | None
    company: str | None
    address1: str | None
    address2: str | None
    city: str | None
    province: str | None
    provinceCode: str | None
    countryCodeV2: str | None
    zip: str | None
    phone: str | None


class CustomerNode(Record, frozen=True, gc=False):
    """`numberOfOrders` is an UnsignedInt64, which comes as text."""

    id: str
    firstName: str | None
    lastName: str | None
    state: str
    tags: list[str]
    note: str | None
    locale: str
    verifiedEmail: bool
    taxExempt: bool
    numberOfOrders: str
    createdAt: str
    updatedAt: str
    amountSpent: Money
    defaultEmailAddress: EmailAddress | None
    defaultPhoneNumber: PhoneNumber | None
    defaultAddress: Ref | None
    addresses: list[AddressNode]
