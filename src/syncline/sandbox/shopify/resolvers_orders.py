"""Orders with their lines, refunds, fulfilments and transactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, entries, leaf, many, single, stored
from syncline.sandbox.shopify.connections import listed, refuse_argument, search_argument
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_sales import PAYING, SUCCESS, Order, OrderLine, RefundLine
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.resolvers_metafields import metafields_of
from syncline.sandbox.shopify.resolvers_money import bag, money_bag, part_bag

RECENT = timedelta(days=60)
"""How far back a token without `read_all_orders` sees (shopify.dev, access scopes)."""


def recent_only(context: Context) -> Callable[[Any], bool] | None:
    """The test on orders for a token that sees only recent ones; None for one that sees all."""
    if "read_all_orders" in context.scopes:
        return None
    oldest = context.store.now() - RECENT
    return lambda order: order.created_at >= oldest


def _first(name: str) -> Resolver:
    """A list of an order's parts, cut at `first`."""

    def resolver(call: Call) -> Run:
        first = call.args.get("first")
        child = call.child()
        return lambda order: [child(part) for part in getattr(order, name)[:first]]

    return resolver


def _fulfillments(call: Call) -> Run:
    first, search = call.args.get("first"), search_argument(call, "fulfillments")
    matches = search.matches if search else lambda _: True
    child = call.child()
    return lambda order: [child(part) for part in [one for one in order.fulfillments if matches(one)][:first]]


def _transactions(call: Call) -> Run:
    refuse_argument(call, "capturable")
    refuse_argument(call, "manuallyResolvable")
    return _first("transactions")(call)


def _counted(name: str) -> Resolver:
    return single(lambda _: lambda order: {"count": len(getattr(order, name)), "precision": "EXACT"})


def _lines(_: Context, _args: dict[str, Any]) -> Items:
    return lambda order: order.lines


def _order_of(context: Context) -> Run:
    orders = context.store.sales.orders
    return lambda part: orders[part.order_id]


def _unfulfilled(context: Context) -> Run:
    orders = context.store.sales.orders

    def run(line: OrderLine) -> int:
        sent = sum(one.lines.get(line.id, 0) for one in orders[line.order_id].fulfillments if one.status == SUCCESS)
        return max(0, line.current_quantity - sent)

    return run


def _discounted_total(call: Call) -> Run:
    refuse_argument(call, "withCodeDiscounts")
    return part_bag(lambda line: line.discounted_minor)(call)


def _line_of(context: Context) -> Run:
    lines = context.store.sales.lines
    return lambda refunded: lines[refunded.line_id]


def _refund_line_bag(minor: Callable[[RefundLine, OrderLine], int]) -> Resolver:
    def reach(context: Context) -> Run:
        lines, orders = context.store.sales.lines, context.store.sales.orders

        def run(refunded: RefundLine) -> Any:
            line = lines[refunded.line_id]
            return money_bag(orders[line.order_id], minor(refunded, line))

        return run

    return single(reach)


def _parent(context: Context) -> Run:
    transactions = context.store.sales.transactions
    return lambda transaction: transactions.get(transaction.parent_id)


def _gateways(order: Order) -> list[str]:
    return list(dict.fromkeys(one.gateway for one in order.transactions if one.gateway))


def _outstanding(order: Order) -> int:
    return 0 if order.cancelled_at else max(0, order.current_total_minor - order.received_minor + order.refunded_minor)


def _capturable(order: Order) -> int:
    held = sum(one.amount_minor for one in order.transactions if one.kind == "AUTHORIZATION" and one.status == SUCCESS)
    is_void = any(one.kind == "VOID" and one.status == SUCCESS for one in order.transactions)
    return 0 if is_void else max(0, held - sum(one.amount_minor for one in order.transactions if one.kind in PAYING))


