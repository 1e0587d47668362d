"""Integrity: whether what is stored of a store fits together by itself, without asking the store."""
