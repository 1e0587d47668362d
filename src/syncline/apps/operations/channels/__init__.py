"""Who is told, how, and of what."""
