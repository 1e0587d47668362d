"""API keys: what programs send. Made, listed, scoped, rotated and revoked."""
