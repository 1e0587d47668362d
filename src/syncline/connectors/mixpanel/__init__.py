"""Mixpanel: imports events and says which were refused, and reads back what was ingested, day by day."""
