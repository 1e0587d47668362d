"""Shopify's Admin GraphQL API: reading by pages or by bulk operation, writing with an answer per row.

Owns: Shopify's queries, record types, cost law, error codes and their meaning.
Refuses: to decide what is written, or to keep anything; the commerce app does both.
"""
