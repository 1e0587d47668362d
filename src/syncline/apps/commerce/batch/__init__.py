"""Bulk operations on products: what is asked becomes edits, a worker stages them, all of them or none.

Refuses to write to a store, and to approve anything: it proposes like a hand-written edit does. Must not import
`transfer` or `push`.
"""
