"""A Shopify store that answers the Admin GraphQL API from Shopify's published schema.

It owns a store's state in memory, the cost law, the bucket, idempotency, bulk operations and faults on demand. It
refuses to invent: a field it does not serve is an error that says so.
"""
