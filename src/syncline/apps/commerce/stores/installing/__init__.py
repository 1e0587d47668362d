"""Connecting a shop through Shopify's own consent page, or by a token that Shopify gives for one it knows already."""
