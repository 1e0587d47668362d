"""Makes customers and orders, with the dirt of real ones.

Dirt: customers without a name, e-mail, phone or address, addresses without a country, names in many scripts, customers
who never ordered; orders of nobody and of deleted customers, lines of deleted variants and of custom items, lines at
zero, refunds in part and in whole, cancelled and test orders, several fulfilments, failed payments, other currencies.

Memory: an order with its 2.2 lines takes about 3 KB, a customer about 1 KB (measured, CPython 3.11).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from syncline.sandbox.shopify import generator_people as people
from syncline.sandbox.shopify.entities import Variant
from syncline.sandbox.shopify.entities_sales import (
    Address,
    Customer,
    Fulfillment,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    Tracking,
    Transaction,
    financial_status,
    fulfillment_status,
)
from syncline.sandbox.shopify.state import Store

NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
"""No generated time is later. Fixed, so that a seed always gives the same store."""
SPAN_SECONDS = 2 * 365 * 86_400
GONE_ID = 1_000_000_000
"""Ids below the first of their kind: what they name was deleted."""
RATES = {"EUR": Decimal("0.92"), "CAD": Decimal("1.36"), "GBP": Decimal("0.79")}
TAX_PERCENT = (0, 0, 6, 8, 19, 25)


class SalesMaker:
    def __init__(self, store: Store, seed: int) -> None:
        self.store = store
        self.sales = store.sales
        self.random = Random(f"sales {seed}")
        self.new_id = store.journal.next_id
        self.variants: Sequence[Variant] = list(store.variants.values())
        self.locations = list(store.locations)
        self.buyers: Sequence[int] = ()

    # -- customers

    def add_customers(self, count: int) -> None:
        for number in range(count):
            self.sales.insert_customer(self._customer(number))
        # Three in four have ordered, and a few of them often.
        ids = list(self.sales.customers)
        self.buyers = ids[: max(1, len(ids) * 3 // 4)] if ids else ()

    def _customer(self, number: int) -> Customer:
        random = self.random
        dirt = number if number < 8 else random.randrange(100)
        first: str | None = random.choice(people.FIRST_NAMES)
        last: str | None = random.choice(people.LAST_NAMES)
        if dirt in {1, 60, 61}:
            first, last = None, None
        elif dirt == 2:
            last = f"  {last} "
        created = self._moment()
        email = (
            None
            if dirt in {3, 62, 63, 64}
            else f"{_letters(first or 'buyer')}.{number}@{random.choice(people.MAILERS)}"
        )
        addresses = [self._address(first, last) for _ in range(0 if dirt in {4, 65, 66} else 2 if dirt > 90 else 1)]
        return Customer(
            self.new_id("customer"),
            created,
            self._after(created),
            first,
            last,
            email,
            f"+47{40_000_000 + number}" if dirt % 5 == 0 else None,
            random.choice(people.MARKETING),
            "SUBSCRIBED" if dirt % 15 == 0 else "NOT_SUBSCRIBED",
            "ENABLED" if dirt % 4 == 0 else "DISABLED",
            random.choice(people.CUSTOMER_TAGS),
            "Prefers e-mail.\nNo calls before 10." if dirt == 67 else None,
            random.choice(people.LOCALES),
            dirt % 10 != 9,
            dirt == 68,
            addresses,
            addresses[0].id if addresses else None,
        )

    def _address(self, first: str | None, last: str | None, model: str = "CustomerAddress") -> Address:
        random = self.random
        city, province, province_code, country, country_code = random.choice(people.PLACES)
        return Address(
            self.new_id("address"),
            model,
            first,
            last,
            "Nordlys AS" if random.random() < 0.05 else None,
            random.choice(people.STREETS),
            None,
            city,
            province,
            province_code,
            country,
            country_code,
            random.choice(people.ZIPS),
            None,
        )

    # -- orders

    def add_orders(self, count: int) -> None:
        """In the order of their time, as numbers are given out; the last is not long before `NEWEST`."""
        random = self.random
        moments = sorted(random.randrange(3 * 86_400, SPAN_SECONDS) for _ in range(count))
        oldest = NEWEST - timedelta(seconds=SPAN_SECONDS)
        for number, seconds in enumerate(moments):
            self.sales.insert_order(self._order(number, oldest + timedelta(seconds=seconds)))

    def _order(self, number: int, created: datetime) -> Order:
        random = self.random
        dirt = number if number < 16 else random.randrange(1000)
        order_id, order_number = self.new_id("order"), self.sales.take_number()
        customer = self._buyer(dirt)
        currency = self.store.shop.currency
        paid_in = random.choice(tuple(RATES)) if dirt % 20 == 1 else currency
        lines = [self._line(order_id, dirt, at) for at in range(random.choice(people.LINE_COUNTS))]
        subtotal = sum(line.discounted_minor for line in lines)
        code = random.choice(people.CODES) if dirt % 8 == 2 else None
        discount = subtotal // 10 if code else 0
        shipping = self._shipping(customer)
        order = Order(
            id=order_id,
            number=order_number,
            name=f"#{order_number}",
            created_at=created,
            updated_at=created,
            processed_at=created - timedelta(days=3) if dirt % 50 == 3 else created,
            currency=currency,
            presentment_currency=paid_in,
            presentment_rate=RATES.get(paid_in),
            source_name=random.choice(people.SOURCES),
            email=customer.email if customer else None,
            tags=random.choice(people.ORDER_TAGS),
            note=random.choice(people.NOTES),
            test=dirt % 200 == 4,
            taxes_included=dirt % 3 == 0,
            customer_id=GONE_ID + number if dirt in {5, 100, 101} else customer.id if customer else None,
            tax_minor=(subtotal - discount) * random.choice(TAX_PERCENT) // 100,
            shipping_minor=0 if dirt % 4 == 0 else random.choice(people.SHIPPING),
            code_discount_minor=discount,
            discount_codes=[code] if code else [],
            lines=lines,
            shipping_address=shipping,
            billing_address=shipping if dirt % 10 else self._address(None, "Accounts payable", "Address"),
        )
        self._lead_life(order, dirt)
        return order

    def _buyer(self, dirt: int) -> Customer | None:
        if not self.buyers or dirt % 40 == 6:
            return None
        # The square makes the first customers the frequent ones.
        return self.sales.customers[self.buyers[int(self.random.random() ** 2 * len(self.buyers))]]

    def _shipping(self, customer: Customer | None) -> Address | None:
        if customer is None or not customer.addresses:
            return None
        own = customer.addresses[0]
        return Address(
            self.new_id("address"), "Address", own.first_name, own.last_name, own.company, own.address1, own.address2,
            own.city, own.province, own.province_code, own.country, own.country_code, own.zip, own.phone,
        )  # fmt: skip

    def _line(self, order_id: int, dirt: int, at: int) -> OrderLine:
        random = self.random
        quantity = random.choice(people.QUANTITIES)
        number = self.new_id("line")
        if not self.variants or (at == 0 and dirt % 100 == 7):
            price = random.randrange(500, 9000)
            return OrderLine(number, order_id, random.choice(people.CUSTOM_ITEMS), quantity, quantity, price)
        variant = self.variants[int(random.random() * len(self.variants))]
        product = self.store.products[variant.product_id]
        price = 0 if at == 0 and dirt % 100 == 8 else round(float(variant.price) * 100)
        is_gone = at == 0 and dirt % 60 == 9
        item = self.store.items[variant.item_id]
        return OrderLine(
            number,
            order_id,
            product.title,
            quantity,
            quantity,
            price,
            price * quantity // 5 if dirt % 12 == 10 else 0,
            GONE_ID + variant.id % GONE_ID if is_gone else variant.id,
            GONE_ID + product.id % GONE_ID if is_gone else product.id,
            None if variant.title == "Default Title" else variant.title,
            variant.sku,
            product.vendor or None,
            variant.taxable,
            item.requires_shipping,
            product.is_gift_card,
        )

    # -- what happens to an order

    def _lead_life(self, order: Order, dirt: int) -> None:
        """Payment, fulfilment, refund, cancelling: each some hours after the one before, and none after `NEWEST`."""
        moment = order.created_at
        moment = self._pay(order, dirt, moment)
        if dirt % 25 == 11:
            moment = self._cancel(order, moment)
        elif dirt % 12 != 5:
            moment = self._fulfill(order, dirt, moment)
            if dirt % 14 in {12, 13}:
                moment = self._refund(order, moment, is_whole=dirt % 14 == 13)
            if dirt % 3:
                order.closed_at = moment = self._later(moment)
        order.updated_at = moment
        order.financial_status, order.fulfillment_status = financial_status(order), fulfillment_status(order)

    def _pay(self, order: Order, dirt: int, moment: datetime) -> datetime:
        total, gateway = order.total_minor, self.random.choice(people.GATEWAYS)
        if total == 0 or dirt % 30 == 14:
            return moment
        if dirt % 35 == 15:
            self._transact(order, "SALE", total, moment, gateway, status="FAILURE")
        if dirt % 10 == 1:
            held = self._transact(order, "AUTHORIZATION", total, moment, gateway)
            if dirt % 30 == 1:
                return moment
            moment = self._later(moment)
            self._transact(order, "CAPTURE", total, moment, gateway, parent=held.id)
            return moment
        self._transact(order, "SALE", total // 2 if dirt % 70 == 2 else total, moment, gateway)
        return moment

    def _transact(
        self,
        order: Order,
        kind: str,
        minor: int,
        moment: datetime,
        gateway: str | None,
        *,
        status: str = "SUCCESS",
        parent: int | None = None,
    ) -> Transaction:
        number = self.new_id("transaction")
        made = Transaction(number, order.id, kind, minor, moment, moment, status, gateway, order.test, parent)
        order.transactions.append(made)
        return made

    def _fulfill(self, order: Order, dirt: int, moment: datetime) -> datetime:
        parts = [[line] for line in order.lines] if dirt % 11 == 4 else [order.lines]
        for number, lines in enumerate(parts[: 1 if dirt % 33 == 4 else None], start=1):
            moment = self._later(moment)
            code = f"RR{order.number:09d}NO"
            tracking = Tracking(code, "PostNord", f"https://tracking.example/{code}")
            order.fulfillments.append(
                Fulfillment(
                    self.new_id("fulfillment"),
                    order.id,
                    f"{order.name}-F{number}",
                    moment,
                    moment,
                    "SUCCESS",
                    "DELIVERED" if dirt % 2 else "FULFILLED",
                    self.random.choice(self.locations) if self.locations else None,
                    {line.id: line.quantity for line in lines},
                    [] if dirt % 9 == 0 else [tracking],
                )
            )
        return moment

    def _refund(self, order: Order, moment: datetime, *, is_whole: bool) -> datetime:
        paid = next(
            (one for one in order.transactions if one.kind in {"SALE", "CAPTURE"} and one.status == "SUCCESS"), None
        )
        if paid is None:
            return moment
        moment = self._later(moment)
        lines = order.lines if is_whole else order.lines[:1]
        refund = self._returned(order, lines, moment, "RETURN")
        shipping = order.shipping_minor if is_whole else 0
        refund.shipping_minor = shipping
        due = refund.subtotal_minor + shipping + (0 if order.taxes_included else refund.tax_minor)
        refund.amount_minor = paid.amount_minor if is_whole else min(due, paid.amount_minor)
        self._transact(order, "REFUND", refund.amount_minor, moment, paid.gateway, parent=paid.id)
        return moment

    def _cancel(self, order: Order, moment: datetime) -> datetime:
        moment = self._later(moment)
        order.cancelled_at = order.closed_at = moment
        order.cancel_reason = self.random.choice(people.CANCEL_REASONS)
        refund = self._returned(order, order.lines, moment, "CANCEL")
        refund.shipping_minor = order.shipping_minor
        paid = order.received_minor
        held = next((one for one in order.transactions if one.kind == "AUTHORIZATION"), None)
        if paid:
            refund.amount_minor = paid
            last = order.transactions[-1]
            self._transact(order, "REFUND", paid, moment, last.gateway, parent=last.id)
        elif held is not None:
            self._transact(order, "VOID", held.amount_minor, moment, held.gateway, parent=held.id)
        return moment

    def _returned(self, order: Order, lines: Sequence[OrderLine], moment: datetime, restock: str) -> Refund:
        """Takes `lines` off the order, with their share of the order's discount and tax; all lines take all of both."""
        before, is_all = sum(line.discounted_minor for line in order.lines) or 1, len(lines) == len(order.lines)
        refund = Refund(self.new_id("refund"), order.id, moment, moment, note=self.random.choice(people.REFUND_NOTES))
        for line in lines:
            own = line.discounted_minor - order.code_discount_minor * line.discounted_minor // before
            tax = order.tax_minor * line.discounted_minor // before
            line.current_quantity = 0
            refund.lines.append(RefundLine(self.new_id("refund_line"), line.id, line.quantity, own, tax, restock))
        if is_all:
            refund.lines[-1].subtotal_minor += order.subtotal_minor - refund.subtotal_minor
            refund.lines[-1].tax_minor += order.tax_minor - refund.tax_minor
        order.refunds.append(refund)
        return refund

    # -- times

    def _moment(self) -> datetime:
        return NEWEST - timedelta(seconds=self.random.randrange(3 * 86_400, SPAN_SECONDS))

    def _after(self, moment: datetime) -> datetime:
        return moment + timedelta(seconds=self.random.randrange(int((NEWEST - moment).total_seconds())))

    def _later(self, moment: datetime) -> datetime:
        return min(NEWEST, moment + timedelta(seconds=self.random.randrange(600, 40_000)))


def _letters(name: str) -> str:
    """What of a name an e-mail address may hold."""
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum()) or "x"