ORDER: dict[str, Resolver] = {
    "id": leaf(lambda order: gid("Order", order.id)),
    "legacyResourceId": leaf(lambda order: str(order.id)),
    "name": leaf(lambda order: order.name),
    "number": leaf(lambda order: order.number),
    "email": leaf(lambda order: order.email),
    "phone": leaf(lambda order: order.phone),
    "createdAt": leaf(lambda order: moment(order.created_at)),
    "updatedAt": leaf(lambda order: moment(order.updated_at)),
    "processedAt": leaf(lambda order: moment(order.processed_at)),
    "cancelledAt": leaf(lambda order: moment(order.cancelled_at)),
    "closedAt": leaf(lambda order: moment(order.closed_at)),
    "closed": leaf(lambda order: order.closed_at is not None),
    "cancelReason": leaf(lambda order: order.cancel_reason),
    "confirmed": leaf(lambda _: True),
    "edited": leaf(lambda _: False),
    "displayFinancialStatus": leaf(lambda order: order.financial_status),
    "displayFulfillmentStatus": leaf(lambda order: order.fulfillment_status),
    "returnStatus": leaf(lambda _: "NO_RETURN"),
    "fullyPaid": leaf(lambda order: order.received_minor >= order.total_minor),
    "unpaid": leaf(lambda order: order.received_minor == 0 and order.total_minor > 0),
    "currencyCode": leaf(lambda order: order.currency),
    "presentmentCurrencyCode": leaf(lambda order: order.presentment_currency),
    "sourceName": leaf(lambda order: order.source_name),
    "tags": leaf(lambda order: order.tags),
    "note": leaf(lambda order: order.note),
    "test": leaf(lambda order: order.test),
    "taxesIncluded": leaf(lambda order: order.taxes_included),
    "poNumber": leaf(lambda _: None),
    "clientIp": leaf(lambda _: None),
    "confirmationNumber": leaf(lambda _: None),
    "customAttributes": many(lambda _: lambda _order: ()),
    "paymentGatewayNames": leaf(_gateways),
    "discountCode": leaf(lambda order: next(iter(order.discount_codes), None)),
    "discountCodes": leaf(lambda order: order.discount_codes),
    "requiresShipping": leaf(lambda order: any(line.requires_shipping for line in order.lines)),
    "subtotalLineItemsQuantity": leaf(lambda order: sum(line.quantity for line in order.lines)),
    "currentSubtotalLineItemsQuantity": leaf(lambda order: sum(line.current_quantity for line in order.lines)),
    "customer": single(lambda context: context.store.sales.customer_of),
    "subtotalPriceSet": bag(lambda order: order.subtotal_minor),
    "totalDiscountsSet": bag(lambda order: order.discounts_minor),
    "totalShippingPriceSet": bag(lambda order: order.shipping_minor),
    "totalTaxSet": bag(lambda order: order.tax_minor),
    "totalPriceSet": bag(lambda order: order.total_minor),
    "originalTotalPriceSet": bag(lambda order: order.total_minor),
    "currentSubtotalPriceSet": bag(lambda order: order.subtotal_minor - order.returned_subtotal_minor),
    "currentTotalTaxSet": bag(lambda order: order.tax_minor - order.returned_tax_minor),
    "currentShippingPriceSet": bag(lambda order: order.shipping_minor - order.returned_shipping_minor),
    "currentTotalPriceSet": bag(lambda order: order.current_total_minor),
    "totalReceivedSet": bag(lambda order: order.received_minor),
    "totalRefundedSet": bag(lambda order: order.refunded_minor),
    "totalRefundedShippingSet": bag(lambda order: order.returned_shipping_minor),
    "totalOutstandingSet": bag(_outstanding),
    "totalCapturableSet": bag(_capturable),
    "netPaymentSet": bag(lambda order: order.received_minor - order.refunded_minor),
    "totalTipReceivedSet": bag(lambda _: 0),
    "lineItems": listed(_lines, {None: lambda line: line.id}),
    "refunds": _first("refunds"),
    "fulfillments": _fulfillments,
    "fulfillmentsCount": _counted("fulfillments"),
    "transactions": _transactions,
    "transactionsCount": _counted("transactions"),
    "shippingAddress": single(lambda _: lambda order: order.shipping_address),
    "billingAddress": single(lambda _: lambda order: order.billing_address),
    "billingAddressMatchesShippingAddress": leaf(lambda order: order.billing_address is order.shipping_address),
    **metafields_of("Order"),
}

