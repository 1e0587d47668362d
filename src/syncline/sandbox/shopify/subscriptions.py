"""webhookSubscriptionCreate, -Update and -Delete, and the queries that list what is subscribed.

Shopify takes HTTPS addresses only; here an address on this machine may be HTTP too, for nothing else could receive it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Call, Resolver, Run, entries, leaf, single
from syncline.sandbox.shopify.connections import listed
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid, number_of
from syncline.sandbox.shopify.mutations import Payload, UserError, mutation, refuse_unserved, user_error
from syncline.sandbox.shopify.problems import FieldFailed
from syncline.sandbox.shopify.webhook_filters import complaint
from syncline.sandbox.shopify.webhooks import SCOPES, Subscription, Webhooks

SERVED = frozenset({"callbackUrl", "uri", "format", "includeFields", "metafieldNamespaces", "filter", "name"})
HERE = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
INPUT = "webhookSubscription"
MISSING = "Webhook subscription does not exist"
LONGEST_ADDRESS = 65_535


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """The older way to say where it goes."""

    url: str


def _hooks(context: Context) -> Webhooks:
    found: Webhooks = context.world.webhooks
    return found


def _create(call: Call) -> Payload:
    hooks, given, topic = _hooks(call.context), call.args[INPUT], call.args["topic"]
    address, name = _address(given)
    fields = _fields(given)
    wrong = _complaints(call, topic, address, name, fields)
    if not wrong and hooks.find_same((topic, address, fields.get("filter") or "")):
        wrong = [user_error([INPUT, name], "Address for this topic has already been taken")]
    if wrong:
        return {INPUT: None, "userErrors": wrong}
    made = hooks.subscribe(topic, address, **fields)
    call.context.record("WebhookSubscription", made.id, topic=topic, uri=address)
    return {INPUT: made, "userErrors": []}


def _update(call: Call) -> Payload:
    hooks, given = _hooks(call.context), call.args[INPUT]
    found = hooks.subscriptions.get(number_of(call.args["id"], "WebhookSubscription") or 0)
    if found is None:
        return {INPUT: None, "userErrors": [user_error(["id"], MISSING)]}
    address, name = _address(given, found.uri)
    fields = _fields(given)
    wrong = _complaints(call, found.topic, address, name, fields)
    key = (found.topic, address, fields.get("filter", found.filter) or "")
    if not wrong and hooks.find_same(key, besides=found.id):
        wrong = [user_error([INPUT, name], "Address for this topic has already been taken")]
    if wrong:
        return {INPUT: found, "userErrors": wrong}
    for field, value in {**fields, "uri": address, "updated_at": call.context.store.now()}.items():
        setattr(found, field, value)
    call.context.record("WebhookSubscription", found.id, uri=address)
    return {INPUT: found, "userErrors": []}


def _delete(call: Call) -> Payload:
    number = number_of(call.args["id"], "WebhookSubscription") or 0
    if _hooks(call.context).subscriptions.pop(number, None) is None:
        return {"deletedWebhookSubscriptionId": None, "userErrors": [user_error(["id"], MISSING)]}
    call.context.record("WebhookSubscription", number, deleted=True)
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", number), "userErrors": []}


def _address(given: Mapping[str, Any], present: str = "") -> tuple[str, str]:
    """The address, and the name of the field it came in."""
    name = "uri" if "uri" in given or "callbackUrl" not in given else "callbackUrl"
    return str(given.get(name, present) or ""), name


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "format": "format",
        "includeFields": "include_fields",
        "metafieldNamespaces": "metafield_namespaces",
        "filter": "filter",
        "name": "name",
    }
    lists = {"includeFields", "metafieldNamespaces"}
    return {names[one]: (value or []) if one in lists else value for one, value in given.items() if one in names}


def _complaints(call: Call, topic: str, address: str, name: str, fields: Mapping[str, Any]) -> list[UserError]:
    wrong: list[UserError] = []
    scope = next((needed for word, needed in SCOPES.items() if topic.startswith(word)), None)
    if scope is not None and scope not in call.context.scopes:
        sentence = f"You do not have permission to create or update webhooks with {topic.lower()} topic. "
        wrong.append(user_error(["topic"], f"{sentence}This topic requires the {scope} scope."))
    parts = urlsplit(address)
    if not address:
        wrong.append(user_error([INPUT, name], "Address can't be blank"))
    elif not parts.hostname or len(address) > LONGEST_ADDRESS:
        wrong.append(user_error([INPUT, name], "Address is invalid"))
    elif parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        wrong.append(user_error([INPUT, name], f"Address protocol {parts.scheme}:// is not supported"))
    unclear = complaint(fields["filter"]) if fields.get("filter") else None
    if unclear:
        wrong.append(user_error([INPUT], unclear))
    return wrong


def _check(call: Call) -> None:
    refuse_unserved(call, "WebhookSubscriptionInput", call.args[INPUT], SERVED)
    if call.args[INPUT].get("format") == "XML":
        refuse_unserved(call, "WebhookSubscriptionInput", {"format: XML": True}, frozenset())


def _listed(context: Context, args: dict[str, Any]) -> Any:
    topics, address = args.get("topics"), args.get("uri") or args.get("callbackUrl")
    kind = args.get("format")

    def items(_: Any) -> Iterable[Subscription]:
        for one in _hooks(context).subscriptions.values():
            if (not topics or one.topic in topics) and address in (None, one.uri) and kind in (None, one.format):
                yield one

    return items


def _one(call: Call) -> Run:
    number = number_of(call.args["id"], "WebhookSubscription")
    child, hooks = call.child(), _hooks(call.context)

    def run(_: Any) -> Any:
        if number is None:
            raise FieldFailed("Invalid id", {"code": "RESOURCE_NOT_FOUND"})
        found = hooks.subscriptions.get(number)
        return None if found is None else child(found)

    return run


def _version(context: Context) -> Run:
    handle = _hooks(context).settings.api_version
    shown = {
        "handle": handle,
        "displayName": handle,
        "supported": handle in context.world.options.versions and handle != "unstable",
    }
    return lambda _: shown


def _count(call: Call) -> Run:
    child, hooks = call.child(), _hooks(call.context)
    return lambda _: child({"count": len(hooks.subscriptions), "precision": "EXACT"})


QUERY: dict[str, Resolver] = {
    "webhookSubscription": _one,
    "webhookSubscriptions": listed(
        _listed, {"CREATED_AT": lambda one: one.created_at, "ID": lambda one: one.id}, "webhook_subscriptions"
    ),
    "webhookSubscriptionsCount": _count,
}

MUTATIONS: dict[str, Resolver] = {
    "webhookSubscriptionCreate": mutation(_create, _check),
    "webhookSubscriptionUpdate": mutation(_update, _check),
    "webhookSubscriptionDelete": mutation(_delete),
}

TYPES: dict[str, dict[str, Resolver]] = {
    "WebhookSubscription": {
        "id": leaf(lambda one: gid("WebhookSubscription", one.id)),
        "legacyResourceId": leaf(lambda one: str(one.id)),
        "topic": leaf(lambda one: one.topic),
        "uri": leaf(lambda one: one.uri),
        "callbackUrl": leaf(lambda one: one.uri),
        "endpoint": single(lambda _: lambda one: HttpEndpoint(one.uri)),
        "format": leaf(lambda one: one.format),
        "filter": leaf(lambda one: one.filter),
        "includeFields": leaf(lambda one: one.include_fields),
        "metafieldNamespaces": leaf(lambda one: one.metafield_namespaces),
        "name": leaf(lambda one: one.name),
        "apiVersion": single(_version),
        "createdAt": leaf(lambda one: moment(one.created_at)),
        "updatedAt": leaf(lambda one: moment(one.updated_at)),
    },
    "WebhookHttpEndpoint": {"callbackUrl": leaf(lambda one: one.url)},
    "WebhookSubscriptionCreatePayload": entries(INPUT, "userErrors"),
    "WebhookSubscriptionUpdatePayload": entries(INPUT, "userErrors"),
    "WebhookSubscriptionDeletePayload": entries("deletedWebhookSubscriptionId", "userErrors"),
}

TYPE_NAMES: dict[type, str] = {Subscription: "WebhookSubscription", HttpEndpoint: "WebhookHttpEndpoint"}
