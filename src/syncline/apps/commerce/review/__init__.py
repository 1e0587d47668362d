"""Who may approve: whether, in a tenant, somebody else than the author has to."""
