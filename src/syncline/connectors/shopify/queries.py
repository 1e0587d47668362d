"""The GraphQL documents that are not made from a stream's source. Each is held against Shopify's published schema by a
test, as those of the sources are."""

from __future__ import annotations

from typing import Final

from syncline.connectors.shopify.selections import LEVEL, LEVEL_OF_ITEM, LOCATION, PRODUCT, VARIANT

PROBE: Final = "query Probe { shop { id } }"

STORE: Final = """query Store {
  shop { id name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName partnerDevelopment shopifyPlus } }
  currentAppInstallation { accessScopes { handle } }
}"""

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
LEVEL_KEYS_OF_LOCATION: Final = LEVELS_OF_LOCATION.replace(LEVEL, "id item { id }")

DELETIONS_PAGE: Final = """query DeletionsPage($first: Int!, $after: String, $query: String!) {
  events(first: $first, after: $after, query: $query, sortKey: ID) {
    nodes { id action createdAt ... on BasicEvent { subjectId subjectType } }
    pageInfo { hasNextPage endCursor }
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


_WRITTEN_LEVEL: Final = 'updatedAt quantities(names: ["available"]) { quantity }'


def place_alias(index: int) -> str:
    return f"place{index}"


def set_inventory(places: int, *, keyed: bool) -> str:
    """The answer carries the level at each of so many locations of every item that changed, with its own time: the
    group's time is that of the answer. 2025-10 has no @idempotent directive, so not `keyed`."""
    aliases = [place_alias(i) for i in range(places)]
    variables = "".join(f", ${alias}: ID!" for alias in aliases)
    levels = " ".join(f"{alias}: inventoryLevel(locationId: ${alias}) {{ {_WRITTEN_LEVEL} }}" for alias in aliases)
    key, directive = (", $key: String!", " @idempotent(key: $key)") if keyed else ("", "")
    return f"""mutation SetInventory($input: InventorySetQuantitiesInput!{key}{variables}) {{
  inventorySetQuantities(input: $input){directive} {{
    inventoryAdjustmentGroup {{ id changes(quantityNames: ["available"]) {{ item {{ id {levels} }} }} }}
    userErrors {{ field message code }}
  }}
}}"""
