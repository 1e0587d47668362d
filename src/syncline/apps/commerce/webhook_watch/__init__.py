"""Which webhooks a store is to send here, whether it still does, and what was missed meanwhile.

Owns the wanted subscriptions of each store. Refuses to touch subscriptions that are not its own.
"""
