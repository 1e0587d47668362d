"""The control surface of webhooks: what was sent, sending again, compliance, storms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from random import Random
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.double import set_switches
from syncline.sandbox.shopify.answers import answer
from syncline.sandbox.shopify.payloads import Payload
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.shopify.webhooks import COMPLIANCE, Settings, Subscription, Webhooks
from syncline.sandbox.webhooks import Delivery

MOST_SHOWN = 1_000
ACTIONS_AT_ONCE = 50
DATA_REQUEST_ID = 9_999


def webhook_routes(hooks: Webhooks) -> list[Route]:
    control = WebhookControl(hooks)
    return [
        Route("/sandbox/webhooks", control.overview, methods=["GET", "POST"]),
        Route("/sandbox/webhooks/deliveries", control.deliveries),
        Route("/sandbox/webhooks/redeliver", control.redeliver, methods=["POST"]),
        Route("/sandbox/webhooks/drop", control.drop, methods=["POST"]),
        Route("/sandbox/webhooks/settled", control.settled),
        Route("/sandbox/webhooks/storm", control.storm, methods=["POST"]),
        Route("/sandbox/compliance", control.compliance, methods=["POST"]),
    ]


class WebhookControl:
    def __init__(self, hooks: Webhooks) -> None:
        self.hooks = hooks

    async def overview(self, request: Request) -> Response:
        """GET: settings, counts, subscriptions. POST `{"headers": "both", "retry_scale": 0.001, "secrets": [...],
        "api_version": "2026-07", "config_address": "http://..."}`: from now on so, all or none."""
        hooks = self.hooks
        if request.method == "POST":
            try:
                wanted = await request.json()
                set_switches(hooks.settings, wanted)
                _check(hooks.settings)
            except (ValueError, TypeError) as error:
                return answer({"error": str(error)}, 400)
        return answer(
            {
                "settings": asdict(hooks.settings),
                "counts": dict(hooks.counts),
                "subscriptions": [_shown(one) for one in hooks.subscriptions.values()],
            }
        )

    async def deliveries(self, request: Request) -> Response:
        """GET, of one `topic`, `state` (waiting, delivered, failed, lost) or `event_id`, `after` a number, oldest
        first, at most 1,000: `{"deliveries": [{number, url, headers, body, attempts, state}], "total"}`."""
        asked = request.query_params
        after = int(asked.get("after", 0))
        found = [one for one in self.hooks.deliverer.kept if one.number > after and _is_asked(one, asked)]
        return answer({"deliveries": [one.shown() for one in found[:MOST_SHOWN]], "total": len(found)})

    async def redeliver(self, request: Request) -> Response:
        """POST `{"number": 7}`, or `{"topic", "state", "event_id"}` as in the list: sends them again as they were."""
        asked = await request.json()
        number = asked.pop("number", None)
        found = [one for one in self.hooks.deliverer.kept if number in (None, one.number) and _is_asked(one, asked)]
        for one in found:
            self.hooks.deliverer.again(one)
        return answer({"sent_again": len(found)}, 200 if found else 404)

    async def drop(self, request: Request) -> Response:
        """POST `{}` or `{"topic": "products/update"}`: Shopify deletes the subscriptions."""
        asked = await request.json()
        gone = self.hooks.drop(asked.get("topic"))
        return answer({"dropped": [_shown(one) for one in gone]})

    async def settled(self, _: Request) -> Response:
        """GET: answers when nothing waits to be sent any more."""
        await self.hooks.deliverer.settled()
        return answer({"counts": dict(self.hooks.counts)})

    async def storm(self, request: Request) -> Response:
        """POST `{"actions": 1000, "seed": 1}`: so many changes of products, customers and orders chosen at random, each
        an action of its own. Answers when all are made; they are sent meanwhile."""
        asked = await request.json()
        actions, random = int(asked.get("actions", 100)), Random(int(asked.get("seed", 1)))
        makers = _storms(self.hooks.store, random)
        for number in range(actions if makers else 0):
            makers[number % len(makers)](number)
            self.hooks.acted()
            if number % ACTIONS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return answer({"actions": actions if makers else 0, "counts": dict(self.hooks.counts)})

    async def compliance(self, request: Request) -> Response:
        """POST `{"topic": "customers/redact", "customer": 7}`: as Shopify asks, at the address of the configuration."""
        asked = await request.json()
        topic = asked.get("topic")
        if topic not in COMPLIANCE:
            return answer({"error": f"There is no compliance topic {topic!r}; there are {', '.join(COMPLIANCE)}."}, 400)
        if not self.hooks.settings.config_address:
            return answer({"error": "No address is configured; POST config_address to /sandbox/webhooks."}, 409)
        payload = _compliance(self.hooks.store, topic, asked.get("customer"), asked.get("data_request"))
        if payload is None:
            return answer({"error": f"There is no customer {asked.get('customer')!r}."}, 404)
        return answer({"event_id": self.hooks.emit(topic, payload), "payload": payload})


def _check(settings: Settings) -> None:
    if settings.headers not in {"old", "new", "both"}:
        wrong, settings.headers = settings.headers, "old"
        raise ValueError(f"headers is one of old, new, both, not {wrong!r}.")
    if not settings.secrets:
        raise ValueError("Webhooks are signed: give at least one secret.")


def _is_asked(one: Delivery, asked: Mapping[str, Any]) -> bool:
    headers = {name.lower().removeprefix("x-"): value for name, value in one.headers.items()}
    named = {"topic": headers["shopify-topic"], "event_id": headers["shopify-event-id"], "state": one.state}
    return all(asked.get(name) in (None, value) for name, value in named.items())


def _shown(one: Subscription) -> dict[str, Any]:
    return {"id": one.id, "topic": one.topic, "uri": one.uri, "filter": one.filter, "name": one.name}


def _compliance(store: Store, topic: str, customer: Any, request_id: Any) -> Payload | None:
    """The documented bodies; None when the customer is not there. A redaction may be of somebody deleted already."""
    told: Payload = {"shop_id": store.shop.id, "shop_domain": store.shop.domain}
    if topic == "shop/redact":
        return told
    found = store.sales.customers.get(int(customer or 0))
    if found is None and topic == "customers/data_request":
        return None
    orders = [one.id for one in store.sales.orders_of(int(customer or 0))]
    told["customer"] = {
        "id": int(customer or 0),
        "email": found.email if found else None,
        "phone": found.phone if found else None,
    }
    if topic == "customers/redact":
        return {**told, "orders_to_redact": orders}
    return {**told, "orders_requested": orders, "data_request": {"id": int(request_id or DATA_REQUEST_ID)}}


def _storms(store: Store, random: Random) -> list[Callable[[int], None]]:
    """Kinds of change, as far as the store has anything to change."""
    variants, levels = list(store.variants), list(store.levels)
    customers, orders = list(store.sales.customers), list(store.sales.orders)

    def reprice(number: int) -> None:
        variant = store.variants[random.choice(variants)]
        store.update_variant(variant, price=f"{random.randint(1, 500)}.{number % 100:02d}")

    def restock(number: int) -> None:
        store.set_level(*random.choice(levels), available=number)

    def note_customer(number: int) -> None:
        store.sales.update_customer(store.sales.customers[random.choice(customers)], note=f"Change {number}")

    def note_order(number: int) -> None:
        store.sales.update_order(store.sales.orders[random.choice(orders)], note=f"Change {number}")

    makers = [(reprice, variants), (restock, levels), (note_customer, customers), (note_order, orders)]
    return [make for make, there in makers if there]
