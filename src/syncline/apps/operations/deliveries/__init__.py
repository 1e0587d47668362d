"""What each channel was told, and what came of it."""
