"""The mirror, read: lists and single records."""
