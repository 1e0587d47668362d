"""The people of each namespace, and their way to Attio."""
