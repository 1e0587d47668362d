"""Accounts: tenants, the people in them, and what opens a tenant: API keys and sign-ins.

Owns: the directory of tenants and of people, memberships with their roles, sessions, and the keys that sign access
tokens. Announces nothing and listens to nothing yet.
Refuses to keep a secret it can do without: of keys and tokens only the SHA-256 is stored, of passwords only the
Argon2id hash, so what is lost is replaced, never shown again.
"""
