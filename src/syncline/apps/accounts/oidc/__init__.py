"""Signing in with an OpenID provider: the way there and back, whose word is taken for what, and linked identities.

Refuses to take the word of a tenant's own provider for anything outside that tenant.
"""
