"""Webhooks of connected shops: kept raw before they are answered, applied to the mirror afterwards, in batches.

Refuses to look into a body before it is kept, and to keep what no connected shop has signed. What cannot be applied
stays as a state of its row, with the reason: a dead letter is no copy.
"""
