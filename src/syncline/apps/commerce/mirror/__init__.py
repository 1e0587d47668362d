"""What each store says, kept locally with the version it said it at."""
