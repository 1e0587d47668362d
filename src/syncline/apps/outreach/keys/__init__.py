"""Event keys: pure functions of what an event is."""
