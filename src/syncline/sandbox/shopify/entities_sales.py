"""Orders and customers. Amounts are whole hundredths of the shop's currency; only `state_sales.Sales` changes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

SUCCESS = "SUCCESS"
PAYING = frozenset({"SALE", "CAPTURE"})


@dataclass(slots=True)
class Address:
    """`model` ends the global id: `gid://shopify/MailingAddress/<id>?model_name=CustomerAddress`; an order's is of the
    model `Address`."""

    id: int
    model: str = "CustomerAddress"
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    zip: str | None = None
    phone: str | None = None


@dataclass(slots=True)
class Customer:
    id: int
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    email_marketing: str = "NOT_SUBSCRIBED"  # CustomerEmailAddressMarketingState
    sms_marketing: str = "NOT_SUBSCRIBED"  # CustomerSmsMarketingState
    state: str = "DISABLED"  # DECLINED | DISABLED | ENABLED | INVITED
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    locale: str = "en"
    verified_email: bool = True
    tax_exempt: bool = False
    addresses: list[Address] = field(default_factory=list)
    default_address_id: int | None = None

    @property
    def display_name(self) -> str:
        """The name, or what stands for it: the e-mail, the phone number."""
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return name or self.email or self.phone or "No name"


@dataclass(slots=True)
class OrderLine:
    """`variant_id` and `product_id` stay when what they name is deleted; the API shows null then."""

    id: int
    order_id: int
    title: str
    quantity: int
    current_quantity: int
    """What is left after refunds and removals."""
    unit_price_minor: int
    discount_minor: int = 0
    variant_id: int | None = None
    product_id: int | None = None
    variant_title: str | None = None
    sku: str | None = None
    vendor: str | None = None
    taxable: bool = True
    requires_shipping: bool = True
    is_gift_card: bool = False

    @property
    def original_minor(self) -> int:
        return self.unit_price_minor * self.quantity

    @property
    def discounted_minor(self) -> int:
        return self.original_minor - self.discount_minor


@dataclass(slots=True)
class RefundLine:
    id: int
    line_id: int
    quantity: int
    subtotal_minor: int
    tax_minor: int = 0
    restock_type: str = "RETURN"  # CANCEL | LEGACY_RESTOCK | NO_RESTOCK | RETURN


@dataclass(slots=True)
class Refund:
    """`amount_minor` is what was paid back; cancelling an unpaid order refunds its lines and pays nothing back."""

    id: int
    order_id: int
    created_at: datetime
    updated_at: datetime
    amount_minor: int = 0
    shipping_minor: int = 0
    note: str | None = None
    lines: list[RefundLine] = field(default_factory=list)

    @property
    def subtotal_minor(self) -> int:
        return sum(line.subtotal_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        return sum(line.tax_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Tracking:
    number: str | None = None
    company: str | None = None
    url: str | None = None


@dataclass(slots=True)
class Fulfillment:
    """`lines` maps a line's id to how many of it were sent."""

    id: int
    order_id: int
    name: str
    created_at: datetime
    updated_at: datetime
    status: str = SUCCESS  # FulfillmentStatus
    display_status: str | None = "FULFILLED"  # FulfillmentDisplayStatus
    location_id: int | None = None
    lines: dict[int, int] = field(default_factory=dict)
    tracking: list[Tracking] = field(default_factory=list)

    @property
    def total_quantity(self) -> int:
        return sum(self.lines.values())


@dataclass(slots=True)
class Transaction:
    id: int
    order_id: int
    kind: str  # OrderTransactionKind
    amount_minor: int
    created_at: datetime
    processed_at: datetime | None
    status: str = SUCCESS  # OrderTransactionStatus
    gateway: str | None = "shopify_payments"
    test: bool = False
    parent_id: int | None = None


@dataclass(slots=True)
class Order:
    id: int
    number: int
    name: str
    created_at: datetime
    updated_at: datetime
    processed_at: datetime
    currency: str
    presentment_currency: str
    presentment_rate: Decimal | None = None
    """What one unit of the shop's currency was in the customer's; None when both paid in the same."""
    cancelled_at: datetime | None = None
    closed_at: datetime | None = None
    cancel_reason: str | None = None  # OrderCancelReason
    financial_status: str = "PENDING"  # OrderDisplayFinancialStatus
    fulfillment_status: str = "UNFULFILLED"  # OrderDisplayFulfillmentStatus
    source_name: str | None = "web"
    email: str | None = None
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    test: bool = False
    taxes_included: bool = False
    customer_id: int | None = None
    """Stays when the customer is deleted; the API shows null then."""
    tax_minor: int = 0
    shipping_minor: int = 0
    code_discount_minor: int = 0
    discount_codes: list[str] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    shipping_address: Address | None = None
    billing_address: Address | None = None

    @property
    def subtotal_minor(self) -> int:
        """Lines after all discounts, before shipping, and before tax unless prices include it."""
        return sum(line.discounted_minor for line in self.lines) - self.code_discount_minor

    @property
    def discounts_minor(self) -> int:
        return sum(line.discount_minor for line in self.lines) + self.code_discount_minor

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor + self.shipping_minor + (0 if self.taxes_included else self.tax_minor)

    @property
    def returned_subtotal_minor(self) -> int:
        return sum(refund.subtotal_minor for refund in self.refunds)

    @property
    def returned_tax_minor(self) -> int:
        return sum(refund.tax_minor for refund in self.refunds)

    @property
    def returned_shipping_minor(self) -> int:
        return sum(refund.shipping_minor for refund in self.refunds)

    @property
    def current_total_minor(self) -> int:
        tax = 0 if self.taxes_included else self.returned_tax_minor
        return self.total_minor - self.returned_subtotal_minor - self.returned_shipping_minor - tax

    @property
    def refunded_minor(self) -> int:
        return sum(refund.amount_minor for refund in self.refunds)

    @property
    def received_minor(self) -> int:
        return sum(one.amount_minor for one in self.transactions if one.kind in PAYING and one.status == SUCCESS)

    def presentment(self, minor: int) -> int:
        """An amount in the customer's currency, to the hundredth."""
        if self.presentment_rate is None:
            return minor
        return int((minor * self.presentment_rate).quantize(Decimal(1), ROUND_HALF_UP))


def financial_status(order: Order) -> str:
    """`displayFinancialStatus` as the order's transactions have it."""
    done = {one.kind for one in order.transactions if one.status == SUCCESS}
    received = order.received_minor
    if received == 0:
        if "VOID" in done:
            return "VOIDED"
        if "AUTHORIZATION" in done:
            return "AUTHORIZED"
        return "PENDING" if order.total_minor else "PAID"
    refunded = order.refunded_minor
    if refunded:
        return "REFUNDED" if refunded >= received else "PARTIALLY_REFUNDED"
    return "PARTIALLY_PAID" if received < order.total_minor else "PAID"


def fulfillment_status(order: Order) -> str:
    """`displayFulfillmentStatus` as the order's fulfilments have it."""
    sent = sum(one.total_quantity for one in order.fulfillments if one.status == SUCCESS)
    if sent == 0:
        return "UNFULFILLED"
    return "FULFILLED" if sent >= sum(line.current_quantity for line in order.lines) else "PARTIALLY_FULFILLED"
