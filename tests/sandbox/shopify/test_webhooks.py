"""What the shop sends when something happens, to whom, signed how, and what it does when nobody takes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.sandbox.shopify.receiver import Receiver, receiving

from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.state import Store

SECRET = SandboxOptions().client_secrets[0]
CREATE = """mutation($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
    webhookSubscription { id topic uri filter includeFields apiVersion { handle }
      endpoint { __typename ... on WebhookHttpEndpoint { callbackUrl } } }
    userErrors { field message } } }"""
LIST = """{ webhookSubscriptions(first: 50) { nodes { id topic uri callbackUrl format } pageInfo { hasNextPage } }
  webhookSubscriptionsCount { count } }"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


async def graphql(http: httpx.AsyncClient, text: str, **variables: Any) -> Any:
    answer = await http.post("/admin/api/2026-10/graphql.json", json={"query": text, "variables": variables})
    return answer.json()["data"]


async def subscribe(http: httpx.AsyncClient, topic: str, uri: str, **more: Any) -> Any:
    return (await graphql(http, CREATE, topic=topic, input={"uri": uri, **more}))["webhookSubscriptionCreate"]


async def settings(http: httpx.AsyncClient, **values: Any) -> None:
    (await http.post("/sandbox/webhooks", json=values)).raise_for_status()


async def edit(http: httpx.AsyncClient, **values: Any) -> None:
    (await http.post("/sandbox/edit", json=values)).raise_for_status()
    await http.get("/sandbox/webhooks/settled")


async def counts(http: httpx.AsyncClient) -> dict[str, int]:
    counted: dict[str, int] = (await http.get("/sandbox/webhooks/settled")).json()["counts"]
    return counted


