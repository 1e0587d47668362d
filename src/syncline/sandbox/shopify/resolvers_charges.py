"""Taxes, shipping and discounts of an order, as objects of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncline.sandbox.shopify.compiler import Call, Items, Resolver, Run, entries, leaf, many, single, stored
from syncline.sandbox.shopify.connections import keyed, listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.entities_sales import Order, OrderLine
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.ordering import Key
from syncline.sandbox.shopify.resolvers_money import bag, money_bag, part_bag

GRAMS = {"GRAMS": 1, "KILOGRAMS": 1000, "OUNCES": 28.349523125, "POUNDS": 453.59237}


@dataclass(frozen=True, slots=True)
class Tax:
    """The one tax of an order, on the whole or on one line."""

    order: Order
    minor: int
    base_minor: int

    @property
    def rate(self) -> float:
        return round(self.minor / self.base_minor, 4) if self.base_minor else 0.0


@dataclass(frozen=True, slots=True)
class CodeDiscount:
    order: Order


@dataclass(frozen=True, slots=True)
class Percentage:
    percentage: float


def _order_taxes(_: Context) -> Run:
    return lambda order: [Tax(order, order.tax_minor, order.subtotal_minor)] if order.tax_minor else []


def _line_taxes(call: Call) -> Run:
    """The line's share of the order's tax, rounded down."""
    first = call.args.get("first")
    orders = call.context.store.sales.orders
    child = call.child()

    def run(line: OrderLine) -> list[Any]:
        order = orders[line.order_id]
        before = sum(one.discounted_minor for one in order.lines)
        if not order.tax_minor or not line.taxable or not before:
            return []
        tax = Tax(order, order.tax_minor * line.discounted_minor // before, line.discounted_minor)
        return [child(one) for one in [tax][:first]]

    return run


def _shipped(order: Order) -> list[Order]:
    return [order] if order.shipping_minor else []


def _shipping_lines(_: Context, _args: dict[str, Any]) -> Items:
    return _shipped


def _discount_keys(_: Call) -> Any:
    def keys(order: Order) -> list[Key]:
        return [(0, order.id)] if order.code_discount_minor else []

    return keys


def _discount(context: Context) -> Run:
    orders = context.store.sales.orders
    return lambda number: CodeDiscount(orders[number])


def _percentage(discount: CodeDiscount) -> Percentage:
    order = discount.order
    before = order.subtotal_minor + order.code_discount_minor
    return Percentage(round(100 * order.code_discount_minor / before, 2))


def _weight(context: Context) -> Run:
    """In grams; lines whose variant is gone weigh nothing."""
    store = context.store

    def run(order: Order) -> str:
        total = 0.0
        for line in order.lines:
            variant = store.variants.get(line.variant_id or 0)
            if variant is not None:
                item = store.items[variant.item_id]
                total += float(item.weight) * GRAMS[item.weight_unit] * line.current_quantity
        return str(round(total))

    return run


def _left(line: OrderLine, order: Order) -> int:
    sent = sum(one.lines.get(line.id, 0) for one in order.fulfillments)
    return max(0, line.current_quantity - sent)


def _left_bag(unit: Any) -> Resolver:
    def reach(context: Context) -> Run:
        orders = context.store.sales.orders

        def run(line: OrderLine) -> Any:
            order = orders[line.order_id]
            return money_bag(order, unit(line) * _left(line, order))

        return run

    return single(reach)


def _status_page(context: Context) -> Run:
    shop = context.store.shop
    return lambda order: f"https://{shop.domain}/{shop.id}/orders/{order.id:032x}/authenticate"


def _customer_locale(context: Context) -> Run:
    customer_of = context.store.sales.customer_of
    return lambda order: customer.locale if (customer := customer_of(order)) else None


def _zero_rounding(order: Order) -> dict[str, Any]:
    return {"paymentSet": money_bag(order, 0), "refundSet": money_bag(order, 0)}


ORDER: dict[str, Resolver] = {
    "taxLines": many(_order_taxes),
    "currentTaxLines": many(_order_taxes),
    "shippingLine": single(lambda _: lambda order: order if order.shipping_minor else None),
    "shippingLines": listed(_shipping_lines, {None: lambda order: order.id}),
    "discountApplications": keyed(_discount_keys, _discount),
    "cartDiscountAmountSet": bag(lambda order: order.code_discount_minor),
    "currentCartDiscountAmountSet": bag(lambda order: order.code_discount_minor),
    "currentTotalDiscountsSet": bag(lambda order: order.discounts_minor),
    "refundDiscrepancySet": bag(lambda _: 0),
    "totalCashRoundingAdjustment": single(lambda _: _zero_rounding),
    "totalWeight": stored(_weight),
    "currentTotalWeight": stored(_weight),
    "statusPageUrl": stored(_status_page),
    "customerLocale": stored(_customer_locale),
    "capturable": leaf(lambda order: order.financial_status == "AUTHORIZED"),
    "canMarkAsPaid": leaf(lambda order: order.financial_status in {"PENDING", "PARTIALLY_PAID"}),
    "fulfillable": leaf(lambda order: order.cancelled_at is None and order.fulfillment_status != "FULFILLED"),
    "refundable": leaf(lambda order: order.received_minor > order.refunded_minor),
    "restockable": leaf(lambda order: any(line.current_quantity and line.variant_id for line in order.lines)),
}

LINE: dict[str, Resolver] = {
    "taxLines": _line_taxes,
    "unfulfilledOriginalTotalSet": _left_bag(lambda line: line.unit_price_minor),
    "unfulfilledDiscountedTotalSet": _left_bag(lambda line: line.discounted_minor // line.quantity),
}

TRANSACTION: dict[str, Resolver] = {
    "amount": leaf(lambda transaction: f"{transaction.amount_minor / 100:.2f}"),
    "totalUnsettledSet": part_bag(lambda _: 0),
    "manualPaymentGateway": leaf(lambda transaction: transaction.gateway == "manual"),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "TaxLine": {
        "title": leaf(lambda _: "Tax"),
        "rate": leaf(lambda tax: tax.rate),
        "ratePercentage": leaf(lambda tax: round(tax.rate * 100, 2)),
        "priceSet": single(lambda _: lambda tax: money_bag(tax.order, tax.minor)),
        "channelLiable": leaf(lambda _: False),
        "source": leaf(lambda _: None),
    },
    "ShippingLine": {
        "id": leaf(lambda order: gid("ShippingLine", order.id)),
        "title": leaf(lambda _: "Standard"),
        "code": leaf(lambda _: "Standard"),
        "source": leaf(lambda _: "shopify"),
        "custom": leaf(lambda _: False),
        "isRemoved": leaf(lambda _: False),
        "carrierIdentifier": leaf(lambda _: None),
        "deliveryCategory": leaf(lambda _: None),
        "phone": leaf(lambda _: None),
        "shippingRateHandle": leaf(lambda _: None),
        "originalPriceSet": bag(lambda order: order.shipping_minor),
        "discountedPriceSet": bag(lambda order: order.shipping_minor),
        "currentDiscountedPriceSet": bag(lambda order: order.shipping_minor - order.returned_shipping_minor),
    },
    "DiscountCodeApplication": {
        "allocationMethod": leaf(lambda _: "ACROSS"),
        "code": leaf(lambda discount: discount.order.discount_codes[0] if discount.order.discount_codes else ""),
        "index": leaf(lambda _: 0),
        "targetSelection": leaf(lambda _: "ALL"),
        "targetType": leaf(lambda _: "LINE_ITEM"),
        "value": single(lambda _: _percentage),
    },
    "PricingPercentageValue": {"percentage": leaf(lambda value: value.percentage)},
    "CashRoundingAdjustment": entries("paymentSet", "refundSet"),
}
TYPE_NAMES = {CodeDiscount: "DiscountCodeApplication", Percentage: "PricingPercentageValue"}
