"""Who knows whom inside a tenant, and who may see what of whom. Nobody is anybody's friend across tenants."""
