"""Attio: makes or changes people by their address, and reads them."""
