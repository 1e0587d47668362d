"""Source, stored and delivered, compared by day and namespace."""
