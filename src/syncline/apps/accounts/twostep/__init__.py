"""Turning the second step of one's sign-in on and off."""
