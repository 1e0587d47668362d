"""Webhook subscriptions of a shop: those made over the API by this app; Shopify shows no others.

A creation that Shopify refuses because the address is taken is no failure: it is there already. Compliance topics are
set in the app's configuration at Shopify and cannot be subscribed to here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from syncline.connectors.shopify import ids
from syncline.connectors.shopify.client import ShopifyClient
from syncline.connectors.shopify.cost import MAX_PAGE
from syncline.connectors.shopify.results import UserError, user_errors

SUBSCRIPTION_TYPE: Final = "WebhookSubscription"
_FIELDS: Final = "id topic uri filter apiVersion { handle } updatedAt"
LIST_SUBSCRIPTIONS: Final = f"""query ListSubscriptions($first: Int!, $after: String) {{
  webhookSubscriptions(first: $first, after: $after) {{ nodes {{ {_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
}}"""
CREATE_SUBSCRIPTION: Final = f"""mutation CreateSubscription($topic: WebhookSubscriptionTopic!, $uri: String!) {{
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {{uri: $uri, format: JSON}}) {{
    webhookSubscription {{ {_FIELDS} }}
    userErrors {{ field message }}
  }}
}}"""
MOVE_SUBSCRIPTION: Final = f"""mutation MoveSubscription($id: ID!, $uri: String!) {{
  webhookSubscriptionUpdate(id: $id, webhookSubscription: {{uri: $uri}}) {{
    webhookSubscription {{ {_FIELDS} }}
    userErrors {{ field message }}
  }}
}}"""
DELETE_SUBSCRIPTION: Final = """mutation DeleteSubscription($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`topic` as the header of a webhook has it, `products/update`; `api_version` is the app's, not its own."""

    id: int
    topic: str
    address: str
    filter: str | None
    api_version: str


@dataclass(frozen=True, slots=True)
class Made:
    """One of both: the subscription, or why there is none."""

    subscription: Subscription | None
    errors: tuple[UserError, ...] = ()


async def list_subscriptions(client: ShopifyClient) -> list[Subscription]:
    found: list[Subscription] = []
    after: str | None = None
    while True:
        answer = await client.execute(LIST_SUBSCRIPTIONS, {"first": MAX_PAGE, "after": after}, idempotent=True)
        page = answer.data["webhookSubscriptions"]
        found += [_read(node) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def create_subscription(client: ShopifyClient, topic: str, address: str) -> Made:
    """Sent again when its outcome is unknown: the second time Shopify refuses a taken address, and nothing is made
    twice."""
    variables = {"topic": enum_of(topic), "uri": address}
    answer = await client.execute(CREATE_SUBSCRIPTION, variables, idempotent=True)
    return _made(answer.data["webhookSubscriptionCreate"])


async def move_subscription(client: ShopifyClient, number: int, address: str) -> Made:
    variables = {"id": ids.gid(SUBSCRIPTION_TYPE, number), "uri": address}
    answer = await client.execute(MOVE_SUBSCRIPTION, variables, idempotent=True)
    return _made(answer.data["webhookSubscriptionUpdate"])


async def delete_subscription(client: ShopifyClient, number: int) -> bool:
    """False for one that was gone already."""
    answer = await client.execute(DELETE_SUBSCRIPTION, {"id": ids.gid(SUBSCRIPTION_TYPE, number)}, idempotent=True)
    return answer.data["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"] is not None


def enum_of(topic: str) -> str:
    """`products/update` -> `PRODUCTS_UPDATE`."""
    return topic.replace("/", "_").upper()


def _topic_of(enum: str) -> str:
    """`INVENTORY_LEVELS_UPDATE` -> `inventory_levels/update`. Which underscore is the stroke the enum does not say: it
    is the last, but for the topics here."""
    for resource in ("ORDERS", "BULK_OPERATIONS"):
        if enum.startswith(f"{resource}_"):
            return f"{resource}/{enum.removeprefix(f'{resource}_')}".lower()
    resource, _, verb = enum.rpartition("_")
    return f"{resource}/{verb}".lower()


def _read(node: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=ids.number_of(node["id"]),
        topic=_topic_of(node["topic"]),
        address=node["uri"],
        filter=node["filter"],
        api_version=node["apiVersion"]["handle"],
    )


def _made(payload: Mapping[str, Any]) -> Made:
    node = payload["webhookSubscription"]
    if payload["userErrors"] or node is None:
        return Made(None, user_errors(payload["userErrors"], "webhookSubscription"))
    return Made(_read(node))
