"""Accounts: tenants, and the API keys that open them.

Owns: the directory of tenants and the hashed keys. Announces nothing and listens to nothing yet.
Refuses to keep a key: only its SHA-256 is stored, so a lost key is replaced, never shown again.
"""