LINE: dict[str, Resolver] = {
    "id": leaf(lambda line: gid("LineItem", line.id)),
    "title": leaf(lambda line: line.title),
    "variantTitle": leaf(lambda line: line.variant_title),
    "name": leaf(lambda line: f"{line.title} - {line.variant_title}" if line.variant_title else line.title),
    "sku": leaf(lambda line: line.sku),
    "vendor": leaf(lambda line: line.vendor),
    "quantity": leaf(lambda line: line.quantity),
    "currentQuantity": leaf(lambda line: line.current_quantity),
    "refundableQuantity": leaf(lambda line: line.current_quantity),
    "unfulfilledQuantity": stored(_unfulfilled),
    "nonFulfillableQuantity": leaf(lambda _: 0),
    "taxable": leaf(lambda line: line.taxable),
    "requiresShipping": leaf(lambda line: line.requires_shipping),
    "isGiftCard": leaf(lambda line: line.is_gift_card),
    "restockable": leaf(lambda line: line.variant_id is not None),
    "customAttributes": many(lambda _: lambda _line: ()),
    "originalUnitPriceSet": part_bag(lambda line: line.unit_price_minor),
    "originalTotalSet": part_bag(lambda line: line.original_minor),
    "discountedUnitPriceSet": part_bag(lambda line: line.discounted_minor // line.quantity),
    "discountedTotalSet": _discounted_total,
    "totalDiscountSet": part_bag(lambda line: line.discount_minor),
    "variant": single(lambda context: lambda line: context.store.variants.get(line.variant_id)),
    "product": single(lambda context: lambda line: context.store.products.get(line.product_id)),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "Order": ORDER,
    "LineItem": LINE,
    "Attribute": entries("key", "value"),
    "Refund": {
        "id": leaf(lambda refund: gid("Refund", refund.id)),
        "legacyResourceId": leaf(lambda refund: str(refund.id)),
        "createdAt": leaf(lambda refund: moment(refund.created_at)),
        "updatedAt": leaf(lambda refund: moment(refund.updated_at)),
        "processedAt": leaf(lambda refund: moment(refund.created_at)),
        "note": leaf(lambda refund: refund.note),
        "totalRefundedSet": part_bag(lambda refund: refund.amount_minor),
        "refundLineItems": listed(lambda _, _args: lambda refund: refund.lines, {None: lambda line: line.id}),
        "order": single(_order_of),
    },
    "RefundLineItem": {
        "id": leaf(lambda refunded: gid("RefundLineItem", refunded.id)),
        "lineItem": single(_line_of),
        "quantity": leaf(lambda refunded: refunded.quantity),
        "restockType": leaf(lambda refunded: refunded.restock_type),
        "restocked": leaf(lambda refunded: refunded.restock_type != "NO_RESTOCK"),
        "priceSet": _refund_line_bag(lambda _, line: line.unit_price_minor),
        "subtotalSet": _refund_line_bag(lambda refunded, _: refunded.subtotal_minor),
        "totalTaxSet": _refund_line_bag(lambda refunded, _: refunded.tax_minor),
    },
    "Fulfillment": {
        "id": leaf(lambda fulfillment: gid("Fulfillment", fulfillment.id)),
        "legacyResourceId": leaf(lambda fulfillment: str(fulfillment.id)),
        "name": leaf(lambda fulfillment: fulfillment.name),
        "status": leaf(lambda fulfillment: fulfillment.status),
        "displayStatus": leaf(lambda fulfillment: fulfillment.display_status),
        "createdAt": leaf(lambda fulfillment: moment(fulfillment.created_at)),
        "updatedAt": leaf(lambda fulfillment: moment(fulfillment.updated_at)),
        "totalQuantity": leaf(lambda fulfillment: fulfillment.total_quantity),
        "requiresShipping": leaf(lambda _: True),
        "location": single(lambda context: lambda one: context.store.locations.get(one.location_id)),
        "trackingInfo": _first("tracking"),
        "order": single(_order_of),
    },
    "FulfillmentTrackingInfo": {
        "number": leaf(lambda tracking: tracking.number),
        "company": leaf(lambda tracking: tracking.company),
        "url": leaf(lambda tracking: tracking.url),
    },
    "OrderTransaction": {
        "id": leaf(lambda transaction: gid("OrderTransaction", transaction.id)),
        "kind": leaf(lambda transaction: transaction.kind),
        "status": leaf(lambda transaction: transaction.status),
        "gateway": leaf(lambda transaction: transaction.gateway),
        "formattedGateway": leaf(lambda one: one.gateway and one.gateway.replace("_", " ").title()),
        "test": leaf(lambda transaction: transaction.test),
        "createdAt": leaf(lambda transaction: moment(transaction.created_at)),
        "processedAt": leaf(lambda transaction: moment(transaction.processed_at)),
        "amountSet": part_bag(lambda transaction: transaction.amount_minor),
        "parentTransaction": single(_parent),
        "errorCode": leaf(lambda _: None),
        "order": single(_order_of),
    },
}
