"""Approved changes to the store: compare, write, receipt; and the way back."""
