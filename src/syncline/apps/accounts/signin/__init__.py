"""Signing in: passwords, sessions, access tokens and the refresh tokens that renew them."""
