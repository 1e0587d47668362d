"""Answers of a small healthy store, written from Shopify's documents, for tests that need no double of the whole API.

It pages by two whatever is asked for, so that five products make three pages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec

from syncline.connectors.shopify import samples, streams
from syncline.connectors.shopify.actions import update_product
from syncline.connectors.shopify.client import ShopifyClient, ShopifyConfig
from syncline.connectors.shopify.connector import CONNECTOR
from syncline.connectors.shopify.cost import estimate
from syncline.connectors.shopify.ids import gid, number_of
from syncline.connectors.shopify.store import READ_SCOPES, WRITE_SCOPES, check_store
from syncline.runtime.connect.conformance import CasePage
from syncline.runtime.connect.connector import Connector
from syncline.runtime.connect.testing import FAST_RETRY, Fault, answering, fresh_registry, status

TOKEN: Final = "shpat_0123456789abcdef0123456789abcdef"  # noqa: S105 - belongs to no store
SHOP: Final = "recorded-shop.myshopify.com"
_AT: Final = "2026-11-22T10:00:00Z"
_PAGE: Final = 2


def config(**changes: Any) -> ShopifyConfig:
    return ShopifyConfig(**{"shop_domain": SHOP, "access_token": TOKEN, **changes})


def open_client(transport: httpx.AsyncBaseTransport, **changes: Any) -> ShopifyClient:
    """A client that retries without delay and shares nothing with other tests."""
    return ShopifyClient(config(**changes), transport=transport, registry=fresh_registry(), retry=FAST_RETRY)


def product(number: int, variants: int) -> dict[str, Any]:
    return {
        "id": gid("Product", number),
        "title": f"Täß 🧢 {number}",
        "handle": f"cap-{number}",
        "descriptionHtml": "<p>A &amp; B</p>",
        "vendor": "Acme",
        "productType": "Cap",
        "status": "ACTIVE",
        "tags": ["a", "b"],
        "createdAt": _AT,
        "updatedAt": _AT,
        "publishedAt": None,
        "templateSuffix": None,
        "isGiftCard": False,
        "seo": {"title": None, "description": None},
        "options": [{"id": gid("ProductOption", number), "name": "Size", "position": 1, "values": ["S"]}],
        "variantsCount": {"count": variants},
        "variants": [variant(number * 100 + i) for i in range(1, variants + 1)],
    }


def variant(number: int) -> dict[str, Any]:
    return {
        "id": gid("ProductVariant", number),
        "title": "S",
        "sku": "",
        "barcode": None,
        "price": "12.50",
        "compareAtPrice": None,
        "position": 1,
        "taxable": True,
        "inventoryPolicy": "DENY",
        "selectedOptions": [{"name": "Size", "value": "S"}],
        "createdAt": _AT,
        "updatedAt": _AT,
        "inventoryItem": {
            "id": gid("InventoryItem", number + 5000),
            "tracked": True,
            "requiresShipping": True,
            "unitCost": {"amount": "4.2"},
            "measurement": {"weight": {"value": 0.25, "unit": "KILOGRAMS"}},
        },
    }


def level(location: int, item: int) -> dict[str, Any]:
    names = ("available", "on_hand", "committed", "incoming")
    return {
        "id": f"{gid('InventoryLevel', location)}?inventory_item_id={item}",
        "updatedAt": _AT,
        "item": {"id": gid("InventoryItem", item)},
        "quantities": [{"name": name, "quantity": 7} for name in names],
    }


def answer(
    data: dict[str, Any] | None, *, cost: float = 10, available: float = 3900, version: str = "2026-10"
) -> httpx.Response:
    """With the shape of `extensions` seen on a live Advanced store."""
    bucket = {"maximumAvailable": 4000.0, "currentlyAvailable": available, "restoreRate": 200.0}
    costs = {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": bucket}
    body = {"data": data, "extensions": {"cost": costs}}
    return httpx.Response(200, json=body, headers={"X-Shopify-API-Version": version})


def graphql_error(code: str, **extensions: Any) -> httpx.Response:
    error = {"message": "in words that change", "extensions": {"code": code, **extensions}}
    return httpx.Response(200, json={"errors": [error]}, headers={"X-Shopify-API-Version": "2026-10"})


def throttled(requested: float, available: float, restore_rate: float = 200.0) -> httpx.Response:
    """To the letter: HTTP 200, no `data`, no Retry-After, no actual cost."""
    link = "https://shopify.dev/api/usage/rate-limits"
    bucket = {
        "maximumAvailable": restore_rate * 20,
        "currentlyAvailable": available,
        "restoreRate": restore_rate,
    }
    body = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": link}}],
        "extensions": {"cost": {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": bucket}},
    }
    return httpx.Response(200, json=body, headers={"X-Shopify-API-Version": "2026-10"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read."""

    operation: str
    query: str
    variables: dict[str, Any]


