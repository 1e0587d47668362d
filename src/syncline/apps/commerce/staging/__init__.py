"""Proposed changes before they may be sent: how records are chosen, edited, compared, reviewed and undone.

Refuses to write to a store. Must not import `transfer`: a sheet is one way of proposing changes, and asks this feature.
"""
