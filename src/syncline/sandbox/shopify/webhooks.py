"""The shop's webhooks: who is subscribed to what, and what is sent when something happens.

One action of a merchant or of a mutation may be of several topics: each subscription gets a delivery of its own with an
id of its own (`X-Shopify-Webhook-Id`), and all of one action share the event's (`X-Shopify-Event-Id`). The body is
signed with the oldest secret that is not revoked; headers are not signed. A delivery that gets no answer in 1 second to
connect and 5 in all, or an answer outside 200 to 299, is tried eight more times over four hours with growing waits. A
subscription made over the API is deleted when a delivery has used those up, one of the app's configuration stays
(shopify.dev, changelog of 10 September 2024). Whether an id is kept over retries is not documented; here it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from syncline.kernel import clock
from syncline.sandbox.shopify import payloads, payloads_sales, webhook_filters
from syncline.sandbox.shopify.entities_content import OWNER_TYPES, Metafield
from syncline.sandbox.shopify.faults import Faults
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.payloads import Payload
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.webhooks import Delivery, ParallelDeliverer

FIRST_ID = 1_400_000_000_001
RETRY_SECONDS = (60, 120, 300, 600, 1_200, 2_400, 3_900, 5_820)
"""Eight waits that grow, four hours together; Shopify says no more than that."""
TIMEOUT = httpx.Timeout(5.0, connect=1.0)
COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
"""Of the app's configuration only: the API has no such topics."""
NOBODYS_SECRET = b"nobody"
SCOPES: Mapping[str, str] = {
    "PRODUCTS": "read_products", "COLLECTIONS": "read_products", "ORDERS": "read_orders", "REFUNDS": "read_orders",
    "FULFILLMENTS": "read_orders", "CUSTOMERS": "read_customers", "INVENTORY": "read_inventory",
    "LOCATIONS": "read_locations",
}  # fmt: skip
"""First word of a topic -> the scope it asks for."""
SUPERSEDED: Mapping[str, tuple[str, ...]] = {
    "create": ("update", "updated"),
    "delete": ("create", "update", "updated"),
    "disconnect": ("connect", "update"),
}
"""What an action that makes or deletes something does not tell besides."""

Build = Callable[[Store, Any], Payload]


@dataclass(slots=True)
class Subscription:
    """`topic` in the words of the schema, `PRODUCTS_UPDATE`; of the app's configuration it is the header's."""

    id: int
    topic: str
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    include_fields: list[str] = field(default_factory=list)
    metafield_namespaces: list[str] = field(default_factory=list)
    filter: str | None = None
    name: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What two subscriptions may not share."""
        return self.topic, self.uri, self.filter or ""


@dataclass(slots=True)
class Settings:
    """What the control surface changes while it runs."""

    secrets: list[str]
    """Of the app, the oldest first; the first that is left signs."""
    headers: str = "old"  # old | new | both
    """`X-Shopify-Topic` and so on, `shopify-topic` and so on, or both."""
    api_version: str = ""
    """The version of the app's webhooks."""
    retry_scale: float = 1.0
    """Shortens the waits between attempts: 0.0001 makes four hours of them a second and a half."""
    config_address: str = ""
    """Where the topics of the app's configuration go: the three of compliance, and app/uninstalled."""