def read_request(request: httpx.Request) -> Asked:
    body = msgspec.json.decode(request.content)
    return Asked(body["query"].split("(")[0].split("{")[0].split()[1], body["query"], body["variables"])


@dataclass(slots=True)
class RecordedStore:
    """`answers` replaces or adds answers by the operation's name."""

    products: list[dict[str, Any]] = field(
        default_factory=lambda: [product(n, 5 if n == 3 else 1) for n in range(1, 6)]
    )
    locations: dict[int, list[int]] = field(default_factory=lambda: {1: [11, 12, 13], 2: [11, 12, 13], 3: []})
    scopes: Sequence[str] = (*READ_SCOPES, *WRITE_SCOPES)
    version: str = "2026-10"
    answers: dict[str, Callable[[Asked], dict[str, Any]]] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = read_request(request)
        make = self.answers.get(asked.operation) or getattr(self, f"_{asked.operation}")
        return answer(make(asked), cost=estimate(asked.query, asked.variables), version=self.version)

    def _Probe(self, _asked: Asked) -> dict[str, Any]:  # noqa: N802 - named as the operation
        return {"shop": {"id": gid("Shop", 9)}}

    def _Store(self, _asked: Asked) -> dict[str, Any]:  # noqa: N802
        plan = {"publicDisplayName": "Advanced", "partnerDevelopment": False, "shopifyPlus": False}
        shop = {
            "id": gid("Shop", 9),
            "name": "Recorded",
            "myshopifyDomain": SHOP,
            "currencyCode": "EUR",
            "ianaTimezone": "Europe/Berlin",
            "plan": plan,
        }
        return {
            "shop": shop,
            "currentAppInstallation": {"accessScopes": [{"handle": scope} for scope in self.scopes]},
        }

    def _ProductsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        page = connection(self.products, asked.variables["after"])
        page["nodes"] = [{**node, "variants": connection(node["variants"], None)} for node in page["nodes"]]
        return {"products": page}

    def _RestVariants(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        (node,) = (p for p in self.products if p["id"] == asked.variables["id"])
        return {"node": {"variants": connection(node["variants"], asked.variables["after"])}}

    def _InventoryItemsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"inventoryItems": connection(samples.ITEMS, asked.variables["after"])}

    def _CollectionsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"collections": below(samples.COLLECTIONS, asked, "products")}

    def _RestProducts(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        (node,) = (one for one in samples.COLLECTIONS if one["id"] == asked.variables["id"])
        return {"node": {"products": connection(node["products"], asked.variables["after"])}}

    def _MediaPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"products": below(samples.MEDIA, asked, "media")}

    def _MetafieldsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        page = below(samples.METAFIELDS, asked, "metafields")
        for node in page["nodes"]:
            variants = [{**one, "metafields": connection(one["metafields"], None)} for one in node["variants"]]
            node["variants"] = connection(variants, None)
        return {"products": page}

    def _OrdersPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"orders": below(samples.ORDERS, asked, "lineItems")}

    def _RestLineItems(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        (node,) = (one for one in samples.ORDERS if one["id"] == asked.variables["id"])
        return {"node": {"lineItems": connection(node["lineItems"], asked.variables["after"])}}

    def _RefundLinesPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        page = connection(samples.REFUND_LINES, asked.variables["after"])
        page["nodes"] = [{**node, "refunds": [_paged(one) for one in node["refunds"]]} for node in page["nodes"]]
        return {"orders": page}

    def _RestRefundLineItems(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        refunds = [refund for node in samples.REFUND_LINES for refund in node["refunds"]]
        (refund,) = (one for one in refunds if one["id"] == asked.variables["id"])
        return {"node": {"refundLineItems": connection(refund["refundLineItems"], asked.variables["after"])}}

    def _CollectionMetafieldsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"collections": below(samples.OWNED["collection_metafields"], asked, "metafields")}

    def _OrderMetafieldsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"orders": below(samples.OWNED["order_metafields"], asked, "metafields")}

    def _CustomerMetafieldsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"customers": below(samples.OWNED["customer_metafields"], asked, "metafields")}

    def _CustomersPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"customers": connection(samples.CUSTOMERS, asked.variables["after"])}

    def _LocationsPage(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        nodes = [{"id": gid("Location", n), "name": f"Place {n}", "isActive": True} for n in self.locations]
        return {"locations": connection(nodes, asked.variables["after"])}

    def _LevelsOfLocation(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        number = number_of(asked.variables["id"])
        levels = [level(number, item) for item in self.locations[number]]
        return {"location": {"inventoryLevels": connection(levels, asked.variables["after"])}}

    def _UpdateProduct(self, asked: Asked) -> dict[str, Any]:  # noqa: N802
        return {"productUpdate": {"product": {**asked.variables["product"], "updatedAt": _AT}, "userErrors": []}}


def below(nodes: Sequence[dict[str, Any]], asked: Asked, field_name: str) -> dict[str, Any]:
    """A page of records, each with the first page of what hangs on it."""
    page = connection(nodes, asked.variables["after"])
    page["nodes"] = [{**node, field_name: connection(node[field_name], None)} for node in page["nodes"]]
    return page


def connection(nodes: Sequence[dict[str, Any]], after: str | None) -> dict[str, Any]:
    start = int(after or 0)
    end = start + _PAGE
    return {
        "nodes": list(nodes[start:end]),
        "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(min(end, len(nodes)))},
    }


class _Key(msgspec.Struct):
    id: str
    parent: str = msgspec.field(name="__parentId", default="")


@dataclass(frozen=True, slots=True)
class _Page:
    keys: list[str]
    cursor: str | None


class ShopifyCase:
    """What the kit's conformance suite asks for."""

    connector: Connector = CONNECTOR
    secrets: Collection[str] = (TOKEN,)

    def __init__(self) -> None:
        self._store = RecordedStore()

    def well(self, request: httpx.Request) -> httpx.Response:
        return self._store(request)

    def throttled(self, wait: timedelta) -> Fault:
        return answering(lambda: throttled(500, 500 - wait.total_seconds() * 200))

    def expired_token(self) -> Fault:
        sentence = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        return status(401, json={"errors": sentence})

    def open(self, transport: httpx.AsyncBaseTransport) -> ShopifyClient:
        return open_client(transport)

    async def discover(self, client: ShopifyClient) -> None:
        await check_store(client)

    async def pages(self, client: ShopifyClient, stream: str, cursor: str | None) -> AsyncIterator[CasePage]:
        async for page in streams.read_pages(client, streams.STREAMS[stream], cursor=cursor):
            yield _Page([_key(line) for line in page.lines], page.cursor)

    def keys(self, stream: str) -> Collection[str]:
        if stream == streams.PRODUCTS.name:
            return [f"{node['id']}" for p in self._store.products for node in (p, *p["variants"])]
        if stream != streams.INVENTORY.name:
            return samples.keys(stream)
        levels = [level(place, item)["id"] for place, items in self._store.locations.items() for item in items]
        return [*(gid("Location", place) for place in self._store.locations), *levels]

    async def write(self, client: ShopifyClient) -> None:
        await update_product(client, 1, {"title": "New"})

    def is_write(self, request: httpx.Request) -> bool:
        return read_request(request).operation == "UpdateProduct"


def _key(line: bytes) -> str:
    return msgspec.json.decode(line, type=_Key).id


def _paged(refund: dict[str, Any]) -> dict[str, Any]:
    return {**refund, "refundLineItems": connection(refund["refundLineItems"], None)}
