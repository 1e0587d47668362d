"""Lines as the connector gives them, with defaults that make a valid record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

Line = Callable[..., bytes]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def product_line() -> Line:
    def make(number: int = 1, *, updated_at: str = "2026-11-22T10:00:00Z", **more: Any) -> bytes:
        record = {
            "id": f"gid://shopify/Product/{number}",
            "title": f"Product {number}",
            "handle": f"product-{number}",
            "descriptionHtml": "<p>Good.</p>",
            "vendor": "Acme",
            "productType": "Shirt",
            "status": "ACTIVE",
            "tags": ["new", "Summer"],
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": updated_at,
            "publishedAt": None,
            "templateSuffix": None,
            "isGiftCard": False,
            "seo": {"title": None, "description": None},
            "options": [{"id": "gid://shopify/ProductOption/1", "name": "Size", "position": 1, "values": ["S"]}],
            "variantsCount": {"count": 1},
        }
        return msgspec.json.encode({**record, **more})

    return make


@pytest.fixture
def variant_line() -> Line:
    def make(number: int = 11, *, product: int = 1, updated_at: str = "2026-11-22T10:00:00Z", **more: Any) -> bytes:
        record = {
            "id": f"gid://shopify/ProductVariant/{number}",
            "title": "S",
            "sku": f"SKU-{number}",
            "barcode": None,
            "price": "12.50",
            "compareAtPrice": None,
            "position": 1,
            "taxable": True,
            "inventoryPolicy": "DENY",
            "selectedOptions": [{"name": "Size", "value": "S"}],
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": updated_at,
            "inventoryItem": {
                "id": f"gid://shopify/InventoryItem/{number}00",
                "tracked": True,
                "requiresShipping": True,
                "unitCost": {"amount": "4.00"},
                "measurement": {"weight": {"value": 0.6, "unit": "KILOGRAMS"}},
            },
            "__parentId": f"gid://shopify/Product/{product}",
        }
        return msgspec.json.encode({**record, **more})

    return make


@pytest.fixture
def level_line() -> Line:
    def make(
        item: int = 1100, *, place: int = 5, available: int = 3, updated_at: str = "2026-11-22T10:00:00Z"
    ) -> bytes:
        record = {
            "id": f"gid://shopify/InventoryLevel/99?inventory_item_id={item}",
            "updatedAt": updated_at,
            "item": {"id": f"gid://shopify/InventoryItem/{item}"},
            "quantities": [
                {"name": "available", "quantity": available},
                {"name": "on_hand", "quantity": available},
                {"name": "committed", "quantity": 0},
                {"name": "incoming", "quantity": 0},
            ],
            "__parentId": f"gid://shopify/Location/{place}",
        }
        return msgspec.json.encode(record)

    return make
