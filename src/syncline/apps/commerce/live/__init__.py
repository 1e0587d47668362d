"""What pulls, pushes, imports, exports and comparisons say while they run, and what is announced when they end."""
