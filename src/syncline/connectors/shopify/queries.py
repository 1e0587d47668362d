"""Every GraphQL document the connector sends. Each is held against Shopify's published schema by a test.

The fields of a record are written once, so that a page and a bulk file give the same lines.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

PRODUCT: Final = (
    "id title handle descriptionHtml vendor productType status tags createdAt updatedAt publishedAt templateSuffix "
    "isGiftCard seo { title description } options { id name position values } variantsCount { count }"
)
VARIANT: Final = (
    "id title sku barcode price compareAtPrice position taxable inventoryPolicy selectedOptions { name value } "
    "createdAt updatedAt inventoryItem { id tracked requiresShipping unitCost { amount } "
    "measurement { weight { value unit } } }"
)
LOCATION: Final = "id name isActive"
_QUANTITIES: Final = 'quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity }'
LEVEL: Final = f"id updatedAt item {{ id }} {_QUANTITIES}"
LEVEL_OF_ITEM: Final = f"id updatedAt {_QUANTITIES}"

PROBE: Final = "query Probe { shop { id } }"

STORE: Final = """query Store {
  shop { id name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName partnerDevelopment shopifyPlus } }
  currentAppInstallation { accessScopes { handle } }
}"""

PRODUCTS_PAGE: Final = f"""query ProductsPage($first: Int!, $children: Int!, $after: String, $query: String) {{
  products(first: $first, after: $after, query: $query, sortKey: ID) {{
    nodes {{
      {PRODUCT}
      variants(first: $children) {{ nodes {{ {VARIANT} }} pageInfo {{ hasNextPage endCursor }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

VARIANTS_OF_PRODUCT: Final = f"""query VariantsOfProduct($id: ID!, $first: Int!, $after: String) {{
  product(id: $id) {{
    variants(first: $first, after: $after) {{ nodes {{ {VARIANT} }} pageInfo {{ hasNextPage endCursor }} }}
  }}
}}"""

LOCATIONS_PAGE: Final = f"""query LocationsPage($first: Int!, $after: String) {{
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true, sortKey: ID) {{
    nodes {{ {LOCATION} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

LEVELS_OF_LOCATION: Final = f"""query LevelsOfLocation($id: ID!, $first: Int!, $after: String, $query: String) {{
  location(id: $id) {{
    inventoryLevels(first: $first, after: $after, query: $query) {{
      nodes {{ {LEVEL} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""

# An explicit null lifts the default limit of 10,000 from a count. productVariantsCount ignores any filter yet calls its
# answer EXACT (seen live, August 2026), so only whole counts are asked for.
PRODUCT_COUNTS: Final = """query ProductCounts {
  productsCount(limit: null) { count precision }
  productVariantsCount(limit: null) { count precision }
}"""

DELETIONS_PAGE: Final = """query DeletionsPage($first: Int!, $after: String, $query: String!) {
  events(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id action createdAt ... on BasicEvent { subjectId subjectType } }
    pageInfo { hasNextPage endCursor }
  }
}"""

PRODUCT_IDS: Final = """query ProductIds($first: Int!, $after: String, $query: String) {
  products(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}"""
VARIANT_IDS: Final = """query VariantIds($first: Int!, $after: String, $query: String) {
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id } pageInfo { hasNextPage endCursor }
  }
}"""

READ_PRODUCTS: Final = f"query ReadProducts($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Product {{ {PRODUCT} }} }} }}"
READ_VARIANTS: Final = f"""query ReadVariants($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on ProductVariant {{ {VARIANT} product {{ id }} }} }}
}}"""
READ_LEVELS: Final = f"""query ReadLevels($ids: [ID!]!, $location: ID!) {{
  nodes(ids: $ids) {{ ... on InventoryItem {{ id inventoryLevel(locationId: $location) {{ {LEVEL_OF_ITEM} }} }} }}
}}"""

_BULK_FIELDS: Final = (
    "id status errorCode url partialDataUrl objectCount rootObjectCount fileSize createdAt completedAt query"
)
# groupObjects is given, not defaulted: its default turned from true to false in 2026-01, and grouping is slower.
BULK_START: Final = """mutation BulkStart($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status }
    userErrors { field message code }
  }
}"""
BULK_FIND: Final = f"query BulkFind($id: ID!) {{ node(id: $id) {{ ... on BulkOperation {{ {_BULK_FIELDS} }} }} }}"
# For 2025-10, which has no bulkOperations; deprecated since.
BULK_CURRENT: Final = f"query BulkCurrent {{ currentBulkOperation(type: QUERY) {{ {_BULK_FIELDS} }} }}"
# Newest first by default.
BULK_RECENT: Final = f"query BulkRecent {{ bulkOperations(first: 25) {{ nodes {{ {_BULK_FIELDS} }} }} }}"
BULK_CANCEL: Final = """mutation BulkCancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}"""

PRODUCT_SCALARS: Final = "id title handle descriptionHtml vendor productType status tags templateSuffix updatedAt"
VARIANT_SCALARS: Final = "id title sku barcode price compareAtPrice taxable inventoryPolicy updatedAt"
VARIANT_OBJECTS: Final = (
    "selectedOptions { name value } inventoryItem { id tracked requiresShipping unitCost { amount } "
    "measurement { weight { value unit } } }"
)


def update_product(*, with_seo: bool) -> str:
    """Patches the given fields only (productSet would delete list members that are not named)."""
    seo = " seo { title description }" if with_seo else ""
    return f"""mutation UpdateProduct($product: ProductUpdateInput!) {{
  productUpdate(product: $product) {{ product {{ {PRODUCT_SCALARS}{seo} }} userErrors {{ field message }} }}
}}"""


def update_variants(*, with_objects: bool) -> str:
    """Partial updates are allowed, so that one wrong row does not take the others with it."""
    objects = f" {VARIANT_OBJECTS}" if with_objects else ""
    return f"""mutation UpdateVariants($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {{
  productVariantsBulkUpdate(productId: $productId, variants: $variants, allowPartialUpdates: true) {{
    product {{ id updatedAt }}
    productVariants {{ {VARIANT_SCALARS}{objects} }}
    userErrors {{ field message code }}
  }}
}}"""


_SET_INVENTORY_BODY: Final = """{
    inventoryAdjustmentGroup {
      id createdAt
      changes(quantityNames: ["available"]) { name delta quantityAfterChange item { id } location { id } }
    }
    userErrors { field message code }
  }"""
SET_INVENTORY: Final = (
    "mutation SetInventory($input: InventorySetQuantitiesInput!, $key: String!) {\n"
    f"  inventorySetQuantities(input: $input) @idempotent(key: $key) {_SET_INVENTORY_BODY}\n}}"
)
# 2025-10 has no @idempotent directive.
SET_INVENTORY_2025_10: Final = (
    "mutation SetInventory($input: InventorySetQuantitiesInput!) {\n"
    f"  inventorySetQuantities(input: $input) {_SET_INVENTORY_BODY}\n}}"
)


def updated_since(since: datetime | None) -> str | None:
    """A search filter, inclusive to the second. The quotes matter: without them Shopify reads the time as two terms and
    silently answers something else (seen live, August 2026)."""
    return None if since is None else f"updated_at:>='{search_time(since)}'"


def search_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bulk_products(since: datetime | None) -> str:
    variants = f"variants {{ edges {{ node {{ {VARIANT} }} }} }}"
    return f"{{ products{_filter(since)} {{ edges {{ node {{ {PRODUCT} {variants} }} }} }} }}"


def bulk_inventory(since: datetime | None) -> str:
    levels = f"inventoryLevels{_filter(since)} {{ edges {{ node {{ {LEVEL} }} }} }}"
    return (
        f"{{ locations(includeInactive: true, includeLegacy: true) {{ edges {{ node {{ {LOCATION} {levels} }} }} }} }}"
    )


def _filter(since: datetime | None) -> str:
    search = updated_since(since)
    return "" if search is None else f'(query: "{search}")'