class Webhooks:
    def __init__(self, store: Store, faults: Faults, options: SandboxOptions) -> None:
        stable = [one for one in options.versions if one != "unstable"]
        self.store = store
        self.settings = Settings(list(options.client_secrets), api_version=max(stable, default="unstable"))
        self.subscriptions: dict[int, Subscription] = {}
        self.counts: Counter[str] = Counter()
        self._faults = faults
        self._pending: dict[tuple[str, int, int], Any] = {}
        self._next_id = FIRST_ID
        self._owner_of: dict[int, int] = {}
        self.deliverer = ParallelDeliverer(
            faults,
            at_once=32,
            tell=self._ended,
            retries=RETRY_SECONDS,
            scale=lambda: self.settings.retry_scale,
            timeout=TIMEOUT,
        )
        store.journal.listener = self._hear

    # -- subscriptions

    def subscribe(self, topic: str, uri: str, **fields: Any) -> Subscription:
        now = self.store.now()
        made = Subscription(self._next_id, topic, uri, now, now, **fields)
        self._next_id += 1
        self.subscriptions[made.id] = made
        return made

    def find_same(self, key: tuple[str, str, str], *, besides: int = 0) -> Subscription | None:
        return next((one for one in self.subscriptions.values() if one.key == key and one.id != besides), None)

    def drop(self, topic: str | None = None) -> list[Subscription]:
        """Deletes subscriptions as Shopify does after failures: all, or one topic's. Gives what is gone."""
        gone = [one for one in self.subscriptions.values() if topic is None or one.topic == _enum(topic)]
        for one in gone:
            del self.subscriptions[one.id]
        return gone

    # -- what happens

    def _hear(self, topic: str, entity: Any) -> None:
        if topic.startswith("inventory_levels/"):
            key = (topic, entity.item_id, entity.location_id)
        else:
            key = (topic, entity.id, 0)
        self._pending[key] = entity

    def acted(self) -> None:
        """One action is over: tells all it did, under one event id. Called after each mutation and each edit."""
        pending, self._pending = self._pending, {}
        event_id = str(uuid4())
        for (topic, *_), entity in _left(pending):
            if (build := BUILDERS.get(topic)) is not None and list(self._listening(topic)):
                self._announce(topic, build(self.store, entity), event_id, entity)

    def emit(self, topic: str, payload: Payload) -> str:
        """An action of its own, of any topic. Gives its event id."""
        event_id = str(uuid4())
        self._announce(topic, payload, event_id, None)
        return event_id

    def _listening(self, topic: str) -> Iterator[Subscription]:
        for one in self.subscriptions.values():
            if one.topic == _enum(topic):
                yield one
        if self.settings.config_address and topic in (*COMPLIANCE, "app/uninstalled"):
            now = self.store.now()
            yield Subscription(0, topic, self.settings.config_address, now, now)

    def _announce(self, topic: str, payload: Payload, event_id: str, entity: Any) -> None:
        for one in list(self._listening(topic)):
            if not webhook_filters.matches(one.filter, payload):
                self.counts["filtered"] += 1
                continue
            chosen = webhook_filters.narrowed(payload, one.include_fields)
            if one.metafield_namespaces and entity is not None:
                chosen["metafields"] = self._metafields(entity, one.metafield_namespaces)
            self._send(one, topic, msgspec.json.encode(chosen), event_id)

    def _metafields(self, entity: Any, namespaces: list[str]) -> list[Payload]:
        kind = type(entity).__name__
        if kind not in OWNER_TYPES:
            return []
        found = self.store.metafields.of(kind, entity.id)
        return [_metafield(one) for one in found if one.namespace in namespaces]

    def _send(self, one: Subscription, topic: str, body: bytes, event_id: str) -> None:
        secret = self.settings.secrets[0].encode()
        if self._faults.take("webhook_signature", topic):
            secret = NOBODYS_SECRET
        facts = {
            "topic": topic,
            "hmac-sha256": base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode(),
            "shop-domain": self.store.shop.domain,
            "api-version": self.settings.api_version,
            "webhook-id": str(uuid4()),
            "event-id": event_id,
            "triggered-at": clock.now().isoformat(timespec="microseconds").replace("+00:00", "000Z"),
        }
        if one.name:
            facts["name"] = one.name
        self.counts["made"] += 1
        delivery = self.deliverer.send(topic, one.uri, body, self._headers(facts))
        if delivery.state == "lost":
            self.counts["lost"] += 1
        self._owner_of[delivery.number] = one.id

    def _headers(self, facts: Mapping[str, str]) -> dict[str, str]:
        chosen = self.settings.headers
        headers: dict[str, str] = {}
        if chosen in {"old", "both"}:
            headers |= {f"X-Shopify-{_capitals(name)}": value for name, value in facts.items()}
        if chosen in {"new", "both"}:
            headers |= {f"shopify-{'handle' if name == 'name' else name}": value for name, value in facts.items()}
        return headers

    def _ended(self, delivery: Delivery) -> None:
        if delivery.state == "waiting":
            self.counts["failed_attempts"] += 1
            return
        self.counts[delivery.state] += 1
        owner = self._owner_of.pop(delivery.number, 0)
        if delivery.state == "failed" and self.subscriptions.pop(owner, None) is not None:
            self.counts["subscriptions_deleted"] += 1


