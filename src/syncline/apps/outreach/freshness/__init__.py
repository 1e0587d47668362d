"""Whether what a tenant sees is fresh, and telling it when that changes."""
