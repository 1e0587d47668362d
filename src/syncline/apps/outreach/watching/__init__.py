"""How the scheduled jobs of a tenant fare."""
