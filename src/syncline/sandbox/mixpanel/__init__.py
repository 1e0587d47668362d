"""A double of Mixpanel's ingestion and raw export, from its documents (docs.mixpanel.com, November 2026).

It keeps every record as it was sent, for ever: `/export` never drops a duplicate, and the deduplicated view is another.
"""
