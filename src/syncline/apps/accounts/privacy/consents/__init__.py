"""Consents with their versions, given and withdrawn, and the choice that data is not sold: all of it only grows."""
