"""The GraphQL documents that read and write metafields one by one."""

from __future__ import annotations

from typing import Final

from syncline.connectors.shopify.selections import METAFIELD

# With `keys` Shopify tells the key of each as it was asked for, `namespace.key`.
_ASKED: Final = f"metafields(first: $first, keys: $keys) {{ nodes {{ {METAFIELD} }} }}"
READ_METAFIELDS: Final = f"""query ReadMetafields($ids: [ID!]!, $keys: [String!]!, $first: Int!) {{
  nodes(ids: $ids) {{ id ... on Product {{ {_ASKED} }} ... on ProductVariant {{ {_ASKED} }} }}
}}"""
SET_METAFIELDS: Final = f"""mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {{
  metafieldsSet(metafields: $metafields) {{
    metafields {{ {METAFIELD} owner {{ ... on Product {{ id }} ... on ProductVariant {{ id }} }} }}
    userErrors {{ field message code elementIndex }}
  }}
}}"""
DELETE_METAFIELDS: Final = """mutation DeleteMetafields($metafields: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $metafields) {
    deletedMetafields { ownerId namespace key }
    userErrors { field message }
  }
}"""
