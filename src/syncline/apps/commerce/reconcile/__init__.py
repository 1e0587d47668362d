"""Store against mirror: counts and ids, differences named and mended."""
