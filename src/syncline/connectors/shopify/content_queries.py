"""The GraphQL documents that read and write metafields, collections with their members, and alt texts one by one."""

from __future__ import annotations

from typing import Final

from syncline.connectors.shopify.selections import COLLECTION, MEDIA, METAFIELD

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

READ_COLLECTIONS: Final = (
    f"query ReadCollections($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Collection {{ {COLLECTION} }} }} }}"
)
READ_MEMBERS: Final = """query ReadMembers($ids: [ID!]!, $collection: ID!) {
  nodes(ids: $ids) { ... on Product { id inCollection(id: $collection) } }
}"""
_COLLECTION_SCALARS: Final = "id title handle descriptionHtml sortOrder templateSuffix updatedAt"
# `input` is what both 2025-10 and 2026-10 take; 2026-10 has a `collection` beside it.
UPDATE_COLLECTION: Final = f"""mutation UpdateCollection($input: CollectionInput!) {{
  collectionUpdate(input: $input) {{
    collection {{ {_COLLECTION_SCALARS} seo {{ title description }} }}
    userErrors {{ field message }}
  }}
}}"""
# Both are told to give way to inputs of collectionUpdate that 2025-10 does not have.
ADD_MEMBERS: Final = """mutation AddMembers($id: ID!, $products: [ID!]!) {
  collectionAddProducts(id: $id, productIds: $products) { collection { id updatedAt } userErrors { field message } }
}"""
REMOVE_MEMBERS: Final = """mutation RemoveMembers($id: ID!, $products: [ID!]!) {
  collectionRemoveProducts(id: $id, productIds: $products) { job { id done } userErrors { field message } }
}"""
READ_JOB: Final = "query ReadJob($id: ID!) { job(id: $id) { id done } }"

READ_IMAGES: Final = "query ReadImages($ids: [ID!]!) { nodes(ids: $ids) { ... on MediaImage { id alt } } }"
# fileUpdate, which it is told to give way to, wants the scope write_files besides write_products (2025-10 and 2026-10).
SET_IMAGE_ALTS: Final = """mutation SetImageAlts($product: ID!, $media: [UpdateMediaInput!]!) {
  productUpdateMedia(productId: $product, media: $media) {
    media { id alt }
    mediaUserErrors { field message code }
  }
}"""

READ_MEDIA: Final = """query ReadMedia($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Product { id media(first: 250) { nodes { id } } } }
}"""
READ_GALLERIES: Final = f"""query ReadGalleries($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Product {{ id media(first: 250) {{ nodes {{ {MEDIA} }} }} }} }}
}}"""
# It is told to give way to productUpdate and productSet, which take media too: the one refuses all for one that is bad,
# the other takes away what is not named. Both 2025-10 and 2026-10 have it.
ADD_MEDIA: Final = f"""mutation AddMedia($product: ID!, $media: [CreateMediaInput!]!) {{
  productCreateMedia(productId: $product, media: $media) {{
    media {{ {MEDIA} }}
    mediaUserErrors {{ field message code }}
  }}
}}"""
READ_MEDIA_STATES: Final = f"""query ReadMediaStates($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on MediaImage {{ {MEDIA} mediaErrors {{ code message }} }} }}
}}"""
# Also told to give way to fileUpdate, for the reason above.
DELETE_MEDIA: Final = """mutation DeleteMedia($product: ID!, $media: [ID!]!) {
  productDeleteMedia(productId: $product, mediaIds: $media) {
    deletedMediaIds
    mediaUserErrors { field message code }
  }
}"""
ORDER_MEDIA: Final = """mutation OrderMedia($product: ID!, $moves: [MoveInput!]!) {
  productReorderMedia(id: $product, moves: $moves) { job { id done } mediaUserErrors { field message code } }
}"""
