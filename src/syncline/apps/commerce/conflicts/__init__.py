"""Conflicts: shown on three sides, settled field by field, by people or by the rules that they left.

Refuses to write to a store: what is settled is approved again and waits for a push.
"""
