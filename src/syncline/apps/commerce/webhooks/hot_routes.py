"""The addresses that Shopify sends to, and what the OpenAPI document says of them."""

from __future__ import annotations

from typing import Any, Final

from syncline.apps.commerce.webhooks.errors import (
    ShopNotConnected,
    TooManyStrangers,
    WebhookHeadersMissing,
    WebhookNotSigned,
    WebhookTooLarge,
)
from syncline.apps.commerce.webhooks.intake import Intake
from syncline.runtime.app import HotRoutes
from syncline.runtime.db.errors import DatabaseUnavailable
from syncline.runtime.db.group_commit import NotWrittenInTime, TooMuchWaits
from syncline.runtime.http.problems import MEDIA_TYPE, BodyTooSlow, InternalError, problems
from syncline.runtime.secrets import SecretKeyMissing

_ALL: Final = "webhooks_receive"
PATHS: Final = {
    "/api/webhooks": _ALL,
    "/api/webhooks/shopify": f"{_ALL}_shopify",
    "/api/webhooks/shopify/orders": f"{_ALL}_orders",
    "/api/webhooks/shopify/products": f"{_ALL}_products",
    "/api/webhooks/shopify/customers": f"{_ALL}_customers",
}
_ERRORS: Final = problems(
    WebhookHeadersMissing,
    WebhookNotSigned,
    ShopNotConnected,
    WebhookTooLarge,
    BodyTooSlow,
    InternalError,
    DatabaseUnavailable,
    TooMuchWaits,
    NotWrittenInTime,
    TooManyStrangers,
    SecretKeyMissing,
)
_ANSWER: Final = {
    "type": "object",
    "title": "WebhookReceived",
    "required": ["success", "received", "idempotent"],
    "properties": {
        "success": {"type": "boolean"},
        "received": {"type": "boolean", "description": "It is kept, for good"},
        "idempotent": {"type": "boolean", "description": "The same delivery was kept before; it is done once"},
        "id": {"type": "string", "format": "uuid", "description": "Of the event, when it is new"},
    },
}
_HEADERS: Final = (
    ("X-Shopify-Topic", True, "`products/update`"),
    ("X-Shopify-Hmac-Sha256", True, "base64 of the HMAC-SHA256 of the body, with the app's secret"),
    ("X-Shopify-Shop-Domain", True, "`acme.myshopify.com`"),
    ("X-Shopify-API-Version", True, "`2026-10`"),
    ("X-Shopify-Webhook-Id", True, "Names the delivery; the same when it is sent again"),
    ("X-Shopify-Event-Id", False, "Names the merchant's action, over all topics"),
    ("X-Shopify-Triggered-At", False, "When it happened"),
    ("X-Shopify-Name", False, "The subscription's name"),
)


def _operation(name: str) -> dict[str, Any]:
    responses = {
        str(status): {
            "description": answer["description"],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, answer in _ERRORS.items()
    }
    return {
        "tags": ["webhooks"],
        "summary": "Take a webhook in",
        "description": "The signature is looked at first, then the raw body is kept, then it is answered; only later "
        "is it applied. The address does not matter: the topic is in a header. Names of headers without `X-` are taken "
        "too. More than 150 of a shop in 15 minutes are taken as well, and wait a little until they are applied.",
        "operationId": name,
        "parameters": [
            {"name": header, "in": "header", "required": needed, "description": what, "schema": {"type": "string"}}
            for header, needed, what in _HEADERS
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            "200": {
                "description": "It is kept: a duplicate too, and a body that is not JSON, as a dead letter",
                "content": {"application/json": {"schema": _ANSWER}},
            },
            **responses,
        },
    }


HOT_ROUTES: Final = (
    HotRoutes(
        method="POST",
        operations={path: _operation(name) for path, name in PATHS.items()},
        make=Intake,
    ),
)
