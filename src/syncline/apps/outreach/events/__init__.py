"""Events under their keys: recorded once, compared with what is there, and found again."""