def _left(pending: Mapping[tuple[str, int, int], Any]) -> Iterator[tuple[tuple[str, int, int], Any]]:
    """Without what a creation or a deletion of the same thing in the same action makes needless."""
    for (topic, number, place), entity in pending.items():
        resource, _, verb = topic.partition("/")
        beside = [over for over, told in SUPERSEDED.items() if verb in told]
        if all((f"{resource}/{over}", number, place) not in pending for over in beside):
            yield (topic, number, place), entity


def _enum(topic: str) -> str:
    """`products/update` -> `PRODUCTS_UPDATE`."""
    return topic.replace("/", "_").upper()


def _capitals(name: str) -> str:
    """`hmac-sha256` -> `Hmac-Sha256`, `api-version` -> `API-Version`."""
    return "-".join("API" if part == "api" else part.capitalize() for part in name.split("-"))


def _metafield(one: Metafield) -> Payload:
    return {
        "id": one.id,
        "namespace": one.namespace,
        "key": one.key,
        "value": one.value,
        "type": one.type,
        "owner_id": one.owner_id,
        "owner_resource": one.owner_type.lower(),
        "created_at": payloads.rest_moment(one.created_at),
        "updated_at": payloads.rest_moment(one.updated_at),
        "admin_graphql_api_id": gid("Metafield", one.id),
    }


def finished(_: Store, operation: Any) -> Payload:
    """`bulk_operations/finish`; status and error code in small letters."""
    return {
        "admin_graphql_api_id": gid("BulkOperation", operation.id),
        "completed_at": payloads.rest_moment(operation.completed_at),
        "created_at": payloads.rest_moment(operation.created_at),
        "error_code": None if operation.error_code is None else operation.error_code.lower(),
        "status": operation.status.lower(),
        "type": operation.type.lower(),
    }


def shop(_: Store, one: Any) -> Payload:
    return {
        "id": one.id,
        "name": one.name,
        "email": one.email,
        "domain": one.domain,
        "myshopify_domain": one.domain,
        "currency": one.currency,
        "iana_timezone": "Etc/UTC",
        "plan_display_name": one.plan,
        "country_code": "US",
    }


BUILDERS: Mapping[str, Build] = {
    **dict.fromkeys(("products/create", "products/update"), payloads.product),
    **dict.fromkeys(("collections/create", "collections/update"), payloads.collection),
    **dict.fromkeys(("inventory_items/create", "inventory_items/update"), payloads.inventory_item),
    **dict.fromkeys(("inventory_levels/connect", "inventory_levels/update"), payloads.inventory_level),
    "inventory_levels/disconnect": payloads.gone_level,
    **dict.fromkeys(
        ("locations/create", "locations/update", "locations/activate", "locations/deactivate"), payloads.location
    ),
    **dict.fromkeys(("customers/create", "customers/update"), payloads_sales.customer),
    **dict.fromkeys(
        (
            "orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled",
            "orders/partially_fulfilled",
        ),
        payloads_sales.order,
    ),
    "refunds/create": payloads_sales.refund,
    "fulfillments/create": payloads_sales.fulfillment,
    **dict.fromkeys(
        ("products/delete", "collections/delete", "inventory_items/delete", "customers/delete", "orders/delete"),
        payloads.gone,
    ),
    "shop/update": shop,
    "bulk_operations/finish": finished,
}  # fmt: skip
