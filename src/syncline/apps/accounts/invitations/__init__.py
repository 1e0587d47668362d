"""Asking somebody into a tenant by mail, and coming in, with an account or without."""
