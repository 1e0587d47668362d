"""Reads a shop's products, variants and stock levels with dlt's generic REST source into JSON Lines files.

Run by `bench.rivals` in an environment that has dlt and nothing of ours. dlt's package has no Shopify source; this is
its `rest_api` source configured as its documentation tells for a POST with a cursor in the body. The queries ask for
less than those of `tap-shopify` and Airbyte's source do.

    python dlt_shopify.py SHOP_DOMAIN TOKEN FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found, unused-ignore]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found, unused-ignore]

VERSION = "2026-10"
PRODUCTS = """query Products($after: String) { products(first: 100, after: $after) {
  nodes { id title descriptionHtml vendor tags handle publishedAt createdAt updatedAt templateSuffix status productType
    options { id name position values } seo { title description } }
  pageInfo { hasNextPage endCursor } } }"""
VARIANTS = """query Variants($after: String) { productVariants(first: 250, after: $after) {
  nodes { id title sku barcode price compareAtPrice position taxable inventoryPolicy inventoryQuantity createdAt
    updatedAt product { id } inventoryItem { id } }
  pageInfo { hasNextPage endCursor } } }"""
LEVELS = """query Levels($after: String) { inventoryItems(first: 100, after: $after) {
  nodes { inventoryLevels(first: 10) { nodes { id createdAt updatedAt location { id } item { id }
    quantities(names: ["available", "committed", "incoming", "on_hand", "reserved"]) { name quantity } } } }
  pageInfo { hasNextPage endCursor } } }"""


def resource(name: str, query: str, root: str, selected: str) -> dict[str, Any]:
    return {
        "name": name,
        "primary_key": "id",
        "write_disposition": "replace",
        "endpoint": {
            "path": "graphql.json",
            "method": "POST",
            "json": {"query": _escaped(query), "variables": {"after": None}},
            "data_selector": f"data.{root}.{selected}",
            "paginator": {
                "type": "cursor",
                "cursor_path": f"data.{root}.pageInfo.endCursor",
                "cursor_body_path": "variables.after",
                "has_more_path": f"data.{root}.pageInfo.hasNextPage",
            },
        },
    }


def _escaped(query: str) -> str:
    """The source reads braces as expressions of its own."""
    return query.replace("{", "{{").replace("}", "}}")


def main() -> None:
    shop, token, folder = sys.argv[1:]
    source = rest_api_source(
        {
            "client": {
                "base_url": f"https://{shop}/admin/api/{VERSION}/",
                "headers": {"X-Shopify-Access-Token": token},
            },
            "resources": [
                resource("products", PRODUCTS, "products", "nodes"),
                resource("variants", VARIANTS, "productVariants", "nodes"),
                resource("levels", LEVELS, "inventoryItems", "nodes[*].inventoryLevels.nodes[*]"),
            ],
        }
    )
    home = Path(folder).absolute()
    pipeline = dlt.pipeline(
        pipeline_name="shop",
        pipelines_dir=str(home / "work"),
        destination=dlt.destinations.filesystem(bucket_url=(home / "loaded").as_uri()),
        dataset_name="shop",
    )
    print(pipeline.run(source, loader_file_format="jsonl"))


if __name__ == "__main__":
    main()
