"""Fields of the shop itself, the app's installation, events and versions."""

from __future__ import annotations

from typing import Any

from syncline.sandbox.shopify.amounts import moment
from syncline.sandbox.shopify.compiler import Resolver, entries, leaf, many, single
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.ids import gid
from syncline.sandbox.shopify.state import Event

SUBJECTS = {
    "PRODUCT": "Product",
    "PRODUCT_VARIANT": "ProductVariant",
    "COLLECTION": "Collection",
    "CUSTOMER": "Customer",
    "ORDER": "Order",
}
PLUS_PLANS = frozenset({"plus", "enterprise"})


def _plan(context: Context) -> Any:
    is_plus = context.world.options.plan in PLUS_PLANS
    return lambda shop: {"publicDisplayName": shop.plan, "shopifyPlus": is_plus, "partnerDevelopment": False}


def _domain(_: Context) -> Any:
    return lambda shop: {
        "id": gid("Domain", shop.id),
        "host": shop.domain,
        "url": f"https://{shop.domain}",
        "sslEnabled": True,
    }


def _scopes(context: Context) -> Any:
    shown = [{"handle": scope, "description": scope.replace("_", " ").capitalize()} for scope in sorted(context.scopes)]
    return lambda _: shown


def _subject_id(event: Event) -> str:
    return gid(SUBJECTS[event.subject_type], event.subject_id)


TYPES: dict[str, dict[str, Resolver]] = {
    "Shop": {
        "id": leaf(lambda shop: gid("Shop", shop.id)),
        "name": leaf(lambda shop: shop.name),
        "email": leaf(lambda shop: shop.email),
        "contactEmail": leaf(lambda shop: shop.email),
        "myshopifyDomain": leaf(lambda shop: shop.domain),
        "url": leaf(lambda shop: f"https://{shop.domain}"),
        "primaryDomain": single(_domain),
        "currencyCode": leaf(lambda shop: shop.currency),
        "ianaTimezone": leaf(lambda _: "Etc/UTC"),
        "plan": single(_plan),
    },
    "ShopPlan": entries("publicDisplayName", "shopifyPlus", "partnerDevelopment"),
    "Domain": entries("id", "host", "url", "sslEnabled"),
    "AppInstallation": {
        "id": leaf(lambda installation: installation["id"]),
        "accessScopes": many(_scopes),
    },
    "AccessScope": entries("handle", "description"),
    "BasicEvent": {
        "id": leaf(lambda event: gid("BasicEvent", event.id)),
        "action": leaf(lambda event: event.action),
        "createdAt": leaf(lambda event: moment(event.created_at)),
        "message": leaf(lambda event: event.message),
        "subjectId": leaf(_subject_id),
        "subjectType": leaf(lambda event: event.subject_type),
        "attributeToApp": leaf(lambda _: False),
        "attributeToUser": leaf(lambda _: False),
        "criticalAlert": leaf(lambda _: False),
    },
    "ApiVersion": entries("handle", "displayName", "supported"),
}
