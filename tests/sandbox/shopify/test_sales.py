"""What reading orders and customers answers, and the two mutations that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncline.kernel import clock
from syncline.sandbox.shopify.edits import apply_edit
from syncline.sandbox.shopify.engine import Engine
from syncline.sandbox.shopify.state import Store

Ask = Callable[..., dict[str, Any]]
ADA, BO = "gid://shopify/Customer/7100000000001", "gid://shopify/Customer/7100000000002"
FIRST = "gid://shopify/Order/5500000000001"
SHIRT = 41000000000001


@pytest.fixture(autouse=True)
def made(shop: Store) -> None:
    """Ada (with two addresses) has ordered twice, the second time cancelled; Bo never; somebody unknown once."""
    home = {"first_name": "Ada", "city": "Oslo", "country": "Norway", "country_code": "NO", "zip": "0155"}
    ada = {
        "first_name": "Ada",
        "last_name": "Åsen",
        "email": "ada@example.com",
        "phone": "+4740000000",
        "tags": ["VIP"],
    }
    apply_edit(shop, {"action": "create", "kind": "customer", "set": ada | {"addresses": [home, {"city": "Rome"}]}})
    apply_edit(shop, {"action": "create", "kind": "customer", "set": {"last_name": "Bo", "state": "ENABLED"}})
    lines = [{"variant": SHIRT, "quantity": 2, "discount_minor": 100}, {"title": "Wrap", "unit_price_minor": 250}]
    fields = {
        "customer": ADA,
        "lines": lines,
        "tax_minor": 100,
        "shipping_minor": 500,
        "code_discount_minor": 50,
        "discount_codes": ["TEN"],
        "shipping_address": {"city": "Oslo"},
        "tags": ["b2b"],
    }
    apply_edit(shop, {"action": "create", "kind": "order", "set": fields})
    apply_edit(shop, {"action": "fulfill", "kind": "order", "id": FIRST, "set": {"tracking": "RR1", "company": "Post"}})
    line = str(shop.sales.orders[5500000000001].lines[0].id)
    apply_edit(shop, {"action": "refund", "kind": "order", "id": FIRST, "set": {"lines": {line: 1}, "note": "torn"}})
    apply_edit(shop, {"action": "create", "kind": "order", "set": {"customer": ADA, "lines": lines[1:]}})
    apply_edit(shop, {"action": "cancel", "kind": "order", "id": 5500000000002, "set": {"reason": "FRAUD"}})
    apply_edit(shop, {"action": "create", "kind": "order", "set": {"lines": lines[1:], "paid": False, "test": True}})


def test_the_amounts_of_an_order(ask: Ask) -> None:
    names = (
        "subtotalPriceSet", "totalTaxSet", "totalDiscountsSet", "totalShippingPriceSet", "totalPriceSet",
        "totalRefundedSet", "currentSubtotalPriceSet", "currentTotalPriceSet", "totalReceivedSet", "netPaymentSet",
    )  # fmt: skip
    fields = " ".join(f"{name} {{ shopMoney {{ amount }} }}" for name in names)
    order = ask(f'{{ order(id: "{FIRST}") {{ {fields} }} }}')["data"]["order"]
    assert [order[name]["shopMoney"]["amount"] for name in names] == [
        "41.0", "1.0", "1.5", "5.0", "47.0", "19.5", "21.5", "27.5", "47.0", "27.5",
    ]  # fmt: skip


def test_an_order_with_all_its_parts(ask: Ask) -> None:
    query = (
        "query($id: ID!) { order(id: $id) { name number email displayFinancialStatus displayFulfillmentStatus tags"
        " discountCodes customer { id } shippingAddress { id city } billingAddress { city }"
        " lineItems(first: 5) { nodes { title sku quantity currentQuantity unfulfilledQuantity"
        " originalUnitPriceSet { shopMoney { amount currencyCode } } discountedTotalSet { shopMoney { amount } }"
        " variant { sku } product { handle } } }"
        " refunds(first: 5) { note totalRefundedSet { shopMoney { amount } }"
        " refundLineItems(first: 5) { nodes { quantity subtotalSet { shopMoney { amount } } lineItem { title } } } }"
        " fulfillments(first: 5) { name status totalQuantity location { name } trackingInfo { number company url } }"
        " transactions(first: 5) { kind status gateway amountSet { shopMoney { amount } } parentTransaction { kind } }"
        " } }"
    )
    order = ask(query, {"id": FIRST})["data"]["order"]
    assert {name: order[name] for name in ("name", "number", "email", "tags", "discountCodes", "customer")} == {
        "name": "#1001",
        "number": 1001,
        "email": "ada@example.com",
        "tags": ["b2b"],
        "discountCodes": ["TEN"],
        "customer": {"id": ADA},
    }
    assert order["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert order["shippingAddress"]["id"].endswith("?model_name=Address")
    assert order["lineItems"]["nodes"][0] == {
        "title": "Linen Shirt",
        "sku": "SHIRT-S",
        "quantity": 2,
        "currentQuantity": 1,
        "unfulfilledQuantity": 0,
        "originalUnitPriceSet": {"shopMoney": {"amount": "20.0", "currencyCode": "USD"}},
        "discountedTotalSet": {"shopMoney": {"amount": "39.0"}},
        "variant": {"sku": "SHIRT-S"},
        "product": {"handle": "linen-shirt"},
    }
    assert order["refunds"] == [
        {
            "note": "torn",
            "totalRefundedSet": {"shopMoney": {"amount": "19.5"}},
            "refundLineItems": {
                "nodes": [
                    {
                        "quantity": 1,
                        "subtotalSet": {"shopMoney": {"amount": "19.5"}},
                        "lineItem": {"title": "Linen Shirt"},
                    }
                ]
            },
        }
    ]
    assert order["fulfillments"] == [
        {
            "name": "#1001-F1",
            "status": "SUCCESS",
            "totalQuantity": 3,
            "location": {"name": "Warehouse"},
            "trackingInfo": [{"number": "RR1", "company": "Post", "url": None}],
        }
    ]
    assert [(one["kind"], one["parentTransaction"]) for one in order["transactions"]] == [
        ("SALE", None),
        ("REFUND", {"kind": "SALE"}),
    ]


def test_what_was_deleted_is_null_in_its_orders(ask: Ask, shop: Store) -> None:
    query = (
        "query($id: ID!) { order(id: $id) { customer { id }"
        " lineItems(first: 1) { nodes { sku variant { id } product { id } } } } }"
    )
    before = shop.sales.orders[5500000000001].updated_at
    apply_edit(shop, {"action": "delete", "kind": "product", "id": 7000000000001})
    apply_edit(shop, {"action": "delete", "kind": "customer", "id": ADA})
    assert ask(query, {"id": FIRST})["data"]["order"] == {
        "customer": None,
        "lineItems": {"nodes": [{"sku": "SHIRT-S", "variant": None, "product": None}]},
    }
    assert shop.sales.orders[5500000000001].updated_at == before


def test_the_other_currency_is_the_customers(ask: Ask, shop: Store) -> None:
    order = shop.sales.orders[5500000000001]
    order.presentment_currency, order.presentment_rate = "EUR", Decimal("0.92")
    query = (
        "query($id: ID!) { order(id: $id) { presentmentCurrencyCode"
        " totalPriceSet { shopMoney { amount } presentmentMoney { amount currencyCode } } } }"
    )
    assert ask(query, {"id": FIRST})["data"]["order"] == {
        "presentmentCurrencyCode": "EUR",
        "totalPriceSet": {
            "shopMoney": {"amount": "47.0"},
            "presentmentMoney": {"amount": "43.24", "currencyCode": "EUR"},
        },
    }


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("name:1001", [1001]),
        ("name:#1002", [1002]),
        ("financial_status:partially_refunded", [1001]),
        ("financial_status:refunded,pending", [1002, 1003]),
        ("fulfillment_status:fulfilled", [1001]),
        ("fulfillment_status:unshipped", [1002, 1003]),
        ("status:open", [1001, 1003]),
        ("status:cancelled", [1002]),
        ("status:not_closed", [1001, 1003]),
        ("customer_id:7100000000001", [1001, 1002]),
        ("email:ADA@example.com", [1001, 1002]),
        ("tag:b2b", [1001]),
        ("tag_not:b2b", [1002, 1003]),
        ("test:true", [1003]),
        ("sku:SHIRT-S", [1001]),
        ("discount_code:ten", [1001]),
        ("current_total_price:>20", [1001]),
        ("gateway:shopify_payments", [1001, 1002]),
        ("shirt", [1001]),
        ("created_at:>='2020-01-01' AND id:<=5500000000002", [1001, 1002]),
        ("processed_at:<'2020-01-01'", []),
    ],
)
def test_orders_are_found_and_counted(ask: Ask, search: str, numbers: list[int]) -> None:
    query = "query($q: String) { orders(first: 9, query: $q) { nodes { number } } ordersCount(query: $q) { count } }"
    answer = ask(query, {"q": search})
    assert [one["number"] for one in answer["data"]["orders"]["nodes"]] == numbers
    assert answer["data"]["ordersCount"]["count"] == len(numbers)
    assert "search" not in answer["extensions"]


def test_a_filter_of_shopifys_that_is_not_served_is_an_error(ask: Ask) -> None:
    answer = ask('{ orders(first: 1, query: "risk_level:high") { nodes { id } } }')
    assert answer["errors"][0]["extensions"]["code"] == "NOT_SERVED"


@pytest.mark.parametrize("sort", ["PROCESSED_AT", "UPDATED_AT", "CREATED_AT", "ID", "TOTAL_PRICE", "ORDER_NUMBER"])
def test_every_sort_key_pages_over_all_orders(ask: Ask, sort: str) -> None:
    query = (
        f"query($after: String) {{ orders(first: 1, after: $after, sortKey: {sort})"
        " { nodes { number } pageInfo { endCursor } } }"
    )
    seen: list[int] = []
    after = None
    for _ in range(3):
        page = ask(query, {"after": after})["data"]["orders"]
        seen += [one["number"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert sorted(seen) == [1001, 1002, 1003]


def test_without_read_all_orders_only_sixty_days_are_seen(
    ask: Ask, shop: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shop.sales.orders[5500000000001]
    old.created_at = datetime.now(UTC) - timedelta(days=61)
    query = "query($id: ID!) { orders(first: 9) { nodes { number } } ordersCount { count } order(id: $id) { number } }"
    recent = ask(query, {"id": FIRST}, token_scopes=frozenset({"read_orders"}))["data"]
    assert recent == {
        "orders": {"nodes": [{"number": 1002}, {"number": 1003}]},
        "ordersCount": {"count": 2},
        "order": None,
    }
    assert ask(query, {"id": FIRST})["data"]["ordersCount"] == {"count": 3}


def test_scopes_are_asked_for_by_the_schemas_own_table(ask: Ask) -> None:
    query = "{ orders(first: 1) { nodes { id customer { id } } } customers(first: 1) { nodes { id } } }"
    answer = ask(query, token_scopes=frozenset({"read_orders", "read_all_orders"}))
    assert [(one["path"], one["extensions"]["code"]) for one in answer["errors"]] == [
        (["orders", "nodes", "customer"], "ACCESS_DENIED"),
        (["customers"], "ACCESS_DENIED"),
    ]
    assert answer["data"] is None


def test_a_customer_with_what_the_orders_add_up_to(ask: Ask) -> None:
    query = (
        "query($id: ID!) { customer(id: $id) { displayName email defaultEmailAddress { emailAddress marketingState }"
        " defaultPhoneNumber { phoneNumber } numberOfOrders amountSpent { amount currencyCode } tags"
        " addresses(first: 1) { id city } addressesV2(first: 5) { nodes { city countryCodeV2 } }"
        " defaultAddress { city }"
        ' lastOrder { name } orders(first: 5, query: "status:cancelled") { nodes { name } } } }'
    )
    assert ask(query, {"id": ADA})["data"]["customer"] == {
        "displayName": "Ada Åsen",
        "email": "ada@example.com",
        "defaultEmailAddress": {"emailAddress": "ada@example.com", "marketingState": "NOT_SUBSCRIBED"},
        "defaultPhoneNumber": {"phoneNumber": "+4740000000"},
        "numberOfOrders": "2",
        "amountSpent": {"amount": "27.5", "currencyCode": "USD"},
        "tags": ["VIP"],
        "addresses": [{"id": "gid://shopify/MailingAddress/9800000000001?model_name=CustomerAddress", "city": "Oslo"}],
        "addressesV2": {"nodes": [{"city": "Oslo", "countryCodeV2": "NO"}, {"city": "Rome", "countryCodeV2": None}]},
        "defaultAddress": {"city": "Oslo"},
        "lastOrder": {"name": "#1002"},
        "orders": {"nodes": [{"name": "#1002"}]},
    }


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("email:example.com", [ADA]),
        ('email:"ada@example.com"', [ADA]),
        ("phone:*", [ADA]),
        ("state:ENABLED", [BO]),
        ("country:NO", [ADA]),
        ("tag:vip,none", [ADA]),
        ("orders_count:0", [BO]),
        ("total_spent:>20", [ADA]),
        ("last_name:åsen", [ADA]),
        ("ada", [ADA]),
        ("updated_at:>='2020-01-01'", [ADA, BO]),
        ("customer_date:<'2020-01-01'", []),
    ],
)
def test_customers_are_found(ask: Ask, search: str, ids: list[str]) -> None:
    answer = ask("query($q: String) { customers(first: 9, query: $q) { nodes { id } } }", {"q": search})
    assert [one["id"] for one in answer["data"]["customers"]["nodes"]] == ids


def test_the_count_of_customers_has_filters_of_its_own(ask: Ask) -> None:
    query = "query($q: String) { customersCount(query: $q) { count precision } }"
    assert ask(query, {"q": "created_at:<'2020-01-01'"})["data"]["customersCount"]["count"] == 0
    widened = ask(query, {"q": "state:ENABLED"})
    assert widened["data"]["customersCount"] == {"count": 2, "precision": "EXACT"}
    assert widened["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_field"


def test_nodes_of_all_parts_are_found(ask: Ask, shop: Store) -> None:
    sales = shop.sales
    ids = [
        *(f"gid://shopify/LineItem/{number}" for number in sales.lines),
        *(f"gid://shopify/Refund/{number}" for number in sales.refunds),
        *(f"gid://shopify/Fulfillment/{number}" for number in sales.fulfillments),
        *(f"gid://shopify/OrderTransaction/{number}" for number in sales.transactions),
        *(f"gid://shopify/MailingAddress/{number}?model_name=CustomerAddress" for number in sales.addresses),
    ]
    found = ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})["data"]["nodes"]
    assert [one["id"] for one in found] == ids


def test_an_order_is_updated(ask: Ask, shop: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: later)
    query = "mutation($i: OrderInput!) { orderUpdate(input: $i) { order { note tags } userErrors { field message } } }"
    answer = ask(query, {"i": {"id": FIRST, "note": "Ring", "tags": ["b", "a"]}})
    assert answer["data"]["orderUpdate"] == {"order": {"note": "Ring", "tags": ["a", "b"]}, "userErrors": []}
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 100
    assert shop.sales.orders[5500000000001].updated_at == later
    assert engine.world.ledger.times_written() == {"Order/5500000000001": 1}


def test_a_customer_is_updated(ask: Ask, shop: Store) -> None:
    query = (
        "mutation($i: CustomerInput!) { customerUpdate(input: $i)"
        " { customer { firstName } userErrors { field message } } }"
    )
    answer = ask(query, {"i": {"id": BO, "firstName": "Bodil", "email": "bo@example.com"}})["data"]["customerUpdate"]
    assert answer == {"customer": {"firstName": "Bodil"}, "userErrors": []}
    taken = ask(query, {"i": {"id": BO, "email": "ada@example.com"}})["data"]["customerUpdate"]["userErrors"]
    assert taken == [{"field": ["email"], "message": "Email has already been taken"}]
    assert shop.sales.customers[7100000000002].email == "bo@example.com"


@pytest.mark.parametrize("owner", [FIRST, ADA])
def test_tags_of_orders_and_customers(ask: Ask, shop: Store, owner: str) -> None:
    add = 'mutation($id: ID!) { tagsAdd(id: $id, tags: ["new"]) { node { id } userErrors { message } } }'
    remove = 'mutation($id: ID!) { tagsRemove(id: $id, tags: ["VIP", "B2B"]) { userErrors { message } } }'
    assert ask(add, {"id": owner})["data"]["tagsAdd"] == {"node": {"id": owner}, "userErrors": []}
    ask(remove, {"id": owner})
    kind, number = owner.split("/")[3:]
    assert shop.find(kind, int(number)).tags == ["new"]
    missing = ask(add, {"id": owner + "0"})["data"]["tagsAdd"]
    assert missing == {"node": None, "userErrors": [{"message": f"{kind} does not exist"}]}
