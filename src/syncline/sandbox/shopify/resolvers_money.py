"""Amounts in both currencies of an order: the shop's and the one the customer paid in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncline.sandbox.shopify.amounts import minor_amount
from syncline.sandbox.shopify.compiler import Resolver, entries, single
from syncline.sandbox.shopify.entities_sales import Order


def money_bag(order: Order, minor: int) -> dict[str, dict[str, str]]:
    shop = {"amount": minor_amount(minor), "currencyCode": order.currency}
    if order.presentment_rate is None:
        return {"shopMoney": shop, "presentmentMoney": shop}
    paid = {"amount": minor_amount(order.presentment(minor)), "currencyCode": order.presentment_currency}
    return {"shopMoney": shop, "presentmentMoney": paid}


def bag(minor: Callable[[Any], int]) -> Resolver:
    """A MoneyBag of an order."""
    return single(lambda _: lambda order: money_bag(order, minor(order)))


def part_bag(minor: Callable[[Any], int]) -> Resolver:
    """A MoneyBag of a line, refund or transaction: in the currencies of its order."""
    return single(lambda context: lambda part: money_bag(context.store.sales.orders[part.order_id], minor(part)))


TYPES: dict[str, dict[str, Resolver]] = {"MoneyBag": entries("shopMoney", "presentmentMoney")}