async def test_an_edit_is_told_whole_and_signed(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    made = await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    assert made["userErrors"] == []
    assert made["webhookSubscription"]["endpoint"]["callbackUrl"] == receiver.url
    product = next(iter(shop.products.values()))
    await edit(http, id=product.id, set={"title": "Linen Shirt, long"})
    (got,) = receiver.got
    wanted = base64.b64encode(hmac.new(SECRET.encode(), got.body, hashlib.sha256).digest()).decode()
    assert got.headers["x-shopify-hmac-sha256"] == wanted
    assert got.headers["x-shopify-topic"] == "products/update"
    assert got.headers["x-shopify-shop-domain"] == shop.shop.domain
    assert got.headers["x-shopify-api-version"] == "2026-10"
    assert got.payload["title"] == "Linen Shirt, long"
    assert got.payload["tags"] == "Linen, summer"
    assert [one["sku"] for one in got.payload["variants"]] == ["SHIRT-S", "SHIRT-M"]
    assert [one["inventory_quantity"] for one in got.payload["variants"]] == [13, 13]


async def test_topics_of_one_action_share_the_event_and_nothing_else(
    http: httpx.AsyncClient, shop: Store, receiver: Receiver
) -> None:
    for topic in ("PRODUCTS_UPDATE", "INVENTORY_LEVELS_UPDATE"):
        await subscribe(http, topic, receiver.url)
    item_id, location_id = next(iter(shop.levels))
    await edit(http, kind="level", item=item_id, location=location_id, set={"available": 42})
    assert {one.topic for one in receiver.got} == {"products/update", "inventory_levels/update"}
    assert len({one.headers["x-shopify-event-id"] for one in receiver.got}) == 1
    assert len({one.headers["x-shopify-webhook-id"] for one in receiver.got}) == 2
    (level,) = receiver.of("inventory_levels/update")
    assert level.payload["available"] == 42


async def test_a_mutation_is_told_like_an_edit(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    await subscribe(http, "PRODUCTS_DELETE", receiver.url)
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    product = next(iter(shop.products))
    text = "mutation($id: ID!) { productDelete(input: {id: $id}) { deletedProductId userErrors { message } } }"
    await graphql(http, text, id=f"gid://shopify/Product/{product}")
    await counts(http)
    assert [(one.topic, one.payload) for one in receiver.got] == [("products/delete", {"id": product})]


async def test_an_order_is_told_through_its_life(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    topics = ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_PAID", "ORDERS_FULFILLED", "FULFILLMENTS_CREATE",
              "REFUNDS_CREATE", "ORDERS_CANCELLED", "ORDERS_DELETE")  # fmt: skip
    for topic in topics:
        await subscribe(http, topic, receiver.url)
    variant = next(iter(shop.variants))
    await edit(http, action="create", kind="order", set={"lines": [{"variant": variant, "quantity": 2}]})
    order = next(iter(shop.sales.orders))
    for action in ("fulfill", "refund", "delete"):
        await edit(http, action=action, kind="order", id=order)
    assert sorted(one.topic for one in receiver.got) == [
        "fulfillments/create", "orders/create", "orders/delete", "orders/fulfilled", "orders/paid", "orders/updated",
        "orders/updated", "refunds/create",
    ]  # fmt: skip
    (created,), (refund,) = receiver.of("orders/create"), receiver.of("refunds/create")
    assert (created.payload["total_price"], created.payload["financial_status"]) == ("40.00", "paid")
    assert [one["quantity"] for one in created.payload["line_items"]] == [2]
    assert [one["amount"] for one in refund.payload["transactions"]] == ["40.00"]


async def test_fields_and_filters_are_the_subscription_s(
    http: httpx.AsyncClient, shop: Store, receiver: Receiver
) -> None:
    await subscribe(
        http, "PRODUCTS_UPDATE", receiver.url, filter="variants.price:>=21", includeFields=["id", "variants.price"]
    )
    first, second = list(shop.products.values())[:2]
    await edit(http, id=second.id, set={"title": "Cheap"})
    await edit(http, id=first.id, set={"title": "Dear"})
    (got,) = receiver.got
    assert got.payload == {"id": first.id, "variants": [{"price": "20.00"}, {"price": "22.00"}]}


async def test_a_filter_without_a_field_and_a_second_of_the_same_are_refused(
    http: httpx.AsyncClient, receiver: Receiver
) -> None:
    refused = await subscribe(http, "PRODUCTS_UPDATE", receiver.url, filter="shoes")
    assert "filter is invalid" in refused["userErrors"][0]["message"]
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    taken = await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    assert taken["userErrors"] == [
        {"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}
    ]
    plain = await subscribe(http, "PRODUCTS_UPDATE", "http://shop.example/hooks")
    assert plain["userErrors"][0]["message"] == "Address protocol http:// is not supported"


async def test_a_subscription_is_moved_and_removed(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    made = await subscribe(http, "PRODUCTS_UPDATE", "https://old.example/hooks")
    number = made["webhookSubscription"]["id"]
    text = """mutation($id: ID!, $uri: String!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: {uri: $uri}) {
      webhookSubscription { uri } userErrors { message } } }"""
    moved = await graphql(http, text, id=number, uri=receiver.url)
    assert moved["webhookSubscriptionUpdate"]["webhookSubscription"]["uri"] == receiver.url
    listed = await graphql(http, LIST)
    assert [one["uri"] for one in listed["webhookSubscriptions"]["nodes"]] == [receiver.url]
    text = "mutation($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId } }"
    await graphql(http, text, id=number)
    await edit(http, id=next(iter(shop.products)), set={"title": "Unheard"})
    assert receiver.got == []
    assert (await graphql(http, LIST))["webhookSubscriptionsCount"]["count"] == 0


async def test_what_nobody_takes_is_tried_nine_times_and_then_unsubscribed(
    http: httpx.AsyncClient, shop: Store, receiver: Receiver
) -> None:
    await settings(http, retry_scale=0.0)
    receiver.status = 500
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    await edit(http, id=next(iter(shop.products)), set={"title": "Unheard"})
    assert len(receiver.got) == 9
    assert len({one.headers["x-shopify-webhook-id"] for one in receiver.got}) == 1
    assert len({one.body for one in receiver.got}) == 1
    assert (await counts(http))["subscriptions_deleted"] == 1
    assert (await graphql(http, LIST))["webhookSubscriptionsCount"]["count"] == 0


async def test_a_dead_receiver_holds_no_other_up(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    await subscribe(http, "PRODUCTS_UPDATE", "http://127.0.0.1:1/nobody")
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    for title in ("First", "Second"):
        (await http.post("/sandbox/edit", json={"id": next(iter(shop.products)), "set": {"title": title}}))
    while len(receiver.got) < 2:
        await http.get("/sandbox/webhooks")
    assert {one.payload["title"] for one in receiver.got} == {"First", "Second"}


async def test_lost_duplicate_late_and_wrongly_signed(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    await http.post("/sandbox/faults", json={"faults": "webhook_lost=1,webhook_duplicate=1,webhook_signature=1:after1"})
    for title in ("Lost", "Twice", "Plain"):
        await edit(http, id=next(iter(shop.products)), set={"title": title})
    assert [one.payload["title"] for one in receiver.got] == ["Twice", "Twice", "Plain"]
    assert receiver.got[0].headers["x-shopify-webhook-id"] == receiver.got[1].headers["x-shopify-webhook-id"]
    signed = base64.b64encode(hmac.new(SECRET.encode(), receiver.got[0].body, hashlib.sha256).digest()).decode()
    assert receiver.got[0].headers["x-shopify-hmac-sha256"] != signed
    lost = (await http.get("/sandbox/webhooks/deliveries", params={"state": "lost"})).json()["deliveries"]
    again = await http.post("/sandbox/webhooks/redeliver", json={"number": lost[0]["number"]})
    assert again.json() == {"sent_again": 1}
    await counts(http)
    assert receiver.got[-1].payload["title"] == "Lost"


async def test_new_header_names_and_a_rotated_secret(http: httpx.AsyncClient, shop: Store, receiver: Receiver) -> None:
    await settings(http, headers="new", secrets=["next", "last"], api_version="2026-07")
    await subscribe(http, "PRODUCTS_UPDATE", receiver.url)
    await edit(http, id=next(iter(shop.products)), set={"title": "New names"})
    (got,) = receiver.got
    signed = base64.b64encode(hmac.new(b"next", got.body, hashlib.sha256).digest()).decode()
    assert got.headers["shopify-hmac-sha256"] == signed
    assert got.headers["shopify-api-version"] == "2026-07"
    assert "x-shopify-topic" not in got.headers


async def test_compliance_goes_to_the_configured_address(
    http: httpx.AsyncClient, shop: Store, receiver: Receiver
) -> None:
    refused = await http.post("/sandbox/compliance", json={"topic": "shop/redact"})
    assert refused.status_code == 409
    await settings(http, config_address=receiver.url)
    customer = shop.sales.add_customer(first_name="Ada", email="ada@example.com")
    for topic in ("customers/data_request", "customers/redact", "shop/redact"):
        await http.post("/sandbox/compliance", json={"topic": topic, "customer": customer.id})
    await counts(http)
    asked = {one.topic: one.payload for one in receiver.got}
    assert asked["customers/data_request"]["customer"] == {"id": customer.id, "email": "ada@example.com", "phone": None}
    assert asked["customers/redact"]["orders_to_redact"] == []
    assert asked["shop/redact"] == {"shop_id": shop.shop.id, "shop_domain": shop.shop.domain}
    listed = await graphql(http, LIST)
    assert listed["webhookSubscriptions"]["nodes"] == []


async def test_removing_the_app_is_told_and_ends_its_subscriptions(
    http: httpx.AsyncClient, shop: Store, receiver: Receiver
) -> None:
    await subscribe(http, "APP_UNINSTALLED", receiver.url)
    await http.post("/sandbox/uninstall")
    await edit(http, id=next(iter(shop.products)), set={"title": "Unheard"})
    assert [one.topic for one in receiver.got] == ["app/uninstalled"]
    assert (await http.get("/sandbox/webhooks")).json()["subscriptions"] == []


async def test_a_storm_is_that_many_actions(http: httpx.AsyncClient, receiver: Receiver) -> None:
    for topic in ("PRODUCTS_UPDATE", "INVENTORY_LEVELS_UPDATE"):
        await subscribe(http, topic, receiver.url)
    answer = await http.post("/sandbox/webhooks/storm", json={"actions": 60, "seed": 3})
    assert answer.json()["actions"] == 60
    assert (await counts(http))["delivered"] == len(receiver.got) == 90


async def test_a_compliance_topic_is_none_of_the_api(http: httpx.AsyncClient) -> None:
    text = CREATE.replace("$topic: WebhookSubscriptionTopic!, ", "").replace("$topic", "CUSTOMERS_REDACT")
    body = {"query": text, "variables": {"input": {"uri": "https://a.example"}}}
    answer = (await http.post("/admin/api/2026-10/graphql.json", json=body)).json()
    assert "CUSTOMERS_REDACT" in answer["errors"][0]["message"]


async def test_a_bulk_operation_s_end_is_told(http: httpx.AsyncClient, receiver: Receiver) -> None:
    await subscribe(http, "BULK_OPERATIONS_FINISH", receiver.url)
    text = """mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") {
      bulkOperation { id } userErrors { message } } }"""
    made = (await graphql(http, text))["bulkOperationRunQuery"]["bulkOperation"]["id"]
    while not receiver.got:
        await http.get("/sandbox/webhooks/settled")
    payload = receiver.got[0].payload
    assert (payload["admin_graphql_api_id"], payload["status"], payload["type"]) == (made, "completed", "query")
