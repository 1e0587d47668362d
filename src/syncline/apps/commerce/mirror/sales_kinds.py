"""How Shopify's words for orders and customers become ours. Amounts are in the shop's own currency."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from syncline.apps.commerce.mirror.kind import (
    Content,
    Kind,
    Link,
    Parent,
    Part,
    content_hash,
    moment,
    sorted_json,
    unversioned,
    updated_at,
)
from syncline.apps.commerce.mirror.models import (
    customer,
    customer_address,
    fulfillment,
    order_line,
    order_transaction,
    refund,
    refund_line,
    shop_order,
)
from syncline.connectors.shopify.ids import number_of
from syncline.connectors.shopify.sales_nodes import (
    CustomerNode,
    MoneyBag,
    OrderLineNode,
    OrderNode,
    Ref,
    RefundLineNode,
)


def _amount(bag: MoneyBag) -> Decimal:
    return Decimal(bag.shopMoney.amount)


def _amount_or_none(bag: MoneyBag | None) -> Decimal | None:
    return None if bag is None else Decimal(bag.shopMoney.amount)


def _number(ref: Ref | None) -> int | None:
    return None if ref is None else number_of(ref.id)


def _lower(word: str | None) -> str | None:
    return None if word is None else word.lower()


def _parts_hash(parts: tuple[Part, ...], node: object) -> int:
    """One number over all the parts, so that a change of any of them is a change of the record."""
    return content_hash(tuple([list(row) for row in part.rows(node)] for part in parts))


def _refunds(node: OrderNode) -> Iterable[Content]:
    order = number_of(node.id)
    for one in node.refunds:
        yield (order, number_of(one.id), moment(one.createdAt), one.note, _amount(one.totalRefundedSet))


def _fulfillments(node: OrderNode) -> Iterable[Content]:
    order = number_of(node.id)
    for one in node.fulfillments:
        yield (
            order,
            number_of(one.id),
            one.name,
            one.status.lower(),
            _lower(one.displayStatus),
            one.totalQuantity,
            _number(one.location),
            sorted_json(one.trackingInfo),
            moment(one.createdAt),
            moment(one.updatedAt),
        )


def _transactions(node: OrderNode) -> Iterable[Content]:
    order = number_of(node.id)
    for one in node.transactions:
        yield (
            order,
            number_of(one.id),
            one.kind.lower(),
            one.status.lower(),
            one.gateway,
            _amount(one.amountSet),
            one.test,
            _number(one.parentTransaction),
            moment(one.createdAt),
            moment(one.processedAt),
        )


REFUND = Part(
    "refund", refund, ("order_id", "id", "created_at", "note", "amount"), _refunds, personal=(("note", "null"),)
)
FULFILLMENT = Part(
    "fulfillment",
    fulfillment,
    (
        *("order_id", "id", "name", "status", "display_status", "quantity", "location_id", "tracking"),
        *("created_at", "updated_at"),
    ),
    _fulfillments,
    personal=(("tracking", "no items"),),
)
TRANSACTION = Part(
    "order_transaction",
    order_transaction,
    (
        *("order_id", "id", "kind", "status", "gateway", "amount", "is_test", "parent_id"),
        *("created_at", "processed_at"),
    ),
    _transactions,
)
_ORDER_PARTS = (REFUND, FULFILLMENT, TRANSACTION)


def _order(node: OrderNode) -> Content:
    shipping = node.shippingAddress
    return (
        number_of(node.id),
        node.name,
        node.email,
        _number(node.customer),
        _lower(node.displayFinancialStatus),
        node.displayFulfillmentStatus.lower(),
        node.currencyCode,
        node.presentmentCurrencyCode,
        _amount(node.totalPriceSet),
        _amount_or_none(node.subtotalPriceSet),
        _amount_or_none(node.totalTaxSet),
        _amount_or_none(node.totalDiscountsSet),
        _amount(node.totalShippingPriceSet),
        _amount(node.totalRefundedSet),
        _amount(node.currentTotalPriceSet),
        list(node.tags),
        list(node.discountCodes),
        node.note,
        node.sourceName,
        node.test,
        node.taxesIncluded,
        shipping.city if shipping is not None else None,
        shipping.provinceCode if shipping is not None else None,
        shipping.countryCodeV2 if shipping is not None else None,
        shipping.zip if shipping is not None else None,
        _lower(node.cancelReason),
        moment(node.createdAt),
        moment(node.processedAt),
        moment(node.cancelledAt),
        moment(node.closedAt),
        _parts_hash(_ORDER_PARTS, node),
    )


def _line(node: OrderLineNode) -> Content:
    return (
        number_of(node.id),
        number_of(node.parent_id),
        node.title,
        node.variantTitle,
        node.sku,
        node.vendor,
        node.quantity,
        node.currentQuantity,
        _number(node.product),
        _number(node.variant),
        _amount(node.originalUnitPriceSet),
        _amount(node.discountedTotalSet),
        _amount(node.totalDiscountSet),
        node.taxable,
        node.requiresShipping,
        node.isGiftCard,
    )


def _addresses(node: CustomerNode) -> Iterable[Content]:
    owner = number_of(node.id)
    for one in node.addresses:
        yield (
            owner,
            number_of(one.id),
            one.firstName,
            one.lastName,
            one.company,
            one.address1,
            one.address2,
            one.city,
            one.province,
            one.provinceCode,
            one.countryCodeV2,
            one.zip,
            one.phone,
        )


ADDRESS = Part(
    "customer_address",
    customer_address,
    (
        *("customer_id", "id", "first_name", "last_name", "company", "address1", "address2", "city", "province"),
        *("province_code", "country_code", "zip", "phone"),
    ),
    _addresses,
    is_personal=True,
)


def _customer(node: CustomerNode) -> Content:
    mail = node.defaultEmailAddress
    return (
        number_of(node.id),
        node.firstName,
        node.lastName,
        mail.emailAddress if mail is not None else None,
        mail.marketingState.lower() if mail is not None else None,
        node.defaultPhoneNumber.phoneNumber if node.defaultPhoneNumber is not None else None,
        node.state.lower(),
        list(node.tags),
        node.note,
        node.locale,
        node.verifiedEmail,
        node.taxExempt,
        int(node.numberOfOrders),
        Decimal(node.amountSpent.amount),
        _number(node.defaultAddress),
        moment(node.createdAt),
        _parts_hash((ADDRESS,), node),
    )


def _refund_line(node: RefundLineNode) -> Content:
    return (
        number_of(node.id),
        number_of(node.parent_id),
        number_of(node.refund.id),
        number_of(node.lineItem.id),
        node.quantity,
        node.restockType.lower(),
        node.restocked,
        _number(node.location),
        _amount(node.priceSet),
        _amount(node.subtotalSet),
        _amount(node.totalTaxSet),
    )


ORDER = Kind(
    name="order",
    stream="orders",
    table=shop_order,
    key=("id",),
    columns=(
        *("id", "name", "email", "customer_id", "financial_status", "fulfillment_status", "currency"),
        *("presentment_currency", "total", "subtotal", "tax", "discounts", "shipping", "refunded", "current_total"),
        *("tags", "discount_codes", "note", "source_name", "is_test", "taxes_included", "ship_to_city"),
        *("ship_to_province", "ship_to_country", "ship_to_zip", "cancel_reason", "created_at", "processed_at"),
        *("cancelled_at", "closed_at", "parts_hash"),
    ),
    content=_order,
    version=updated_at,
    parts=_ORDER_PARTS,
    links=(Link("customer_id", "customer"),),
    # The country and province of delivery stay, with all amounts: taxes are accounted for by them.
    personal=(
        ("email", "null"),
        ("note", "null"),
        ("tags", "no texts"),
        ("ship_to_city", "null"),
        ("ship_to_zip", "null"),
        ("parts_hash", "nought"),
    ),
    whose=("customer_id", "customer", "created_at"),
)
ORDER_LINE = Kind(
    name="order_line",
    stream="orders",
    table=order_line,
    key=("id",),
    columns=(
        *("id", "order_id", "title", "variant_title", "sku", "vendor", "quantity", "current_quantity"),
        *("product_id", "variant_id", "unit_price", "discounted_total", "discount", "taxable"),
        *("requires_shipping", "is_gift_card"),
    ),
    content=_line,
    version=unversioned,
    parents=(Parent("order", "order_id"),),
    links=(Link("product_id", "product"), Link("variant_id", "variant")),
    root="m.order_id",
)
REFUND_LINE = Kind(
    name="refund_line",
    stream="refund_lines",
    table=refund_line,
    key=("id",),
    columns=(
        *("id", "order_id", "refund_id", "line_id", "quantity", "restock_type", "is_restocked", "location_id"),
        *("price", "subtotal", "tax"),
    ),
    content=_refund_line,
    version=unversioned,
    parents=(Parent("order", "order_id", seen_as="order_ref"),),
    root="m.order_id",
)
CUSTOMER = Kind(
    name="customer",
    stream="customers",
    table=customer,
    key=("id",),
    columns=(
        *("id", "first_name", "last_name", "email", "email_marketing", "phone", "state", "tags", "note", "locale"),
        *("is_email_verified", "is_tax_exempt", "orders_count", "amount_spent", "default_address_id", "created_at"),
        "parts_hash",
    ),
    content=_customer,
    version=updated_at,
    parts=(ADDRESS,),
    personal=(
        ("first_name", "null"),
        ("last_name", "null"),
        ("email", "null"),
        ("email_marketing", "null"),
        ("phone", "null"),
        ("tags", "no texts"),
        ("note", "null"),
        ("default_address_id", "null"),
        ("parts_hash", "nought"),
    ),
)
